//! The pattern of a search or filter of the log: a part of a line, without regard to case if typed
//! in small letters. A leading `>` or `<` restricts it to lines sent or received, a leading `!`
//! negates the text. A time of day also matches the lines of that time; before a text, only those.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::find::find_ignoring_case;
use crate::wire_log::entry::{Direction, LogEntry};

/// A pattern of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPattern {
    typed: Box<str>,
    /// Only lines of this direction match.
    direction: Option<Direction>,
    /// The part of the text; an empty one matches every line of the direction.
    part: Box<str>,
    /// Lines with the part do not match.
    inverted: bool,
    /// Case is ignored.
    folded: bool,
    /// Lines of this time match, too.
    time: Option<TimeOfDay>,
    /// Only lines of this time match.
    within: Option<TimeOfDay>,
}

impl LogPattern {
    /// Parses a typed pattern, with times of day in a zone; none if it is still empty.
    pub fn new(typed: &str, zone: &TimeZone) -> Option<Self> {
        let directed = |arrows: [char; 2], direction| {
            let rest = typed.strip_prefix(arrows)?;
            Some((Some(direction), rest.strip_prefix(' ').unwrap_or(rest)))
        };
        let (direction, rest) = directed(['>', '→'], Direction::Out)
            .or_else(|| directed(['<', '←'], Direction::In))
            .unwrap_or((None, typed));
        let (inverted, part) = match rest.strip_prefix('!') {
            Some(part) => (true, part),
            None => (false, rest),
        };
        let timed = part.split_once(' ').and_then(|(time, text)| {
            Some((TimeOfDay::parse(time, zone)?, text.trim_start())).filter(|_| !text.is_empty())
        });
        let (within, part) = timed.map_or((None, part), |(time, text)| (Some(time), text));
        (direction.is_some() || !part.is_empty()).then(|| Self {
            typed: typed.into(),
            direction,
            part: part.into(),
            inverted,
            folded: !part.contains(char::is_uppercase),
            time: TimeOfDay::parse(part, zone).filter(|_| within.is_none()),
            within,
        })
    }

    /// The pattern as typed.
    pub fn text(&self) -> &str {
        &self.typed
    }

    /// The line matches.
    pub fn matches(&self, line: &LogEntry<'_>) -> bool {
        let is_of = |direction| [direction, Direction::Exchange].contains(&line.direction);
        if !self.direction.is_none_or(is_of) {
            return false;
        }
        let at = |time: &TimeOfDay| time.covers(line.unix_ms, line.until_ms);
        let found = || {
            self.within.as_ref().is_none_or(at)
                && (self.find(line.text, 0).is_some() || self.time.as_ref().is_some_and(at))
        };
        self.part.is_empty() || found() != self.inverted
    }

    /// The byte ranges of the matches in a line, to be marked.
    pub fn places<'a>(&'a self, line: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let place = self.find(line, from).filter(|_| !self.inverted)?;
            from = place.end;
            Some(place)
        })
    }

    /// The first match of the part at or after a byte.
    fn find(&self, line: &str, from: usize) -> Option<Range<usize>> {
        let rest = line.get(from..).filter(|_| !self.part.is_empty())?;
        if !self.folded {
            let at = from + rest.find(&*self.part)?;
            return Some(at..at + self.part.len());
        }
        let place = find_ignoring_case(rest, &self.part)?;
        Some(from + place.start..from + place.end)
    }
}

const DAY: i64 = 24 * 60 * 60;

/// A minute or a second of every day.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TimeOfDay {
    /// Seconds since midnight.
    seconds: Range<i64>,
    zone: TimeZone,
}

impl TimeOfDay {
    /// `12:30` or `12:30:05`.
    fn parse(text: &str, zone: &TimeZone) -> Option<Self> {
        let parts: Vec<i64> = text.split(':').map(two_digits).collect::<Option<_>>()?;
        let (hour, minute, second) = match parts[..] {
            [hour, minute] => (hour, minute, None),
            [hour, minute, second] => (hour, minute, Some(second)),
            _ => return None,
        };
        if hour > 23 || minute > 59 || second > Some(59) {
            return None;
        }
        let from = (hour * 60 + minute) * 60 + second.unwrap_or(0);
        let length = if second.is_some() { 1 } else { 60 };
        Some(Self { seconds: from..from + length, zone: zone.clone() })
    }

