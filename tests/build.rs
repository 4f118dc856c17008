//! Builds the plugins and the hostile components, for tests to load.

fn main() -> anyhow::Result<()> {
    pqh_component_build::build_script::embed("plugins", "plugins.rs")?;
    pqh_component_build::build_script::embed("tests/echo", "echo.rs")?;
    pqh_component_build::build_script::embed("tests/other-service", "other_service.rs")?;
    pqh_component_build::build_script::embed("tests/hostile", "hostile.rs")
}
