//! End to end: simulators of the services outside, for tests and demonstrations.

pub mod program;
pub mod slack_webhook;
