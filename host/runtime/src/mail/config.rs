//! How mail leaves: relay, sender, login, certificates. All from the operator.

use std::time::Duration;

use lettre::message::Mailbox;
use secrecy::SecretString;

use super::recipient::RecipientPattern;
use super::relay::{MailTls, Relay, RelayConfig};

/// A setting for mail that makes no sense.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct MailConfigError(String);

/// How mail leaves. Without it no component can send any.
#[derive(Clone, Debug)]
pub struct MailConfig {
    pub(super) from: Mailbox,
    pub(super) relay: RelayConfig,
    /// The only domains that mail goes to; none: to all that a component's grant names.
    pub(super) domains: Vec<RecipientPattern>,
}

impl MailConfig {
    /// Mail goes to `relay`, a host with or without a port, from `from`: `alerts@example.com`, or with a name
    /// `PyQueryHub <alerts@example.com>`. TLS is as `tls` says; the port is then 587 ([`MailTls::StartTls`]), 465
    /// ([`MailTls::Implicit`]) or 25.
    pub fn new(relay: &str, tls: MailTls, from: &str) -> Result<Self, MailConfigError> {
        let (host, port) = host_and_port(relay, tls)?;
        let from: Mailbox = from.parse().map_err(|_| {
            MailConfigError(format!(
                "a sender is an address such as alerts@example.com or PyQueryHub <alerts@example.com>; found {from:?}"
            ))
        })?;
        let relay = RelayConfig {
            host,
            port,
            tls,
            credentials: None,
            roots: Vec::new(),
            hello: from.email.domain().to_owned(),
            connections: 4,
            connect_timeout: Duration::from_secs(10),
        };
        Ok(Self { from, relay, domains: Vec::new() })
    }

    /// Logs in at the relay.
    #[must_use]
    pub fn with_login(mut self, user: &str, password: SecretString) -> Self {
        self.relay.credentials = Some((user.to_owned(), password));
        self
    }

    /// Trusts a further certificate authority: one certificate in DER.
    #[must_use]
    pub fn with_root(mut self, der: Vec<u8>) -> Self {
        self.relay.roots.push(der);
        self
    }

    /// Connections to the relay at the same time: 4 unless told otherwise.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.relay.connections = connections.max(1);
        self
    }

    /// How this host calls itself to the relay: the sender's domain unless told otherwise.
    #[must_use]
    pub fn with_hello(mut self, name: &str) -> Self {
        name.clone_into(&mut self.relay.hello);
        self
    }

    /// Whether it makes sense as a whole; connects to nothing.
    pub fn validate(&self) -> Result<(), MailConfigError> {
        Relay::new(self.relay.clone()).map(drop).map_err(MailConfigError)
    }

    /// Mail goes to addresses of these domains alone, whatever a component is granted: `example.com`, or `*.example.com`
    /// for all below it.
    pub fn with_domain(mut self, domain: &str) -> Result<Self, MailConfigError> {
        let pattern = RecipientPattern::parse(&format!("@{}", domain.trim_start_matches('@')))
            .map_err(|error| MailConfigError(format!("{domain:?} is no domain: {}", error.reason)))?;
        self.domains.push(pattern);
        Ok(self)
    }
}

impl MailTls {
    /// Where such a relay listens by custom (RFC 8314, 3.3; RFC 5321).
    fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

fn host_and_port(relay: &str, tls: MailTls) -> Result<(String, u16), MailConfigError> {
    let refuse = || {
        MailConfigError(format!(
            "a relay is a host, with or without a port, such as smtp.example.com or smtp.example.com:587; found {relay:?}"
        ))
    };
    let (host, port) = match relay.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| refuse())?),
        _ => (relay, tls.port()),
    };
    let host = url::Host::parse(host).map_err(|_| refuse())?;
    Ok((host.to_string().trim_matches(['[', ']']).to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_a_host_with_or_without_a_port() {
        let read = |text: &str, tls| host_and_port(text, tls).ok();
        assert_eq!(read("smtp.example.com", MailTls::StartTls), Some(("smtp.example.com".into(), 587)));
        assert_eq!(read("SMTP.example.com", MailTls::Implicit), Some(("smtp.example.com".into(), 465)));
        assert_eq!(read("127.0.0.1:2525", MailTls::None), Some(("127.0.0.1".into(), 2525)));
        assert_eq!(read("[::1]:25", MailTls::None), Some(("::1".into(), 25)));
        for bad in ["", "smtp.example.com:x", "smtp://a.example", "a b"] {
            let error = MailConfig::new(bad, MailTls::StartTls, "a@b.example").unwrap_err().to_string();
            assert!(error.contains("smtp.example.com:587"), "{error}");
        }
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let config = |from| MailConfig::new("smtp.example.com", MailTls::StartTls, from);
        assert!(config("PyQueryHub <alerts@example.com>").is_ok() && config("alerts@example.com").is_ok());
        for bad in ["", "alerts", "a@b@c", "a@b\r\nBcc: x@y.example"] {
            assert!(config(bad).unwrap_err().to_string().contains("alerts@example.com"), "{bad:?}");
        }
    }
}
