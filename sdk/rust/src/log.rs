//! The component's voice in the host's log, beside the plugin's, the channel's and the delivery's id.

pub use crate::bindings::pyqueryhub::notify::log::Level;

/// Writes a line at `level`.
pub fn write(level: Level, message: &str) {
    crate::gate::write(level, message);
}

/// What helps while writing a plugin.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What an operator may want to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// What did not go as it should.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// What broke.
pub fn error(message: &str) {
    write(Level::Error, message);
}
