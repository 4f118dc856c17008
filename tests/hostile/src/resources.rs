//! Attacks on time, stack, memory, tables and the log.

use std::hint::black_box;

use crate::{
    channel::Receipt,
    log::{self, Level},
    receipt,
    settings::Settings,
    types::Failure,
};

const MIB: usize = 1 << 20;

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    match settings.attack.as_str() {
        "loop" => spin(),
        "recursion" => {
            black_box(recurse(0));
        }
        "memory-at-once" => {
            black_box(vec![1_u8; settings.count_or(1 << 30)]);
        }
        "memory-by-pieces" => hoard(MIB),
        "memory-by-crumbs" => hoard(64),
        "memory-grow-untouched" => grow(),
        "log-many" => log_many(settings.count_or(1_000_000)),
        "log-giant" => log::write(Level::Error, &"x".repeat(settings.count_or(32 * MIB))),
        "log-control-characters" => log::write(Level::Error, "\u{1b}[2J\r\nERROR forged line\0\u{202e}"),
        "stdout-flood" => flood(&mut std::io::stdout(), settings.count_or(64 * MIB)),
        "stderr-flood" => flood(&mut std::io::stderr(), settings.count_or(64 * MIB)),
        "cache-flood" => cache_flood(settings.count_or(100_000)),
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(settings.count_or(3_600) as u64)),
        "sleep-loop" => loop {
            std::thread::sleep(std::time::Duration::from_millis(1));
        },
        "clock-spin" => {
            let start = std::time::Instant::now();
            while start.elapsed().as_secs() < settings.count_or(3_600) as u64 {}
        }
        _ => return None,
    }
    Some(Ok(receipt()))
}

/// Never ends, and never yields.
pub(crate) fn spin() {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

#[expect(unconditional_recursion, reason = "the attack")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(recurse(depth + 1)).wrapping_add(frame[0])
}

/// Keeps one block after the other, each touched.
fn hoard(size: usize) {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![7_u8; size]));
    }
}

/// Grows the memory page by page without touching it, as far as it goes, and then tells how far that was.
fn grow() {
    #[cfg(target_arch = "wasm32")]
    {
        while core::arch::wasm32::memory_grow::<0>(16) != usize::MAX {}
        panic!("memory ends at {} pages", core::arch::wasm32::memory_size::<0>());
    }
}

fn log_many(count: usize) {
    for line in 0..count {
        log::write(Level::Warn, &format!("line {line}"));
    }
}

fn flood(out: &mut dyn std::io::Write, bytes: usize) {
    let block = [b'x'; 4_096];
    for _ in 0..bytes / block.len() {
        // Refusing it is what the host may well do; the attack goes on.
        drop(out.write_all(&block));
    }
}

fn cache_flood(count: usize) {
    use crate::bindings::pyqueryhub::notify::cache;
    let value = "x".repeat(4_096);
    for key in 0..count {
        cache::put(&format!("key-{key}"), &value, u32::MAX);
    }
}
