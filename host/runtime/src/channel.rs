//! A configured channel: check, deliver, preview, each in a fresh sandbox.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::cache::{CacheScope, SharedCache};
use crate::call::{self, Call, Called};
use crate::contract::ChannelPlugin;
use crate::contract::channel::{Delivery, Receipt};
use crate::contract::events::Event;
use crate::contract::types::{Configuration, Failure, Workspace};
use crate::egress::{Egress, Recorder};
use crate::gate::binding::Binding;
use crate::gate::mask::Masks;
use crate::grant::Grant;
use crate::log::LogLine;
use crate::mail::Progress;
use crate::outcome::{self, Ended, Outcome};
use crate::plugin::{Plugin, instantiate};
use crate::preview::Preview;
use crate::secrets::SecretSource;
use crate::state::CallState;
use crate::text;

/// A trap with nothing sent is tried this often in all.
const TRIES: u32 = 3;
/// The longest `reference` of a receipt, in bytes.
const REFERENCE_BYTES: usize = 4 << 10;

/// One event on its way to a channel.
#[derive(Clone, Debug)]
pub struct DeliveryRequest {
    /// The same at every attempt to bring this event to this channel.
    pub id: String,
    /// From 1.
    pub attempt: u32,
    /// What happened.
    pub event: Event,
    /// The receipt's `reference` for the message that opened this incident here.
    pub opened_by: Option<String>,
    /// What the report of the attempt before handed over, if anything.
    pub progress: Option<String>,
}

