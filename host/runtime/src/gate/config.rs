//! How the gate sends: overrides, private networks, proxy, extra certificates. All from the operator.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::gate::destination::HostPattern;

/// A setting of the gate that makes no sense.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct GateConfigError(String);

/// A private network that requests to some hosts may reach.
#[derive(Clone, Debug)]
pub struct PrivateNetwork {
    /// The addresses.
    pub network: IpNet,
    /// The hosts whose names may resolve into it.
    pub hosts: Vec<HostPattern>,
}

/// How the gate sends. The default sends to public addresses only, directly, and trusts the public authorities.
#[derive(Clone, Debug)]
pub struct GateConfig {
    pub(crate) upstreams: BTreeMap<String, Url>,
    pub(crate) private: Vec<PrivateNetwork>,
    pub(crate) own_listeners: Vec<SocketAddr>,
    pub(crate) proxy: Option<Url>,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) connect_timeout: Duration,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            upstreams: BTreeMap::new(),
            private: Vec::new(),
            own_listeners: Vec::new(),
            proxy: None,
            roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl GateConfig {
    /// Sends what is meant for exactly this host to another server: a gateway, or a simulator. Only this skips the check
    /// of addresses. `url` is an origin: `http://127.0.0.1:4700`.
    pub fn with_upstream(mut self, host: &str, url: &str) -> Result<Self, GateConfigError> {
        let expected = |found: &str| {
            GateConfigError(format!(
                "an upstream is HOST=URL, such as hooks.example.com=http://127.0.0.1:4700; {found}"
            ))
        };
        let name = url::Host::parse(host).map_err(|error| expected(&format!("{host:?} is no host: {error}")))?;
        let upstream = Url::parse(url).map_err(|error| expected(&format!("{url:?} is no URL: {error}")))?;
        if !matches!(upstream.scheme(), "http" | "https") || !upstream.has_host() {
            return Err(expected(&format!("{url:?} is no http or https URL")));
        }
        let bare = upstream.path() == "/" && upstream.query().is_none() && upstream.fragment().is_none();
        if !bare || !upstream.username().is_empty() || upstream.password().is_some() {
            return Err(expected("the URL must be an origin alone, without user, path or query"));
        }
        self.upstreams.insert(name.to_string(), upstream);
        Ok(self)
    }

    /// Lets requests to these hosts reach this private network. Loopback and cloud metadata too, if it holds them.
    #[must_use]
    pub fn with_private(mut self, private: PrivateNetwork) -> Self {
        self.private.push(private);
        self
    }

    /// Addresses where this program itself listens: never a destination.
    #[must_use]
    pub fn with_own_listener(mut self, address: SocketAddr) -> Self {
        self.own_listeners.push(address);
        self
    }

    /// Sends through an HTTP proxy, by CONNECT to the address that was checked. Proxies from the environment are ignored.
    pub fn with_proxy(mut self, url: &str) -> Result<Self, GateConfigError> {
        let proxy = Url::parse(url).map_err(|error| GateConfigError(format!("the proxy is no URL: {error}")))?;
        if proxy.scheme() != "http" || !proxy.has_host() || !proxy.username().is_empty() {
            return Err(GateConfigError(
                "a proxy is an http URL without user, such as http://proxy.example.com:3128".to_owned(),
            ));
        }
        self.proxy = Some(proxy);
        Ok(self)
    }

    /// Trusts a further certificate authority: one certificate in DER.
    #[must_use]
    pub fn with_root(mut self, der: Vec<u8>) -> Self {
        self.roots.push(der);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_an_origin_for_a_host() {
        assert!(GateConfig::default().with_upstream("hooks.example.com", "http://127.0.0.1:4700").is_ok());
        for (host, url) in [
            ("hooks.example.com/x", "http://127.0.0.1:1"),
            ("hooks.example.com", "ftp://127.0.0.1"),
            ("hooks.example.com", "http://127.0.0.1:1/path"),
            ("hooks.example.com", "http://user@127.0.0.1:1"),
            ("hooks.example.com", "nonsense"),
        ] {
            let error = GateConfig::default().with_upstream(host, url).unwrap_err();
            assert!(error.to_string().contains("HOST=URL"), "{error}");
        }
    }
}
