//! Why a data directory can't be used.

use std::io;

use crate::store::local::disk::is_full;
use crate::store::local::file_name::FORMAT_VERSION;
use crate::store::local::series::series_index::MAX_SERIES;

/// Why a data directory can't be used. Nothing in it was changed, except by a recovery that ended
/// in [`OpenError::Io`], [`OpenError::DiskFull`], [`OpenError::TooManySeries`] or
/// [`OpenError::LogTooLarge`]: it may have written checkpoints, and the next start goes on from
/// them.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds its lock.
    #[error(
        "a server, or a backup or a repair of it, is using it; end that one or choose another directory"
    )]
    Locked,
    /// Another process has taken its lock while it was looked through.
    #[error("a server has begun to use it meanwhile; stop that one and check again")]
    UsedMeanwhile,
    /// There is none.
    #[error("there is no such directory; name the one that a server has as --data-dir")]
    Missing,
    /// There is nothing in it.
    #[error("no server has used it yet; name the directory that a server has as --data-dir")]
    Unused,
    /// It is a backup that can't be used.
    #[error(
        "it is a backup that was not finished; start server backup again, or choose another directory"
    )]
    UnfinishedBackup,
    /// It is a backup of which all files are there, but not all under their names.
    #[error(
        "it is a backup whose end was cut off; server repair or the next server backup finishes it"
    )]
    InterruptedBackup,
    /// It is a backup that does not say any more whether it was finished.
    #[error(
        "it is a backup, its file BACKUP is damaged, and {0} beside it may be one of its files; use another backup, or move that file away to do without it"
    )]
    DamagedBackup(String),
    /// It holds files of something else.
    #[error("it holds files that are not a metrics server's; choose an empty or a new directory")]
    Foreign,
    /// Its file `FORMAT` is damaged or was written by another program.
    #[error(
        "its file FORMAT is not one that a metrics server writes; restore that file or choose another directory"
    )]
    BadFormat,
    /// There is a file in its place.
    #[error("it is not a directory; choose another directory")]
    NotADirectory,
    /// There is no room to begin a segment or to write a checkpoint.
    #[error("the disk is full; make room there and start the server again")]
    DiskFull,
    /// A newer server wrote it.
    #[error(
        "it has format {found}, and this server knows formats up to {FORMAT_VERSION}; use a newer server"
    )]
    Newer {
        /// The version in its file `FORMAT`.
        found: u32,
    },
    /// It has more series than this process can hold.
    #[error("it has more series than this server can hold, {MAX_SERIES}; use a 64-bit server")]
    TooManySeries,
    /// A file of its log has more points than this process can hold. A clean end leaves no log.
    #[error(
        "its file {0} has more points than this server can hold in memory; use a 64-bit server, and stop it by a signal before you come back"
    )]
    LogTooLarge(String),
    /// Two parts hold some of the same segments.
    #[error("its parts {0} and {1} contradict each other; move one of them away")]
    Overlap(String, String),
    /// It is to be repaired, and one of its files may not be read.
    #[error(
        "{0} may not be read; do this as a user who may, so that what is in it is not given up"
    )]
    NoAccess(String),
    /// It is to be repaired, and what would be written would belong to this user.
    #[error(
        "{0} belongs to another user; do this as that user or as root, so that a server of that user can use what is written"
    )]
    OfAnother(String),
    /// It can't be read or written.
    #[error("{0}: {1}; fix that or choose another directory")]
    Io(&'static str, io::Error),
}

/// The error of an operation; `what` is the failure in words.
pub fn io(what: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    move |error| match error.kind() {
        io::ErrorKind::NotADirectory => OpenError::NotADirectory,
        _ if is_full(&error) => OpenError::DiskFull,
        _ => OpenError::Io(what, error),
    }
}
