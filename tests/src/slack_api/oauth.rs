//! OAuth 2.0: the authorize page, its answer to the browser, and the exchange of codes and refresh tokens.

use serde_json::{Value, json};

use super::app::{App, Installation, random};
use super::call::{self, Arguments, Outcome, Refusal, Takes};
use super::form;
use super::limits::{Counted, Tier};
use super::pages;
use super::state::State;
use super::tokens::{LIFETIME, Pair};
use super::workspace::Channel;
use crate::http_service::{Answer, Request};

/// Milliseconds for which a code lives.
const CODE_LIFETIME: i64 = 600_000;
/// The parameters of the authorize page.
/// `response_type` is RFC 6749's (4.1.1), which demands it.
const PARAMETERS: &[&str] = &["client_id", "scope", "user_scope", "redirect_uri", "state", "team", "response_type"];

/// All that a bare answer holds.
const PAIR: &[&str] = &["access_token", "refresh_token", "expires_in"];

/// What a person chooses on the authorize page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) channel: Option<String>,
    pub(crate) is_org_wide: bool,
}

impl Approval {
    /// This person of this workspace approves.
    pub fn new(team: &str, user: &str) -> Self {
        Self { team: team.to_owned(), user: user.to_owned(), channel: None, is_org_wide: false }
    }

    /// The same with the channel that the scope `incoming-webhook` makes a person choose.
    #[must_use]
    pub fn to_channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
        self
    }

    /// The same for all workspaces of the Enterprise organization that the workspace belongs to.
    #[must_use]
    pub fn org_wide(mut self) -> Self {
        self.is_org_wide = true;
        self
    }
}

/// A code that a browser was sent back with.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    value: String,
    app_id: String,
    approval: Approval,
    scopes: Vec<String>,
    redirect_uri: String,
    issued_at: i64,
    is_used: bool,
}

/// What the authorize page was asked for.
struct Asked {
    app: App,
    scopes: Vec<String>,
    redirect_uri: String,
    state: Option<String>,
}

/// Judges what a browser asks of the authorize page: the word that the page shows instead.
fn asked(state: &State, query: &str) -> Result<Asked, &'static str> {
    let pairs = form::pairs(query).ok_or("invalid_arguments")?;
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != pairs.len() || names.iter().any(|name| !PARAMETERS.contains(name)) {
        return Err("invalid_arguments");
    }
    let get = |name: &str| pairs.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone());
    let client = get("client_id").unwrap_or_default();
    let app = state.apps.iter().find(|app| app.client_id == client).cloned().ok_or("invalid_client_id")?;
    let redirect_uri = get("redirect_uri").unwrap_or_default();
    // Slack also takes what is below the configured address, and none.
    if redirect_uri != app.redirect_url || !is_redirect(&redirect_uri) {
        return Err("bad_redirect_uri");
    }
    if get("user_scope").is_some_and(|scope| !scope.is_empty()) {
        return Err("invalid_scope");
    }
    let scopes: Vec<String> = get("scope").unwrap_or_default().split(',').map(str::to_owned).collect();
    if scopes.iter().any(|scope| !app.scopes.contains(scope)) {
        return Err("invalid_scope");
    }
    if get("team").is_some_and(|team| !may_install(state, &app, &team)) {
        return Err("invalid_team_for_non_distributed_app");
    }
    Ok(Asked { app, scopes, redirect_uri, state: get("state") })
}

fn may_install(state: &State, app: &App, team: &str) -> bool {
    state.team(team).is_some() && app.only_team.as_deref().is_none_or(|only| only == team)
}

/// HTTPS, or a browser's own machine; no fragment.
fn is_redirect(uri: &str) -> bool {
    let own = ["http://localhost:", "http://localhost/", "http://127.0.0.1:", "http://127.0.0.1/"];
    !uri.contains('#') && (uri.starts_with("https://") || own.iter().any(|own| uri.starts_with(own)))
}

/// The authorize page itself.
pub(crate) fn page(state: &State, query: &str) -> Answer {
    match asked(state, query) {
        Ok(asked) => pages::consent(&asked.app.name, &asked.scopes),
        Err(word) => pages::no_install(word),
    }
}

