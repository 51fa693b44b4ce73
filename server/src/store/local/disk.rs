//! The one place that touches the file system: a few operations on the files of one directory.
//!
//! The store works against [`Disk`]. Tests put a simulated disk in its place that tears writes,
//! fills up, fails, and takes images of what a crash would leave.

pub mod directory;
pub mod overlay;
pub mod quarantine;
pub mod removed_files;
pub mod reserve;
pub mod window;

use std::fmt;
use std::io;

/// A directory of files without subdirectories. Names are durable only after
/// [`Disk::sync_directory`], bytes only after [`DiskFile::sync`].
pub trait Disk: fmt::Debug + Send + Sync {
    /// The names of all files.
    ///
    /// # Errors
    /// When the directory can't be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file, or empties one that is there.
    ///
    /// # Errors
    /// When it can't be made, such as for want of room.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it is not there or can't be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in one step; a file of that name is replaced.
    ///
    /// # Errors
    /// When the name stays as it was. `ResourceBusy` when the file to be replaced is open and keeps
    /// its name until it is closed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name; an open file can still be read. Its name may stay until it is closed, and
    /// can't be used before.
    ///
    /// # Errors
    /// When the name stays.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Opens a file whose room is to be given back before it is closed, when it has been removed.
    /// `None` where an open file can't be removed, or this one can't be opened.
    fn open_to_shrink(&self, name: &str) -> Option<Box<dyn DiskFile>>;

    /// Makes all names as they are now durable, or does nothing: then a power cut leaves the names
    /// of some earlier moment, at which what was synced since had its name; see [`crate::os`].
    ///
    /// # Errors
    /// When it is unknown which of them are.
    fn sync_directory(&self) -> io::Result<()>;

    /// Whether the directory is still where it was opened, and was not removed or replaced.
    ///
    /// # Errors
    /// When that can't be found out.
    fn is_in_place(&self) -> io::Result<bool>;

    /// The size in bytes of the disk that the directory is on; `None` when it is not known.
    fn size(&self) -> Option<u64>;

    /// Where a file is, and what is known of who may read it, for messages.
    fn whereabouts(&self, name: &str) -> String;

    /// A number that can't be foreseen; see [`super::salt::Salt`].
    ///
    /// # Errors
    /// When the system has none.
    fn random(&self) -> io::Result<u64>;
}

/// A file, read and written by position.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// When it is not known.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends first.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`. They are not durable before [`DiskFile::sync`].
    ///
    /// # Errors
    /// When some of them may not be written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Takes room on the disk for the first `length` bytes of an empty file.
    ///
    /// # Errors
    /// When there is not so much room.
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Whether the file has a name, also when that is not known.
    fn has_name(&self) -> bool {
        true
    }

    /// Cuts off what is behind `length`.
    ///
    /// # Errors
    /// When it may still be there.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes all bytes written so far durable.
    ///
    /// # Errors
    /// When it is unknown which of them are. A second try could succeed with the bytes lost
    /// (see "Can applications recover from fsync failures?", USENIX ATC 2020), so never retry.
    fn sync(&self) -> io::Result<()>;
}

/// Fails when nothing of a file of `length` bytes can be read for a reason that is not the disk's, such as
/// that it is a directory.
///
/// # Errors
/// That reason.
pub fn check_readable(file: &dyn DiskFile, length: u64) -> io::Result<()> {
    let mut byte = [0; 1];
    match file.read_exact_at(&mut byte[..usize::from(length > 0)], 0) {
        Err(error) if is_of_one_file(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether an error is about one file alone, says nothing of others, and lasts: the file has another owner,
/// or is a directory. With too few descriptors nothing is served at all rather than a part of the data.
pub fn is_of_one_file(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied)
}

/// Whether an error means that the disk, or this user's share of it, is full, or that a file may not
/// be longer.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
