//! A session from text that may have come from anywhere.

use std::fmt;
use std::str::{FromStr, Split};
use std::time::Duration;

use memchr::memchr_iter;
use shared::point::parse_value;
use shared::{Key, Point};

use super::coverage::Coverage;
use super::fields::{self, MAX_TIME};
use super::{END, MAGIC, Recording, Session, VERSION, View, begins};
use crate::text::escape::{escape, escape_untrusted};
use crate::wire_log::entry::{Cost, Direction, LogEntry, Remark, Tone};
use crate::wire_log::store::{LineStore, Snapshot};

/// A longer file is no session: those that are written are a hundredth of it.
pub const MAX_FILE: u64 = 64 << 20;

/// Why a file can't be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionError {
    /// It begins otherwise, or is no text.
    NotASession,
    /// It is of another version.
    Version(String),
    /// It is longer than [`MAX_FILE`].
    TooLong,
    /// Its end is missing.
    Cut,
    /// A line can't be read: its number from 1 on, and what it should be.
    Damaged(usize, &'static str),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASession => write!(f, "no session: ctrl-s on the screen saves one"),
            Self::Version(version) => {
                write!(f, "a session of version {version}; this program reads version {VERSION}")
            }
            Self::TooLong => write!(f, "no session: longer than {} MiB", MAX_FILE >> 20),
            Self::Cut => write!(f, "the session is cut: its end is missing"),
            Self::Damaged(line, what) => {
                write!(f, "the session is damaged: line {line} is no {what}")
            }
        }
    }
}

impl std::error::Error for SessionError {}

/// What the lines of a section are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    View,
    Coverage,
    Points,
    Log,
    /// Of a later version.
    Unknown,
}

/// Reads a session.
///
/// # Errors
/// When the bytes are none, or not all of one.
pub fn parse(bytes: &[u8]) -> Result<Session, SessionError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(SessionError::TooLong);
    }
    let is_session = begins(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if is_session => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + memchr_iter(b'\n', before).count();
            return Err(SessionError::Damaged(line, "text"));
        }
        Err(_) => return Err(SessionError::NotASession),
    };
    let mut lines = (1..).zip(text.lines());
    let first = lines.next().and_then(|(_, line)| line.strip_prefix(MAGIC));
    let version = first.ok_or(SessionError::NotASession)?;
    if version != VERSION {
        let version = version.chars().take(20).collect::<String>();
        return Err(SessionError::Version(escape(&version).into_owned()));
    }
    let mut view = View::default();
    let mut coverage = None;
    let mut points = PointLines::default();
    let mut log = LogLines::default();
    let mut section = Section::Unknown;
    for (number, line) in lines {
        let damaged = |what| SessionError::Damaged(number, what);
        match line {
            END => {
                points.end_key();
                if let Some(coverage) = coverage {
                    points.recording.set_coverage(coverage);
                }
                let log = Snapshot { store: log.store, filter: None };
                return Ok(Session { view, recording: points.recording, log });
            }
            "[view]" => section = Section::View,
            "[coverage]" => section = Section::Coverage,
            "[points]" => section = Section::Points,
            "[log]" => section = Section::Log,
            _ if line.starts_with('[') => section = Section::Unknown,
            _ => match section {
                Section::View => take_view(&mut view, line).ok_or(damaged("line of a view"))?,
                Section::Coverage => {
                    take_coverage(&mut coverage, line).ok_or(damaged("line of a coverage"))?;
                }
                Section::Points => points.take(line).ok_or(damaged("line of points"))?,
                Section::Log => log.take(line).ok_or(damaged("line of a log"))?,
                Section::Unknown => {}
            },
        }
    }
    Err(SessionError::Cut)
}

/// Takes a line of the view: a name and a value. What is not known is of a later version.
fn take_view(view: &mut View, line: &str) -> Option<()> {
    /// Names of panes and the like, of which a later version may have more.
    const OPEN: [&str; 5] = ["axis", "log", "raw-log", "pane", "focus"];
    let (name, value) = line.split_once(' ').unwrap_or((line, ""));
    let Some(field) = fields::named(name).filter(|field| field.kept.is_in_session()) else {
        return Some(());
    };
    let taken = (field.take)(view, value);
    (taken.is_ok() || OPEN.contains(&name)).then_some(())
}

/// Takes a line of the coverage: its first one says where it begins.
fn take_coverage(coverage: &mut Option<Coverage>, line: &str) -> Option<()> {
    let (name, value) = line.split_once(' ')?;
    if name == "from" {
        *coverage = Some(Coverage::all_from(value.parse().ok()?));
        return Some(());
    }
    let coverage = coverage.as_mut()?;
    match name {
        "until" => coverage.until = value.parse().ok()?,
        "known" => {
            coverage.known.insert(value.parse().ok()?);
        }
        "whole" => {
            coverage.whole.insert(Key::new(value).ok()?.as_str().to_owned());
        }
        "since" => {
            let (since, key) = value.split_once(' ')?;
            let key = Key::new(key).ok()?.as_str().to_owned();
            coverage.since.insert(key, since.parse().ok()?);
        }
        _ => {}
    }
    Some(())
}

