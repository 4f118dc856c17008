//! The wire between the service and the simulator: hands on what comes, or answers something else, or breaks, also after
//! people have seen the message. Unlike the simulator's own troubles, those that did not come to pass can be called off.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trouble {
    /// 500.
    Unavailable,
    /// 429, again after 2 s.
    Throttled,
    /// 429, again after 5 min.
    ThrottledLong,
    /// A word that blames the channel.
    Blamed,
    /// A word that blames the message.
    Rejected,
    /// A word that blames the message's layout.
    Layout,
    /// The connection ends before the message arrives.
    CutBefore,
    /// People see the message, and the connection ends before anybody says so.
    CutAfter,
    /// No trouble of a service, but what the judge has to notice: the message is taken, and nobody sees it.
    Lost,
    /// The same: people see it twice.
    Doubled,
    /// The same: people see it after the next one.
    Late,
}

pub(crate) struct Wire {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// The simulator's address.
    to: OnceLock<String>,
    client: reqwest::Client,
    /// By the path of the webhook.
    next: Mutex<HashMap<String, VecDeque<Trouble>>>,
    met: Mutex<HashSet<(String, Trouble)>>,
    /// Messages that come after the next one.
    late: Mutex<HashMap<String, Bytes>>,
}

impl Wire {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let shared = Arc::new(Shared {
            to: OnceLock::new(),
            client,
            next: Mutex::default(),
            met: Mutex::default(),
            late: Mutex::default(),
        });
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    pub(crate) fn base_url(&self) -> String {
        self.address.clone()
    }

    /// Where it leads.
    pub(crate) fn lead_to(&self, simulator: String) {
        self.shared.to.set(simulator).unwrap();
    }

    /// The next request to this webhook not yet spoken for meets that.
    pub(crate) fn next(&self, path: &str, trouble: Trouble) {
        self.shared.next.lock().unwrap().entry(path.to_owned()).or_default().push_back(trouble);
    }

    /// No more troubles of this webhook.
    pub(crate) fn calm(&self, path: &str) {
        self.shared.next.lock().unwrap().remove(path);
    }

    /// Whether a request to this webhook met that.
    pub(crate) fn has_met(&self, path: &str, trouble: Trouble) -> bool {
        self.shared.met.lock().unwrap().contains(&(path.to_owned(), trouble))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| hand_on(Arc::clone(&shared), request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn hand_on(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path().to_owned();
    let trouble = shared.next.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front);
    if let Some(trouble) = trouble {
        shared.met.lock().unwrap().insert((path.clone(), trouble));
    }
    match trouble {
        Some(Trouble::Unavailable) => return Ok(answer(500, None, "")),
        Some(Trouble::Throttled) => return Ok(answer(429, Some("2"), "")),
        Some(Trouble::ThrottledLong) => return Ok(answer(429, Some("300"), "")),
        Some(Trouble::Blamed) => return Ok(answer(404, None, "no_service")),
        Some(Trouble::Rejected) => return Ok(answer(400, None, "user_not_found")),
        Some(Trouble::Layout) => return Ok(answer(400, None, "invalid_blocks")),
        Some(Trouble::CutBefore) => return Err(io::Error::other("told to break before the message arrives")),
        Some(Trouble::Lost) => return Ok(answer(200, None, "ok")),
        Some(Trouble::Late) => {
            shared.late.lock().unwrap().insert(path, body);
            return Ok(answer(200, None, "ok"));
        }
        Some(Trouble::Doubled) => drop(shared.post(&path, &head, body.clone()).await?),
        Some(Trouble::CutAfter) | None => {}
    }
    let (status, said) = shared.post(&path, &head, body).await?;
    let late = shared.late.lock().unwrap().remove(&path);
    if let Some(late) = late {
        shared.post(&path, &head, late).await?;
    }
    if trouble == Some(Trouble::CutAfter) {
        return Err(io::Error::other("told to break after the message arrived"));
    }
    Ok(answer(status, None, &said))
}

impl Shared {
    /// The simulator's answer.
    async fn post(&self, path: &str, head: &Parts, body: Bytes) -> io::Result<(u16, String)> {
        let to = self.to.get().unwrap();
        let mut request = self.client.post(format!("{to}{path}")).body(body);
        if let Some(kind) = head.headers.get(CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, kind);
        }
        let answered = request.send().await.map_err(io::Error::other)?;
        Ok((answered.status().as_u16(), answered.text().await.map_err(io::Error::other)?))
    }
}

fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status).header(CONTENT_TYPE, "text/html");
    if let Some(seconds) = retry_after {
        response = response.header("Retry-After", seconds);
    }
    response.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
}
