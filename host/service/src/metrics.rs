//! What `/metrics` tells. No label names an organization, a channel or a target.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// A channel type and what became of an attempt: "delivered" or "renewed", or a failure's kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    r#type: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Type {
    r#type: String,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct End {
    r#type: String,
    status: &'static str,
}

/// What became of a check: "told", or why nobody was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    outcome: String,
}

/// What became of a message that a service sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Taken {
    outcome: &'static str,
}

type Times = Family<Type, Histogram, fn() -> Histogram>;

/// All metrics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    accepted: Counter,
    refused: Counter,
    attempts: Family<Outcome, Counter>,
    ended: Family<End, Counter>,
    attempt_seconds: Times,
    sandbox_seconds: Times,
    undelivered: Gauge,
    in_flight: Gauge,
    oldest_due: Gauge<f64, AtomicU64>,
    paused: Gauge,
    lost_connections: Gauge,
    pauses: Counter,
    untold: Counter,
    lost_leases: Counter,
    renewals: Family<Outcome, Counter>,
    checks: Family<Judged, Counter>,
    inbound: Family<Taken, Counter>,
}

/// What is measured only when somebody looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) undelivered: i64,
    pub(crate) in_flight: usize,
    /// None where the database cannot be read.
    pub(crate) oldest_due: Option<Duration>,
    /// None where the database cannot be read.
    pub(crate) paused_channels: Option<i64>,
    /// None where the database cannot be read.
    pub(crate) lost_connections: Option<i64>,
}

