//! What wit-bindgen makes of the world `channel-plugin`. Generated code only; everything else leans on it.

wit_bindgen::generate!({
    path: "../../wit",
    world: "channel-plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "pqh_channel_sdk::__private::bindings",
    generate_all,
    generate_unused_types: true,
    additional_derives: [PartialEq],
});
