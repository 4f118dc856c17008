//! A relay for tests that follows a script.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::relay::{MailTls, Relay, RelayConfig};

/// What the peer does about a command.
pub(super) enum Act {
    Say(String),
    /// And closes the connection.
    Last(String),
    Cut,
    Nothing,
}

pub(super) fn say(text: &str) -> Act {
    Act::Say(format!("{text}\r\n"))
}

/// A relay that follows a script, and tells what it heard: the number of the connection, and a command, "(mail) …" or
/// "(closed)".
pub(super) struct Peer {
    port: u16,
    heard: UnboundedReceiver<(usize, String)>,
}

type Script = Arc<dyn Fn(usize, &str) -> Option<Act> + Send + Sync>;

impl Peer {
    /// The script gets "(greeting)", each command, and "." for the end of a mail. `None` is a plain yes.
    pub(super) async fn new(script: impl Fn(usize, &str) -> Option<Act> + Send + Sync + 'static) -> Self {
        Self::encrypted(script, None, false).await
    }

    pub(super) async fn encrypted(
        script: impl Fn(usize, &str) -> Option<Act> + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
        implicit: bool,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = unbounded_channel();
        let script: Script = Arc::new(script);
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, tell, tls) = (script.clone(), tell.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => drop(serve(stream, number, &script, &tell, true).await),
                        Some(tls) if implicit => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, number, &script, &tell, true).await;
                            }
                        }
                        Some(tls) => {
                            if let Some(stream) = serve(stream, number, &script, &tell, true).await
                                && let Ok(stream) = tls.accept(stream).await
                            {
                                serve(stream, number, &script, &tell, false).await;
                            }
                        }
                    }
                    let _ = tell.send((number, "(closed)".to_owned()));
                });
            }
        });
        Self { port, heard }
    }

    /// Everything up to now.
    pub(super) fn log(&mut self) -> Vec<(usize, String)> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    /// Whether this is heard yet or will be.
    pub(super) async fn hears(&mut self, connection: usize, command: &str) {
        while self.heard.recv().await.unwrap() != (connection, command.to_owned()) {}
    }

    pub(super) fn config(&self) -> RelayConfig {
        RelayConfig {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: MailTls::None,
            credentials: None,
            roots: Vec::new(),
            hello: "notify.example.com".to_owned(),
            connections: 2,
            connect_timeout: Duration::from_secs(10),
        }
    }

    pub(super) fn relay(&self) -> Relay {
        Relay::new(self.config()).unwrap()
    }
}

fn otherwise(command: &str) -> Act {
    Act::Say(match command {
        "(greeting)" => "220 peer\r\n".to_owned(),
        "DATA" => "354 go on\r\n".to_owned(),
        hello if hello.starts_with("EHLO") => {
            "250-peer\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n".to_owned()
        }
        _ => "250 ok\r\n".to_owned(),
    })
}

/// Ends with the stream when the client is to encrypt.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    number: usize,
    script: &Script,
    tell: &UnboundedSender<(usize, String)>,
    greet: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let mut command = "(greeting)".to_owned();
    let mut quiet = !greet;
    loop {
        let act = script(number, &command).unwrap_or_else(|| otherwise(&command));
        let (text, go_on) = match act {
            Act::Say(text) => (text, true),
            Act::Last(text) => (text, false),
            Act::Cut => return None,
            Act::Nothing => (String::new(), true),
        };
        if !quiet {
            stream.write_all(text.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
        }
        quiet = false;
        if !go_on {
            return None;
        }
        if command == "STARTTLS" {
            return Some(stream.into_inner());
        }
        if command == "DATA" && text.starts_with("354") {
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                if stream.read_line(&mut mail).await.ok()? == 0 {
                    return None;
                }
            }
            tell.send((number, format!("(mail) {}", mail.strip_suffix(".\r\n").unwrap()))).unwrap();
            command = ".".to_owned();
            continue;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        command = line.trim_end().to_owned();
        tell.send((number, command.clone())).unwrap();
    }
}

/// A relay that answers lines with bytes, one connection long. What `serve` gives for no answer ends it.
pub(super) async fn raw_peer(serve: impl Fn(&str) -> Option<&'static [u8]> + Send + 'static) -> RelayConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let mut line = String::new();
        while let Some(answer) = serve(&line) {
            stream.write_all(answer).await.unwrap();
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
    });
    RelayConfig { port, ..Peer::new(|_, _| None).await.config() }
}

/// A certificate for `localhost` alone, and what a peer needs to show it.
pub(super) fn certified() -> (Vec<u8>, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(der.clone())], key)
        .unwrap();
    (der, TlsAcceptor::from(Arc::new(config)))
}
