//! The contents of directories.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::os;

/// Everything about a file or directory that a program can change.
#[derive(Debug, PartialEq, Eq)]
pub struct FileState {
    /// Where files have one.
    pub mode: Option<u32>,
    changed: SystemTime,
    /// None of a directory, and of a file that is locked.
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
            mode: os::mode(&about),
            changed: about.modified().unwrap(),
            bytes: if about.is_file() { read_unlocked(&path) } else { None },
        };
        all.insert(path, seen);
    }
    all
}

fn read_unlocked(path: &Path) -> Option<Vec<u8>> {
    match fs::read(path) {
        Err(error) if os::is_locked(&error) => None,
        bytes => Some(bytes.unwrap()),
    }
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
