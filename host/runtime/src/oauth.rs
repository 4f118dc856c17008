//! OAuth 2.0 (RFC 6749) as the component describes it: where people are sent, and what the token address answers. Tokens go
//! from the answer to the embedder; the component sees the answer without them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::Url;
use url::form_urlencoded;

use crate::contract::connecting::connection::{ClientAuthentication, Oauth2Service, TokenAnswer};
use crate::gate::assemble;
use crate::gate::destination::Origin;
use crate::gate::mask::Masks;
use crate::grant::Grant;
use crate::plugin::Plugin;

/// How long the token address may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Members that RFC 6749 and its kin for identities name as tokens: no component sees them.
const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// Parameters of the authorize address that the host sets: another `redirect_uri` would send codes elsewhere.
const PARAMETERS: [&str; 8] = [
    "response_type",
    "client_id",
    "client_secret",
    "scope",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// The application that the operator registered with the service.
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// Its public name.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
    /// Where the service sends people back to: exactly as it is registered there.
    pub redirect: Url,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum OauthError {
    /// The component connects to nothing.
    #[error("the plugin describes no OAuth 2.0 service")]
    NotOffered,
    /// An address that the component names is not granted.
    #[error("{0}")]
    Denied(String),
    /// No whole answer: nobody knows whether the code was used.
    #[error("the token address gave no whole answer: {0}")]
    NoAnswer(String),
    /// The answer is none that the component's description fits.
    #[error("the token address answered HTTP {status} with what is no JSON object")]
    NotJson {
        /// The status.
        status: u16,
    },
}

/// What a token address answered. Whether it is a success, the component judges by what it sees.
#[derive(Debug)]
pub struct Tokens {
    /// By the credentials' names: those that were in the answer.
    pub secrets: Vec<(String, SecretString)>,
    /// For the next renewal, where the service rotates tokens.
    pub refresh: Option<SecretString>,
    /// Until the tokens expire.
    pub expires_in: Option<Duration>,
    /// What the component sees of it.
    pub answer: TokenAnswer,
}

/// The challenge of PKCE (RFC 7636, 4.2) for a verifier, by S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Where a person is sent. `state` comes back with them; `verifier` is kept for the exchange, where PKCE is used.
pub(crate) fn authorize_url(
    plugin: &Plugin,
    grant: &Grant,
    client: &OauthClient,
    state: &str,
    verifier: &str,
) -> Result<Url, OauthError> {
    let service = plugin.oauth2().ok_or(OauthError::NotOffered)?;
    let mut url = granted(grant, &service.authorize_url)?;
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("scope", &service.scopes.join(&service.scope_separator))
            .append_pair("redirect_uri", client.redirect.as_str())
            .append_pair("state", state);
        if service.pkce {
            query.append_pair("code_challenge", &challenge(verifier)).append_pair("code_challenge_method", "S256");
        }
        query.extend_pairs(&service.authorize_parameters);
    }
    Ok(url)
}

/// What the token address says to the code that a person brought back.
pub(crate) async fn exchange(
    plugin: &Plugin,
    grant: &Grant,
    client: &OauthClient,
    code: &SecretString,
    verifier: &str,
) -> Result<Tokens, OauthError> {
    let service = plugin.oauth2().ok_or(OauthError::NotOffered)?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose_secret()),
        ("redirect_uri", client.redirect.as_str()),
    ];
    if service.pkce {
        form.push(("code_verifier", verifier));
    }
    ask(plugin, grant, client, service, form, false).await
}

/// What it says to a refresh token.
pub(crate) async fn renew(
    plugin: &Plugin,
    grant: &Grant,
    client: &OauthClient,
    refresh: &SecretString,
) -> Result<Tokens, OauthError> {
    let service = plugin.oauth2().ok_or(OauthError::NotOffered)?;
    let form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
    ask(plugin, grant, client, service, form, true).await
}

async fn ask(
    plugin: &Plugin,
    grant: &Grant,
    client: &OauthClient,
    service: &Oauth2Service,
    form: Vec<(&str, &str)>,
    renewal: bool,
) -> Result<Tokens, OauthError> {
    let url = granted(grant, &service.token_url)?;
    let (headers, body) = request(service, client, form)?;
    let gate = &plugin.runtime().0.gate;
    let (status, body) = gate.post(url, headers, body, PATIENCE).await.map_err(OauthError::NoAnswer)?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !answer.is_object() {
        return Err(OauthError::NotJson { status });
    }
    Ok(read(service, status, &answer, renewal))
}

