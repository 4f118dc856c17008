//! Where a call's requests go: nowhere, through the gate, or to a recorder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contract::outbound_http::{Error, ErrorKind, Request, Response};
use crate::gate::assemble::method_name;
use crate::gate::binding::Binding;
use crate::gate::mask::Masks;
use crate::preview::PreviewedRequest;
use crate::runtime::Runtime;

/// What the gate saw of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) repeatable: bool,
    /// Whether any byte may have reached the service.
    pub(crate) sent: bool,
    /// Of a whole answer.
    pub(crate) status: Option<u16>,
}

/// Where a call's requests go.
pub(crate) enum Egress {
    /// Before anything is granted.
    Denied,
    Live(Box<LiveEgress>),
    Preview(Box<Recorder>),
    /// Every request is answered at once: what is measured is the sandbox alone.
    Answered(&'static str),
}

/// Requests of a delivery or check.
pub(crate) struct LiveEgress {
    pub(crate) runtime: Runtime,
    pub(crate) binding: Arc<Binding>,
    pub(crate) masks: Masks,
    pub(crate) wire: Vec<Exchange>,
    pub(crate) deadline: Instant,
    pub(crate) waited: Waited,
}

/// How long a call waited for services.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waited {
    before: Duration,
    /// Of a request that is on its way.
    since: Option<Instant>,
}

impl Waited {
    /// In all, up to now.
    pub(crate) fn total(self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Requests of a preview.
pub(crate) struct Recorder {
    pub(crate) runtime: Runtime,
    pub(crate) binding: Arc<Binding>,
    pub(crate) requests: Vec<PreviewedRequest>,
}

/// A refusal by the host, before anything was sent.
pub(crate) fn denied(message: impl Into<String>) -> Error {
    Error { kind: ErrorKind::Denied, message: message.into(), request_sent: false }
}

impl Egress {
    pub(crate) async fn send(&mut self, request: Request) -> Result<Response, Error> {
        match self {
            Self::Denied => Err(denied("no requests are allowed while a component describes itself")),
            Self::Live(live) => {
                let runtime = live.runtime.clone();
                live.waited.since = Some(Instant::now());
                let answer = runtime.0.gate.send(live, request).await;
                live.waited = Waited { before: live.waited.total(), since: None };
                answer
            }
            Self::Preview(recorder) => recorder.record(&request),
            Self::Answered(body) => Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: body.as_bytes().to_vec(),
                truncated: false,
                retry_after: None,
            }),
        }
    }

    /// What the gate saw, for the outcome rule.
    pub(crate) fn wire(&self) -> &[Exchange] {
        match self {
            Self::Live(live) => &live.wire,
            Self::Denied | Self::Preview(_) | Self::Answered(_) => &[],
        }
    }
}

impl Recorder {
    fn record(&mut self, request: &Request) -> Result<Response, Error> {
        let repeatable = request.repeatable;
        let limits = self.runtime.limits();
        if self.requests.len() >= limits.requests {
            return Err(denied(format!("more than {} requests in one call", limits.requests)));
        }
        let method = method_name(request.method).to_owned();
        let headers: BTreeMap<String, String> = request.headers.iter().cloned().collect();
        let body = serde_json::from_slice(&request.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
        let previewed = self.binding.preview(request, limits);
        let refused = previewed.verdict.clone().err();
        self.requests.push(PreviewedRequest {
            method,
            url: previewed.url,
            destination: previewed.destination,
            headers,
            body,
            credentials: previewed.credentials,
            verdict: refused.clone().unwrap_or_else(|| "allowed".to_owned()),
        });
        match refused {
            Some(message) => Err(denied(message)),
            None if repeatable => Err(Error {
                kind: ErrorKind::Timeout,
                message: "a preview sends nothing".to_owned(),
                request_sent: false,
            }),
            None => {
                Ok(Response { status: 200, headers: Vec::new(), body: Vec::new(), truncated: false, retry_after: None })
            }
        }
    }
}
