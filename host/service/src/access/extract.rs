//! What a handler takes to say who may call it: axum extractors that answer 401 and 403 themselves.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::tokens::Facts;
use super::{AnyCaller, Caller, OrgCaller, Role, client_address, token};
use crate::api::problem::Problem;
use crate::app::App;

/// Tells events: publishers, members, admins.
pub(crate) struct Publishing(pub(crate) OrgCaller);
/// Reads what belongs to an organization: members, admins.
pub(crate) struct Reading(pub(crate) OrgCaller);
/// Says what alerts there are: members, admins.
pub(crate) struct Alerting(pub(crate) OrgCaller);
/// Runs an organization: admins.
pub(crate) struct Administering(pub(crate) OrgCaller);
/// Runs the service: operators.
pub(crate) struct Operating(pub(crate) Caller);
/// Reads what belongs to none: members, admins, operators.
pub(crate) struct Browsing(pub(crate) AnyCaller);
/// Runs an organization or the service: admins, operators.
pub(crate) struct Overseeing(pub(crate) AnyCaller);

impl FromRequestParts<App> for Publishing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        within(parts, app, &[Role::Publisher, Role::Member, Role::Admin]).await.map(Self)
    }
}

impl FromRequestParts<App> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        within(parts, app, &[Role::Member, Role::Admin]).await.map(Self)
    }
}

impl FromRequestParts<App> for Alerting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        within(parts, app, &[Role::Member, Role::Admin]).await.map(Self)
    }
}

impl FromRequestParts<App> for Administering {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        within(parts, app, &[Role::Admin]).await.map(Self)
    }
}

impl FromRequestParts<App> for Operating {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        any(parts, app, &[Role::Operator]).await.map(|any| Self(any.caller))
    }
}

impl FromRequestParts<App> for Browsing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        any(parts, app, &[Role::Member, Role::Admin, Role::Operator]).await.map(Self)
    }
}

impl FromRequestParts<App> for Overseeing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        any(parts, app, &[Role::Admin, Role::Operator]).await.map(Self)
    }
}

/// A caller within their organization.
async fn within(parts: &Parts, app: &App, roles: &'static [Role]) -> Result<OrgCaller, Problem> {
    let AnyCaller { organization, caller } = any(parts, app, roles).await?;
    let Some(organization) = organization else { return Err(Problem::forbidden(roles, caller.role)) };
    Ok(OrgCaller { organization, caller })
}

/// A caller with one of `roles`.
async fn any(parts: &Parts, app: &App, roles: &'static [Role]) -> Result<AnyCaller, Problem> {
    let client = client_address(parts, &app.config.trusted_proxies);
    let facts = authenticate(parts, app, client).await?;
    app.limits.request(&facts.id).map_err(|wait| {
        Problem::rate_limited(
            format!("This token may ask {} times a second.", app.config.limits.requests_per_second),
            wait,
        )
    })?;
    if !roles.contains(&facts.role) {
        return Err(Problem::forbidden(roles, facts.role));
    }
    let caller =
        Caller { token: facts.id.clone(), name: facts.name.clone(), role: facts.role, source: client.to_string() };
    Ok(AnyCaller { organization: facts.organization.clone(), caller })
}

/// The good token that the request bears.
async fn authenticate(parts: &Parts, app: &App, client: std::net::IpAddr) -> Result<Arc<Facts>, Problem> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(Problem::unauthenticated("found no Authorization header"));
    };
    let text = header.to_str().ok().and_then(|header| header.split_once(' '));
    let Some((_, text)) = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(Problem::unauthenticated("found an Authorization header of another form"));
    };
    let text = text.trim();
    let id = token::id_of(text);
    if let Some(facts) = id.as_deref().and_then(|id| app.tokens.known(id, text)) {
        return Ok(facts);
    }
    app.limits.lookup(client).map_err(|wait| {
        Problem::rate_limited("Too many tokens that nobody knows came from this address.".to_owned(), wait)
    })?;
    let Some(id) = id else {
        return Err(Problem::unauthenticated("found a token of another form"));
    };
    let facts = app.tokens.look_up(&app.store, &id, text).await?;
    facts.ok_or_else(|| Problem::unauthenticated("found a token that is unknown or revoked"))
}
