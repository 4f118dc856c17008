//! Who may do what, what is written down of it, and what a start makes: through real HTTP, real files and the real program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests' helpers may stop")]

mod audit_log;
mod isolation;
mod roles;
mod start;
mod world;
