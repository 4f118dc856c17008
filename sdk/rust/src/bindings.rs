//! What wit-bindgen makes of the contract. Generated code only; everything else leans on it.

// A component imports only what it uses of this world.
wit_bindgen::generate!({
    inline: "
        package pyqueryhub:sdk;

        world plugin {
            include pyqueryhub:notify/channel-plugin@1.0.0;
            include pyqueryhub:notify/mail-channel-plugin@1.0.0;
            import pyqueryhub:notify/standing@1.0.0;
        }
    ",
    path: "../../wit",
    world: "pyqueryhub:sdk/plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "pqh_channel_sdk::__private::bindings",
    generate_all,
    generate_unused_types: true,
    additional_derives: [PartialEq],
});
