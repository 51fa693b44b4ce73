//! The lines of the log in little memory: the text of many lines in one string, sixteen bytes more
//! for each line, rare details in a separate list. Old lines are dropped by the chunk.

use std::collections::VecDeque;
use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

use crate::wire_log::entry::{Direction, LogEntry, Remark, Tone};
use crate::wire_log::pattern::LogPattern;

/// Bytes of text and number of lines that fill a chunk.
const MAX_CHUNK_TEXT: usize = 64 * 1024;
const MAX_CHUNK_LINES: usize = 4096;

/// Longer lines, which an untrusted server may send, are cut.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024;

/// The value of [`StoredLine::exchange`] for a line without exchange.
const NO_EXCHANGE: i32 = i32::MIN;

/// Consecutive lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chunk {
    /// The number of the first line.
    first: u64,
    base_ms: i64,
    base_exchange: u64,
    text: String,
    lines: Vec<StoredLine>,
    /// Details, in the order of the lines.
    extras: Vec<Extra>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredLine {
    /// The end of the line in the text of the chunk.
    end: u32,
    /// Milliseconds after the first line of the chunk.
    after_ms: u32,
    /// The difference to the first exchange of the chunk, or [`NO_EXCHANGE`].
    exchange: i32,
    direction: Direction,
    tone: Tone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Extra {
    line: u32,
    remark: Option<Remark>,
    times: u32,
    /// Milliseconds from the first repetition to the last.
    until_ms: i64,
}

impl Chunk {
    fn new(first: u64, entry: &LogEntry<'_>) -> Self {
        let base_exchange = entry.exchange.unwrap_or(0);
        Self { first, base_ms: entry.unix_ms, base_exchange, ..Self::default() }
    }

    fn memory(&self) -> usize {
        size_of::<Self>()
            + self.text.capacity()
            + self.lines.capacity() * size_of::<StoredLine>()
            + self.extras.capacity() * size_of::<Extra>()
    }

    fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The line in the form of this chunk, unless it needs a new one.
    fn line(&self, entry: &LogEntry<'_>) -> Option<StoredLine> {
        let end = self.text.len() + entry.text.len();
        let full =
            self.lines.len() >= MAX_CHUNK_LINES || (end > MAX_CHUNK_TEXT && !self.lines.is_empty());
        let exchange = match entry.exchange {
            None => NO_EXCHANGE,
            Some(_) if self.base_exchange == 0 => 0,
            Some(id) => {
                i32::try_from(id.cast_signed().wrapping_sub(self.base_exchange.cast_signed()))
                    .ok()
                    .filter(|&from| from != NO_EXCHANGE)?
            }
        };
        (!full).then_some(StoredLine {
            end: u32::try_from(end).ok()?,
            after_ms: u32::try_from(entry.unix_ms - self.base_ms).ok()?,
            exchange,
            direction: entry.direction,
            tone: entry.tone,
        })
    }

    fn push(&mut self, line: StoredLine, entry: &LogEntry<'_>) {
        if self.base_exchange == 0 {
            self.base_exchange = entry.exchange.unwrap_or(0);
        }
        if entry.remark.is_some() || entry.times > 1 {
            let at = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
            let (remark, times) = (entry.remark, entry.times);
            let until_ms = entry.until_ms - entry.unix_ms;
            self.extras.push(Extra { line: at, remark, times, until_ms });
        }
        self.text.push_str(entry.text);
        self.lines.push(line);
    }

    fn get(&self, number: u64) -> Option<LogEntry<'_>> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let line = self.lines.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.lines[before].end);
        let extra = self.extras.binary_search_by_key(&at, |extra| extra.line as usize);
        let extra = extra.ok().map(|place| &self.extras[place]);
        let unix_ms = self.base_ms + i64::from(line.after_ms);
        Some(LogEntry {
            number,
            unix_ms,
            direction: line.direction,
            text: self.text.get(start as usize..line.end as usize)?,
            remark: extra.and_then(|extra| extra.remark),
            tone: line.tone,
            times: extra.map_or(1, |extra| extra.times),
            until_ms: unix_ms + extra.map_or(0, |extra| extra.until_ms),
            exchange: (line.exchange != NO_EXCHANGE)
                .then(|| self.base_exchange.wrapping_add_signed(line.exchange.into())),
        })
    }
}

/// The lines of the log, numbered since the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LineStore {
    chunks: VecDeque<Arc<Chunk>>,
    end: u64,
    memory: usize,
    budget: usize,
}

impl LineStore {
    /// A store without lines that takes at most `budget` bytes of memory.
    pub fn new(budget: usize) -> Self {
        Self { budget, ..Self::default() }
    }

    /// The number of the first line that is kept.
    pub fn first(&self) -> u64 {
        self.chunks.front().map_or(self.end, |chunk| chunk.first)
    }

    /// The number of the next line.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The memory taken, in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Appends a line, cut to [`MAX_LINE_BYTES`], and drops the oldest lines beyond the budget.
    pub fn push(&mut self, mut entry: LogEntry<'_>) {
        if entry.text.len() > MAX_LINE_BYTES {
            let ends = (MAX_LINE_BYTES - 3..=MAX_LINE_BYTES).rev();
            let end = ends.into_iter().find(|&end| entry.text.is_char_boundary(end));
            entry.text = &entry.text[..end.unwrap_or(0)];
        }
        self.append(&entry);
        self.evict();
    }

