//! The gate over real TLS, and through a real CONNECT proxy.

#![expect(clippy::unwrap_used, reason = "tests' helpers may stop")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use pqh_runtime::{GateConfig, Grant, HostPattern, MemorySecrets, Outcome, PrivateNetwork, Runtime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Where the hostile component has no destination of its own: granted by name.
const HOST: &str = "localhost";

/// A TLS server that answers 200 to one request per connection. Its address and its certificate, which signs itself.
async fn tls_server() -> (SocketAddr, Vec<u8>) {
    let certified = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let der = certified.cert.der().to_vec();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust us ends here.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut seen = Vec::new();
                let mut buffer = [0; 1024];
                while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
                        _ => return,
                    }
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nover TLS!";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (address, der)
}

/// A proxy that notes what it is asked to connect to, and connects there.
async fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match client.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
            notes.lock().unwrap().push(line);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (address, asked)
}

/// Sends one request of the hostile component to `url`, and gives back what it saw.
async fn saw(gate: GateConfig, url: &str, grant: &str) -> String {
    let runtime = Runtime::builder().limits(support::limits()).gate(gate).build().unwrap();
    let plugin = runtime.load_bytes(support::components::named("hostile")).await.unwrap();
    let grant = Grant::nothing(&plugin).allow(grant).unwrap();
    let settings = [("attack", "echo"), ("url", url)].map(|(key, value)| (key.to_owned(), value.into()));
    let channel =
        plugin.configure(grant, settings.into_iter().collect(), Arc::new(MemorySecrets::new())).await.unwrap();
    match channel.deliver(&support::delivery()).await.outcome {
        Outcome::Delivered(receipt) => format!("{receipt:?}"),
        Outcome::Failed(failure) => failure.message,
    }
}

fn loopback(port: u16) -> PrivateNetwork {
    let host = HostPattern::parse(&format!("{HOST}:{port}")).unwrap();
    PrivateNetwork { network: "127.0.0.0/8".parse().unwrap(), hosts: vec![host] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_authority_that_was_added_is_trusted_and_no_other() {
    let (address, der) = tls_server().await;
    let (url, grant) = (format!("https://{HOST}:{}/", address.port()), format!("{HOST}:{}", address.port()));
    let gate = GateConfig::default().with_private(loopback(address.port()));
    let trusted = saw(gate.clone().with_root(der), &url, &grant).await;
    assert!(trusted.contains("over TLS!"), "{trusted}");
    let untrusted = saw(gate, &url, &grant).await;
    assert!(!untrusted.contains("over TLS!") && untrusted.contains("certificate"), "{untrusted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_asked_to_connect_to_the_address_that_was_checked_and_not_to_the_name() {
    let (address, der) = tls_server().await;
    let (proxy, asked) = proxy(address).await;
    let (url, grant) = (format!("https://{HOST}:{}/", address.port()), format!("{HOST}:{}", address.port()));
    let gate = GateConfig::default()
        .with_private(loopback(address.port()))
        .with_proxy(&format!("http://{proxy}"))
        .unwrap()
        .with_root(der);
    let through = saw(gate, &url, &grant).await;
    assert!(through.contains("over TLS!"), "{through}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with(&format!("CONNECT 127.0.0.1:{} ", address.port())), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_not_asked_at_all_where_the_address_is_private() {
    let (address, der) = tls_server().await;
    let (proxy, asked) = proxy(address).await;
    let (url, grant) = (format!("https://{HOST}:{}/", address.port()), format!("{HOST}:{}", address.port()));
    let gate = GateConfig::default().with_proxy(&format!("http://{proxy}")).unwrap().with_root(der);
    let refused = saw(gate, &url, &grant).await;
    assert!(refused.contains("loopback"), "{refused}");
    assert!(asked.lock().unwrap().is_empty());
}
