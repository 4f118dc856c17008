//! Whether what a component says of itself keeps the contract.

use std::collections::HashSet;

use crate::contract::channel::{Credential, Descriptor, Destination, FieldKind, Pace, Placement};
use crate::contract::signatures::{Key, Part, Signature};
use crate::gate::destination::HostPattern;
use crate::{settings, text};

/// Lower-case kebab-case.
fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// All that is wrong with it, in words for its author; empty where it is fine.
pub(crate) fn problems(descriptor: &Descriptor) -> Vec<String> {
    let mut problems = Vec::new();
    let Descriptor { id, name, summary: _, fields, destinations, credentials, target, paces, digests: _, hints: _ } =
        descriptor;
    if !is_kebab(id) {
        problems.push(format!("the id must be lower-case kebab-case, it is {id:?}"));
    }
    if name.trim().is_empty() {
        problems.push("the name is empty".to_owned());
    }
    let mut keys = HashSet::new();
    for field in fields {
        if !is_kebab(&field.key) {
            problems.push(format!("the key of a field must be lower-case kebab-case, it is {:?}", field.key));
        }
        if !keys.insert(field.key.as_str()) {
            problems.push(format!("two fields have the key `{}`", field.key));
        }
        if let FieldKind::Other((name, _)) = &field.kind {
            problems.push(unknown(&format!("the field `{}` is of a kind", field.key), name));
        }
        if is_secret(&field.kind) && field.default.is_some() {
            problems.push(format!("the secret field `{}` has a default", field.key));
        }
        for rule in &field.rules {
            if let Err(error) = settings::whole(&rule.pattern) {
                problems.push(format!("a pattern of the field `{}` is no RE2 expression: {error}", field.key));
            }
        }
    }
    for key in target.iter().filter(|key| !keys.contains(key.as_str())) {
        problems.push(format!("the target names the field `{key}`, which is not there"));
    }
    for Pace { scope: _, messages, seconds, burst } in paces {
        if [messages, seconds, burst].contains(&&0) {
            problems.push(format!("a pace of {messages} messages in {seconds} seconds, {burst} at once, is none"));
        }
    }
    for destination in destinations {
        problems.extend(destination_problem(destination, descriptor));
    }
    let mut names = HashSet::new();
    for credential in credentials {
        if !names.insert(credential.name.as_str()) {
            problems.push(format!("two credentials have the name `{}`", credential.name));
        }
        credential_problems(credential, descriptor, &mut problems);
    }
    problems
}

/// Whether the host keeps the field's value from the component.
pub(crate) fn is_secret(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Secret | FieldKind::SecretUrl | FieldKind::SecretHeaders)
}

fn destination_problem(destination: &Destination, descriptor: &Descriptor) -> Option<String> {
    match destination {
        Destination::Host(pattern) => HostPattern::parse(pattern).err().map(|error| error.to_string()),
        Destination::Field(key) => match descriptor.fields.iter().find(|field| field.key == *key) {
            Some(field) if matches!(field.kind, FieldKind::Url | FieldKind::SecretUrl) => None,
            Some(_) => Some(format!("the destination `{key}` is a field that holds no URL")),
            None => Some(format!("the destination `{key}` is no field")),
        },
        Destination::Recipients(key) => match descriptor.fields.iter().find(|field| field.key == *key) {
            Some(field) if matches!(field.kind, FieldKind::EmailList) => None,
            Some(_) => Some(format!("mail goes to the field `{key}`, which holds no e-mail addresses")),
            None => Some(format!("mail goes to `{key}`, which is no field")),
        },
        Destination::Other((name, _)) => Some(unknown("a destination", name)),
    }
}

fn credential_problems(credential: &Credential, descriptor: &Descriptor, problems: &mut Vec<String>) {
    let Credential { name, secret, placement, destinations } = credential;
    let kind = descriptor.fields.iter().find(|field| field.key == *secret).map(|field| &field.kind);
    let fits = match (placement, kind) {
        // A name that `connection.oauth2` gives a token.
        (Placement::Address | Placement::Headers, None) => false,
        (Placement::Other(_), _) | (_, None) => true,
        (Placement::Address, Some(kind)) => matches!(kind, FieldKind::SecretUrl),
        (Placement::Headers, Some(kind)) => matches!(kind, FieldKind::SecretHeaders),
        (_, Some(kind)) => matches!(kind, FieldKind::Secret),
    };
    if !fits {
        problems.push(format!("the credential `{name}` is placed in a way that the field `{secret}` does not fit"));
    }
    if destinations.is_empty() {
        problems.push(format!("the credential `{name}` has no destination: it could never be sent"));
    }
    for destination in destinations {
        problems.extend(destination_problem(destination, descriptor));
        if matches!(destination, Destination::Recipients(_)) {
            problems.push(format!("the credential `{name}` goes out by mail, which carries none"));
        }
        if !descriptor.destinations.iter().any(|known| same(known, destination)) {
            problems.push(format!("a destination of the credential `{name}` is not among the component's"));
        }
    }
    match placement {
        Placement::Sign(signature) => signature_problems(&format!("the credential `{name}`"), signature, problems),
        Placement::Other((placement, _)) => {
            problems.push(unknown(&format!("the credential `{name}` has a placement"), placement));
        }
        Placement::JsonBody(pointer) if !pointer.starts_with('/') => {
            problems.push(format!("the credential `{name}` goes to {pointer:?}, which is no JSON Pointer to a member"));
        }
        Placement::Path(text) if text.is_empty() => {
            problems.push(format!("the credential `{name}` replaces an empty text in the path"));
        }
        _ => {}
    }
}

