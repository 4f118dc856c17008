//! Alerts over HTTP, by a clock that the test sets, through the real component to the simulator.

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
