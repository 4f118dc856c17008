//! The components inside the program.

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// Each with the name under which it was built.
pub(crate) fn components() -> &'static [(&'static str, &'static [u8])] {
    COMPONENTS
}
