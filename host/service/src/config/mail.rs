//! `[mail]`: how mail leaves. Read, and made into the runtime's configuration.

use std::path::PathBuf;

use pqh_runtime::{MailConfig, MailTls, SecretString};

use super::egress::certificates;
use super::error::{ConfigError, Place};
use super::source::Source;

/// `[mail]`. Without a relay no channel can send mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The relay's host, with or without a port.
    pub relay: String,
    /// How the way there is encrypted.
    pub tls: MailTls,
    /// The sender: `alerts@example.com`, or `PyQueryHub <alerts@example.com>`.
    pub from: String,
    /// Who logs in there.
    pub user: Option<String>,
    /// Holds the password.
    pub password_file: Option<PathBuf>,
    /// Files of further certificate authorities (PEM).
    pub extra_ca: Vec<PathBuf>,
    /// The only domains that mail goes to; empty: all.
    pub domains: Vec<String>,
    /// Connections to the relay at the same time.
    pub connections: Option<usize>,
    /// What this host calls itself to the relay.
    pub hello: Option<String>,
}

const RELAY: &str = "mail.relay";
const TLS: &str = "mail.tls";
const FROM: &str = "mail.from";
const USER: &str = "mail.user";
const PASSWORD_FILE: &str = "mail.password_file";
const EXTRA_CA: &str = "mail.extra_ca";
const DOMAINS: &str = "mail.domains";
const CONNECTIONS: &str = "mail.connections";
const HELLO: &str = "mail.hello";

const A_RELAY: &str = "a host, with or without a port, such as smtp.example.com or smtp.example.com:587";
const A_SENDER: &str = "an address such as alerts@example.com or PyQueryHub <alerts@example.com>";
const A_TLS: &str = "\"starttls\" (the default; a relay without it gets no mail), \"implicit\" (TLS from the first byte) or \
                     \"none\"";

impl Mail {
    pub(super) fn read(source: &mut Source<'_>) -> Result<Option<Self>, ConfigError> {
        let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let relay = source.text(RELAY, A_RELAY, text)?;
        let tls = source.text(TLS, A_TLS, |text| match text {
            "starttls" => Some(MailTls::StartTls),
            "implicit" => Some(MailTls::Implicit),
            "none" => Some(MailTls::None),
            _ => None,
        })?;
        let from = source.text(FROM, A_SENDER, text)?;
        let user = source.text(USER, "a user's name", text)?;
        let password_file = source.text(PASSWORD_FILE, "a file", |file| text(file).map(PathBuf::from))?;
        let extra_ca = source.list(EXTRA_CA, "files", |text| Some(PathBuf::from(text)))?.unwrap_or_default();
        let domains = source.list(DOMAINS, "domains, such as [\"example.com\", \"*.example.com\"]", |domain| {
            let config = MailConfig::new("relay.invalid", MailTls::StartTls, "a@sender.invalid").ok()?;
            config.with_domain(domain).ok().map(|_| domain.to_owned())
        })?;
        let connections = source.number(CONNECTIONS, &(1..=100))?;
        let hello = source.text(HELLO, "the name of this host, such as notify.example.com", |name| {
            name.bytes().all(|byte| byte.is_ascii_graphic()).then(|| text(name)).flatten()
        })?;
        let Some(relay) = relay else {
            let without = [FROM, TLS, USER, PASSWORD_FILE, EXTRA_CA, DOMAINS, CONNECTIONS, HELLO];
            return match without.into_iter().find(|key| source.has(key)) {
                Some(key) => Err(source.wrong(key, format!("there is no {RELAY} beside it: expected {A_RELAY}"))),
                None => Ok(None),
            };
        };
        let tls = tls.unwrap_or(MailTls::StartTls);
        let Some(from) = from else {
            return Err(source.wrong(RELAY, format!("there is no {FROM} beside it: expected {A_SENDER}")));
        };
        // The runtime has the last word: asked here, while it is known where they stand.
        if MailConfig::new("relay.invalid", tls, &from).is_err() {
            return Err(source.expected(FROM, A_SENDER, &format!("{from:?}")));
        }
        if MailConfig::new(&relay, tls, &from).is_err() {
            return Err(source.expected(RELAY, A_RELAY, &format!("{relay:?}")));
        }
        match (&user, &password_file) {
            (Some(_), None) => Err(source.wrong(USER, format!("there is no {PASSWORD_FILE} beside it"))),
            (None, Some(_)) => Err(source.wrong(PASSWORD_FILE, format!("there is no {USER} beside it"))),
            _ => Ok(()),
        }?;
        let domains = domains.unwrap_or_default();
        Ok(Some(Self { relay, tls, from, user, password_file, extra_ca, domains, connections, hello }))
    }

    /// The runtime's configuration. Reads the files of password and certificates.
    pub(super) fn config(&self) -> Result<MailConfig, ConfigError> {
        let wrong =
            |key: &str, problem: String| ConfigError::Key { place: Place::Unwritten, key: key.to_owned(), problem };
        let mut mail =
            MailConfig::new(&self.relay, self.tls, &self.from).map_err(|error| wrong(RELAY, error.to_string()))?;
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let unreadable = |reason: String| wrong(PASSWORD_FILE, format!("{}: {reason}", file.display()));
            let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
            let password = text.trim_end_matches(['\r', '\n']);
            if password.is_empty() {
                return Err(unreadable("expected a password; found nothing".to_owned()));
            }
            mail = mail.with_login(user, SecretString::from(password.to_owned()));
        }
        for file in &self.extra_ca {
            for certificate in certificates(file).map_err(|problem| wrong(EXTRA_CA, problem))? {
                mail = mail.with_root(certificate.to_vec());
            }
        }
        for domain in &self.domains {
            mail = mail.with_domain(domain).map_err(|error| wrong(DOMAINS, error.to_string()))?;
        }
        if let Some(connections) = self.connections {
            mail = mail.with_connections(connections);
        }
        if let Some(hello) = &self.hello {
            mail = mail.with_hello(hello);
        }
        mail.validate().map_err(|error| wrong(RELAY, error.to_string()))?;
        Ok(mail)
    }
}
