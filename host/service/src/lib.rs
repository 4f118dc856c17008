//! `PyQueryHub`'s notification service, as a library: what the program `pqh` runs, and what tests drive with a clock of
//! their own.

mod builtin;
mod catalog;
mod cli;
mod client;
pub mod clock;
mod commands;
pub mod config;
mod directory;
mod error;
mod event;
mod failure;
mod log;
mod output;
mod plugins;
pub mod program;
mod sealed;
mod settings;
mod store;
mod target;
mod vault;