    fn append(&mut self, entry: &LogEntry<'_>) {
        if let Some(last) = self.chunks.len().checked_sub(1) {
            if let Some(line) = self.chunks[last].line(entry) {
                self.end += 1;
                return self.change(last, |chunk| chunk.push(line, entry));
            }
            // The chunk is full: reserved memory is given back.
            self.change(last, |chunk| {
                chunk.text.shrink_to_fit();
                chunk.lines.shrink_to_fit();
                chunk.extras.shrink_to_fit();
            });
        }
        let mut chunk = Chunk::new(self.end, entry);
        if let Some(line) = chunk.line(entry) {
            chunk.push(line, entry);
            self.end += 1;
        }
        self.memory += chunk.memory();
        self.chunks.push_back(Arc::new(chunk));
    }

    fn evict(&mut self) {
        while self.memory > self.budget
            && self.chunks.len() > 1
            && let Some(gone) = self.chunks.pop_front()
        {
            self.memory -= gone.memory();
        }
    }

    /// The line with a number.
    pub fn get(&self, number: u64) -> Option<LogEntry<'_>> {
        let at = self.chunks.partition_point(|chunk| chunk.end() <= number);
        self.chunks.get(at)?.get(number)
    }

    /// The lines with numbers in a range.
    pub fn range(&self, numbers: Range<u64>) -> impl DoubleEndedIterator<Item = LogEntry<'_>> {
        numbers.filter_map(|number| self.get(number))
    }

    /// Sets the remark of a line, if it is still kept.
    pub fn set_remark(&mut self, number: u64, remark: Remark) {
        self.set_extra(number, |extra, _| extra.remark = Some(remark));
    }

    /// Counts a repetition of a line, with the time and the remark of the repetition.
    pub fn repeat(&mut self, number: u64, entry: &LogEntry<'_>) {
        self.set_extra(number, |extra, first_ms| {
            extra.until_ms = entry.unix_ms.saturating_sub(first_ms).max(0);
            extra.times = extra.times.saturating_add(1);
            extra.remark = entry.remark;
        });
    }

    /// Changes the details of a line; `set` also gets the time of the line in Unix milliseconds.
    fn set_extra(&mut self, number: u64, set: impl FnOnce(&mut Extra, i64)) {
        let chunk = self.chunks.partition_point(|chunk| chunk.end() <= number);
        self.change(chunk, |chunk| {
            let Some(at) = number.checked_sub(chunk.first) else { return };
            let Ok(line) = u32::try_from(at) else { return };
            let place = chunk.extras.binary_search_by_key(&line, |extra| extra.line);
            let place = place.unwrap_or_else(|place| {
                chunk.extras.insert(place, Extra { line, remark: None, times: 1, until_ms: 0 });
                place
            });
            let after_ms = chunk.lines.get(line as usize).map_or(0, |line| line.after_ms);
            set(&mut chunk.extras[place], chunk.base_ms + i64::from(after_ms));
        });
    }

    /// Changes a chunk and the memory of the store with it. A chunk that a snapshot shares is
    /// copied, and the copy may reserve less than the original.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut Chunk)) {
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        let before = chunk.memory();
        let chunk = Arc::make_mut(chunk);
        change(chunk);
        self.memory = self.memory + chunk.memory() - before;
    }
}

/// The log at one moment, whose lines are shared with the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub(crate) store: LineStore,
    pub(crate) filter: Option<LogPattern>,
}

impl Snapshot {
    /// The lines that pass the filter.
    pub fn entries(&self) -> impl Iterator<Item = LogEntry<'_>> {
        let lines =
            self.store.chunks.iter().flat_map(|chunk| {
                (chunk.first..chunk.end()).filter_map(|number| chunk.get(number))
            });
        lines.filter(|line| self.filter.as_ref().is_none_or(|filter| filter.matches(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire_log::entry::Cost;
    use std::time::Duration;

    #[test]
    fn every_line_comes_back_as_it_went_in() {
        let mut store = LineStore::new(usize::MAX);
        let text = |n: u64| format!("{} {}", n, "火x".repeat(usize::try_from(n % 30).unwrap()));
        let entry = |n: u64, text: &'static str| {
            // Time jumps back and far ahead, exchanges come out of order.
            let ms = if n % 5000 == 4999 { -1 } else { i64::try_from(n * 1_000_000).unwrap() };
            let mut entry = LogEntry::new(ms, Direction::In, text).tone(Tone::Good);
            entry.exchange = (!n.is_multiple_of(3)).then_some(n + 10 - n % 7);
            if n.is_multiple_of(11) {
                let took = Duration::from_micros(n);
                entry.remark = Some(Remark::Reply(Cost { points: n, bytes: n, took }));
            }
            entry.number = n;
            entry
        };
        let texts: Vec<&'static str> = (0..20_000).map(|n| &*text(n).leak()).collect();
        for (n, text) in (0..).zip(&texts) {
            store.push(entry(n, text));
        }
        assert!(store.chunks.len() > 3);
        for (n, text) in (0..).zip(&texts) {
            assert_eq!(store.get(n), Some(entry(n, text)));
        }
        assert_eq!(store.get(20_000), None);
        assert_eq!(store.range(5..8).map(|e| e.number).collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn a_very_long_line_is_cut() {
        let mut store = LineStore::new(1024);
        store.push(LogEntry::new(0, Direction::In, &"火".repeat(MAX_LINE_BYTES)));
        assert!(store.get(0).unwrap().text.len() <= MAX_LINE_BYTES);
    }
}
