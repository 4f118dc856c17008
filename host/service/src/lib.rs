//! `PyQueryHub`'s notification service, as a library: what the program `pqh` runs, and what tests drive with a clock of
//! their own.

mod access;
mod api;
mod app;
mod audit;
mod boot;
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
mod health;
mod keys;
mod listen;
mod log;
mod output;
mod plugins;
pub mod program;
mod rotation;
mod sealed;
pub mod service;
mod settings;
mod store;
mod target;
mod vault;
