//! A person's way to the service and back (RFC 6749, 4.1): a link of our own, the service's page, the code, a last question.
//!
//! The link works once. Who follows it gets a cookie, without which nothing that comes back counts; the `state` that goes
//! with them works once too. What the service gives is stored only after the person confirmed it, in the browser in which
//! they began.

use std::sync::{Arc, OnceLock};

use pqh_runtime::{Grant, OauthError, SecretString};
use secrecy::ExposeSecret as _;
use url::Url;
use uuid::Uuid;

use super::applications::Application;
use super::error::{ConnectionError, Obstacle};
use super::keep::{self, Kept};
use super::pending::{Held, Pending};
use super::{chance, fingerprint};
use crate::access::{OrgCaller, Role};
use crate::app::App;
use crate::catalog::Entry;
use crate::clock::Millis;
use crate::directory::Plan;
use crate::store::authorizations::{self, AuthorizationRow};
use crate::store::{connections, organizations, tokens};

/// How long a person has.
const PATIENCE: Millis = 10 * 60_000;

/// A link to begin with.
pub(crate) struct Began {
    pub(crate) url: Url,
    pub(crate) expires_at: Millis,
}

/// A link that nobody followed yet: what it is for.
pub(crate) struct Invitation {
    pub(crate) organization: String,
    /// What the type is called.
    pub(crate) service: String,
    pub(crate) person: String,
}

/// A person who followed the link.
pub(crate) struct Followed {
    /// The authorization's id: public, and part of the cookie's name.
    pub(crate) id: String,
    /// The service's page.
    pub(crate) location: Url,
    pub(crate) cookie: SecretString,
    /// Seconds that the cookie is good for: as long as an answer can be awaited.
    pub(crate) seconds: i64,
}

/// What a browser holds for an authorization, by its id.
pub(crate) type Cookies<'a> = &'a (dyn Fn(&str) -> Option<SecretString> + Sync);

/// What came back with them.
#[derive(Default)]
pub(crate) struct Returned {
    pub(crate) state: Option<SecretString>,
    pub(crate) code: Option<SecretString>,
    pub(crate) error: Option<String>,
}

/// What they are asked before anything is stored.
pub(crate) struct Question {
    pub(crate) organization: String,
    /// What the type is called.
    pub(crate) service: String,
    pub(crate) workspace: String,
    pub(crate) person: String,
    /// Whether the organization has it already.
    pub(crate) again: bool,
    /// To be handed back with the answer.
    pub(crate) decision: SecretString,
}

/// What they decided.
pub(crate) enum Decided {
    Connected { organization: String, service: String, kept: Box<Kept> },
    Declined { service: String, workspace: String },
}

/// Begins: for whoever is to be sent to the service.
pub(crate) async fn begin(app: &App, by: &OrgCaller, channel_type: &str) -> Result<Began, ConnectionError> {
    let organization = app.directory.organization(&by.organization).await?;
    let organization = organization.ok_or_else(|| ConnectionError::NotFound(by.organization.clone()))?;
    if organization.plan == Plan::Free {
        return Err(ConnectionError::Restricted);
    }
    let (entry, grant, application) = connectable(app, channel_type)?;
    // Whoever is sent away gets there: told now, and not to a person in front of a page.
    entry.plugin.authorize_url(&grant, &application.client, "", "").map_err(|error| denied(channel_type, &error))?;
    let public = app.config.public_url.as_ref();
    let mut url = public.ok_or_else(|| ConnectionError::NotConfigured(channel_type.to_owned()))?.clone();
    let (id, link, verifier) = (Uuid::now_v7().to_string(), chance()?, chance()?);
    url.set_path(&format!("/oauth/{channel_type}/start/{}", link.expose_secret()));
    let now = app.clock.now();
    let row = AuthorizationRow {
        verifier: organization.key.seal(&identity(&id), &verifier)?,
        id,
        organization_id: organization.id.clone(),
        channel_type: channel_type.to_owned(),
        token_id: by.caller.token.clone(),
        person: by.caller.name.clone(),
        link: fingerprint(link.expose_secret()),
        cookie: None,
        expires_at: now.saturating_add(PATIENCE),
        followed_at: None,
        returned_at: None,
    };
    let expires_at = row.expires_at;
    app.store
        .write(move |connection| {
            Box::pin(async move {
                // What people come back with too late is known for a day, so that they are told.
                authorizations::prune(connection, now.saturating_sub(24 * 3_600_000)).await?;
                authorizations::insert(connection, &row).await
            })
        })
        .await?;
    Ok(Began { url, expires_at })
}