/// Headers and body, with who asks.
fn request(
    service: &Oauth2Service,
    client: &OauthClient,
    form: Vec<(&str, &str)>,
) -> Result<(HeaderMap, String), OauthError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    match service.client_authentication {
        ClientAuthentication::Basic => {
            // Both are form-encoded first (RFC 6749, 2.3.1).
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(&client.id), encode(client.secret.expose_secret()));
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
                .map_err(|_| OauthError::Denied("the client's secret fits no header".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        ClientAuthentication::Body => {
            body.append_pair("client_id", &client.id).append_pair("client_secret", client.secret.expose_secret());
        }
    }
    Ok((headers, body.finish()))
}

/// Takes the answer apart: what is secret, and what the component sees.
fn read(service: &Oauth2Service, status: u16, answer: &Value, renewal: bool) -> Tokens {
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(SecretString::from);
    let secrets: Vec<(String, SecretString)> =
        service.secrets.iter().filter_map(|secret| Some((secret.name.clone(), text(&secret.pointer)?))).collect();
    let refresh = service.refresh_token.as_deref().and_then(text);
    let mut hidden = Hidden::default();
    secrets.iter().map(|(_, secret)| secret).chain(&refresh).for_each(|secret| hidden.add(secret.expose_secret()));
    hidden.add_named(answer);
    let seconds = service.expires_in.as_deref().and_then(|pointer| answer.pointer(pointer)).and_then(Value::as_u64);
    let visible: Map<String, Value> = service
        .visible
        .iter()
        .filter_map(|pointer| Some((pointer.clone(), hidden.without(answer.pointer(pointer)?)?)))
        .collect();
    Tokens {
        secrets,
        refresh,
        expires_in: seconds.map(Duration::from_secs),
        answer: TokenAnswer { status, visible: Value::Object(visible).to_string(), renewal },
    }
}

/// What no component sees of an answer, wherever it stands.
#[derive(Default)]
struct Hidden {
    values: Vec<Zeroizing<String>>,
    /// Finds it within other texts, in whatever form.
    masks: Masks,
}

impl Hidden {
    fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.masks.add(secret);
            self.values.push(Zeroizing::new(secret.to_owned()));
        }
    }

    /// Whatever is called a token: an answer may hold more of them than are kept.
    fn add_named(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(token) if TOKENS.contains(&name.as_str()) => self.add(token),
                        value => self.add_named(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_named(item)),
            _ => {}
        }
    }

    /// What is left of a value without it.
    fn without(&self, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) if self.values.iter().any(|value| value.as_str() == text) => None,
            Value::String(text) => Some(Value::String(self.masks.text(text.clone()))),
            Value::Array(items) => Some(items.iter().filter_map(|item| self.without(item)).collect()),
            Value::Object(members) => {
                let members = members.iter().filter(|(name, _)| !TOKENS.contains(&name.as_str()));
                let kept =
                    members.filter_map(|(name, value)| Some((self.masks.text(name.clone()), self.without(value)?)));
                Some(Value::Object(kept.collect()))
            }
            other => Some(other.clone()),
        }
    }
}

/// An address that the component names, where it is granted: a component cannot send people or codes elsewhere.
fn granted(grant: &Grant, address: &str) -> Result<Url, OauthError> {
    let url = assemble::parse(address).map_err(OauthError::Denied)?;
    let origin = Origin::of(&url).ok_or_else(|| OauthError::Denied("only https leaves".to_owned()))?;
    if !grant.allows(&origin, |_| None) {
        return Err(OauthError::Denied(format!(
            "{origin} is not granted (granted: {grant}). To allow it: --grant {origin}"
        )));
    }
    Ok(url)
}

/// All that is wrong with what a component says of its service.
pub(crate) fn problems(service: &Oauth2Service) -> Vec<String> {
    let mut problems = Vec::new();
    for address in [&service.authorize_url, &service.token_url] {
        if let Err(error) = assemble::parse(address) {
            problems.push(format!("connection: {error}: {address:?}"));
        }
    }
    let in_address = Url::parse(&service.authorize_url).ok();
    let in_address = in_address.iter().flat_map(Url::query_pairs).map(|(name, _)| name.into_owned());
    let own = service.authorize_parameters.iter().map(|(name, _)| name.clone());
    problems.extend(
        in_address
            .chain(own)
            .filter(|name| PARAMETERS.contains(&name.as_str()))
            .map(|name| format!("connection: the parameter {name:?} of the authorize address is the host's own")),
    );
    if service.secrets.is_empty() {
        problems.push("connection: no token of the answer is kept".to_owned());
    }
    let secret: Vec<&str> =
        service.secrets.iter().map(|secret| secret.pointer.as_str()).chain(service.refresh_token.as_deref()).collect();
    for pointer in &secret {
        if !pointer.starts_with('/') {
            problems.push(format!("connection: {pointer:?} is no JSON Pointer to a member"));
        }
    }
    for pointer in &service.visible {
        let overlaps = |secret: &&str| within(pointer, secret) || within(secret, pointer);
        let named = pointer.split('/').any(|member| TOKENS.contains(&member));
        if !pointer.starts_with('/') || named || secret.iter().any(overlaps) {
            problems.push(format!("connection: {pointer:?} is, holds or lies in a secret, so no component may see it"));
        }
    }
    problems
}