/// All that is wrong with a signature of `what`.
pub(crate) fn signature_problems(what: &str, signature: &Signature, problems: &mut Vec<String>) {
    let Signature { algorithm, key, parts, header: _, prefix: _, encoding: _, timestamp_header: _ } = signature;
    if algorithm != "hmac-sha256" {
        let algorithm = text::line(algorithm, 100);
        problems.push(format!("the signature of {what} is by {algorithm:?}; this host knows \"hmac-sha256\""));
    }
    if let Key::Other((name, _)) = key {
        problems.push(unknown(&format!("the signature of {what} has a key"), name));
    }
    for part in parts {
        if let Part::Other((name, _)) = part {
            problems.push(unknown(&format!("the signature of {what} is over a part"), name));
        }
    }
    if !parts.iter().any(|part| matches!(part, Part::Body)) {
        problems.push(format!("the signature of {what} leaves out the body"));
    }
}

/// What a later version of the contract may know by this name.
pub(crate) fn unknown(what: &str, name: &str) -> String {
    let name = text::line(name, 100);
    format!("{what} {name:?} that this host does not know: update the host, or use an older version of the component")
}

fn same(one: &Destination, other: &Destination) -> bool {
    match (one, other) {
        (Destination::Host(one), Destination::Host(other)) => one.eq_ignore_ascii_case(other),
        (Destination::Field(one), Destination::Field(other))
        | (Destination::Recipients(one), Destination::Recipients(other)) => one == other,
        (Destination::Other(one), Destination::Other(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::channel::{Field, PaceScope};

    fn later() -> (String, String) {
        ("of-tomorrow".to_owned(), String::new())
    }

    fn descriptor(kind: FieldKind, placement: Placement, destination: Destination) -> Descriptor {
        let field = Field {
            key: "secret".to_owned(),
            label: String::new(),
            help: String::new(),
            required: true,
            kind,
            default: None,
            rules: Vec::new(),
            hints: Vec::new(),
        };
        let (name, secret) = ("secret".to_owned(), "secret".to_owned());
        Descriptor {
            id: "type".to_owned(),
            name: "Type".to_owned(),
            summary: String::new(),
            fields: vec![field],
            destinations: vec![destination.clone()],
            credentials: vec![Credential { name, secret, placement, destinations: vec![destination] }],
            target: Vec::new(),
            paces: Vec::new(),
            digests: false,
            hints: Vec::new(),
        }
    }

    #[test]
    fn what_a_later_version_may_know_is_refused_and_named() {
        let here = || Destination::Host("a.example".to_owned());
        let query = || Placement::Query("key".to_owned());
        assert!(problems(&descriptor(FieldKind::Secret, query(), here())).is_empty());
        for descriptor in [
            descriptor(FieldKind::Other(later()), query(), here()),
            descriptor(FieldKind::Secret, Placement::Other(later()), here()),
            descriptor(FieldKind::Secret, query(), Destination::Other(later())),
        ] {
            let problems = problems(&descriptor);
            assert!(problems.iter().any(|problem| problem.contains("\"of-tomorrow\"")), "{problems:?}");
        }
    }

    #[test]
    fn a_pace_of_nothing_is_none() {
        let paced = |messages, seconds, burst| Descriptor {
            paces: vec![Pace { scope: PaceScope::Target, messages, seconds, burst }],
            ..descriptor(
                FieldKind::Secret,
                Placement::Query("key".to_owned()),
                Destination::Host("a.example".to_owned()),
            )
        };
        assert!(problems(&paced(15, 300, 8)).is_empty());
        for (messages, seconds, burst) in [(0, 60, 1), (60, 0, 1), (60, 60, 0)] {
            assert_eq!(problems(&paced(messages, seconds, burst)).len(), 1);
        }
    }
}
