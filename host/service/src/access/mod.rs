//! Who may do what: tokens, roles, and the callers that requests come from.

pub(crate) mod caller;
mod client;
pub(crate) mod extract;
mod limits;
pub(crate) mod misfit;
pub(crate) mod organization;
pub(crate) mod role;
pub(crate) mod token;
pub(crate) mod tokens;

pub(crate) use caller::{AnyCaller, Caller, OrgCaller};
pub(crate) use client::client_address;
pub(crate) use extract::{Administering, Alerting, Browsing, Operating, Overseeing, Publishing, Reading};
pub(crate) use limits::RateLimits;
pub(crate) use role::Role;
pub(crate) use token::Token;
pub(crate) use tokens::Tokens;
