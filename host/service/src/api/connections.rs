//! `/v1/connections`: the workspaces that an organization connected, and where in them messages can go.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Force, Id, Params};
use super::page::{Page, Span};
use super::problem::Problem;
use crate::access::{Administering, Reading};
use crate::app::App;
use crate::clock::rfc3339;
use crate::connections::error::ConnectionError;
use crate::connections::{end, flow, keep, named, targets};
use crate::failure::FailureBody;
use crate::store::connections::{self, ConnectionRow, FoundTarget};

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(authorize))
        .routes(routes!(list))
        .routes(routes!(show, disconnect))
        .routes(routes!(targets))
}

/// Where to send a person.
#[derive(Serialize, ToSchema)]
struct Authorization {
    /// To be opened in the browser of the person who connects. It works once.
    url: String,
    /// Until then the person has to be back.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A connected workspace.
#[derive(Serialize, ToSchema)]
struct ConnectionBody {
    id: String,
    #[serde(rename = "type")]
    channel_type: String,
    workspace: WorkspaceBody,
    /// `connected`; `lost`, where it has to be connected again; `disconnected` by people, and kept for its channels.
    status: &'static str,
    /// Why it is lost, and what to do.
    problem: Option<FailureBody>,
    lost_at: Option<String>,
    /// What was chosen while connecting: to be offered first.
    default_target: Option<FoundTarget>,
    /// The aliases of the channels that use it.
    channels: Vec<String>,
    /// Who connected it last: the token's name.
    connected_by: String,
    connected_at: String,
    updated_at: String,
}

/// A workspace.
#[derive(Serialize, ToSchema)]
struct WorkspaceBody {
    /// The service's own id.
    id: String,
    name: String,
}

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TargetQuery {
    /// A part of the name, in any case; or an id.
    #[serde(default)]
    query: String,
    /// Items of a page, at most: 1 to 200.
    #[allow(dead_code, reason = "read by the page's own extractor")]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[allow(dead_code, reason = "read by the page's own extractor")]
    cursor: Option<String>,
}

/// Where messages can go, as far as that is known.
#[derive(Serialize, ToSchema)]
struct Targets {
    /// By name.
    items: Vec<FoundTarget>,
    next_cursor: Option<String>,
    /// Whether the service is still asked for more.
    loading: bool,
    /// How many targets are known by now.
    count: i64,
    /// When they were last listed to the end.
    listed_at: Option<String>,
    /// Why the listing rests, or ended early.
    problem: Option<FailureBody>,
}

impl ConnectionBody {
    fn new(row: ConnectionRow, channels: Vec<(String, String)>) -> Self {
        let status = keep::status(&row);
        Self {
            id: row.id,
            channel_type: row.channel_type,
            workspace: WorkspaceBody { id: row.workspace_id, name: row.name },
            status,
            problem: row.lost,
            lost_at: row.lost_at.map(rfc3339),
            default_target: row.default_target,
            channels: channels.into_iter().map(|(_, alias)| alias).collect(),
            connected_by: row.connected_by,
            connected_at: rfc3339(row.connected_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// Begins to connect a workspace: a link of this service, which sends a person to the channel type's service.
#[utoipa::path(post, path = "/v1/connections/{type}/authorize", tag = "connections",
    params(("type" = String, description = "channel type")), responses(
    (status = CREATED, body = Authorization),
    (status = FORBIDDEN, body = Problem, description = "`channel-access-restricted`: no paid plan"),
    (status = CONFLICT, body = Problem, description = "`not-configured`, `not-granted`, `nothing-to-connect`"),
    (status = NOT_FOUND, body = Problem),
))]
async fn authorize(
    State(app): State<App>,
    Administering(by): Administering,
    Id(channel_type): Id,
) -> Result<(StatusCode, Json<Authorization>), Problem> {
    let began = flow::begin(&app, &by, &channel_type).await?;
    let body = Authorization { url: began.url.into(), expires_at: rfc3339(began.expires_at) };
    Ok((StatusCode::CREATED, Json(body)))
}

/// The organization's connections, by creation.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", params(super::page::PageQuery),
    responses((status = OK, body = Page<ConnectionBody>)))]
async fn list(State(app): State<App>, Reading(by): Reading, span: Span) -> Result<Json<Page<ConnectionBody>>, Problem> {
    let after = span.after.clone().unwrap_or_default();
    let rows = connections::list(app.store.readers(), &by.organization, &after, span.rows()).await?;
    let mut bodies = Vec::with_capacity(rows.len());
    for row in rows {
        let channels = connections::channels(app.store.readers(), &row.id).await?;
        bodies.push(ConnectionBody::new(row, channels));
    }
    Ok(Json(span.page(bodies, |body| body.id.clone(), |body| body)))
}

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, description = "id, workspace id or workspace name")),
    responses((status = OK, body = ConnectionBody), (status = NOT_FOUND, body = Problem)))]
