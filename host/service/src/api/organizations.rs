//! `/v1/organizations`: what operators do with organizations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Id, Input};
use super::organization::{Change, Organization, Plan, change};
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use crate::access::organization::{CreateError, Maker, NewOrganization, create};
use crate::access::{Operating, Token};
use crate::app::App;
use crate::store;
use crate::store::organizations::OrganizationRow;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(show, update))
}

/// A new organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Addition {
    name: String,
    /// `paid` where left out.
    plan: Option<Plan>,
    /// Where local times are told: a name of the IANA database; `UTC` where left out.
    time_zone: Option<String>,
    /// The language tag of its people; `en-US` where left out.
    locale: Option<String>,
}

/// An organization that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Added {
    #[serde(flatten)]
    organization: Organization,
    /// The first admin's token: shown once.
    admin_token: String,
}

impl Added {
    /// With the token that is shown once.
    pub(crate) fn new(row: OrganizationRow, token: &Token) -> Self {
        Self { organization: row.into(), admin_token: token.expose().to_owned() }
    }
}

/// What operators change of an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    name: Option<String>,
    plan: Option<Plan>,
}

/// All organizations.
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", params(PageQuery),
    responses((status = OK, body = Page<Organization>), (status = "default", body = Problem)))]
async fn list(State(app): State<App>, _: Operating, span: Span) -> Result<Json<Page<Organization>>, Problem> {
    let after = span.after.clone().unwrap_or_default();
    let rows = store::organizations::list(app.store.readers(), &after, span.rows()).await?;
    Ok(Json(span.page(rows, |row| row.id.clone(), Organization::from)))
}

/// Makes an organization, with a first admin's token.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations", request_body = Addition,
    responses((status = CREATED, body = Added), (status = "default", body = Problem)))]
async fn add(
    State(app): State<App>,
    Operating(caller): Operating,
    Input(addition): Input<Addition>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let maker = Maker { actor: caller.actor(), source: caller.source, at: app.clock.now() };
    let new = NewOrganization {
        name: addition.name,
        plan: addition.plan.unwrap_or(Plan::Paid).name(),
        time_zone: addition.time_zone,
        locale: addition.locale,
    };
    let operator_key = app.keys.operator().await?;
    let (row, token) = create(&app.store, &app.vault, operator_key, maker, new).await?;
    Ok((StatusCode::CREATED, Json(Added::new(row, &token))))
}

/// One organization.
#[utoipa::path(get, path = "/v1/organizations/{id}", tag = "organizations", params(("id" = String, Path)),
    responses((status = OK, body = Organization), (status = "default", body = Problem)))]
async fn show(State(app): State<App>, _: Operating, Id(id): Id) -> Result<Json<Organization>, Problem> {
    let row = store::organizations::find(app.store.readers(), &id).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Problem::not_found("organization", &id))
}

/// Changes an organization's name or plan. Without a paid plan nothing is sent: what waits is held until it changes.
#[utoipa::path(patch, path = "/v1/organizations/{id}", tag = "organizations", params(("id" = String, Path)),
    request_body = Update, responses((status = OK, body = Organization), (status = "default", body = Problem)))]
async fn update(
    State(app): State<App>,
    Operating(caller): Operating,
    Id(id): Id,
    Input(Update { name, plan }): Input<Update>,
) -> Result<Json<Organization>, Problem> {
    change(&app, &caller, id, Change { name, plan, ..Change::default() }).await.map(Json)
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Misfit(misfit) => misfit.into(),
            CreateError::Store(error) => error.into(),
            CreateError::Chance(_) | CreateError::KeyExchanged | CreateError::Vault(_) => Self::internal(&error),
        }
    }
}