    /// The time of day is within a range of time.
    fn covers(&self, from_ms: i64, until_ms: i64) -> bool {
        let Ok(time) = Timestamp::from_millisecond(from_ms) else { return false };
        let offset = i64::from(self.zone.to_offset(time).seconds());
        let second = from_ms.div_euclid(1000);
        let first = (second + offset).rem_euclid(DAY);
        let last = first + (until_ms.div_euclid(1000) - second).max(0);
        // A range over midnight also covers times of the next day.
        let meets = |Range { start, end }: Range<i64>| first < end && last >= start;
        let Range { start, end } = self.seconds;
        meets(start..end) || meets(start + DAY..end + DAY)
    }
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_stand_for_both_kinds() {
        for (pattern, line, places) in [
            ("err", "Error: err", &[(0, 3), (7, 10)][..]),
            ("Err", "Error: err", &[(0, 3)]),
            ("ключ", "Ключ ключ x", &[(0, 8), (9, 17)]),
            ("x", "", &[]),
            ("aa", "aaa", &[(0, 2)]),
            ("long", "lon", &[]),
            ("é", "É", &[(0, 2)]),
        ] {
            let pattern = pattern_of(pattern).unwrap();
            let found: Vec<_> = pattern.places(line).map(|at| (at.start, at.end)).collect();
            assert_eq!(found, places, "{pattern:?} in {line}");
            assert_eq!(pattern.matches(&received(line)), !places.is_empty());
        }
        assert_eq!(pattern_of(""), None);
        assert_eq!(pattern_of("!"), None);
        let not = pattern_of("!ok").unwrap();
        assert!(not.matches(&received("error")) && !not.matches(&received("ok")));
        assert_eq!(not.places("ok").count(), 0);
    }

    #[test]
    fn a_direction_and_a_time_choose_lines() {
        // 04:31:05.250, two hours further east.
        let at = 1_150_864_265_250;
        let lines = [
            LogEntry::new(at, Direction::Out, "put a 1"),
            LogEntry::new(at + 1000, Direction::In, "ok"),
            LogEntry::new(at + 60_000, Direction::In, "put, they say"),
            LogEntry::new(at, Direction::Note, "put 06:32 > 1"),
            LogEntry::new(at + 120_000, Direction::Exchange, "get b ← done"),
        ];
        for (pattern, meant) in [
            (">", &[0, 4][..]),
            ("> ", &[0, 4]),
            ("→ PUT", &[]),
            ("→ put", &[0]),
            ("<", &[1, 2, 4]),
            ("< done", &[4]),
            ("→ get", &[4]),
            ("← put", &[2]),
            ("<!put", &[1, 4]),
            ("< !", &[1, 2, 4]),
            ("put", &[0, 2, 3]),
            (" > ", &[3]),
            ("06:31", &[0, 1, 3]),
            ("06:31:05", &[0, 3]),
            ("06:32", &[2, 3]),
            ("!06:31", &[2, 4]),
            ("<06:31", &[1]),
            ("04:31", &[]),
            ("06:31:60", &[]),
            ("6:31", &[]),
            ("06:31 put", &[0, 3]),
            ("> 06:31 put", &[0]),
            ("<06:32:05 they", &[2]),
            ("06:32 ok", &[]),
            ("!06:31 put", &[1, 2, 4]),
        ] {
            let pattern = LogPattern::new(pattern, &TimeZone::fixed(jiff::tz::offset(2))).unwrap();
            let found: Vec<_> = (0..5).filter(|&at| pattern.matches(&lines[at])).collect();
            assert_eq!(found, meant, "{pattern:?}");
        }
        let mut poll = LogEntry::new(at, Direction::In, "get *");
        poll.until_ms = at + 20 * 60 * 60 * 1000;
        for (time, met) in [("06:30", false), ("12:00", true), ("02:31:05", true), ("03:00", false)]
        {
            let pattern = LogPattern::new(time, &TimeZone::fixed(jiff::tz::offset(2))).unwrap();
            assert_eq!(pattern.matches(&poll), met, "{time} in a repeated poll");
        }
        assert_eq!(pattern_of(">").unwrap().places("put").count(), 0, "nothing to mark");
    }

    fn pattern_of(typed: &str) -> Option<LogPattern> {
        LogPattern::new(typed, &TimeZone::UTC)
    }

    fn received(text: &str) -> LogEntry<'_> {
        LogEntry::new(0, Direction::In, text)
    }
}
