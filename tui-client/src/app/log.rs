//! The wire log: what went out and what came back, bounded in memory.

use std::collections::VecDeque;
use std::mem::size_of;
use std::time::Duration;

/// Memory for the log, in bytes.
const BUDGET: usize = 8 * 1024 * 1024;

/// Which way a line went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Out,
    /// From the server.
    In,
    /// Neither: what the client has to say.
    Note,
}

/// What the reader should feel about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Less important than the rest.
    Quiet,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
}

/// What is known of a line besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The timestamp was filled in here.
    TimeFilledIn,
    /// The reply that begins with this line.
    Reply(Cost),
}

/// What a reply cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Points in it.
    pub points: u64,
    /// Its size.
    pub bytes: u64,
    /// From the request to its end.
    pub took: Duration,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, in Unix milliseconds.
    pub unix_ms: i64,
    /// Which way.
    pub direction: Direction,
    /// The line, safe to show.
    pub text: Box<str>,
    /// What is known besides.
    pub remark: Option<Remark>,
    /// How it should look.
    pub tone: Tone,
    /// How often the same request was repeated, when that is shown in one line.
    pub times: u32,
}

impl Entry {
    /// A line without any remark.
    pub fn new(unix_ms: i64, direction: Direction, text: impl Into<Box<str>>) -> Self {
        Self { unix_ms, direction, text: text.into(), remark: None, tone: Tone::Plain, times: 1 }
    }

    /// With another tone.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// With a remark.
    #[must_use]
    pub fn remark(mut self, remark: Remark) -> Self {
        self.remark = Some(remark);
        self
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

/// The lines and which of them are on screen.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// The number of the first entry, counted since the start.
    first: u64,
    memory: usize,
    /// The number of the last line on screen; `None` follows the newest.
    bottom: Option<u64>,
    /// How many of the last entries stand for polls and may take in their repetitions.
    polls: usize,
}

impl Log {
    /// Appends a line; the oldest make room.
    pub fn push(&mut self, entry: Entry) {
        self.polls = 0;
        self.memory += entry.memory();
        self.entries.push_back(entry);
        while self.memory > BUDGET
            && let Some(gone) = self.entries.pop_front()
        {
            self.memory -= gone.memory();
            self.first += 1;
        }
    }

    /// Appends the one line that stands for a poll and its good reply. Repetitions of the same
    /// poll share the line, so that polling does not push everything else out of sight.
    pub fn push_poll(&mut self, mut entry: Entry) {
        let polls = self.polls.min(self.entries.len());
        let mut recent = self.entries.iter_mut().rev().take(polls);
        if let Some(same) = recent.find(|recent| recent.text == entry.text) {
            entry.times = same.times.saturating_add(1);
            *same = entry;
            return;
        }
        self.push(entry);
        self.polls = polls + 1;
    }

    /// Lines kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No lines.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// New lines come into view by themselves.
    pub fn follows(&self) -> bool {
        self.bottom.is_none()
    }

    /// Lines below the last one on screen.
    pub fn below(&self) -> u64 {
        self.bottom.map_or(0, |bottom| self.end().saturating_sub(bottom + 1))
    }

    /// The lines on a screen of this many rows.
    pub fn visible(&self, rows: usize) -> impl Iterator<Item = &Entry> {
        let end = self.bottom.map_or(self.end(), |bottom| bottom + 1);
        let end = usize::try_from(end.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let end = end.max(rows).min(self.entries.len());
        self.entries.range(end.saturating_sub(rows)..end)
    }

    /// Moves by lines, up when negative, on a screen of this many rows.
    pub fn scroll(&mut self, lines: i64, rows: usize) {
        let newest = self.end().saturating_sub(1);
        let least = (self.first + rows as u64).saturating_sub(1).min(newest);
        let bottom =
            self.bottom.unwrap_or(newest).max(least).saturating_add_signed(lines).max(least);
        self.bottom = (bottom < newest).then_some(bottom);
    }

    /// To the oldest line.
    pub fn to_top(&mut self, rows: usize) {
        self.scroll(i64::MIN, rows);
    }

    /// To the newest line, to stay there.
    pub fn follow(&mut self) {
        self.bottom = None;
    }

    /// Stays at the lines on screen, or follows again.
    pub fn toggle_follow(&mut self) {
        self.bottom = match self.bottom {
            None => self.end().checked_sub(1),
            Some(_) => None,
        };
    }

    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: std::ops::Range<u64>) -> Log {
        let mut log = Log::default();
        for line in lines {
            log.push(Entry::new(0, Direction::In, line.to_string()));
        }
        log
    }

    fn shown(log: &Log, rows: usize) -> Vec<&str> {
        log.visible(rows).map(|entry| &*entry.text).collect()
    }

    #[test]
    fn scrolling_stops_at_both_ends_and_follows_at_the_newest() {
        let mut log = log(0..10);
        assert_eq!(shown(&log, 3), ["7", "8", "9"]);
        log.scroll(-2, 3);
        assert_eq!(shown(&log, 3), ["5", "6", "7"]);
        assert_eq!(log.below(), 2);
        log.push(Entry::new(0, Direction::In, "10"));
        assert_eq!(shown(&log, 3), ["5", "6", "7"], "reading is not disturbed");
        log.to_top(3);
        assert_eq!(shown(&log, 3), ["0", "1", "2"]);
        log.scroll(1, 3);
        assert_eq!(shown(&log, 3), ["1", "2", "3"]);
        log.scroll(100, 3);
        assert!(log.follows());
        log.toggle_follow();
        log.push(Entry::new(0, Direction::In, "11"));
        assert_eq!(shown(&log, 3), ["8", "9", "10"]);
    }

    #[test]
    fn memory_is_bounded_and_the_place_survives() {
        let mut log = log(0..200_000);
        assert!(log.memory <= BUDGET, "{}", log.memory);
        log.scroll(-10, 5);
        let before: Vec<_> = shown(&log, 5).into_iter().map(str::to_owned).collect();
        for _ in 0..1000 {
            log.push(Entry::new(0, Direction::In, "more"));
        }
        assert_eq!(shown(&log, 5), before);
    }

    #[test]
    fn repeated_polls_share_a_line() {
        let mut log = log(0..1);
        let poll = || Entry::new(0, Direction::In, "get *");
        log.push_poll(poll());
        log.push_poll(Entry::new(0, Direction::In, "get a"));
        log.push_poll(poll());
        assert_eq!((log.len(), log.entries[1].times), (3, 2));
        log.push(Entry::new(0, Direction::Out, "put a 1 1"));
        log.push_poll(poll());
        assert_eq!((log.len(), log.entries[4].times), (5, 1));
    }
}
