//! What wit-bindgen makes of the contract's optional exports, each by itself. Generated code only.

/// `connection`: OAuth.
pub mod connection {
    wit_bindgen::generate!({
        inline: "
            package pyqueryhub:sdk-connection;

            world connection {
                export pyqueryhub:notify/connection@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:sdk-connection/connection",
        with: {
            "pyqueryhub:notify/types@1.0.0": crate::bindings::pyqueryhub::notify::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_connection",
        default_bindings_module: "pqh_channel_sdk::__private::optional::connection",
        additional_derives: [PartialEq],
    });
}

/// `directory`: finding targets.
pub mod directory {
    wit_bindgen::generate!({
        inline: "
            package pyqueryhub:sdk-directory;

            world directory {
                export pyqueryhub:notify/directory@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:sdk-directory/directory",
        with: {
            "pyqueryhub:notify/types@1.0.0": crate::bindings::pyqueryhub::notify::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_directory",
        default_bindings_module: "pqh_channel_sdk::__private::optional::directory",
        additional_derives: [PartialEq],
    });
}

/// `inbound`: what a service sends to us.
pub mod inbound {
    wit_bindgen::generate!({
        inline: "
            package pyqueryhub:sdk-inbound;

            world inbound {
                export pyqueryhub:notify/inbound@1.0.0;
            }
        ",
        path: "../../wit",
        world: "pyqueryhub:sdk-inbound/inbound",
        with: {
            "pyqueryhub:notify/types@1.0.0": crate::bindings::pyqueryhub::notify::types,
            "pyqueryhub:notify/signatures@1.0.0": crate::bindings::pyqueryhub::notify::signatures,
        },
        pub_export_macro: true,
        export_macro_name: "export_inbound",
        default_bindings_module: "pqh_channel_sdk::__private::optional::inbound",
        additional_derives: [PartialEq],
    });
}
