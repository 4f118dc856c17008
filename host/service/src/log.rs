//! The service's log: to standard error, as text or as lines of JSON, with the time.

use std::io::IsTerminal as _;

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::LogFormat;

/// Our own crates, and what components say.
const OURS: [&str; 3] = ["pqh", "pqh_runtime", "component"];

/// Begins to log. A process logs in one way: where a log was begun before, that one stays.
pub(crate) fn start(format: LogFormat, level: Level) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // The only error is a log that was begun before.
    drop(tracing_subscriber::registry().with(lines.with_filter(filter(level))).try_init());
}

/// Libraries tell no more than the usual: in their finer words stand addresses, and an address can be a credential.
fn filter(level: Level) -> Targets {
    let level = LevelFilter::from_level(level);
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_targets(OURS.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_for_our_own_words_and_not_for_those_of_libraries() {
        let filter = filter(Level::DEBUG);
        assert!(filter.would_enable("pqh::delivery", &Level::DEBUG));
        assert!(filter.would_enable("component", &Level::DEBUG));
        assert!(!filter.would_enable("hyper_util::client", &Level::DEBUG));
        assert!(filter.would_enable("hyper_util::client", &Level::INFO));
    }

    #[test]
    fn a_higher_level_is_for_all() {
        let filter = filter(Level::ERROR);
        assert!(!filter.would_enable("pqh", &Level::WARN));
        assert!(!filter.would_enable("sqlx", &Level::WARN));
        assert!(filter.would_enable("sqlx", &Level::ERROR));
    }
}
