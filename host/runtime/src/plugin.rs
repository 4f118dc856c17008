//! A loaded component: what it is, what it wants, and a fresh sandbox of it for each call.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use regex::Regex;
use serde_json::{Map, Value};
use url::Url;
use wasmtime::{Store, UpdateDeadline};

use crate::cache::SharedCache;
use crate::channel::Channel;
use crate::connection::{self, Connection};
use crate::contract::channel::Descriptor;
use crate::contract::connecting::ConnectingPre;
use crate::contract::connecting::connection::Oauth2Service;
use crate::contract::listing::ListingPre;
use crate::contract::receiving::ReceivingPre;
use crate::contract::receiving::inbound::{Proof, Reception, Request};
use crate::contract::types::{Failure, Workspace};
use crate::contract::{ChannelPlugin, ChannelPluginPre};
use crate::egress::Egress;
use crate::grant::Grant;
use crate::hash::Sha256;
use crate::inbound::{self, Unproven};
use crate::load::LoadError;
use crate::log::CallLog;
use crate::oauth::{self, OauthClient, OauthError, Tokens};
use crate::runtime::Runtime;
use crate::secrets::{SecretSource, SecretString};
use crate::settings::{self, ConfigureError};
use crate::state::CallState;

/// What a component exports beside its channel, and what it says of that.
#[derive(Default)]
pub(crate) struct Optional {
    pub(crate) connecting: Option<ConnectingPre<CallState>>,
    pub(crate) listing: Option<ListingPre<CallState>>,
    pub(crate) receiving: Option<ReceivingPre<CallState>>,
    pub(crate) oauth2: Option<Oauth2Service>,
    pub(crate) proof: Option<Proof>,
}

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
    optional: Optional,
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
        optional: Optional,
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
        Self(Arc::new(Inner { runtime, pre, optional, descriptor, patterns, metadata, sha256, size, imports, exports }))
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
        Ok(Channel::new(self.clone(), grant, None, settings, secrets))
    }

    /// As [`Plugin::configure`] or [`Plugin::configure_in`], for [`Channel::preview`] alone: reads no secret, and none has
    /// to be filled in. A component whose service people connect never delivers without a workspace: where none is
    /// connected yet, it sees one that is called "preview".
    pub async fn configure_preview(
        &self,
        grant: Grant,
        workspace: Option<Workspace>,
        settings: Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Channel, ConfigureError> {
        settings::check(self, &grant, &settings, None).await?;
        let stand_in = || {
            let name = "preview".to_owned();
            self.oauth2().map(|_| Workspace { id: name.clone(), name, memo: String::new() })
        };
        Ok(Channel::new(self.clone(), grant, workspace.or_else(stand_in), settings, secrets))
    }

    /// How its service is connected, where people connect it.
    pub fn oauth2(&self) -> Option<&Oauth2Service> {
        self.0.optional.oauth2.as_ref()
    }

    /// Whether its targets can be listed.
    pub fn lists_targets(&self) -> bool {
        self.0.optional.listing.is_some()
    }

    /// How it is known that a message comes from its service, where that sends any.
    pub fn verification(&self) -> Option<&Proof> {
        self.0.optional.proof.as_ref()
    }

    /// A channel of this type in a connected workspace, whose tokens are among `secrets` by their credentials' names.
    pub async fn configure_in(
        &self,
        grant: Grant,
        workspace: Workspace,
        settings: Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Channel, ConfigureError> {
        settings::check(self, &grant, &settings, Some(secrets.as_ref())).await?;
        Ok(Channel::new(self.clone(), grant, Some(workspace), settings, secrets))
    }

    /// A cache to be shared by a connection and its channels.
    pub fn shared_cache(&self) -> SharedCache {
        SharedCache(Arc::new(self.runtime().0.memory.next_scope()))
    }

    /// A workspace with its tokens, by their credentials' names.
    pub fn connection(&self, grant: Grant, tokens: Arc<dyn SecretSource>) -> Connection {
        Connection::new(self.clone(), grant, tokens)
    }

    /// Where a person is sent to connect. `state` comes back with them; `verifier` is for PKCE, where the service uses it.
    pub fn authorize_url(
        &self,
        grant: &Grant,
        client: &OauthClient,
        state: &str,
        verifier: &str,
    ) -> Result<Url, OauthError> {
        oauth::authorize_url(self, grant, client, state, verifier)
    }

    /// Exchanges the code that a person brought back. Once: a code works no second time.
    pub async fn exchange(
        &self,
        grant: &Grant,
        client: &OauthClient,
        code: &SecretString,
        verifier: &str,
    ) -> Result<Tokens, OauthError> {
        oauth::exchange(self, grant, client, code, verifier).await
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn renew(
        &self,
        grant: &Grant,
        client: &OauthClient,
        refresh: &SecretString,
    ) -> Result<Tokens, OauthError> {
        oauth::renew(self, grant, client, refresh).await
    }

    /// Whether a message is the service's, by one of the signing secrets that are shared with it: the one of today, and
    /// while it changes the one of yesterday.
    pub fn verify(&self, request: &Request, secrets: &[SecretString], now: SystemTime) -> Result<(), Unproven> {
        match self.verification() {
            Some(proof) => inbound::verify(proof, request, secrets, now),
            None => Err(Unproven::Missing),
        }
    }

    /// Whether a message can be the service's, as far as it is known without its body: what is to prove it is there, and of
    /// now.
    pub fn presents(&self, head: &Request, secrets: &[SecretString], now: SystemTime) -> Result<(), Unproven> {
        match self.verification() {
            Some(proof) => inbound::presents(proof, head, secrets, now),
            None => Err(Unproven::Missing),
        }
    }

    /// Reads a message of its service: what to answer at once, and what it is known by. Every import is denied meanwhile.
    pub async fn receive(&self, request: &Request) -> Result<Reception, Failure> {
        connection::receive(self, request).await
    }

    pub(crate) fn connecting(&self) -> Option<&ConnectingPre<CallState>> {
        self.0.optional.connecting.as_ref()
    }

    pub(crate) fn listing(&self) -> Option<&ListingPre<CallState>> {
        self.0.optional.listing.as_ref()
    }

    pub(crate) fn receiving(&self) -> Option<&ReceivingPre<CallState>> {
        self.0.optional.receiving.as_ref()
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
    trial(runtime, async |store| {
        let plugin = instantiate(pre, store).await?;
        plugin.pyqueryhub_notify_channel().call_describe(store).await
    })
    .await
}

/// Asks a component how its service is connected, and what proves its messages.
pub(crate) async fn describe_optional(runtime: &Runtime, optional: &mut Optional) -> Result<(), LoadError> {
    if let Some(pre) = &optional.connecting {
        let service = trial(runtime, async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_connection().call_oauth2(store).await
        });
        optional.oauth2 = Some(service.await?);
    }
    if let Some(pre) = &optional.receiving {
        let proof = trial(runtime, async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_inbound().call_verification(store).await
        });
        optional.proof = Some(proof.await?);
    }
    Ok(())
}

/// A call before anything is granted.
async fn trial<T>(
    runtime: &Runtime,
    call: impl AsyncFnOnce(&mut Store<CallState>) -> wasmtime::Result<T>,
) -> Result<T, LoadError> {
    let limits = &runtime.0.limits;
    let deadline = Instant::now() + limits.deadline;
    let log = CallLog::new(limits.log_bytes, limits.text_characters);
    let mut store = store(runtime, CallState::new(limits, log, Egress::Denied, deadline));
    let _slot = runtime.0.slots.acquire().await;
    let _running = runtime.0.ticker.enter();
    let result = tokio::time::timeout(limits.deadline, call(&mut store)).await;
    let refused = store.data().meter.refused.clone();
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(LoadError::Trial(crate::outcome::reason(&error, refused.as_deref()))),
        Err(_) => Err(LoadError::Trial(format!("it did not answer within {:?}", limits.deadline))),
    }
}
