//! Search and filter of the log, in bounded steps between which keys and new lines are processed.

use std::collections::VecDeque;
use std::ops::Range;

use crate::app::log::Log;
use crate::wire_log::bookmark::Bookmark;
use crate::wire_log::pattern::LogPattern;
use crate::wire_log::store::LineStore;

/// The most lines, and bytes of text, of one step.
const MAX_STEP_LINES: u64 = 16 * 1024;
const MAX_STEP_BYTES: usize = 2 * 1024 * 1024;

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to do.
    Idle,
    /// There is more to do.
    More,
    /// A match is found; `wrapped`: beyond an end of the log, `older`: searching back in time.
    Found { wrapped: bool, older: bool },
    /// The search has been all over the log.
    NotFound,
}

/// The filter of the log, with its matches.
#[derive(Debug)]
pub(super) struct LineFilter {
    pub pattern: LogPattern,
    /// The numbers of the lines, ascending.
    pub hits: VecDeque<u64>,
    /// The first line that has been filtered; older ones are not yet.
    pub from: u64,
}

impl LineFilter {
    pub fn new(pattern: LogPattern, store: &LineStore) -> Self {
        Self { pattern, hits: VecDeque::new(), from: store.end() }
    }
}

/// A search under way.
#[derive(Debug)]
pub(super) struct Seek {
    older: bool,
    /// The next line to visit.
    next: u64,
    /// The line where the search began and, after it has wrapped, ends.
    start: u64,
    wrapped: bool,
}

impl Seek {
    fn new(older: bool, start: u64) -> Self {
        Self { older, next: start, start, wrapped: false }
    }

    /// The range of lines up to the next end of the search, within all lines.
    fn range(&self, all: Range<u64>) -> Range<u64> {
        let start = self.start.clamp(all.start, all.end);
        match (self.wrapped, self.older) {
            (false, _) => all,
            (true, true) => start..all.end,
            (true, false) => all.start..start,
        }
    }

    /// The number of lines left, within all lines.
    fn left(&self, all: Range<u64>) -> u64 {
        let here = self.range(all.clone());
        let next = self.next.clamp(here.start, here.end);
        let left = if self.older { next - here.start } else { here.end - next };
        let start = self.start.clamp(all.start, all.end);
        let beyond = if self.older { all.end - start } else { start - all.start };
        left + if self.wrapped { 0 } else { beyond }
    }
}

/// The search of the log.
#[derive(Debug, Default)]
pub(super) struct LogSearch {
    pub pattern: Option<LogPattern>,
    seek: Option<Seek>,
    /// The whole log has no match.
    pub failed: bool,
    /// The selected line and the last line on the screen at the beginning of the search.
    origin: (Option<u64>, Option<u64>),
}

impl Log {
    /// The pattern searched for.
    pub fn search(&self) -> Option<&LogPattern> {
        self.search.pattern.as_ref()
    }

    /// The filter of the log.
    pub fn filter(&self) -> Option<&LogPattern> {
        self.filter.as_ref().map(|filter| &filter.pattern)
    }

    /// A search or a filter is under way.
    pub fn is_busy(&self) -> bool {
        self.search.seek.is_some() || self.filter.as_ref().is_some_and(|f| f.from > self.first())
    }

    /// The progress of a search or a filter in percent.
    pub fn percent(&self) -> Option<u64> {
        let (first, end) = (self.first(), self.end());
        let all = (end - first).max(1);
        if let Some(seek) = &self.search.seek {
            return Some(100 - (seek.left(first..end) * 100 / all).min(100));
        }
        let filter = self.filter.as_ref().filter(|filter| filter.from > first)?;
        Some((end - filter.from) * 100 / all)
    }

    /// Begins a search at the current position.
    pub fn begin_search(&mut self) {
        self.search = LogSearch { origin: (self.cursor, self.bottom), ..LogSearch::default() };
    }

    /// Searches back in time from the position where the search began.
    pub fn search_for(&mut self, pattern: Option<LogPattern>) {
        (self.cursor, self.bottom) = self.search.origin;
        self.search.failed = false;
        self.search.seek = match (&pattern, self.selected()) {
            (Some(_), Some(from)) => Some(Seek::new(true, from + 1)),
            _ => None,
        };
        self.search.pattern = pattern;
    }

