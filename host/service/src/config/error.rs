//! Why a configuration is none: where it says so, which key, what was expected.

use std::fmt;
use std::path::PathBuf;

/// A fault of the configuration.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The file is no TOML.
    #[error("{}, line {line}: expected TOML; {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key that nobody knows, or a value that makes no sense.
    #[error("{place}: {key}: {problem}")]
    Key {
        /// Where it stands.
        place: Place,
        /// `limits.concurrency`
        key: String,
        /// What was expected, what was found.
        problem: String,
    },
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// In an environment variable.
    Variable(String),
    /// Nowhere: it is the default, or was set by a program.
    Unwritten,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(formatter, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::Unwritten => formatter.write_str("the configuration"),
        }
    }
}
