//! Puts the components of `plugins/` inside the program: every one there, none by name.

fn main() -> anyhow::Result<()> {
    pqh_component_build::build_script::embed("plugins", "components.rs")
}
