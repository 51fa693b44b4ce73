//! The files of the terminal UI: the history of all sessions, and saved logs. They have a thread of
//! their own, so that no key waits for a disk.

mod history_file;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf, is_separator};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;

pub use history_file::HistoryFile;

use crate::effect::FileJob;
use crate::event::Event;
use crate::system::os;
use crate::wire_log::entry::{Direction, Remark};
use crate::wire_log::store::Snapshot;

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
    let file = os::files::make_private_file(path)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::log::Log;
    use crate::wire_log::entry::{Cost, LogEntry};
    use crate::wire_log::pattern::LogPattern;
    use jiff::tz::TimeZone;
    use std::time::Duration;

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
