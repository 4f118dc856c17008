//! Accepts an event: kept with a delivery for each channel, in one transaction, or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use pqh_runtime::contract::events::{Event, Severity};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Engine;
use super::attempt::Started;
use super::scheduler::{Finish, Target, Turn};
use crate::clock::Millis;
use crate::directory::{HeldReason, LiveChannel, Organization};
use crate::event::{self, EventError};
use crate::store::accept::{Accept, Accepted};
use crate::store::rows::{Leased, NewDelivery, NewEvent, Origin, Packing, Status};
use crate::store::{StoreError, views};

/// Something to tell.
pub(crate) struct Submission {
    pub(crate) organization: Arc<Organization>,
    /// Each once.
    pub(crate) channels: Vec<Arc<LiveChannel>>,
    /// The event as JSON.
    pub(crate) event: String,
    /// The `Idempotency-Key`, which is the event's id where it has none.
    pub(crate) key: Option<String>,
    pub(crate) origin: Origin,
}

/// What was accepted, now or the first time.
pub(crate) struct Submitted {
    /// The event's id, as its publisher knows it.
    pub(crate) key: String,
    /// Our own id of it.
    pub(crate) event_id: String,
    /// Its deliveries: id, channel, status; none where it was accepted before.
    pub(crate) planned: Option<Vec<(String, Arc<LiveChannel>, Status)>>,
}

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubmitError {
    #[error("{0}")]
    Event(#[from] EventError),
    #[error("the event has the id {id:?} and the Idempotency-Key {key:?}: give one of them, or the same")]
    TwoKeys { id: String, key: String },
    #[error("another event was accepted under the id {key:?}: an id names one event for good; give this one its own")]
    Conflict { key: String },
    #[error(
        "{most} deliveries of this organization wait already, which is the most: nothing was accepted. Try again later, or \
         see what holds them up by `pqh deliveries list`"
    )]
    QueueFull { most: i64 },
    #[error("the service is stopping: nothing was accepted, try again in a moment")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event that was read, with what is kept of it.
struct Read {
    event: Event,
    kept: NewEvent,
}

