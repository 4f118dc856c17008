//! One call of a component in a fresh sandbox: one deadline around all of it, host functions included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;
use wasmtime::Store;

use crate::cache::CacheScope;
use crate::contract::types::{Attribute, Failure};
use crate::egress::{Egress, Exchange, LiveEgress, Waited};
use crate::gate::binding::Binding;
use crate::gate::mask::Masks;
use crate::log::{CallLog, LogLine};
use crate::mail::Progress;
use crate::outcome::{self, Ended};
use crate::plugin::{PastDeadline, Plugin, store};
use crate::preview::{PreviewedMail, PreviewedRequest};
use crate::standing::Standing;
use crate::state::CallState;
use crate::text;

/// The most attributes of a failure or receipt.
const ATTRIBUTES: usize = 20;

/// What a call is made with, beside the component.
pub(crate) struct Call<'a> {
    pub(crate) plugin: &'a Plugin,
    pub(crate) egress: Egress,
    pub(crate) deadline: Instant,
    /// What it may remember; none where nothing is granted yet.
    pub(crate) cache: Option<Arc<CacheScope>>,
    /// What it may ask of the host's alerts; none but for inbound messages.
    pub(crate) standing: Option<Arc<dyn Standing>>,
}

/// How a call ended, and what the host saw of it.
pub(crate) struct Called<T> {
    pub(crate) ended: Ended<T>,
    pub(crate) wire: Vec<Exchange>,
    pub(crate) waited: Duration,
    pub(crate) masks: Masks,
    pub(crate) log: Vec<LogLine>,
    pub(crate) progress: Progress,
    pub(crate) previewed: Vec<PreviewedRequest>,
    pub(crate) previewed_mails: Vec<PreviewedMail>,
}

impl<T> Called<Result<T, Failure>> {
    /// What the component returned, or that it failed to; with texts fit for people.
    pub(crate) fn result(self, plugin: &Plugin) -> Result<T, Failure> {
        match self.ended {
            Ended::Returned(Ok(value)) => Ok(value),
            Ended::Returned(Err(failure)) => Err(clean(plugin, failure, &self.masks)),
            Ended::Trapped(reason) | Ended::TimedOut(reason) => {
                Err(clean(plugin, outcome::plugin_fault(&reason), &self.masks))
            }
            Ended::Crowded => Err(outcome::crowded()),
        }
    }
}

/// Requests and mail that leave by this grant and with these secrets.
pub(crate) fn live(
    plugin: &Plugin,
    binding: &Arc<Binding>,
    deadline: Instant,
    delivery: String,
    progress: Progress,
) -> Egress {
    Egress::Live(Box::new(LiveEgress {
        runtime: plugin.runtime().clone(),
        binding: Arc::clone(binding),
        masks: binding.masks(),
        wire: Vec::new(),
        deadline,
        waited: Waited::default(),
        delivery,
        mails: 0,
        progress,
    }))
}

impl Call<'_> {
    /// Runs it: `run` instantiates, and calls.
    pub(crate) async fn run<T>(self, run: impl AsyncFnOnce(&mut Store<CallState>) -> wasmtime::Result<T>) -> Called<T> {
        let Self { plugin, egress, deadline, cache, standing } = self;
        let runtime = plugin.runtime();
        let limits = runtime.limits();
        let log = CallLog::new(limits.log_bytes, limits.text_characters);
        let slots = if matches!(egress, Egress::Denied) { &runtime.0.quick } else { &runtime.0.slots };
        let slot = timeout_at(deadline.into(), slots.acquire()).await;
        let _running = runtime.0.ticker.enter();
        let mut state = CallState::new(limits, log.clone(), egress, deadline);
        (state.cache, state.standing) = (cache, standing);
        let mut store = store(runtime, state);
        let result = match &slot {
            Ok(_) => Some(timeout_at(deadline.into(), run(&mut store)).await),
            Err(_) => None,
        };
        let state = store.into_data();
        let ended = match result {
            None => Ended::Crowded,
            Some(Ok(Ok(value))) => Ended::Returned(value),
            Some(Ok(Err(error))) if error.is::<PastDeadline>() => Ended::TimedOut(PastDeadline.to_string()),
            Some(Ok(Err(error))) => Ended::Trapped(outcome::reason(&error, state.meter.refused.as_deref())),
            Some(Err(_)) => Ended::TimedOut(format!("it had not finished after {:?}", limits.deadline)),
        };
        let wire = state.egress.wire().to_vec();
        let (mut masks, mut waited, mut progress) = (Masks::default(), Duration::ZERO, Progress::default());
        let (mut previewed, mut previewed_mails) = (Vec::new(), Vec::new());
        match state.egress {
            Egress::Live(live) => (masks, waited, progress) = (live.masks, live.waited.total(), live.progress),
            Egress::Preview(recorder) => (previewed, previewed_mails) = (recorder.requests, recorder.mails),
            Egress::Denied | Egress::Answered(_) => {}
        }
        let id = &plugin.descriptor().id;
        let log = log.take().into_iter().map(|line| LogLine { message: masks.text(line.message), ..line });
        let log = log.inspect(|line| tracing::debug!(plugin = %id, level = ?line.level, "{}", line.message)).collect();
        Called { ended, wire, waited, masks, log, progress, previewed, previewed_mails }
    }
}

/// Texts from components lose control characters and are capped before anybody sees them.
pub(crate) fn clean(plugin: &Plugin, failure: Failure, masks: &Masks) -> Failure {
    let most = plugin.runtime().limits().text_characters;
    let Failure { kind, code, message, remedy, field, retry_after, attributes } = failure;
    Failure {
        kind,
        code: text::line(&masks.text(code), 100),
        message: text::lines(&masks.text(message), most),
        remedy: text::lines(&masks.text(remedy), most),
        field: field.filter(|key| plugin.descriptor().fields.iter().any(|field| field.key == *key)),
        retry_after,
        attributes: clean_attributes(attributes, masks, most),
    }
}

/// Further facts, as many as anybody needs, each as short as other texts.
pub(crate) fn clean_attributes(attributes: Vec<Attribute>, masks: &Masks, most: usize) -> Vec<Attribute> {
    let clean = |(name, value)| (text::line(&masks.text(name), 100), text::lines(&masks.text(value), most));
    attributes.into_iter().take(ATTRIBUTES).map(clean).collect()
}
