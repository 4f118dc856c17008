//! How often a token may ask, and how often an address may present tokens that nobody knows.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// Tokens that an address may present in a row without being known; one more each second.
const LOOKUPS: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// Keys that are remembered before those at rest are forgotten.
const MANY: usize = 10_000;

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

/// Both limits. They count real time: what they guard is this machine.
pub(crate) struct RateLimits {
    clock: DefaultClock,
    requests: Limiter<String>,
    lookups: Limiter<IpAddr>,
}

impl RateLimits {
    /// With so many requests a second for each token.
    pub(crate) fn new(requests_per_second: NonZeroU32) -> Self {
        Self {
            clock: DefaultClock::default(),
            requests: RateLimiter::dashmap(Quota::per_second(requests_per_second)),
            lookups: RateLimiter::dashmap(Quota::per_second(NonZeroU32::MIN).allow_burst(LOOKUPS)),
        }
    }

    /// Counts a request; an error says how long to wait.
    pub(super) fn request(&self, token: &String) -> Result<(), Duration> {
        check(&self.requests, token, &self.clock)
    }

    /// Counts a token that is not known yet: good ones are asked for once, so that nobody who has one is kept out by
    /// others behind the same address.
    pub(super) fn lookup(&self, client: IpAddr) -> Result<(), Duration> {
        if self.lookups.len() > MANY {
            self.lookups.retain_recent();
        }
        check(&self.lookups, &neighbourhood(client), &self.clock)
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(limiter: &Limiter<K>, key: &K, clock: &DefaultClock) -> Result<(), Duration> {
    limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(clock.now()))
}

/// Who has one IPv6 address has the 2^64 beside it.
fn neighbourhood(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_held_up_after_so_many_unknown_tokens_and_its_neighbours_in_ipv6_with_it() {
        let limits = RateLimits::new(NonZeroU32::MIN);
        let (one, other) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        let refused = (0..LOOKUPS.get() * 2).filter(|_| limits.lookup(one).is_err()).count();
        assert!(refused > 0);
        assert!(limits.lookup(other).is_err());
        assert!(limits.lookup("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn a_token_s_requests_are_counted_apart_from_another_s() {
        let limits = RateLimits::new(NonZeroU32::MIN);
        assert!(limits.request(&"a".to_owned()).is_ok());
        let wait = limits.request(&"a".to_owned()).unwrap_err();
        assert!(wait <= Duration::from_secs(1));
        assert!(limits.request(&"b".to_owned()).is_ok());
    }
}
