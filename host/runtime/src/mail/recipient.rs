//! To whom mail may go: addresses, and domains that an operator allows.

use std::fmt;

use lettre::Address;

use crate::gate::destination::{HostPattern, Origin};
use crate::grant::GrantError;

/// An address as it is compared: domains have no case.
pub(crate) fn address(text: &str) -> Option<Address> {
    let address: Address = text.trim().parse().ok()?;
    Address::new(address.user(), address.domain().to_lowercase()).ok()
}

/// The addresses of a domain: `@example.com`, or `@*.example.com` for those of all domains below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientPattern(HostPattern);

impl RecipientPattern {
    /// Reads a domain after an `@`.
    pub fn parse(pattern: &str) -> Result<Self, GrantError> {
        let refuse = |reason: &str| GrantError { pattern: pattern.to_owned(), reason: reason.to_owned() };
        let Some(domain) = pattern.strip_prefix('@') else {
            return Err(refuse("a grant for mail is a domain after an `@`, such as `@example.com`"));
        };
        if domain.contains(':') {
            return Err(refuse("a domain of mail has no port"));
        }
        let parsed = HostPattern::parse(domain).map_err(|error| refuse(&error.reason))?;
        Ok(Self(parsed))
    }

    pub(crate) fn matches(&self, address: &Address) -> bool {
        let Ok(host) = url::Host::parse(address.domain()) else { return false };
        // Domains are compared as hosts are, whose port is 443 where none is named.
        self.0.matches(&Origin { host: host.to_string(), port: 443 })
    }
}

impl fmt::Display for RecipientPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        RecipientPattern::parse(pattern).unwrap().matches(&address.parse().unwrap())
    }

    #[test]
    fn a_domain_matches_its_own_addresses_in_any_case_and_no_others() {
        assert!(matches("@example.com", "ada@EXAMPLE.com"));
        assert!(!matches("@example.com", "ada@mail.example.com"));
        assert!(!matches("@example.com", "ada@evilexample.com"));
        assert!(matches("@*.example.com", "ada@a.b.example.com"));
        assert!(!matches("@*.example.com", "ada@example.com"));
        assert!(matches("@bücher.example", "ada@xn--bcher-kva.example"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for bad in ["example.com", "@", "@example.com:25", "@a@b.example", "@*", "@a/b"] {
            assert!(RecipientPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
