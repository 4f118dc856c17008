//! Why the database did not do what it was asked.

use std::path::PathBuf;

/// A fault of the database.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The address of a database of an unknown kind. Only the scheme is told: the rest may hold a password.
    #[error(
        "`database` is expected to be sqlite:PATH, such as sqlite:pqh.db; found an address that starts with {scheme:?}"
    )]
    BadUrl {
        /// What stands before the colon.
        scheme: String,
    },
    /// There is no database.
    #[error("there is no database at {}: run `pqh serve` once, or name the right one by `database`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It was written by a newer program.
    #[error(
        "the database {} has schema {found}, and this program knows up to {known}: run the newer pqh, or restore the backup \
         made before the upgrade", path.display()
    )]
    Newer {
        /// Where it is.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Another `pqh serve` works with it.
    #[error("another pqh serve works with the database {}: stop it first", path.display())]
    Locked {
        /// Where it is.
        path: PathBuf,
    },
    /// It cannot be written or read now: disk full, file taken away, disk broken. Nothing was changed.
    #[error("the database cannot be used now: {reason}")]
    Unavailable {
        /// What is wrong, to an operator.
        reason: String,
    },
    /// A value that must be unique is there already.
    #[error("the database holds such a row already: {constraint}")]
    Duplicate {
        /// The table and columns.
        constraint: String,
    },
    /// A statement that should have worked did not: a fault of this program, or a damaged file.
    #[error("the database refused a statement: {reason}")]
    Statement {
        /// The database's words.
        reason: String,
    },
}

impl StoreError {
    /// The service stops, and its writer is gone.
    pub(crate) fn closed() -> Self {
        Self::Unavailable { reason: "the service is stopping".to_owned() }
    }

    /// Whether the same may work later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// `SQLite`'s primary result codes that say "not now", not "not so".
const PASSING: [i32; 8] = [
    5,  // BUSY
    6,  // LOCKED
    7,  // NOMEM
    8,  // READONLY
    10, // IOERR
    13, // FULL
    14, // CANTOPEN
    15, // PROTOCOL
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let reason = error.to_string();
        match &error {
            sqlx::Error::Database(database) => {
                if database.is_unique_violation() {
                    return Self::Duplicate { constraint: database.message().to_owned() };
                }
                let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
                if PASSING.contains(&(code & 0xff)) {
                    return Self::Unavailable { reason: database.message().to_owned() };
                }
                Self::Statement { reason: database.message().to_owned() }
            }
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable { reason }
            }
            _ => Self::Statement { reason },
        }
    }
}
