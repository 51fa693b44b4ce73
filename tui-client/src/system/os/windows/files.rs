//! Directories of the user, private files, standard input.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, stdin};
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Attempts to replace a file that a virus scanner or an indexer has open for a moment.
const MAX_ATTEMPTS: u32 = 20;

/// The pause between two of them.
const RETRY: Duration = Duration::from_millis(10);

/// The directory for the state of this program, `%APPDATA%\tui-client`; none without that variable.
pub fn state_directory() -> Option<PathBuf> {
    let data = env::var_os("APPDATA").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(data?.join("tui-client"))
}

/// The home directory, for which `~` stands: `%USERPROFILE%`.
pub fn home_directory() -> Option<PathBuf> {
    env::var_os("USERPROFILE").map(PathBuf::from)
}

/// Leaves a new file as private as its directory: it inherits the access list, and that of a
/// user's directories lets only the user, administrators and the system in.
pub fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Leaves a new directory as private as the one above.
pub fn private_directory(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Replaces a file by another one, also while it is open elsewhere for reading.
///
/// # Errors
/// When the file can't be replaced; it is as before then.
pub fn replace(new: &Path, file: &Path) -> io::Result<()> {
    for _ in 1..MAX_ATTEMPTS {
        match fs::rename(new, file) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => thread::sleep(RETRY),
            outcome => return outcome,
        }
    }
    fs::rename(new, file)
}

/// The size of standard input in bytes, if it is a file.
pub fn input_size() -> Option<u64> {
    let file = File::from(stdin().as_handle().try_clone_to_owned().ok()?);
    let data = file.metadata().ok()?;
    data.is_file().then_some(data.len())
}
