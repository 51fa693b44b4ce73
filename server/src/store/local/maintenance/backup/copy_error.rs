//! Why files were not copied.

use std::io;
use std::path::Path;

use super::BackupError;
use super::refusal::Refusal;

/// Why files were not copied.
#[derive(Debug)]
pub enum CopyError {
    /// Of the store.
    Source(BackupError),
    /// Of the backup.
    Target(io::Error),
    /// The backup before is not replaced.
    Refused(Refusal),
}

impl From<Refusal> for CopyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl CopyError {
    /// The error of a backup at this path.
    pub fn of_target(self, path: &Path) -> BackupError {
        match self {
            Self::Source(error) => error,
            Self::Target(error) => BackupError::of_target(path)(error),
            Self::Refused(refusal) => BackupError::Refused { path: path.to_owned(), refusal },
        }
    }
}
