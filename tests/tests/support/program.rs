//! The real program's command line, as people use it beside a running `pqh serve`.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use pqh_tests::program;
use pqh_tests::service::ServiceProgram;
use serde_json::Value;

/// What a command printed, and what it ended with.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// What it printed, where all went well.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// Its JSON, where all went well.
    #[track_caller]
    pub fn json(self) -> Value {
        let printed = self.done();
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// All that it printed, where it ended so.
    #[track_caller]
    pub fn ended(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Somebody at a terminal: a token, and a folder of their own.
pub struct Person {
    token: String,
    server: String,
    folder: std::path::PathBuf,
}

impl Person {
    pub fn new(service: &ServiceProgram, token: &str) -> Self {
        let server = service.api().base_url().unwrap();
        Self { token: token.to_owned(), server, folder: service.folder().to_owned() }
    }

    /// Runs `pqh` with these words.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[]).await
    }

    /// With further variables of the environment.
    pub async fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(tokio::task::spawn_blocking(program::pqh).await.unwrap().unwrap());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PQH_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("PQH_TOKEN", &self.token).env("PQH_SERVER", &self.server).envs(environment.iter().copied());
        let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: ran.status.code(), stdout: text(ran.stdout), stderr: text(ran.stderr) }
    }
}

/// A file's bytes; none where there is no such file.
pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}
