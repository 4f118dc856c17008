//! The runtime: one engine, one linker, one gate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::aot::CompiledCache;
use crate::cache::Memory;
use crate::engine::{Ticker, engine};
use crate::gate::Gate;
use crate::gate::config::GateConfig;
use crate::limits::{Limits, QUICK};
use crate::linker::linker;
use crate::load::{self, LoadError};
use crate::mail::{MailConfig, Post};
use crate::plugin::Plugin;
use crate::state::CallState;

/// Why a runtime could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// wasmtime refused the settings, or this machine cannot run it.
    #[error("the WebAssembly engine cannot start here: {0}")]
    Engine(String),
    /// The folder for compiled components is no good.
    #[error("compiled components cannot be kept in {folder}: {source}")]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The gate's TLS cannot be set up.
    #[error("the gate cannot set up TLS: {0}")]
    Tls(String),
    /// Mail cannot be set up.
    #[error("mail cannot be set up: {0}")]
    Mail(String),
}

/// Makes a [`Runtime`].
#[derive(Clone, Debug, Default)]
pub struct RuntimeBuilder {
    limits: Limits,
    gate: GateConfig,
    mail: Option<MailConfig>,
    cache: Option<PathBuf>,
}

impl RuntimeBuilder {
    /// What one call may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How the gate sends.
    #[must_use]
    pub fn gate(mut self, gate: GateConfig) -> Self {
        self.gate = gate;
        self
    }

    /// How mail leaves. Without it no component can send any.
    #[must_use]
    pub fn mail(mut self, mail: MailConfig) -> Self {
        self.mail = Some(mail);
        self
    }

    /// Keeps compiled components in this folder, which only its user may enter: it holds native code. Made, mode 0700,
    /// where it is not there. Without it every start compiles anew (a tenth of a second each).
    #[must_use]
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Starts the engine.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let Self { limits, gate, mail, cache } = self;
        let fail = |error: wasmtime::Error| BuildError::Engine(format!("{error:#}"));
        let engine = engine(&limits).map_err(fail)?;
        let linker = linker(&engine).map_err(fail)?;
        let ticker = Ticker::start(&engine).map_err(|error| BuildError::Engine(error.to_string()))?;
        let cache = match cache {
            Some(folder) => Some(CompiledCache::open(&folder).map_err(|source| BuildError::Cache { folder, source })?),
            None => None,
        };
        let gate = Gate::new(gate, &limits).map_err(BuildError::Tls)?;
        let post = mail.map(Post::new).transpose().map_err(BuildError::Mail)?;
        let (slots, quick) = (Semaphore::new(limits.concurrency), Semaphore::new(QUICK));
        let memory = Memory::new();
        Ok(Runtime(Arc::new(Inner { engine, linker, ticker, cache, gate, post, limits, slots, quick, memory })))
    }
}

/// Loads components and runs them. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<CallState>,
    pub(crate) ticker: Ticker,
    pub(crate) cache: Option<CompiledCache>,
    pub(crate) gate: Gate,
    pub(crate) post: Option<Post>,
    pub(crate) limits: Limits,
    /// Together as many as the engine's pool has sandboxes: of calls that wait for services, and of those that cannot.
    pub(crate) slots: Semaphore,
    pub(crate) quick: Semaphore,
    pub(crate) memory: Memory,
}

impl Runtime {
    /// With limits and a gate that allow what a notification needs, and nothing else.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// Loads a component from a file, compiles it (or takes what was compiled before), instantiates it once on trial
    /// and asks what it is.
    pub async fn load_file(&self, path: impl AsRef<Path>) -> Result<Plugin, LoadError> {
        let path = path.as_ref();
        let bytes =
            tokio::fs::read(path).await.map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        self.load_bytes(&bytes).await
    }

    /// As [`Runtime::load_file`], from bytes.
    pub async fn load_bytes(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        load::load(self, bytes).await
    }

    /// What one call may use.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }
}