/// The points so far.
#[derive(Default)]
struct PointLines {
    recording: Recording,
    /// The key whose points are read.
    key: Option<String>,
    points: Vec<Point>,
    /// Seconds from a point to the next one.
    step: i128,
}

impl PointLines {
    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(key) = line.strip_prefix("key ") {
            self.end_key();
            self.key = Some(Key::new(key).ok()?.as_str().to_owned());
            self.step = 1;
            return Some(());
        }
        self.key.as_ref()?;
        for word in line.split(' ') {
            let last = self.points.last();
            let (before, value) = (last.map(|point| point.timestamp), last.map(|it| it.value));
            let text = match word.split_once('@') {
                None => {
                    before?;
                    word
                }
                Some((step, text)) => {
                    let step: i128 = step.parse().ok()?;
                    // The first time may be before 1970, the others rise.
                    self.step = before.is_none().then_some(step).or((step > 0).then_some(step))?;
                    text
                }
            };
            let time = i128::from(before.unwrap_or(0)).checked_add(self.step)?;
            let timestamp = i64::try_from(time).ok()?;
            let value = if text == "=" { value? } else { parse_value(text.as_bytes()).ok()? };
            self.points.push(Point { timestamp, value });
            if before.is_none() {
                self.step = 1;
            }
        }
        Some(())
    }

    fn end_key(&mut self) {
        let points = std::mem::take(&mut self.points);
        if let Some(key) = self.key.take()
            && let Ok(key) = Key::new(&key)
        {
            self.recording.add(key, points);
        }
    }
}

/// The lines of the log so far.
struct LogLines {
    store: LineStore,
    before_ms: i64,
}

impl Default for LogLines {
    fn default() -> Self {
        // The file is bounded.
        Self { store: LineStore::new(usize::MAX), before_ms: 0 }
    }
}

impl LogLines {
    fn take(&mut self, line: &str) -> Option<()> {
        let mut words = line.splitn(6, ' ');
        let since: i128 = words.next()?.parse().ok()?;
        let unix_ms = millis(i128::from(self.before_ms).checked_add(since)?)?;
        let (direction, tone) = match words.next()?.as_bytes() {
            &[direction, tone] => (self::direction(direction)?, self::tone(tone)?),
            _ => return None,
        };
        let exchange = optional(words.next()?, |id| id.parse().ok()).ok()?;
        let (times, until_ms) = optional(words.next()?, |repeated| {
            let (times, until) = repeated.split_once(':')?;
            let until = i128::from(unix_ms).checked_add(until.parse().ok()?)?;
            Some((times.parse().ok().filter(|&times| times > 0)?, millis(until)?))
        })
        .ok()?
        .unwrap_or((1, unix_ms));
        let remark = optional(words.next()?, remark).ok()?;
        // Blanks at the end of a line may be lost on the way.
        let text = escape_untrusted(words.next().unwrap_or_default().as_bytes());
        let entry = LogEntry::new(unix_ms, direction, &text).tone(tone);
        self.store.push(LogEntry { remark, times, until_ms, exchange, ..entry });
        self.before_ms = unix_ms;
        Some(())
    }
}

/// Unix milliseconds of a time that can be shown as a date.
fn millis(time: i128) -> Option<i64> {
    let is_shown = time.unsigned_abs() <= u128::from(MAX_TIME) * 1000;
    i64::try_from(time).ok().filter(|_| is_shown)
}

/// Nothing for `-`, else what is read, if it can be.
fn optional<T>(word: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Unreadable> {
    if word == "-" { Ok(None) } else { read(word).map(Some).ok_or(Unreadable) }
}

/// A word can't be read.
struct Unreadable;

fn direction(byte: u8) -> Option<Direction> {
    Some(match byte {
        b'>' => Direction::Out,
        b'<' => Direction::In,
        b'=' => Direction::Exchange,
        b'-' => Direction::Note,
        _ => return None,
    })
}

fn tone(byte: u8) -> Option<Tone> {
    Some(match byte {
        b'p' => Tone::Plain,
        b'q' => Tone::Quiet,
        b'g' => Tone::Good,
        b'b' => Tone::Bad,
        _ => return None,
    })
}

fn remark(word: &str) -> Option<Remark> {
    let mut parts = word.split(':');
    let remark = match parts.next()? {
        "request" => Remark::Request { bytes: next(&mut parts)?, filled: false },
        "filled" => Remark::Request { bytes: next(&mut parts)?, filled: true },
        "reply" => {
            let (points, bytes) = (next(&mut parts)?, next(&mut parts)?);
            let took = Duration::from_nanos(next(&mut parts)?);
            Remark::Reply(Cost { points, bytes, took })
        }
        _ => return None,
    };
    parts.next().is_none().then_some(remark)
}

fn next<T: FromStr>(parts: &mut Split<'_, char>) -> Option<T> {
    parts.next()?.parse().ok()
}
