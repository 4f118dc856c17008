//! Alerts over HTTP, by a clock that the test sets, through the real component to the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "helpers of tests fail by panicking, as tests do; the build script writes for other modules"
)]

#[path = "../support/scenario/mod.rs"]
mod scenario;

mod checks;
mod digests;
mod incident;
mod life;
mod order;
mod quiet;
mod table;
mod why;
mod world;
