//! Attacks on loading: what is no component, a broken one, or one of another world, and what the operator is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod support;

use pqh_runtime::{LoadError, Runtime};
use support::{components, limits};

fn runtime() -> Runtime {
    Runtime::builder().limits(limits()).build().unwrap()
}

async fn refused(bytes: &[u8]) -> LoadError {
    match runtime().load_bytes(bytes).await {
        Ok(plugin) => panic!("{} was loaded", plugin.descriptor().id),
        Err(error) => error,
    }
}

/// The refusal holds all of these.
async fn assert_refused(bytes: &[u8], words: &[&str]) {
    let message = refused(bytes).await.to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message}");
    }
}

/// A component's head.
const HEAD: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component that imports an empty instance of this name.
fn importing(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let instance_type = [7, 3, 1, 0x42, 0];
    let import = [&[10, length + 5, 1, 0, length], name.as_bytes(), &[5, 0]].concat();
    [HEAD, &instance_type, &import].concat()
}

/// The hostile component with this text in place of that one of the same length.
fn patched(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = components::named("hostile").to_vec();
    let mut count = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert!(count > 0, "{from} is not in the component");
    bytes
}

#[tokio::test]
async fn what_is_no_component_is_named_and_the_operator_told_how_to_build_one() {
    let expected = ["not a WebAssembly component", "Expected a component", "wasm32-wasip2"];
    for (bytes, found) in [
        (&b""[..], "it is empty"),
        (b"#!/bin/sh\necho here", "it starts with \"#!/bin/sh"),
        (b"<html>", "it starts with \"<html>"),
        (b"PK\x03\x04", "it starts with \"PK"),
        (b"\0asm\x01\0\0\0", "core WebAssembly module"),
        (b"\0asm\x63\0\x01\0", "a version that this host does not know"),
        (b"\0as", "it starts with"),
        (b"\0asm\x0d", "a version that this host does not know"),
    ] {
        assert_refused(bytes, &[&expected[..], &[found]].concat()).await;
    }
}

#[tokio::test]
async fn a_core_module_is_told_how_to_become_a_component() {
    assert_refused(b"\0asm\x01\0\0\0", &["wasm-tools component new"]).await;
}

#[tokio::test]
async fn a_truncated_component_is_refused_wherever_it_ends() {
    let whole = components::named("hostile");
    for length in [9, 100, 1_000, whole.len() / 2, whole.len() - 1_000, whole.len() - 1] {
        let error = refused(&whole[..length]).await;
        assert!(matches!(error, LoadError::Invalid(_)), "{length}: {error}");
        assert!(error.to_string().contains("compare its SHA-256"), "{error}");
    }
}

#[tokio::test]
async fn a_changed_byte_leaves_the_host_alive_and_the_component_another_one() {
    let whole = components::named("slack-webhook");
    let (runtime, mut refusals) = (runtime(), 0);
    let original = *runtime.load_bytes(whole).await.unwrap().sha256();
    for part in 1..48 {
        let mut bytes = whole.to_vec();
        let at = whole.len() * part / 48;
        bytes[at] ^= 0xff;
        match runtime.load_bytes(&bytes).await {
            // A byte of data, say; its grant is another one.
            Ok(plugin) => assert_ne!(*plugin.sha256(), original),
            Err(error) => {
                refusals += 1;
                assert!(
                    !matches!(error, LoadError::Unreadable { .. } | LoadError::NotAComponent { .. }),
                    "{at}: {error}"
                );
            }
        }
    }
    assert!(refusals > 0, "not one of the changes was found");
    assert!(runtime.load_bytes(whole).await.is_ok(), "the host is alive");
}

#[tokio::test]
async fn a_component_of_another_world_is_told_what_is_missing() {
    assert_refused(HEAD, &["exports nothing", "pyqueryhub:notify/channel@1.0.0", "no channel type", "channel-plugin"])
        .await;
    assert_refused(&importing("pyqueryhub:notify/log@1.0.0"), &["exports nothing", "no channel type"]).await;
}

#[tokio::test]
async fn an_import_that_the_host_does_not_offer_is_named_with_what_it_offers() {
    for (import, advice) in [
        ("wasi:http/outgoing-handler@0.2.0", "outbound-http"),
        ("wasi:cli/environment@0.3.0", "wasm32-wasip2"),
        ("acme:other/thing@1.0.0", "a host that offers this import"),
        ("pyqueryhub:notify/telepathy@1.0.0", "a host that offers this import"),
    ] {
        let has = "pyqueryhub:notify/outbound-http@1.0.0";
        assert_refused(&importing(import), &["it needs", import, "the host has", has, "what to do", advice]).await;
    }
}

#[tokio::test]
async fn a_component_of_a_newer_contract_is_told_both_versions() {
    for name in ["channel", "outbound-http"] {
        let (from, to) = (format!("pyqueryhub:notify/{name}@1.0.0"), format!("pyqueryhub:notify/{name}@2.0.0"));
        assert_refused(&patched(&from, &to), &[&to, &from, "update this host"]).await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let error = runtime().load_file("no-such-component.wasm").await.err().unwrap();
    assert!(matches!(error, LoadError::Unreadable { .. }));
    assert!(error.to_string().starts_with("no-such-component.wasm cannot be read"), "{error}");
}
