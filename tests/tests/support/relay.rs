//! A real SMTP server for tests, with TLS by an authority of its own and a login.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

use std::path::PathBuf;

use pqh::config::Mail;
use pqh_runtime::MailTls;
use serde_json::Value;
use tempfile::TempDir;

use crate::python::{Server, has_python};
use crate::scenario::Scenario;

pub const PASSWORD: &str = "canary-of-the-relay";

/// An SMTP server, with a certificate of an authority of its own.
pub struct Relay {
    server: Server,
    folder: TempDir,
    tls: MailTls,
}

impl Relay {
    /// Demands a login; none where Python is not there.
    pub fn start(tls: MailTls) -> Option<Self> {
        Self::named("localhost", tls)
    }

    /// With a certificate for this name.
    pub fn named(name: &str, tls: MailTls) -> Option<Self> {
        if !has_python(&["aiosmtpd"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        file("root.pem", &pem("CERTIFICATE", root.der()));
        file("password", PASSWORD);
        let certificate = file("leaf.pem", &pem("CERTIFICATE", leaf.der()));
        let key = file("leaf.key", &pem("PRIVATE KEY", key.serialized_der()));
        let mode = match tls {
            MailTls::StartTls => "starttls",
            MailTls::Implicit => "implicit",
            MailTls::None => "none",
        };
        let arguments =
            ["--mode", mode, "--cert", &certificate, "--key", &key, "--user", "pqh", "--password", PASSWORD];
        Some(Self { server: Server::start("smtp_server.py", &arguments), folder, tls })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `[mail]` for it.
    pub fn config(&self) -> Mail {
        Mail {
            relay: format!("localhost:{}", self.server.port()),
            tls: self.tls,
            from: "PyQueryHub <alerts@sender.example>".to_owned(),
            user: Some("pqh".to_owned()),
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
        let took = |lines: Vec<Value>| lines.into_iter().filter(|line| line["data"].is_string()).collect::<Vec<_>>();
        let mails = crate::scenario::eventually(&format!("mail {count}"), || async {
            let mails = took(self.server.lines());
            if mails.len() >= count { Ok(mails) } else { Err(Value::from(mails)) }
        })
        .await;
        assert_eq!(mails.len(), count, "{mails:#?}");
        mails
    }

    /// Waits until somebody tried to log in.
    pub async fn until_login(&self) {
        crate::scenario::eventually("a login", || async {
            if self.heard_a_login() { Ok(()) } else { Err(Value::from(self.server.lines())) }
        })
        .await;
    }

    /// Whether anybody tried to log in.
    pub fn heard_a_login(&self) -> bool {
        self.server.lines().iter().any(|line| line["login"].is_string())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A header of a mail, unfolded.
#[track_caller]
pub fn header(mail: &Value, name: &str) -> String {
    let data = mail["data"].as_str().unwrap().replace("\r\n ", " ");
    let line =
        data.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name}: {data}")).to_owned()
}

/// A header's text, with its encoded words decoded.
pub fn decoded(header: &str) -> String {
    use base64::Engine as _;
    let word = |word: &str| match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
        Some(code) => String::from_utf8(base64::engine::general_purpose::STANDARD.decode(code).unwrap()).unwrap(),
        None => word.to_owned(),
    };
    header.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
