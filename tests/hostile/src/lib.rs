//! A hostile channel type, with an attack per name: what the sandbox has to survive. `README.md` lists them.
#![expect(clippy::panic, reason = "this component exists to misbehave, traps included")]

mod claims;
mod descriptor;
mod resources;
mod results;
mod settings;
mod surroundings;
mod traps;
mod wire;

#[expect(unsafe_code, reason = "generated from the contract")]
#[allow(
    unused,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated from the contract"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "channel-plugin",
        generate_all,
    });

    export!(Hostile);
    use super::Hostile;
}

pub(crate) use bindings::exports::pyqueryhub::notify::channel;
pub(crate) use bindings::pyqueryhub::notify::{log, outbound_http, types};

use channel::{Delivery, Descriptor, Receipt};
use settings::Settings;
use types::{Configuration, Failure, FailureKind};

/// The component.
struct Hostile;

impl channel::Guest for Hostile {
    fn describe() -> Descriptor {
        #[cfg(feature = "describe-loop")]
        resources::spin();
        #[cfg(feature = "describe-trap")]
        panic!("describe traps");
        #[cfg_attr(feature = "describe-trap", expect(unreachable_code, reason = "the feature asks for it"))]
        descriptor::descriptor()
    }

    fn check(configuration: Configuration) -> Result<(), Failure> {
        attack(&configuration).map(drop)
    }

    fn deliver(delivery: Delivery) -> Result<Receipt, Failure> {
        attack(&delivery.configuration)
    }
}

/// Runs before any export is called, where the module is built so.
#[cfg(feature = "start-loop")]
#[expect(unsafe_code, reason = "a static constructor is one")]
#[unsafe(link_section = ".init_array")]
#[used]
static START: extern "C" fn() = {
    extern "C" fn start() {
        resources::spin();
    }
    start
};

/// Runs the attack that the settings name: each group knows its own, and the first that knows it answers.
fn attack(configuration: &Configuration) -> Result<Receipt, Failure> {
    let mut settings = Settings::read(configuration);
    // What comes back matters only once something was accepted.
    if let Some(result) = settings.attack.strip_prefix("sent-").map(str::to_owned) {
        drop(wire::send(&settings));
        settings.attack = result;
    }
    resources::attack(&settings)
        .or_else(|| results::attack(&settings))
        .or_else(|| traps::attack(&settings))
        .or_else(|| surroundings::attack(&settings))
        .or_else(|| claims::attack(&settings))
        .or_else(|| wire::attack(&settings))
        .unwrap_or_else(|| Err(told("unknown-attack", format!("no attack is called {:?}", settings.attack))))
}

/// A receipt with nothing in it.
fn receipt() -> Receipt {
    Receipt { reference: None, permalink: None, warnings: Vec::new(), attributes: Vec::new() }
}

/// A failure whose message tells what the component saw.
fn told(code: &str, message: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Rejected,
        code: code.to_owned(),
        message: message.into(),
        remedy: String::new(),
        field: None,
        retry_after: None,
        attributes: Vec::new(),
    }
}
