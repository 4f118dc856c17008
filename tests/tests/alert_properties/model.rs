//! What each alert has to do with a check, by `product/alerts.md` and nothing else.

use std::collections::BTreeSet;

/// An alert as it has to be.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) triggered: bool,
    /// Milliseconds.
    pub(crate) cooldown: i64,
    pub(crate) muted_until: i64,
    pub(crate) channels: BTreeSet<usize>,
    /// Counts its incidents.
    pub(crate) incident: usize,
    /// Channels that were told of this incident.
    pub(crate) told: BTreeSet<usize>,
    notified_at: Option<i64>,
    /// Its last check that counted: when, its value, and the event that it led to.
    pub(crate) last: Option<(i64, usize, Option<String>)>,
}

/// What follows from a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    Silence(&'static str),
    Trigger(BTreeSet<usize>),
    Resolution(BTreeSet<usize>),
}

impl Alert {
    pub(crate) fn new(name: &str, channels: impl IntoIterator<Item = usize>) -> Self {
        Self {
            name: name.to_owned(),
            triggered: false,
            cooldown: 0,
            muted_until: 0,
            channels: channels.into_iter().collect(),
            incident: 0,
            told: BTreeSet::new(),
            notified_at: None,
            last: None,
        }
    }

    /// A check of the time `at`, that comes at `now`.
    pub(crate) fn check(&mut self, broken: bool, at: i64, now: i64) -> Follows {
        let was_triggered = std::mem::replace(&mut self.triggered, broken);
        if broken {
            if !was_triggered {
                self.incident += 1;
                self.notified_at = None;
                self.told.clear();
            }
            if self.muted_until > now {
                return Follows::Silence("muted");
            }
            if self.notified_at.is_some_and(|told| at - told < self.cooldown) {
                return Follows::Silence("cooldown");
            }
            self.notified_at = Some(at);
            self.told.extend(&self.channels);
            return Follows::Trigger(self.channels.clone());
        }
        match (was_triggered, self.told.is_empty()) {
            (false, _) => Follows::Silence("rules-not-met"),
            (true, true) => Follows::Silence("never-told"),
            (true, false) => Follows::Resolution(self.told.clone()),
        }
    }
}
