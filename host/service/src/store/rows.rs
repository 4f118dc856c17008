//! What stands in the tables of events, deliveries, attempts and targets.

use crate::clock::Millis;

/// Where a delivery is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Queued,
    Sending,
    Waiting,
    Delivered,
    Failed,
    Held,
    Folded,
    Cancelled,
}

impl Status {
    /// All, in the order of a delivery's life.
    pub(crate) const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Waiting,
        Self::Delivered,
        Self::Failed,
        Self::Held,
        Self::Folded,
        Self::Cancelled,
    ];

    /// As the table and the API have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Folded => "folded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether it goes no further by itself.
    pub(crate) fn is_end(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Folded | Self::Cancelled)
    }
}

/// Where an event is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Somebody told it over the API.
    Published,
    /// Somebody tries a channel out.
    Test,
    /// The service itself, to administrators.
    Notice,
    /// A check of an alert.
    Alert,
    /// The service itself: several events that waited for one target.
    Digest,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Test => "test",
            Self::Notice => "notice",
            Self::Alert => "alert",
            Self::Digest => "digest",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "notice" => Self::Notice,
            "alert" => Self::Alert,
            "digest" => Self::Digest,
            "test" => Self::Test,
            _ => Self::Published,
        }
    }
}

/// An event to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) origin: Origin,
    pub(crate) body: String,
    pub(crate) title: String,
    pub(crate) severity: &'static str,
    pub(crate) accepted_at: Millis,
    /// Whose event it is, where it is an alert's.
    pub(crate) alert: Option<AlertPart>,
}

/// What an event is to its alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlertPart {
    pub(crate) alert_id: String,
    pub(crate) incident_id: String,
    /// Else a trigger.
    pub(crate) is_resolution: bool,
}

/// How a delivery may go out; by the age of its target's queue where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// With others where there are any, even where it is critical: it waited too long.
    InDigest,
    /// Never with others.
    Alone,
    /// It is a digest.
    Digest,
}

impl Packing {
    /// As the table has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InDigest => "in-digest",
            Self::Alone => "alone",
            Self::Digest => "digest",
        }
    }
}

/// A delivery to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) channel_id: String,
    pub(crate) target: String,
    pub(crate) status: Status,
    /// 0 for what is critical, else 1.
    pub(crate) priority: i64,
    pub(crate) due_at: Millis,
    /// Where it waits for the end of quiet hours: when they end.
    pub(crate) quiet_until: Option<Millis>,
    pub(crate) packing: Option<Packing>,
    /// Where it is sent at once: by whom, until when.
    pub(crate) lease: Option<(String, Millis)>,
    pub(crate) held_reason: Option<&'static str>,
    pub(crate) folded_into: Option<String>,
}

/// Pace and circuit breaker of a target.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct TargetRow {
    pub(crate) target: String,
    pub(crate) turn_at: Millis,
    pub(crate) not_before: Millis,
    pub(crate) failures: i64,
    pub(crate) word: Option<String>,
    pub(crate) word_count: i64,
}

/// A delivery that was leased, and all that an attempt needs of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Leased {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) event_id: String,
    pub(crate) channel_id: String,
    pub(crate) target: String,
    /// 0 for what is critical, else 1.
    pub(crate) priority: i64,
    pub(crate) lease_number: i64,
    pub(crate) attempts: i64,
    pub(crate) unknown_outcomes: i64,
    pub(crate) possible_repeat: i64,
    pub(crate) retry_since: Millis,
    pub(crate) alert_id: Option<String>,
    pub(crate) incident_id: Option<String>,
    /// What the attempt before left for the next: the runtime's own text.
    pub(crate) progress: Option<String>,
    /// The receipt of the message that opened the incident in this channel: JSON.
    #[sqlx(skip)]
    pub(crate) opened_by: Option<String>,
}

impl Leased {
    /// A delivery that is kept leased, as the database would give it back: of no alert, which always queue first.
    pub(crate) fn new(delivery: &NewDelivery, organization_id: &str, event_id: &str, at: Millis) -> Self {
        Self {
            id: delivery.id.clone(),
            organization_id: organization_id.to_owned(),
            event_id: event_id.to_owned(),
            channel_id: delivery.channel_id.clone(),
            target: delivery.target.clone(),
            priority: delivery.priority,
            lease_number: 1,
            attempts: 0,
            unknown_outcomes: 0,
            possible_repeat: 0,
            retry_since: at,
            alert_id: None,
            incident_id: None,
            progress: None,
            opened_by: None,
        }
    }
}

/// An event as it was kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct KeptEvent {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) event_key: String,
    pub(crate) origin: String,
    pub(crate) body: String,
    pub(crate) accepted_at: Millis,
    pub(crate) alert_id: Option<String>,
    pub(crate) incident_id: Option<String>,
}

/// An attempt to keep.
#[derive(Clone, Debug)]
pub(crate) struct NewAttempt {
    pub(crate) started_at: Millis,
    pub(crate) took_ms: i64,
    pub(crate) outcome: &'static str,
    pub(crate) failure: Option<String>,
    pub(crate) log: Option<String>,
}

/// What became of a lease.
#[derive(Clone, Debug)]
pub(crate) struct Settle {
    pub(crate) delivery_id: String,
    pub(crate) owner: String,
    pub(crate) lease_number: i64,
    pub(crate) status: Status,
    pub(crate) due_at: Millis,
    pub(crate) attempts: i64,
    pub(crate) unknown_outcomes: i64,
    pub(crate) possible_repeat: i64,
    pub(crate) cause: Option<String>,
    pub(crate) cause_code: Option<String>,
    pub(crate) receipt: Option<String>,
    pub(crate) held_reason: Option<&'static str>,
    pub(crate) held_at: Option<Millis>,
    pub(crate) ended_at: Option<Millis>,
    /// Where it waits for the end of quiet hours.
    pub(crate) quiet_until: Option<Millis>,
    /// What the next attempt has to know.
    pub(crate) progress: Option<String>,
    /// None where the channel was held before anything was tried.
    pub(crate) attempt: Option<NewAttempt>,
    /// Where pace or circuit breaker changed.
    pub(crate) target: Option<TargetRow>,
}
