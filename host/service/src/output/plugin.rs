//! What components are, can do and want.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use pqh_runtime::{
    Plugin,
    contract::channel::{Credential, Descriptor, Destination, PaceScope, Placement},
    contract::connecting::connection::Oauth2Service,
};
use serde_json::{Value, json};

use super::{Format, clean, say, say_error};
use crate::{
    catalog::{Catalog, Entry, Origin},
    settings::kind_name,
};

/// Lists components.
pub(crate) fn list(catalog: &Catalog, format: Format) {
    if format == Format::Json {
        let plugins: Vec<Value> = catalog.entries.iter().map(entry_json).collect();
        let broken: Vec<Value> =
            catalog.broken.iter().map(|(path, reason)| json!({ "file": path, "message": reason })).collect();
        return super::json(&json!({ "plugins": plugins, "broken": broken }));
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["Type", "Name", "Version", "From", "SHA-256"]);
    for entry in &catalog.entries {
        let version = entry.plugin.metadata().version.clone().unwrap_or_default();
        let hash = entry.plugin.sha256().to_string();
        let short = hash.get(..12).unwrap_or(&hash).to_owned();
        table.add_row([entry.id().to_owned(), clean(&entry.plugin.descriptor().name), version, from(entry), short]);
    }
    say(&table.to_string());
    for (path, reason) in &catalog.broken {
        say_error(&clean(&format!("{} does not load: {reason}", path.display())));
    }
}

fn from(entry: &Entry) -> String {
    match &entry.origin {
        Origin::BuiltIn => "built in".to_owned(),
        Origin::File(path) => path.display().to_string(),
    }
}

fn entry_json(entry: &Entry) -> Value {
    let mut value = plugin_json(&entry.plugin);
    value["built_in"] = entry.is_built_in().into();
    if let Origin::File(path) = &entry.origin {
        value["file"] = json!(path);
    }
    value
}

/// Says all of one component.
pub(crate) fn inspect(plugin: &Plugin, format: Format) {
    match format {
        Format::Json => super::json(&plugin_json(plugin)),
        Format::Human => say(&clean(&plugin_text(plugin))),
    }
}

fn plugin_json(plugin: &Plugin) -> Value {
    let (descriptor, metadata) = (plugin.descriptor(), plugin.metadata());
    let fields: Vec<Value> = descriptor
        .fields
        .iter()
        .map(|field| {
            json!({ "key": field.key, "label": field.label, "help": field.help, "required": field.required,
                "kind": kind_name(&field.kind), "default": field.default })
        })
        .collect();
    let credentials: Vec<Value> = descriptor
        .credentials
        .iter()
        .map(|credential| {
            json!({ "name": credential.name, "secret": credential.secret, "placement": placement(&credential.placement),
                "destinations": credential.destinations.iter().map(destination).collect::<Vec<_>>() })
        })
        .collect();
    let paces: Vec<Value> = descriptor
        .paces
        .iter()
        .map(|pace| {
            json!({ "scope": scope(pace.scope), "messages": pace.messages, "seconds": pace.seconds, "burst": pace.burst })
        })
        .collect();
    json!({
        "type": descriptor.id, "name": descriptor.name, "summary": descriptor.summary,
        "metadata": { "name": metadata.name, "version": metadata.version, "description": metadata.description,
            "authors": metadata.authors, "licenses": metadata.licenses, "source": metadata.source },
        "sha256": plugin.sha256().to_string(), "size": plugin.size(),
        "imports": plugin.imports(), "exports": plugin.exports(),
        "destinations": descriptor.destinations.iter().map(destination).collect::<Vec<_>>(),
        "credentials": credentials, "fields": fields, "target": descriptor.target, "paces": paces,
        "digests": descriptor.digests, "oauth2": plugin.oauth2(),
    })
}

