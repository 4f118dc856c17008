//! An app from its manifest, with all that Slack would refuse of one told.

use serde_json::Value;

use super::app::App;
use super::events::scope_of;

/// Which members an object has, by its JSON Pointer.
const MEMBERS: &[(&str, &[&str])] = &[
    ("", &["_metadata", "display_information", "features", "oauth_config", "settings"]),
    ("/_metadata", &["major_version", "minor_version"]),
    ("/display_information", &["name", "description", "long_description", "background_color"]),
    ("/features", &["bot_user", "app_home"]),
    ("/features/bot_user", &["display_name", "always_online"]),
    ("/features/app_home", &["home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"]),
    ("/oauth_config", &["redirect_urls", "scopes"]),
    ("/oauth_config/scopes", &["bot", "user"]),
    (
        "/settings",
        &[
            "event_subscriptions",
            "interactivity",
            "org_deploy_enabled",
            "socket_mode_enabled",
            "token_rotation_enabled",
            "incoming_webhooks",
        ],
    ),
    ("/settings/event_subscriptions", &["request_url", "bot_events"]),
    ("/settings/interactivity", &["is_enabled", "request_url"]),
    ("/settings/incoming_webhooks", &["incoming_webhooks_enabled"]),
];

/// How many characters a text has: at least, at most.
const LENGTHS: &[(&str, usize, usize)] = &[
    ("/display_information/name", 1, 35),
    ("/display_information/description", 1, 140),
    ("/display_information/long_description", 174, 4_000),
    ("/features/bot_user/display_name", 1, 80),
];

/// Values that the manifest of an app which is served over HTTP has, or has not at all.
const FLAGS: &[(&str, bool)] =
    &[("/settings/socket_mode_enabled", false), ("/settings/interactivity/is_enabled", true)];

impl App {
    /// The app that an administrator makes by pasting `manifest`.
    ///
    /// # Errors
    ///
    /// Each fault of the manifest.
    pub fn from_manifest(manifest: &Value) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        for (pointer, known) in MEMBERS {
            match manifest.pointer(pointer) {
                None => {}
                Some(Value::Object(members)) => {
                    let strange = members.keys().filter(|name| !known.contains(&name.as_str()));
                    faults.extend(strange.map(|name| format!("{pointer}/{name}: unknown")));
                }
                Some(_) => faults.push(format!("{pointer}: not an object")),
            }
        }
        for (pointer, least, most) in LENGTHS {
            let told = manifest.pointer(pointer);
            let fits =
                |value: &Value| value.as_str().is_some_and(|text| (*least..=*most).contains(&text.chars().count()));
            if told.is_some_and(|value| !fits(value)) {
                faults.push(format!("{pointer}: not {least} to {most} characters"));
            }
        }
        for (pointer, wanted) in FLAGS {
            if manifest.pointer(pointer).is_some_and(|value| value != *wanted) {
                faults.push(format!("{pointer}: not {wanted}"));
            }
        }
        let mut texts = |pointer: &str| list(manifest, pointer, &mut faults);
        let redirects = texts("/oauth_config/redirect_urls");
        let scopes = texts("/oauth_config/scopes/bot");
        let people = texts("/oauth_config/scopes/user");
        let events = texts("/settings/event_subscriptions/bot_events");
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
        if !people.is_empty() {
            faults.push("/oauth_config/scopes/user: the app acts for nobody".to_owned());
        }
        if redirects.len() != 1 || !redirects.iter().all(|url| is_address(url)) {
            faults.push("/oauth_config/redirect_urls: not one HTTPS address".to_owned());
        }
        if scopes.is_empty() || text("/features/bot_user/display_name").is_none() {
            faults.push("/features/bot_user: bot scopes and a bot belong together".to_owned());
        }
        if scopes.iter().any(|scope| scope == "users:read.email") && !scopes.iter().any(|scope| scope == "users:read") {
            faults.push("/oauth_config/scopes/bot: users:read.email without users:read".to_owned());
        }
        for event in &events {
            let needed = scope_of(event, "C");
            if needed.is_some_and(|needed| !scopes.iter().any(|scope| scope == needed)) {
                faults.push(format!("{event}: needs {}", needed.unwrap_or_default()));
            }
        }
        for (pointer, is_needed) in [
            ("/settings/event_subscriptions/request_url", !events.is_empty()),
            ("/settings/interactivity/request_url", manifest.pointer("/settings/interactivity").is_some()),
        ] {
            if is_needed && !text(pointer).is_some_and(is_address) {
                faults.push(format!("{pointer}: not an HTTPS address"));
            }
        }
        let name = text("/display_information/name").unwrap_or_default();
        if name.is_empty() {
            faults.push("/display_information/name: missing".to_owned());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mut app = Self::new(redirects.first().map_or("", String::as_str), &scopes);
        name.clone_into(&mut app.name);
        app.rotates = manifest.pointer("/settings/token_rotation_enabled").is_some_and(|value| *value == true);
        app.events = Some(events);
        Ok(app)
    }
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.contains(['#', ' ', '<', '{']))
}

/// A list of different texts; empty where it is missing.
fn list(manifest: &Value, pointer: &str, faults: &mut Vec<String>) -> Vec<String> {
    let Some(value) = manifest.pointer(pointer) else { return Vec::new() };
    let texts: Option<Vec<String>> =
        value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
    let mut once = texts.clone().unwrap_or_default();
    once.sort_unstable();
    once.dedup();
    match texts {
        Some(texts) if texts.len() == once.len() => texts,
        _ => {
            faults.push(format!("{pointer}: not a list of different texts"));
            Vec::new()
        }
    }
}
