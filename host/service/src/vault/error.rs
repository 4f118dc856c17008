//! Why the vault did not open. No message holds a key, a secret or a sealed value.

use std::path::PathBuf;

/// A fault of the master key's file, or of what is kept under it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// No master key is where it should be.
    #[error(
        "there is no master key at {}: put the file back from its backup, or name the right one by `master_key_file`",
        path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A new master key would take the place of another.
    #[error(
        "{} exists already, and a master key is never overwritten: secrets may need it; move it away or name another file",
        path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Somebody besides its owner can use it.
    #[error(
        "the master key {} is expected to be its owner's alone (mode 0600), and has mode {mode:04o}: run chmod 600 {}",
        path.display(), path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It cannot be read.
    #[error("the master key {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// It cannot be made.
    #[error("the master key {} cannot be made: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// It holds something else.
    #[error(
        "the file {} holds no master key: expected 32 bytes as base64 in one line, beside comments that start with #; put \
         the file back from its backup", path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// No randomness, no keys.
    #[error("the system gives no random numbers: {reason}")]
    Random {
        /// The system's words.
        reason: String,
    },
    /// A data key was wrapped by another master key, for another organization, or was changed.
    #[error(
        "the data key of {organization} does not open with this master key: name the key of this database by \
         `master_key_file`, or restore the database from its backup"
    )]
    Wrapped {
        /// Whose it is.
        organization: String,
    },
    /// A sealed value is from another row or under another key, or was changed.
    #[error(
        "what is sealed as {identity} does not open: it was changed, or moved here from another row; set that secret anew"
    )]
    Sealed {
        /// The row.
        identity: String,
    },
    /// A sealed value is none that this program made.
    #[error("what is sealed as {identity} is in no form that this pqh reads: set that secret anew, or run a newer pqh")]
    Format {
        /// The row.
        identity: String,
    },
    /// More than AES-GCM can seal at once.
    #[error("what is to be sealed as {identity} is too long")]
    TooLong {
        /// The row.
        identity: String,
    },
}
