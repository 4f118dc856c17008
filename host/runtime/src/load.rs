//! The door that every component comes through: bytes to a plugin that was compiled, tried and asked what it is.

use std::path::PathBuf;

use wasmtime::component::Component;

use crate::contract::ChannelPluginPre;
use crate::contract::connecting::ConnectingPre;
use crate::contract::listing::ListingPre;
use crate::contract::receiving::ReceivingPre;
use crate::descriptor;
use crate::hash::Sha256;
use crate::inbound;
use crate::oauth;
use crate::plugin::{Metadata, Optional, Plugin};
use crate::runtime::Runtime;

/// The contract's package, without its version.
const CONTRACT: &str = "pyqueryhub:notify/";
/// The contract's version that this host speaks.
const VERSION: &str = "1.0.0";
/// What this host offers, besides WASI 0.2.
const OFFERED: [&str; 5] = ["log", "cache", "outbound-http", "outbound-mail", "standing"];
/// Interfaces that only define types.
const TYPES: [&str; 3] = ["types", "events", "signatures"];
/// Larger than this is no channel type.
const MAX_BYTES: usize = 64 << 20;

/// Why a component was refused. Each message says what was expected, what came, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a WebAssembly component.
    #[error("this is not a WebAssembly component: {found}. Expected a component (.wasm) of a channel type; {advice}")]
    NotAComponent {
        /// What it is instead.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A component that wasmtime refuses: truncated, changed, or of a proposal that is not enabled here.
    #[error(
        "the component is not valid: {0}. It may be truncated or changed: compare its SHA-256 with its author's, and fetch it again"
    )]
    Invalid(String),
    /// It needs what this host does not have, or lacks what this host needs.
    #[error(
        "the component does not fit this host.\n  it needs: {needs}\n  the host has: {has}\n  what to do: {advice}"
    )]
    Incompatible {
        /// What the component needs.
        needs: String,
        /// What the host has.
        has: String,
        /// What to do.
        advice: String,
    },
    /// It trapped or ran out of its limits before it said what it is.
    #[error(
        "the component failed its trial: {0}. It was stopped while it started or while it described itself, before anything was granted to it. Report this to its author"
    )]
    Trial(String),
    /// What it says of itself breaks the contract.
    #[error("the component describes itself in a way that the contract refuses: {}", .0.join("; "))]
    Descriptor(Vec<String>),
}

pub(crate) async fn load(runtime: &Runtime, bytes: &[u8]) -> Result<Plugin, LoadError> {
    recognize(bytes)?;
    let sha256 = Sha256::of(bytes);
    let component = compile(runtime, bytes, &sha256).await?;
    let engine = &runtime.0.engine;
    let ty = component.component_type();
    let imports: Vec<String> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    let exports: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    fits(&imports, &exports)?;
    let mismatch = |error: wasmtime::Error| {
        LoadError::Incompatible {
        needs: format!("{error:#}"),
        has: format!("{CONTRACT}*@{VERSION}, with other types under the same name"),
        advice: "build the component against the contract of this host (its `wit/` folder), or ask its author for such a build"
            .to_owned(),
    }
    };
    let pre = runtime.0.linker.instantiate_pre(&component).map_err(mismatch)?;
    let exported = |name: &str| exports.iter().any(|export| export.starts_with(&format!("{CONTRACT}{name}@")));
    let mut optional = Optional {
        connecting: exported("connection").then(|| ConnectingPre::new(pre.clone())).transpose().map_err(mismatch)?,
        listing: exported("directory").then(|| ListingPre::new(pre.clone())).transpose().map_err(mismatch)?,
        receiving: exported("inbound").then(|| ReceivingPre::new(pre.clone())).transpose().map_err(mismatch)?,
        ..Optional::default()
    };
    let pre = ChannelPluginPre::new(pre).map_err(mismatch)?;
    let metadata = Metadata::read(bytes);
    let imports = imports.into_iter().filter(|name| !defines_types_only(name)).collect();
    let descriptor = crate::plugin::describe(runtime, &pre).await?;
    crate::plugin::describe_optional(runtime, &mut optional).await?;
    let mut problems = descriptor::problems(&descriptor);
    problems.extend(optional.oauth2.as_ref().map(oauth::problems).unwrap_or_default());
    problems.extend(optional.proof.as_ref().map(inbound::problems).unwrap_or_default());
    if !problems.is_empty() {
        return Err(LoadError::Descriptor(problems));
    }
    Ok(Plugin::new(runtime.clone(), pre, optional, descriptor, metadata, sha256, bytes.len(), imports, exports))
}

/// An interface without functions: importing it gives a component nothing to do.
fn defines_types_only(import: &str) -> bool {
    let name = import.strip_prefix(CONTRACT).and_then(|rest| rest.split('@').next());
    name.is_some_and(|name| TYPES.contains(&name))
}

