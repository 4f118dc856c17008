//! `/v1/members`: the people of an organization.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::input::{Id, Input};
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use super::tokens::revoked;
use crate::access::organization::Maker;
use crate::access::{Administering, OrgCaller, Reading, misfit};
use crate::app::App;
use crate::audit::{self, Entry, Object};
use crate::clock::rfc3339;
use crate::store::members::MemberRow;
use crate::store::{self, StoreError};

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove))
}

/// A person of an organization.
#[derive(Serialize, ToSchema)]
struct Member {
    id: String,
    name: String,
    email: String,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { id: row.id, name: row.name, email: row.email, created_at: rfc3339(row.created_at) }
    }
}

/// A new member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Addition {
    name: String,
    /// Unique in the organization, in whatever case.
    email: String,
}

/// The organization's members.
#[utoipa::path(get, path = "/v1/members", tag = "members", params(PageQuery),
    responses((status = OK, body = Page<Member>), (status = "default", body = Problem)))]
async fn list(State(app): State<App>, Reading(caller): Reading, span: Span) -> Result<Json<Page<Member>>, Problem> {
    let after = span.after.clone().unwrap_or_default();
    let rows = store::members::list(app.store.readers(), &caller.organization, &after, span.rows()).await?;
    Ok(Json(span.page(rows, |row| row.id.clone(), Member::from)))
}

/// Adds a member.
#[utoipa::path(post, path = "/v1/members", tag = "members", request_body = Addition,
    responses((status = CREATED, body = Member), (status = "default", body = Problem)))]
async fn add(
    State(app): State<App>,
    Administering(OrgCaller { organization, caller }): Administering,
    Input(addition): Input<Addition>,
) -> Result<(StatusCode, Json<Member>), Problem> {
    let key = app.keys.of(&organization).await?;
    let row = MemberRow {
        id: Uuid::now_v7().to_string(),
        organization_id: organization,
        name: misfit::name("name", &addition.name)?,
        email: misfit::email("email", &addition.email)?,
        created_at: app.clock.now(),
    };
    let member = Member::from(row.clone());
    let maker = Maker { actor: caller.actor(), source: caller.source, at: row.created_at };
    app.store
        .write(move |connection| {
            Box::pin(async move {
                store::members::insert(connection, &row).await.map_err(|error| match error {
                    StoreError::Duplicate { .. } => {
                        let detail = "`email`: the organization has a member with this address already.";
                        Problem::conflict("email-taken", detail).with("field", "email")
                    }
                    other => other.into(),
                })?;
                audit::append(connection, &key, entry("member.added", &maker, &row)).await?;
                Ok::<_, Problem>(())
            })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(member)))
}

/// Removes a member, and revokes their tokens.
#[utoipa::path(delete, path = "/v1/members/{id}", tag = "members", params(("id" = String, Path)),
    responses((status = NO_CONTENT), (status = "default", body = Problem)))]
async fn remove(
    State(app): State<App>,
    Administering(OrgCaller { organization, caller }): Administering,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let key = app.keys.of(&organization).await?;
    let maker = Maker { actor: caller.actor(), source: caller.source, at: app.clock.now() };
    let tokens = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                let row = store::members::find(connection, &organization, &id).await?;
                let row = row.ok_or_else(|| Problem::not_found("member", &id))?;
                let tokens = store::tokens::of_member(connection, &id).await?;
                for token in &tokens {
                    store::tokens::revoke(connection, &token.id, maker.at).await?;
                    audit::append(connection, &key, revoked(&organization, &maker, token)).await?;
                }
                store::members::delete(connection, &id).await?;
                audit::append(connection, &key, entry("member.removed", &maker, &row)).await?;
                Ok::<_, Problem>(tokens)
            })
        })
        .await?;
    for token in tokens {
        app.tokens.forget(&token.id);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn entry(action: &'static str, maker: &Maker, row: &MemberRow) -> Entry {
    let facts = Some(json!({ "name": row.name, "email": row.email }));
    let (before, after) = if action == "member.added" { (None, facts) } else { (facts, None) };
    Entry {
        chain: row.organization_id.clone(),
        at: maker.at,
        actor: maker.actor.clone(),
        source: maker.source.clone(),
        action,
        object: Object::new("member", &row.id, &row.name),
        before,
        after,
    }
}
