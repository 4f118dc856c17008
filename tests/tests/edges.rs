//! What each part may know of the others: the edges of `docs/architecture.md`.

#![expect(clippy::unwrap_used, reason = "tests' helpers may stop")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages that `package` is built from, tests and build scripts left out.
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<String> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 3, "cargo tree told nothing: {tree}");
    names
}

#[test]
fn the_runtime_depends_on_no_database_and_on_nothing_of_the_service() {
    let names = dependencies("pqh-runtime");
    for forbidden in ["sqlx", "rusqlite", "axum", "pqh", "pqh-channel-sdk", "slack-format", "slack-webhook"] {
        assert!(!names.iter().any(|name| name == forbidden), "pqh-runtime depends on {forbidden}");
    }
}

#[test]
fn plugins_and_the_sdk_know_nothing_of_the_host() {
    for package in
        ["pqh-channel-sdk", "slack-format", "slack-webhook", "slack-app", "email", "webhook", "teams", "pagerduty"]
    {
        let names = dependencies(package);
        for forbidden in ["pqh-runtime", "pqh", "wasmtime", "tokio", "reqwest", "hyper"] {
            assert!(!names.iter().any(|name| name == forbidden), "{package} depends on {forbidden}");
        }
    }
}

#[test]
fn the_service_reaches_wasmtime_only_through_the_runtime() {
    let manifest = std::fs::read_to_string(root().join("host/service/Cargo.toml")).unwrap();
    assert!(!manifest.contains("wasmtime"), "host/service names wasmtime");
}

#[test]
fn the_hosts_code_names_no_service() {
    fn visit(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let named = |line: &str| {
                    let line = line.to_lowercase();
                    ["slack", "pagerduty", "microsoft", "teams.", "\"teams"].iter().any(|name| line.contains(name))
                };
                let lines = text.lines().enumerate().filter(|(_, line)| named(line));
                found.extend(lines.map(|(number, line)| format!("{}:{}: {line}", path.display(), number + 1)));
            }
        }
    }
    let mut found = Vec::new();
    visit(&root().join("host"), &mut found);
    assert!(found.is_empty(), "a new channel type must need no change in the host:\n{}", found.join("\n"));
}