/// Who looks at a link without following it, such as a chat that shows what it leads to: the link is as good as before.
pub(crate) async fn look(app: &App, channel_type: &str, link: &str) -> Result<Invitation, Obstacle> {
    let row = unfollowed(app, channel_type, link).await?;
    let (entry, _, _) = set_up(app, channel_type)?;
    Ok(Invitation {
        organization: organization_name(app, &row.organization_id).await?,
        service: entry.plugin.descriptor().name.clone(),
        person: row.person,
    })
}

/// A browser follows the link: where it is sent.
pub(crate) async fn follow(app: &App, channel_type: &str, link: &str) -> Result<Followed, Obstacle> {
    let row = unfollowed(app, channel_type, link).await?;
    let (entry, grant, application) = set_up(app, channel_type)?;
    let (state, cookie) = (chance()?, chance()?);
    let verifier = app.keys.of(&row.organization_id).await?.open(&identity(&row.id), &row.verifier)?;
    let (plugin, client) = (&entry.plugin, &application.client);
    let location = plugin.authorize_url(&grant, client, state.expose_secret(), verifier.expose_secret());
    let location = location.map_err(|error| not_set_up(&denied(channel_type, &error)))?;
    let (id, now) = (row.id.clone(), app.clock.now());
    let hashes = [fingerprint(state.expose_secret()), fingerprint(cookie.expose_secret())];
    let is_first = app
        .store
        .write(move |connection| {
            Box::pin(async move { authorizations::follow(connection, &id, &hashes[0], &hashes[1], now).await })
        })
        .await?;
    if !is_first {
        return Err(Obstacle::Replayed);
    }
    let seconds = row.expires_at.saturating_add(PATIENCE).saturating_sub(now) / 1_000;
    Ok(Followed { id: row.id, location, cookie, seconds })
}

/// What a link that was not followed yet began.
async fn unfollowed(app: &App, channel_type: &str, link: &str) -> Result<AuthorizationRow, Obstacle> {
    let row = authorizations::by_link(app.store.readers(), &fingerprint(link)).await?;
    let row = row.filter(|row| row.channel_type == channel_type).ok_or(Obstacle::Forged)?;
    match row.followed_at {
        Some(_) => Err(Obstacle::Replayed),
        None if row.expires_at <= app.clock.now() => Err(Obstacle::Expired),
        None => Ok(row),
    }
}

/// A browser comes back from the service: what the person is asked.
pub(crate) async fn come_back(
    app: &App,
    channel_type: &str,
    returned: Returned,
    cookies: Cookies<'_>,
) -> Result<Question, Obstacle> {
    let state = returned.state.ok_or(Obstacle::Forged)?;
    let row = authorizations::by_state(app.store.readers(), &fingerprint(state.expose_secret())).await?;
    let row = row.filter(|row| row.channel_type == channel_type).ok_or(Obstacle::Forged)?;
    demand_cookie(&row, cookies)?;
    let (now, id) = (app.clock.now(), row.id.clone());
    if row.returned_at.is_some() {
        return Err(Obstacle::Replayed);
    }
    if row.expires_at <= now {
        return Err(Obstacle::Expired);
    }
    let is_first = app
        .store
        .write(move |connection| Box::pin(async move { authorizations::come_back(connection, &id, now).await }))
        .await?;
    if !is_first {
        return Err(Obstacle::Replayed);
    }
    match (returned.code, returned.error.as_deref()) {
        (_, Some("access_denied")) => Err(Obstacle::Denied),
        (_, Some(word)) => {
            let word = word_of(word);
            tracing::warn!(%word, "a workspace of the type {channel_type} was not connected: its service ended it");
            Err(Obstacle::Service(word))
        }
        (None, None) => Err(Obstacle::Forged),
        (Some(code), None) => ask(app, row, &code).await,
    }
}

