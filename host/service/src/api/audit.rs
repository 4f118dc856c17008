//! `/v1/audit`: every change, the newest first.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::Params;
use super::page::{PageQuery, Span};
use super::problem::Problem;
use super::tokens::one_of;
use crate::access::Overseeing;
use crate::app::App;
use crate::audit::{Actor, OPERATOR, Object};
use crate::clock::rfc3339;
use crate::store;
use crate::store::audit::AuditRow;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A change.
#[derive(Serialize, ToSchema)]
struct Change {
    /// Counts the chain's entries from 1.
    number: i64,
    #[schema(format = DateTime)]
    at: String,
    actor: Actor,
    /// The address that it came from; `local` for the service itself and for commands on its machine.
    source: String,
    action: String,
    object: Object,
    /// What it was; secrets as "changed".
    before: Option<Value>,
    /// What it is; secrets as "changed".
    after: Option<Value>,
    /// Covers the entry and the hash before it.
    hash: String,
}

/// A part of the audit log.
#[derive(Serialize, ToSchema)]
struct Changes {
    items: Vec<Change>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
    /// The newest entry's hash: kept elsewhere, it lets `pqh audit verify --head` find what was cut off later.
    head: Option<String>,
}

/// Which log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// For operators: an organization's log, instead of their own.
    organization: Option<String>,
}

/// The audit log: an admin's organization's, or the operators' own.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(Which, PageQuery),
    responses((status = OK, body = Changes), (status = "default", body = Problem)))]
async fn list(
    State(app): State<App>,
    Overseeing(caller): Overseeing,
    Params(which): Params<Which>,
    span: Span,
) -> Result<Json<Changes>, Problem> {
    let chain = match one_of(&caller, which.organization)? {
        Some(id) if store::organizations::find(app.store.readers(), &id).await?.is_none() => {
            return Err(Problem::not_found("organization", &id));
        }
        Some(id) => id,
        None => OPERATOR.to_owned(),
    };
    let before = span.after_number()?.unwrap_or(i64::MAX);
    let head = store::audit::head(app.store.readers(), &chain).await?;
    let rows = store::audit::preceding(app.store.readers(), &chain, before, span.rows()).await?;
    let page = span.page(rows, |row| row.number.to_string(), change);
    let items = page.items.into_iter().collect::<Result<_, _>>()?;
    Ok(Json(Changes { items, next_cursor: page.next_cursor, head: head.map(|head| head.hash) }))
}

fn change(row: AuditRow) -> Result<Change, Problem> {
    let value = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
    let change = (|| {
        Ok::<_, serde_json::Error>(Change {
            number: row.number,
            at: rfc3339(row.at),
            actor: serde_json::from_str(&row.actor)?,
            source: row.source,
            action: row.action,
            object: serde_json::from_str(&row.object)?,
            before: value(row.before)?,
            after: value(row.after)?,
            hash: row.hash,
        })
    })();
    change.map_err(|error| Problem::internal(&format!("row {} of the audit log is no JSON: {error}", row.number)))
}
