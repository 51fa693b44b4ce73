//! The files of the terminal UI: the history of all sessions, and saved logs. Each has a thread of its
//! own, so that no key waits for a disk, and no log for a history.

mod history_file;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf, is_separator};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::{JoinHandle, spawn_blocking};

pub use history_file::HistoryFile;

use crate::effect::FileJob;
use crate::event::{Event, FILE_EXISTS};
use crate::session::view_file::ViewFile;
use crate::session::{self, LeftOut, MAX_FILE, Session, SessionError, SessionFile};
use crate::settings;
use crate::system::os;
use crate::text::escape::escape_untrusted;
use crate::wire_log::entry::{Direction, Remark};
use crate::wire_log::store::Snapshot;

/// Jobs that may wait for a thread.
const MAX_QUEUED_JOBS: usize = 64;

/// The queues of the threads, which end when this is dropped.
pub struct FileQueues {
    history: SyncSender<String>,
    saves: SyncSender<FileJob>,
    /// A line found the queue of the history full.
    lost: AtomicBool,
}

impl FileQueues {
    /// Starts the threads; the other half is to be waited for at the end. `send` takes the events.
    pub fn start(
        history: Option<HistoryFile>,
        send: impl Fn(Event) + Clone + Send + 'static,
    ) -> (Self, FileTasks) {
        let (lines, line_queue) = mpsc::sync_channel(MAX_QUEUED_JOBS);
        let (saves, save_queue) = mpsc::sync_channel(MAX_QUEUED_JOBS);
        let send_too = send.clone();
        let tasks = [
            spawn_blocking(move || keep_history(history.as_ref(), &line_queue, send)),
            spawn_blocking(move || save_files(save_queue, send_too)),
        ];
        (Self { history: lines, saves, lost: AtomicBool::new(false) }, FileTasks(tasks))
    }

    /// Hands a job over without waiting. Returns the event of one that can't be: a disk that hangs
    /// costs lines of the history, which is reported once.
    pub fn push(&self, job: FileJob) -> Option<Event> {
        match job {
            FileJob::AppendHistory(line) => match self.history.try_send(line) {
                Err(TrySendError::Full(_)) if !self.lost.swap(true, Ordering::Relaxed) => {
                    Some(not_kept("the disk is busy"))
                }
                _ => None,
            },
            job => match self.saves.try_send(job) {
                Err(TrySendError::Full(job)) => not_saved(job, "the disk is busy".to_owned()),
                _ => None,
            },
        }
    }
}

/// The threads.
pub struct FileTasks([JoinHandle<()>; 2]);

impl FileTasks {
    /// Waits until all jobs are done, after the queues are dropped.
    pub async fn finish(self) {
        for task in self.0 {
            // A panic has reported itself.
            let _ = task.await;
        }
    }
}

fn not_kept(reason: &str) -> Event {
    Event::FileFailed(format!("the history can't be kept: {reason}"))
}

/// Loads the history, then adds lines until there are no more. What is not kept is reported once.
fn keep_history(history: Option<&HistoryFile>, lines: &Receiver<String>, send: impl Fn(Event)) {
    let Some(history) = history else {
        return send(not_kept("there is no home directory"));
    };
    match history.load() {
        Ok(lines) if lines.is_empty() => {}
        Ok(lines) => send(Event::History(lines)),
        // What can't be read is not written either.
        Err(error) => return send(not_kept(&error.to_string())),
    }
    let mut failed = false;
    for line in lines {
        if let Err(error) = history.add(&line)
            && !failed
        {
            failed = true;
            send(not_kept(&error.to_string()));
        }
    }
}

fn save_files(jobs: Receiver<FileJob>, send: impl Fn(Event)) {
    for job in jobs {
        let saved = match &job {
            FileJob::AppendHistory(_) => continue,
            FileJob::SaveLog { path, log } => {
                let file = expand_home(path);
                let path = absolute(&file);
                save(&file, |out| write_log(out, log)).map(|lines| Event::Saved { path, lines })
            }
            FileJob::SavePicture { path, svg } => {
                let file = expand_home(path);
                let path = absolute(&file);
                let saved = save(&file, |out| out.write_all(svg.as_bytes()));
                saved.map(|()| Event::PictureSaved { path })
            }
            FileJob::SaveView { path, text, replaces } => {
                let file = expand_home(path);
                let (absolute, typed) = (absolute(&file), path.clone());
                let write = if *replaces { replace } else { make };
                match write(&file, text) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !replaces => {
                        Ok(Event::ViewExists { path: path.clone() })
                    }
                    saved => saved.map(|()| Event::ViewSaved { path: absolute, typed }),
                }
            }
            FileJob::SaveSession { path, session, left_out } => {
                save_session(path, session, *left_out)
            }
        };
        match saved {
            Ok(event) => send(event),
            Err(error) => not_saved(job, explain(&error)).into_iter().for_each(&send),
        }
    }
}

