//! The trait that an author implements, and what its functions are given.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use crate::bindings::exports::pyqueryhub::notify::channel as wit;
use crate::bindings::pyqueryhub::notify::types;
use crate::events::Event;
use crate::settings::{self, Misfit};
use crate::{Descriptor, Failure, Receipt, Workspace};

/// A channel type. Export it with [`export_channel!`](crate::export_channel).
pub trait Channel {
    /// What an administrator fills in, without the secrets: those never reach a component.
    type Settings: DeserializeOwned;

    /// Says what this type is. Called with no capability at all.
    fn describe() -> Descriptor;

    /// Checks a configuration before it is saved: its form, and that the service accepts it.
    /// Posts nothing that people would see, where the service allows that.
    fn check(configuration: &Configuration<Self::Settings>) -> Result<(), Failure>;

    /// Delivers one event.
    fn deliver(delivery: &Delivery<Self::Settings>) -> Result<Receipt, Failure>;
}

/// One channel as the component sees it.
#[derive(Debug, Clone)]
pub struct Configuration<S> {
    /// The settings, read into the author's own type.
    pub settings: S,
    /// The names of the credentials that can be placed now.
    pub credentials: Vec<String>,
    /// Where the type connects.
    pub workspace: Option<Workspace>,
}

/// One attempt to bring one event to one channel.
#[derive(Debug, Clone)]
pub struct Delivery<S> {
    /// The same at every attempt to bring this event to this channel.
    pub id: String,
    /// From 1.
    pub attempt: u32,
    /// The channel.
    pub configuration: Configuration<S>,
    /// What to tell.
    pub event: Event,
    /// The receipt's `reference` for the message that opened this incident here, if there is one to follow.
    pub opened_by: Option<String>,
}

impl<S> Configuration<S> {
    /// Whether this credential can be placed now.
    pub fn has_credential(&self, name: &str) -> bool {
        self.credentials.iter().any(|held| held == name)
    }
}

impl<S> Delivery<S> {
    /// The channel's settings.
    pub fn settings(&self) -> &S {
        &self.configuration.settings
    }
}

impl<S: DeserializeOwned> TryFrom<types::Configuration> for Configuration<S> {
    type Error = Failure;

    fn try_from(raw: types::Configuration) -> Result<Self, Failure> {
        let settings = settings::read(&raw.settings).map_err(|misfit| unfit(&misfit))?;
        Ok(Self { settings, credentials: raw.credentials, workspace: raw.workspace })
    }
}

impl<S: DeserializeOwned> TryFrom<wit::Delivery> for Delivery<S> {
    type Error = Failure;

    fn try_from(raw: wit::Delivery) -> Result<Self, Failure> {
        Ok(Self {
            id: raw.id,
            attempt: raw.attempt,
            configuration: raw.configuration.try_into()?,
            event: raw.event,
            opened_by: raw.opened_by,
        })
    }
}

/// Settings that do not fit: nothing can be delivered until somebody mends them.
fn unfit(misfit: &Misfit) -> Failure {
    let failure =
        Failure::unreachable("invalid_settings", format!("The channel's settings do not fit its type: {misfit}"))
            .remedy("Open the channel's settings, fill in what is missing or wrong, and save them again.");
    match misfit.missing {
        Some(field) => failure.field(field),
        None => failure,
    }
}
