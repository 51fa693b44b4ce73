//! A directory of the file system.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{Disk, DiskFile};
use crate::os::{self, DirectoryHandle, Ownership};
use crate::store::local::file_name::LOCK;

/// A directory of this machine.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: DirectoryHandle,
    lock: Option<File>,
    /// What the files that are made have; without it they are for this user alone.
    ownership: Option<Ownership>,
    /// A file that can't have it is no good.
    is_ownership_needed: bool,
}

impl Directory {
    /// The directory at `path`, or `None` when there is none. Changes nothing.
    ///
    /// # Errors
    /// When something is there that can't be read, or is no directory.
    pub fn find(path: &Path) -> io::Result<Option<Self>> {
        if !is_directory(path)? {
            return Ok(None);
        }
        fs::read_dir(path)?;
        Self::existing(path).map(Some)
    }

    /// Makes the directory and those above it, for this user alone, and their names durable.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make(path: &Path) -> io::Result<Self> {
        let mut changed = Vec::new();
        for above in path.ancestors().skip(1) {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            changed.push(above);
            if is_directory(above)? {
                break;
            }
        }
        os::make_directory(path)?;
        for above in changed {
            DirectoryHandle::open(above)?.sync()?;
        }
        Self::existing(path)
    }

    fn existing(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            handle: DirectoryHandle::open(path)?,
            lock: None,
            ownership: None,
            is_ownership_needed: false,
        })
    }

    /// Keeps every other process off the directory for as long as this lives.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    pub fn lock(&mut self) -> io::Result<()> {
        let path = self.path.join(LOCK);
        let is_new = !path.try_exists()?;
        let lock = os::open_private_file(&path, false)?;
        if is_new {
            self.give_ownership(&lock)?;
        }
        match lock.try_lock() {
            Ok(()) => {
                self.lock = Some(lock);
                self.sync_name()
            }
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Directory {
    /// Whether another process holds the lock. Changes nothing.
    pub fn is_in_use(&self) -> bool {
        let lock = os::open_file(&self.path.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Has files be made from now on that are used by whom the file of a name is, or the directory itself
    /// without one. Answers whether this process may do so.
    ///
    /// # Errors
    /// When it can't be found out who that is.
    pub fn keep_ownership(&mut self, like: Option<&str>) -> io::Result<bool> {
        let path = like.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        let ownership = Ownership::of(&path)?;
        self.ownership = Some(ownership);
        self.is_ownership_needed = true;
        Ok(ownership.can_be_given())
    }

    /// Has files be made from now on that belong to the owner of the file of a name, or of the directory itself
    /// without one, and are for that user alone, if it is another user and this process is root. Answers whether
    /// that is so. A file that can't be given away, as on some networks, belongs to root.
    ///
    /// # Errors
    /// When it can't be found out who that is.
    pub fn keep_other_ownership(&mut self, like: Option<&str>) -> io::Result<bool> {
        let path = like.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        let ownership = Ownership::of(&path)?;
        let is_given = ownership.is_of_another() && ownership.can_be_given();
        if is_given {
            self.ownership = Some(ownership.for_owner_alone());
        }
        Ok(is_given)
    }

    fn give_ownership(&self, file: &File) -> io::Result<()> {
        let given = self.ownership.map_or(Ok(()), |ownership| ownership.give(file));
        if self.is_ownership_needed { given } else { Ok(()) }
    }

    /// Makes the directory's own name durable: the process that made it may have been killed before.
    fn sync_name(&self) -> io::Result<()> {
        match DirectoryHandle::open(&self.path.join("..")) {
            Ok(above) => above.sync(),
            // The directory above was not made by this user either.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Directory {
    /// Gives the file at `path` another name, in this directory.
    ///
    /// # Errors
    /// When it has none, such as in another file system; `InvalidInput` when it is a symbolic link, which would
    /// lead to the same place from here.
    pub fn link(&self, path: &Path, name: &str) -> io::Result<()> {
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        fs::hard_link(path, self.path.join(name))
    }
}

/// Whether two directories, which may not be there yet, are the same or one is in the other.
///
/// # Errors
/// When that can't be found out.
pub fn is_nested(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (without_links(one)?, without_links(other)?);
    Ok(one.starts_with(&other) || other.starts_with(&one))
}

/// The path of a directory without links, as a text in one line.
///
/// # Errors
/// When it can't be found out.
pub fn place(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path)?.to_string_lossy().into_owned();
    Ok(path.replace(char::is_control, "\u{fffd}"))
}

fn without_links(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for above in path.ancestors() {
        match fs::canonicalize(above) {
            Ok(found) => return Ok(found.join(path.strip_prefix(above).unwrap_or(&path))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// The directory that `fsck` keeps at the top of a file system.
const LOST_AND_FOUND: &str = "lost+found";

fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != LOST_AND_FOUND || !is_empty_directory(&path.join(&name)) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether there is a directory with nothing in it, or one that only the administrator may look into,
/// as `fsck` makes them.
fn is_empty_directory(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => {
            error.kind() == io::ErrorKind::PermissionDenied && is_directory(path).unwrap_or(false)
        }
    }
}

/// Whether there is a directory at `path`; `false` when nothing is.
///
/// # Errors
/// `NotADirectory` when something else is there, or on the way there.
fn is_directory(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Ok(true),
        Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        names(&self.path)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = os::open_private_file(&self.path.join(name), true)?;
        self.give_ownership(&file)?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(os::open_file(&self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = self.path.join(to);
        os::rename(&self.path.join(from), &to).map_err(|error| {
            let is_held = os::is_in_use(&error) && to.try_exists().unwrap_or(false);
            if is_held { io::Error::new(io::ErrorKind::ResourceBusy, error) } else { error }
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        os::remove(&self.path.join(name))
    }

    fn open_to_shrink(&self, name: &str) -> Option<Box<dyn DiskFile>> {
        Some(Box::new(os::open_to_shrink(&self.path.join(name))?))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.handle.sync()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.handle.is_at(&self.path)
    }

    fn size(&self) -> Option<u64> {
        os::disk_size(&self.path)
    }

    fn whereabouts(&self, name: &str) -> String {
        let path = self.path.join(name);
        match os::access(&path) {
            Some(access) => format!("{} ({access})", path.display()),
            None => path.display().to_string(),
        }
    }

    fn random(&self) -> io::Result<u64> {
        Ok(getrandom::u64()?)
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        os::read_exact_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        os::write_all_at(self, bytes, offset)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        os::allocate(self, length)
    }

    fn has_name(&self) -> bool {
        os::has_name(self)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sync that answers `Ok` where the system refuses one was never asked for.
    #[test]
    fn a_sync_reaches_the_operating_system() {
        assert!(DiskFile::sync(&os::unsyncable_file()).is_err());
        if let Some(path) = os::unsyncable_directory() {
            assert!(Directory::existing(path).unwrap().sync_directory().is_err());
        }
    }

    /// Reads a whole file.
    fn read(disk: &dyn Disk, name: &str) -> Vec<u8> {
        let file = disk.open(name).unwrap();
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn bytes_are_read_and_written_by_position() {
        let root = tempfile::tempdir().unwrap();
        let disk = Directory::make(root.path()).unwrap();
        let file = disk.create("a").unwrap();
        file.write_all_at(b"world", 6).unwrap();
        file.write_all_at(b"hello", 0).unwrap();
        assert_eq!(read(&disk, "a"), b"hello\0world");
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, 6).unwrap();
        assert_eq!(&bytes, b"worl");
        for offset in [8, 11, 1 << 40] {
            let error = file.read_exact_at(&mut bytes, offset).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "at {offset}");
        }
        file.truncate(5).unwrap();
        file.sync().unwrap();
        assert_eq!(read(&disk, "a"), b"hello");
        // What a start finds is opened and synced.
        disk.open("a").unwrap().sync().unwrap();
        drop(disk.create("a").unwrap());
        assert_eq!(read(&disk, "a"), b"");
    }

    /// Longer than the 260 characters that Windows had for a path once.
    #[test]
    fn paths_may_be_long_and_have_spaces_and_umlauts() {
        let root = tempfile::tempdir().unwrap();
        let names = ["für Müller ", "Meßwerte, 2026 ", "数据 ", "a b"];
        let path: PathBuf = names.iter().map(|name| format!("{}x", name.repeat(8))).collect();
        let path = root.path().join(&path).join(&path);
        assert!(path.to_str().unwrap().encode_utf16().count() > 300);
        assert!(Directory::find(&path).unwrap().is_none());
        let mut disk = Directory::make(&path).unwrap();
        disk.lock().unwrap();
        assert_eq!(
            Directory::find(&path).unwrap().unwrap().lock().unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        let file = disk.create("a.tmp").unwrap();
        file.write_all_at(b"a", 0).unwrap();
        disk.rename("a.tmp", "a").unwrap();
        drop(disk.create("b").unwrap());
        disk.remove("b").unwrap();
        disk.sync_directory().unwrap();
        let mut names = disk.list().unwrap();
        names.sort_unstable();
        assert_eq!(
            (names, read(&disk, "a")),
            (vec!["LOCK".to_owned(), "a".to_owned()], b"a".to_vec())
        );
    }

    #[test]
    fn open_files_are_renamed_removed_and_replaced() {
        let root = tempfile::tempdir().unwrap();
        let disk = Directory::make(root.path()).unwrap();
        let write = |name: &str| {
            let file = disk.create(name).unwrap();
            file.write_all_at(name.as_bytes(), 0).unwrap();
            file
        };
        let is_there = |name: &str| disk.list().unwrap().iter().any(|other| other == name);
        let mut bytes = [0; 3];

        // What was removed can be read until it is closed, and is gone then.
        let removed = write("one");
        disk.remove("one").unwrap();
        removed.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"one");
        drop(removed);
        assert!(!is_there("one"));
        drop(write("one"));

        // An open file is replaced at once, or when it is closed.
        let (old, new) = (write("old"), write("new"));
        match disk.rename("new", "old") {
            Ok(()) => drop(old),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
                old.read_exact_at(&mut bytes, 0).unwrap();
                assert_eq!((&bytes, is_there("new")), (b"old", true));
                drop(old);
                disk.rename("new", "old").unwrap();
            }
        }
        new.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!((&bytes, read(&disk, "old"), is_there("new")), (b"new", b"new".to_vec(), false));
        let error = disk.rename("nothing", "old").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn directories_in_each_other_are_known_whether_they_are_there_or_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("a/b")).unwrap();
        for (one, other, expected) in [
            ("a", "a", true),
            ("a", "a/b", true),
            ("a", "a/new/newer", true),
            ("a/../a/b", "a", true),
            ("a", "ab", false),
            ("a/b", "a/c", false),
            ("new/a", "a", false),
        ] {
            assert_eq!(is_nested(&at(one), &at(other)).unwrap(), expected, "{one} {other}");
            assert_eq!(is_nested(&at(other), &at(one)).unwrap(), expected, "{other} {one}");
        }
    }

    #[test]
    fn there_is_no_directory_in_the_place_of_a_file_or_below_one() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "mine").unwrap();
        for path in [file.clone(), file.join("below"), file.join("far").join("below")] {
            let found = Directory::find(&path).and_then(|found| match found {
                Some(found) => Ok(found),
                None => Directory::make(&path),
            });
            assert_eq!(found.unwrap_err().kind(), io::ErrorKind::NotADirectory, "{path:?}");
        }
    }
}
