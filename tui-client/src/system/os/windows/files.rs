//! Directories of the user, private files, standard input.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, stdin};
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};

/// The directory for the state of this program, `%APPDATA%\tui-client`; none without that variable.
pub fn state_directory() -> Option<PathBuf> {
    let data = env::var_os("APPDATA").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(data?.join("tui-client"))
}

/// The directory for the settings of this program, the same.
pub fn config_directory() -> Option<PathBuf> {
    state_directory()
}

/// The home directory, for which `~` stands: `%USERPROFILE%`.
pub fn home_directory() -> Option<PathBuf> {
    env::var_os("USERPROFILE").map(PathBuf::from)
}

/// Makes a new file, as private as its directory: it inherits the access list, and that of a user's
/// directories lets only the user, administrators and the system in.
///
/// # Errors
/// When the file exists, or can't be made.
pub fn make_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Makes a directory and those above it, where they are missing, as private as the first one above.
///
/// # Errors
/// When one of them can't be made.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Does nothing: a new file lets those in who are let into its directory.
pub fn give_to_owner_above(_: &File, _: &Path) {}

/// Leaves the options: a file that opens at once is the rule here.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// The size of standard input in bytes, if it is a file.
pub fn input_size() -> Option<u64> {
    let file = File::from(stdin().as_handle().try_clone_to_owned().ok()?);
    let data = file.metadata().ok()?;
    data.is_file().then_some(data.len())
}
