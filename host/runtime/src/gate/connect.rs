//! Step 5: resolve once, check every address, and connect to the address that was checked.

use std::error::Error as StdError;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

use crate::gate::address::AddressPolicy;

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The gate's refusal.
    #[error(
        "{host} has no address that may be reached: {address} is {reason}. Private addresses are refused unless the operator pairs this network with this host (allow_private), or sends this host's traffic elsewhere (upstreams)"
    )]
    Refused { host: String, address: SocketAddr, reason: &'static str },
    #[error("the address of {0} is not known: {1}")]
    Unresolved(String, String),
    #[error("no connection to {0}: {1}")]
    Unreachable(String, String),
}

/// Connects. Given to the HTTP client, so that no connection can be made past the check.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) policy: Arc<AddressPolicy>,
    pub(crate) proxy: Option<Uri>,
    pub(crate) timeout: Duration,
    /// Only for upstream overrides, which an operator names.
    pub(crate) unchecked: bool,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let late = || ConnectError::Unreachable(host.clone(), format!("not connected after {:?}", self.timeout));
        let connecting = async {
            let addresses = self.resolve(&host, port).await?;
            match &self.proxy {
                Some(proxy) => self.tunnel(proxy, &host, &addresses).await,
                None => TcpStream::connect(addresses.as_slice())
                    .await
                    .map(|stream| {
                        // Small messages: waiting for more to send would only delay them.
                        let _ = stream.set_nodelay(true);
                        TokioIo::new(stream)
                    })
                    .map_err(|error| ConnectError::Unreachable(host.clone(), error.to_string())),
            }
        };
        tokio::time::timeout(self.timeout, connecting).await.map_err(|_| late())?
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let all: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| ConnectError::Unresolved(host.to_owned(), error.to_string()))?
            .collect();
        if self.unchecked {
            return Ok(all);
        }
        let refused = all.iter().find_map(|address| {
            self.policy.refusal(host, *address).map(|reason| ConnectError::Refused {
                host: host.to_owned(),
                address: *address,
                reason,
            })
        });
        let allowed: Vec<SocketAddr> =
            all.into_iter().filter(|address| self.policy.refusal(host, *address).is_none()).collect();
        match (allowed.is_empty(), refused) {
            (false, _) => Ok(allowed),
            (true, Some(refused)) => Err(refused),
            (true, None) => Err(ConnectError::Unresolved(host.to_owned(), "it has none".to_owned())),
        }
    }

    /// CONNECT to the checked address, not to the name: the proxy would resolve it again.
    async fn tunnel(
        &self,
        proxy: &Uri,
        host: &str,
        addresses: &[SocketAddr],
    ) -> Result<TokioIo<TcpStream>, ConnectError> {
        use hyper::service::Service as _;

        let failed = |error: String| ConnectError::Unreachable(host.to_owned(), format!("through the proxy: {error}"));
        let address = addresses.first().ok_or_else(|| failed("no address".to_owned()))?;
        let target: Uri = format!("https://{address}").parse().map_err(|_| failed("no address".to_owned()))?;
        let tunnel = Tunnel::new(proxy.clone(), HttpConnector::new());
        TowerToHyperService::new(tunnel).call(target).await.map_err(|error| failed(describe(&error)))
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// An error with its causes, in one line.
pub(crate) fn describe(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The gate's refusal among the causes of an error.
pub(crate) fn refused(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut current = Some(error);
    while let Some(cause) = current {
        if let Some(refused @ ConnectError::Refused { .. }) = cause.downcast_ref::<ConnectError>() {
            return Some(refused.to_string());
        }
        // `io::Error` and friends hide what they wrap from `source`.
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
            && let Some(refused @ ConnectError::Refused { .. }) = inner.downcast_ref::<ConnectError>()
        {
            return Some(refused.to_string());
        }
        current = cause.source();
    }
    None
}
