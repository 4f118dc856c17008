//! The wasmtime engine: one function makes its settings, for compiling and for running alike.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::{Limits, QUICK};

/// How often running components are made to yield.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The settings of every engine here. Code compiled with others would not be taken from the cache.
fn config(limits: &Limits, pooling: bool) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    // Each call has one task: the bookkeeping for concurrent ones costs microseconds.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    // A component's stack, and the host's below it. Small, since each delivery in flight has one.
    config.max_wasm_stack(256 << 10);
    config.async_stack_size(512 << 10);
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    // Address space of one memory: the limit itself, and no more, so that thousands fit.
    config.memory_reservation(limits.memory_bytes as u64);
    config.memory_reservation_for_growth(0);
    config.memory_guard_size(64 << 10);
    config.memory_init_cow(true);
    if pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    }
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let slots = u32::try_from(limits.concurrency.saturating_add(QUICK)).unwrap_or(u32::MAX / 8);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        // wit-component makes a main module, a shim and a fixup; other languages add adapters.
        .total_core_instances(slots.saturating_mul(4))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(3))
        .total_stacks(slots)
        .max_core_instances_per_component(32)
        .max_memories_per_component(4)
        .max_tables_per_component(16)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        // Resetting what was touched is cheaper than unmapping it.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(8 << 10)
        .async_stack_keep_resident(64 << 10)
        // Linux 6.7 and later tells which pages were touched.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// An engine with a pool of slots, or without where the address space for them cannot be had.
pub(crate) fn engine(limits: &Limits) -> wasmtime::Result<Engine> {
    match Engine::new(&config(limits, true)) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(
                error = %format!("{error:#}"),
                "no address space for {} pooled sandboxes: falling back to slower ones on demand; lower `concurrency` or raise the limit on virtual memory",
                limits.concurrency
            );
            Engine::new(&config(limits, false))
        }
    }
}

/// Advances the engine's epoch while calls run, and sleeps while none does.
pub(crate) struct Ticker {
    running: Arc<AtomicUsize>,
    thread: Thread,
}

/// One running call; the ticker ticks until the last of them is dropped.
pub(crate) struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let running = Arc::new(AtomicUsize::new(0));
        let observed: Weak<AtomicUsize> = Arc::downgrade(&running);
        let weak = engine.weak();
        let handle = thread::Builder::new().name("pqh-epochs".to_owned()).spawn(move || {
            loop {
                let Some(running) = observed.upgrade() else { return };
                let idle = running.load(Ordering::Acquire) == 0;
                drop(running);
                if idle {
                    // Woken by the next call, and now and then to see whether the engine is still there.
                    thread::park_timeout(Duration::from_secs(5));
                    continue;
                }
                thread::sleep(TICK);
                let Some(engine) = weak.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { running, thread: handle.thread().clone() })
    }

    pub(crate) fn enter(&self) -> Running {
        if self.running.fetch_add(1, Ordering::AcqRel) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.running))
    }
}