/// Writes a session; returns what is told of it.
fn save_session(path: &str, session: &Session, left_out: LeftOut) -> io::Result<Event> {
    let file = expand_home(path);
    let path = absolute(&file);
    let lines = save(&file, |out| session::write(out, session))?;
    let bytes = fs::metadata(&file)?.len();
    let (keys, points) = (session.recording.len() as u64, session.recording.points() as u64);
    let file = SessionFile { path, keys, points, lines, bytes, left_out };
    Ok(Event::SessionSaved(Box::new(file)))
}

/// Reads a session from a file.
///
/// # Errors
/// A sentence with the path.
pub fn read_session(path: &Path) -> Result<Session, String> {
    let bytes = read(path, MAX_FILE)?;
    session::parse(&bytes).map_err(|why| {
        let path = shown(path);
        if why == SessionError::NotASession && is_view(&bytes) {
            return format!("{path}: no session, but a view: tui-client --view {path} opens it");
        }
        format!("{path}: {why}")
    })
}

/// Reads a view file; its times are those of a zone, now is a Unix time.
///
/// # Errors
/// A sentence with the path, and the place of a mistake in the file.
pub fn read_view(path: &Path, now: i64, zone: &TimeZone) -> Result<ViewFile, String> {
    let bytes = read(path, settings::MAX_FILE)?;
    if session::begins(&bytes) {
        let path = shown(path);
        return Err(format!("{path}: no view, but a session: tui-client --replay {path} shows it"));
    }
    let text = settings_text(path, bytes)?;
    let file = ViewFile::parse(&path.to_string_lossy(), &text, now, zone);
    let directory = path.parent().unwrap_or(Path::new(""));
    file.map(|file| file.beside(directory)).map_err(|why| why.to_string())
}

/// The bytes are a view file with something in it, as far as that is known without what options say.
fn is_view(bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).unwrap_or_default();
    let view = ViewFile::parse("", text, 0, &TimeZone::UTC);
    view.is_ok_and(|_| !text.trim().is_empty())
}

/// Reads a file of settings.
///
/// # Errors
/// A sentence with the path.
pub fn read_settings(path: &Path) -> Result<String, String> {
    settings_text(path, read(path, settings::MAX_FILE)?)
}

fn settings_text(path: &Path, bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > settings::MAX_FILE {
        return Err(format!("{}: longer than {} MiB", shown(path), settings::MAX_FILE >> 20));
    }
    String::from_utf8(bytes).map_err(|_| format!("{}: this is no text in UTF-8", shown(path)))
}

/// The first bytes of a file, one more than `most` of a longer one.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{}: there is no such file", shown(path)))
        }
        Err(error) => Err(format!("{}: {error}", shown(path))),
    }
}

fn shown(path: &Path) -> Box<str> {
    escape_untrusted(path.to_string_lossy().as_bytes())
}

/// What is told of a job that has failed.
fn not_saved(job: FileJob, reason: String) -> Option<Event> {
    match job {
        FileJob::AppendHistory(_) => None,
        FileJob::SaveLog { path, .. } => Some(Event::NotSaved { path, reason }),
        FileJob::SavePicture { path, .. } => Some(Event::PictureNotSaved { path, reason }),
        FileJob::SaveView { path, .. } => Some(Event::ViewNotSaved { path, reason }),
        FileJob::SaveSession { path, .. } => Some(Event::SessionNotSaved { path, reason }),
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists => FILE_EXISTS.to_owned(),
        io::ErrorKind::NotFound => "there is no such directory".to_owned(),
        _ => error.to_string(),
    }
}

/// The path with `~/` replaced, as in a shell.
pub fn expand_home(path: &str) -> PathBuf {
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

/// Makes a new file with a text.
fn make(path: &Path, text: &str) -> io::Result<()> {
    save(path, |out| out.write_all(text.as_bytes()))
}

/// Puts a text in place of that of a file, whole or not at all; its mode stays.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    make(&new, text)?;
    let replaced = fs::set_permissions(&new, permissions).and_then(|()| fs::rename(&new, &path));
    replaced.inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Makes a new file and has it written. Returns what `write` does.
fn save<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let mut out = BufWriter::new(os::files::make_private_file(path)?);
    let written = write(&mut out).and_then(|written| {
        out.into_inner()?.sync_all()?;
        Ok(written)
    });
    // A part of a file would pass for a whole one.
    written.inspect_err(|_| drop(fs::remove_file(path)))
}

