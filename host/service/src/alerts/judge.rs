//! What a check means for its alert: pure functions of what is known, so that every rule can be tested by itself.

use uuid::Uuid;

use crate::clock::Millis;
use crate::store::alerts::AlertRow;

/// No rule was broken at the last check.
pub(crate) const PENDING: &str = "pending";
/// A rule was broken at the last check.
pub(crate) const TRIGGERED: &str = "triggered";

/// Why nobody is told, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// No rule is broken, as before.
    RulesNotMet,
    /// People were told already, and the cooldown runs.
    Cooldown,
    /// Somebody muted the alert.
    Muted,
    /// A later check counts already.
    Late,
    /// The alert names no channel.
    NoChannels,
    /// It is over, and nobody heard that it began.
    NeverTold,
    /// Every channel has its quiet hours: told when they end.
    QuietHours,
    /// Every channel is paused: told when that ends.
    ChannelPaused,
    /// The plan has no channels: told when it has.
    Plan,
    /// The channels' types may not send: told when they may.
    Grant,
}

impl Silence {
    const ALL: [Self; 10] = [
        Self::RulesNotMet,
        Self::Cooldown,
        Self::Muted,
        Self::Late,
        Self::NoChannels,
        Self::NeverTold,
        Self::QuietHours,
        Self::ChannelPaused,
        Self::Plan,
        Self::Grant,
    ];

    /// As the table and the API have it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::RulesNotMet => "rules-not-met",
            Self::Cooldown => "cooldown",
            Self::Muted => "muted",
            Self::Late => "late",
            Self::NoChannels => "no-channels",
            Self::NeverTold => "never-told",
            Self::QuietHours => "quiet-hours",
            Self::ChannelPaused => "channel-paused",
            Self::Plan => "plan",
            Self::Grant => "grant",
        }
    }

    /// What it means, to people.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::RulesNotMet => "No rule was broken.",
            Self::Cooldown => "People were told already, and the cooldown had not passed.",
            Self::Muted => "The alert was muted.",
            Self::Late => "A later check had been judged before this one came: it was recorded and ignored.",
            Self::NoChannels => "The alert has no channel to tell.",
            Self::NeverTold => "The alert went back to normal, and no channel had been told that it was triggered.",
            Self::QuietHours => "All its channels had quiet hours: they are told when those end.",
            Self::ChannelPaused => "All its channels were paused: they are told once they go on.",
            Self::Plan => "The organization's plan has no notification channels: they are told once it has.",
            Self::Grant => "The channels' types are not allowed to send: they are told once an operator allows it.",
        }
    }

    /// That of this code.
    pub(crate) fn coded(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|silence| silence.code() == code)
    }
}

/// What follows from a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Silent(Silence),
    /// The alert's channels are told that it is triggered, or still is.
    Trigger {
        incident: String,
    },
    /// The channels that were told hear that it is over.
    Resolve {
        incident: String,
        triggered_at: Option<Millis>,
        told: Vec<String>,
    },
}

/// What is known of a check.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// When it was made: cooldown runs on that.
    pub(crate) at: Millis,
    pub(crate) now: Millis,
    /// Whether any rule is broken.
    pub(crate) broken: bool,
    /// The channels that the alert tells.
    pub(crate) channels: &'a [String],
}

/// Judges a check that is not late: the alert after it, and what follows.
pub(crate) fn judge(alert: &AlertRow, facts: &Facts<'_>) -> (AlertRow, Decision) {
    let mut next = alert.clone();
    next.checks += 1;
    next.last_run = Some(facts.at);
    let decision = if facts.broken { hold(&mut next, facts) } else { clear(&mut next) };
    (next, decision)
}

/// The condition holds.
fn hold(next: &mut AlertRow, facts: &Facts<'_>) -> Decision {
    let open = next.incident_id.clone().filter(|_| next.state == TRIGGERED);
    let incident = open.unwrap_or_else(|| begin(next, facts.at));
    if next.muted_until.is_some_and(|until| until > facts.now) {
        return Decision::Silent(Silence::Muted);
    }
    if facts.channels.is_empty() {
        return Decision::Silent(Silence::NoChannels);
    }
    if next.notified_at.is_some_and(|told| facts.at.saturating_sub(told) < next.cooldown_ms) {
        return Decision::Silent(Silence::Cooldown);
    }
    let mut told = next.told();
    told.extend(facts.channels.iter().filter(|id| !told.contains(id)).cloned().collect::<Vec<_>>());
    next.told = serde_json::to_string(&told).unwrap_or_default();
    (next.notified_at, next.last_trigger) = (Some(facts.at), Some(facts.at));
    Decision::Trigger { incident }
}

/// A new incident.
fn begin(next: &mut AlertRow, at: Millis) -> String {
    let incident = Uuid::now_v7().to_string();
    TRIGGERED.clone_into(&mut next.state);
    next.incident_id = Some(incident.clone());
    (next.triggered_at, next.notified_at) = (Some(at), None);
    "[]".clone_into(&mut next.told);
    incident
}

/// No rule is broken.
fn clear(next: &mut AlertRow) -> Decision {
    let was_triggered = next.state == TRIGGERED;
    PENDING.clone_into(&mut next.state);
    let told = next.told();
    let triggered_at = next.triggered_at.take();
    next.notified_at = None;
    "[]".clone_into(&mut next.told);
    let Some(incident) = next.incident_id.take().filter(|_| was_triggered) else {
        return Decision::Silent(Silence::RulesNotMet);
    };
    if told.is_empty() {
        return Decision::Silent(Silence::NeverTold);
    }
    Decision::Resolve { incident, triggered_at, told }
}

/// A check that came too late: it is counted, and nothing else.
pub(crate) fn late(alert: &AlertRow) -> AlertRow {
    AlertRow { checks: alert.checks + 1, ..alert.clone() }
}
