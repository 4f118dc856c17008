//! An HTTP service on loopback that judges each request by a function, keeps what came, and misbehaves when told to: what
//! the simulators of the services outside share.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// "POST".
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its "?"; empty where there is none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The media type, without parameters.
    pub fn content_type(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim()
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the body's length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A status with a body.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A status with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).header("Content-Type", "application/json")
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What comes of a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This answer, at once.
    Answer(Answer),
    /// This answer, after this time.
    Later(Duration, Answer),
    /// This answer, when the test notified: [`Notify::notify_one`] lets one through, also one that comes later.
    Held(Arc<Notify>, Answer),
    /// None: the connection is closed.
    Close,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// What happens to a request that is not judged.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// It gets this answer.
    Answer(Answer),
    /// It is read, and the connection closed without an answer.
    CloseBeforeAnswer,
}

type Judge = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

struct Shared {
    judge: Judge,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    next: VecDeque<Misbehaviour>,
    requests: Vec<Request>,
    accepted: Vec<Request>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, request: hyper::Request<Incoming>) -> io::Result<hyper::Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let request = Request {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers.iter().map(header).collect(),
            body,
        };
        let reply = {
            let mut state = self.state();
            state.requests.push(request.clone());
            match state.next.pop_front() {
                Some(Misbehaviour::CloseBeforeAnswer) => Reply::Close,
                Some(Misbehaviour::Answer(answer)) => answer.into(),
                None => {
                    let reply = (self.judge)(&request);
                    if let Reply::Answer(answer) | Reply::Later(_, answer) | Reply::Held(_, answer) = &reply
                        && (200..300).contains(&answer.status)
                    {
                        state.accepted.push(request);
                    }
                    reply
                }
            }
        };
        self.changed.send_replace(());
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Later(time, answer) => {
                tokio::time::sleep(time).await;
                answer
            }
            Reply::Held(released, answer) => {
                released.notified().await;
                answer
            }
            Reply::Close => return Err(io::Error::other("told to close before the answer")),
        };
        let mut response = hyper::Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(Bytes::from(answer.body))).map_err(io::Error::other)
    }
}

/// A running service; it ends when dropped.
pub struct HttpService {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl fmt::Debug for HttpService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpService").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for HttpService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl HttpService {
    /// Starts on a free port of the loopback address. What `judge` gives is an [`Answer`], or a [`Reply`] where more than
    /// an answer at once can come of a request.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start<R: Into<Reply>>(judge: impl Fn(&Request) -> R + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let judge: Judge = Box::new(move |request| judge(request).into());
        let shared = Arc::new(Shared { judge, state: Mutex::default(), changed: watch::Sender::new(()) });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// `http://127.0.0.1:PORT`, for an upstream.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request not yet spoken for is treated so.
    pub fn next(&self, misbehaviour: Misbehaviour) {
        self.shared.state().next.push_back(misbehaviour);
    }

    /// All that came, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// What was judged and answered 2xx, in order.
    pub fn accepted(&self) -> Vec<Request> {
        self.shared.state().accepted.clone()
    }

    /// Waits until `count` requests were accepted in all, and gives all.
    pub async fn wait_for(&self, count: usize) -> Vec<Request> {
        let mut changed = self.shared.changed.subscribe();
        while self.shared.state().accepted.len() < count {
            // The sender lives in `self`.
            let _ = changed.changed().await;
        }
        self.accepted()
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { shared.respond(request).await }
            });
            // A connection that breaks is the client's matter, or what the test asked for.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
