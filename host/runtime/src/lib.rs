//! Loads notification channel components and runs them in sandboxes, behind an egress gate.
//!
//! A [`Runtime`] is made once. It loads components ([`Plugin`]); a plugin with a [`Grant`], settings and a
//! [`SecretSource`] becomes a [`Channel`]; a channel checks, delivers and previews. Each call runs in a fresh sandbox with
//! limits on memory, time and what crosses its border, and every request passes the gate: only to hosts that the grant
//! names, never to private networks, with credentials that the component itself never sees.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use pqh_runtime::{Grant, MemorySecrets, Runtime};
//!
//! let runtime = Runtime::builder().build()?;
//! let plugin = runtime.load_file("channel.wasm").await?;
//! let secrets = MemorySecrets::new().with("url", std::env::var("WEBHOOK_URL")?);
//! let settings = serde_json::Map::new();
//! let channel = plugin.configure(Grant::described(&plugin), settings, Arc::new(secrets)).await?;
//! let report = channel.check().await;
//! println!("{:?}", report.result);
//! # Ok(())
//! # }
//! ```

mod aot;
mod cache;
mod call;
mod channel;
mod claims;
mod connection;
pub mod contract;
mod descriptor;
mod egress;
mod engine;
mod gate;
mod grant;
mod hash;
mod inbound;
mod limits;
mod linker;
mod load;
mod log;
mod mail;
mod oauth;
mod outcome;
mod plugin;
mod preview;
mod runtime;
mod secrets;
mod settings;
pub mod standing;
mod state;
mod text;

pub use cache::SharedCache;
pub use channel::{Channel, CheckReport, DeliveryReport, DeliveryRequest};
pub use connection::Connection;
pub use gate::config::{GateConfig, GateConfigError, PrivateNetwork};
pub use gate::destination::HostPattern;
pub use grant::{Grant, GrantError, GrantPattern};
pub use hash::Sha256;
pub use inbound::Unproven;
pub use limits::Limits;
pub use load::LoadError;
pub use log::{LogLevel, LogLine};
pub use mail::{MailConfig, MailConfigError, MailTls, RecipientPattern};
pub use oauth::{OauthClient, OauthError, Tokens};
pub use outcome::{Outcome, PLUGIN_FAULT};
pub use plugin::{Metadata, Plugin};
pub use preview::{Preview, PreviewedMail, PreviewedRequest};
pub use runtime::{BuildError, Runtime, RuntimeBuilder};
pub use secrets::{MemorySecrets, SecretError, SecretFacts, SecretSource, SecretString};
pub use settings::{ConfigureError, FieldProblem};
