//! The HTTP API's client: one request, one answer, and lists followed from page to page.

mod connect;
mod problem;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use reqwest::{
    Method, RequestBuilder, Response,
    header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::error::CliError;

/// The most that one page may hold, as the API has it.
const LONGEST_PAGE: usize = 200;

/// Speaks with one service, as whom a token stands for.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Reads one thing.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, CliError> {
        let request = self.request(Method::GET, path)?.query(query);
        json(self.send(request).await?, &self.base).await
    }

    /// Makes or does something.
    pub(crate) async fn post(&self, path: &[&str], body: &impl Serialize) -> Result<Value, CliError> {
        self.post_with(path, &[], body).await
    }

    /// As [`Client::post`], with a query.
    pub(crate) async fn post_with(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<Value, CliError> {
        let request = self.request(Method::POST, path)?.query(query).json(body);
        json(self.send(request).await?, &self.base).await
    }

    /// Makes something once, however often it is asked for under this key.
    pub(crate) async fn post_once(&self, path: &[&str], key: &str, body: &impl Serialize) -> Result<Value, CliError> {
        let value = HeaderValue::from_str(key)
            .map_err(|_| CliError::input("bad-key", "--idempotency-key: expected visible ASCII characters"))?;
        let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), value)]);
        let request = self.request(Method::POST, path)?.headers(headers).json(body);
        json(self.send(request).await?, &self.base).await
    }

    /// Changes something; with a version, only if it still is that version.
    pub(crate) async fn patch(
        &self,
        path: &[&str],
        version: Option<u64>,
        body: &impl Serialize,
    ) -> Result<Value, CliError> {
        let mut request = self.request(Method::PATCH, path)?.json(body);
        if let Some(version) = version {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        json(self.send(request).await?, &self.base).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &[&str], query: &[(&str, &str)]) -> Result<(), CliError> {
        let request = self.request(Method::DELETE, path)?.query(query);
        self.send(request).await.map(drop)
    }

    /// A list: as much of it as `limit` says, else the whole. `reading` hears how many items have come so far.
    ///
    /// The answer is one page: the first page's further members, all items, and the cursor after the last of them.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        limit: Option<usize>,
        mut reading: impl FnMut(usize),
    ) -> Result<Value, CliError> {
        let mut whole = Value::Null;
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let wanted = limit.map_or(LONGEST_PAGE, |limit| limit.saturating_sub(items.len()).min(LONGEST_PAGE));
            let size = wanted.to_string();
            let mut query = [query, &[("limit", size.as_str())]].concat();
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let mut page = self.get(path, &query).await?;
            let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) else {
                return Err(problem::not_understood(&self.base, "a list without \"items\""));
            };
            let nothing = found.is_empty();
            items.extend(found);
            let next = page["next_cursor"].as_str().map(str::to_owned);
            if whole.is_null() {
                whole = page;
            }
            // A cursor after an empty page, or the same one again, would lead round and round.
            let last = next.is_none() || nothing || next == cursor || limit.is_some_and(|limit| items.len() >= limit);
            if last {
                whole["next_cursor"] = next.into();
                whole["items"] = items.into();
                return Ok(whole);
            }
            cursor = next;
            reading(items.len());
        }
    }

    /// An answer as what it is, where people are to be shown it.
    pub(crate) fn understand<T: DeserializeOwned>(&self, answer: &Value) -> Result<T, CliError> {
        T::deserialize(answer).map_err(|error| problem::not_understood(&self.base, &error.to_string()))
    }

    /// The items of a list as what they are.
    pub(crate) fn items<T: DeserializeOwned>(&self, list: &Value) -> Result<Vec<T>, CliError> {
        self.understand(&list["items"])
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, CliError> {
        Ok(self.http.request(method, self.url(path)?))
    }

    /// The address of a resource, whatever characters its name has.
    fn url(&self, path: &[&str]) -> Result<Url, CliError> {
        let mut url = self.base.clone();
        let mut segments = url.path_segments_mut().map_err(|()| CliError::input("bad-server", "not a base address"))?;
        segments.pop_if_empty().push("v1");
        for name in path {
            // As path segments these would name another resource than the one that was meant.
            if matches!(*name, "" | "." | "..") {
                return Err(CliError::input("bad-name", format!("expected an id or a name, found {name:?}")));
            }
            segments.push(name);
        }
        drop(segments);
        Ok(url)
    }

    /// Sends; an answer that is no success is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().await.map_err(|error| problem::unanswered(&self.base, &error))?;
        if response.status().is_success() { Ok(response) } else { Err(problem::read(&self.base, response).await) }
    }
}

/// The JSON of a success; null where there is nothing in it.
async fn json(response: Response, base: &Url) -> Result<Value, CliError> {
    let bytes = response.bytes().await.map_err(|error| problem::unanswered(base, &error))?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| problem::not_understood(base, "no JSON"))
}
