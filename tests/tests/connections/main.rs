//! Connected workspaces over HTTP, as a browser, the service's people and Slack itself come to them, by a clock that the
//! test sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "helpers of tests fail by panicking, as tests do; the build script writes for other modules"
)]

#[path = "../support/scenario/mod.rs"]
mod scenario;

mod command_line;
mod connect;
mod disconnect;
mod discovery;
mod follow_up;
mod guide;
mod inbound;
mod kills;
mod looks;
mod obstacles;
mod renewal;
mod scopes;
mod world;
