//! How many deliveries of each organization have not ended: what backpressure goes by.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts by organization.
pub(super) struct Open {
    most: i64,
    counts: Mutex<HashMap<String, i64>>,
}

impl Open {
    /// At most so many of one organization; with what a start found.
    pub(super) fn new(most: usize, counts: Vec<(String, i64)>) -> Self {
        Self { most: i64::try_from(most).unwrap_or(i64::MAX), counts: Mutex::new(counts.into_iter().collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts more, unless there are too many already: then says how many are allowed.
    pub(super) fn reserve(&self, organization: &str, more: usize) -> Result<(), i64> {
        let mut counts = self.lock();
        let count = counts.get(organization).copied().unwrap_or(0);
        if count >= self.most {
            return Err(self.most);
        }
        counts.insert(organization.to_owned(), count.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)));
        Ok(())
    }

    /// Whether there may be more; else how many are allowed.
    pub(super) fn has_room(&self, organization: &str) -> Result<(), i64> {
        let count = self.lock().get(organization).copied().unwrap_or(0);
        if count < self.most { Ok(()) } else { Err(self.most) }
    }

    /// Counts anew.
    pub(super) fn reset(&self, counts: Vec<(String, i64)>) {
        *self.lock() = counts.into_iter().collect();
    }

    /// Counts more, however many there are.
    pub(super) fn add(&self, organization: &str, more: usize) {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        let mut counts = self.lock();
        let count = counts.entry(organization.to_owned()).or_default();
        *count = count.saturating_add(more);
        if *count == 0 {
            counts.remove(organization);
        }
    }

    /// So many ended.
    pub(super) fn ended(&self, organization: &str, count: usize) {
        let mut counts = self.lock();
        // Below zero for a moment, where what was kept ends before it is counted.
        let left = counts.entry(organization.to_owned()).or_default();
        *left -= i64::try_from(count).unwrap_or(i64::MAX);
        if *left == 0 {
            counts.remove(organization);
        }
    }

    /// Of all organizations.
    pub(super) fn total(&self) -> i64 {
        self.lock().values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organization_with_too_many_is_refused_and_no_other() {
        let open = Open::new(3, vec![("a".to_owned(), 2)]);
        assert_eq!(open.reserve("a", 1), Ok(()));
        assert_eq!(open.reserve("a", 1), Err(3));
        assert_eq!(open.reserve("b", 1), Ok(()));
        open.ended("a", 1);
        assert_eq!(open.reserve("a", 1), Ok(()));
        assert_eq!(open.total(), 4);
    }
}
