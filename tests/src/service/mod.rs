//! The real `pqh serve` in a folder of its own: started, asked, killed and started again.

mod api;
mod output;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

pub use api::Api;
use api::Tokens;
use output::Output;

use crate::program;

/// The longest that anything here is waited for. What takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at what another process does.
const LOOK: Duration = Duration::from_millis(10);

/// Waits for something that has to come soon.
///
/// # Errors
///
/// When it does not.
pub async fn within<T>(what: &str, coming: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, coming).await.with_context(|| format!("waited in vain for {what}"))
}

/// How the service is to be started.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    environment: Vec<(String, String)>,
    ignores_file_size_signal: bool,
}

impl Setup {
    /// With everything for `hooks.slack.com` sent to `upstream`.
    pub fn to(upstream: &str) -> Self {
        Self::default().with("PQH_EGRESS_UPSTREAMS", &format!("hooks.slack.com={upstream}"))
    }

    /// With a key of the configuration, by its name in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writing beyond the limit of [`ServiceProgram::limit_files`] then fails as on a full disk, and kills nothing.
    #[must_use]
    pub fn with_limited_files(mut self) -> Self {
        self.ignores_file_size_signal = true;
        self
    }

    /// Starts it, waits until it is ready, and makes an organization with its tokens.
    ///
    /// # Errors
    ///
    /// When the program does not build, does not get ready, or makes no organization.
    pub async fn start(self) -> Result<ServiceProgram> {
        let binary = tokio::task::spawn_blocking(program::pqh).await??;
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let (address, _) = watch::channel(None);
        let mut service = ServiceProgram {
            api: Api::new(address.subscribe())?,
            binary,
            folder,
            setup: self,
            child: None,
            address,
            output: Output::default(),
        };
        service.restart().await?;
        service.make_organization().await?;
        Ok(service)
    }
}

/// A service, running or not. It is killed when dropped.
#[derive(Debug)]
pub struct ServiceProgram {
    binary: std::path::PathBuf,
    folder: TempDir,
    setup: Setup,
    child: Option<Child>,
    address: watch::Sender<Option<SocketAddr>>,
    output: Output,
    api: Api,
}

impl Drop for ServiceProgram {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.kill();
    }
}

impl ServiceProgram {
    /// A service that sends everything for `hooks.slack.com` to `upstream`.
    ///
    /// # Errors
    ///
    /// See [`Setup::start`].
    pub async fn start(upstream: &str) -> Result<Self> {
        Setup::to(upstream).start().await
    }

