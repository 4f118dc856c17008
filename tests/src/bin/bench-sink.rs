//! Where a benchmark's messages arrive: answers `ok` to every POST, and keeps when each event came.
//!
//! `GET /count` says how many came, `GET /times` gives and forgets them, a line each: the event's number, and microseconds
//! since 1970.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use pqh_tests::bench;
use tokio::net::TcpListener;

#[derive(Default)]
struct Sink {
    count: usize,
    times: Vec<(u64, u64)>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    let sink = Rc::new(RefCell::new(Sink::default()));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let sink = Rc::clone(&sink);
                tokio::task::spawn_local(async move {
                    let answer = service_fn(move |request| answer(Rc::clone(&sink), request));
                    // A client may go at any time.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        })
        .await
}

async fn answer(sink: Rc<RefCell<Sink>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut sink = sink.borrow_mut();
    let said = if head.method == Method::POST {
        if let Some(number) = std::str::from_utf8(&body).ok().and_then(bench::number_in) {
            sink.times.push((number, bench::now()));
            sink.count += 1;
        }
        Bytes::from_static(b"ok")
    } else if head.uri.path() == "/count" {
        sink.count.to_string().into()
    } else {
        let mut lines = String::new();
        for (number, at) in std::mem::take(&mut sink.times) {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{number} {at}");
        }
        lines.into()
    };
    Ok(Response::new(Full::new(said)))
}
