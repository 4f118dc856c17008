//! Requests to the API, and its answers.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::Scenario;

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// Null where the body is none.
    pub json: Value,
}

impl Answer {
    /// Its JSON, where something was made or accepted.
    #[track_caller]
    pub fn created(self) -> Value {
        assert!(matches!(self.status, 201 | 202), "{self:#?}");
        self.json
    }

    /// Its JSON, where all is well.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:#?}");
        self.json
    }

    /// Its JSON, where it is this problem.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert!(self.status == status && self.json["code"] == code, "expected {status} {code}: {self:#?}");
        self.json
    }
}

impl Scenario {
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.try_ask(method, path, token, body, &[]).await.unwrap()
    }

    /// With further headers; an error is no answer.
    pub async fn try_ask(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.base()));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await?;
        let json = serde_json::from_str(&body).unwrap_or_default();
        Ok(Answer { status, headers, body, json })
    }

    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, token, Some(body)).await
    }

    /// As an administrator.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(&self.admin, path, body).await
    }

    /// As an administrator, without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.ask(Method::POST, path, &self.admin, None).await
    }

    /// As an administrator.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PATCH, path, &self.admin, Some(body)).await
    }

    /// What an administrator reads.
    pub async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, &self.admin, None).await.ok()
    }

    /// Everything of a list that is no longer than a page.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = self.get(&format!("{path}{joint}limit=200")).await;
        assert!(page["next_cursor"].is_null(), "longer than a page");
        page["items"].as_array().expect("a list").clone()
    }

    /// What anybody may read: `/readyz`, `/metrics`.
    pub async fn open(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "", None).await
    }

    /// A metric's value.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.open("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {text}"))
    }

    /// Codes of the warnings that `/readyz` tells.
    pub async fn warnings(&self) -> Vec<String> {
        let ready = self.open("/readyz").await.ok();
        ready["warnings"].as_array().expect("warnings").iter().map(|note| super::text(&note["code"])).collect()
    }

    /// Changes the organization's plan, as the operator.
    pub async fn set_plan(&self, plan: &str) {
        let path = format!("/v1/organizations/{}", self.organization);
        let body = serde_json::json!({ "plan": plan });
        self.ask(Method::PATCH, &path, &self.operator, Some(&body)).await.ok();
    }
}
