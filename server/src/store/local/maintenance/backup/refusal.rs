//! Why a backup is not replaced.

use crate::store::local::file_name::FileName;

/// Why a backup stays as it is. The text goes on behind its path, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not one of this data directory.
    #[error(
        "is a backup of another data directory, which was at {0}, or from before a repair; choose an empty or a new directory"
    )]
    OfAnother(String),
    /// Nothing says of which data directory it is, or which one is to be copied.
    #[error(
        "may be a backup of another data directory: that one or this one has no number in its file FORMAT; start a server on it, or choose an empty or a new directory"
    )]
    OfUnknown,
    /// The data directory has gone back.
    #[error(
        "is a backup that is newer than the data directory, and ends with {newest}; look whether an older state was put back there, and choose an empty or a new directory"
    )]
    IsNewer {
        /// The newest segment of the backup.
        newest: FileName,
    },
    /// A segment is another one, which never changes.
    #[error(
        "has another {0} than the data directory, and such a file never changes; look with server check which one is sound, and choose an empty or a new directory"
    )]
    HasOther(String),
    /// Sound files would be replaced by damaged ones.
    #[error(
        "stays as it is, because files of the data directory are damaged or have lost points: {0}; server check says what is lost, which this backup may still have; choose an empty or a new directory"
    )]
    IsSounder(String),
}
