//! Copying the files of a store to another directory, also while a server uses it: `server backup`.
//!
//! The copy is a data directory with one file more, BACKUP. Files are linked or copied under unfinished
//! names first, so that the copy before stays as it is; only when all are durable does BACKUP say so, and
//! they get their names.

mod copy_error;
mod copying;
mod held;
mod refusal;
mod replacement;
mod source_files;
mod target;
mod verification;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::super::disk::directory::{self, Directory};
use super::super::disk::{Disk, is_full, window};
use super::super::file_name::CONTROL;
use super::super::recovery::open_error::{self, OpenError};
use super::super::recovery::{backup_state, data_directory};
use source_files::first_of;
use target::Target;

pub use copying::copy;
pub use held::{HoldError, snapshot};
pub use refusal::Refusal;
pub use source_files::SourceFiles;
pub use target::finish_interrupted;

/// Longest file CONTROL that is read, in bytes.
const MAX_CONTACT_LENGTH: u64 = 4096;

/// Why there is no new backup. What the target had before is as it was, unless it says that it is not
/// finished.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory can't be used.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// One directory is in the other one.
    #[error(
        "the backup and the data directory are the same or inside each other; choose a directory elsewhere"
    )]
    Nested,
    /// The target has files of something else.
    #[error("{} is neither empty nor a backup; choose an empty or a new directory", .0.display())]
    NotABackup(PathBuf),
    /// The target has a backup that is not replaced.
    #[error("{} {refusal}", path.display())]
    Refused {
        /// The target.
        path: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// The target is locked.
    #[error(
        "a server or another backup uses {}; end that one or choose another directory", .0.display()
    )]
    TargetInUse(PathBuf),
    /// There is no room for the copy.
    #[error("the disk of {} is full; make room there and start the backup again", .0.display())]
    TargetFull(PathBuf),
    /// A process has the lock of the data directory and says nothing.
    #[error(
        "another process uses the data directory, and no file {CONTROL} there says how to ask it; wait until it has started or ended, and start the backup again"
    )]
    Unreachable,
    /// The server answered something else than its files.
    #[error(
        "the server that uses the data directory can't be understood; use the same version of both"
    )]
    NotUnderstood,
    /// The server ended, or no longer keeps its files as they are.
    #[error("the server ended before all was copied ({0}); start the backup again")]
    Gone(io::Error),
    /// The server needs the room of its files.
    #[error(
        "the server's disk is full, and it keeps no files for a backup any longer; make room there and start the backup again"
    )]
    ServerFull,
    /// Files of the data directory are missing.
    #[error(
        "files are missing there or can't be opened: {0}; server check says what is lost, and without a server that uses it server repair gives that up"
    )]
    Incomplete(String),
    /// A file of the data directory can't be read.
    #[error("{0} can't be read: {1}; server check says what is damaged")]
    Unreadable(String, io::Error),
    /// The target can't be read or written.
    #[error("{} can't be read or written: {error}; mend that or choose another directory", path.display())]
    Unusable {
        /// The target.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl BackupError {
    /// The error of a server that does not keep its files any longer.
    fn of_server(error: io::Error) -> Self {
        if is_full(&error) { Self::ServerFull } else { Self::Gone(error) }
    }

    /// The error of an operation on the target at this path.
    fn of_target(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            _ if is_full(&error) => Self::TargetFull(path.to_owned()),
            io::ErrorKind::WouldBlock => Self::TargetInUse(path.to_owned()),
            _ => Self::Unusable { path: path.to_owned(), error },
        }
    }
}

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackupReport {
    /// Files that got a second name in the target.
    pub linked: u64,
    /// Files whose bytes were copied.
    pub copied: u64,
    /// Files that the target had already.
    pub left: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Bytes of all files of the backup.
    pub bytes: u64,
    /// Files of the data directory that are damaged or have lost points, also those that a backup before has
    /// copied.
    pub damaged: Vec<String>,
}

impl BackupReport {
    /// What is damaged, in a line; `None` when nothing is.
    pub fn warning(&self) -> Option<String> {
        let named = first_of(&self.damaged);
        let warning = format!(
            "damaged, or with lost points, as in the data directory: {named}; server check says what is lost"
        );
        (!self.damaged.is_empty()).then_some(warning)
    }
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { linked, copied, left, copied_bytes, bytes, .. } = self;
        write!(
            f,
            "files: {linked} linked, {copied} copied ({copied_bytes} bytes), {left} left as they were; \
             {bytes} bytes in all"
        )
    }
}

/// A backup that is about to be made.
#[derive(Debug)]
pub struct Backup {
    /// Locked when no server uses it.
    source: Directory,
    source_path: PathBuf,
    target_path: PathBuf,
    contact: Option<String>,
}

impl Backup {
    /// Looks at both directories. Changes nothing in them; the lock of the data directory is taken when no
    /// server has it.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn prepare(source_path: &Path, target_path: &Path) -> Result<Self, BackupError> {
        let mut source = data_directory::find_store(source_path)?;
        let on_target = BackupError::of_target(target_path);
        if directory::is_nested(source_path, target_path).map_err(&on_target)? {
            return Err(BackupError::Nested);
        }
        Target::check(target_path)?;
        let contact = match data_directory::lock(&mut source) {
            Ok(()) => {
                // It may have become the target of another backup before.
                backup_state::check(&source)?;
                None
            }
            Err(OpenError::Locked) => Some(contact(&source).ok_or(BackupError::Unreachable)?),
            Err(error) => return Err(error.into()),
        };
        let (source_path, target_path) = (source_path.to_owned(), target_path.to_owned());
        Ok(Self { source, source_path, target_path, contact })
    }

    /// How the server that uses the data directory is asked, as it has said itself; `None` when no
    /// server uses it.
    pub fn contact(&self) -> Option<&str> {
        self.contact.as_deref()
    }

    /// Makes the backup. `held` are the files that the server named and keeps; `None` when no server
    /// uses the directory. `keep` is called every so often, and fails when it does not keep them any more.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn run(
        &self,
        held: Option<&str>,
        keep: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<BackupReport, BackupError> {
        let files = match held {
            Some(text) => {
                let files = SourceFiles::decode(text).ok_or(BackupError::NotUnderstood)?;
                files.check_complete(files.list.as_ref())?;
                files
            }
            None => SourceFiles::of_stopped(&self.source)?,
        };
        let target = Target::open(&self.target_path)?;
        let link = |name: &str, new_name: &str| {
            target.directory().link(&self.source_path.join(name), new_name)
        };
        let place = directory::place(&self.source_path);
        let place = place.map_err(open_error::io("it can't be read"))?;
        copy(&self.source, &files, &place, target.directory(), &link, keep)
            .map_err(|error| error.of_target(&self.target_path))
    }
}

/// How the server that has the lock is asked, as it says itself.
pub fn contact(disk: &dyn Disk) -> Option<String> {
    let file = disk.open(CONTROL).ok()?;
    let length = file.length().ok()?.min(MAX_CONTACT_LENGTH);
    String::from_utf8(window::read(&*file, 0, length).ok()?).ok()
}
