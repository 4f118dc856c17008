//! One attempt: from a lease to its outcome in the database.

use std::sync::Arc;
use std::time::Duration;

use pqh_runtime::contract::channel::Receipt;
use pqh_runtime::contract::events::Event;
use pqh_runtime::contract::types::{Failure, FailureKind};
use pqh_runtime::{Channel, DeliveryReport, DeliveryRequest, LogLine, Outcome};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::Engine;
use super::blame::{Blame, blames_connection};
use super::scheduler::{Breaker, Finish, Turn};
use super::verdict::{self, History, Verdict};
use crate::clock::{Millis, millis};
use crate::connections::tokens::{SOON, Stale};
use crate::directory::{HeldReason, LiveChannel, Organization};
use crate::event::EventError;
use crate::failure::{FailureBody, kind_name};
use crate::store::rows::{Leased, NewAttempt, Origin, Settle, Status, TargetRow};
use crate::store::{StoreError, alerts};

/// How long until what could not be read or written is tried again. Real time, whatever the clock says.
pub(super) const WRITE_AGAIN: Duration = Duration::from_millis(500);
/// Told to the component, where people may have got the message before.
const POSSIBLE_REPEAT: &str = "possible-repeat";

/// A leased delivery with its event.
pub(super) struct Started {
    pub(super) turn: Turn,
    pub(super) leased: Leased,
    pub(super) event: Arc<Event>,
    pub(super) origin: Origin,
}

impl Engine {
    /// Runs an attempt beside all others.
    pub(super) fn start_attempt(&self, started: Started) {
        let engine = self.clone();
        let span = tracing::info_span!(
            "attempt",
            delivery = %started.leased.id,
            event = %started.event.id,
            number = started.leased.lease_number
        );
        self.0.certainty.take(&started.leased.id);
        self.0.tasks.spawn(async move { engine.attempt(started).await }.instrument(span));
    }

    /// Ends a delivery whose event cannot be read any more: a fault of ours, said as one.
    pub(super) fn start_hopeless(&self, turn: Turn, leased: Leased, error: &EventError) {
        tracing::error!(delivery = %leased.id, "the kept event cannot be read: {error}");
        let cause = FailureBody::ours(
            FailureKind::Rejected,
            "unreadable-event",
            format!("The kept event cannot be read: {error}"),
            "Publish it again, and report this.",
        );
        let engine = self.clone();
        self.0.certainty.take(&leased.id);
        self.0.tasks.spawn(async move { engine.give_up(turn, leased, cause).await });
    }

    /// Fails a delivery for what the service itself cannot do; it can be replayed.
    async fn give_up(&self, turn: Turn, leased: Leased, cause: FailureBody) {
        let now = self.now();
        let settle = Settle {
            status: Status::Failed,
            cause: Some(cause.json()),
            cause_code: Some(cause.code),
            ended_at: Some(now),
            ..self.settle_of(&leased, now)
        };
        self.write(settle, &leased, None).await;
        self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
    }

    async fn attempt(&self, started: Started) {
        let Started { turn, leased, event, origin } = started;
        let Some(found) = self.patiently(|| self.0.parts.directory.channel(&leased.channel_id)).await else {
            let cause = FailureBody::ours(
                FailureKind::Rejected,
                "unreadable-channel",
                "The channel's settings cannot be read: the service's log says why.".to_owned(),
                "Mend the database or set the channel up anew, then replay the message.",
            );
            return self.give_up(turn, leased, cause).await;
        };
        let Some(live) = found else {
            let now = self.now();
            let settle = Settle { status: Status::Cancelled, ended_at: Some(now), ..self.settle_of(&leased, now) };
            self.write(settle, &leased, None).await;
            self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
            return;
        };
        let (Some(channel), None) = (&live.channel, live.held) else {
            self.hold(&leased, &live, live.held.unwrap_or(HeldReason::Grant), None).await;
            let now = self.now();
            self.0.scheduler.finish(turn, Finish::Unused(Some(now)), now);
            return;
        };
        if live.target != leased.target {
            // The channel leads elsewhere since: it goes when it is that target's turn.
            let now = self.now();
            self.write(self.settle_of(&leased, now), &leased, None).await;
            self.reconcile_channel(&leased.channel_id).await;
            self.0.scheduler.finish(turn, Finish::Unused(None), now);
            return;
        }
        if let Some(end) = self.ends_before(&leased, &live, origin).await {
            let due = (!end.status.is_end()).then_some(end.due_at);
            self.write(end, &leased, Some(&live)).await;
            self.0.scheduler.finish(turn, Finish::Unused(due), self.now());
            return;
        }
        let started_at = self.now();
        let (generation, report) = self.deliver(channel, &live, request(&leased, &event)).await;
        let label = outcome_label(&report.outcome);
        self.0.parts.metrics.attempt(&live.channel_type, label, report.took, report.waited);
        match &report.outcome {
            Outcome::Delivered(_) => tracing::debug!(took_ms = millis(report.took), "delivered"),
            Outcome::Failed(failure) => {
                tracing::info!(kind = label, code = %failure.code, took_ms = millis(report.took), "not delivered");
            }
        }
        let finish = self.conclude(&leased, &live, origin, started_at, generation, report).await;
        self.0.scheduler.finish(turn, finish, self.now());
    }

