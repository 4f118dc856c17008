//! A workspace that was connected by OAuth: what its component does for it beside deliveries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Map;

use crate::cache::{CacheScope, SharedCache};
use crate::call::{Call, live};
use crate::claims;
use crate::contract::connecting::connection::{ConnectedWorkspace, TokenAnswer};
use crate::contract::listing::directory::Page;
use crate::contract::receiving::inbound::{Action, Reception, Request};
use crate::contract::types::{Configuration, Failure, FailureKind, Workspace};
use crate::egress::Egress;
use crate::gate::binding::Binding;
use crate::gate::headers;
use crate::grant::Grant;
use crate::mail::Progress;
use crate::plugin::Plugin;
use crate::secrets::SecretSource;
use crate::standing::Standing;

/// Reading a message takes no longer: whoever sent it waits for an answer.
const READING: Duration = Duration::from_secs(2);

/// A component with the tokens of one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    plugin: Plugin,
    binding: Arc<Binding>,
    cache: Arc<CacheScope>,
}

impl Connection {
    pub(crate) fn new(plugin: Plugin, grant: Grant, tokens: Arc<dyn SecretSource>) -> Self {
        let binding = Arc::new(Binding::new(plugin.descriptor().clone(), grant, &Map::new(), tokens));
        let cache = Arc::new(plugin.runtime().0.memory.next_scope());
        Self(Arc::new(Inner { plugin, binding, cache }))
    }

    /// The same with a cache that its channels share.
    #[must_use]
    pub fn sharing(&self, cache: &SharedCache) -> Self {
        let Inner { plugin, binding, cache: _ } = &*self.0;
        Self(Arc::new(Inner { plugin: plugin.clone(), binding: Arc::clone(binding), cache: Arc::clone(&cache.0) }))
    }

    /// Judges a token answer: did the service grant it, and to what?
    pub async fn connected(&self, answer: TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
        let pre = self.0.plugin.connecting().ok_or_else(|| lacks("connection"))?;
        let called = self.call(None).run(async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_connection().call_connected(store, &answer).await
        });
        claims::connected(called.await.result(&self.0.plugin)?, answer.renewal)
    }

    /// Asks the service to forget the tokens.
    pub async fn revoke(&self, workspace: &Workspace) -> Result<(), Failure> {
        let pre = self.0.plugin.connecting().ok_or_else(|| lacks("connection"))?;
        let called = self.call(None).run(async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_connection().call_revoke(store, workspace).await
        });
        called.await.result(&self.0.plugin)
    }

    /// A part of the targets that there are. After a failure with `retry_after`: again with the same cursor.
    pub async fn list_targets(&self, workspace: &Workspace, cursor: Option<&str>) -> Result<Page, Failure> {
        let pre = self.0.plugin.listing().ok_or_else(|| lacks("directory"))?;
        let configuration = Configuration {
            settings: "{}".to_owned(),
            credentials: self.0.binding.available(),
            workspace: Some(workspace.clone()),
        };
        let called = self.call(None).run(async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_directory().call_list_targets(store, &configuration, cursor).await
        });
        claims::page(called.await.result(&self.0.plugin)?)
    }

    /// Acts on a message that [`Plugin::receive`] read; `standing` answers what the component asks of the host.
    pub async fn handle(
        &self,
        workspace: &Workspace,
        request: &Request,
        standing: Arc<dyn Standing>,
    ) -> Result<Vec<Action>, Failure> {
        let pre = self.0.plugin.receiving().ok_or_else(|| lacks("inbound"))?;
        let called = self.call(Some(standing)).run(async |store| {
            let component = pre.instantiate_async(&mut *store).await?;
            component.pyqueryhub_notify_inbound().call_handle(store, workspace, request).await
        });
        let actions = called.await.result(&self.0.plugin)?;
        Ok(claims::actions(&self.0.plugin, actions, &self.0.binding.masks()))
    }

    fn call(&self, standing: Option<Arc<dyn Standing>>) -> Call<'_> {
        let Inner { plugin, binding, cache } = &*self.0;
        let deadline = Instant::now() + plugin.runtime().limits().deadline;
        let egress = live(plugin, binding, deadline, String::new(), Progress::default());
        Call { plugin, egress, deadline, cache: Some(Arc::clone(cache)), standing }
    }
}

/// Reads one message that a service sent, with every import denied.
pub(crate) async fn receive(plugin: &Plugin, request: &Request) -> Result<Reception, Failure> {
    let pre = plugin.receiving().ok_or_else(|| lacks("inbound"))?;
    let deadline = Instant::now() + plugin.runtime().limits().deadline.min(READING);
    let call = Call { plugin, egress: Egress::Denied, deadline, cache: None, standing: None };
    let called = call.run(async |store| {
        let component = pre.instantiate_async(&mut *store).await?;
        component.pyqueryhub_notify_inbound().call_receive(store, request).await.map(Ok)
    });
    let mut reception = called.await.result(plugin).map(claims::reception)?;
    headers::keep_answerable(&mut reception.response.headers);
    Ok(reception)
}

/// The component does not do this at all.
fn lacks(export: &str) -> Failure {
    Failure::new(
        FailureKind::Rejected,
        "not-offered",
        format!("The plugin does not export `{export}`: its service cannot be used in this way."),
        "Use a plugin that does.",
    )
}
