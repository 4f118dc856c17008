//! Where a call's requests and mail go: nowhere, through the gate and to the relay, or to a recorder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contract::outbound_http::{Error, ErrorKind, Request, Response};
use crate::contract::outbound_mail;
use crate::gate::assemble::method_name;
use crate::gate::binding::Binding;
use crate::gate::mask::Masks;
use crate::mail::{self, Progress};
use crate::preview::{PreviewedMail, PreviewedRequest};
use crate::runtime::Runtime;

/// What the host saw of one request or mail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) repeatable: bool,
    /// Whether any byte may have reached the service.
    pub(crate) sent: bool,
    /// Whether a whole answer accepted it; none where there was none.
    pub(crate) accepted: Option<bool>,
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
    /// The delivery's id; empty where nothing is delivered.
    pub(crate) delivery: String,
    /// How many mails the call has sent.
    pub(crate) mails: usize,
    /// Who has which mail.
    pub(crate) progress: Progress,
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
    pub(crate) mails: Vec<PreviewedMail>,
}

/// What a component hears that was granted nothing yet.
const DENIED: &str = "nothing may be sent while a component describes itself";

/// A mail that nobody got, of a preview or a rehearsal.
fn rehearsed() -> outbound_mail::Sent {
    outbound_mail::Sent { message_id: "<preview@invalid>".to_owned(), refused: Vec::new() }
}

/// A refusal by the host, before anything was sent.
pub(crate) fn denied(message: impl Into<String>) -> Error {
    Error { kind: ErrorKind::Denied, message: message.into(), request_sent: false }
}

impl Egress {
    pub(crate) async fn send(&mut self, request: Request) -> Result<Response, Error> {
        match self {
            Self::Denied => Err(denied(DENIED)),
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

    pub(crate) async fn send_mail(
        &mut self,
        message: outbound_mail::Message,
    ) -> Result<outbound_mail::Sent, outbound_mail::Error> {
        match self {
            Self::Denied => Err(mail::denied(DENIED)),
            Self::Live(live) => {
                live.waited.since = Some(Instant::now());
                let sent = mail::send(live, &message).await;
                live.waited = Waited { before: live.waited.total(), since: None };
                sent
            }
            Self::Preview(recorder) => recorder.record_mail(&message),
            Self::Answered(_) => Ok(rehearsed()),
        }
    }

    pub(crate) async fn verify_mail(
        &mut self,
        to: Vec<String>,
    ) -> Result<Vec<outbound_mail::Refusal>, outbound_mail::Error> {
        match self {
            Self::Denied => Err(mail::denied(DENIED)),
            Self::Live(live) => {
                live.waited.since = Some(Instant::now());
                let verified = mail::verify(live, &to).await;
                live.waited = Waited { before: live.waited.total(), since: None };
                verified
            }
            Self::Preview(_) | Self::Answered(_) => Ok(Vec::new()),
        }
    }

    /// What the host saw, for the outcome rule.
    pub(crate) fn wire(&self) -> &[Exchange] {
        match self {
            Self::Live(live) => &live.wire,
            Self::Denied | Self::Preview(_) | Self::Answered(_) => &[],
        }
    }
}

impl Recorder {
    fn record_mail(&mut self, message: &outbound_mail::Message) -> Result<outbound_mail::Sent, outbound_mail::Error> {
        let inner = &self.runtime.0;
        let before = self.requests.len() + self.mails.len();
        let (mail, verdict) = mail::preview(inner.post.as_ref(), &self.binding, &inner.limits, before, message);
        self.mails.push(mail);
        verdict.map(|()| rehearsed())
    }

    fn record(&mut self, request: &Request) -> Result<Response, Error> {
        let repeatable = request.repeatable;
        let limits = self.runtime.limits();
        if self.requests.len() + self.mails.len() >= limits.requests {
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
