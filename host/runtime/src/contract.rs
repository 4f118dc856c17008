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
            import pyqueryhub:notify/standing@1.0.0;
        }
    ",
    path: "../../wit",
    world: "pyqueryhub:host/channel-plugin",
    imports: {
        "pyqueryhub:notify/outbound-http.send": async | trappable,
        "pyqueryhub:notify/outbound-mail.send": async | trappable,
        "pyqueryhub:notify/outbound-mail.verify": async | trappable,
        "pyqueryhub:notify/standing.about": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [serde::Serialize],
});

pub use exports::pyqueryhub::notify::channel;
pub use pyqueryhub::notify::{cache, events, log, outbound_http, outbound_mail, signatures, standing, types};

/// The optional export `connection`, which is looked up by itself.
pub mod connecting {
    wasmtime::component::bindgen!({
        inline: "
            package pyqueryhub:host-connection;

            world connecting {
                export pyqueryhub:notify/connection@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:host-connection/connecting",
        with: { "pyqueryhub:notify/types": super::types },
        exports: { default: async },
        additional_derives: [serde::Serialize],
    });

    pub use exports::pyqueryhub::notify::connection;
}

/// The optional export `directory`.
pub mod listing {
    wasmtime::component::bindgen!({
        inline: "
            package pyqueryhub:host-directory;

            world listing {
                export pyqueryhub:notify/directory@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:host-directory/listing",
        with: { "pyqueryhub:notify/types": super::types },
        exports: { default: async },
        additional_derives: [serde::Serialize],
    });

    pub use exports::pyqueryhub::notify::directory;
}

/// The optional export `inbound`.
pub mod receiving {
    wasmtime::component::bindgen!({
        inline: "
            package pyqueryhub:host-inbound;

            world receiving {
                export pyqueryhub:notify/inbound@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:host-inbound/receiving",
        with: {
            "pyqueryhub:notify/types": super::types,
            "pyqueryhub:notify/signatures": super::signatures,
        },
        exports: { default: async },
        additional_derives: [serde::Serialize],
    });

    pub use exports::pyqueryhub::notify::inbound;
}

impl types::Failure {
    /// A failure that the host says: it blames no field, and asks for no rest.
    pub fn new(
        kind: types::FailureKind,
        code: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            remedy: remedy.into(),
            field: None,
            retry_after: None,
            attributes: Vec::new(),
        }
    }
}
