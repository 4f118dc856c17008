//! The contract's types, as `wit/` defines them: what hosts and components hand each other.
//!
//! Generated; the documentation of each item is the contract's own.
#![expect(missing_docs, reason = "generated from wit/, whose words stand beside each item")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "channel-plugin",
    imports: {
        "pyqueryhub:notify/outbound-http.send": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [serde::Serialize],
});

pub use exports::pyqueryhub::notify::channel;
pub use pyqueryhub::notify::{cache, events, log, outbound_http, signatures, types};