    /// Delivers, in a connected workspace with tokens that work: renewed before they expire, and once more where the service
    /// takes them no longer. With which tokens it was.
    async fn deliver(
        &self,
        channel: &Channel,
        live: &LiveChannel,
        mut request: DeliveryRequest,
    ) -> (i64, DeliveryReport) {
        let Some(connection) = &live.connection else { return (0, channel.deliver(&request).await) };
        let tokens = &connection.tokens;
        let generation = match tokens.fresh(SOON).await {
            Ok(generation) => generation,
            Err(Stale { generation, why }) => return (generation, undelivered(why, request.progress)),
        };
        let report = channel.deliver(&request).await;
        let is_dead = matches!(&report.outcome, Outcome::Failed(failure) if blames_connection(failure.kind));
        if !is_dead || !tokens.renews() {
            return (generation, report);
        }
        match tokens.renew(generation).await {
            Ok(renewed) => {
                request.progress = report.progress;
                (renewed, channel.deliver(&request).await)
            }
            Err(failure) => (generation, undelivered(failure, report.progress)),
        }
    }

    /// What ends a lease before anything is sent: quiet hours, which only what is critical does not wait for, or an alert
    /// that was deleted while its message waited to be tried again.
    async fn ends_before(&self, leased: &Leased, live: &LiveChannel, origin: Origin) -> Option<Settle> {
        let now = self.now();
        if let (Some(alert), 2..) = (&leased.alert_id, leased.lease_number) {
            let gone =
                self.patiently(|| alerts::find(self.store().readers(), alert)).await.is_some_and(|row| row.is_none());
            if gone {
                return Some(Settle { status: Status::Cancelled, ended_at: Some(now), ..self.settle_of(leased, now) });
            }
        }
        let urgent = leased.priority == 0 || origin == Origin::Test;
        let until = live.quiet.until(now).filter(|_| !urgent)?;
        Some(Settle { due_at: until, quiet_until: Some(until), ..self.settle_of(leased, now) })
    }

    /// Judges and writes an outcome. What the target's next turn depends on.
    async fn conclude(
        &self,
        leased: &Leased,
        live: &Arc<LiveChannel>,
        origin: Origin,
        started_at: Millis,
        generation: i64,
        report: DeliveryReport,
    ) -> Finish {
        let DeliveryReport { outcome, log, took, waited: _, progress } = report;
        // Whatever becomes of it, the next attempt knows who has it already.
        let leased = &Leased { progress, ..leased.clone() };
        let (before, turn_at) = self.0.scheduler.breaker(&leased.target.as_str().into());
        let history = History {
            attempts: leased.attempts,
            unknown_outcomes: leased.unknown_outcomes,
            possible_repeat: leased.possible_repeat != 0,
            retry_since: leased.retry_since,
        };
        let attempt = |failure: Option<&Failure>| NewAttempt {
            started_at,
            took_ms: millis(took),
            outcome: if failure.is_some() { "failed" } else { "delivered" },
            failure: failure.map(failure_json),
            log: log_json(&log),
        };
        let failure = match outcome {
            Outcome::Delivered(receipt) => {
                let verdict = verdict::delivered(history, self.now());
                let receipt = Some(receipt_json(&receipt).to_string());
                let settle = Settle { receipt, ..self.settle_by(leased, &verdict, None) };
                let settle = Settle {
                    attempt: Some(attempt(None)),
                    target: target_row(leased, &before, &verdict.breaker, turn_at),
                    ..settle
                };
                self.write(settle, leased, Some(live)).await;
                if leased.alert_id.is_some() && self.leads_elsewhere(leased).await {
                    // What comes next of its alert waits for another target's turn.
                    self.reconcile_channel(&leased.channel_id).await;
                }
                return Finish::Sent(verdict.breaker, None);
            }
            Outcome::Failed(failure) => failure,
        };
        if failure.kind == FailureKind::Rejected && origin == Origin::Digest {
            return self.refuse_digest(leased, live, attempt(Some(&failure)), &failure).await;
        }
        let blame = self.blame(live, &failure, &before).await;
        if matches!(blame, Blame::Paused) {
            self.pause(live, &failure, origin, generation).await;
            // The channel is at fault, and rests; another that leads to the same target finds out for itself.
            let breaker = Breaker::default();
            let tried = Tried {
                attempt: attempt(Some(&failure)),
                failure: &failure,
                target: target_row(leased, &before, &breaker, turn_at),
            };
            self.hold(leased, live, HeldReason::ChannelPaused, Some(tried)).await;
            return Finish::Sent(breaker, None);
        }
        let mut verdict = verdict::failed(&self.0.rules, history, &before, &failure, self.now());
        if let Blame::Suspected(word) = blame {
            verdict.breaker.word = Some(word);
        }
        let settle = Settle {
            attempt: Some(attempt(Some(&failure))),
            target: target_row(leased, &before, &verdict.breaker, turn_at),
            ..self.settle_by(leased, &verdict, Some(&failure))
        };
        self.write(settle, leased, Some(live)).await;
        if failure.kind == FailureKind::Rejected {
            self.tell_rejection(live, &failure, origin).await;
        }
        if self.leads_elsewhere(leased).await {
            self.reconcile_channel(&leased.channel_id).await;
        }
        Finish::Sent(verdict.breaker, (verdict.status == Status::Waiting).then_some(verdict.due_at))
    }

