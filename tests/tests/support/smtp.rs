//! A real SMTP server for tests, with TLS by an authority of its own and a login; and what the runtime has to know of it.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

use std::path::PathBuf;

use pqh_runtime::{MailConfig, MailTls};
use serde_json::Value;
use tempfile::TempDir;

use crate::python::{Server, has_python};

pub const USER: &str = "pqh";
pub const PASSWORD: &str = "canary-of-the-relay";
/// Whose name mail has.
pub const FROM: &str = "PyQueryHub <alerts@sender.example>";

/// An SMTP server, with a certificate of an authority of its own.
pub struct SmtpServer {
    server: Server,
    folder: TempDir,
    root: Vec<u8>,
    pub tls: MailTls,
}

impl SmtpServer {
    /// With a certificate for this name. Demands a login; none where Python is not there.
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
        let root = root.der().to_vec();
        file("password", PASSWORD);
        let certificate = file("leaf.pem", &pem("CERTIFICATE", leaf.der()));
        let key = file("leaf.key", &pem("PRIVATE KEY", key.serialized_der()));
        let mode = match tls {
            MailTls::StartTls => "starttls",
            MailTls::Implicit => "implicit",
            MailTls::None => "none",
        };
        let arguments = ["--mode", mode, "--cert", &certificate, "--key", &key, "--user", USER, "--password", PASSWORD];
        Some(Self { server: Server::start("smtp_server.py", &arguments), folder, root, tls })
    }

    /// A file of its folder: `root.pem`, `password`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// "localhost:PORT".
    pub fn address(&self) -> String {
        format!("localhost:{}", self.server.port())
    }

    /// How the runtime mails through it.
    pub fn config(&self) -> MailConfig {
        let config = MailConfig::new(&self.address(), self.tls, FROM).unwrap();
        config.with_login(USER, PASSWORD.into()).with_root(self.root.clone())
    }

    /// The mail that it took, once it is so much.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        let is_mail = |line: &&Value| line["data"].is_string();
        let enough = |lines: &[Value]| lines.iter().filter(is_mail).count() >= count;
        let lines = self.server.wait_until(&format!("mail {count}"), enough).await;
        let mails: Vec<Value> = lines.iter().filter(is_mail).cloned().collect();
        assert_eq!(mails.len(), count, "{mails:#?}");
        mails
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