/// Tells what is no component before the compiler says so in its own words.
fn recognize(bytes: &[u8]) -> Result<(), LoadError> {
    const BUILD: &str = "build it for the target wasm32-wasip2";
    let refuse = |found: String, advice| Err(LoadError::NotAComponent { found, advice });
    if bytes.len() > MAX_BYTES {
        return refuse(format!("it has {} bytes, and at most {MAX_BYTES} are taken", bytes.len()), BUILD);
    }
    match bytes {
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => refuse(
            "it is a core WebAssembly module".to_owned(),
            "build it for wasm32-wasip2, or wrap it with `wasm-tools component new`",
        ),
        [b'\0', b'a', b's', b'm', ..] => {
            refuse("it is WebAssembly of a version that this host does not know".to_owned(), BUILD)
        }
        [] => refuse("it is empty".to_owned(), BUILD),
        _ => {
            let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(12)]).escape_debug().collect();
            refuse(format!("it starts with \"{start}\""), BUILD)
        }
    }
}

async fn compile(runtime: &Runtime, bytes: &[u8], sha256: &Sha256) -> Result<Component, LoadError> {
    let inner = &runtime.0;
    if let Some(component) = inner.cache.as_ref().and_then(|cache| cache.load(&inner.engine, sha256)) {
        return Ok(component);
    }
    let (engine, cache, sha256, bytes) = (inner.engine.clone(), inner.cache.clone(), *sha256, bytes.to_vec());
    let compiled = tokio::task::spawn_blocking(move || {
        let component = Component::from_binary(&engine, &bytes)?;
        if let Some(cache) = cache {
            cache.store(&engine, &sha256, &component);
        }
        Ok::<_, wasmtime::Error>(component)
    });
    match compiled.await {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(LoadError::Invalid(format!("{error:#}"))),
        Err(_) => Err(LoadError::Invalid("compiling it panicked".to_owned())),
    }
}

/// Looks for what does not fit by name, since the linker's words are for its authors.
fn fits(imports: &[String], exports: &[String]) -> Result<(), LoadError> {
    let offered = || OFFERED.iter().map(|name| format!("{CONTRACT}{name}@{VERSION}")).collect::<Vec<_>>().join(", ");
    for import in imports {
        if import.starts_with("wasi:") && import.contains("@0.2") && !import.starts_with("wasi:http") {
            continue;
        }
        let known = import.strip_prefix(CONTRACT).and_then(|rest| rest.split_once('@'));
        match known {
            Some((name, version)) if OFFERED.contains(&name) || TYPES.contains(&name) => {
                if major(version) != major(VERSION) {
                    return Err(other_version(import, offered()));
                }
            }
            _ => {
                let advice = if import.starts_with("wasi:http") {
                    "requests leave through pyqueryhub:notify/outbound-http alone: use the SDK's `http` module in place of wasi:http"
                } else if import.starts_with("wasi:") {
                    "build it for WASI 0.2 (target wasm32-wasip2)"
                } else {
                    "use a host that offers this import, or a build of the component without it"
                };
                return Err(LoadError::Incompatible {
                    needs: import.clone(),
                    has: format!("{}, and WASI 0.2 without wasi:http", offered()),
                    advice: advice.to_owned(),
                });
            }
        }
    }
    let channel = exports.iter().find(|name| name.starts_with("pyqueryhub:notify/channel@"));
    match channel {
        Some(name) if name.rsplit_once('@').is_some_and(|(_, version)| major(version) == major(VERSION)) => Ok(()),
        Some(name) => Err(other_version(name, format!("{CONTRACT}channel@{VERSION}"))),
        None => Err(LoadError::Incompatible {
            needs: format!("a host for a component that exports {}", listed(exports)),
            has: format!("a place for components that export {CONTRACT}channel@{VERSION}"),
            advice: "this is a component, but no channel type: build it with the SDK's `export_channel!`, or against the world `channel-plugin`"
                .to_owned(),
        }),
    }
}

fn other_version(needs: &str, has: String) -> LoadError {
    LoadError::Incompatible {
        needs: needs.to_owned(),
        has,
        advice: format!(
            "update this host, or ask the component's author for a build for version {VERSION} of the contract"
        ),
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        recognize(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_component_is_named_for_what_it_is() {
        assert!(message(b"").contains("it is empty"));
        assert!(message(b"#!/bin/sh").contains("it starts with \"#!/bin/sh\""));
        assert!(message(b"\0asm\x01\0\0\0").contains("wasm-tools component new"));
    }

    #[test]
    fn an_import_of_a_newer_contract_says_both_versions() {
        let error = fits(&["pyqueryhub:notify/log@2.1.0".to_owned()], &[]).unwrap_err().to_string();
        assert!(error.contains("pyqueryhub:notify/log@2.1.0") && error.contains("@1.0.0"), "{error}");
        assert!(error.contains("update this host"), "{error}");
    }

    #[test]
    fn an_import_of_wasi_http_is_sent_to_the_gate() {
        let error = fits(&["wasi:http/outgoing-handler@0.2.0".to_owned()], &[]).unwrap_err().to_string();
        assert!(error.contains("outbound-http"), "{error}");
    }

    #[test]
    fn a_component_that_is_no_channel_type_is_told_so() {
        let error = fits(&[], &["wasi:cli/run@0.2.0".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("wasi:cli/run@0.2.0") && error.contains("channel@1.0.0"), "{error}");
    }
}
