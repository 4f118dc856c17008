//! What the service answers, as far as people are shown it; `--json` prints the answers as they are.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::quiet::QuietHours;

/// Why something did not work, with what to do.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) remedy: String,
    pub(crate) field: Option<String>,
    pub(crate) retry_after_ms: Option<u64>,
}

/// The channel that a delivery goes to.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    id: String,
    /// None where the channel was deleted meanwhile.
    alias: Option<String>,
    #[serde(rename = "type")]
    channel_type: Option<String>,
}

impl Place {
    /// What people call it, as far as it still has a name.
    pub(crate) fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.id)
    }

    /// What it is made of.
    pub(crate) fn channel_type(&self) -> &str {
        self.channel_type.as_deref().unwrap_or("deleted")
    }
}

/// An event that was just accepted.
#[derive(Debug, Deserialize)]
pub(crate) struct Posted {
    pub(crate) id: String,
    pub(crate) deliveries: Vec<PostedDelivery>,
}

/// One of its deliveries.
#[derive(Debug, Deserialize)]
pub(crate) struct PostedDelivery {
    pub(crate) id: String,
    pub(crate) channel: Place,
    pub(crate) status: String,
}

/// An event and what became of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) origin: String,
    #[serde(rename = "event")]
    pub(crate) content: Value,
    pub(crate) accepted_at: String,
    pub(crate) deliveries: Vec<Delivery>,
}

/// One event on its way to one channel.
#[derive(Debug, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) channel: Place,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) possible_repeat: bool,
    pub(crate) attempt_count: u64,
    pub(crate) accepted_at: String,
    /// The alert that it is about.
    pub(crate) alert: Option<String>,
    /// Where it waits for the end of quiet hours.
    pub(crate) quiet_until: Option<String>,
    pub(crate) due_at: Option<String>,
    pub(crate) ended_at: Option<String>,
    pub(crate) cause: Option<Failure>,
    pub(crate) held: Option<Held>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) folded_into: Option<String>,
    #[serde(default)]
    pub(crate) attempts: Vec<Attempt>,
}

impl Delivery {
    /// Whether nothing more will become of it.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "delivered" | "failed" | "folded" | "cancelled")
    }

    /// Whether people were told, by this delivery or by the one that it was folded into.
    pub(crate) fn was_told(&self) -> bool {
        matches!(self.status.as_str(), "delivered" | "folded")
    }

    /// Whether it waits for somebody to mend something.
    pub(crate) fn is_held(&self) -> bool {
        self.status == "held"
    }
}

/// Why a delivery waits for somebody.
#[derive(Debug, Deserialize)]
pub(crate) struct Held {
    pub(crate) reason: String,
    pub(crate) since: Option<String>,
}

/// What the service behind the channel said of a delivered message.
#[derive(Debug, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) reference: Option<String>,
    pub(crate) permalink: Option<String>,
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// One try to deliver.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) number: u64,
    pub(crate) started_at: String,
    pub(crate) took_ms: Option<u64>,
    pub(crate) outcome: Option<String>,
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) log: Vec<LogLine>,
}

/// What the component said meanwhile.
#[derive(Debug, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) level: String,
    pub(crate) message: String,
}

/// What a check found.
#[derive(Debug, Deserialize)]
pub(crate) struct Checked {
    pub(crate) outcome: String,
    pub(crate) failure: Option<Failure>,
}

/// A configured destination.
#[derive(Debug, Deserialize)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) alias: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The workspace that it posts in, where its type has any.
    pub(crate) connection: Option<ChannelConnection>,
    /// Where in there, as far as that is known.
    pub(crate) target: Option<Target>,
    #[serde(default)]
    pub(crate) settings: Map<String, Value>,
    #[serde(default)]
    pub(crate) quiet_hours: Vec<QuietHours>,
    pub(crate) status: String,
    pub(crate) paused: Option<Paused>,
    pub(crate) held_reason: Option<String>,
    pub(crate) version: u64,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// The connection of a channel.
#[derive(Debug, Deserialize)]
pub(crate) struct ChannelConnection {
    pub(crate) name: String,
    pub(crate) status: String,
}

/// Where in a workspace a message can go.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) reachable: bool,
}

/// A link for a person.
#[derive(Debug, Deserialize)]
pub(crate) struct Authorization {
    pub(crate) url: String,
    pub(crate) expires_at: String,
}

/// A connected workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Connection {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) workspace: Workspace,
    pub(crate) status: String,
    pub(crate) problem: Option<Failure>,
    pub(crate) lost_at: Option<String>,
    pub(crate) default_target: Option<Target>,
    #[serde(default)]
    pub(crate) channels: Vec<String>,
    pub(crate) connected_by: String,
    pub(crate) connected_at: String,
}

