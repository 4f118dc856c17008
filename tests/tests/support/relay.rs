//! A real SMTP server for tests, and services that mail through it.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

#[path = "smtp.rs"]
mod smtp;

use std::path::PathBuf;

use pqh::config::Mail;
use pqh_runtime::MailTls;
use serde_json::Value;

use crate::scenario::Scenario;
use smtp::{FROM, SmtpServer, USER};
pub use smtp::{PASSWORD, decoded, header};

/// The relay of a service.
pub struct Relay(SmtpServer);

impl Relay {
    /// Demands a login; none where Python is not there.
    pub fn start(tls: MailTls) -> Option<Self> {
        Self::named("localhost", tls)
    }

    /// With a certificate for this name.
    pub fn named(name: &str, tls: MailTls) -> Option<Self> {
        SmtpServer::named(name, tls).map(Self)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// `[mail]` for it.
    pub fn config(&self) -> Mail {
        Mail {
            relay: self.0.address(),
            tls: self.0.tls,
            from: FROM.to_owned(),
            user: Some(USER.to_owned()),
            password_file: Some(self.file("password")),
            extra_ca: vec![self.file("root.pem")],
            domains: Vec::new(),
            connections: None,
            hello: None,
        }
    }

    /// A service that mails through it.
    pub async fn scenario(&self) -> Scenario {
        self.scenario_with(|_| {}).await
    }

    pub async fn scenario_with(&self, change: impl FnOnce(&mut Mail)) -> Scenario {
        let mut mail = self.config();
        change(&mut mail);
        Scenario::with(|config| config.mail = Some(mail)).await
    }

    /// The mail that it took, once it is so much.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        self.0.mails(count).await
    }

    /// Waits until somebody tried to log in.
    pub async fn until_login(&self) {
        crate::scenario::eventually("a login", || async {
            if self.heard_a_login() { Ok(()) } else { Err(Value::from("nobody tried")) }
        })
        .await;
    }

    /// Whether anybody tried to log in.
    pub fn heard_a_login(&self) -> bool {
        self.0.heard_a_login()
    }
}
