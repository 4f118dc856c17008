//! How often the service looked at all channels of a connection anew, as its log tells it: that costs a write for each.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// By connection.
static LOOKS: OnceLock<Mutex<HashMap<String, usize>>> = OnceLock::new();

/// Counts from now on, for all tests of this program.
pub fn count() {
    LOOKS.get_or_init(|| {
        let log = Targets::new().with_target("pqh::delivery::loss", Level::DEBUG);
        let counting = tracing_subscriber::registry().with(Looks.with_filter(log));
        tracing::subscriber::set_global_default(counting).unwrap();
        Mutex::default()
    });
}

/// How often it was, since it is counted.
pub fn at(connection: &str) -> usize {
    let looks = LOOKS.get().map(|looks| looks.lock().unwrap_or_else(PoisonError::into_inner));
    looks.and_then(|looks| looks.get(connection).copied()).unwrap_or(0)
}

struct Looks;

impl<S: Subscriber> Layer<S> for Looks {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.message.contains("looked at anew")
            && let Some(looks) = LOOKS.get()
        {
            *looks.lock().unwrap_or_else(PoisonError::into_inner).entry(line.connection).or_default() += 1;
        }
    }
}

#[derive(Default)]
struct Line {
    message: String,
    connection: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "connection" => self.connection = format!("{value:?}"),
            _ => {}
        }
    }
}
