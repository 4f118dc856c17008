//! `/v1/tokens`: who may call. Admins see to those of their organization, operators to all.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{Id, Input, Params};
use super::page::{Page, PageQuery, Span};
use super::problem::Problem;
use crate::access::organization::{Maker, token_created};
use crate::access::{AnyCaller, Overseeing, Role, Token as Minted, misfit};
use crate::app::App;
use crate::audit::{self, Entry, OPERATOR, Object};
use crate::clock::rfc3339;
use crate::keys::KeyError;
use crate::store;
use crate::store::tokens::TokenRow;

/// The paths.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(revoke))
}

/// A token, without what makes it good.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    name: String,
    #[schema(value_type = Role)]
    role: String,
    /// Null for operators.
    organization: Option<String>,
    /// Whose it is; null where it is no person's.
    member: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            role: row.role,
            organization: row.organization_id,
            member: row.member_id,
            created_at: rfc3339(row.created_at),
            revoked_at: row.revoked_at.map(rfc3339),
        }
    }
}

/// A new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Addition {
    name: String,
    role: Role,
    /// The member whose it is: their removal revokes it.
    member: Option<String>,
    /// For operators only: the organization, where the role is one of an organization.
    organization: Option<String>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
struct Added {
    #[serde(flatten)]
    facts: Token,
    /// The token itself: shown once.
    token: String,
}

/// Which tokens.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// For operators: those of one organization.
    organization: Option<String>,
}

/// Tokens, revoked ones as well.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", params(Which, PageQuery),
    responses((status = OK, body = Page<Token>), (status = "default", body = Problem)))]
async fn list(
    State(app): State<App>,
    Overseeing(caller): Overseeing,
    Params(which): Params<Which>,
    span: Span,
) -> Result<Json<Page<Token>>, Problem> {
    let organization = one_of(&caller, which.organization)?;
    let after = span.after.clone().unwrap_or_default();
    let rows = store::tokens::list(app.store.readers(), organization.as_deref(), &after, span.rows()).await?;
    Ok(Json(span.page(rows, |row| row.id.clone(), Token::from)))
}

/// Makes a token. It is shown once.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = Addition,
    responses((status = CREATED, body = Added), (status = "default", body = Problem)))]
async fn add(
    State(app): State<App>,
    Overseeing(caller): Overseeing,
    Input(addition): Input<Addition>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let organization = one_of(&caller, addition.organization)?;
    let organization = fitting(addition.role, organization, caller.caller.role)?;
    let chain = organization.clone().unwrap_or_else(|| OPERATOR.to_owned());
    let key = app.keys.of(&chain).await.map_err(|error| match error {
        KeyError::Unknown(id) => {
            Problem::unprocessable("unknown-organization", format!("There is no organization {id:?}."))
                .with("field", "organization")
        }
        other => other.into(),
    })?;
    let minted = Minted::mint().map_err(|error| Problem::internal(&error))?;
    let row = TokenRow {
        id: minted.id().to_owned(),
        organization_id: organization,
        member_id: addition.member,
        role: addition.role.name().to_owned(),
        name: misfit::name("name", &addition.name)?,
        hash: minted.hash(),
        created_at: app.clock.now(),
        revoked_at: None,
    };
    let facts = Token::from(row.clone());
    let maker = Maker { actor: caller.caller.actor(), source: caller.caller.source, at: row.created_at };
    app.store
        .write(move |connection| {
            Box::pin(async move {
                if let Some(member) = &row.member_id {
                    let organization = row.organization_id.as_deref().unwrap_or_default();
                    if store::members::find(connection, organization, member).await?.is_none() {
                        let detail = "`member`: expected the id of a member of the organization; there is none such.";
                        return Err(Problem::unprocessable("unknown-member", detail).with("field", "member"));
                    }
                }
                store::tokens::insert(connection, &row).await?;
                audit::append(connection, &key, token_created(&chain, &maker, &row)).await?;
                Ok(())
            })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(Added { facts, token: minted.expose().to_owned() })))
}

/// Revokes a token: from now on it is good for nothing.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = NO_CONTENT), (status = "default", body = Problem)))]
async fn revoke(
    State(app): State<App>,
    Overseeing(AnyCaller { organization, caller }): Overseeing,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let row = store::tokens::find(app.store.readers(), &id).await?;
    let row = row.filter(|row| organization.is_none() || row.organization_id == organization);
    let row = row.ok_or_else(|| Problem::not_found("token", &id))?;
    let chain = row.organization_id.clone().unwrap_or_else(|| OPERATOR.to_owned());
    let key = app.keys.of(&chain).await?;
    let maker = Maker { actor: caller.actor(), source: caller.source, at: app.clock.now() };
    app.store
        .write(move |connection| {
            Box::pin(async move {
                let row = store::tokens::find(&mut *connection, &row.id).await?;
                let Some(row) = row.filter(|row| row.revoked_at.is_none()) else { return Ok(()) };
                if row.role == Role::Operator.name() && store::tokens::live_operators(connection).await? <= 1 {
                    let detail =
                        "This is the last operator's token: nobody could come in without it. Make another first.";
                    return Err(Problem::conflict("last-operator-token", detail));
                }
                store::tokens::revoke(connection, &row.id, maker.at).await?;
                audit::append(connection, &key, revoked(&chain, &maker, &row)).await?;
                Ok(())
            })
        })
        .await?;
    app.tokens.forget(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// The entry of a token that is revoked.
pub(super) fn revoked(chain: &str, maker: &Maker, row: &TokenRow) -> Entry {
    Entry {
        chain: chain.to_owned(),
        at: maker.at,
        actor: maker.actor.clone(),
        source: maker.source.clone(),
        action: "token.revoked",
        object: Object::new("token", &row.id, &row.name),
        before: Some(serde_json::json!({ "role": row.role, "member": row.member_id })),
        after: None,
    }
}

/// The organization that a caller speaks of: an admin's own, an operator's choice.
pub(super) fn one_of(caller: &AnyCaller, named: Option<String>) -> Result<Option<String>, Problem> {
    match (&caller.organization, named) {
        (Some(own), Some(named)) if *own != named => Err(Problem::not_found("organization", &named)),
        (Some(own), _) => Ok(Some(own.clone())),
        (None, named) => Ok(named),
    }
}

/// The organization of a token with that role.
fn fitting(role: Role, organization: Option<String>, by: Role) -> Result<Option<String>, Problem> {
    let detail = match (role, &organization) {
        (Role::Operator, _) if by != Role::Operator => return Err(Problem::forbidden(&[Role::Operator], by)),
        (Role::Operator, Some(_)) => "`organization`: operators belong to none; leave it out.",
        (Role::Publisher | Role::Member | Role::Admin, None) => {
            "`organization`: expected the id of the organization that the token is for; found none."
        }
        _ => return Ok(organization),
    };
    Err(Problem::unprocessable("bad-value", detail).with("field", "organization"))
}
