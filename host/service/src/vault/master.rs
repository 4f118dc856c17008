//! The master key's file: made once, its owner's alone, and refused where others can read it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Key};

const COMMENT: &str =
    "# The master key of a PyQueryHub Notify database: without it no secret in there opens. Back it up, apart from it.";
/// A key's file is a line or two: more of another file is not even read.
const LONGEST: usize = 4096;

/// What wraps the data keys. Wiped when dropped.
pub(crate) struct MasterKey(pub(super) Key);

impl MasterKey {
    /// Makes a key and its file, which must not exist.
    pub(crate) fn create(path: &Path) -> Result<Self, VaultError> {
        let key = crypto::random_key()?;
        write(path, &key).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => VaultError::Exists { path: path.to_owned() },
            _ => VaultError::Unwritable { path: path.to_owned(), reason: error.to_string() },
        })?;
        Ok(Self(key))
    }

    /// Reads a key's file.
    pub(crate) fn load(path: &Path) -> Result<Self, VaultError> {
        let unreadable = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => VaultError::Missing { path: path.to_owned() },
            _ => VaultError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(VaultError::OpenToOthers { path: path.to_owned(), mode });
        }
        // As large as it can get from the start: growing would leave pieces of the key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        file.take(LONGEST as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        read(&bytes).map(Self).ok_or_else(|| VaultError::NoKey { path: path.to_owned() })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(..)")
    }
}

/// The key in the only line that is no comment.
fn read(bytes: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let decoded = Zeroizing::new(STANDARD.decode(line).ok()?);
    let mut key = Key::default();
    if decoded.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&decoded);
    Some(key)
}

/// Durable before anything is sealed with it: the folder's entry too.
fn write(path: &Path, key: &Key) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let line = Zeroizing::new(STANDARD.encode(**key));
    let written = write!(file, "{COMMENT}\n{}\n", &*line).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a key would stand in the way of the next start.
        drop(std::fs::remove_file(path));
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
