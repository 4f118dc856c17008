//! Whether the database's file is still the one that was opened. `SQLite` would go on writing into a file that was deleted
//! or moved away: all that is accepted then would be gone with the process.

use std::path::{Path, PathBuf};

use super::StoreError;

/// Which file it is: path, device and inode.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of the file at `path`.
    pub(crate) fn of(path: &Path) -> Result<Self, StoreError> {
        let (device, inode) = look(path)?;
        Ok(Self { path: path.to_owned(), device, inode })
    }

    /// An error where another file, or none, is in its place.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if look(&self.path)? == (self.device, self.inode) {
            return Ok(());
        }
        let reason = format!("another file is in the place of {}: restart the service to use it", self.path.display());
        Err(StoreError::Unavailable { reason })
    }
}

fn look(path: &Path) -> Result<(u64, u64), StoreError> {
    let stat = rustix::fs::stat(path).map_err(|error| StoreError::Unavailable {
        reason: format!("the file {} is not there ({error}): put it back", path.display()),
    })?;
    Ok((stat.st_dev, stat.st_ino))
}
