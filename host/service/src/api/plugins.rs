//! `/v1/plugins`: the components that the service found, and what the operator lets them do.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pqh_runtime::contract::channel::Destination;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::Id;
use super::optional::Optional;
use super::page::Page;
use super::problem::Problem;
use crate::access::Operating;
use crate::app::App;
use crate::catalog::{Entry, Origin};
use crate::clock::rfc3339;
use crate::granting::{self, GrantingError};
use crate::plugins::Plugins;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(grant)).routes(routes!(revoke))
}

/// A component, or a file that does not load.
#[derive(Serialize, ToSchema)]
struct PluginBody {
    /// The channel type; null for a file that does not load.
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    /// What a grant is for.
    sha256: Option<String>,
    /// In bytes.
    size: Option<usize>,
    /// `built-in` or `file`
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Where it wants to send: hosts, and the origins of settings.
    destinations: Vec<String>,
    /// What it may do; null for nothing.
    granted: Option<GrantedBody>,
    /// Why the file does not load.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a component may do.
#[derive(Serialize, ToSchema)]
struct GrantedBody {
    /// Null for all that it describes.
    hosts: Option<Vec<String>>,
    /// Who granted it; null for what is built in.
    by: Option<String>,
    at: Option<String>,
}

/// What to grant.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantBody {
    /// The file that is meant; without it, the one that is loaded.
    #[serde(default)]
    sha256: Option<String>,
    /// These hosts; without them, all that the component describes.
    #[serde(default)]
    hosts: Option<Vec<String>>,
}

/// All components, and the files that do not load.
#[utoipa::path(get, path = "/v1/plugins", tag = "operator", responses((status = OK, body = Page<PluginBody>)))]
async fn list(State(app): State<App>, Operating(_by): Operating) -> Json<Page<PluginBody>> {
    let loaded = app.plugins.all().map(|entry| PluginBody::loaded(&app.plugins, entry));
    let broken = app.plugins.broken().iter().map(|(path, reason)| PluginBody {
        id: None,
        name: None,
        version: None,
        sha256: None,
        size: None,
        origin: "file",
        file: Some(path.display().to_string()),
        destinations: Vec::new(),
        granted: None,
        error: Some(reason.clone()),
    });
    // They are few: always one page.
    Json(Page { items: loaded.chain(broken).collect(), next_cursor: None })
}

/// Lets a component do what it describes, or reach these hosts alone. Held channels of it go on.
#[utoipa::path(post, path = "/v1/plugins/{id}/grant", tag = "operator", request_body = Option<GrantBody>,
    params(("id" = String, description = "channel type")), responses(
    (status = OK, body = PluginBody), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`built-in`, `other-file`"),
    (status = UNPROCESSABLE_ENTITY, body = Problem, description = "`bad-host`"),
))]
async fn grant(
    State(app): State<App>,
    Operating(caller): Operating,
    Id(id): Id,
    Optional(body): Optional<GrantBody>,
) -> Result<Json<PluginBody>, Problem> {
    let entry = granting::grant(&app, &caller, &id, body.sha256.as_deref(), body.hosts).await?;
    Ok(Json(PluginBody::loaded(&app.plugins, &entry)))
}

/// Takes back what was granted. Channels of the component are held.
#[utoipa::path(post, path = "/v1/plugins/{id}/revoke", tag = "operator",
    params(("id" = String, description = "channel type")), responses(
    (status = OK, body = PluginBody), (status = NOT_FOUND, body = Problem),
    (status = CONFLICT, body = Problem, description = "`built-in`"),
))]
async fn revoke(State(app): State<App>, Operating(caller): Operating, Id(id): Id) -> Result<Json<PluginBody>, Problem> {
    let entry = granting::revoke(&app, &caller, &id).await?;
    Ok(Json(PluginBody::loaded(&app.plugins, &entry)))
}

impl PluginBody {
    fn loaded(plugins: &Plugins, entry: &Entry) -> Self {
        let (plugin, descriptor) = (&entry.plugin, entry.plugin.descriptor());
        let destination = |destination: &Destination| match destination {
            Destination::Host(host) => host.clone(),
            Destination::Field(key) => format!("origin of {key}"),
            Destination::Recipients(key) => format!("mail to {key}"),
            Destination::Other((name, _)) => name.clone(),
        };
        let (origin, file) = match &entry.origin {
            Origin::BuiltIn => ("built-in", None),
            Origin::File(path) => ("file", Some(path.display().to_string())),
        };
        let granted = match plugins.granted(&descriptor.id) {
            Some(grant) => {
                let (by, at) = (Some(grant.granted_by), Some(rfc3339(grant.granted_at)));
                Some(GrantedBody { hosts: grant.hosts, by, at })
            }
            None => entry.is_built_in().then_some(GrantedBody { hosts: None, by: None, at: None }),
        };
        Self {
            id: Some(descriptor.id.clone()),
            name: Some(descriptor.name.clone()),
            version: plugin.metadata().version.clone(),
            sha256: Some(plugin.sha256().to_string()),
            size: Some(plugin.size()),
            origin,
            file,
            destinations: descriptor.destinations.iter().map(destination).collect(),
            granted,
            error: None,
        }
    }
}

impl From<GrantingError> for Problem {
    fn from(error: GrantingError) -> Self {
        let words = error.to_string();
        match error {
            GrantingError::NotFound(id) => Self::not_found("component", &id),
            GrantingError::BuiltIn(_) => Self::new(StatusCode::CONFLICT, "built-in", words),
            GrantingError::OtherFile { found, .. } => {
                Self::conflict("other-file", words).with("field", "sha256").with("sha256", found)
            }
            GrantingError::BadHost(_) => Self::unprocessable("bad-host", words).with("field", "hosts"),
            GrantingError::Store(error) => error.into(),
            GrantingError::Key(error) => error.into(),
        }
    }
}
