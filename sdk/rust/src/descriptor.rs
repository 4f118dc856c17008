//! A descriptor in a few lines.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ChoiceOption, Credential, Descriptor, Destination, Field, FieldKind, HeaderPlace, Pace, PaceScope, Placement, Rule,
};

impl Descriptor {
    /// A type by its stable id (lower-case kebab-case), its name as people read it, and a sentence about it.
    pub fn new(id: &str, name: &str, summary: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            summary: summary.to_owned(),
            fields: Vec::new(),
            destinations: Vec::new(),
            credentials: Vec::new(),
            target: Vec::new(),
            paces: Vec::new(),
            digests: false,
            hints: Vec::new(),
        }
    }

    /// Adds a field, in the order of the form.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds where the component may send. A credential's own destinations come by themselves.
    #[must_use]
    pub fn destination(mut self, destination: Destination) -> Self {
        if !self.destinations.contains(&destination) {
            self.destinations.push(destination);
        }
        self
    }

    /// Mail goes to the addresses in the `email-list` field with this key.
    #[must_use]
    pub fn mails(self, key: &str) -> Self {
        self.destination(Destination::Recipients(key.to_owned()))
    }

    /// Adds a credential, and its destinations.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        for destination in credential.destinations.clone() {
            self = self.destination(destination);
        }
        self.credentials.push(credential);
        self
    }

    /// The keys of the fields that together name the target.
    #[must_use]
    pub fn target<const N: usize>(mut self, keys: [&str; N]) -> Self {
        self.target = keys.map(str::to_owned).to_vec();
        self
    }

    /// The fastest that the service takes messages for one target: so many a minute, and `burst` at once after a rest.
    #[must_use]
    pub fn pace_per_target(self, per_minute: u32, burst: u32) -> Self {
        self.pace(PaceScope::Target, per_minute, 60, burst)
    }

    /// The fastest that the service takes messages over one connection, likewise.
    #[must_use]
    pub fn pace_per_connection(self, per_minute: u32, burst: u32) -> Self {
        self.pace(PaceScope::Connection, per_minute, 60, burst)
    }

    /// The fastest that the service takes messages: so many in so many seconds, and `burst` at once after a rest.
    #[must_use]
    pub fn pace(mut self, scope: PaceScope, messages: u32, seconds: u32, burst: u32) -> Self {
        self.paces.push(Pace { scope, messages, seconds, burst });
        self
    }

    /// Several events may go out as one message. Not for what machines read.
    #[must_use]
    pub fn digests(mut self) -> Self {
        self.digests = true;
        self
    }

    /// Adds a hint for people and forms: "documentation", "category".
    #[must_use]
    pub fn hint(mut self, name: &str, value: &str) -> Self {
        self.hints.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Field {
    /// A field of any kind. `key` is lower-case kebab-case.
    pub fn new(key: &str, label: &str, kind: FieldKind) -> Self {
        Self {
            key: key.to_owned(),
            label: label.to_owned(),
            help: String::new(),
            required: false,
            kind,
            default: None,
            rules: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A line of text.
    pub fn text(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::Text)
    }

    /// A secret, which the host keeps and never hands to the component.
    pub fn secret(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::Secret)
    }

    /// A secret that is a whole https URL.
    pub fn secret_url(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::SecretUrl)
    }

    /// An https URL that is no secret.
    pub fn url(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::Url)
    }

    /// E-mail addresses: in the settings a list of strings.
    pub fn email_list(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::EmailList)
    }

    /// On or off.
    pub fn toggle(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::Toggle)
    }

    /// Several lines of text.
    pub fn long_text(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::LongText)
    }

    /// Further request headers, each with a name and a secret value.
    pub fn secret_headers(key: &str, label: &str) -> Self {
        Self::new(key, label, FieldKind::SecretHeaders)
    }

    /// One of several values, each with the label that people read.
    pub fn choice(key: &str, label: &str, options: &[(&str, &str)]) -> Self {
        let option =
            |(value, label): &(&str, &str)| ChoiceOption { value: (*value).to_owned(), label: (*label).to_owned() };
        Self::new(key, label, FieldKind::Choice(options.iter().map(option).collect()))
    }

    /// What a form says beside it.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }

    /// It has to be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What a form starts with.
    #[must_use]
    pub fn default_value(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        self
    }

    /// The whole value has to match `pattern` (RE2), or people are told `message`.
    #[must_use]
    pub fn must_match(mut self, pattern: &str, message: &str) -> Self {
        self.rules.push(Rule { pattern: pattern.to_owned(), matches: true, message: message.to_owned() });
        self
    }

    /// The whole value must not match `pattern` (RE2), or people are told `message`.
    #[must_use]
    pub fn must_not_match(mut self, pattern: &str, message: &str) -> Self {
        self.rules.push(Rule { pattern: pattern.to_owned(), matches: false, message: message.to_owned() });
        self
    }

    /// Adds a hint for forms: "placeholder", "group".
    #[must_use]
    pub fn hint(mut self, name: &str, value: &str) -> Self {
        self.hints.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Credential {
    /// A credential of the secret field with the same key as its name. Say where it may go: until then, nowhere.
    pub fn new(name: &str, placement: Placement) -> Self {
        Self { name: name.to_owned(), secret: name.to_owned(), placement, destinations: Vec::new() }
    }

    /// The secret, where it is called otherwise than the credential.
    #[must_use]
    pub fn secret(mut self, key: &str) -> Self {
        key.clone_into(&mut self.secret);
        self
    }

    /// It may go to this host, by https on port 443.
    #[must_use]
    pub fn to_host(mut self, host: &str) -> Self {
        self.destinations.push(Destination::Host(host.to_owned()));
        self
    }

    /// It may go to the origin of the URL in the field with this key.
    #[must_use]
    pub fn to_field(mut self, key: &str) -> Self {
        self.destinations.push(Destination::Field(key.to_owned()));
        self
    }
}

impl Placement {
    /// The header `Authorization: Bearer …`.
    pub fn bearer() -> Self {
        Self::Header(HeaderPlace { name: "authorization".to_owned(), prefix: "Bearer ".to_owned() })
    }
}