impl DeliveryRequest {
    /// The first attempt to bring an event that follows no message.
    pub fn first(id: impl Into<String>, event: Event) -> Self {
        Self { id: id.into(), attempt: 1, event, opened_by: None, progress: None }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// Whether the service accepts the configuration.
    pub result: Result<(), Failure>,
    /// What the component said meanwhile.
    pub log: Vec<LogLine>,
}

/// What became of a delivery.
#[derive(Clone, Debug)]
pub struct DeliveryReport {
    /// The component's claim, judged by the wire.
    pub outcome: Outcome,
    /// What the component said meanwhile.
    pub log: Vec<LogLine>,
    /// How long it took, waiting for the service included.
    pub took: Duration,
    /// How much of that the service took to answer; the rest is the sandbox's.
    pub waited: Duration,
    /// What the next attempt of this delivery must be handed: who has its mail already. To be kept, and not read.
    pub progress: Option<String>,
}

/// A configured channel. Cheap to clone.
#[derive(Clone)]
pub struct Channel(Arc<Inner>);

struct Inner {
    plugin: Plugin,
    binding: Arc<Binding>,
    configuration: Configuration,
    cache: Arc<CacheScope>,
}

impl Channel {
    pub(crate) fn new(
        plugin: Plugin,
        grant: Grant,
        workspace: Option<Workspace>,
        settings: Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Self {
        let binding = Arc::new(Binding::new(plugin.descriptor().clone(), grant, &settings, secrets));
        let configuration = Configuration {
            settings: Value::Object(settings).to_string(),
            credentials: binding.available(),
            workspace,
        };
        let cache = Arc::new(plugin.runtime().0.memory.next_scope());
        Self(Arc::new(Inner { plugin, binding, configuration, cache }))
    }

    /// The same with a cache that others share: of one connection, say.
    #[must_use]
    pub fn sharing(&self, cache: &SharedCache) -> Self {
        let Inner { plugin, binding, configuration, cache: _ } = &*self.0;
        let (binding, cache) = (Arc::clone(binding), Arc::clone(&cache.0));
        Self(Arc::new(Inner { plugin: plugin.clone(), binding, configuration: configuration.clone(), cache }))
    }

    /// The channel's type.
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    /// Asks the component whether the service accepts this configuration. Posts nothing that people would see, where the
    /// service allows that.
    pub async fn check(&self) -> CheckReport {
        let deadline = self.deadline();
        let called = self
            .call(
                self.live(deadline, String::new(), Progress::default()),
                deadline,
                async |plugin: &ChannelPlugin, store| {
                    plugin.pyqueryhub_notify_channel().call_check(store, &self.0.configuration).await
                },
            )
            .await;
        let log = called.log.clone();
        CheckReport { result: called.result(&self.0.plugin), log }
    }

    /// Delivers one event: one attempt. A component that traps before anything was sent gets two more tries within the
    /// same deadline.
    pub async fn deliver(&self, request: &DeliveryRequest) -> DeliveryReport {
        let started = Instant::now();
        let deadline = self.deadline();
        let delivery = self.delivery(request);
        let mut tries = 1;
        let mut waited = Duration::ZERO;
        let mut progress = Progress::read(request.progress.as_deref());
        let called = loop {
            let live = self.live(deadline, request.id.clone(), progress);
            let called = self.deliver_once(live, deadline, &delivery).await;
            waited += called.waited;
            let again = matches!(called.ended, Ended::Trapped(_))
                && outcome::nothing_sent(&called.wire)
                && tries < TRIES
                && Instant::now() < deadline;
            if !again {
                break called;
            }
            progress = called.progress;
            tries += 1;
        };
        let progress = called.progress.write();
        let outcome = self.cleaned(outcome::judge(called.ended, &called.wire), &called.masks);
        DeliveryReport { outcome, log: called.log, took: started.elapsed(), waited, progress }
    }

    /// Shows what a delivery would send. Nothing is sent, and no secret is read.
    pub async fn preview(&self, request: &DeliveryRequest) -> Preview {
        let recorder = Recorder {
            runtime: self.0.plugin.runtime().clone(),
            binding: Arc::clone(&self.0.binding),
            requests: Vec::new(),
            mails: Vec::new(),
        };
        let egress = Egress::Preview(Box::new(recorder));
        let called = self.deliver_once(egress, self.deadline(), &self.delivery(request)).await;
        let outcome = match called.ended {
            Ended::Returned(Ok(receipt)) => Outcome::Delivered(receipt),
            Ended::Returned(Err(failure)) => Outcome::Failed(failure),
            Ended::Trapped(reason) | Ended::TimedOut(reason) => Outcome::Failed(outcome::plugin_fault(&reason)),
            Ended::Crowded => Outcome::Failed(outcome::crowded()),
        };
        Preview {
            outcome: self.cleaned(outcome, &called.masks),
            requests: called.previewed,
            mails: called.previewed_mails,
            log: called.log,
        }
    }

    /// A delivery whose every request is answered 200 with this body at once, for measuring the sandbox alone. Whether the
    /// component returned a receipt.
    #[doc(hidden)]
    pub async fn rehearse(&self, request: &DeliveryRequest, body: &'static str) -> bool {
        let called = self.deliver_once(Egress::Answered(body), self.deadline(), &self.delivery(request)).await;
        matches!(called.ended, Ended::Returned(Ok(_)))
    }

    fn delivery(&self, request: &DeliveryRequest) -> Delivery {
        let DeliveryRequest { id, attempt, event, opened_by, progress: _ } = request.clone();
        Delivery { id, attempt, configuration: self.0.configuration.clone(), event, opened_by }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.0.plugin.runtime().limits().deadline
    }

    fn live(&self, deadline: Instant, delivery: String, progress: Progress) -> Egress {
        call::live(&self.0.plugin, &self.0.binding, deadline, delivery, progress)
    }

    async fn deliver_once(
        &self,
        egress: Egress,
        deadline: Instant,
        delivery: &Delivery,
    ) -> Called<Result<Receipt, Failure>> {
        self.call(egress, deadline, async |plugin: &ChannelPlugin, store| {
            plugin.pyqueryhub_notify_channel().call_deliver(store, delivery).await
        })
        .await
    }

    async fn call<T>(
        &self,
        egress: Egress,
        deadline: Instant,
        run: impl AsyncFnOnce(&ChannelPlugin, &mut wasmtime::Store<CallState>) -> wasmtime::Result<T>,
    ) -> Called<T> {
        let plugin = &self.0.plugin;
        let call = Call { plugin, egress, deadline, cache: Some(Arc::clone(&self.0.cache)), standing: None };
        call.run(async |store| run(&instantiate(plugin.pre(), store).await?, store).await).await
    }

    fn cleaned(&self, outcome: Outcome, masks: &Masks) -> Outcome {
        match outcome {
            Outcome::Failed(failure) => Outcome::Failed(call::clean(&self.0.plugin, failure, masks)),
            Outcome::Delivered(receipt) => self.clean_receipt(receipt, masks),
        }
    }

    fn clean_receipt(&self, receipt: Receipt, masks: &Masks) -> Outcome {
        let most = self.0.plugin.runtime().limits().text_characters;
        let Receipt { reference, permalink, mut warnings, attributes } = receipt;
        let reference = reference.map(|reference| masks.text(reference));
        // Delivered it is, whatever the component wants to remember of it: what cannot be kept is said.
        let (reference, too_long) = match reference {
            Some(reference) if reference.len() > REFERENCE_BYTES => (None, true),
            reference => (reference, false),
        };
        if too_long {
            warnings.push(format!("The plugin's reference was over {REFERENCE_BYTES} bytes and is not kept."));
        }
        Outcome::Delivered(Receipt {
            reference,
            permalink: permalink
                .map(|link| text::line(&masks.text(link), most))
                .filter(|link| link.starts_with("https://") || link.starts_with("http://")),
            warnings: warnings.into_iter().take(20).map(|warning| text::line(&masks.text(warning), most)).collect(),
            attributes: call::clean_attributes(attributes, masks, most),
        })
    }
}
