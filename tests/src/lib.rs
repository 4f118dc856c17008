//! End to end: simulators of the services outside, and the real program, for tests, benchmarks and demonstrations.

pub mod bench;
pub mod browser;
pub mod http_service;
pub mod pagerduty;
pub mod program;
pub mod service;
pub mod slack_api;
pub mod slack_app;
pub mod slack_webhook;
pub mod teams;
pub mod webhook_receiver;
