//! What components may remember from one call to the next: small, by component and channel, and gone at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

/// Longest key, in bytes.
const KEY_BYTES: usize = 256;
/// Longest value, in bytes.
const VALUE_BYTES: usize = 16 << 10;
/// All values together, in bytes.
const TOTAL_BYTES: u64 = 16 << 20;
/// Longest time that anything is kept.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Clone)]
struct Entry {
    value: String,
    keep: Duration,
}

struct KeptAsAsked;

impl Expiry<(u64, String), Entry> for KeptAsAsked {
    fn expire_after_create(&self, _: &(u64, String), entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.keep)
    }

    fn expire_after_update(
        &self,
        _: &(u64, String),
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.keep)
    }
}

/// All that components remember.
#[derive(Clone)]
pub(crate) struct Memory {
    cache: Cache<(u64, String), Entry>,
    scopes: Arc<AtomicU64>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let weigh = |(_, key): &(u64, String), entry: &Entry| {
            u32::try_from(key.len() + entry.value.len() + 64).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(TOTAL_BYTES).weigher(weigh).expire_after(KeptAsAsked).build();
        Self { cache, scopes: Arc::default() }
    }

    /// A part that nobody else sees: no two channels share one, whatever their components.
    pub(crate) fn next_scope(&self) -> CacheScope {
        CacheScope { memory: self.clone(), scope: self.scopes.fetch_add(1, Ordering::Relaxed) }
    }
}

/// The part of it that one channel's calls see.
pub(crate) struct CacheScope {
    memory: Memory,
    scope: u64,
}

/// What several calls of one component may remember together. Cheap to clone.
#[derive(Clone)]
pub struct SharedCache(pub(crate) Arc<CacheScope>);

impl CacheScope {
    pub(crate) fn get(&self, key: String) -> Option<String> {
        self.memory.cache.get(&(self.scope, key)).map(|entry| entry.value)
    }

    pub(crate) fn put(&self, key: String, value: String, seconds: u32) {
        if key.len() > KEY_BYTES || value.len() > VALUE_BYTES || seconds == 0 {
            return;
        }
        let keep = Duration::from_secs(seconds.into()).min(LONGEST);
        self.memory.cache.insert((self.scope, key), Entry { value, keep });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_scope_does_not_see_what_another_keeps() {
        let memory = Memory::new();
        let (one, two) = (memory.next_scope(), memory.next_scope());
        one.put("k".into(), "v".into(), 60);
        assert_eq!(one.get("k".into()).as_deref(), Some("v"));
        assert_eq!(two.get("k".into()), None);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let scope = Memory::new().next_scope();
        scope.put("k".into(), "x".repeat(VALUE_BYTES + 1), 60);
        scope.put("k".repeat(KEY_BYTES + 1), "v".into(), 60);
        assert_eq!(scope.get("k".into()), None);
    }
}
