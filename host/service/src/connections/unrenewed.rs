//! Which connections get no new tokens now. Readiness tells of it once for each channel type, however many they are: nobody
//! needs a token to ask for it, so it names none of them. The log does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pqh_runtime::contract::types::Failure;

use crate::health::{Health, Note};

/// Of each connection of a type: what is wrong, and what to do.
type OfType = BTreeMap<String, (String, String)>;

/// All of them.
pub(super) struct Unrenewed {
    health: Arc<Health>,
    /// By type.
    which: Mutex<BTreeMap<String, OfType>>,
}

impl Unrenewed {
    /// None yet.
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self { health, which: Mutex::default() }
    }

    /// One got none.
    pub(super) fn add(&self, channel_type: &str, connection: &str, why: &Failure) {
        let mut which = self.which.lock().unwrap_or_else(PoisonError::into_inner);
        let of_type = which.entry(channel_type.to_owned()).or_default();
        of_type.insert(connection.to_owned(), (why.message.clone(), why.remedy.clone()));
        self.tell(channel_type, of_type.len(), &why.message, &why.remedy);
    }

    /// One got some, or needs none any more.
    pub(super) fn remove(&self, channel_type: &str, connection: &str) {
        let mut which = self.which.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_type) = which.get_mut(channel_type) else { return };
        if of_type.remove(connection).is_none() {
            return;
        }
        if let Some((message, remedy)) = of_type.values().next() {
            self.tell(channel_type, of_type.len(), message, remedy);
        } else {
            which.remove(channel_type);
            self.health.clear_warning(&key(channel_type));
        }
    }

    fn tell(&self, channel_type: &str, count: usize, message: &str, remedy: &str) {
        let message = match count {
            1 => format!("The tokens of a connection of the type {channel_type} are not renewed: {message}"),
            _ => format!(
                "The tokens of {count} connections of the type {channel_type} are not renewed, the log says which; of one \
                 of them: {message}"
            ),
        };
        self.health.warn(&key(channel_type), Note::new("token-not-renewed", message, remedy));
    }
}

/// Under which key readiness keeps it.
fn key(channel_type: &str) -> String {
    format!("renewal-{channel_type}")
}

#[cfg(test)]
mod tests {
    use pqh_runtime::contract::types::FailureKind;

    use super::*;

    #[test]
    fn ten_thousand_connections_make_one_note_for_each_type_that_names_none() {
        let health = Arc::new(Health::default());
        let unrenewed = Unrenewed::new(Arc::clone(&health));
        let why = Failure::new(FailureKind::Unavailable, "down", "The service is down.", "Wait.");
        for number in 0..10_000 {
            unrenewed.add("chat", &format!("id-{number}"), &why);
        }
        unrenewed.add("phone", "id-phone", &why);
        let notes = health.warnings();
        assert_eq!(notes.len(), 2);
        assert!(notes[0].message.contains("10000 connections of the type chat"), "{}", notes[0].message);
        assert!(notes.iter().all(|note| !note.message.contains("id-") && note.remedy == "Wait."));
        for number in 0..9_999 {
            unrenewed.remove("chat", &format!("id-{number}"));
        }
        unrenewed.remove("chat", "id-0");
        assert!(
            health.warnings()[0].message.starts_with("The tokens of a connection of the type chat are not renewed")
        );
        unrenewed.remove("chat", "id-9999");
        unrenewed.remove("phone", "id-phone");
        assert!(health.warnings().is_empty());
    }
}
