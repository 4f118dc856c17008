//! Where a request may go: hosts compared as parsed and lower-cased, wildcards on whole labels.

use std::fmt;

use url::{Host, Url};

use crate::grant::GrantError;

/// Host and port of an https address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// As the url crate parses it: lower case, punycode, IPv6 in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// None for anything but https with a host.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        if url.scheme() != "https" {
            return None;
        }
        Some(Self { host: url.host_str()?.to_owned(), port: url.port_or_known_default()? })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            443 => write!(formatter, "{}", self.host),
            port => write!(formatter, "{}:{port}", self.host),
        }
    }
}

/// A host name, or a domain for all names below it, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// ".example.com" for `*.example.com`.
    suffix: Option<String>,
    host: String,
    port: u16,
}

impl HostPattern {
    /// Reads `hooks.example.com`, `*.example.com`, or either with `:port`.
    pub fn parse(pattern: &str) -> Result<Self, GrantError> {
        let refuse = |reason: &str| GrantError { pattern: pattern.to_owned(), reason: reason.to_owned() };
        let (name, port) = match pattern.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| refuse("the port is not a number up to 65535"))?)
            }
            _ => (pattern, 443),
        };
        let (wildcard, name) = match name.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, name),
        };
        if name.contains('*') {
            return Err(refuse("a `*` stands for whole labels at the start only"));
        }
        if name.contains(['/', '@', '?', '#', '\\']) || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(refuse("it holds more than a host"));
        }
        let host = Host::parse(name).map_err(|error| refuse(&error.to_string()))?;
        if wildcard && (!matches!(host, Host::Domain(_)) || !name.trim_end_matches('.').contains('.')) {
            return Err(refuse("a wildcard needs a domain of at least two labels"));
        }
        let host = host.to_string();
        Ok(Self { suffix: wildcard.then(|| format!(".{host}")), host, port })
    }

    pub(crate) fn matches(&self, origin: &Origin) -> bool {
        let Self { suffix, host, port } = self;
        *port == origin.port
            && match suffix {
                Some(suffix) => origin.host.len() > suffix.len() && origin.host.ends_with(suffix.as_str()),
                None => *host == origin.host,
            }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.suffix.is_some() {
            formatter.write_str("*.")?;
        }
        formatter.write_str(&self.host)?;
        if self.port == 443 { Ok(()) } else { write!(formatter, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        let origin = Origin::of(&Url::parse(url).unwrap());
        origin.is_some_and(|origin| HostPattern::parse(pattern).unwrap().matches(&origin))
    }

    #[test]
    fn a_name_matches_itself_in_any_case_and_nothing_else() {
        assert!(allows("hooks.example.com", "https://HOOKS.example.com/x"));
        assert!(!allows("hooks.example.com", "https://hooks.example.com.evil.net/"));
        assert!(!allows("hooks.example.com", "https://xhooks.example.com/"));
        assert!(!allows("hooks.example.com", "https://hooks.example.com:8443/"));
        assert!(!allows("hooks.example.com", "http://hooks.example.com:443/"));
    }

    #[test]
    fn a_wildcard_matches_whole_labels_below_the_domain_however_deep() {
        assert!(allows("*.example.com", "https://a.example.com/"));
        assert!(allows("*.example.com", "https://a.b.example.com/"));
        assert!(!allows("*.example.com", "https://example.com/"));
        assert!(!allows("*.example.com", "https://evilexample.com/"));
    }

    #[test]
    fn what_is_no_host_is_refused_with_what_was_expected() {
        for pattern in ["", "*", "*.com", "a.*.com", "https://a.com", "a.com/x", "u@a.com", "a.com:99999", "a b.com"] {
            let error = HostPattern::parse(pattern).unwrap_err();
            assert!(error.to_string().contains("expected a name such as"), "{error}");
        }
    }
}
