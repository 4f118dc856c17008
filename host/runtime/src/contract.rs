//! The contract's types, as `wit/` defines them: what hosts and components hand each other.
//!
//! Generated; the documentation of each item is the contract's own.
#![expect(missing_docs, reason = "generated from wit/, whose words stand beside each item")]

wasmtime::component::bindgen!({
    inline: "
        package pyqueryhub:host;

        world channel-plugin {
            include pyqueryhub:notify/channel-plugin@1.0.0;
            include pyqueryhub:notify/mail-channel-plugin@1.0.0;
        }
    ",
    path: "../../wit",
    world: "pyqueryhub:host/channel-plugin",
    imports: {
        "pyqueryhub:notify/outbound-http.send": async | trappable,
        "pyqueryhub:notify/outbound-mail.send": async | trappable,
        "pyqueryhub:notify/outbound-mail.verify": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [serde::Serialize],
});

pub use exports::pyqueryhub::notify::channel;
pub use pyqueryhub::notify::{cache, events, log, outbound_http, outbound_mail, signatures, types};
