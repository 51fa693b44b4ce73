//! The contents of directories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Everything about a file or directory that a program can change.
#[derive(Debug, PartialEq, Eq)]
pub struct FileState {
    pub mode: u32,
    changed: (i64, i64),
    bytes: Option<Vec<u8>>,
}

/// The state of `path` and of everything below it.
pub fn snapshot(path: &Path) -> BTreeMap<PathBuf, FileState> {
    let mut all = BTreeMap::new();
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let seen = FileState {
            mode: about.permissions().mode() & 0o777,
            changed: (about.mtime(), about.mtime_nsec()),
            bytes: about.is_file().then(|| fs::read(&path).unwrap()),
        };
        all.insert(path, seen);
    }
    all
}

/// The names in a directory, sorted.
pub fn file_names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Copies the files of a directory into another one, which is made.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in file_names(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}
