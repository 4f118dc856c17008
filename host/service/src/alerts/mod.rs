//! Alerts: what they are, and what their checks mean. A check is judged within the transaction that keeps it, so that an
//! alert has one check at a time; what people are told goes on as an event like any other.

mod change;
mod check;
mod definition;
mod error;
mod explain;
mod judge;
mod quantity;
mod registry;
mod rule;

#[cfg(test)]
mod judge_tests;

pub(crate) use change::{Change, Muting, NewAlert, change, create, delete, find, mute, muted};
pub(crate) use check::{NewCheck, check};
pub(crate) use definition::{Definition, Verdict};
pub(crate) use error::AlertError;
pub(crate) use explain::{Finding, Known, explain};
pub(crate) use judge::Silence;
pub(crate) use registry::{Alert, Registry};
