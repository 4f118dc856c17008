//! The fastest that a target takes messages: the generic cell rate algorithm, whose whole state is one time.

use crate::clock::Millis;
pub(super) use crate::directory::Pace;

impl Pace {
    /// Between two messages in the long run; never less than a pace asks for.
    fn interval(self) -> Millis {
        let interval = (u64::from(self.seconds) * 1000).div_ceil(u64::from(self.messages.max(1)));
        Millis::try_from(interval).unwrap_or(Millis::MAX)
    }

    /// Whether it lets fewer messages go in the long run.
    pub(crate) fn is_slower_than(self, other: Self) -> bool {
        u64::from(self.messages) * u64::from(other.seconds) < u64::from(other.messages) * u64::from(self.seconds)
    }

    /// When the next message may go, where the allowance is whole again at `turn_at`.
    pub(crate) fn next(self, turn_at: Millis) -> Millis {
        turn_at.saturating_sub(self.interval().saturating_mul(i64::from(self.burst.max(1)) - 1))
    }

    /// When the allowance is whole again after one more message now.
    pub(crate) fn take(self, turn_at: Millis, now: Millis) -> Millis {
        turn_at.max(now).saturating_add(self.interval())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of `count` messages goes that all wait from `now` on.
    fn times(pace: Pace, count: usize, now: Millis) -> Vec<Millis> {
        let (mut turn_at, mut clock) = (0, now);
        let mut times = Vec::new();
        for _ in 0..count {
            clock = clock.max(pace.next(turn_at));
            turn_at = pace.take(turn_at, clock);
            times.push(clock);
        }
        times
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_in_each_interval() {
        let pace = Pace { messages: 60, seconds: 60, burst: 3 };
        assert_eq!(times(pace, 6, 10_000), [10_000, 10_000, 10_000, 11_000, 12_000, 13_000]);
    }

    #[test]
    fn no_minute_after_the_burst_holds_more_than_the_pace() {
        let pace = Pace { messages: 7, seconds: 60, burst: 2 };
        let times = times(pace, 40, 0);
        for (index, start) in times.iter().enumerate().skip(2) {
            let within = times.iter().skip(index).filter(|at| **at < start + 60_000).count();
            assert!(within <= 7, "{within} from {start}");
        }
    }

    #[test]
    fn a_pace_of_minutes_keeps_its_interval_and_is_compared_by_its_rate() {
        let slow = Pace { messages: 3, seconds: 900, burst: 1 };
        assert_eq!(times(slow, 3, 0), [0, 300_000, 600_000]);
        let (minute, second) =
            (Pace { messages: 60, seconds: 60, burst: 1 }, Pace { messages: 1, seconds: 1, burst: 9 });
        assert!(slow.is_slower_than(second) && !second.is_slower_than(slow));
        assert!(!minute.is_slower_than(second) && !second.is_slower_than(minute));
    }

    #[test]
    fn a_rest_brings_back_the_burst_and_no_more() {
        let pace = Pace { messages: 60, seconds: 60, burst: 2 };
        let turn_at = pace.take(pace.take(0, 1_000), 1_000);
        assert_eq!(pace.next(turn_at), 2_000);
        assert_eq!(pace.next(pace.take(turn_at, 1_000_000)), 1_000_000);
    }
}
