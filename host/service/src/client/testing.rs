//! Small services on loopback, for tests of what speaks with one.

use std::net::SocketAddr;

use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::Client;

/// The token of every client here: it must not be found in anything that people read.
pub(crate) const TOKEN: &str = "pqh_canary";

/// Serves until the test's runtime ends.
pub(crate) async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A client of such a service.
pub(crate) async fn serve(router: Router) -> Client {
    let address = listen(router).await;
    client(&format!("http://{address}"))
}

/// A client of whatever is at an address.
pub(crate) fn client(server: &str) -> Client {
    Client::with(server, &SecretString::from(TOKEN)).unwrap()
}

/// A client of a service that reads a request and hangs up.
pub(crate) async fn hangs_up() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
            stream.try_read(&mut [0; 4096]).unwrap();
        }
    });
    client(&format!("http://{address}"))
}
