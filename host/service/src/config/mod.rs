//! The service's configuration: `pqh.toml`, and each of its keys as an environment variable, `PQH_…`, which goes before the
//! file. Relative paths are those of the folder that the program is started in.

pub(crate) mod cache;
mod connections;
mod egress;
mod error;
mod mail;
mod read;
mod source;
mod value;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use pqh_runtime::{GateConfig, MailConfig};
use tracing::Level;
use url::Url;

pub use connections::ConnectionConfig;
pub use egress::Egress;
pub use error::{ConfigError, Place};
pub use mail::Mail;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How the service runs. The default is what an empty file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// How people reach this service: `https://notify.example.com`. An origin alone.
    pub public_url: Option<Url>,
    /// Proxies that are believed what they say of a client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// `sqlite:PATH`
    pub database: String,
    /// The folder of components that are not built in.
    pub plugins: Option<PathBuf>,
    /// Holds the master key.
    pub master_key_file: PathBuf,
    /// Gets the first operator's token.
    pub operator_token_file: PathBuf,
    /// Where compiled components are kept; none: the user's own cache folder, where it can be used.
    pub cache_dir: Option<PathBuf>,
    /// `[limits]`
    pub limits: Limits,
    /// `[egress]`
    pub egress: Egress,
    /// `[mail]`; none: no channel can send any.
    pub mail: Option<Mail>,
    /// `[connections.<type>]`, by channel type: those that people connect.
    pub connections: BTreeMap<String, ConnectionConfig>,
    /// `[retry]`
    pub retry: Retry,
    /// `[retention]`
    pub retention: Retention,
    /// `[log]`
    pub log: Log,
    /// `[shutdown]`
    pub shutdown: Shutdown,
}

/// `[limits]`: what calls and callers may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of one call of a component.
    pub memory_bytes: usize,
    /// Of one call of a component.
    pub deadline: Duration,
    /// The body of an answer that a component gets.
    pub response_bytes: usize,
    /// Calls of components at the same time.
    pub concurrency: usize,
    /// The body of a request to the API.
    pub body_bytes: usize,
    /// Of each token.
    pub requests_per_second: NonZeroU32,
    /// Undelivered deliveries of one organization.
    pub queue: usize,
    /// How large the database may grow; none: as large as the disk lets it.
    pub database_bytes: Option<u64>,
}

/// `[retry]`: how long and how often deliveries are tried.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The first backoff.
    pub first: Duration,
    /// The longest backoff.
    pub longest: Duration,
    /// From the first attempt until a delivery fails.
    pub give_up: Duration,
    /// Waits after attempts of which nobody knows the outcome, one after another; then the delivery fails.
    pub unknown_outcome: Vec<Duration>,
    /// Leases that may end without an outcome.
    pub lost_leases: u32,
    /// How long a delivery is held before it fails.
    pub held: Duration,
}

/// `[retention]`: how long what has ended is kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// What was delivered, folded or cancelled.
    pub delivered: Duration,
    /// What failed.
    pub failed: Duration,
    /// Keys of events, so that the same is not sent twice.
    pub idempotency: Duration,
    /// Checks of alerts.
    pub checks: Duration,
}

/// `[log]`: what the service says of itself.
#[derive(Clone, Debug)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// From which level on.
    pub level: Level,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `[shutdown]`: how the service ends.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// How long it waits for what is being sent.
    pub patience: Duration,
}

impl Config {
    /// Reads the file that is named, else `pqh.toml` where there is one, and the environment.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let file = source::File::read(file)?;
        let mut source = source::Source::new(&file, environment)?;
        let config = Self::read(&mut source)?;
        source.finish()?;
        Ok(config)
    }

    /// Reads the environment alone.
    pub fn of_variables(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let file = source::File::default();
        let mut source = source::Source::new(&file, environment)?;
        let config = Self::read(&mut source)?;
        source.finish()?;
        Ok(config)
    }

    /// How the gate sends. Reads the files of extra certificates.
    pub fn gate(&self) -> Result<GateConfig, ConfigError> {
        self.egress.gate()
    }

    /// How mail leaves, where it can. Reads the files of password and extra certificates.
    pub fn mail(&self) -> Result<Option<MailConfig>, ConfigError> {
        self.mail.as_ref().map(Mail::config).transpose()
    }

    /// What one call of a component may use.
    pub fn runtime_limits(&self) -> pqh_runtime::Limits {
        let default = pqh_runtime::Limits::default();
        let Limits { memory_bytes, deadline, response_bytes, concurrency, .. } = self.limits;
        // An answer crosses the sandbox's border, beside everything else of its call.
        let crossing_bytes = default.crossing_bytes.max(response_bytes.saturating_mul(4));
        pqh_runtime::Limits { memory_bytes, deadline, response_bytes, concurrency, crossing_bytes, ..default }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)),
            public_url: None,
            trusted_proxies: Vec::new(),
            database: "sqlite:pqh.db".to_owned(),
            plugins: None,
            master_key_file: PathBuf::from("pqh.key"),
            operator_token_file: PathBuf::from("operator.token"),
            cache_dir: None,
            limits: Limits::default(),
            egress: Egress::default(),
            mail: None,
            connections: BTreeMap::new(),
            retry: Retry::default(),
            retention: Retention::default(),
            log: Log { format: LogFormat::Text, level: Level::INFO },
            shutdown: Shutdown { patience: Duration::from_secs(40) },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 16 << 20,
            deadline: Duration::from_secs(30),
            response_bytes: 1 << 20,
            concurrency: 1_000,
            body_bytes: 1 << 20,
            requests_per_second: NonZeroU32::new(5_000).unwrap_or(NonZeroU32::MAX),
            queue: 100_000,
            database_bytes: None,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10 * MINUTE),
            give_up: Duration::from_secs(DAY),
            unknown_outcome: [1, 10, 60].map(|minutes| Duration::from_secs(minutes * MINUTE)).to_vec(),
            lost_leases: 10,
            held: Duration::from_secs(7 * DAY),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            delivered: Duration::from_secs(30 * DAY),
            failed: Duration::from_secs(90 * DAY),
            idempotency: Duration::from_secs(DAY),
            checks: Duration::from_secs(30 * DAY),
        }
    }
}

#[cfg(test)]
mod tests;
