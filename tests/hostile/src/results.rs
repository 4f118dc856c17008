//! Attacks by what a call returns.

use crate::{channel::Receipt, receipt, settings::Settings, told, types::Failure};

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    let result = match settings.attack.as_str() {
        "result-giant-string" => Err(told("giant", "x".repeat(settings.count_or(1 << 25)))),
        "result-giant-code" => Err(Failure { code: "x".repeat(settings.count_or(1 << 25)), ..told("", "") }),
        "result-giant-list" => Ok(Receipt { warnings: vec![String::new(); settings.count_or(1 << 21)], ..receipt() }),
        "result-giant-warnings" => {
            Ok(Receipt { warnings: vec!["x".repeat(1 << 16); settings.count_or(1 << 9)], ..receipt() })
        }
        "result-same-string-often" => Ok(Receipt { warnings: often(settings), ..receipt() }),
        "reference-too-long" => Ok(Receipt { reference: Some("r".repeat(settings.count_or(4_097))), ..receipt() }),
        "reference-control-characters" => Ok(Receipt { reference: Some("a\r\n\0\u{1b}[2Jb".into()), ..receipt() }),
        "permalink-script" => Ok(Receipt { permalink: Some("javascript:alert(1)".into()), ..receipt() }),
        "failure-control-characters" => Err(told("\u{1b}[2J", "a\r\n\0\u{1b}[31mforged\u{202e}")),
        "failure-unknown-field" => Err(Failure { field: Some("no-such-field".into()), ..told("blame", "blames") }),
        "retry-after-for-ever" => Err(Failure {
            kind: crate::types::FailureKind::Throttled,
            retry_after: Some(u64::MAX),
            ..told("patience", "asks for an eternity")
        }),
        _ => return None,
    };
    Some(result)
}

/// Many strings in one list: small in here, and each a string of its own to whoever lifts it.
fn often(settings: &Settings) -> Vec<String> {
    (0..settings.count_or(100_000)).map(|_| "0123456789abcdef".to_owned()).collect()
}
