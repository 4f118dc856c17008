//! `PyQueryHub`'s notification service, as a library: what the program `pqh` runs, and what tests drive with a clock of
//! their own.

mod access;
mod alerts;
mod api;
mod app;
mod audit;
mod boot;
mod builtin;
mod catalog;
mod channels;
mod cli;
mod client;
pub mod clock;
mod commands;
pub mod config;
mod delivery;
mod directory;
mod error;
mod event;
mod failure;
mod granting;
mod health;
mod keys;
mod listen;
mod log;
mod metrics;
mod output;
mod plugins;
pub mod program;
mod quiet;
mod rotation;
mod sealed;
pub mod service;
mod settings;
mod store;
mod target;
mod vault;