    /// A digest that is refused for good ends; what it told goes out one by one.
    async fn refuse_digest(
        &self,
        leased: &Leased,
        live: &Arc<LiveChannel>,
        attempt: NewAttempt,
        failure: &Failure,
    ) -> Finish {
        let now = self.now();
        let settle = Settle {
            status: Status::Cancelled,
            attempts: leased.attempts + 1,
            cause: Some(failure_json(failure)),
            cause_code: Some(failure.code.clone()),
            ended_at: Some(now),
            attempt: Some(attempt),
            ..self.settle_of(leased, now)
        };
        if self.take_apart(&settle, &leased.organization_id).await.is_some() {
            self.0.certainty.release(&leased.id);
            self.0.parts.metrics.ended(&live.channel_type, settle.status.name());
        } else {
            // Kept whole, and replayable.
            self.write(Settle { status: Status::Failed, ..settle }, leased, Some(live)).await;
        }
        if self.leads_elsewhere(leased).await {
            self.reconcile_channel(&leased.channel_id).await;
        }
        Finish::Sent(Breaker::default(), Some(now))
    }

    /// A lease that ends with its delivery held.
    async fn hold(&self, leased: &Leased, live: &LiveChannel, reason: HeldReason, tried: Option<Tried<'_>>) {
        let now = self.now();
        let mut settle = Settle {
            status: Status::Held,
            held_reason: Some(reason.name()),
            held_at: Some(now),
            ..self.settle_of(leased, now)
        };
        if let Some(Tried { attempt, failure, target }) = tried {
            settle = Settle {
                attempts: leased.attempts + 1,
                cause: Some(failure_json(failure)),
                cause_code: Some(failure.code.clone()),
                attempt: Some(attempt),
                target,
                ..settle
            };
        }
        self.write(settle, leased, Some(live)).await;
        // Whoever mended the channel meanwhile found nothing held yet.
        self.reconcile_channel(&leased.channel_id).await;
    }