/// Whether one pointer leads to, or into, what the other leads to.
fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::connecting::connection::TokenSecret;

    fn service() -> Oauth2Service {
        Oauth2Service {
            authorize_url: "https://service.example/authorize".to_owned(),
            authorize_parameters: Vec::new(),
            token_url: "https://service.example/token".to_owned(),
            client_authentication: ClientAuthentication::Basic,
            pkce: false,
            scopes: vec!["chat:write".to_owned()],
            scope_separator: ",".to_owned(),
            secrets: vec![TokenSecret { name: "token".to_owned(), pointer: "/access_token".to_owned() }],
            visible: vec!["/ok".to_owned(), "/team".to_owned()],
            refresh_token: Some("/refresh_token".to_owned()),
            expires_in: Some("/expires_in".to_owned()),
        }
    }

    #[test]
    fn the_component_sees_what_is_visible_and_no_secret() {
        let answer = serde_json::json!({
            "ok": true, "access_token": "canary-1", "refresh_token": "canary-2", "expires_in": 43200,
            "team": { "id": "T1" }, "authed_user": { "access_token": "canary-3" },
        });
        let tokens = read(&service(), 200, &answer, false);
        assert_eq!(tokens.answer.visible, r#"{"/ok":true,"/team":{"id":"T1"}}"#);
        assert_eq!(tokens.secrets[0].1.expose_secret(), "canary-1");
        assert_eq!(tokens.refresh.as_ref().unwrap().expose_secret(), "canary-2");
        assert_eq!(tokens.expires_in, Some(Duration::from_hours(12)));
        assert!(!format!("{tokens:?}").contains("canary"));
    }

    #[test]
    fn no_token_is_in_what_is_visible_however_deep_or_under_whatever_name() {
        let described = Oauth2Service {
            visible: ["/ok", "/authed_user", "/links", "/note", "/short"].map(str::to_owned).into(),
            secrets: vec![
                TokenSecret { name: "token".to_owned(), pointer: "/access_token".to_owned() },
                TokenSecret { name: "pin".to_owned(), pointer: "/pin".to_owned() },
            ],
            ..service()
        };
        let answer = serde_json::json!({
            "ok": true, "access_token": "canary/bot-1", "refresh_token": "canary-refresh-1", "pin": "canary",
            "authed_user": {
                "id": "U1", "access_token": "canary-person-1", "deep": [{ "id_token": { "raw": "canary-raw" }, "x": 1 }],
                "copy": "canary/bot-1",
            },
            "links": ["https://service.example/?t=canary%2Fbot-1", "canary-refresh-1", "https://service.example"],
            "note": "it is canary-person-1, or canary-refresh-1", "short": "canary",
        });
        let visible = read(&described, 200, &answer, false).answer.visible;
        assert!(!visible.contains("canary"), "{visible}");
        let expected = serde_json::json!({
            "/ok": true, "/authed_user": { "id": "U1", "deep": [{ "x": 1 }] },
            "/links": ["https://service.example/?t=[masked]", "https://service.example"],
            "/note": "it is [masked], or [masked]",
        });
        assert_eq!(serde_json::from_str::<Value>(&visible).unwrap(), expected);
        // Where it says no, what it says is seen whole.
        let refused = serde_json::json!({ "ok": false, "note": "no such grant", "access_token": "" });
        assert_eq!(read(&described, 400, &refused, true).answer.visible, r#"{"/note":"no such grant","/ok":false}"#);
    }

    #[test]
    fn nothing_that_is_holds_or_lies_in_a_secret_can_be_made_visible() {
        assert!(problems(&service()).is_empty());
        for pointer in
            ["", "/access_token", "/access_token/x", "/authed_user/access_token", "/a/id_token", "refresh_token"]
        {
            let bad = Oauth2Service { visible: vec![pointer.to_owned()], ..service() };
            assert_eq!(problems(&bad).len(), 1, "{pointer}");
        }
        let nested = TokenSecret { name: "token".to_owned(), pointer: "/bot/token".to_owned() };
        let bad = Oauth2Service { secrets: vec![nested], visible: vec!["/bot".to_owned()], ..service() };
        assert_eq!(problems(&bad).len(), 1);
    }

    #[test]
    fn no_component_sets_the_parameters_that_are_the_hosts_own() {
        for name in PARAMETERS {
            let parameter = (name.to_owned(), "https://evil.example".to_owned());
            let bad = Oauth2Service { authorize_parameters: vec![parameter], ..service() };
            assert_eq!(problems(&bad).len(), 1, "{name}");
            let address = format!("https://service.example/authorize?prompt=x&{name}=y");
            let bad = Oauth2Service { authorize_url: address, ..service() };
            assert_eq!(problems(&bad).len(), 1, "{name}");
        }
        let good = ("prompt".to_owned(), "consent".to_owned());
        assert!(problems(&Oauth2Service { authorize_parameters: vec![good], ..service() }).is_empty());
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
