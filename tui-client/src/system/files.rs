//! The files of the terminal UI: the history of all sessions, and saved logs. They have a thread of
//! their own, so that no key waits for a disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf, is_separator};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;

use crate::app::input::prompt::history::{MAX_BYTES, MAX_LINES};
use crate::effect::FileJob;
use crate::event::Event;
use crate::system::os;
use crate::wire_log::entry::{Direction, Remark};
use crate::wire_log::store::Snapshot;

/// Bytes that are read from the end of a history file.
const MAX_READ: u64 = 2 * MAX_BYTES as u64;

/// Loads the history, then runs jobs until there are no more. `send` takes the events.
pub fn run(mut history: Option<HistoryFile>, jobs: &Receiver<FileJob>, send: impl Fn(Event)) {
    match history.as_ref().map_or(Ok(Vec::new()), HistoryFile::load) {
        Ok(lines) if lines.is_empty() => {}
        Ok(lines) => send(Event::History(lines)),
        Err(error) => {
            send(Event::FileFailed(format!("the history can't be read: {error}")));
            // An unreadable file is not overwritten.
            history = None;
        }
    }
    let mut failed = false;
    for job in jobs {
        match job {
            FileJob::AppendHistory(line) => {
                if let Some(Err(error)) = history.as_ref().map(|history| history.add(&line))
                    && !failed
                {
                    failed = true;
                    send(Event::FileFailed(format!("the history can't be kept: {error}")));
                }
            }
            FileJob::SaveLog { path, log } => {
                let file = expand_home(&path);
                send(match save(&file, &log) {
                    Ok(lines) => Event::Saved { path: absolute(&file), lines },
                    Err(error) => Event::NotSaved { path, reason: explain(&error) },
                });
            }
        }
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists => "there is such a file already".to_owned(),
        io::ErrorKind::NotFound => "there is no such directory".to_owned(),
        _ => error.to_string(),
    }
}

/// The path with `~/` replaced, as in a shell.
fn expand_home(path: &str) -> PathBuf {
    let rest = path.strip_prefix('~').and_then(|rest| rest.strip_prefix(is_separator));
    match (rest, os::files::home_directory()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

/// The path from the root on, to show.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).as_deref().unwrap_or(path).display().to_string()
}

/// Writes a log to a new file, a line for each entry: time, direction, text and, behind a tab, the
/// remark. Returns the number of lines.
fn save(path: &Path, log: &Snapshot) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    let file = os::files::private_file(options.write(true).create_new(true)).open(path)?;
    // A part of a log would pass for a whole one.
    write_log(file, log).inspect_err(|_| drop(fs::remove_file(path)))
}

fn write_log(file: File, log: &Snapshot) -> io::Result<u64> {
    let mut out = BufWriter::new(file);
    let mut lines = 0;
    for entry in log.entries() {
        lines += 1;
        let arrow = match entry.direction {
            Direction::Out => '→',
            Direction::In => '←',
            Direction::Note => '·',
        };
        write!(out, "{} {arrow} {}", format_time(entry.unix_ms), entry.text)?;
        match entry.remark {
            None => {}
            Some(Remark::Request { bytes, .. }) => write!(out, "\t{bytes} B")?,
            Some(Remark::Reply(cost)) => {
                write!(out, "\t{} points, {} B, {:?}", cost.points, cost.bytes, cost.took)?;
            }
        }
        if entry.times > 1 {
            write!(out, " ×{} until {}", entry.times, format_time(entry.until_ms))?;
        }
        writeln!(out)?;
    }
    out.into_inner()?.sync_all()?;
    Ok(lines)
}

fn format_time(unix_ms: i64) -> String {
    let time = Timestamp::from_millisecond(unix_ms);
    time.map_or_else(|_| unix_ms.to_string(), |time| format!("{time:.3}"))
}

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
    use crate::app::log::Log;
    use crate::wire_log::entry::{Cost, LogEntry};
    use crate::wire_log::pattern::LogPattern;
    use jiff::tz::TimeZone;
    use std::time::Duration;

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
        let events = std::cell::RefCell::new(Vec::new());
        run(Some(HistoryFile::in_directory(file.join("x"))), &jobs, |msg| {
            events.borrow_mut().push(msg);
        });
        let events = events.into_inner();
        assert!(matches!(&events[..], [Event::FileFailed(_)]), "{events:?}");
        // A directory where the file should be.
        let history = HistoryFile::in_directory(directory.path().join("d"));
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
        let events = std::cell::RefCell::new(Vec::new());
        run(None, &jobs, |msg| events.borrow_mut().push(msg));
        let reason = "there is such a file already".to_owned();
        let saved = Event::Saved { path: path.clone(), lines: 0 };
        assert_eq!(events.into_inner(), [saved, Event::NotSaved { path, reason }]);
        assert!(Path::new(&absolute(Path::new("x.log"))).is_absolute());
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
        assert_eq!(explain(&error), "there is such a file already");
        log.set_filter(LogPattern::new("get", &TimeZone::UTC), 5);
        let path = directory.path().join("filtered");
        assert_eq!(save(&path, &log.snapshot()).unwrap(), 1);
        assert!(save(&directory.path().join("no/such"), &log.snapshot()).is_err());
    }
}
