//! The gate: the only way out. Every request passes all of its steps, in the order of this file.

pub(crate) mod address;
mod answer;
pub(crate) mod assemble;
pub(crate) mod binding;
pub(crate) mod config;
mod connect;
pub(crate) mod destination;
pub(crate) mod headers;
pub(crate) mod mask;
mod place;
mod retry_after;
pub(crate) mod sign;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::contract::channel::{Credential, Placement};
use crate::contract::outbound_http::{Address, Error, ErrorKind, Request, Response};
use crate::egress::{Exchange, LiveEgress, denied};
use crate::gate::address::AddressPolicy;
use crate::gate::config::GateConfig;
use crate::gate::connect::{Connector, describe, refused};
use crate::gate::destination::Origin;
use crate::gate::mask::Masks;
use crate::limits::Limits;
use crate::settings::SHORTEST_SECRET;

/// What is kept back of a call's time, so that the component can still answer.
pub(crate) const RESERVE: Duration = Duration::from_millis(500);
/// How we name ourselves.
const AGENT: &str = concat!("pyqueryhub-notify/", env!("CARGO_PKG_VERSION"));

type HttpClient = Client<HttpsConnector<Connector>, Full<Bytes>>;

/// Sends what passes. One for all components; connections are shared between calls to the same origin.
pub(crate) struct Gate {
    config: GateConfig,
    /// Checks each address that it connects to.
    checked: HttpClient,
    /// For upstream overrides alone.
    unchecked: HttpClient,
    limits: Limits,
}

