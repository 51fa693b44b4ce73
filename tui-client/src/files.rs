//! The files of the terminal UI: the history of all sessions, and logs to be saved. One thread
//! does it, so that no disk is waited for while keys are pressed.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;

use crate::app::log::entry::{Direction, Remark};
use crate::app::log::store::Snapshot;
use crate::app::prompt::history::{BYTES, LINES};
use crate::effect::FileJob;
use crate::event::Event;

/// What is read of a history file that has grown beyond all bounds: its end.
const READ: u64 = 2 * BYTES as u64;

/// Loads the history, then serves until there are no more jobs.
pub fn run(history: Option<History>, jobs: &Receiver<FileJob>, tell: impl Fn(Event)) {
    let mut complained = false;
    let mut history = history;
    let loaded = history.as_ref().map_or(Ok(Vec::new()), History::load);
    match loaded {
        Ok(lines) if lines.is_empty() => {}
        Ok(lines) => tell(Event::History(lines)),
        Err(error) => {
            tell(Event::FileFailed(format!("the history can't be read: {error}")));
            // What can't be read is not written over.
            history = None;
        }
    }
    for job in jobs {
        match job {
            FileJob::AppendHistory(line) => {
                let stored = history.as_ref().map_or(Ok(()), |history| history.add(&line));
                if let (Err(error), false) = (stored, complained) {
                    complained = true;
                    tell(Event::FileFailed(format!("the history can't be kept: {error}")));
                }
            }
            FileJob::SaveLog { path, log } => {
                let file = expand(&path);
                tell(match save(&file, &log) {
                    Ok(lines) => Event::Saved { path: absolute(&file), lines },
                    Err(error) => Event::NotSaved { path, reason: why(&error) },
                });
            }
        }
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists => "there is such a file already".to_owned(),
        io::ErrorKind::NotFound => "there is no such directory".to_owned(),
        _ => error.to_string(),
    }
}

/// `~/` as in a shell.
fn expand(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    }
}

/// A name alone does not say in which directory.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).as_deref().unwrap_or(path).display().to_string()
}

/// Writes a log to a file that did not exist, one line each: time, direction, text and, behind a
/// tab, what is known besides.
fn save(path: &Path, log: &Snapshot) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = write_log(file, log);
    if written.is_err() {
        // Half a log would pass for a whole one. That it failed is told already.
        let _ = fs::remove_file(path);
    }
    written
}

fn write_log(file: File, log: &Snapshot) -> io::Result<u64> {
    let mut out = BufWriter::new(file);
    let mut lines = 0;
    for entry in log.entries() {
        lines += 1;
        write!(out, "{}", time(entry.unix_ms))?;
        let arrow = match entry.direction {
            Direction::Out => '→',
            Direction::In => '←',
            Direction::Note => '·',
        };
        write!(out, " {arrow} {}", entry.text)?;
        match entry.remark {
            None => {}
            Some(Remark::Request { bytes, .. }) => write!(out, "\t{bytes} B")?,
            Some(Remark::Reply(cost)) => {
                write!(out, "\t{} points, {} B, {:?}", cost.points, cost.bytes, cost.took)?;
            }
        }
        if entry.times > 1 {
            write!(out, " ×{} until {}", entry.times, time(entry.until_ms))?;
        }
        writeln!(out)?;
    }
    out.into_inner()?.sync_all()?;
    Ok(lines)
}

fn time(unix_ms: i64) -> String {
    let time = Timestamp::from_millisecond(unix_ms);
    time.map_or_else(|_| unix_ms.to_string(), |time| format!("{time:.3}"))
}

/// The history of all sessions: a line each, oldest first. Whoever writes holds a lock, reads
/// what others have added, and puts a new file in the place of the old one, so that nothing is
/// lost between sessions and a crash leaves the old file or the new one.
#[derive(Debug, Clone)]
pub struct History {
    directory: PathBuf,
}

