//! Puts the components of `plugins/` inside the program: every one there, none by name.

fn main() -> anyhow::Result<()> {
    // A new migration has to be compiled in.
    println!("cargo::rerun-if-changed=migrations");
    pqh_component_build::build_script::embed("plugins", "components.rs")
}
