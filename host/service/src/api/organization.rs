//! `/v1/organization`: the caller's own; and how an organization is changed, whoever does it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::Input;
use super::problem::Problem;
use crate::access::{Administering, Caller, Publishing, misfit, organization::told};
use crate::app::App;
use crate::audit::{self, Entry, Object};
use crate::clock::rfc3339;
use crate::store::organizations::OrganizationRow;
use crate::store::{self, Connection};

/// Channels that notices go to, at most.
const NOTICE_CHANNELS: usize = 10;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, update))
}

/// What an organization paid for: without a paid plan nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Plan {
    Free,
    Paid,
}

impl Plan {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
        }
    }
}

/// A customer: everything else belongs to one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Organization {
    id: String,
    name: String,
    #[schema(value_type = Plan)]
    plan: String,
    /// Where local times are told: a name of the IANA database.
    time_zone: String,
    /// The language tag of its people.
    locale: String,
    /// Ids of the channels that notices to administrators go to.
    notice_channels: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            plan: row.plan,
            time_zone: row.time_zone,
            locale: row.locale,
            notice_channels: serde_json::from_str(&row.notice_channels).unwrap_or_default(),
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// What admins change of their organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    name: Option<String>,
    /// Where local times are told: a name of the IANA database.
    time_zone: Option<String>,
    /// The language tag of its people.
    locale: Option<String>,
    /// Ids or aliases of the channels that notices to administrators go to; at most 10.
    notice_channels: Option<Vec<String>>,
}

/// The caller's organization.
#[utoipa::path(get, path = "/v1/organization", tag = "organizations",
    responses((status = OK, body = Organization), (status = "default", body = Problem)))]
async fn show(State(app): State<App>, Publishing(caller): Publishing) -> Result<Json<Organization>, Problem> {
    let row = store::organizations::find(app.store.readers(), &caller.organization).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Problem::not_found("organization", &caller.organization))
}

/// Changes the caller's organization.
#[utoipa::path(patch, path = "/v1/organization", tag = "organizations", request_body = Update,
    responses((status = OK, body = Organization), (status = "default", body = Problem)))]
async fn update(
    State(app): State<App>,
    Administering(caller): Administering,
    Input(Update { name, time_zone, locale, notice_channels }): Input<Update>,
) -> Result<Json<Organization>, Problem> {
    let change_asked = Change { name, plan: None, time_zone, locale, notice_channels };
    change(&app, &caller.caller, caller.organization, change_asked).await.map(Json)
}

/// What is to be changed; what is left out stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) name: Option<String>,
    pub(super) plan: Option<Plan>,
    pub(super) time_zone: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) notice_channels: Option<Vec<String>>,
}

/// Changes an organization.
pub(super) async fn change(app: &App, caller: &Caller, id: String, change: Change) -> Result<Organization, Problem> {
    let at = app.clock.now();
    let (actor, source) = (caller.actor(), caller.source.clone());
    let key = app.keys.of(&id).await.map_err(|error| match error {
        crate::keys::KeyError::Unknown(id) => Problem::not_found("organization", &id),
        other => other.into(),
    })?;
    let row = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                let before = store::organizations::find(&mut *connection, &id).await?;
                let before = before.ok_or_else(|| Problem::not_found("organization", &id))?;
                let mut after = changed(connection, &before, change).await?;
                if after == before {
                    return Ok(after);
                }
                after.updated_at = at;
                store::organizations::update(connection, &after).await?;
                let entry = Entry {
                    chain: id.clone(),
                    at,
                    actor,
                    source,
                    action: "organization.changed",
                    object: Object::new("organization", &id, &after.name),
                    before: Some(told(&before)),
                    after: Some(told(&after)),
                };
                audit::append(connection, &key, entry).await?;
                Ok::<_, Problem>(after)
            })
        })
        .await?;
    app.organization_changed(&row.id).await;
    Ok(row.into())
}

/// The row as it shall be.
async fn changed(
    connection: &mut Connection,
    before: &OrganizationRow,
    change: Change,
) -> Result<OrganizationRow, Problem> {
    let mut after = before.clone();
    if let Some(name) = change.name {
        after.name = misfit::name("name", &name)?;
    }
    if let Some(plan) = change.plan {
        plan.name().clone_into(&mut after.plan);
    }
    if let Some(time_zone) = change.time_zone {
        after.time_zone = misfit::time_zone("time_zone", &time_zone)?;
    }
    if let Some(locale) = change.locale {
        after.locale = misfit::locale("locale", &locale)?;
    }
    if let Some(words) = change.notice_channels {
        after.notice_channels = notice_channels(connection, &before.id, &words).await?;
    }
    Ok(after)
}

/// The ids of the channels that `words` name, as JSON.
async fn notice_channels(connection: &mut Connection, organization: &str, words: &[String]) -> Result<String, Problem> {
    if words.len() > NOTICE_CHANNELS {
        let detail = format!("`notice_channels`: expected at most {NOTICE_CHANNELS} channels; found {}.", words.len());
        return Err(Problem::unprocessable("bad-value", detail).with("field", "notice_channels"));
    }
    let mut ids: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let Some(id) = store::organizations::channel_id(connection, organization, word).await? else {
            let word: String = word.chars().take(100).collect();
            let detail =
                format!("`notice_channels`: expected ids or aliases of channels; there is no channel {word:?}.");
            return Err(Problem::unprocessable("unknown-channel", detail).with("field", "notice_channels"));
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    serde_json::to_string(&ids).map_err(|error| Problem::internal(&error))
}
