//! Directories of the user, private files, standard input.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;

/// The directory for the state of this program, in the state directory of the XDG specification,
/// on macOS too; none without a home directory.
pub fn state_directory() -> Option<PathBuf> {
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local").join("state")))?;
    Some(state.join("tui-client"))
}

/// The directory for the settings of this program, in the configuration directory of the XDG
/// specification, on macOS too; none without a home directory.
pub fn config_directory() -> Option<PathBuf> {
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("tui-client"))
}

/// The absolute path in an environment variable.
fn absolute(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The home directory, for which `~` stands.
pub fn home_directory() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from)
}

/// Makes a new file readable by its owner alone.
///
/// # Errors
/// When the file exists, or can't be made.
pub fn make_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a directory and those above it, where they are missing, readable by their owner alone, who is
/// the owner of the first directory above if root makes them.
///
/// # Errors
/// When one of them can't be made.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_private_directory(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another session was first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(directory) = open(path, flags, Mode::empty()) {
                give_to_owner_above(&File::from(directory), path);
            }
            Ok(())
        }
    }
}

/// Gives a new file to the owner and the group of its directory, if root made it: root with the home
/// directory of a user, as `sudo` may leave it, must not lock that user out.
pub fn give_to_owner_above(file: &File, path: &Path) {
    let above = path.parent().map(fs::metadata);
    let (Some(Ok(above)), Ok(new)) = (above, file.metadata()) else { return };
    if geteuid().is_root() && new.uid() != above.uid() {
        // What root can't give away stays with root.
        let _ = fchown(file, Some(above.uid()), Some(above.gid()));
    }
}

/// Opens a file without waiting for another program, as the opening of a named pipe does.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    // They fit on every system.
    options.custom_flags(flags.try_into().unwrap_or(0))
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
        make_private_directory(&directory).unwrap();
        make_private_file(&file).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(directory), mode(file)), (0o700, 0o600));
    }
}
