//! Each key: its name, what it may hold, and the field that it fills.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use tracing::Level;
use url::Url;

use super::connections;
use super::egress::{self, Egress};
use super::error::ConfigError;
use super::mail::Mail;
use super::source::Source;
use super::{Config, DAY, HOUR, Limits, Log, LogFormat, MINUTE, Retention, Retry, Shutdown};

/// A year: no time is longer.
const LONGEST_DAYS: u64 = 366;

impl Config {
    /// Takes all keys.
    pub(super) fn read(source: &mut Source<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        let public_url = source.text(
            "public_url",
            "an http or https URL without user, path or query, such as https://notify.example.com",
            origin,
        )?;
        Ok(Self {
            listen: source
                .text("listen", "ADDRESS:PORT, such as 127.0.0.1:7070", |text| text.parse().ok())?
                .unwrap_or(default.listen),
            connections: connections::read(source, public_url.as_ref())?,
            public_url,
            trusted_proxies: source
                .list("trusted_proxies", "networks, such as [\"10.0.0.0/8\", \"::1\"]", egress::network)?
                .unwrap_or_default(),
            database: database(source)?.unwrap_or(default.database),
            plugins: path(source, "plugins", "a folder")?,
            master_key_file: path(source, "master_key_file", "a file")?.unwrap_or(default.master_key_file),
            operator_token_file: path(source, "operator_token_file", "a file")?.unwrap_or(default.operator_token_file),
            cache_dir: path(source, "cache_dir", "a folder")?,
            limits: limits(source, &default.limits)?,
            egress: Egress::read(source)?,
            mail: Mail::read(source)?,
            retry: retry(source, default.retry)?,
            retention: retention(source, &default.retention)?,
            log: log(source, &default.log)?,
            shutdown: Shutdown {
                patience: time(source, "shutdown.seconds", 1, &(0..=3_600), default.shutdown.patience)?,
            },
        })
    }
}

fn limits(source: &mut Source<'_>, default: &Limits) -> Result<Limits, ConfigError> {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    Ok(Limits {
        // A component addresses 4 GiB at most.
        memory_bytes: size(source, "limits.memory_mib", MIB, &(1..=4_095), default.memory_bytes)?,
        deadline: time(source, "limits.deadline_seconds", 1, &(1..=600), default.deadline)?,
        response_bytes: size(source, "limits.response_kib", KIB, &(1..=65_536), default.response_bytes)?,
        concurrency: size(source, "limits.concurrency", 1, &(1..=100_000), default.concurrency)?,
        body_bytes: size(source, "limits.body_kib", KIB, &(1..=65_536), default.body_bytes)?,
        requests_per_second: source
            .number("limits.requests_per_second", &(1..=1_000_000))?
            .and_then(NonZeroU32::new)
            .unwrap_or(default.requests_per_second),
        queue: size(source, "limits.queue", 1, &(1..=100_000_000), default.queue)?,
        database_bytes: source
            .number::<u64>("limits.database_mib", &(0..=1 << 30))?
            .filter(|mebibytes| *mebibytes > 0)
            .map(|mebibytes| mebibytes << 20),
    })
}

fn retry(source: &mut Source<'_>, default: Retry) -> Result<Retry, ConfigError> {
    const MINUTES: RangeInclusive<u64> = 1..=24 * 60;
    const LONGEST_KEY: &str = "retry.longest_seconds";
    const FIRST_KEY: &str = "retry.first_seconds";
    let first = time(source, FIRST_KEY, 1, &(1..=DAY), default.first)?;
    let longest = time(source, LONGEST_KEY, 1, &(1..=DAY), default.longest)?;
    if longest < first {
        let (first, longest) = (first.as_secs(), longest.as_secs());
        return Err(if source.has(LONGEST_KEY) {
            source.expected(LONGEST_KEY, &format!("{first} or more, as {FIRST_KEY} has"), &longest.to_string())
        } else {
            source.expected(FIRST_KEY, &format!("{longest} or less, as {LONGEST_KEY} has"), &first.to_string())
        });
    }
    let unknown_outcome = source.list("retry.unknown_outcome_minutes", "minutes from 1 to 1440", |text| {
        let minutes = text.parse().ok().filter(|minutes| MINUTES.contains(minutes))?;
        Some(Duration::from_secs(minutes * MINUTE))
    })?;
    Ok(Retry {
        first,
        longest,
        give_up: time(source, "retry.give_up_hours", HOUR, &(1..=LONGEST_DAYS * 24), default.give_up)?,
        unknown_outcome: unknown_outcome.unwrap_or(default.unknown_outcome),
        lost_leases: source.number("retry.lost_leases", &(0..=1_000))?.unwrap_or(default.lost_leases),
        held: time(source, "retry.held_days", DAY, &(1..=LONGEST_DAYS), default.held)?,
    })
}

fn retention(source: &mut Source<'_>, default: &Retention) -> Result<Retention, ConfigError> {
    let days = 1..=10 * LONGEST_DAYS;
    Ok(Retention {
        delivered: time(source, "retention.delivered_days", DAY, &days, default.delivered)?,
        failed: time(source, "retention.failed_days", DAY, &days, default.failed)?,
        // Publishers count on a day.
        checks: time(source, "retention.checks_days", DAY, &days, default.checks)?,
        idempotency: time(source, "retention.idempotency_hours", HOUR, &(24..=LONGEST_DAYS * 24), default.idempotency)?,
    })
}

fn log(source: &mut Source<'_>, default: &Log) -> Result<Log, ConfigError> {
    let format = source.text("log.format", "\"text\" or \"json\"", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    })?;
    let level = source.text("log.level", "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"", |text| {
        // A level reads numbers too, which nobody would understand in a file.
        text.parse::<Level>().ok().filter(|level| level.as_str().eq_ignore_ascii_case(text))
    })?;
    Ok(Log { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) })
}

/// So many units of so many bytes, or of anything else that is counted.
fn size(
    source: &mut Source<'_>,
    key: &'static str,
    unit: usize,
    range: &RangeInclusive<usize>,
    default: usize,
) -> Result<usize, ConfigError> {
    Ok(source.number(key, range)?.map_or(default, |count| count.saturating_mul(unit)))
}

/// So many units of so many seconds.
fn time(
    source: &mut Source<'_>,
    key: &'static str,
    unit: u64,
    range: &RangeInclusive<u64>,
    default: Duration,
) -> Result<Duration, ConfigError> {
    Ok(source.number(key, range)?.map_or(default, |count: u64| Duration::from_secs(count.saturating_mul(unit))))
}

fn path(source: &mut Source<'_>, key: &'static str, expected: &str) -> Result<Option<PathBuf>, ConfigError> {
    source.text(key, expected, |text| (!text.is_empty()).then(|| PathBuf::from(text)))
}

/// The address of a database may hold a password: what is none of ours is refused by its first word alone.
fn database(source: &mut Source<'_>) -> Result<Option<String>, ConfigError> {
    const KEY: &str = "database";
    const EXPECTED: &str = "sqlite:PATH, such as sqlite:pqh.db";
    let address = source.text(KEY, EXPECTED, |text| Some(text.to_owned()))?;
    match &address {
        Some(address) if address.strip_prefix("sqlite:").is_none_or(|path| path.trim_matches('/').is_empty()) => {
            let found = match address.split_once(':') {
                Some((scheme, _)) => format!("an address that starts with {scheme:?}"),
                None => "a text without a colon".to_owned(),
            };
            Err(source.expected(KEY, EXPECTED, &found))
        }
        _ => Ok(address),
    }
}

/// A URL that is an origin alone.
fn origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (plain && bare).then_some(url)
}
