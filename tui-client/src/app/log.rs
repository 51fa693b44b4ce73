//! The wire log: what went out and what came back, bounded in memory; which of it is on screen,
//! selected, searched for. What happened is kept as data, not as it is drawn.

mod exchange;
mod find;
mod pattern;
pub mod recorder;
mod store;

use std::time::Duration;

pub use find::{Bookmark, Progress};
pub use pattern::Pattern;
pub use store::Snapshot;

use find::{Filter, Search};
use store::Store;

/// Lines in a row that belong to others, behind which no more of an exchange is looked for.
const EXCHANGE_REACH: usize = 4096;

/// Lines in a row that may stand for polls.
const MAX_POLLS: u64 = 256;

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
    /// A request.
    Request {
        /// Its size on the wire.
        bytes: u64,
        /// The timestamp was filled in here.
        filled: bool,
    },
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Counted since the start; the log gives it.
    pub number: u64,
    /// When, in Unix milliseconds.
    pub unix_ms: i64,
    /// Which way.
    pub direction: Direction,
    /// The line, safe to show.
    pub text: &'a str,
    /// What is known besides.
    pub remark: Option<Remark>,
    /// How it should look.
    pub tone: Tone,
    /// How often the same request was repeated, when that is shown in one line.
    pub times: u32,
    /// When it was repeated last.
    pub until_ms: i64,
    /// The request that it belongs to: the same number as in its effect and its reply.
    pub exchange: Option<u64>,
}

impl<'a> Entry<'a> {
    /// A line without any remark.
    pub fn new(unix_ms: i64, direction: Direction, text: &'a str) -> Self {
        Self {
            number: 0,
            unix_ms,
            direction,
            text,
            remark: None,
            tone: Tone::Plain,
            times: 1,
            until_ms: unix_ms,
            exchange: None,
        }
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

    /// As a part of an exchange.
    #[must_use]
    pub fn exchange(mut self, id: u64) -> Self {
        self.exchange = Some(id);
        self
    }
}

/// The lines and which of them are on screen.
#[derive(Debug)]
pub struct Log {
    store: Store,
    /// The selected line; `None` is the newest.
    cursor: Option<u64>,
    /// The number of the last line on screen; `None` follows the newest.
    bottom: Option<u64>,
    /// How many of the last lines stand for polls and may take in their repetitions.
    polls: u64,
    /// Columns that lines are moved to the left.
    shift: usize,
    enlarged: bool,
    filter: Option<Filter>,
    search: Search,
    visited: u64,
}

/// Those lines that belong to an exchange, one after the other.
fn of_exchange<'a>(exchange: u64, lines: impl Iterator<Item = Entry<'a>>) -> Vec<&'a str> {
    let mut others = 0;
    let near = lines.take_while(|line| {
        others = if line.exchange == Some(exchange) { 0 } else { others + 1 };
        others < EXCHANGE_REACH
    });
    near.filter(|line| line.exchange == Some(exchange)).map(|line| line.text).collect()
}

impl Log {
    /// Nothing yet; takes at most `budget` bytes of memory, with a filter half as much again.
    pub fn new(budget: usize) -> Self {
        Self {
            store: Store::new(budget),
            cursor: None,
            bottom: None,
            polls: 0,
            shift: 0,
            enlarged: false,
            filter: None,
            search: Search::default(),
            visited: 0,
        }
    }

    /// Columns that lines are moved to the left, so that the end of long ones can be read.
    pub fn shift(&self) -> usize {
        self.shift
    }

    /// It takes the room of the other panes.
    pub fn is_enlarged(&self) -> bool {
        self.enlarged
    }

    /// Takes the room of the other panes, or gives it back.
    pub fn enlarge(&mut self, enlarged: bool) {
        self.enlarged = enlarged;
    }