/// A workspace as its service names it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// How far the search for targets is, beside those that were found.
#[derive(Debug, Deserialize)]
pub(crate) struct Listing {
    pub(crate) next_cursor: Option<String>,
    pub(crate) loading: bool,
    pub(crate) count: u64,
    pub(crate) problem: Option<Failure>,
}

/// Since when, by whom and why a channel is paused.
#[derive(Debug, Deserialize)]
pub(crate) struct Paused {
    pub(crate) at: String,
    pub(crate) by: String,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) remedy: Option<String>,
}

/// What watches values, and tells channels.
#[derive(Debug, Deserialize)]
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) last_run: Option<String>,
    pub(crate) last_trigger: Option<String>,
    pub(crate) triggered_at: Option<String>,
    /// Null; until when; or true where nobody said until when.
    #[serde(default)]
    pub(crate) muted: Value,
    pub(crate) cooldown_seconds: u64,
    pub(crate) rules: Vec<Rule>,
    pub(crate) severity: String,
    pub(crate) report: Option<Report>,
    #[serde(default)]
    pub(crate) mentions: Vec<String>,
    #[serde(default)]
    pub(crate) labels: Map<String, Value>,
    pub(crate) frequency: Option<String>,
    pub(crate) channels: Vec<Place>,
    pub(crate) version: u64,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) last_check: Option<AlertCheck>,
    /// Why people are told or not; in a list, nothing.
    #[serde(default)]
    pub(crate) why: Vec<Finding>,
}

/// A condition on one value.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    pub(crate) metric: String,
    pub(crate) comparison: String,
    pub(crate) threshold: String,
}

/// What an alert watches.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) url: Option<String>,
}

/// A check of an alert as it was judged.
#[derive(Debug, Deserialize)]
pub(crate) struct AlertCheck {
    pub(crate) number: u64,
    pub(crate) at: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) verdicts: Vec<Verdict>,
    /// The event that tells people.
    pub(crate) event: Option<String>,
    pub(crate) silence: Option<Silence>,
}

/// What a check found of a rule.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    #[serde(flatten)]
    pub(crate) rule: Rule,
    pub(crate) current: String,
    pub(crate) broken: bool,
}

/// Why nobody is told, or not yet.
#[derive(Debug, Deserialize)]
pub(crate) struct Silence {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Something to know of an alert, and what to do about it.
#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) remedy: String,
}

/// A check that was just kept.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckPosted {
    pub(crate) alert: String,
    #[serde(flatten)]
    pub(crate) check: AlertCheck,
    #[serde(default)]
    pub(crate) deliveries: Vec<CheckDelivery>,
}

/// A delivery that a check led to.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckDelivery {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) status: String,
}

/// What a channel can be made of.
#[derive(Debug, Deserialize)]
pub(crate) struct ChannelType {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) summary: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) granted: bool,
    /// Where people connect its service.
    pub(crate) connects: Option<Connects>,
}

/// How a type's service is connected.
#[derive(Debug, Deserialize)]
pub(crate) struct Connects {
    pub(crate) configured: bool,
}

/// A setting of a channel type.
#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) help: String,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) options: Option<Vec<Choice>>,
}

/// One of the values that a field may have.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// A customer.
#[derive(Debug, Deserialize)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) plan: String,
    pub(crate) time_zone: String,
    pub(crate) locale: String,
    #[serde(default)]
    pub(crate) notice_channels: Vec<String>,
    pub(crate) created_at: String,
}

/// Who may do what, without the secret.
#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) organization: Option<String>,
    pub(crate) member: Option<String>,
    pub(crate) created_at: String,
    pub(crate) revoked_at: Option<String>,
}

/// A person of an organization.
#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) created_at: String,
}

/// A component that the service has.
#[derive(Debug, Deserialize)]
pub(crate) struct Plugin {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) sha256: String,
    pub(crate) origin: String,
    pub(crate) file: Option<String>,
    #[serde(default)]
    pub(crate) destinations: Vec<String>,
    pub(crate) granted: Option<Granted>,
    pub(crate) error: Option<String>,
}

/// What an operator lets it do.
#[derive(Debug, Deserialize)]
pub(crate) struct Granted {
    pub(crate) hosts: Option<Vec<String>>,
}

/// One line of the audit log.
#[derive(Debug, Deserialize)]
pub(crate) struct AuditEntry {
    pub(crate) number: u64,
    pub(crate) at: String,
    pub(crate) actor: Actor,
    pub(crate) source: Option<String>,
    pub(crate) action: String,
    pub(crate) object: Object,
    #[serde(default)]
    pub(crate) before: Value,
    #[serde(default)]
    pub(crate) after: Value,
}

/// Who did it.
#[derive(Debug, Deserialize)]
pub(crate) struct Actor {
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
}

/// To what.
#[derive(Debug, Deserialize)]
pub(crate) struct Object {
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}