/// A request on its way through the gate.
struct Passage {
    method: http::Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Gate {
    pub(crate) fn new(config: GateConfig, limits: &Limits) -> Result<Self, String> {
        let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for der in &config.roots {
            roots.add(CertificateDer::from(der.clone())).map_err(|error| error.to_string())?;
        }
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let proxy = match &config.proxy {
            Some(proxy) => Some(proxy.as_str().parse::<Uri>().map_err(|error| error.to_string())?),
            None => None,
        };
        let policy =
            Arc::new(AddressPolicy { private: config.private.clone(), own_listeners: config.own_listeners.clone() });
        let checked = Connector { policy, proxy, timeout: config.connect_timeout, unchecked: false };
        let unchecked = Connector { proxy: None, unchecked: true, ..checked.clone() };
        let client = |connector| {
            let https = HttpsConnectorBuilder::new()
                .with_tls_config(tls.clone())
                .https_or_http()
                .enable_http1()
                .wrap_connector(connector);
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(64)
                .http1_max_buf_size(64 << 10)
                .build(https)
        };
        Ok(Self { checked: client(checked), unchecked: client(unchecked), config, limits: limits.clone() })
    }

    /// Sends one request of a component, or says why not.
    pub(crate) async fn send(&self, call: &mut LiveEgress, request: Request) -> Result<Response, Error> {
        if call.wire.len() >= self.limits.requests {
            return Err(denied(format!("more than {} requests in one call", self.limits.requests)));
        }
        let slot = call.wire.len();
        let repeatable = request.repeatable;
        call.wire.push(Exchange { repeatable, sent: false, accepted: None });
        let timeout = request.timeout.map(|ms| Duration::from_millis(ms.into()));
        let passage = self.admit(call, request).await.map_err(|mut error| {
            error.message = call.masks.text(error.message);
            error
        })?;
        let left = call.deadline.saturating_duration_since(Instant::now()).saturating_sub(RESERVE);
        let patience = timeout.map_or(left, |timeout| timeout.min(left));
        self.transmit(call, slot, passage, patience).await
    }

    /// Steps 1, 2, 3 and 6: all that happens before the network.
    async fn admit(&self, call: &mut LiveEgress, request: Request) -> Result<Passage, Error> {
        let binding = Arc::clone(&call.binding);
        let (address, named) = binding.credentials(&request).map_err(denied)?;
        let (url, origin) = self.assemble(call, &request, address, &named).await?;
        let all: Vec<&Credential> = address.into_iter().chain(named.iter().copied()).collect();
        binding.allows(&origin, &all).map_err(denied)?;
        binding::check_size(&request, &self.limits).map_err(denied)?;
        let mut headers = headers::check(&request.headers).map_err(denied)?;
        let method = http::Method::from_bytes(assemble::method_name(request.method).as_bytes())
            .map_err(|error| denied(error.to_string()))?;
        let mut body = request.body;
        for credential in named {
            if matches!(credential.placement, Placement::Path(_) | Placement::Query(_) | Placement::Address) {
                continue;
            }
            let secret = secret(call, credential).await?;
            let secret = secret.expose_secret();
            match &credential.placement {
                Placement::Header(place) => place::header(&mut headers, &place.name, &place.prefix, secret),
                Placement::Headers => place::all_headers(&mut headers, secret),
                Placement::Basic(key) => place::basic(&mut headers, binding.text(key).unwrap_or_default(), secret),
                Placement::JsonBody(pointer) => place::json_body(&body, pointer, secret).map(|placed| body = placed),
                Placement::Sign(signature) => {
                    let signed = sign::Signed { method: method.as_str(), url: url.as_str(), body: &body };
                    sign::sign(signature, secret, &mut headers, &signed, SystemTime::now())
                }
                Placement::Address | Placement::Path(_) | Placement::Query(_) => Ok(()),
                Placement::Other((name, _)) => Err(format!("this host knows no placement {name:?}")),
            }
            .map_err(denied)?;
        }
        Ok(Passage { method, url, headers, body })
    }

    /// Step 1. The origin is that of the address before a credential was placed in it.
    async fn assemble(
        &self,
        call: &mut LiveEgress,
        request: &Request,
        address: Option<&Credential>,
        named: &[&Credential],
    ) -> Result<(Url, Origin), Error> {
        let origin_of = |url: &Url| Origin::of(url).ok_or_else(|| denied("only https leaves"));
        let (mut url, origin) = match (&request.address, address) {
            (Address::Secret(part), Some(credential)) => {
                let secret = secret(call, credential).await?;
                let url = assemble::extend(secret.expose_secret(), &part.path, &part.query).map_err(denied)?;
                let origin = origin_of(&url)?;
                (url, origin)
            }
            (Address::Url(raw), _) => {
                let (mut bare, mut placed) = (raw.clone(), raw.clone());
                for credential in named {
                    if let Placement::Path(placeholder) = &credential.placement {
                        bare = assemble::place_in_path(&bare, placeholder, "x").map_err(denied)?;
                        let secret = secret(call, credential).await?;
                        placed =
                            assemble::place_in_path(&placed, placeholder, secret.expose_secret()).map_err(denied)?;
                    }
                }
                let origin = origin_of(&assemble::parse(&bare).map_err(denied)?)?;
                (assemble::parse(&placed).map_err(denied)?, origin)
            }
            (Address::Secret(_), None) => return Err(denied("the address is no credential")),
        };
        for credential in named {
            if let Placement::Query(name) = &credential.placement {
                if url.query_pairs().any(|(known, _)| known == *name) {
                    return Err(denied(format!("the query already holds `{name}`, where a credential goes")));
                }
                let secret = secret(call, credential).await?;
                url.query_pairs_mut().append_pair(name, secret.expose_secret());
            }
        }
        if origin_of(&url)? != origin {
            return Err(denied("placing a credential changed where the request goes"));
        }
        Ok((url, origin))
    }

    /// Posts a form of the host's own, such as to a token address. Its answer goes to no component, so nothing is masked.
    pub(crate) async fn post(
        &self,
        url: Url,
        mut headers: HeaderMap,
        form: String,
        patience: Duration,
    ) -> Result<(u16, Vec<u8>), String> {
        let (client, target) = self.route(&url).map_err(|error| error.message)?;
        own_headers(&mut headers, &url).map_err(|error| error.message)?;
        let mut http = http::Request::new(Full::new(Bytes::from(form)));
        *http.method_mut() = http::Method::POST;
        *http.uri_mut() = target.as_str().parse().map_err(|_| "the URL is none that HTTP can send".to_owned())?;
        *http.headers_mut() = headers;
        let exchange = async {
            let answer =
                client.request(http).await.map_err(|error| refused(&error).unwrap_or_else(|| describe(&error)))?;
            let answer = answer::read(answer, &Masks::default(), self.limits.response_bytes).await?;
            Ok((answer.status, answer.body))
        };
        let late = || format!("no whole answer within {patience:?}");
        tokio::time::timeout(patience, exchange).await.map_err(|_| late())?
    }

    /// Step 4: which client, and where to.
    fn route(&self, url: &Url) -> Result<(&HttpClient, Url), Error> {
        match url.host_str().and_then(|host| self.config.upstreams.get(host)) {
            Some(upstream) => {
                let rest = &url[url::Position::BeforePath..];
                let target = upstream.join(rest).map_err(|error| denied(error.to_string()))?;
                if target.origin() != upstream.origin() {
                    return Err(denied("the path leads away from the upstream"));
                }
                Ok((&self.unchecked, target))
            }
            None => Ok((&self.checked, url.clone())),
        }
    }

    /// Steps 4, 5, 7 and 8: the network.
    async fn transmit(
        &self,
        call: &mut LiveEgress,
        slot: usize,
        passage: Passage,
        patience: Duration,
    ) -> Result<Response, Error> {
        let Passage { method, url, mut headers, body } = passage;
        let (client, target) = self.route(&url)?;
        own_headers(&mut headers, &url)?;
        let failed = |kind, message: String, sent| Error { kind, message, request_sent: sent };
        let mut http = http::Request::new(Full::new(Bytes::from(body)));
        *http.method_mut() = method;
        *http.uri_mut() = target.as_str().parse().map_err(|_| denied("the URL is none that HTTP can send"))?;
        *http.headers_mut() = headers;
        let connection = capture_connection(&mut http);
        // From here on bytes may leave: the record must stand even if this future is dropped.
        call.wire[slot].sent = true;
        let exchange = async {
            let answer = client.request(http).await.map_err(|error| {
                let message = refused(&error);
                let kind = if message.is_some() { ErrorKind::Denied } else { ErrorKind::Failed };
                (kind, message.unwrap_or_else(|| describe(&error)), !error.is_connect())
            })?;
            let status = answer.status();
            let answer = answer::read(answer, &call.masks, self.limits.response_bytes).await;
            answer.map_err(|message| (ErrorKind::Failed, format!("{message} (status {})", status.as_u16()), true))
        };
        match tokio::time::timeout(patience, exchange).await {
            Ok(Ok(answer)) => {
                call.wire[slot].accepted = Some((200..300).contains(&answer.status));
                Ok(answer)
            }
            Ok(Err((kind, message, sent))) => {
                call.wire[slot].sent = sent;
                Err(failed(kind, call.masks.text(message), sent))
            }
            Err(_) => {
                let sent = connection.connection_metadata().is_some();
                call.wire[slot].sent = sent;
                Err(failed(ErrorKind::Timeout, format!("no whole answer within {patience:?}"), sent))
            }
        }
    }
}

/// The headers that are the host's own.
fn own_headers(headers: &mut HeaderMap, url: &Url) -> Result<(), Error> {
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let own = HeaderValue::from_str(host).map_err(|_| denied("the host is no header value"))?;
    headers.insert(HOST, own);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    Ok(())
}

/// Reads a credential's secret, and masks it from now on.
async fn secret(call: &mut LiveEgress, credential: &Credential) -> Result<SecretString, Error> {
    let unauthorized = |message: String| Error { kind: ErrorKind::Unauthorized, message, request_sent: false };
    if call.binding.secrets.facts(&credential.secret).is_none() {
        return Err(unauthorized(format!("the credential `{}` is not filled in", credential.name)));
    }
    let secret = call.binding.secrets.get(&credential.secret).await.map_err(|error| {
        let kind = if error.passing { ErrorKind::Failed } else { ErrorKind::Unauthorized };
        Error { kind, message: error.to_string(), request_sent: false }
    })?;
    if secret.expose_secret().chars().count() < SHORTEST_SECRET {
        return Err(denied(format!(
            "the credential `{}` has under {SHORTEST_SECRET} characters: it could not be kept out of answers and logs",
            credential.name
        )));
    }
    if matches!(credential.placement, Placement::Headers) {
        // Each value is a secret of its own.
        let values: std::collections::BTreeMap<String, String> =
            serde_json::from_str(secret.expose_secret()).unwrap_or_default();
        for value in values.values() {
            call.masks.add(value);
        }
    }
    call.masks.add(secret.expose_secret());
    Ok(secret)
}