    /// Shows so many more columns of the right or of the left of lines; of none on a screen of this
    /// many rows all that there is goes out of sight.
    pub fn shift_by(&mut self, columns: usize, right: bool, rows: usize) {
        if right {
            let longest = self.visible(rows).map(|line| line.text.chars().count()).max();
            let most = longest.unwrap_or(0).saturating_sub(columns).max(self.shift);
            self.shift = (self.shift + columns).min(most);
        } else {
            self.shift = self.shift.saturating_sub(columns);
        }
    }

    /// Appends a line and gives its number; the oldest make room.
    pub fn push(&mut self, entry: Entry<'_>) -> u64 {
        self.polls = 0;
        let number = self.store.end();
        self.store.push(entry);
        if let Some(filter) = &mut self.filter {
            self.visited += 1;
            if filter.pattern.matches(&entry) {
                filter.hits.push_back(number);
            }
            let first = self.store.first();
            while filter.hits.front().is_some_and(|&hit| hit < first) {
                filter.hits.pop_front();
            }
        }
        number
    }

    /// Puts a remark to a line, if it is still there.
    pub fn set_remark(&mut self, number: u64, remark: Remark) {
        self.store.set_remark(number, remark);
    }

    /// Appends the one line that stands for a poll and its reply. Repetitions of the same poll share
    /// the line, so that polling does not push everything else out of sight. It keeps the time of
    /// the first, so that times rise from line to line, and has the cost of the last.
    pub fn push_poll(&mut self, entry: Entry<'_>) {
        let end = self.store.end();
        let recent = self.store.range(end - self.polls.min(end - self.first())..end);
        let same = recent.rev().find(|recent| recent.text == entry.text);
        if let Some(number) = same.map(|same| same.number) {
            self.store.repeat(number, &entry);
            return self.filter_again(number);
        }
        let polls = self.polls;
        self.push(entry);
        self.polls = (polls + 1).min(MAX_POLLS);
    }

    /// A line has become one of another time, too.
    fn filter_again(&mut self, number: u64) {
        let (Some(filter), Some(entry)) = (&mut self.filter, self.store.get(number)) else {
            return;
        };
        // What is older will be looked at as it is by then.
        if number >= filter.from {
            match (filter.hits.binary_search(&number), filter.pattern.matches(&entry)) {
                (Err(place), true) => filter.hits.insert(place, number),
                (Ok(place), false) => drop(filter.hits.remove(place)),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
    }

    /// Lines kept.
    pub fn len(&self) -> u64 {
        self.end() - self.first()
    }

    /// No lines.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The oldest lines that were dropped to make room.
    pub fn dropped(&self) -> u64 {
        self.first()
    }

    /// Lines that the filter leaves; all when there is none.
    pub fn shown(&self) -> u64 {
        self.filter.as_ref().map_or(self.len(), |filter| filter.hits.len() as u64)
    }

    /// Bytes of memory for the lines.
    pub fn memory(&self) -> usize {
        self.store.memory()
    }

    /// Lines that searches and filters have looked at since the start.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// New lines come into view by themselves.
    pub fn follows(&self) -> bool {
        self.bottom.is_none()
    }

    /// Lines below the last one on screen.
    pub fn below(&self) -> u64 {
        self.bottom.map_or(0, |bottom| self.shown() - self.rank(bottom + 1))
    }

    /// The lines on a screen of this many rows.
    pub fn visible(&self, rows: usize) -> impl Iterator<Item = Entry<'_>> {
        let shown = self.shown();
        let rows = (rows as u64).min(shown);
        let end = self.bottom.map_or(shown, |bottom| self.rank(bottom + 1)).max(rows);
        (end - rows..end).filter_map(|rank| self.store.get(self.nth(rank)?))
    }

    /// The number of the selected line.
    pub fn selected(&self) -> Option<u64> {
        let newest = self.shown().checked_sub(1)?;
        let rank = self.cursor.map_or(newest, |cursor| self.rank(cursor).min(newest));
        self.nth(rank)
    }

    /// The selected line.
    pub fn selected_entry(&self) -> Option<Entry<'_>> {
        self.store.get(self.selected()?)
    }

