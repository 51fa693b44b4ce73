//! The history of the command line in a file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::app::input::prompt::history::{MAX_BYTES, MAX_LINES};
use crate::system::os;

/// Bytes that are read from the end of a history file.
const MAX_READ: u64 = 2 * MAX_BYTES as u64;

/// The history of all sessions: a line for each request, oldest first. To add a line, a session
/// takes a lock, reads the lines of other sessions and replaces the file by a new one, so that no
/// line is lost and a crash leaves the old file or the new one.
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

    fn file(&self) -> PathBuf {
        let path = self.directory.join("history");
        // A symbolic link is followed, not replaced.
        fs::canonicalize(&path).unwrap_or(path)
    }

    /// The lines, oldest first, without those that can't have been entered.
    ///
    /// # Errors
    /// When there is a file that can't be read.
    pub fn load(&self) -> io::Result<Vec<String>> {
        let mut file = match File::open(self.file()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
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
        let lines = lines.filter_map(|line| str::from_utf8(line).ok()).filter(valid);
        let mut lines: Vec<_> = lines.take(MAX_LINES).take_while(fits).map(str::to_owned).collect();
        lines.reverse();
        Ok(lines)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the files can't be read or written; the history is as it was then.
    pub fn add(&self, line: &str) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        os::files::private_directory(builder.recursive(true)).create(&self.directory)?;
        let mut options = OpenOptions::new();
        let options = os::files::private_file(options.write(true).create(true));
        // Empty, and locked as a whole, which keeps others from nothing else.
        let lock = options.truncate(false).open(self.directory.join("history.lock"))?;
        // Released at the end of the scope, or by the system at the end of the process.
        lock.lock()?;
        let mut lines = self.load()?;
        if lines.last().is_some_and(|last| last == line) {
            return Ok(());
        }
        lines.push(line.to_owned());
        let file = self.file();
        let new = file.with_extension("new");
        let mut out = BufWriter::new(options.truncate(true).open(&new)?);
        for line in &lines {
            writeln!(out, "{line}")?;
        }
        out.into_inner()?.sync_all()?;
        os::files::replace(&new, &file)
    }
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
        let bytes =
            [b"get a\n\xff\xfe\n\x1b[2J\n\0\0\n\n", long.as_bytes(), b"\nget b\nget torn"].concat();
        fs::write(history.file(), bytes).unwrap();
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
        fs::write(history.file(), text).unwrap();
        history.add("get last").unwrap();
        let size = fs::metadata(history.file()).unwrap().len();
        assert!(size <= MAX_BYTES as u64 + 100, "{size}");
        let lines = history.load().unwrap();
        assert!(lines.len() > 9_000 && lines.len() <= MAX_LINES, "{}", lines.len());
        assert_eq!(lines.last().unwrap(), "get last");
    }
}