/// A word out of somebody else's address: what no word of an error has is left out.
fn word_of(text: &str) -> String {
    text.chars().filter(|held| held.is_ascii_alphanumeric() || matches!(held, '_' | '-' | '.')).take(80).collect()
}

/// Exchanges the code, and finds out what for.
async fn ask(app: &App, row: AuthorizationRow, code: &SecretString) -> Result<Question, Obstacle> {
    demand_admin(app, &row).await?;
    let channel_type = row.channel_type.clone();
    let (entry, grant, application) = set_up(app, &channel_type)?;
    let verifier = app.keys.of(&row.organization_id).await?.open(&identity(&row.id), &row.verifier)?;
    let (waiting, decision) = (&app.connections.0.waiting, chance()?);
    if waiting.is_full() {
        return Err(Obstacle::Busy);
    }
    let (plugin, client) = (&entry.plugin, &application.client);
    let tokens =
        plugin.exchange(&grant, client, code, verifier.expose_secret()).await.map_err(|error| match error {
            OauthError::NoAnswer(_) | OauthError::NotJson { .. } => {
                tracing::warn!("a workspace of the type {channel_type} was not connected: {error}");
                Obstacle::NoAnswer
            }
            OauthError::Denied(_) | OauthError::NotOffered => not_set_up(&denied(&channel_type, &error)),
        })?;
    let came_at = app.clock.now();
    let until = came_at.saturating_add(PATIENCE);
    let pending = Pending { authorization: row, tokens, came_at, found: OnceLock::new(), until };
    // From here on whatever goes wrong gives the tokens back.
    let held = waiting.hold(fingerprint(decision.expose_secret()), pending);
    let Pending { authorization: row, tokens, found, .. } = &*held.pending;
    let connection = plugin.connection(grant, Arc::new(keep::secrets_of(tokens)));
    let workspace = match connection.connected(tokens.answer.clone()).await {
        Ok(connected) => found.get_or_init(|| connected).workspace.clone(),
        Err(failure) => {
            let code = &failure.code;
            tracing::warn!(%code, "a workspace of the type {channel_type} was not connected: {}", failure.message);
            app.connections.decline(held).await;
            return Err(Obstacle::Refused(failure));
        }
    };
    let known = connections::of_workspace(app.store.readers(), &channel_type, &workspace.id).await?;
    if known.as_ref().is_some_and(|known| known.organization_id != row.organization_id) {
        app.connections.decline(held).await;
        return Err(Obstacle::OtherOrganization { workspace: workspace.name });
    }
    let question = Question {
        organization: organization_name(app, &row.organization_id).await?,
        service: plugin.descriptor().name.clone(),
        workspace: workspace.name,
        person: row.person.clone(),
        again: known.is_some(),
        decision,
    };
    held.ask();
    Ok(question)
}

/// A person answers, in the browser in which they began.
pub(crate) async fn decide(
    app: &App,
    channel_type: &str,
    decision: &str,
    cookies: Cookies<'_>,
    source: &str,
    connect: bool,
) -> Result<Decided, Obstacle> {
    let judge = |pending: &Pending| match &pending.authorization {
        asked if asked.channel_type != channel_type => Err(Obstacle::Forged),
        asked => demand_cookie(asked, cookies),
    };
    let held = app.connections.0.waiting.take(&fingerprint(decision), judge)?;
    end(app, held, source, connect).await
}

