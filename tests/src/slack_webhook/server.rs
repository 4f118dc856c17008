//! The HTTP side of the simulator.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::state::Shared;
use super::{Hold, Misbehaviour, answer, validate};

type Body = BoxBody<Bytes, io::Error>;

pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&shared), request));
            // A connection that breaks is the client's matter, or what the test asked for.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path();
    let next = {
        let mut state = shared.state();
        state.requests += 1;
        let own = state.hooks.get_mut(path).and_then(|hook| {
            hook.requests += 1;
            hook.next.pop_front()
        });
        own.or_else(|| state.next.pop_front())
    };
    shared.wait_while_held(path, Hold::Requests).await;
    match next {
        Some(Misbehaviour::Answer { status, headers, body }) => return whole(status, &headers, body),
        Some(Misbehaviour::Delay(time)) => tokio::time::sleep(time).await,
        Some(Misbehaviour::HoldUntil(released)) => released.notified().await,
        Some(Misbehaviour::Drip { every, bytes }) => return Ok(drip(every, bytes)),
        Some(Misbehaviour::CloseBeforeAnswer) => {
            return Err(io::Error::other("told to close before the answer"));
        }
        Some(Misbehaviour::CloseInBody) => return close_in_body(),
        Some(Misbehaviour::Echo) => {
            let path = path.to_owned();
            let said = format!("no_service {path} https://hooks.slack.com{path} {}", String::from_utf8_lossy(&body));
            return whole(404, &[("X-Echo".to_owned(), path)], said);
        }
        None => {}
    }
    let answer = judge(&shared, &head, &body);
    shared.wait_while_held(path, Hold::Answers).await;
    answer
}

fn judge(shared: &Shared, head: &http::request::Parts, body: &[u8]) -> io::Result<Response<Body>> {
    let path = head.uri.path();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let is_webhook = matches!(parts.as_slice(), ["services", team, bot, token]
        if team.starts_with('T') && bot.starts_with('B') && !token.is_empty());
    if !is_webhook || head.method != Method::POST {
        return whole(302, &[("Location".to_owned(), "https://slack.com/".to_owned())], String::new());
    }
    let refuse = |word: &str| whole(answer::status_of(word), &[], word.to_owned());
    let mut state = shared.state();
    let (now, burst) = ((state.clock)(), state.burst);
    let Some(hook) = state.hooks.get_mut(path) else {
        return refuse("no_service");
    };
    if let Some(word) = hook.dead {
        return refuse(word);
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let judged = match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => validate::message(body),
        "application/x-www-form-urlencoded" => {
            form_payload(body).ok_or("invalid_payload").and_then(|json| validate::message(&json))
        }
        _ => Err("invalid_payload"),
    };
    if let Err(seconds) = hook.admit(burst, now) {
        return whole(429, &[("Retry-After".to_owned(), seconds.to_string())], String::new());
    }
    match judged {
        Ok(message) => {
            let path = Arc::clone(&hook.path);
            shared.keep(state, path, now, message);
            whole(200, &[], "ok".to_owned())
        }
        Err(word) => refuse(word),
    }
}

/// The decoded `payload` of a form body.
fn form_payload(body: &[u8]) -> Option<Vec<u8>> {
    let body = std::str::from_utf8(body).ok()?;
    let payload = body.split('&').find_map(|pair| pair.strip_prefix("payload="))?;
    let mut bytes = payload.bytes();
    let mut out = Vec::with_capacity(payload.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

fn whole(status: u16, headers: &[(String, String)], body: String) -> io::Result<Response<Body>> {
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "text/html");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response
        .body(Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {}).boxed())
        .map_err(io::Error::other)
}

fn drip(every: std::time::Duration, bytes: usize) -> Response<Body> {
    let drops = stream::unfold(0, move |sent| async move {
        if sent >= bytes {
            return None;
        }
        tokio::time::sleep(every).await;
        let byte: &'static [u8] = [&b"o"[..], b"k"].get(sent).copied().unwrap_or(b" ");
        Some((Ok(Frame::data(Bytes::from_static(byte))), sent + 1))
    });
    Response::new(BodyExt::boxed(StreamBody::new(drops)))
}

fn close_in_body() -> io::Result<Response<Body>> {
    let frames = stream::unfold(false, |sent| async move {
        if !sent {
            return Some((Ok(Frame::data(Bytes::from_static(b"ok"))), true));
        }
        // Pending once, so that hyper flushes what it has before it learns of the end.
        tokio::task::yield_now().await;
        Some((Err(io::Error::other("told to close within the body")), true))
    });
    Response::builder()
        .header(header::CONTENT_LENGTH, 100)
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .map_err(io::Error::other)
}