fn plugin_text(plugin: &Plugin) -> String {
    let (descriptor, metadata) = (plugin.descriptor(), plugin.metadata());
    let mut text = format!("{} ({})\n{}\n\n", descriptor.name, descriptor.id, descriptor.summary);
    let facts = [
        ("component", &metadata.name),
        ("version", &metadata.version),
        ("authors", &metadata.authors),
        ("licence", &metadata.licenses),
        ("source", &metadata.source),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            line(&mut text, name, value);
        }
    }
    line(&mut text, "SHA-256", &plugin.sha256().to_string());
    line(&mut text, "size", &format!("{} bytes", plugin.size()));
    section(&mut text, "Capabilities (what it imports)", plugin.imports().to_vec());
    section(&mut text, "Exports", plugin.exports().to_vec());
    section(&mut text, "Sends to", descriptor.destinations.iter().map(destination).collect());
    section(&mut text, "Credentials", descriptor.credentials.iter().map(credential_text).collect());
    section(&mut text, "Connects by OAuth 2.0", plugin.oauth2().map(connection_text).unwrap_or_default());
    section(&mut text, "Settings", fields_text(descriptor));
    let pace = |pace: &pqh_runtime::contract::channel::Pace| {
        let time = if pace.seconds == 60 { "a minute".to_owned() } else { format!("in {} seconds", pace.seconds) };
        format!("{} {time} per {}, {} at once", pace.messages, scope(pace.scope), pace.burst)
    };
    section(&mut text, "Pace", descriptor.paces.iter().map(pace).collect());
    text
}

/// Where people are sent, what they are asked for, and which part of the answer the component sees.
fn connection_text(service: &Oauth2Service) -> Vec<String> {
    let secrets = service.secrets.iter().map(|secret| format!("{} ({})", secret.name, secret.pointer));
    vec![
        format!("people allow it at {}", service.authorize_url),
        format!("tokens come from {}", service.token_url),
        format!("asks for: {}", service.scopes.join(", ")),
        format!("keeps from it: {}", secrets.collect::<Vec<_>>().join(", ")),
        format!("is shown of it: {}", service.visible.join(", ")),
    ]
}

fn fields_text(descriptor: &Descriptor) -> Vec<String> {
    let field = |field: &pqh_runtime::contract::channel::Field| {
        let required = if field.required { ", required" } else { "" };
        let help = if field.help.is_empty() { String::new() } else { format!(": {}", field.help) };
        format!("{}  {} ({}{required}){help}", field.key, field.label, kind_name(&field.kind))
    };
    descriptor.fields.iter().map(field).collect()
}

fn credential_text(credential: &Credential) -> String {
    let to: Vec<String> = credential.destinations.iter().map(destination).collect();
    let (name, secret) = (&credential.name, &credential.secret);
    let mut text = format!("{name}: the secret {secret:?} {}, to {}", placement(&credential.placement), to.join(", "));
    if let Placement::JsonBody(_) = credential.placement {
        text.push_str(
            "\n    Look closely: a json-body placement would publish a secret, if that place in the body is one that \
             the service shows to people.",
        );
    }
    text
}

fn placement(placement: &Placement) -> String {
    match placement {
        Placement::Address => "as the address".to_owned(),
        Placement::Path(text) => format!("in the path for {text}"),
        Placement::Query(name) => format!("as query parameter {name}"),
        Placement::Header(place) if place.prefix.is_empty() => format!("as header {}", place.name),
        Placement::Header(place) => format!("as header {} after {:?}", place.name, place.prefix),
        Placement::Headers => "as headers of its own names".to_owned(),
        Placement::Basic(user) => format!("as the password of HTTP Basic, the user being the setting {user}"),
        Placement::JsonBody(pointer) => format!("in the JSON body at {pointer} (json-body)"),
        Placement::Sign(signature) => format!("as the key of a signature in header {}", signature.header),
        Placement::Other((name, _)) => format!("as {name}"),
    }
}

fn destination(destination: &Destination) -> String {
    match destination {
        Destination::Host(host) => host.clone(),
        Destination::Field(key) => format!("the host of the setting {key}"),
        Destination::Recipients(key) => format!("mail to the addresses in the setting {key}"),
        Destination::Other((name, _)) => name.clone(),
    }
}

fn scope(scope: PaceScope) -> &'static str {
    match scope {
        PaceScope::Target => "target",
        PaceScope::Connection => "connection",
    }
}

fn section(text: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    // Writing to a string does not fail.
    let _ = write!(text, "\n{title}\n");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<10} {value}");
}