    /// Starts it again in its folder, and waits until it is ready. It listens on another port.
    ///
    /// # Errors
    ///
    /// When it runs already, ends, or does not get ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.launch().await?;
        self.wait_until_ready().await
    }

    /// Starts it in its folder, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it runs already, or ends without listening.
    pub async fn launch(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the service runs already");
        let mut command = if self.setup.ignores_file_size_signal {
            // What is ignored stays ignored in the program that takes the shell's place.
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(&self.binary);
            shell
        } else {
            Command::new(&self.binary)
        };
        self.surround(command.arg("serve"));
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot run pqh serve")?;
        let mut told = self.output.follow(&mut child);
        self.child = Some(child);
        let address = loop {
            if let Some(address) = *told.borrow_and_update() {
                break address;
            }
            // The sender goes when all that the program prints has ended.
            if told.changed().await.is_err() {
                bail!("pqh serve ended without listening:\n{}", self.output());
            }
        };
        self.address.send_replace(Some(address));
        Ok(())
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    ///
    /// When it ends, or does not get ready.
    pub async fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            if self.api.readiness().await.is_ok_and(|(status, _)| status == 200) {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait().context("cannot look after pqh")?
            {
                bail!("pqh serve ended with {status}:\n{}", self.output());
            }
            ensure!(started.elapsed() < PATIENCE, "pqh serve does not get ready:\n{}", self.output());
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn make_organization(&mut self) -> Result<()> {
        let printed = self.run(&["org", "create", "Acme", "--json"])?;
        let made: Value = serde_json::from_str(&printed).with_context(|| format!("no JSON: {printed}"))?;
        let text = |key: &str| made[key].as_str().map(str::to_owned).with_context(|| format!("no {key}: {printed}"));
        let operator = std::fs::read_to_string(self.folder().join("operator.token")).context("no operator.token")?;
        let tokens = Tokens {
            organization: text("id")?,
            admin: text("admin_token")?,
            operator: operator.trim().to_owned(),
            publisher: String::new(),
        };
        self.api.set_tokens(tokens.clone());
        let made = self.api.create("/v1/tokens", &serde_json::json!({ "name": "load", "role": "publisher" })).await?;
        let publisher = made["token"].as_str().with_context(|| format!("no token: {made}"))?.to_owned();
        self.api.set_tokens(Tokens { publisher, ..tokens });
        Ok(())
    }

    /// Runs another command of the program with the same folder and configuration, and gives what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, with what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        self.surround(command.args(arguments));
        let ran = command.output().context("cannot run pqh")?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "pqh {} ended with {}: {said}", arguments.join(" "), ran.status);
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// As [`ServiceProgram::run`], for commands that ask the running service as its admin.
    ///
    /// # Errors
    ///
    /// When it fails, with what it said.
    pub async fn ask(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        self.surround(command.args(arguments));
        command.env("PQH_SERVER", self.api.base_url()?).env("PQH_TOKEN", self.api.admin_token());
        let ran = tokio::task::spawn_blocking(move || command.output()).await?.context("cannot run pqh")?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "pqh {} ended with {}: {said}", arguments.join(" "), ran.status);
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// The folder, and the configuration: what stands around the tests must not leak in.
    fn surround(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PQH_")) {
            command.env_remove(name);
        }
        command.current_dir(self.folder()).stdin(Stdio::null());
        command.env("PQH_LISTEN", "127.0.0.1:0").env("PQH_CACHE_DIR", self.folder().join("cache"));
        command.envs(self.setup.environment.iter().map(|(name, value)| (name, value)));
    }

    /// The folder of database, key and tokens.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's file.
    pub fn database(&self) -> std::path::PathBuf {
        self.folder().join("pqh.db")
    }

    /// The way to ask it, also from other tasks and over restarts.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The id of its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// All that it ever printed.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Kills it: SIGKILL, no last word.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.address.send_replace(None);
        if let Some(mut child) = self.child.take() {
            child.kill().context("cannot kill pqh")?;
            child.wait().context("cannot wait for pqh")?;
        }
        Ok(())
    }

    /// Stops it by SIGTERM, waits for its end, and says what it ended with.
    ///
    /// # Errors
    ///
    /// When it does not run, or does not end.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        let mut child = self.child.take().context("the service does not run")?;
        self.address.send_replace(None);
        kill_process(Pid::from_child(&child), Signal::TERM).context("cannot stop pqh")?;
        let asked = Instant::now();
        loop {
            if let Some(status) = child.try_wait().context("cannot look after pqh")? {
                return Ok(status);
            }
            if asked.elapsed() > PATIENCE {
                child.kill().context("cannot kill pqh")?;
                child.wait().context("cannot wait for pqh")?;
                bail!("pqh serve did not end when it was asked to:\n{}", self.output());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Lets no file of the running service grow beyond `bytes`; `None` takes the limit away. Start it
    /// [so that it survives that](Setup::with_limited_files).
    ///
    /// # Errors
    ///
    /// When it does not run, or the system refuses.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        let child = self.child.as_ref().context("the service does not run")?;
        prlimit(Some(Pid::from_child(child)), Resource::Fsize, Rlimit { current: bytes, maximum: None })
            .context("cannot limit the size of files")?;
        Ok(())
    }
}
