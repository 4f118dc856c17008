//! A channel type that is not built in: the bytes of one that is, under a name of the same length.

use tempfile::TempDir;

mod plugins {
    include!(concat!(env!("OUT_DIR"), "/plugins.rs"));
}

const TYPE: &str = "slack-webhook";
/// The other type's id.
pub const OTHER_TYPE: &str = "other-webhook";

/// A folder of components with the other type in it.
pub fn folder_with_another_type() -> TempDir {
    let (_, bytes) = plugins::COMPONENTS.iter().find(|(name, _)| *name == TYPE).expect("the build script made it");
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = bytes
        .windows(TYPE.len())
        .enumerate()
        .filter(|(_, window)| *window == TYPE.as_bytes())
        .map(|(at, _)| at)
        .collect();
    for at in places {
        bytes[at..at + TYPE.len()].copy_from_slice(OTHER_TYPE.as_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other.wasm"), bytes).unwrap();
    folder
}