/// The query of an address of the authorize page.
fn query_of<'a>(state: &State, url: &'a str) -> Result<&'a str, &'static str> {
    let (address, query) = url.split_once('?').ok_or("invalid_client_id")?;
    let origin = address.strip_suffix("/oauth/v2/authorize").ok_or("not the authorize page")?;
    if origin == "https://slack.com" || origin == state.base_url { Ok(query) } else { Err("not the authorize page") }
}

/// A person approves: where the browser is sent back to.
pub(crate) fn approve(state: &mut State, url: &str, approval: &Approval) -> Result<String, &'static str> {
    let asked = asked(state, query_of(state, url)?)?;
    let team = state.team(&approval.team).ok_or("no such workspace")?;
    let person = team.user(&approval.user).filter(|user| !user.deleted && !user.is_bot);
    person.ok_or("no such person")?;
    if !may_install(state, &asked.app, &approval.team) {
        return Err("invalid_team_for_non_distributed_app");
    }
    if approval.is_org_wide && team.enterprise.is_none() {
        return Err("the workspace belongs to no Enterprise organization");
    }
    let scopes: Vec<String> = asked.scopes.iter().filter(|scope| !state.withheld.contains(*scope)).cloned().collect();
    let chooses = scopes.iter().any(|scope| scope == "incoming-webhook");
    if chooses && approval.is_org_wide {
        return Err("scope_not_allowed_on_enterprise");
    }
    let may_choose = |channel: &Channel| !channel.is_private() || channel.members.contains(&approval.user);
    let chosen = approval.channel.as_deref().map(|channel| team.channel(channel).is_some_and(may_choose));
    // Whoever leaves the scope away is asked for no channel.
    if chooses && chosen != Some(true) {
        return Err("no channel was chosen, or no such channel");
    }
    let approval = Approval { channel: approval.channel.clone().filter(|_| chooses), ..approval.clone() };
    let code = Code {
        value: format!("{}.{}", state.serial(), random(32)),
        app_id: asked.app.id.clone(),
        approval,
        scopes,
        redirect_uri: asked.redirect_uri.clone(),
        issued_at: state.now(),
        is_used: false,
    };
    let back = back(&asked, "code", &code.value);
    state.codes.push(code);
    Ok(back)
}

/// A person denies: where the browser is sent back to.
pub(crate) fn deny(state: &State, url: &str) -> Result<String, &'static str> {
    Ok(back(&asked(state, query_of(state, url)?)?, "error", "access_denied"))
}

fn back(asked: &Asked, name: &str, value: &str) -> String {
    let joint = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let own = asked.state.as_deref().map(|state| format!("&state={}", form::encoded(state)));
    format!("{}{joint}{name}={}{}", asked.redirect_uri, form::encoded(value), own.unwrap_or_default())
}

/// `oauth.v2.access`.
pub(crate) fn access(state: &mut State, request: &Request, now: i64) -> Outcome {
    let arguments = Arguments::read(request, Takes::Form)?;
    let app = client(state, request, &arguments)?;
    let counted = Counted { app: &app.id, place: "", method: "oauth.v2.access", channel: "" };
    state.limits.admit(Tier::Special, &counted, now).map_err(Refusal::rate_limited)?;
    if arguments.0.contains_key("code_verifier") {
        return Err("pkce_not_allowed".into());
    }
    match arguments.text("grant_type")? {
        None | Some("authorization_code") => {
            arguments.only(&["code", "redirect_uri", "grant_type"])?;
            let code = exchange(state, &app, &arguments, now)?;
            let place = place_of(state, &code.approval);
            let enterprise = state.team(&place).and_then(|team| team.enterprise.as_ref());
            let org_wide = enterprise.and_then(|(id, _)| state.installation(&app.id, id));
            if org_wide.is_some_and(|held| held.is_installed) {
                return Err("cannot_install_an_org_installed_app".into());
            }
            let installed = state.install(&app, &place, &code.scopes);
            let pair = state.issue(&app, &installed, now);
            Ok(told(state, &app, &installed, &pair, Some(&code.approval)))
        }
        Some("refresh_token") => {
            arguments.only(&["refresh_token", "grant_type"])?;
            let refresh = arguments.text("refresh_token")?.unwrap_or_default();
            let (installed, pair) = state.renew(&app, refresh, now)?;
            let mut told = told(state, &app, &installed, &pair, None);
            if state.bare_renewals
                && let Some(told) = told.as_object_mut()
            {
                told.retain(|name, _| PAIR.contains(&name.as_str()));
            }
            Ok(told)
        }
        Some(_) => Err("invalid_grant_type".into()),
    }
}

