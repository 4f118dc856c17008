//! Attacks by trapping, before and after the wire was touched.

use crate::{
    channel::Receipt,
    log::{self, Level},
    settings::Settings,
    types::Failure,
    wire,
};

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    match settings.attack.as_str() {
        "panic" => panic!("the component panicked"),
        "panic-with-secrets-names" => panic!("token {:?} of {}", settings.placeable, settings.raw),
        "trap-nothing-sent" => trap(),
        "trap-after-request" => {
            // Whatever came back, an answer or an error: the host saw it too.
            drop(wire::send(settings));
            trap()
        }
        "exit" => std::process::exit(0),
        "exit-failure" => std::process::exit(1),
        "log-then-trap" => {
            log::write(Level::Error, "last words");
            trap()
        }
        _ => None,
    }
}

/// The `unreachable` instruction, with no message at all.
fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}
