//! Directories of the user, private files, standard input.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The directory for the state of this program, in the state directory of the XDG specification,
/// on macOS too; none without a home directory.
pub fn state_directory() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local").join("state")))?;
    Some(state.join("tui-client"))
}

/// The home directory, for which `~` stands.
pub fn home_directory() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from)
}

/// Makes a new file readable by its owner alone.
pub fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Makes a new directory readable by its owner alone.
pub fn private_directory(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// Replaces a file by another one, also while it is open elsewhere.
///
/// # Errors
/// When the file can't be replaced; it is as before then.
pub fn replace(new: &Path, file: &Path) -> io::Result<()> {
    fs::rename(new, file)
}

/// The size of standard input in bytes, if it is a file.
pub fn input_size() -> Option<u64> {
    let file = File::from(stdin().as_fd().try_clone_to_owned().ok()?);
    let data = file.metadata().ok()?;
    data.is_file().then_some(data.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn other_users_cannot_read_what_is_private() {
        let above = tempfile::tempdir().unwrap();
        let (directory, file) = (above.path().join("d"), above.path().join("d/f"));
        private_directory(&mut DirBuilder::new()).create(&directory).unwrap();
        private_file(OpenOptions::new().write(true).create_new(true)).open(&file).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(directory), mode(file)), (0o700, 0o600));
    }
}
