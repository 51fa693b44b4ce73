//! The history of the command line in a file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::input::prompt::history::{MAX_BYTES, MAX_LINES};
use crate::system::os;

/// Bytes that are read from the end of a history file. One that is larger is cut when a line is
/// added.
const MAX_READ: u64 = 2 * MAX_BYTES as u64;

/// Links that are followed from the history file on.
const MAX_LINKS: usize = 40;

/// A lock that another program holds is waited for so long, in attempts so far apart.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// The history of all sessions: a line for each request, oldest first. A session that adds a line
/// takes a lock. The file itself stays, with its owner, its mode and its other names; a crash leaves
/// it with a part of the new line at worst. What is no regular file, such as a link to `/dev/null`,
/// is neither read nor written.
#[derive(Debug, Clone)]
pub struct HistoryFile {
    directory: PathBuf,
}

impl HistoryFile {
    /// In the directory for the state of this program; none without a home directory.
    pub fn of_user() -> Option<Self> {
        os::files::state_directory().map(Self::in_directory)
    }

    /// In this directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The path without the symbolic links at its end, also when there is no file there yet.
    fn path(&self) -> PathBuf {
        let mut path = self.directory.join("history");
        for _ in 0..MAX_LINKS {
            let Ok(target) = fs::read_link(&path) else { break };
            path = path.parent().map_or(target.clone(), |directory| directory.join(target));
        }
        path
    }

