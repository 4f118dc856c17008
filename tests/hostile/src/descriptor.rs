//! What the component says it is: a text field for each thing that attacks are told, and a credential of each placement.

use crate::channel::{Credential, Descriptor, Destination, Field, FieldKind, HeaderPlace, Pace, PaceScope, Placement};

/// The destination that the secrets are bound to.
const HOST: &str = "attack.example";

/// The descriptor; with the feature `describe-huge`, one of hundreds of megabytes.
pub(crate) fn descriptor() -> Descriptor {
    let summary = if cfg!(feature = "describe-huge") { "huge ".repeat(50_000_000) } else { "Attacks its host".into() };
    Descriptor {
        id: "hostile".into(),
        name: "Hostile".into(),
        summary,
        fields: fields(),
        destinations: destinations(),
        credentials: credentials(),
        target: vec!["attack".into()],
        paces: vec![Pace { scope: PaceScope::Target, messages: 60, seconds: 60, burst: 5 }],
        digests: false,
        hints: Vec::new(),
    }
}

fn destinations() -> Vec<Destination> {
    vec![
        Destination::Host(HOST.into()),
        Destination::Host("*.wild.example".into()),
        Destination::Field("hook".into()),
        #[cfg(feature = "describe-later")]
        Destination::Other(("by-pigeon".into(), String::new())),
    ]
}

fn fields() -> Vec<Field> {
    vec![
        field("attack", FieldKind::Text, true),
        field("url", FieldKind::Text, false),
        field("headers", FieldKind::LongText, false),
        field("credentials", FieldKind::Text, false),
        field("body", FieldKind::LongText, false),
        field("method", FieldKind::Text, false),
        field("count", FieldKind::Text, false),
        field("token", FieldKind::Secret, false),
        field("hook", FieldKind::SecretUrl, false),
        #[cfg(feature = "describe-later")]
        field("mood", FieldKind::Other(("mood-ring".into(), String::new())), false),
    ]
}

fn field(key: &str, kind: FieldKind, required: bool) -> Field {
    Field {
        key: key.into(),
        label: key.into(),
        help: String::new(),
        required,
        kind,
        default: None,
        rules: Vec::new(),
        hints: Vec::new(),
    }
}

fn credentials() -> Vec<Credential> {
    vec![
        token("token", Placement::Header(HeaderPlace { name: "x-token".into(), prefix: String::new() })),
        token("token-json", Placement::JsonBody("/secret".into())),
        token("token-path", Placement::Path("{token}".into())),
        token("token-query", Placement::Query("token".into())),
        #[cfg(feature = "describe-later")]
        token("token-later", Placement::Other(("dance".into(), String::new()))),
        Credential {
            name: "hook".into(),
            secret: "hook".into(),
            placement: Placement::Address,
            destinations: vec![Destination::Field("hook".into())],
        },
    ]
}

fn token(name: &str, placement: Placement) -> Credential {
    Credential {
        name: name.into(),
        secret: "token".into(),
        placement,
        destinations: vec![Destination::Host(HOST.into())],
    }
}
