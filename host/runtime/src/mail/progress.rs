//! Who has a mail already, from one attempt of a delivery to the next: nobody gets it twice, and nobody is lost.

use std::collections::BTreeMap;

use lettre::Address;
use serde::{Deserialize, Serialize};

/// By the mails' own identities. Embedders keep it as text and know nothing of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    mails: BTreeMap<String, MailProgress>,
}

/// How far one mail is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MailProgress {
    /// Its `Date`, in seconds since 1970: the same at every attempt.
    pub(super) date: u64,
    /// Who has it.
    #[serde(default)]
    pub(super) taken: Vec<Address>,
}

impl Progress {
    /// Reads what an earlier attempt left. What is not understood counts as nothing: then a mail may be doubled, not lost.
    pub(crate) fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What the next attempt has to know; none where nothing was sent.
    pub(crate) fn write(&self) -> Option<String> {
        if self.mails.is_empty() { None } else { serde_json::to_string(self).ok() }
    }

    /// Of one mail, from now on.
    pub(super) fn of(&mut self, message_id: &str, now: u64) -> &mut MailProgress {
        self.mails.entry(message_id.to_owned()).or_insert_with(|| MailProgress { date: now, ..MailProgress::default() })
    }
}

impl MailProgress {
    /// Who is still to get it. Who was refused before is asked for again: somebody may have mended that.
    pub(super) fn left(&self, to: &[Address]) -> Vec<Address> {
        to.iter().filter(|address| !self.taken.contains(address)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_is_left_out_at_the_next_attempt() {
        let to: Vec<Address> = ["a@x.example", "b@x.example"].map(|text| text.parse().unwrap()).into();
        let mut first = Progress::default();
        assert_eq!(first.write(), None);
        first.of("<1@x>", 7).taken.push(to[0].clone());
        let mut next = Progress::read(first.write().as_deref());
        assert_eq!(next.of("<1@x>", 99).date, 7);
        assert_eq!(next.of("<1@x>", 99).left(&to), [to[1].clone()]);
        assert_eq!(next.of("<2@x>", 99).left(&to), to);
    }

    #[test]
    fn what_is_not_understood_counts_as_nothing() {
        assert_eq!(Progress::read(Some("{")).write(), None);
    }
}