    /// The selected request and its reply, one line each; the line alone when it belongs to none.
    pub fn exchange_text(&self) -> Option<String> {
        let selected = self.selected_entry()?;
        let Some(exchange) = selected.exchange else { return Some(selected.text.to_owned()) };
        let before = self.store.range(self.first()..selected.number).rev();
        let mut lines = of_exchange(exchange, before);
        lines.reverse();
        lines.extend(of_exchange(exchange, self.store.range(selected.number..self.end())));
        Some(lines.join("\n"))
    }

    /// The log as it is now, under its filter.
    pub fn snapshot(&self) -> Snapshot {
        let filter = self.filter().cloned();
        Snapshot { store: self.store.clone(), filter }
    }

    /// Moves what is on screen by lines, up when negative, on a screen of this many rows; the
    /// selection goes along.
    pub fn scroll(&mut self, lines: i64, rows: usize) {
        let Some(newest) = self.shown().checked_sub(1) else { return };
        let least = (rows as u64).saturating_sub(1).min(newest);
        let bottom = self.bottom.map_or(newest, |b| self.rank(b + 1).saturating_sub(1)).max(least);
        let moved = bottom.saturating_add_signed(lines).clamp(least, newest);
        if moved == newest && lines > 0 {
            return self.follow();
        }
        let cursor = self.cursor.map_or(newest, |cursor| self.rank(cursor));
        let cursor = cursor.saturating_add_signed(lines).clamp(moved - least.min(moved), moved);
        // A screen that shows everything has nowhere to go but the selection.
        (self.bottom, self.cursor) = (self.nth(moved), self.nth(cursor));
        if moved == newest && cursor == newest {
            self.follow();
        }
    }

    /// Moves the selection by lines; what is on screen goes along where it must.
    pub fn move_by(&mut self, lines: i64, rows: usize) {
        let Some(newest) = self.shown().checked_sub(1) else { return };
        let cursor = self.cursor.map_or(newest, |cursor| self.rank(cursor));
        let cursor = cursor.saturating_add_signed(lines).min(newest);
        if cursor == newest {
            return self.follow();
        }
        self.cursor = self.nth(cursor);
        self.reveal(rows);
    }

    /// To the newest line, to stay there.
    pub fn follow(&mut self) {
        (self.bottom, self.cursor) = (None, None);
    }

    /// Stays at the lines on screen, or follows again.
    pub fn toggle_follow(&mut self) {
        if self.follows() {
            let newest = self.shown().checked_sub(1).and_then(|rank| self.nth(rank));
            (self.bottom, self.cursor) = (newest, newest);
        } else {
            self.follow();
        }
    }

    /// Brings the selected line into view on a screen of this many rows.
    pub fn reveal(&mut self, rows: usize) {
        let (Some(cursor), Some(newest)) = (self.cursor, self.shown().checked_sub(1)) else {
            return;
        };
        let cursor = self.rank(cursor).min(newest);
        let rows = (rows as u64).max(1);
        let bottom = self.bottom.map_or(newest, |bottom| self.rank(bottom + 1).saturating_sub(1));
        let far = 2 * rows;
        let bottom = if cursor + far < bottom || cursor > bottom + far {
            // After a jump there is context on both sides.
            cursor + rows / 2
        } else {
            bottom.clamp(cursor, cursor + rows - 1)
        };
        self.bottom = self.nth(bottom.max(rows - 1).min(newest));
    }

    fn first(&self) -> u64 {
        self.store.first()
    }

    fn end(&self) -> u64 {
        self.store.end()
    }

    /// How many of the shown lines come before this one.
    fn rank(&self, number: u64) -> u64 {
        match &self.filter {
            None => number.clamp(self.first(), self.end()) - self.first(),
            Some(filter) => filter.hits.partition_point(|&hit| hit < number) as u64,
        }
    }

    /// The number of a shown line.
    fn nth(&self, rank: u64) -> Option<u64> {
        match &self.filter {
            None => Some(self.first() + rank).filter(|&number| number < self.end()),
            Some(filter) => filter.hits.get(usize::try_from(rank).ok()?).copied(),
        }
    }
}

#[cfg(test)]
mod tests;
