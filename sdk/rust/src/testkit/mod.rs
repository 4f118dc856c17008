//! Test a plugin natively: the same code, against a scripted gate in place of the component's imports.
//!
//! One [`Gate`] per test; it holds for the thread that made it. Mistakes in a test panic with what to do.

pub mod events;
pub(crate) mod script;

use serde_json::{Map, Value};

use crate::__private::Adapter;
use crate::bindings::exports::pyqueryhub::notify::channel::{self as wit, Guest};
use crate::bindings::pyqueryhub::notify::types;
use crate::directory::{Directory, Page};
use crate::events::Event;
use crate::inbound::Request;
use crate::optional::directory::exports::pyqueryhub::notify::directory;
use crate::{Channel, Descriptor, Failure, Receipt, Workspace};
pub use script::{Gate, Sent, SentMail};

/// What the type says of itself.
pub fn describe<C: Channel>() -> Descriptor {
    Adapter::<C>::describe()
}

/// Checks a configuration with these settings; every credential that `describe` names is filled in.
pub fn check<C: Channel>(settings: &Value) -> Result<(), Failure> {
    Adapter::<C>::check(configuration::<C>(settings))
}

/// Delivers an event with these settings, as the first attempt.
pub fn deliver<C: Channel>(settings: &Value, event: Event) -> Result<Receipt, Failure> {
    deliver_following::<C>(settings, event, None)
}

/// Delivers an event that follows a message: `opened_by` is the reference of that one's receipt.
pub fn deliver_following<C: Channel>(
    settings: &Value,
    event: Event,
    opened_by: Option<&str>,
) -> Result<Receipt, Failure> {
    Adapter::<C>::deliver(wit::Delivery {
        id: format!("delivery-of-{}", event.id),
        attempt: 1,
        configuration: configuration::<C>(settings),
        event,
        opened_by: opened_by.map(str::to_owned),
    })
}

/// Delivers an event in a connected workspace; `opened_by` as in [`deliver_following`].
pub fn deliver_in<C: Channel>(
    workspace: &Workspace,
    settings: &Value,
    event: Event,
    opened_by: Option<&str>,
) -> Result<Receipt, Failure> {
    Adapter::<C>::deliver(wit::Delivery {
        id: format!("delivery-of-{}", event.id),
        attempt: 1,
        configuration: types::Configuration { workspace: Some(workspace.clone()), ..configuration::<C>(settings) },
        event,
        opened_by: opened_by.map(str::to_owned),
    })
}

/// Checks a configuration in a connected workspace.
pub fn check_in<C: Channel>(workspace: &Workspace, settings: &Value) -> Result<(), Failure> {
    let workspace = Some(workspace.clone());
    Adapter::<C>::check(types::Configuration { workspace, ..configuration::<C>(settings) })
}

/// A page of targets of a connected workspace.
pub fn list_targets<C: Directory>(workspace: &Workspace, cursor: Option<&str>) -> Result<Page, Failure> {
    let workspace = Some(workspace.clone());
    let configuration = types::Configuration { workspace, ..configuration::<C>(&Value::Object(Map::new())) };
    <Adapter<C> as directory::Guest>::list_targets(configuration, cursor.map(str::to_owned))
}

/// A message that a service sent to us, with this body.
pub fn request(body: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        url: "https://notify.example.com/v1/inbound/type".to_owned(),
        headers: Vec::new(),
        query: Vec::new(),
        body: body.into(),
    }
}

fn configuration<C: Channel>(settings: &Value) -> types::Configuration {
    types::Configuration {
        settings: settings.to_string(),
        credentials: C::describe().credentials.into_iter().map(|credential| credential.name).collect(),
        workspace: None,
    }
}

/// What a host would find wrong with a descriptor; empty where it is sound.
pub fn faults(descriptor: &Descriptor) -> Vec<String> {
    let mut faults = Vec::new();
    let kebab = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.chars().all(|held| held.is_ascii_lowercase() || held.is_ascii_digit() || held == '-')
    };
    if !kebab(&descriptor.id) {
        faults.push(format!("the id {:?} is not lower-case kebab-case", descriptor.id));
    }
    let keys: Vec<&str> = descriptor.fields.iter().map(|field| field.key.as_str()).collect();
    for (at, key) in keys.iter().enumerate() {
        if !kebab(key) {
            faults.push(format!("the field key {key:?} is not lower-case kebab-case"));
        }
        if keys[..at].contains(key) {
            faults.push(format!("two fields have the key {key:?}"));
        }
    }
    for key in &descriptor.target {
        if !keys.contains(&key.as_str()) {
            faults.push(format!("the target names the field {key:?}, which is not there"));
        }
    }
    for credential in &descriptor.credentials {
        if credential.destinations.is_empty() {
            faults.push(format!("the credential {:?} may go nowhere", credential.name));
        }
        for destination in &credential.destinations {
            if !descriptor.destinations.contains(destination) {
                faults.push(format!("the credential {:?} goes where the component may not", credential.name));
            }
        }
    }
    faults
}
