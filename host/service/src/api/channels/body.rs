//! Channels as the API takes and tells them: secrets go in and never out.

use pqh_runtime::{FieldProblem, PreviewedMail, PreviewedRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::problem::Problem;
use crate::clock::rfc3339;
use crate::connections::keep;
use crate::directory::LiveChannel;
use crate::failure::FailureBody;
use crate::quiet::QuietHours;
use crate::store::channels::Paused;
use crate::store::connections::FoundTarget;

/// A channel to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannelBody {
    /// What people call it: unique in the organization, in whatever case.
    pub(super) alias: String,
    /// One of `/v1/channel-types`.
    #[serde(rename = "type")]
    pub(super) channel_type: String,
    /// Where the type's service is connected: which of `/v1/connections`, by its id, its workspace's id or name. Where there
    /// is one alone of the type, it may be left out.
    #[serde(default)]
    pub(super) connection: Option<String>,
    /// A member for each field that is filled in, secrets among them.
    // Read as any JSON: the words for a wrong one would repeat it, and it may be a secret.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) settings: Option<Value>,
    /// When what is not critical waits.
    #[serde(default)]
    pub(super) quiet_hours: Vec<QuietHours>,
}

/// What to change of a channel. What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    /// Another alias.
    #[serde(default)]
    pub(super) alias: Option<String>,
    /// The fields to change; null removes one.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) settings: Option<Value>,
    /// When what is not critical waits, in place of all intervals before; `[]` for never.
    #[serde(default)]
    pub(super) quiet_hours: Option<Vec<QuietHours>>,
}

/// Why a channel is to be paused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// One line, for people.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What to preview: an event, on a channel or on a type with settings.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewBody {
    /// A channel's alias or id.
    #[serde(default)]
    pub(super) channel: Option<String>,
    /// A channel type, in place of a channel.
    #[serde(default, rename = "type")]
    pub(super) channel_type: Option<String>,
    /// Settings for the type; secrets may be missing.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) settings: Option<Value>,
    /// An event, as `POST /v1/events` takes it.
    #[schema(value_type = Object)]
    pub(super) event: Box<RawValue>,
}

/// Settings have to be an object; what they are instead is not repeated.
pub(super) fn object(settings: Option<Value>) -> Result<Map<String, Value>, Problem> {
    match settings {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(settings)) => Ok(settings),
        Some(_) => {
            let detail = "`settings`: expected an object with a member for each field, such as {\"url\": \"https://…\"}; \
                          found something else.";
            Err(Problem::unprocessable("bad-body", detail).with("path", "settings"))
        }
    }
}

/// A channel.
#[derive(Serialize, ToSchema)]
pub(super) struct ChannelBody {
    id: String,
    alias: String,
    #[serde(rename = "type")]
    channel_type: String,
    /// Where its type's service is connected: in which workspace it posts.
    connection: Option<ConnectionBody>,
    /// Where the type has targets: what the one is called that it posts to, as far as that is known.
    target: Option<FoundTarget>,
    /// Each field that is filled in. Of a secret only `{"set": true}`, and of a secret URL its origin.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// When what is not critical waits.
    quiet_hours: Vec<QuietHours>,
    /// `active` or `paused`
    status: &'static str,
    paused: Option<PausedBody>,
    /// Why nothing is sent: `channel-paused`, `plan` or `grant`.
    held_reason: Option<&'static str>,
    /// Where it is held for the grant: what keeps its type from taking these settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblemBody>,
    /// Counts its edits: the entity tag.
    version: i64,
    created_at: String,
    updated_at: String,
}

/// The connection of a channel.
#[derive(Serialize, ToSchema)]
struct ConnectionBody {
    id: String,
    /// What the workspace is called.
    name: String,
    /// `connected`, `lost` or `disconnected`
    status: &'static str,
}

/// Why a channel is paused.
#[derive(Serialize, ToSchema)]
struct PausedBody {
    at: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    why: Paused,
}

/// What is wrong with a setting.
#[derive(Serialize, ToSchema)]
struct FieldProblemBody {
    /// Its key; empty where no single one is to blame.
    field: String,
    message: String,
}

impl ChannelBody {
    /// A channel, and what its target is called.
    pub(super) fn new(live: &LiveChannel, target: Option<FoundTarget>) -> Self {
        let mut settings = live.settings.clone();
        for (key, origin) in &live.secrets {
            let shown = match origin {
                Some(origin) => json!({ "set": true, "origin": origin }),
                None => json!({ "set": true }),
            };
            settings.insert(key.clone(), shown);
        }
        let paused =
            live.paused.clone().map(|why| PausedBody { at: rfc3339(live.paused_at.unwrap_or(live.updated_at)), why });
        let problem = |problem: &FieldProblem| FieldProblemBody {
            field: problem.field.clone(),
            message: problem.message.clone(),
        };
        Self {
            id: live.id.clone(),
            alias: live.alias.clone(),
            channel_type: live.channel_type.clone(),
            connection: live.connection.as_ref().map(|connection| ConnectionBody {
                id: connection.row.id.clone(),
                name: connection.row.name.clone(),
                status: keep::status(&connection.row),
            }),
            target,
            settings,
            quiet_hours: live.quiet_hours.clone(),
            status: if paused.is_some() { "paused" } else { "active" },
            paused,
            held_reason: live.held.map(crate::directory::HeldReason::name),
            problems: live.problems.iter().map(problem).collect(),
            version: live.version,
            created_at: rfc3339(live.created_at),
            updated_at: rfc3339(live.updated_at),
        }
    }
}

/// What a check found.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckBody {
    /// `passed` or `failed`
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureBody>,
}

/// What would be sent.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewedBody {
    /// Each with method, url (null where a credential is in it), destination, headers, body, credentials and verdict.
    #[schema(value_type = Vec<Object>)]
    pub(super) requests: Vec<PreviewedRequest>,
    /// Each with from, to, subject, text, html, conversation and verdict.
    #[schema(value_type = Vec<Object>)]
    pub(super) mails: Vec<PreviewedMail>,
    /// Where nothing would be sent: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureBody>,
}