    /// The lines, oldest first, without those that can't have been entered.
    ///
    /// # Errors
    /// When there is a file that can't be read.
    pub fn load(&self) -> io::Result<Vec<String>> {
        let path = self.path();
        match open_regular(&path, OpenOptions::new().read(true)) {
            Ok(mut file) => read_lines(&mut file).map_err(|error| with_path(&path, &error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(with_path(&path, &error)),
        }
    }

    /// Adds a line, unless it repeats the last one.
    ///
    /// # Errors
    /// When the files can't be locked in time, read or written.
    pub fn add(&self, line: &str) -> io::Result<()> {
        os::files::make_private_directory(&self.directory)
            .map_err(|error| with_path(&self.directory, &error))?;
        let lock = self.directory.join("history.lock");
        // Released at the end of the scope, or by the system at the end of the process.
        let _lock = take_lock(&lock).map_err(|error| with_path(&lock, &error))?;
        let path = self.path();
        append(&path, line).map_err(|error| with_path(&path, &error))
    }
}

/// An error that names the file.
fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Opens a file without waiting for anything.
fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let check = |is_regular| {
        if is_regular { Ok(()) } else { Err(io::Error::other("no regular file")) }
    };
    // Before it is opened, because that can set off something in a device.
    check(fs::metadata(path)?.is_file())?;
    let file = os::files::without_waiting(options).open(path)?;
    check(file.metadata()?.is_file())?;
    Ok(file)
}

/// Opens a file, which is made if it is missing.
fn open_or_make(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match open_regular(path, options) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    match os::files::make_private_file(path) {
        // Another session was first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => open_regular(path, options),
        made => made.inspect(|file| os::files::give_to_owner_above(file, path)),
    }
}

/// Locks an empty file as a whole, which keeps others from nothing else.
fn take_lock(path: &Path) -> io::Result<File> {
    let file = open_or_make(path, OpenOptions::new().write(true))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_TIMEOUT => {
                thread::sleep(LOCK_RETRY);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another program has locked it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = open_or_make(path, OpenOptions::new().read(true).write(true))?;
    let size = file.metadata()?.len();
    let mut lines = read_lines(&mut file)?;
    if lines.last().is_some_and(|last| last == line) {
        return Ok(());
    }
    let mut text = String::new();
    if size > MAX_READ {
        lines.push(line.to_owned());
        for line in &lines {
            text.extend([line, "\n"]);
        }
        // Before the lines that stay, so that a crash loses none of them.
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        file.set_len(text.len() as u64)?;
    } else {
        let mut last = [b'\n'];
        if size > 0 {
            file.seek(SeekFrom::Start(size - 1))?;
            file.read_exact(&mut last)?;
        }
        // A line that was cut.
        text.push_str(if last == [b'\n'] { "" } else { "\n" });
        text.extend([line, "\n"]);
        file.seek(SeekFrom::Start(size))?;
        file.write_all(text.as_bytes())?;
    }
    // No sync: a line is not worth that, and the log of a server on the same disk would wait for it.
    Ok(())
}

/// The newest lines of a file.
fn read_lines(file: &mut File) -> io::Result<Vec<String>> {
    let start = file.metadata()?.len().saturating_sub(MAX_READ);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ).read_to_end(&mut bytes)?;
    // The newest first, as long as there is room.
    let mut lines = bytes.rsplit(|&byte| byte == b'\n');
    if start > 0 {
        // A part of a line.
        lines.next_back();
    }
    let valid = |line: &&str| {
        let length = 1..=shared::limits::MAX_LINE;
        length.contains(&line.len()) && !line.contains(char::is_control)
    };
    let mut room = MAX_BYTES;
    let fits = |line: &&str| {
        let fits = line.len() < room;
        room = room.saturating_sub(line.len() + 1);
        fits
    };
    let lines = lines.filter_map(|line| {
        // An editor of Windows may have been at work.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
    });
    let lines = lines.filter(valid);
    let mut lines: Vec<_> = lines.take(MAX_LINES).take_while(fits).map(str::to_owned).collect();
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> (tempfile::TempDir, HistoryFile) {
        let directory = tempfile::tempdir().unwrap();
        let history = HistoryFile::in_directory(directory.path().join("a/b"));
        (directory, history)
    }

    #[test]
    fn two_writers_lose_nothing() {
        let (_directory, history) = history();
        assert_eq!(history.load().unwrap(), [""; 0]);
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let history = &history;
                scope.spawn(move || {
                    for n in 0..40 {
                        history.add(&format!("get {writer}.{n}")).unwrap();
                    }
                });
            }
        });
        let lines = history.load().unwrap();
        for writer in 0..2 {
            let mark = format!("get {writer}.");
            let of: Vec<_> = lines.iter().filter(|line| line.starts_with(&mark)).collect();
            let expected: Vec<_> = (0..40).map(|n| format!("{mark}{n}")).collect();
            assert_eq!(of, expected.iter().collect::<Vec<_>>());
        }
        assert_eq!(lines.len(), 80);
    }

    #[test]
    fn a_damaged_file_gives_what_is_left_of_it() {
        let (_directory, history) = history();
        history.add("get first").unwrap();
        let long = "x".repeat(10_000);
        let bytes = [
            b"\xef\xbb\xbfget a\r\n\xff\xfe\n\x1b[2J\n\0\0\n\n",
            long.as_bytes(),
            b"\nget b\nget torn",
        ]
        .concat();
        fs::write(history.path(), bytes).unwrap();
        assert_eq!(history.load().unwrap(), ["get a", "get b", "get torn"]);
        history.add("get c").unwrap();
        assert_eq!(history.load().unwrap(), ["get a", "get b", "get torn", "get c"]);
    }

    #[test]
    fn the_file_is_bounded() {
        let (_directory, history) = history();
        history.add("get first").unwrap();
        let text: Vec<_> = (0..60_000).map(|n| format!("get {n} {}\n", "x".repeat(90))).collect();
        let text = text.concat();
        fs::write(history.path(), text).unwrap();
        history.add("get last").unwrap();
        let size = fs::metadata(history.path()).unwrap().len();
        assert!(size <= MAX_BYTES as u64 + 100, "{size}");
        let lines = history.load().unwrap();
        assert!(lines.len() > 9_000 && lines.len() <= MAX_LINES, "{}", lines.len());
        assert_eq!(lines.last().unwrap(), "get last");
    }
}
