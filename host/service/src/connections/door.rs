//! Who is let in of those who send something. Nobody has a token here: as little as can be is done for a message before it
//! proves itself, and a flood of those that never do costs no memory and no log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pqh_runtime::contract::receiving::inbound::Request;
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::inbound::InboundError;
use crate::app::App;
use crate::catalog::Entry;

/// A service that gets no answer for so long sends again. Real time.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Bodies that are read at the same time of messages that have not proved themselves.
const UNPROVEN: usize = 64;
/// Between two lines of the log about messages that are refused. Real time.
const QUIET: Duration = Duration::from_secs(1);

/// The door.
pub(super) struct Door {
    unproven: Arc<Semaphore>,
    told: Mutex<Told>,
}

impl Default for Door {
    fn default() -> Self {
        Self { unproven: Arc::new(Semaphore::new(UNPROVEN)), told: Mutex::default() }
    }
}

impl Door {
    /// Whether to tell of one more: of how many nobody was told before.
    fn tell(&self) -> Option<u64> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).tell(Instant::now())
    }
}

/// A message whose body may be read.
pub(crate) struct Admitted {
    pub(super) channel_type: String,
    /// Until it has proved itself.
    pub(super) unproven: OwnedSemaphorePermit,
    pub(crate) waits: Waits,
}

/// Until when whoever sent a message waits.
#[derive(Clone, Copy)]
pub(crate) struct Waits(tokio::time::Instant);

impl Waits {
    /// What comes of something, where it comes in time.
    pub(crate) async fn in_time<T>(self, doing: impl Future<Output = T>) -> Result<T, InboundError> {
        tokio::time::timeout_at(self.0, doing).await.map_err(|_| InboundError::Busy)
    }
}

/// Lets a message in, of which the body has not come: there is such a service, its secret is known, and what is to prove the
/// message is there and of now.
pub(crate) async fn admit(app: &App, channel_type: &str, head: &Request) -> Result<Admitted, InboundError> {
    let waits = Waits(tokio::time::Instant::now() + PATIENCE);
    let (entry, secrets) = service(app, channel_type)?;
    entry.plugin.presents(head, secrets, now(app))?;
    let waiting = Arc::clone(&app.connections.0.door.unproven).acquire_owned();
    // Nobody closes it.
    let unproven = waits.in_time(waiting).await?.map_err(|_| InboundError::Busy)?;
    Ok(Admitted { channel_type: channel_type.to_owned(), unproven, waits })
}

/// The channel type whose service sends messages, and the secrets that they are signed with.
pub(super) fn service<'a>(app: &'a App, channel_type: &str) -> Result<(Arc<Entry>, &'a [SecretString]), InboundError> {
    let unknown = || InboundError::NotFound(channel_type.chars().take(100).collect());
    let entry = app.plugins.find(channel_type).filter(|entry| entry.plugin.verification().is_some());
    let entry = entry.ok_or_else(unknown)?;
    let application = app.connections.application(channel_type);
    let secrets = application.map(|application| application.signing_secrets.as_slice()).unwrap_or_default();
    if secrets.is_empty() {
        return Err(InboundError::NotConfigured(channel_type.to_owned()));
    }
    Ok((entry, secrets))
}

/// The time that messages are compared with.
pub(super) fn now(app: &App) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(app.clock.now()).unwrap_or(0))
}

/// Counts a message that was refused, and says so in the log, once in a while.
pub(crate) fn refused(app: &App, error: &InboundError) {
    app.connections.0.needs.metrics.inbound(error.code(), 1);
    // Others tell themselves when they are answered, and of unknown types the log would say what strangers write.
    if let InboundError::NotConfigured(_) | InboundError::Unproven(_) | InboundError::Unread(_) | InboundError::Busy =
        error
        && let Some(untold) = app.connections.0.door.tell()
    {
        tracing::warn!(untold, "a message for /v1/inbound was refused: {error}");
    }
}

/// Counts messages that were taken and are not acted on, and says so in the log, once in a while.
pub(super) fn dropped(app: &App, why: &'static str, count: u64) {
    app.connections.0.needs.metrics.inbound(why, count);
    if let Some(untold) = app.connections.0.door.tell() {
        tracing::warn!(untold, count, "what a service sent is not acted on, since it sent too much: {why}");
    }
}

/// What the log was told of last.
#[derive(Default)]
struct Told {
    at: Option<Instant>,
    /// How many it was not told of since.
    untold: u64,
}

impl Told {
    /// Whether to tell of one more now: of how many it was not told before.
    fn tell(&mut self, now: Instant) -> Option<u64> {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) < QUIET) {
            self.untold += 1;
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refused_messages_is_told_once_a_second_with_its_size() {
        let (mut told, start) = (Told::default(), Instant::now());
        assert_eq!(told.tell(start), Some(0));
        for number in 1..1_000 {
            assert_eq!(told.tell(start + Duration::from_millis(number)), None);
        }
        assert_eq!(told.tell(start + QUIET), Some(999));
        assert_eq!(told.tell(start + QUIET + Duration::from_millis(999)), None);
        assert_eq!(told.tell(start + 3 * QUIET), Some(1));
    }
}
