//! What a store holds during one call.

use std::sync::Arc;
use std::time::Instant;

use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::cache::CacheScope;
use crate::egress::Egress;
use crate::limits::{Limits, Meter};
use crate::log::{CallLog, Console, LogLevel};
use crate::standing::Standing;

/// The host's side of one call: dropped with the sandbox when the call ends.
pub(crate) struct CallState {
    pub(crate) meter: Meter,
    pub(crate) log: CallLog,
    pub(crate) egress: Egress,
    pub(crate) cache: Option<Arc<CacheScope>>,
    pub(crate) standing: Option<Arc<dyn Standing>>,
    pub(crate) deadline: Instant,
    /// Made when the component first uses it: many never do.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

impl CallState {
    pub(crate) fn new(limits: &Limits, log: CallLog, egress: Egress, deadline: Instant) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(256);
        Self { meter: Meter::new(limits), log, egress, cache: None, standing: None, deadline, wasi: None, table }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let log = &self.log;
        WasiCtxView { ctx: self.wasi.get_or_insert_with(|| empty_wasi(log)), table: &mut self.table }
    }
}

/// Nothing preopened, no environment, no arguments, no network. Output goes into the log.
fn empty_wasi(log: &CallLog) -> WasiCtx {
    WasiCtxBuilder::new()
        .stdout(Console { log: log.clone(), level: LogLevel::Info })
        .stderr(Console { log: log.clone(), level: LogLevel::Warn })
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(64 << 10)
        .build()
}