impl Engine {
    /// Keeps an event, and returns once it is durable. Not to be dropped on the way: a turn would be lost with it.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        if self.0.stop.is_cancelled() {
            return Err(SubmitError::Stopping);
        }
        let result = self.accept(submission).await;
        match &result {
            Ok(_) => self.0.parts.metrics.accepted(),
            Err(SubmitError::QueueFull { .. } | SubmitError::Store(_)) => self.0.parts.metrics.refused(),
            Err(_) => {}
        }
        result
    }

    async fn accept(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let now = self.now();
        let Read { event, kept } = read(&submission, now)?;
        let Submission { organization, channels, .. } = submission;
        let count = channels.len();
        // A notice is always kept: it tells why the queue is full.
        match kept.origin {
            Origin::Notice => self.0.open.add(&organization.id, count),
            _ => {
                if let Err(most) = self.0.open.reserve(&organization.id, count) {
                    return self.earlier(kept).await?.ok_or(SubmitError::QueueFull { most });
                }
            }
        }
        let urgent = event.severity == Severity::Critical || kept.origin == Origin::Test;
        let packing = (kept.origin == Origin::Test).then_some(Packing::Alone);
        let planned = self.plan(&channels, Plan { urgent, packing, claims: true }, now);
        let accept = Accept {
            event: kept.clone(),
            deliveries: planned.iter().map(|planned| planned.delivery.clone()).collect(),
            targets: planned.iter().filter_map(|planned| planned.turn.as_ref()?.row.clone()).collect(),
        };
        let leased = || planned.iter().filter(|planned| planned.turn.is_some()).map(|planned| &planned.delivery.id);
        leased().for_each(|id| self.0.certainty.take(id));
        let result = self.store().accept(accept).await;
        if !matches!(result, Ok(Accepted::New { .. })) {
            leased().for_each(|id| self.0.certainty.release(id));
        }
        if result.is_err() {
            self.0.certainty.lose();
            self.0.scheduler.ring();
        }
        let NewEvent { id, key, .. } = kept;
        let (submitted, is_new) = match result {
            Ok(Accepted::New { .. }) => {
                let told = planned.iter().map(|planned| {
                    (planned.delivery.id.clone(), Arc::clone(&planned.channel), planned.delivery.status)
                });
                (Ok(Submitted { key, event_id: id, planned: Some(told.collect()) }), true)
            }
            Ok(Accepted::Same(event_id)) => (Ok(Submitted { key, event_id, planned: None }), false),
            Ok(Accepted::Conflict) => (Err(SubmitError::Conflict { key }), false),
            Err(error) => (Err(error.into()), false),
        };
        if is_new {
            for planned in planned.iter().filter(|planned| planned.delivery.status == Status::Held) {
                let (engine, channel) = (self.clone(), Arc::clone(&planned.channel));
                self.0.tasks.spawn(async move { engine.reconcile_where_changed(&channel).await });
            }
            let folded = planned.iter().filter(|planned| planned.delivery.status.is_end()).count();
            self.0.open.ended(&organization.id, folded);
            self.go(planned, event, kept.origin, now);
        } else {
            self.0.open.ended(&organization.id, count);
            for turn in planned.into_iter().filter_map(|planned| planned.turn) {
                self.0.scheduler.finish(turn, Finish::Unused(None), now);
            }
        }
        submitted
    }

    /// What was accepted under this key before: told as the first time, even where nothing new is accepted.
    async fn earlier(&self, event: NewEvent) -> Result<Option<Submitted>, SubmitError> {
        let NewEvent { organization_id, key, fingerprint, .. } = event;
        match views::accepted(self.store().readers(), &organization_id, &key).await? {
            None => Ok(None),
            Some((event_id, kept)) if kept == fingerprint => Ok(Some(Submitted { key, event_id, planned: None })),
            Some(_) => Err(SubmitError::Conflict { key }),
        }
    }

    /// A delivery for each channel: sent at once where its target is at rest, folded where another one tells it there.
    pub(super) fn plan(&self, channels: &[Arc<LiveChannel>], plan: Plan, now: Millis) -> Vec<Planned> {
        let Plan { urgent, packing, claims } = plan;
        let priority = i64::from(!urgent);
        // What can be sent comes first, so that nothing is folded into what is held.
        let mut order: Vec<&Arc<LiveChannel>> = channels.iter().collect();
        order.sort_by_key(|channel| (channel.held.is_some(), !urgent && channel.quiet.until(now).is_some()));
        let mut tellers: HashMap<&str, String> = HashMap::new();
        let mut planned = Vec::with_capacity(order.len());
        for channel in order {
            let id = Uuid::now_v7().to_string();
            let mut delivery = NewDelivery {
                id: id.clone(),
                seq: self.next_seq(),
                channel_id: channel.id.clone(),
                target: channel.target.clone(),
                status: Status::Queued,
                priority,
                due_at: now,
                quiet_until: None,
                packing,
                lease: None,
                held_reason: channel.held.map(HeldReason::name),
                folded_into: None,
            };
            let mut turn = None;
            if let Some(teller) = tellers.get(channel.target.as_str()) {
                delivery.status = Status::Folded;
                delivery.held_reason = None;
                delivery.folded_into = Some(teller.clone());
            } else if channel.held.is_some() {
                delivery.status = Status::Held;
            } else if let Some(until) = channel.quiet.until(now).filter(|_| !urgent) {
                delivery.status = Status::Waiting;
                (delivery.due_at, delivery.quiet_until) = (until, Some(until));
            } else if claims {
                turn = self.0.scheduler.claim(&Target::from(channel.target.as_str()), channel.terms, now);
            }
            if turn.is_some() {
                delivery.status = Status::Sending;
                delivery.lease = Some((self.0.owner.clone(), now.saturating_add(self.0.lease)));
            }
            tellers.entry(channel.target.as_str()).or_insert(id);
            planned.push(Planned { delivery, turn, channel: Arc::clone(channel) });
        }
        planned
    }

    /// After the commit: sends what is leased, and makes known what waits.
    fn go(&self, planned: Vec<Planned>, event: Event, origin: Origin, now: Millis) {
        let event = Arc::new(event);
        for Planned { delivery, turn, channel } in planned {
            match turn {
                Some(turn) => {
                    let leased = Leased::new(&delivery, &channel.organization.id, "", now);
                    self.start_attempt(Started { turn, leased, event: Arc::clone(&event), origin });
                }
                None if matches!(delivery.status, Status::Queued | Status::Waiting) => {
                    self.0.scheduler.more(&Target::from(delivery.target.as_str()), channel.terms, delivery.due_at);
                }
                None => {}
            }
        }
    }
}

/// How an event goes out.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// Waits for no quiet hours, and goes first.
    pub(super) urgent: bool,
    pub(super) packing: Option<Packing>,
    /// Whether it may be sent at once, before it was queued.
    pub(super) claims: bool,
}

/// A delivery that is about to be kept.
pub(super) struct Planned {
    pub(super) delivery: NewDelivery,
    turn: Option<Turn>,
    channel: Arc<LiveChannel>,
}

/// Reads and names the event.
fn read(submission: &Submission, now: Millis) -> Result<Read, SubmitError> {
    let Submission { organization, channels, event: body, key, origin } = submission;
    let mut event = event::read_kept(body, &organization.time_zone, &organization.locale, now)?;
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let own = json.get("id").and_then(Value::as_str);
    match (own, key) {
        (Some(id), Some(key)) if id != key => {
            return Err(SubmitError::TwoKeys { id: id.to_owned(), key: key.clone() });
        }
        (None, Some(key)) => event.id.clone_from(key),
        _ => {}
    }
    let kept = NewEvent {
        id: Uuid::now_v7().to_string(),
        organization_id: organization.id.clone(),
        key: event.id.clone(),
        fingerprint: fingerprint(&json, channels),
        origin: *origin,
        body: body.clone(),
        title: event.title.clone(),
        severity: severity(event.severity),
        accepted_at: now,
        alert: None,
    };
    Ok(Read { event, kept })
}

/// Whether two requests ask for the same: white space and the order of members do not count.
fn fingerprint(event: &Value, channels: &[Arc<LiveChannel>]) -> String {
    let mut ids: Vec<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
    ids.sort_unstable();
    hex::encode(Sha256::digest(format!("{}\n{event}", ids.join(","))))
}

/// As the database and the API have it.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}
