//! Which addresses a request may reach. A name that resolves to a private address must not turn the host into a
//! door to the network that it stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::gate::config::PrivateNetwork;
use crate::gate::destination::Origin;

/// IPv4 networks that no public service has (IANA's special-purpose registry), and clouds' metadata.
const IPV4: [(Ipv4Net, &str); 16] = [
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), "a private network"),
    (v4(100, 64, 0, 0, 10), "a shared network"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "cloud metadata"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "a private network"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "a private network"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// IPv6: only global unicast (`2000::/3`) is public, without these.
const IPV6: [(Ipv6Net, &str); 5] = [
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "a protocol's own, Teredo among them"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "documentation"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4, which carries an IPv4 address"),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "reserved"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "documentation"),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]), bits)
}

/// What is wrong with an address, if something is.
pub(crate) fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => IPV4.iter().find(|(network, _)| network.contains(&address)).map(|(_, reason)| *reason),
        IpAddr::V6(address) => {
            if address.to_ipv4_mapped().is_some() {
                return Some("an IPv4 address in IPv6 form");
            }
            if address.is_loopback() {
                return Some("loopback");
            }
            match address.segments()[0] {
                0x64 => Some("NAT64, which carries an IPv4 address"),
                0xfc00..=0xfdff => Some("a private network"),
                0xfe80..=0xfeff => Some("link-local"),
                0xff00..=0xffff => Some("multicast"),
                0x2000..=0x3fff => {
                    IPV6.iter().find(|(network, _)| network.contains(&address)).map(|(_, reason)| *reason)
                }
                _ => Some("reserved"),
            }
        }
    }
}

/// What an operator allows besides public addresses, and forbids of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressPolicy {
    pub(crate) private: Vec<PrivateNetwork>,
    pub(crate) own_listeners: Vec<SocketAddr>,
}

impl AddressPolicy {
    /// What is wrong with this address for this host.
    pub(crate) fn refusal(&self, host: &str, address: SocketAddr) -> Option<&'static str> {
        let Self { private, own_listeners } = self;
        let same =
            |own: &SocketAddr| own.port() == address.port() && (own.ip() == address.ip() || own.ip().is_unspecified());
        // An unspecified listener stands for all addresses of this machine, and those that are not its own look the same
        // from here; a public service on our port would be refused too, so only its private addresses are.
        if own_listeners.iter().any(|own| same(own) && (!own.ip().is_unspecified() || refusal(address.ip()).is_some()))
        {
            return Some("this program's own listener");
        }
        let origin = Origin { host: host.to_owned(), port: address.port() };
        let allowed = private
            .iter()
            .any(|allow| allow.network.contains(&address.ip()) && allow.hosts.iter().any(|host| host.matches(&origin)));
        if allowed { None } else { refusal(address.ip()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> bool {
        refusal(address.parse().unwrap()).is_some()
    }

    #[test]
    fn each_forbidden_range_is_refused() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(refused(address), "{address} was let through");
        }
    }

    #[test]
    fn public_addresses_are_let_through() {
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(!refused(address), "{address} was refused");
        }
    }

    #[test]
    fn a_private_network_is_reached_only_under_the_names_it_is_paired_with() {
        let policy = AddressPolicy {
            private: vec![PrivateNetwork {
                network: "10.1.0.0/16".parse().unwrap(),
                hosts: vec![HostPattern::parse("hooks.intern.example.com").unwrap()],
            }],
            own_listeners: Vec::new(),
        };
        let inside: SocketAddr = "10.1.2.3:443".parse().unwrap();
        assert_eq!(policy.refusal("hooks.intern.example.com", inside), None);
        assert!(policy.refusal("evil.example.com", inside).is_some());
        assert!(policy.refusal("hooks.intern.example.com", "10.2.0.1:443".parse().unwrap()).is_some());
    }

    #[test]
    fn our_own_listener_is_refused_even_where_its_network_is_allowed() {
        let policy = AddressPolicy {
            private: vec![PrivateNetwork {
                network: "127.0.0.0/8".parse().unwrap(),
                hosts: vec![HostPattern::parse("local.example.com:8443").unwrap()],
            }],
            own_listeners: vec!["0.0.0.0:8443".parse().unwrap()],
        };
        let own = "127.0.0.1:8443".parse().unwrap();
        assert_eq!(policy.refusal("local.example.com", own), Some("this program's own listener"));
    }

    use crate::gate::destination::HostPattern;
}
