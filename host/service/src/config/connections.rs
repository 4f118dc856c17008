//! `[connections.<type>]`: the application that the operator registered with a service, for channel types that people
//! connect. Read, and made into what the runtime takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pqh_runtime::SecretString;
use url::{Host, Url};

use super::error::{ConfigError, Place};
use super::source::Source;

/// `[connections.<type>]`
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// The application's public name.
    pub client_id: String,
    /// Holds the application's secret.
    pub client_secret_file: PathBuf,
    /// Holds the secret that proves what the service sends to us. Without it nothing is taken.
    pub signing_secret_file: Option<PathBuf>,
    /// Holds the one before, while it changes.
    pub previous_signing_secret_file: Option<PathBuf>,
}

const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET_FILE: &str = "client_secret_file";
const SIGNING_SECRET_FILE: &str = "signing_secret_file";
const PREVIOUS_SIGNING_SECRET_FILE: &str = "previous_signing_secret_file";
/// Longer ones before those that they end with.
const KEYS: [&str; 4] = [PREVIOUS_SIGNING_SECRET_FILE, SIGNING_SECRET_FILE, CLIENT_SECRET_FILE, CLIENT_ID];

/// All sections. People come back from a service to the public URL, so there has to be one, and by TLS: their browsers keep
/// what ties them to it for nothing else.
pub(super) fn read(
    source: &mut Source<'_>,
    public_url: Option<&Url>,
) -> Result<BTreeMap<String, ConnectionConfig>, ConfigError> {
    let names = source.connections(&KEYS);
    let sections = names.into_iter().map(|name| Ok((name.clone(), section(source, &name)?)));
    let sections: BTreeMap<_, _> = sections.collect::<Result<_, ConfigError>>()?;
    let Some(name) = sections.keys().next() else { return Ok(sections) };
    match public_url {
        None => Err(source.wrong(
            &format!("connections.{name}.{CLIENT_ID}"),
            format!("there is no public_url: people come back from the service to PUBLIC_URL/oauth/{name}/callback"),
        )),
        Some(url) if url.scheme() != "https" && !is_own_machine(url) => Err(source.wrong(
            "public_url",
            format!(
                "expected https, since there is [connections.{name}]: browsers come back from the service with what is \
                 secret; found {url}"
            ),
        )),
        Some(_) => Ok(sections),
    }
}

/// Whether it is the machine that the browser runs on.
fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn section(source: &mut Source<'_>, name: &str) -> Result<ConnectionConfig, ConfigError> {
    let key = |key: &str| format!("connections.{name}.{key}");
    let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let file = |file: &str| text(file).map(PathBuf::from);
    let client_id = source.text(&key(CLIENT_ID), "the application's client id", text)?;
    let client_secret_file = source.text(&key(CLIENT_SECRET_FILE), "a file", file)?;
    let signing_secret_file = source.text(&key(SIGNING_SECRET_FILE), "a file", file)?;
    let previous_signing_secret_file = source.text(&key(PREVIOUS_SIGNING_SECRET_FILE), "a file", file)?;
    if previous_signing_secret_file.is_some() && signing_secret_file.is_none() {
        let problem = format!("there is no {SIGNING_SECRET_FILE} beside it");
        return Err(source.wrong(&key(PREVIOUS_SIGNING_SECRET_FILE), problem));
    }
    let there = KEYS.into_iter().map(key).find(|key| source.has(key)).unwrap_or_else(|| key(CLIENT_ID));
    let missing = |what: &str| source.wrong(&there, format!("there is no {what} beside it"));
    Ok(ConnectionConfig {
        client_id: client_id.ok_or_else(|| missing(CLIENT_ID))?,
        client_secret_file: client_secret_file.ok_or_else(|| missing(CLIENT_SECRET_FILE))?,
        signing_secret_file,
        previous_signing_secret_file,
    })
}

impl ConnectionConfig {
    /// The application's secret. Reads its file.
    pub(crate) fn client_secret(&self, channel_type: &str) -> Result<SecretString, ConfigError> {
        secret(channel_type, CLIENT_SECRET_FILE, &self.client_secret_file)
    }

    /// The secrets that prove what the service sends, today's first. Reads their files.
    pub(crate) fn signing_secrets(&self, channel_type: &str) -> Result<Vec<SecretString>, ConfigError> {
        let files = [
            (SIGNING_SECRET_FILE, &self.signing_secret_file),
            (PREVIOUS_SIGNING_SECRET_FILE, &self.previous_signing_secret_file),
        ];
        files.into_iter().filter_map(|(key, file)| Some(secret(channel_type, key, file.as_ref()?))).collect()
    }
}

fn secret(channel_type: &str, key: &str, file: &Path) -> Result<SecretString, ConfigError> {
    let unreadable = |reason: String| ConfigError::Key {
        place: Place::Unwritten,
        key: format!("connections.{channel_type}.{key}"),
        problem: format!("{}: {reason}", file.display()),
    };
    let text = SecretString::from(std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?);
    let secret = secrecy::ExposeSecret::expose_secret(&text).trim();
    if secret.is_empty() {
        return Err(unreadable("expected a secret; found nothing".to_owned()));
    }
    Ok(SecretString::from(secret.to_owned()))
}