/// The app whose id and secret come by HTTP Basic. Slack takes them in the body too, and advises against it.
fn client(state: &State, request: &Request, arguments: &Arguments) -> Result<App, &'static str> {
    if arguments.0.contains_key("client_secret") || arguments.0.contains_key("client_id") {
        return Err("bad_client_secret");
    }
    let (id, secret) = call::basic(request).ok_or("invalid_client_id")?;
    let app = state.apps.iter().find(|app| app.client_id == id).ok_or("invalid_client_id")?;
    if app.client_secret == secret { Ok(app.clone()) } else { Err("bad_client_secret") }
}

fn exchange(state: &mut State, app: &App, arguments: &Arguments, now: i64) -> Result<Code, Refusal> {
    let value = arguments.text("code")?.unwrap_or_default();
    let code = state.codes.iter_mut().find(|code| code.value == value && code.app_id == app.id);
    let code = code.filter(|code| !code.is_used && now < code.issued_at + CODE_LIFETIME).ok_or("invalid_code")?;
    if arguments.text("redirect_uri")? != Some(code.redirect_uri.as_str()) {
        return Err("bad_redirect_uri".into());
    }
    code.is_used = true;
    if code.scopes.is_empty() { Err("no_scopes".into()) } else { Ok(code.clone()) }
}

fn place_of(state: &State, approval: &Approval) -> String {
    let enterprise = state.team(&approval.team).and_then(|team| team.enterprise.as_ref());
    enterprise.filter(|_| approval.is_org_wide).map_or_else(|| approval.team.clone(), |(id, _)| id.clone())
}

/// The answer with a token.
fn told(state: &mut State, app: &App, installed: &Installation, pair: &Pair, approval: Option<&Approval>) -> Value {
    let team = state.team(&installed.place);
    let named = |(id, name): &(String, String)| json!({ "id": id, "name": name });
    let holds = |held: &(String, String)| held.0 == installed.place;
    let enterprise = match team {
        Some(team) => team.enterprise.clone(),
        None => state.teams.iter().filter_map(|team| team.enterprise.clone()).find(holds),
    };
    let mut answer = json!({
        "app_id": app.id,
        "access_token": pair.access,
        "token_type": "bot",
        "scope": installed.scopes.join(","),
        "bot_user_id": installed.bot_user_id,
        "team": team.map(|team| json!({ "id": team.id, "name": team.name })),
        "enterprise": enterprise.as_ref().map(named),
        "is_enterprise_install": team.is_none(),
    });
    if let Some(refresh) = &pair.refresh {
        answer["expires_in"] = LIFETIME.into();
        answer["refresh_token"] = refresh.as_str().into();
    }
    let Some(approval) = approval else { return answer };
    answer["authed_user"] = json!({ "id": approval.user });
    let channel = approval.channel.as_deref().and_then(|channel| team?.channel(channel));
    if let Some(channel) = channel {
        let domain = team.map_or("", |team| team.domain.as_str());
        answer["incoming_webhook"] = json!({
            "channel": if channel.name.is_empty() { "DM".to_owned() } else { format!("#{}", channel.name) },
            "channel_id": channel.id,
            "configuration_url": format!("https://{domain}.slack.com/services/{}", installed.bot_id),
            "url": format!("https://hooks.slack.com/services/{}/{}/{}", installed.place, installed.bot_id, random(24)),
        });
    }
    answer
}
