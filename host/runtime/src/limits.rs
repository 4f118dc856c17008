//! What one call may use, and the count of it.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one call of a component may use. Each limit is enforced, and attacked by a test.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of all linear memories of an instance together.
    pub memory_bytes: usize,
    /// Elements of all tables of an instance together.
    pub table_elements: usize,
    /// From the start of a call to its end, host functions included.
    pub deadline: Duration,
    /// Requests and mails of one call.
    pub requests: usize,
    /// Bytes of one request's body, or of one mail's texts.
    pub request_bytes: usize,
    /// Addresses of one mail.
    pub recipients: usize,
    /// Bytes of one answer's body, after decompression. The rest is cut, and said so.
    pub response_bytes: usize,
    /// Bytes that cross the sandbox's border in one call of a function.
    pub crossing_bytes: usize,
    /// Bytes of log that are kept of one call.
    pub log_bytes: usize,
    /// Characters of each text that a component hands to people.
    pub text_characters: usize,
    /// Calls that run at the same time. More wait for their turn.
    pub concurrency: usize,
}

/// Calls beside those that may wait for nothing: however many of the others hang, these have their turn.
pub(crate) const QUICK: usize = 8;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 16 << 20,
            table_elements: 10_000,
            deadline: Duration::from_secs(30),
            requests: 16,
            request_bytes: 1 << 20,
            recipients: 50,
            response_bytes: 1 << 20,
            crossing_bytes: 4 << 20,
            log_bytes: 16 << 10,
            text_characters: 2_000,
            concurrency: 1_000,
        }
    }
}

/// Counts what an instance has taken: wasmtime asks for each memory and table by itself, we add them up.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_bytes: usize,
    memory_limit: usize,
    table_elements: usize,
    table_limit: usize,
    /// What was refused first, to say it when the component gives up.
    pub(crate) refused: Option<String>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: 0,
            memory_limit: limits.memory_bytes,
            table_elements: 0,
            table_limit: limits.table_elements,
            refused: None,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.memory_limit {
            self.refused.get_or_insert_with(|| {
                format!("it asked for {total} bytes of memory and has a limit of {}", self.memory_limit)
            });
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > self.table_limit {
            self.refused.get_or_insert_with(|| {
                format!("it asked for {total} table elements and has a limit of {}", self.table_limit)
            });
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        32
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_added_up_and_not_counted_one_by_one() {
        let mut meter = Meter::new(&Limits { memory_bytes: 100, ..Limits::default() });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.refused.as_deref().unwrap().contains("120 bytes"));
    }

    #[test]
    fn growth_counts_only_what_is_new() {
        let mut meter = Meter::new(&Limits { memory_bytes: 100, ..Limits::default() });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(60, 100, None).unwrap());
        assert!(!meter.memory_growing(100, 101, None).unwrap());
    }

    #[test]
    fn tables_are_added_up_too() {
        let mut meter = Meter::new(&Limits { table_elements: 10, ..Limits::default() });
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(0, 1, None).unwrap());
    }
}