impl History {
    /// In the directory for state of the XDG specification; nowhere without a home.
    pub fn of_user() -> Option<Self> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local").join("state")))?;
        Some(Self::in_directory(state.join("tui-client")))
    }

    /// In this directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn file(&self) -> PathBuf {
        let path = self.directory.join("history");
        // What a link points to is replaced, not the link.
        fs::canonicalize(&path).unwrap_or(path)
    }

    /// The lines, oldest first. What is no line that a person could have entered is left out.
    ///
    /// # Errors
    /// When there is a file that can't be read.
    pub fn load(&self) -> io::Result<Vec<String>> {
        let mut file = match File::open(self.file()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let start = file.metadata()?.len().saturating_sub(READ);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(READ).read_to_end(&mut bytes)?;
        let mut lines = bytes.split(|&byte| byte == b'\n');
        if start > 0 {
            // The first one is a part of a line.
            lines.next();
        }
        let entered = |line: &&str| {
            !line.is_empty()
                && line.len() <= shared::limits::MAX_LINE
                && !line.contains(char::is_control)
        };
        let lines: Vec<_> =
            lines.filter_map(|line| str::from_utf8(line).ok()).filter(entered).collect();
        let mut room = BYTES;
        let fits = |line: &&&str| {
            let fits = line.len() < room;
            room = room.saturating_sub(line.len() + 1);
            fits
        };
        let kept = lines.iter().rev().take(LINES).take_while(fits).count();
        Ok(lines[lines.len() - kept..].iter().map(|&line| line.to_owned()).collect())
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the files can't be read or written; the history is as it was then.
    pub fn add(&self, line: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let lock = self.directory.join("history.lock");
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        // Given back when it goes out of scope, and by the system when the process dies.
        lock.lock()?;
        let mut lines = self.load()?;
        if lines.last().is_some_and(|last| last == line) {
            return Ok(());
        }
        lines.push(line.to_owned());
        let file = self.file();
        let new = file.with_extension("new");
        let mut out = BufWriter::new(
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?,
        );
        for line in &lines {
            writeln!(out, "{line}")?;
        }
        out.into_inner()?.sync_all()?;
        fs::rename(new, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::log::entry::{Cost, LogEntry};
    use crate::app::log::{Log, LogPattern};
    use jiff::tz::TimeZone;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn history() -> (tempfile::TempDir, History) {
        let directory = tempfile::tempdir().unwrap();
        let history = History::in_directory(directory.path().join("a/b"));
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
        let mode = fs::metadata(history.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "what was entered is nobody else's business");
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
        assert!(size <= BYTES as u64 + 100, "{size}");
        let lines = history.load().unwrap();
        assert!(lines.len() > 9_000 && lines.len() <= LINES, "{}", lines.len());
        assert_eq!(lines.last().unwrap(), "get last");
    }

    #[test]
    fn what_can_not_be_kept_is_told_once_and_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        // A file where the directory should be: not even root can write there.
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let (sender, jobs) = std::sync::mpsc::channel();
        sender.send(FileJob::AppendHistory("one".to_owned())).unwrap();
        sender.send(FileJob::AppendHistory("two".to_owned())).unwrap();
        drop(sender);
        let told = std::cell::RefCell::new(Vec::new());
        run(Some(History::in_directory(file.join("x"))), &jobs, |msg| told.borrow_mut().push(msg));
        let told = told.into_inner();
        assert!(matches!(&told[..], [Event::FileFailed(_)]), "{told:?}");
        // A directory where the file should be.
        let history = History::in_directory(directory.path().join("d"));
        fs::create_dir_all(directory.path().join("d/history")).unwrap();
        assert!(history.load().is_err() && history.add("x").is_err());
    }

    #[test]
    fn what_is_told_of_a_saved_log_names_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").display().to_string();
        let (sender, jobs) = std::sync::mpsc::channel();
        for path in [&path, &path] {
            let log = Log::new(1 << 26, false).snapshot();
            sender.send(FileJob::SaveLog { path: path.clone(), log }).unwrap();
        }
        drop(sender);
        let told = std::cell::RefCell::new(Vec::new());
        run(None, &jobs, |msg| told.borrow_mut().push(msg));
        let reason = "there is such a file already".to_owned();
        let saved = Event::Saved { path: path.clone(), lines: 0 };
        assert_eq!(told.into_inner(), [saved, Event::NotSaved { path, reason }]);
        assert!(absolute(Path::new("x.log")).starts_with('/'));
    }

    #[test]
    fn a_saved_log_can_be_read_and_nothing_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = Log::new(1 << 26, false);
        log.push(LogEntry::new(0, Direction::Out, "get a"));
        let took = Duration::from_micros(1500);
        let cost = Cost { points: 1, bytes: 12, took };
        log.push(LogEntry::new(1, Direction::In, "ok").remark(Remark::Reply(cost)));
        log.push(LogEntry::new(2, Direction::In, "a 1.0 2"));
        assert_eq!(save(&path, &log.snapshot()).unwrap(), 3);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "1970-01-01T00:00:00.000Z → get a\n\
             1970-01-01T00:00:00.001Z ← ok\t1 points, 12 B, 1.5ms\n\
             1970-01-01T00:00:00.002Z ← a 1.0 2\n"
        );
        let error = save(&path, &log.snapshot()).unwrap_err();
        assert_eq!(why(&error), "there is such a file already");
        log.set_filter(LogPattern::new("get", &TimeZone::UTC), 5);
        let path = directory.path().join("filtered");
        assert_eq!(save(&path, &log.snapshot()).unwrap(), 1);
        assert!(save(&directory.path().join("no/such"), &log.snapshot()).is_err());
    }
}
