//! The one clock that all due times come from. Tests set it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Milliseconds since 1970 (UTC): how the database keeps times.
pub type Millis = i64;

/// The time. Cheap to clone; all clones tell the same.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Set(Arc<watch::Sender<Millis>>),
}

/// The longest single wait on the system's clock: whoever sets that clock is noticed by then.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

impl Clock {
    /// The system's time.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `now` until it is moved.
    pub fn set_to(now: Millis) -> Self {
        Self(Source::Set(Arc::new(watch::Sender::new(now))))
    }

    /// Now.
    pub fn now(&self) -> Millis {
        match &self.0 {
            Source::System => Timestamp::now().as_millisecond(),
            Source::Set(now) => *now.borrow(),
        }
    }

    /// Moves a set clock on, and wakes who waited for the time between. The system's clock moves by itself: nothing happens.
    pub fn advance(&self, by: Duration) {
        if let Source::Set(now) = &self.0 {
            now.send_modify(|now| *now = now.saturating_add(millis(by)));
        }
    }

    /// Waits until it is `due`.
    pub async fn sleep_until(&self, due: Millis) {
        match &self.0 {
            Source::System => loop {
                let left = u64::try_from(due.saturating_sub(self.now())).unwrap_or(0);
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left).min(LONGEST_SLEEP)).await;
            },
            // The sender lives in `self`, so this ends only when the time has come.
            Source::Set(now) => drop(now.subscribe().wait_for(|now| *now >= due).await),
        }
    }
}

/// A length of time as the database counts it.
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// A time as the API tells it: RFC 3339 in UTC, with milliseconds.
pub fn rfc3339(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX });
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_set_clock_wakes_its_sleepers_when_it_is_moved_past_their_time() {
        let clock = Clock::set_to(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(3_000).await;
                clock.now()
            }
        });
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap(), 3_000);
    }

    #[test]
    fn times_are_told_with_milliseconds_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_734_290_040_123), "2024-12-15T19:14:00.123Z");
    }
}
