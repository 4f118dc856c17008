//! What a component says in the log: capped, cleaned, and kept beside the call that it belongs to.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use serde::Serialize;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::text;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// What happened.
    Info,
    /// What should not have happened.
    Warn,
    /// What went wrong: panics among it.
    Error,
}

/// One line of a component's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// One line without control characters, at most 2,000 characters.
    pub message: String,
}

/// The log of one call. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct CallLog(Arc<Mutex<Lines>>);

struct Lines {
    kept: Vec<LogLine>,
    room: usize,
    line_characters: usize,
    dropped: usize,
}

impl CallLog {
    pub(crate) fn new(bytes: usize, line_characters: usize) -> Self {
        Self(Arc::new(Mutex::new(Lines { kept: Vec::new(), room: bytes, line_characters, dropped: 0 })))
    }

    pub(crate) fn write(&self, level: LogLevel, message: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.room == 0 {
            log.dropped += 1;
            return;
        }
        let message = text::line(message, log.line_characters.min(log.room));
        log.room = log.room.saturating_sub(message.len().max(1));
        log.kept.push(LogLine { level, message });
    }

    /// All lines; the last says how many were dropped.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = std::mem::take(&mut log.kept);
        if log.dropped > 0 {
            let message = format!("{} further lines were dropped: the log of a call is limited", log.dropped);
            log.dropped = 0;
            lines.push(LogLine { level: LogLevel::Warn, message });
        }
        lines
    }
}

/// Standard output or standard error of a component, as lines of its log.
pub(crate) struct Console {
    pub(crate) log: CallLog,
    pub(crate) level: LogLevel,
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(ConsoleWriter { log: self.log.clone(), level: self.level })
    }
}

struct ConsoleWriter {
    log: CallLog,
    level: LogLevel,
}

impl AsyncWrite for ConsoleWriter {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
            self.log.write(self.level, line);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_dropped_and_counted() {
        let log = CallLog::new(100, 2_000);
        for _ in 0..1_000 {
            log.write(LogLevel::Info, "0123456789");
        }
        let lines = log.take();
        assert_eq!(lines.len(), 11);
        assert!(lines[10].message.starts_with("990 further lines"), "{}", lines[10].message);
    }

    #[test]
    fn a_line_loses_its_control_characters() {
        let log = CallLog::new(100, 2_000);
        log.write(LogLevel::Info, "a\u{1b}[31mb\r\nc");
        assert_eq!(log.take()[0].message, "a [31mb c");
    }
}
