//! The service's HTTP API, as its clients see it.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Who the requests come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    pub(super) organization: String,
    pub(super) admin: String,
    pub(super) publisher: String,
    pub(super) operator: String,
}

/// Asks one service, wherever it listens now. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    address: watch::Receiver<Option<SocketAddr>>,
    tokens: Arc<RwLock<Tokens>>,
}

impl Api {
    pub(super) fn new(address: watch::Receiver<Option<SocketAddr>>) -> Result<Self> {
        // No request here is by TLS, and yet the client wants to know whose. Another may have said it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
        Ok(Self { client, address, tokens: Arc::default() })
    }

    pub(super) fn set_tokens(&self, tokens: Tokens) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    fn tokens(&self) -> Tokens {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The organization's id.
    pub fn organization(&self) -> String {
        self.tokens().organization
    }

    /// The token of an administrator.
    pub fn admin_token(&self) -> String {
        self.tokens().admin
    }

    /// The token of a publisher.
    pub fn publisher_token(&self) -> String {
        self.tokens().publisher
    }

    /// The token of an operator.
    pub fn operator_token(&self) -> String {
        self.tokens().operator
    }

    /// Waits until the service was started (again).
    pub async fn wait_until_running(&self) {
        // Nobody will start it any more where the service is gone: whoever asks next is told.
        let _ = self.address.clone().wait_for(Option::is_some).await;
    }

    /// `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn base_url(&self) -> Result<String> {
        let address = (*self.address.borrow()).context("the service does not run")?;
        Ok(format!("http://{address}"))
    }

    /// One request by this token: the answer's status, and its JSON (null where there is none).
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.base_url()?));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// What an administrator reads at `path`.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another than 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.ask(Method::GET, path, &self.admin_token(), None).await?;
        ensure!(status == 200, "GET {path}: {status} {answer}");
        Ok(answer)
    }

    /// Makes something as an administrator.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another than 200, 201 or 202.
    pub async fn create(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.ask(Method::POST, path, &self.admin_token(), Some(body)).await?;
        ensure!((200..=202).contains(&status), "POST {path}: {status} {answer}");
        Ok(answer)
    }

    /// Makes a channel of a webhook.
    ///
    /// # Errors
    ///
    /// When there is no answer, or a refusal.
    pub async fn add_channel(&self, alias: &str, channel_type: &str, url: &str) -> Result<Value> {
        self.create("/v1/channels", &json!({ "alias": alias, "type": channel_type, "settings": { "url": url } })).await
    }

    /// Posts an event as a publisher: the answer's status, and its JSON.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn post_event(&self, channels: &[String], event: &Value) -> Result<(u16, Value)> {
        let body = json!({ "channels": channels, "event": event });
        self.ask(Method::POST, "/v1/events", &self.publisher_token(), Some(&body)).await
    }

    /// Everything of a list, page after page. `path` with its query.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another than 200.
    pub async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{joint}limit=200{cursor}")).await?;
            items.extend(page["items"].as_array().with_context(|| format!("{path}: no list: {page}"))?.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Deliveries, all or those that `query` names, such as `status=failed`.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another than 200.
    pub async fn deliveries(&self, query: &str) -> Result<Vec<Value>> {
        self.all(&format!("/v1/deliveries?{query}")).await
    }

    /// How many deliveries have this status, at most 200.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another than 200.
    pub async fn count(&self, status: &str) -> Result<usize> {
        let page = self.get(&format!("/v1/deliveries?limit=200&status={status}")).await?;
        Ok(page["items"].as_array().map_or(0, Vec::len))
    }

    /// What it says of its readiness: the answer's status, and its JSON.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn readiness(&self) -> Result<(u16, Value)> {
        self.ask(Method::GET, "/readyz", "", None).await
    }

    /// Waits until `/readyz` answers `wanted`, and gives what it says then.
    ///
    /// # Errors
    ///
    /// When that does not come to be.
    pub async fn wait_for_readiness(&self, wanted: u16) -> Result<Value> {
        let started = std::time::Instant::now();
        loop {
            let said = self.readiness().await;
            match said {
                Ok((status, said)) if status == wanted => return Ok(said),
                _ => ensure!(started.elapsed() < super::PATIENCE, "expected {wanted} of /readyz, found {said:?}"),
            }
            tokio::time::sleep(super::LOOK).await;
        }
    }

    /// Waits until nothing is queued, waiting or being sent.
    ///
    /// # Errors
    ///
    /// When there is no answer, or that does not come to be.
    pub async fn wait_until_settled(&self) -> Result<()> {
        let started = std::time::Instant::now();
        loop {
            let mut left = 0;
            for status in ["queued", "waiting", "sending"] {
                left += self.count(status).await?;
            }
            if left == 0 {
                return Ok(());
            }
            ensure!(started.elapsed() < super::PATIENCE, "{left} deliveries have not ended");
            tokio::time::sleep(super::LOOK).await;
        }
    }
}
