//! A person's browser: keeps the service's cookies, follows no redirect by itself, and sends forms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what a browser cannot do fails the test or the demonstration that it is in"
)]

use std::sync::Mutex;

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};

/// Where people reach the service; the browser finds it on this machine.
pub const PUBLIC: &str = "https://notify.example.com";

/// What a browser shows.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The answer's headers.
    pub headers: reqwest::header::HeaderMap,
    /// The whole body.
    pub html: String,
}

impl Page {
    /// Where it sends the browser on.
    #[track_caller]
    pub fn leads_to(&self) -> String {
        assert_eq!(self.status, 303, "{self:#?}");
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }

    /// The title, and that it has this status.
    #[track_caller]
    pub fn title(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:#?}");
        let (_, rest) = self.html.split_once("<h1>").unwrap_or_else(|| panic!("no heading: {self:#?}"));
        rest.split("</h1>").next().unwrap().to_owned()
    }

    /// What the form's hidden field holds.
    #[track_caller]
    pub fn decision(&self) -> String {
        let (_, rest) =
            self.html.split_once("name=\"decision\" value=\"").unwrap_or_else(|| panic!("no form: {self:#?}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A browser.
#[derive(Debug)]
pub struct Browser {
    base: String,
    client: reqwest::Client,
    cookies: Mutex<Vec<(String, String)>>,
}

impl Browser {
    /// A new one, for the service that listens there.
    pub fn new(base: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base: base.to_owned(), client, cookies: Mutex::default() }
    }

    /// Opens an address of the service.
    pub async fn open(&self, url: &str) -> Page {
        let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-user", "?1")];
        self.fetch(reqwest::Method::GET, url, &navigation).await
    }

    /// Fetches an address of the service with these headers alone, as others than people do.
    pub async fn fetch(&self, method: reqwest::Method, url: &str, headers: &[(&str, &str)]) -> Page {
        let request = self.client.request(method, self.address(url));
        self.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Sends a form to an address of the service.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = reqwest::Url::parse_with_params("https://form.invalid", fields).unwrap();
        let form = form.query().unwrap_or_default().to_owned();
        let request = self.client.post(self.address(path)).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form)).await
    }

    /// Answers the page that asks whether to connect.
    pub async fn answer(&self, channel_type: &str, page: &Page, answer: &str) -> Page {
        let fields = [("decision", page.decision()), ("answer", answer.to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.submit(&format!("/oauth/{channel_type}/confirm"), &fields).await
    }

    /// The cookies that it holds: name and value.
    pub fn cookies(&self) -> Vec<(String, String)> {
        self.cookies.lock().unwrap().clone()
    }

    fn address(&self, url: &str) -> String {
        let path = url.strip_prefix(PUBLIC).or_else(|| url.strip_prefix(&self.base)).unwrap_or(url);
        assert!(path.starts_with('/'), "no address of the service: {url}");
        format!("{}{path}", self.base)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let held: Vec<String> = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if held.is_empty() { request } else { request.header(COOKIE, held.join("; ")) };
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for set in headers.get_all(SET_COOKIE) {
            self.keep(set.to_str().unwrap());
        }
        Page { status, headers, html: answer.text().await.unwrap() }
    }

    /// Keeps a cookie as browsers do with this prefix (RFC 6265bis, 4.1.3.2).
    fn keep(&self, set: &str) {
        let mut parts = set.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
        let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        assert!(name.starts_with("__Host-"), "{set}");
        assert!(has("secure") && has("path=/") && has("httponly") && has("samesite=lax"), "{set}");
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("domain")), "{set}");
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|(held, _)| held != name);
        cookies.push((name.to_owned(), value.to_owned()));
    }
}