    /// Writes an outcome, for as long as it takes: while it cannot be written, nothing new is leased.
    async fn write(&self, settle: Settle, leased: &Leased, live: Option<&LiveChannel>) {
        let mut stuck = false;
        let written = loop {
            match self.store().settle(settle.clone()).await {
                Ok(written) => break written,
                Err(error) => {
                    if !stuck {
                        tracing::error!("the outcome cannot be written yet, nothing new is sent meanwhile: {error}");
                        self.0.scheduler.stick();
                        stuck = true;
                    }
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
            }
        };
        self.0.certainty.release(&leased.id);
        if stuck {
            tracing::info!("the outcome is written");
            self.0.certainty.lose();
            self.0.scheduler.unstick();
        }
        if written && settle.status.is_end() {
            self.0.open.ended(&leased.organization_id, 1);
            if let Some(live) = live {
                self.0.parts.metrics.ended(&live.channel_type, settle.status.name());
            }
        }
    }

    /// A lease that ends with nothing learnt.
    fn settle_of(&self, leased: &Leased, now: Millis) -> Settle {
        Settle {
            delivery_id: leased.id.clone(),
            owner: self.0.owner.clone(),
            lease_number: leased.lease_number,
            status: Status::Waiting,
            due_at: now,
            attempts: leased.attempts,
            unknown_outcomes: leased.unknown_outcomes,
            possible_repeat: leased.possible_repeat,
            cause: None,
            cause_code: None,
            receipt: None,
            held_reason: None,
            held_at: None,
            ended_at: None,
            quiet_until: None,
            progress: leased.progress.clone(),
            attempt: None,
            target: None,
        }
    }

    fn settle_by(&self, leased: &Leased, verdict: &Verdict, failure: Option<&Failure>) -> Settle {
        let Verdict { status, due_at, attempts, unknown_outcomes, possible_repeat, breaker: _ } = verdict;
        let now = self.now();
        Settle {
            status: *status,
            due_at: *due_at,
            attempts: *attempts,
            unknown_outcomes: *unknown_outcomes,
            possible_repeat: i64::from(*possible_repeat),
            cause: failure.map(failure_json),
            cause_code: failure.map(|failure| failure.code.clone()),
            ended_at: status.is_end().then_some(now),
            ..self.settle_of(leased, now)
        }
    }

    /// The channel as it is now; waits while it cannot be read.
    async fn live(&self, id: &str) -> Option<Arc<LiveChannel>> {
        self.patiently(|| self.0.parts.directory.channel(id)).await.flatten()
    }

    /// Whether a channel's target changed while something was sent to it.
    async fn leads_elsewhere(&self, leased: &Leased) -> bool {
        self.live(&leased.channel_id).await.is_none_or(|live| live.target != leased.target)
    }

    /// The organization as it is now; waits while it cannot be read.
    pub(super) async fn organization(&self, id: &str) -> Option<Arc<Organization>> {
        self.patiently(|| self.0.parts.directory.organization(id)).await.flatten()
    }

    /// Reads until it can be read; none where it never will.
    pub(super) async fn patiently<T, F>(&self, read: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match read().await {
                Ok(value) => return Some(value),
                Err(error) if error.is_passing() => {
                    tracing::error!("waiting for the database: {error}");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
                Err(error) => {
                    tracing::error!("{error}");
                    return None;
                }
            }
        }
    }
}

/// Nothing was sent at all.
fn undelivered(failure: Failure, progress: Option<String>) -> DeliveryReport {
    let (took, waited) = (Duration::ZERO, Duration::ZERO);
    DeliveryReport { outcome: Outcome::Failed(failure), log: Vec::new(), took, waited, progress }
}

/// What was tried before a delivery was held.
struct Tried<'a> {
    attempt: NewAttempt,
    failure: &'a Failure,
    target: Option<TargetRow>,
}

/// What the component gets.
fn request(leased: &Leased, event: &Event) -> DeliveryRequest {
    let mut event = event.clone();
    if leased.possible_repeat != 0 {
        event.attributes.push((POSSIBLE_REPEAT.to_owned(), "true".to_owned()));
    }
    let attempt = u32::try_from(leased.lease_number).unwrap_or(u32::MAX);
    let opened_by = leased.opened_by.as_deref().and_then(reference_of);
    DeliveryRequest { id: leased.id.clone(), attempt, event, opened_by, progress: leased.progress.clone() }
}

/// The reference within a receipt as it was kept.
fn reference_of(receipt: &str) -> Option<String> {
    let receipt: Value = serde_json::from_str(receipt).ok()?;
    receipt.get("reference").and_then(Value::as_str).map(str::to_owned)
}

/// The target's row, where pace or circuit breaker changed.
fn target_row(leased: &Leased, before: &Breaker, after: &Breaker, turn_at: Millis) -> Option<TargetRow> {
    if before == after {
        return None;
    }
    let Breaker { not_before, failures, word } = after.clone();
    let (word, word_count) = word.map_or((None, 0), |(word, count)| (Some(word), count));
    Some(TargetRow { target: leased.target.clone(), turn_at, not_before, failures, word, word_count })
}

fn outcome_label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Failed(failure) => kind_name(failure.kind),
    }
}

/// A failure as the database keeps it.
fn failure_json(failure: &Failure) -> String {
    FailureBody::from(failure).json()
}

fn receipt_json(receipt: &Receipt) -> Value {
    let Receipt { reference, permalink, warnings, attributes } = receipt;
    let mut kept = json!({ "reference": reference, "permalink": permalink, "warnings": warnings });
    if !attributes.is_empty() {
        kept["attributes"] = json!(attributes);
    }
    kept
}

fn log_json(log: &[LogLine]) -> Option<String> {
    if log.is_empty() { None } else { serde_json::to_string(log).ok() }
}