/// Writes a log, a line for each entry: time, direction, text and, behind a tab, the remark. Returns
/// the number of lines.
fn write_log(out: &mut impl Write, log: &Snapshot) -> io::Result<u64> {
    let mut lines = 0;
    for entry in log.entries() {
        lines += 1;
        let arrow = match entry.direction {
            Direction::Out | Direction::Exchange => '→',
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
    use std::sync::Arc;
    use std::time::Duration;

    /// The events of these jobs, all done.
    async fn events(history: Option<HistoryFile>, jobs: Vec<FileJob>) -> Vec<Event> {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let (queues, tasks) = FileQueues::start(history, move |event| sender.send(event).unwrap());
        assert!(jobs.into_iter().all(|job| queues.push(job).is_none()));
        drop(queues);
        tasks.finish().await;
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            events.push(event);
        }
        events
    }

    fn two_lines() -> Vec<FileJob> {
        ["one", "two"].map(|line| FileJob::AppendHistory(line.to_owned())).into()
    }

    fn save_to(path: &str) -> FileJob {
        FileJob::SaveLog { path: path.to_owned(), log: Log::new(1 << 26, false).snapshot() }
    }

    fn is_reported_once(events: &[Event], reason: &str) {
        let [Event::FileFailed(told)] = events else { panic!("{events:?}") };
        assert!(told.starts_with("the history can't be kept: "), "{told}");
        assert!(told.contains(reason), "{told}");
    }

    #[tokio::test]
    async fn a_view_goes_in_place_of_another_only_where_that_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("three.toml");
        fs::write(&path, "old").unwrap();
        let typed = path.to_str().unwrap().to_owned();
        let job =
            |replaces| FileJob::SaveView { path: typed.clone(), text: "new".to_owned(), replaces };
        assert_eq!(
            events_of_saves(vec![job(false)]).await,
            [Event::ViewExists { path: typed.clone() }]
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let saved = Event::ViewSaved { path: typed.clone(), typed: typed.clone() };
        assert_eq!(events_of_saves(vec![job(true)]).await, [saved]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }

    /// The events of these jobs besides that of the history, which has no place.
    async fn events_of_saves(jobs: Vec<FileJob>) -> Vec<Event> {
        let mut events = events(None, jobs).await;
        events.retain(|event| !matches!(event, Event::FileFailed(_)));
        events
    }

    #[test]
    fn a_file_of_another_kind_names_the_option_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let view = write("three.toml", "watch = \"palm.*\"\n");
        let session = write("x.session", "tui-client session 1\n[end]\n");
        let why = read_session(&view).unwrap_err();
        assert!(why.ends_with(&format!("tui-client --view {} opens it", view.display())), "{why}");
        let why = read_view(&session, 0, &TimeZone::UTC).unwrap_err();
        let hint = format!("tui-client --replay {} shows it", session.display());
        assert!(why.ends_with(&hint), "{why}");
        for other in ["", "no = session\n", "hello"] {
            let why = read_session(&write("other", other)).unwrap_err();
            assert!(why.ends_with("no session: ctrl-s on the screen saves one"), "{why}");
        }
    }

    #[tokio::test]
    async fn what_can_not_be_kept_is_reported_once() {
        is_reported_once(&events(None, two_lines()).await, "there is no home directory");
        let directory = tempfile::tempdir().unwrap();
        // A file where the directory should be: not even root can write there.
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let history = HistoryFile::in_directory(file.join("x"));
        is_reported_once(&events(Some(history), two_lines()).await, "file");
        // A directory where the file should be.
        let history = HistoryFile::in_directory(directory.path().join("d"));
        fs::create_dir_all(directory.path().join("d/history")).unwrap();
        assert!(history.load().is_err() && history.add("x").is_err());
        is_reported_once(&events(Some(history), two_lines()).await, "history: no regular file");
        // And where the lock should be.
        let history = HistoryFile::in_directory(directory.path().join("e"));
        fs::create_dir_all(directory.path().join("e/history.lock")).unwrap();
        is_reported_once(&events(Some(history), two_lines()).await, "history.lock: ");
    }

    #[tokio::test]
    async fn a_log_is_saved_while_the_history_is_locked() {
        let directory = tempfile::tempdir().unwrap();
        let history = HistoryFile::in_directory(directory.path().to_owned());
        history.add("zero").unwrap();
        let lock = File::open(directory.path().join("history.lock")).unwrap();
        lock.lock().unwrap();
        let path = directory.path().join("log").display().to_string();
        let mut jobs = two_lines();
        jobs.push(save_to(&path));
        let mut events = events(Some(history.clone()), jobs).await;
        let saved =
            events.iter().position(|event| *event == Event::Saved { path: path.clone(), lines: 0 });
        events.remove(saved.unwrap());
        assert_eq!(events.remove(0), Event::History(vec!["zero".to_owned()]));
        is_reported_once(&events, "another program has locked it");
        drop(lock);
        history.add("three").unwrap();
        assert_eq!(history.load().unwrap(), ["zero", "three"]);
    }

    #[tokio::test]
    async fn lines_that_find_no_room_are_reported_once() {
        let directory = tempfile::tempdir().unwrap();
        let history = HistoryFile::in_directory(directory.path().to_owned());
        history.add("zero").unwrap();
        let lock = File::open(directory.path().join("history.lock")).unwrap();
        lock.lock().unwrap();
        let (queues, tasks) = FileQueues::start(Some(history), |_| {});
        let line = |n| FileJob::AppendHistory(format!("{n}"));
        let events: Vec<_> =
            (0..10 * MAX_QUEUED_JOBS).filter_map(|n| queues.push(line(n))).collect();
        is_reported_once(&events, "the disk is busy");
        drop(lock);
        drop(queues);
        tasks.finish().await;
    }

    #[tokio::test]
    async fn what_is_told_of_a_saved_log_names_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").display().to_string();
        let history = HistoryFile::in_directory(directory.path().to_owned());
        let events = events(Some(history), vec![save_to(&path), save_to(&path)]).await;
        let reason = "there is such a file already".to_owned();
        let saved = Event::Saved { path: path.clone(), lines: 0 };
        assert_eq!(events, [saved, Event::NotSaved { path, reason }]);
        assert!(Path::new(&absolute(Path::new("x.log"))).is_absolute());
    }

    #[tokio::test]
    async fn a_picture_is_saved_and_writes_over_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.svg").display().to_string();
        let picture = |svg: &str| FileJob::SavePicture { path: path.clone(), svg: svg.to_owned() };
        let history = HistoryFile::in_directory(directory.path().to_owned());
        let events = events(Some(history), vec![picture("<svg/>"), picture("other")]).await;
        let reason = "there is such a file already".to_owned();
        let not_saved = Event::PictureNotSaved { path: path.clone(), reason };
        assert_eq!(events, [Event::PictureSaved { path: path.clone() }, not_saved]);
        assert_eq!(fs::read_to_string(path).unwrap(), "<svg/>");
    }

    #[tokio::test]
    async fn a_session_is_saved_writes_over_nothing_and_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.session").display().to_string();
        let mut recording = session::Recording::default();
        let point = shared::Point { timestamp: 7, value: 1.5 };
        recording.add(shared::Key::new("a").unwrap(), [point]);
        let mut log = Log::new(1 << 26, false);
        log.push(LogEntry::new(0, Direction::Out, "get a"));
        let session = Session { view: session::View::default(), recording, log: log.snapshot() };
        let job = || FileJob::SaveSession {
            path: path.clone(),
            session: Arc::new(session.clone()),
            left_out: LeftOut { keys: 3, points_of: 4, around_place: false },
        };
        let history = HistoryFile::in_directory(directory.path().to_owned());
        let events = events(Some(history), vec![job(), job()]).await;
        let bytes = fs::metadata(&path).unwrap().len();
        let reason = "there is such a file already".to_owned();
        let (keys, points, lines) = (1, 1, 1);
        let left_out = LeftOut { keys: 3, points_of: 4, around_place: false };
        let file = SessionFile { path: path.clone(), keys, points, lines, bytes, left_out };
        let saved = Event::SessionSaved(Box::new(file));
        assert_eq!(events, [saved, Event::SessionNotSaved { path: path.clone(), reason }]);
        assert_eq!(read_session(Path::new(&path)).unwrap().recording, session.recording);
    }

    #[test]
    fn a_file_that_can_not_be_shown_is_told_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x\u{200b}");
        let told = || read_session(&path).unwrap_err();
        assert!(told().ends_with("x\\u{200b}: there is no such file"), "{}", told());
        fs::write(&path, "x").unwrap();
        assert!(told().ends_with(": no session: ctrl-s on the screen saves one"), "{}", told());
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert!(told().ends_with(": no session: longer than 64 MiB"), "{}", told());
        assert!(read_session(directory.path()).is_err());
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
        assert_eq!(save(&path, |out| write_log(out, &log.snapshot())).unwrap(), 3);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "1970-01-01T00:00:00.000Z → get a\n\
             1970-01-01T00:00:00.001Z ← ok\t1 points, 12 B, 1.5ms\n\
             1970-01-01T00:00:00.002Z ← a 1.0 2\n"
        );
        let error = save(&path, |out| write_log(out, &log.snapshot())).unwrap_err();
        assert_eq!(explain(&error), "there is such a file already");
        log.set_filter(LogPattern::new("get", &TimeZone::UTC), 5);
        let path = directory.path().join("filtered");
        assert_eq!(save(&path, |out| write_log(out, &log.snapshot())).unwrap(), 1);
        assert!(
            save(&directory.path().join("no/such"), |out| write_log(out, &log.snapshot())).is_err()
        );
    }
}
