//! A loaded component: what it is, what it wants, and a fresh sandbox of it for each call.

use std::sync::Arc;
use std::time::Instant;

use regex::Regex;
use serde_json::{Map, Value};
use wasmtime::{Store, UpdateDeadline};

use crate::channel::Channel;
use crate::contract::channel::Descriptor;
use crate::contract::{ChannelPlugin, ChannelPluginPre};
use crate::egress::Egress;
use crate::grant::Grant;
use crate::hash::Sha256;
use crate::load::LoadError;
use crate::log::CallLog;
use crate::runtime::Runtime;
use crate::secrets::SecretSource;
use crate::settings::{self, ConfigureError};
use crate::state::CallState;

/// Who made a component, from its standard metadata sections. Claims of its author, not facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Who wrote it.
    pub authors: Option<String>,
    /// Its licence, as SPDX expression.
    pub licenses: Option<String>,
    /// Where its source is.
    pub source: Option<String>,
}

impl Metadata {
    /// Metadata that cannot be read is as good as none.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let Ok(payload) = wasm_metadata::Payload::from_binary(bytes) else { return Self::default() };
        let metadata = payload.metadata();
        let clean = |text: String| crate::text::line(&text, 200);
        Self {
            name: metadata.name.clone().map(clean),
            version: metadata.version.as_ref().map(ToString::to_string).map(clean),
            description: metadata.description.as_ref().map(ToString::to_string).map(clean),
            authors: metadata.authors.as_ref().map(ToString::to_string).map(clean),
            licenses: metadata.licenses.as_ref().map(ToString::to_string).map(clean),
            source: metadata.source.as_ref().map(ToString::to_string).map(clean),
        }
    }
}

/// A loaded component. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    runtime: Runtime,
    pre: ChannelPluginPre<CallState>,
    descriptor: Descriptor,
    /// The fields' patterns in the descriptor's order, compiled once.
    patterns: Vec<Vec<Regex>>,
    metadata: Metadata,
    sha256: Sha256,
    size: usize,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Plugin {
    #[expect(clippy::too_many_arguments, reason = "called once, by the door that gathers all of it")]
    pub(crate) fn new(
        runtime: Runtime,
        pre: ChannelPluginPre<CallState>,
        descriptor: Descriptor,
        metadata: Metadata,
        sha256: Sha256,
        size: usize,
        imports: Vec<String>,
        exports: Vec<String>,
    ) -> Self {
        let patterns = descriptor
            .fields
            .iter()
            // What does not compile was refused with the descriptor.
            .map(|field| field.rules.iter().filter_map(|rule| settings::whole(&rule.pattern).ok()).collect())
            .collect();
        Self(Arc::new(Inner { runtime, pre, descriptor, patterns, metadata, sha256, size, imports, exports }))
    }

    /// What it says of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.0.descriptor
    }

    /// Who made it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// The identity that grants name.
    pub fn sha256(&self) -> &Sha256 {
        &self.0.sha256
    }

    /// Bytes of the component.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// The interfaces with functions that it imports. What is not here, it cannot do.
    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }

    /// What it exports: `connection`, `directory` and `inbound` are optional.
    pub fn exports(&self) -> &[String] {
        &self.0.exports
    }

    /// A channel of this type. Checks settings and secrets against the fields that the component describes, and the
    /// grant against its SHA-256.
    pub async fn configure(
        &self,
        grant: Grant,
        settings: Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Channel, ConfigureError> {
        settings::check(self, &grant, &settings, Some(secrets.as_ref())).await?;
        Ok(Channel::new(self.clone(), grant, settings, secrets))
    }

    /// As [`Plugin::configure`], for [`Channel::preview`] alone: reads no secret, and none has to be filled in.
    pub async fn configure_preview(
        &self,
        grant: Grant,
        settings: Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Channel, ConfigureError> {
        settings::check(self, &grant, &settings, None).await?;
        Ok(Channel::new(self.clone(), grant, settings, secrets))
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(crate) fn patterns(&self, field: usize) -> &[Regex] {
        self.0.patterns.get(field).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn pre(&self) -> &ChannelPluginPre<CallState> {
        &self.0.pre
    }
}

/// A store with all limits set, before anything of the component runs.
pub(crate) fn store(runtime: &Runtime, state: CallState) -> Store<CallState> {
    let inner = &runtime.0;
    let mut store = Store::new(&inner.engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(inner.limits.crossing_bytes);
    store.set_max_component_handles(256);
    store.set_epoch_deadline(1);
    // Each tick lets others run; past the deadline it ends.
    store.epoch_deadline_callback(|context| {
        if Instant::now() >= context.data().deadline {
            return Err(wasmtime::Error::new(PastDeadline));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// The component still computed when its time was over.
#[derive(Debug, thiserror::Error)]
#[error("it was still computing when its time was over")]
pub(crate) struct PastDeadline;

/// Instantiates.
pub(crate) async fn instantiate(
    pre: &ChannelPluginPre<CallState>,
    store: &mut Store<CallState>,
) -> wasmtime::Result<ChannelPlugin> {
    pre.instantiate_async(store).await
}

/// Asks a component what it is, with every import answering "denied".
pub(crate) async fn describe(runtime: &Runtime, pre: &ChannelPluginPre<CallState>) -> Result<Descriptor, LoadError> {
    let limits = &runtime.0.limits;
    let deadline = Instant::now() + limits.deadline;
    let log = CallLog::new(limits.log_bytes, limits.text_characters);
    let mut store = store(runtime, CallState::new(limits, log, Egress::Denied, deadline));
    let call = async {
        let plugin = instantiate(pre, &mut store).await?;
        plugin.pyqueryhub_notify_channel().call_describe(&mut store).await
    };
    let _slot = runtime.0.slots.acquire().await;
    let _running = runtime.0.ticker.enter();
    let result = tokio::time::timeout(limits.deadline, call).await;
    let refused = store.data().meter.refused.clone();
    match result {
        Ok(Ok(descriptor)) => Ok(descriptor),
        Ok(Err(error)) => Err(LoadError::Trial(crate::outcome::reason(&error, refused.as_deref()))),
        Err(_) => Err(LoadError::Trial(format!("it did not answer within {:?}", limits.deadline))),
    }
}
