//! `/v1/channel-types`: what channels can be made, with what a form needs to know.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use pqh_runtime::contract::channel::{Descriptor, Field, FieldKind, PaceScope};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::Page;
use crate::access::Browsing;
use crate::app::App;
use crate::settings::kind_name;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A channel type.
#[derive(Serialize, ToSchema)]
struct TypeBody {
    id: String,
    name: String,
    /// What it does, in a sentence.
    summary: String,
    /// What an administrator fills in, in the order of the form.
    fields: Vec<FieldBody>,
    /// The keys of the fields that together name the target.
    target: Vec<String>,
    paces: Vec<PaceBody>,
    /// Whether several events may go out as one message.
    digests: bool,
    /// Whether the operator lets it send: without that no channel of it can be made.
    granted: bool,
    /// Where people have to connect its service before channels of it can be made: `POST /v1/connections/{type}/authorize`.
    connects: Option<ConnectsBody>,
}

/// How a type's service is connected.
#[derive(Serialize, ToSchema)]
struct ConnectsBody {
    /// What people are asked to allow there.
    scopes: Vec<String>,
    /// Whether the operator has set it up: without that nobody can connect it.
    configured: bool,
}

/// A field of a form.
#[derive(Serialize, ToSchema)]
struct FieldBody {
    /// Its key in the settings.
    key: String,
    label: String,
    help: String,
    required: bool,
    /// What it holds, such as `text`, `secret`, `secret-url`, `number`, `toggle` or `choice`.
    kind: &'static str,
    /// What a form starts with.
    default: Option<String>,
    /// Of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<OptionBody>>,
    /// For forms: `placeholder`, `group`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hints: BTreeMap<String, String>,
}

/// One of the values of a choice.
#[derive(Serialize, ToSchema)]
struct OptionBody {
    value: String,
    label: String,
}

/// The fastest that the other side takes messages.
#[derive(Serialize, ToSchema)]
struct PaceBody {
    /// `target` or `connection`
    scope: &'static str,
    /// So many in so many seconds, in the long run.
    messages: u32,
    seconds: u32,
    /// So many at once after a rest.
    burst: u32,
}

/// All channel types.
#[utoipa::path(get, path = "/v1/channel-types", tag = "channels", responses((status = OK, body = Page<TypeBody>)))]
async fn list(State(app): State<App>, Browsing(_by): Browsing) -> Json<Page<TypeBody>> {
    let items = app.plugins.all().map(|entry| {
        let id = entry.id();
        let connects = entry.plugin.oauth2().map(|service| ConnectsBody {
            scopes: service.scopes.clone(),
            configured: app.connections.application(id).is_some(),
        });
        TypeBody::new(entry.plugin.descriptor(), app.plugins.grant_of(id).is_some(), connects)
    });
    let items = items.collect();
    // They are few: always one page.
    Json(Page { items, next_cursor: None })
}

impl TypeBody {
    fn new(descriptor: &Descriptor, granted: bool, connects: Option<ConnectsBody>) -> Self {
        let Descriptor { id, name, summary, fields, target, paces, digests, .. } = descriptor;
        let pace = |pace: &pqh_runtime::contract::channel::Pace| PaceBody {
            scope: match pace.scope {
                PaceScope::Target => "target",
                PaceScope::Connection => "connection",
            },
            messages: pace.messages,
            seconds: pace.seconds,
            burst: pace.burst,
        };
        Self {
            id: id.clone(),
            name: name.clone(),
            summary: summary.clone(),
            fields: fields.iter().map(FieldBody::from).collect(),
            target: target.clone(),
            paces: paces.iter().map(pace).collect(),
            digests: *digests,
            granted,
            connects,
        }
    }
}

impl From<&Field> for FieldBody {
    fn from(field: &Field) -> Self {
        let options = match &field.kind {
            FieldKind::Choice(options) => Some(options.iter()),
            _ => None,
        };
        let option = |option: &pqh_runtime::contract::channel::ChoiceOption| OptionBody {
            value: option.value.clone(),
            label: option.label.clone(),
        };
        Self {
            key: field.key.clone(),
            label: field.label.clone(),
            help: field.help.clone(),
            required: field.required,
            kind: kind_name(&field.kind),
            default: field.default.clone(),
            options: options.map(|options| options.map(option).collect()),
            hints: field.hints.iter().cloned().collect(),
        }
    }
}