    /// Searches the next match from the selected line on.
    pub fn search_on(&mut self, older: bool) {
        if let (Some(from), Some(_)) = (self.selected(), &self.search.pattern) {
            self.search.failed = false;
            self.search.seek = Some(Seek::new(older, if older { from } else { from + 1 }));
        }
    }

    /// Searches a pattern from the selected line on.
    pub fn search_again(&mut self, pattern: LogPattern) {
        self.search.pattern = Some(pattern);
        self.search_on(true);
    }

    /// A bookmark of position, search and filter.
    pub fn bookmark(&self) -> Bookmark {
        let (filter, search) = (self.filter().cloned(), self.search().cloned());
        Bookmark { cursor: self.cursor, bottom: self.bottom, filter, search }
    }

    /// Restores position, search and filter.
    pub fn back_to(&mut self, bookmark: Bookmark) {
        let Bookmark { cursor, bottom, filter, search } = bookmark;
        if self.filter() != filter.as_ref() {
            self.filter = filter.map(|pattern| LineFilter::new(pattern, &self.store));
        }
        self.search = LogSearch { pattern: search, ..LogSearch::default() };
        (self.cursor, self.bottom) = (cursor, bottom);
    }

    /// Sets the filter; the selected line stays visible if it passes.
    pub fn set_filter(&mut self, pattern: Option<LogPattern>, rows: usize) {
        self.filter = pattern.map(|pattern| LineFilter::new(pattern, &self.store));
        self.reveal(rows);
    }

    /// Does a bounded step of the search or filter under way, on a screen of this many rows.
    pub(super) fn step(&mut self, rows: usize) -> Progress {
        if self.search.seek.is_some() {
            return self.seek_step(rows);
        }
        let first = self.first();
        let Some(filter) = &mut self.filter else { return Progress::Idle };
        if filter.from <= first {
            return Progress::Idle;
        }
        let mut bytes = 0;
        let end = filter.from;
        for line in self.store.range(first.max(end.saturating_sub(MAX_STEP_LINES))..end).rev() {
            self.visited += 1;
            filter.from = line.number;
            if filter.pattern.matches(&line) {
                filter.hits.push_front(line.number);
            }
            bytes += line.text.len();
            if bytes > MAX_STEP_BYTES {
                break;
            }
        }
        Progress::More
    }

    fn seek_step(&mut self, rows: usize) -> Progress {
        let (Some(mut seek), Some(pattern)) = (self.search.seek.take(), &self.search.pattern)
        else {
            return Progress::Idle;
        };
        let all = self.first()..self.end();
        let here = seek.range(all.clone());
        let next = seek.next.clamp(here.start, here.end);
        let filter = self.filter.as_ref().map(|filter| &filter.pattern);
        let (mut bytes, mut visited, mut last) = (0, 0, next);
        let mut fits = |line: &crate::wire_log::entry::LogEntry<'_>| {
            visited += 1;
            last = line.number;
            bytes += line.text.len();
            let meant = filter.is_none_or(|filter| filter.matches(line));
            let found = meant && pattern.matches(line);
            (found || bytes > MAX_STEP_BYTES).then_some((line.number, found))
        };
        let stopped = if seek.older {
            let from = here.start.max(next.saturating_sub(MAX_STEP_LINES));
            self.store.range(from..next).rev().find_map(|line| fits(&line))
        } else {
            let to = here.end.min(next + MAX_STEP_LINES);
            self.store.range(next..to).find_map(|line| fits(&line))
        };
        self.visited += visited;
        if let Some((number, true)) = stopped {
            self.cursor = Some(number);
            self.reveal(rows);
            return Progress::Found { wrapped: seek.wrapped, older: seek.older };
        }
        seek.next = if seek.older || visited == 0 { last } else { last + 1 };
        if visited == 0 || seek.next == if seek.older { here.start } else { here.end } {
            if seek.wrapped {
                self.search.failed = true;
                return Progress::NotFound;
            }
            seek.wrapped = true;
            seek.next = if seek.older { all.end } else { all.start };
            self.search.seek = Some(seek);
            return self.seek_step(rows);
        }
        self.search.seek = Some(seek);
        Progress::More
    }
}