fn attempt_times() -> Histogram {
    // 5 ms to 40 s: a call's deadline is 30 s.
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

fn sandbox_times() -> Histogram {
    // 25 µs to 0.2 s
    Histogram::new(exponential_buckets(0.000_025, 2.0, 14))
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("pqh");
        let mut inner = Inner {
            registry: Registry::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            attempts: Family::default(),
            ended: Family::default(),
            attempt_seconds: Family::new_with_constructor(attempt_times),
            sandbox_seconds: Family::new_with_constructor(sandbox_times),
            undelivered: Gauge::default(),
            in_flight: Gauge::default(),
            oldest_due: Gauge::default(),
            paused: Gauge::default(),
            lost_connections: Gauge::default(),
            pauses: Counter::default(),
            untold: Counter::default(),
            lost_leases: Counter::default(),
            renewals: Family::default(),
            checks: Family::default(),
            inbound: Family::default(),
        };
        registry.register("events_accepted", "Events accepted: stored before the 202", inner.accepted.clone());
        registry.register(
            "events_refused",
            "Events refused since the queue was full or the database away",
            inner.refused.clone(),
        );
        registry.register("attempts", "Attempts by channel type and outcome", inner.attempts.clone());
        registry.register("deliveries_ended", "Deliveries that ended, by channel type and status", inner.ended.clone());
        registry.register_with_unit(
            "attempt_duration",
            "One attempt, waiting for the service included",
            Unit::Seconds,
            inner.attempt_seconds.clone(),
        );
        registry.register_with_unit(
            "sandbox_time",
            "One attempt without waiting for the service",
            Unit::Seconds,
            inner.sandbox_seconds.clone(),
        );
        registry.register(
            "queue_depth",
            "Deliveries that have not ended: queued, waiting, sending or held",
            inner.undelivered.clone(),
        );
        registry.register("attempts_in_flight", "Attempts on their way now", inner.in_flight.clone());
        registry.register_with_unit(
            "oldest_due_delivery_age",
            "How long the longest overdue delivery is due",
            Unit::Seconds,
            inner.oldest_due.clone(),
        );
        registry.register("paused_channels", "Channels that are paused now", inner.paused.clone());
        let help = "Workspaces that have to be connected again";
        registry.register("lost_connections", help, inner.lost_connections.clone());
        registry.register("channel_pauses", "Channels that the service paused", inner.pauses.clone());
        registry.register(
            "notices_untold",
            "Notices to administrators that no channel could tell",
            inner.untold.clone(),
        );
        registry.register(
            "lost_leases",
            "Attempts whose outcome nobody knows since the program ended meanwhile",
            inner.lost_leases.clone(),
        );
        registry.register(
            "token_renewals",
            "Renewals of connections' tokens by channel type and outcome: \"renewed\", or a failure's kind",
            inner.renewals.clone(),
        );
        registry.register("checks", "Checks of alerts that were kept, by what became of them", inner.checks.clone());
        let help = "What connected services sent, by what became of it";
        registry.register("inbound_messages", help, inner.inbound.clone());
        inner.registry = registry;
        Self(Arc::new(inner))
    }

    pub(crate) fn accepted(&self) {
        self.0.accepted.inc();
    }

    pub(crate) fn refused(&self) {
        self.0.refused.inc();
    }

    /// An attempt at a channel of this type.
    pub(crate) fn attempt(&self, channel_type: &str, outcome: &'static str, took: Duration, waited: Duration) {
        let label = Type { r#type: channel_type.to_owned() };
        self.0.attempts.get_or_create(&Outcome { r#type: label.r#type.clone(), outcome }).inc();
        self.0.attempt_seconds.get_or_create(&label).observe(took.as_secs_f64());
        self.0.sandbox_seconds.get_or_create(&label).observe(took.saturating_sub(waited).as_secs_f64());
    }

    pub(crate) fn ended(&self, channel_type: &str, status: &'static str) {
        self.0.ended.get_or_create(&End { r#type: channel_type.to_owned(), status }).inc();
    }

    pub(crate) fn paused(&self) {
        self.0.pauses.inc();
    }

    pub(crate) fn untold(&self) {
        self.0.untold.inc();
    }

    /// A check that was kept; where nobody was told (yet), why.
    pub(crate) fn checked(&self, silence: Option<&str>) {
        let outcome = silence.unwrap_or("told").to_owned();
        self.0.checks.get_or_create(&Judged { outcome }).inc();
    }

    pub(crate) fn lost_leases(&self, count: u64) {
        self.0.lost_leases.inc_by(count);
    }

    /// A renewal of a connection's token was asked for: "renewed", or a failure's kind.
    pub(crate) fn renewal(&self, channel_type: &str, outcome: &'static str) {
        self.0.renewals.get_or_create(&Outcome { r#type: channel_type.to_owned(), outcome }).inc();
    }

    /// So many messages of connected services came to this.
    pub(crate) fn inbound(&self, outcome: &'static str, count: u64) {
        self.0.inbound.get_or_create(&Taken { outcome }).inc_by(count);
    }

    /// All of them as Prometheus reads them (`OpenMetrics` text).
    pub(crate) fn text(&self, now: Snapshot) -> String {
        let Snapshot { undelivered, in_flight, oldest_due, paused_channels, lost_connections } = now;
        self.0.undelivered.set(undelivered);
        self.0.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.0.oldest_due.set(oldest_due.map_or(f64::NAN, |age| age.as_secs_f64()));
        if let Some(paused) = paused_channels {
            self.0.paused.set(paused);
        }
        if let Some(lost) = lost_connections {
            self.0.lost_connections.set(lost);
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.0.registry) {
            tracing::error!("metrics cannot be told: {error}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_told_by_type_and_outcome_with_its_times() {
        let metrics = Metrics::new();
        metrics.attempt("chat", "throttled", Duration::from_millis(30), Duration::from_millis(29));
        metrics.lost_leases(3);
        metrics.checked(None);
        metrics.checked(Some("cooldown"));
        metrics.inbound("late", 7);
        let text = metrics.text(Snapshot { undelivered: 7, ..Snapshot::default() });
        for line in [
            "pqh_attempts_total{type=\"chat\",outcome=\"throttled\"} 1",
            "pqh_attempt_duration_seconds_count{type=\"chat\"} 1",
            "pqh_sandbox_time_seconds_bucket{le=\"0.0016\",type=\"chat\"} 1",
            "pqh_queue_depth 7",
            "pqh_lost_leases_total 3",
            "pqh_checks_total{outcome=\"cooldown\"} 1",
            "pqh_inbound_messages_total{outcome=\"late\"} 7",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
