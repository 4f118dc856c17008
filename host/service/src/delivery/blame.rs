//! Whether a channel is to blame for a failure, and what follows: it is paused, what waits is held, and administrators are
//! told, in one transaction.

use std::sync::Arc;

use pqh_runtime::contract::types::{Failure, FailureKind};

use super::Engine;
use super::notice::{Broken, Notice};
use super::scheduler::Breaker;
use crate::audit::{self, Actor, Entry, Object};
use crate::clock::Millis;
use crate::directory::{HeldReason, LiveChannel};
use crate::failure::kind_name;
use crate::store::channels::{self, Paused, PausedBy};
use crate::store::rows::Origin;
use crate::store::{StoreError, deliveries};

/// The same word so often in a row pauses a channel, whatever checks say.
const WORDS: i64 = 3;
/// Between two notices of rejected messages on one channel.
const REJECTION_NOTICES: Millis = 3_600_000;

/// Who is to blame.
pub(super) enum Blame {
    /// Not the channel.
    Nobody,
    /// The channel was blamed, and its check succeeded: the word, and how often it came in a row.
    Suspected((String, i64)),
    /// The channel.
    Paused,
}

impl Engine {
    /// Judges a failure that names the channel: one check has to confirm it, or the same word three times in a row.
    pub(super) async fn blame(&self, live: &LiveChannel, failure: &Failure, before: &Breaker) -> Blame {
        if !blames_channel(failure.kind) {
            return Blame::Nobody;
        }
        let dead = live.connection.as_ref().is_some_and(|connection| connection.tokens.dead().is_some());
        let confirmed = match &live.channel {
            // Nobody has to be asked any more.
            _ if dead && blames_connection(failure.kind) => true,
            Some(channel) => channel.check().await.result.is_err_and(|found| blames_channel(found.kind)),
            None => false,
        };
        let count = match &before.word {
            Some((word, count)) if *word == failure.code => count + 1,
            _ => 1,
        };
        if confirmed || count >= WORDS { Blame::Paused } else { Blame::Suspected((failure.code.clone(), count)) }
    }

    /// Pauses a channel and holds what waits for it; all channels of its connection, where that is what is dead.
    /// Administrators are told once for each pause.
    pub(super) async fn pause(&self, live: &Arc<LiveChannel>, failure: &Failure, origin: Origin, generation: i64) {
        match &live.connection {
            Some(connection) if blames_connection(failure.kind) => {
                self.lose_connection(connection, generation, failure, origin).await;
            }
            _ => self.pause_channel(live, failure, origin).await,
        }
    }

    /// Pauses one channel and holds what waits for it.
    pub(crate) async fn pause_channel(&self, live: &Arc<LiveChannel>, failure: &Failure, origin: Origin) {
        let paused = Paused {
            by: PausedBy::Service,
            kind: kind_name(failure.kind).to_owned(),
            code: failure.code.clone(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        };
        let notice = Notice::paused(live, failure);
        let broken = Broken::channel(live);
        let prepared = self.prepare_notice(&broken, notice, origin).await;
        let (id, version, key) = (live.id.clone(), live.version, live.organization.key.clone());
        let (entry, now) = (paused_entry(live, &paused, self.now()), self.now());
        let accept = prepared.as_ref().map(|prepared| prepared.accept.clone());
        let write = || {
            let (id, key, paused) = (id.clone(), key.clone(), paused.clone());
            let (entry, accept) = (entry.clone(), accept.clone());
            self.store().write(move |connection| {
                Box::pin(async move {
                    // What failed has to be what is kept: whoever mended the channel meanwhile is not to blame.
                    let kept = channels::find(&mut *connection, &id).await?;
                    if kept.is_none_or(|row| row.paused.is_some() || row.version != version) {
                        return Ok::<bool, StoreError>(false);
                    }
                    channels::pause(connection, &id, &paused, now).await?;
                    deliveries::hold(connection, &id, HeldReason::ChannelPaused.name(), now).await?;
                    audit::append(connection, &key, entry).await?;
                    if let Some(accept) = accept {
                        crate::store::accept::accept(connection, &[accept]).await?;
                    }
                    Ok(true)
                })
            })
        };
        let did = self.patiently(write).await.unwrap_or(false);
        self.0.parts.directory.forget_channel(&live.id);
        if did {
            self.0.parts.metrics.paused();
            tracing::warn!(channel = %live.id, code = %failure.code, "the channel is paused: {}", failure.message);
        }
        self.notice_kept(&broken, prepared, did);
    }

    /// Tells administrators of a message that was rejected, at most once an hour for each channel.
    pub(super) async fn tell_rejection(&self, live: &Arc<LiveChannel>, failure: &Failure, origin: Origin) {
        let broken = Broken::channel(live);
        let prepared = self.prepare_notice(&broken, Notice::rejected(live, failure), origin).await;
        let accept = prepared.as_ref().map(|prepared| prepared.accept.clone());
        let (id, now) = (live.id.clone(), self.now());
        let write = || {
            let (id, accept) = (id.clone(), accept.clone());
            self.store().write(move |connection| {
                Box::pin(async move {
                    if !channels::tell_rejection(connection, &id, now, REJECTION_NOTICES).await? {
                        return Ok::<bool, StoreError>(false);
                    }
                    if let Some(accept) = accept {
                        crate::store::accept::accept(connection, &[accept]).await?;
                    }
                    Ok(true)
                })
            })
        };
        let did = self.patiently(write).await.unwrap_or(false);
        self.notice_kept(&broken, prepared, did);
    }
}

fn blames_channel(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Unreachable | FailureKind::Unauthorized)
}

/// Whether a failure says that the credential is dead: with it every channel that has it.
pub(super) fn blames_connection(kind: FailureKind) -> bool {
    kind == FailureKind::Unauthorized
}

/// For the audit log.
fn paused_entry(live: &LiveChannel, paused: &Paused, at: Millis) -> Entry {
    Entry {
        chain: live.organization.id.clone(),
        at,
        actor: Actor::service(),
        source: "local".to_owned(),
        action: "channel.paused",
        object: Object::new("channel", &live.id, &live.alias),
        before: None,
        after: serde_json::to_value(paused).ok(),
    }
}