/// Ends it as the person said. While it is kept, it is held: who gives the same tokens back leaves them alone.
async fn end(app: &App, held: Held, source: &str, connect: bool) -> Result<Decided, Obstacle> {
    let pending = Arc::clone(&held.pending);
    let service = app.plugins.find(&pending.authorization.channel_type);
    let service = service.map(|entry| entry.plugin.descriptor().name.clone()).ok_or(Obstacle::NotSetUp)?;
    if pending.until <= app.clock.now() {
        app.connections.decline(held).await;
        return Err(Obstacle::Expired);
    }
    if !connect {
        let workspace = pending.found.get().map(|found| found.workspace.name.clone()).unwrap_or_default();
        app.connections.decline(held).await;
        return Ok(Decided::Declined { service, workspace });
    }
    let kept = async {
        demand_admin(app, &pending.authorization).await?;
        let organization = organization_name(app, &pending.authorization.organization_id).await?;
        Ok((organization, Box::new(keep::connect(app, &pending, source).await?)))
    };
    match kept.await {
        Ok((organization, kept)) => {
            held.done();
            Ok(Decided::Connected { organization, service, kept })
        }
        Err(obstacle) => {
            app.connections.decline(held).await;
            Err(obstacle)
        }
    }
}

/// Whoever began it has to be an admin still.
async fn demand_admin(app: &App, row: &AuthorizationRow) -> Result<(), Obstacle> {
    let token = tokens::find(app.store.readers(), &row.token_id).await?;
    let fits = token.is_some_and(|token| token.revoked_at.is_none() && token.role == Role::Admin.name());
    if fits { Ok(()) } else { Err(Obstacle::NotAllowed) }
}

async fn organization_name(app: &App, id: &str) -> Result<String, Obstacle> {
    let row = organizations::find(app.store.readers(), id).await?;
    row.map(|row| row.name).ok_or(Obstacle::NotAllowed)
}

/// Whoever comes has to come in the browser in which it began.
fn demand_cookie(row: &AuthorizationRow, cookies: Cookies<'_>) -> Result<(), Obstacle> {
    use subtle::ConstantTimeEq as _;
    let (Some(kept), Some(cookie)) = (&row.cookie, cookies(&row.id)) else { return Err(Obstacle::OtherBrowser) };
    let fits = kept.as_bytes().ct_eq(fingerprint(cookie.expose_secret()).as_bytes());
    if fits.into() { Ok(()) } else { Err(Obstacle::OtherBrowser) }
}

/// The component of a type that people connect, what it may do, and the application that is registered with its service.
pub(super) fn connectable<'a>(
    app: &'a App,
    channel_type: &str,
) -> Result<(Arc<Entry>, Grant, &'a Application), ConnectionError> {
    let Some(entry) = app.plugins.find(channel_type) else {
        let known = app.plugins.all().filter(|entry| entry.plugin.oauth2().is_some());
        let known = known.map(|entry| entry.id().to_owned()).collect();
        return Err(ConnectionError::UnknownType { found: channel_type.chars().take(100).collect(), known });
    };
    if entry.plugin.oauth2().is_none() {
        return Err(ConnectionError::NothingToConnect(channel_type.to_owned()));
    }
    let grant = app.plugins.grant_of(channel_type).ok_or_else(|| ConnectionError::NotGranted {
        channel_type: channel_type.to_owned(),
        reason: "it is granted nothing".to_owned(),
    })?;
    let application = app.connections.application(channel_type);
    let application = application.ok_or_else(|| ConnectionError::NotConfigured(channel_type.to_owned()))?;
    Ok((entry, grant, application))
}

/// The same for a person in front of a page, whom the operator has to help.
fn set_up<'a>(app: &'a App, channel_type: &str) -> Result<(Arc<Entry>, Grant, &'a Application), Obstacle> {
    connectable(app, channel_type).map_err(|error| not_set_up(&error))
}

fn not_set_up(error: &ConnectionError) -> Obstacle {
    tracing::warn!("a person could not connect: {error}");
    Obstacle::NotSetUp
}

fn denied(channel_type: &str, error: &OauthError) -> ConnectionError {
    ConnectionError::NotGranted { channel_type: channel_type.to_owned(), reason: error.to_string() }
}

/// What the verifier is bound to.
fn identity(id: &str) -> String {
    format!("authorization:{id}:verifier")
}