async fn show(State(app): State<App>, Reading(by): Reading, Id(id): Id) -> Result<Json<ConnectionBody>, Problem> {
    let live = named::find(&app, &by.organization, &id).await?;
    let channels = connections::channels(app.store.readers(), &live.row.id).await?;
    Ok(Json(ConnectionBody::new(live.row.clone(), channels)))
}

/// Disconnects a workspace. Its tokens are forgotten here, whatever its service says to their revocation.
#[utoipa::path(delete, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, description = "id, workspace id or workspace name"), Force), responses(
    (status = NO_CONTENT), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`connection-in-use`, with the channels that use it; `connected-again`"),
))]
async fn disconnect(
    State(app): State<App>,
    Administering(by): Administering,
    Id(id): Id,
    Params(Force { force }): Params<Force>,
) -> Result<StatusCode, Problem> {
    end::end(&app, &by, &id, force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where in the workspace messages can go: what is known by now. Looks for more by itself where that is old.
#[utoipa::path(get, path = "/v1/connections/{id}/targets", tag = "connections", params(("id" = String, description = "id, workspace id or workspace name"), TargetQuery),
    responses(
    (status = OK, body = Targets), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`not-connected`"),
))]
async fn targets(
    State(app): State<App>,
    Reading(by): Reading,
    Id(id): Id,
    Params(TargetQuery { query, .. }): Params<TargetQuery>,
    span: Span,
) -> Result<Json<Targets>, Problem> {
    let live = named::find(&app, &by.organization, &id).await?;
    let after = span.after_pair()?;
    let found = targets::search(&app, &live, &query, after.as_ref(), span.rows()).await?;
    let page = span.page_of_pairs(found.targets, |target| {
        (crate::store::connection_targets::name_key(&target.name), target.id.clone())
    });
    Ok(Json(Targets {
        items: page.items,
        next_cursor: page.next_cursor,
        loading: found.loading,
        count: found.count,
        listed_at: found.listed_at.map(rfc3339),
        problem: found.problem.as_ref().map(FailureBody::from),
    }))
}

impl From<ConnectionError> for Problem {
    fn from(error: ConnectionError) -> Self {
        let words = error.to_string();
        match error {
            ConnectionError::NotFound(id) => Self::not_found("connection", &id),
            ConnectionError::Several { known, .. } => {
                let known: Vec<String> = known.into_iter().map(|(id, _)| id).collect();
                Self::conflict("several-connections", words).with("known", known)
            }
            ConnectionError::UnknownType { known, .. } => {
                Self::new(StatusCode::NOT_FOUND, "unknown-type", words).with("known", known)
            }
            ConnectionError::NothingToConnect(_) => Self::conflict("nothing-to-connect", words),
            ConnectionError::NotConfigured(_) => Self::conflict("not-configured", words),
            ConnectionError::NotGranted { .. } => Self::conflict("not-granted", words),
            ConnectionError::Restricted => Self::new(StatusCode::FORBIDDEN, "channel-access-restricted", words),
            ConnectionError::InUse(channels) => Self::conflict("connection-in-use", words).with("channels", channels),
            ConnectionError::ConnectedAgain(_) => Self::conflict("connected-again", words),
            ConnectionError::Lost(failure) => {
                Self::conflict("not-connected", words).with("failure", FailureBody::from(&failure))
            }
            ConnectionError::Disconnected { .. } => Self::conflict("not-connected", words),
            ConnectionError::Chance(error) => Self::internal(&error),
            ConnectionError::Store(error) => error.into(),
            ConnectionError::Key(error) => error.into(),
            ConnectionError::Vault(error) => error.into(),
        }
    }
}
