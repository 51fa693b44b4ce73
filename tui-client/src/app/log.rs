//! The wire log: the lines sent and received, in bounded memory, with scroll position, selection,
//! search and filter.

mod find;
pub mod recorder;

use std::time::Duration;

use crate::app::context::Context;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::message::Message;
use crate::app::screen::layout::Layout;
use crate::app::screen::panes::Panes;
use crate::effect::{Effect, FileJob};
use crate::keymap::LogAction;
use crate::wire_log::entry::{LogEntry, Tone};
use crate::wire_log::pattern::LogPattern;
use crate::wire_log::store::{LineStore, Snapshot};
use find::{LineFilter, LogSearch, Progress};
use recorder::Recorder;

/// Terminals take no more than about 100 kB of base64 at once.
const MAX_COPY: usize = 72 * 1024;

/// Consecutive lines of other exchanges after which the search for lines of one exchange ends.
const MAX_EXCHANGE_GAP: usize = 4096;

/// The most consecutive lines of polls that are searched for a repetition.
const MAX_POLLS: u64 = 256;

/// The most last lines that are searched for a line to be repeated.
const MAX_REPEATED: u64 = 64;

/// The most milliseconds since a line that is repeated.
const MAX_REPEATED_MS: i64 = 60_000;

/// The time after the last typed request in which its lines are of interest.
const RECENT: Duration = Duration::from_secs(60);

/// The lines of the log, with scroll position, selection, search and filter.
#[derive(Debug, Default)]
pub struct Log {
    store: LineStore,
    /// The number of the selected line; `None` is the newest.
    cursor: Option<u64>,
    /// The number of the last line on screen; `None` follows the newest.
    bottom: Option<u64>,
    /// The number of last lines that are polls and can be repeated.
    polls: u64,
    /// The first column on the screen.
    shift: usize,
    filter: Option<LineFilter>,
    search: LogSearch,
    /// The last search.
    last_search: Option<LogPattern>,
    /// The filter that was dropped last.
    dropped_filter: Option<LogPattern>,
    visited: u64,
    recorder: Recorder,
    /// When a request was last typed, since the start of the program.
    typed_at: Duration,
}

/// The text of the lines of an exchange.
fn of_exchange<'a>(exchange: u64, lines: impl Iterator<Item = LogEntry<'a>>) -> Vec<&'a str> {
    let mut others = 0;
    let near = lines.take_while(|line| {
        others = if line.exchange == Some(exchange) { 0 } else { others + 1 };
        others < MAX_EXCHANGE_GAP
    });
    near.filter(|line| line.exchange == Some(exchange)).map(|line| line.text).collect()
}

impl Log {
    /// An empty log that takes at most `budget` bytes of memory, half as much more with a filter.
    /// `raw`: every line of requests and replies is logged.
    pub fn new(budget: usize, raw: bool) -> Self {
        let mut log = Self { store: LineStore::new(budget), ..Self::default() };
        log.recorder.raw = raw;
        log
    }

    /// The first column on the screen, after scrolling long lines.
    pub fn shift(&self) -> usize {
        self.shift
    }

    /// Performs an action of the log.
    pub fn update(
        &mut self,
        action: LogAction,
        panes: &mut Panes,
        layout: &Layout,
        cx: &mut Context,
    ) {
        let rows = layout.log_rows();
        match action {
            LogAction::Search => {
                cx.send(Message::Ask(InputPurpose::LogSearch(self.bookmark()), String::new()));
                self.begin_search();
            }
            LogAction::Filter => {
                let text = self.filter().map_or("", LogPattern::text).to_owned();
                cx.send(Message::Ask(InputPurpose::LogFilter(self.bookmark()), text));
            }
            LogAction::Save => {
                let name = cx.file_name("log");
                cx.send(Message::Ask(InputPurpose::SaveLog, name));
            }
            LogAction::Match { .. } if self.search().is_none() => {
                cx.say(Tone::Plain, "nothing is searched for: press / first");
            }
            LogAction::Match { older } => {
                self.search_on(older);
                self.work(rows, cx);
            }
            LogAction::Shift { right } => {
                let area = layout.log.unwrap_or_default();
                self.shift_by(usize::from(area.width / 2).max(1), right, area.height.into());
            }
            LogAction::Zoom => panes.zoom_log(!panes.log_is_zoomed()),
            LogAction::ToggleRaw => self.toggle_raw(cx),
            LogAction::ToggleFollow => self.toggle_follow(),
            LogAction::CopyLine => {
                let text = self.selected_entry().map(|entry| entry.text.to_owned());
                copy(text, "line", cx);
            }
            LogAction::CopyExchange => copy(self.exchange_text(), "exchange", cx),
            LogAction::Leave if self.leave(rows, cx) => {}
            LogAction::Leave if panes.log_is_zoomed() => panes.zoom_log(false),
            LogAction::Leave => panes.visit_prompt(),
        }
    }

    /// An action has something to act on while this line input is open.
    pub fn offers(&self, action: LogAction, line: Option<&LineInput>) -> bool {
        let has_search = self.search().is_some();
        match action {
            LogAction::Match { older } => match line.map(LineInput::purpose) {
                None | Some(InputPurpose::LogSearch(_)) => has_search,
                Some(InputPurpose::LogFilter(_)) => older && self.dropped_filter.is_some(),
                Some(_) => false,
            },
            LogAction::Leave => has_search || self.filter().is_some(),
            _ => true,
        }
    }

    /// Does one bounded step of a search or a filter under way, and shows the result.
    pub fn work(&mut self, rows: usize, cx: &mut Context) {
        match self.step(rows) {
            Progress::NotFound => self.say_not_found(cx),
            Progress::Found { wrapped: true, older: true } => {
                cx.say(Tone::Plain, "none above: gone on from the newest line");
            }
            Progress::Found { wrapped: true, older: false } => {
                cx.say(Tone::Plain, "none below: gone on from the oldest line");
            }
            Progress::Found { .. } | Progress::Idle | Progress::More => {}
        }
    }

    /// Searches for the text typed so far.
    pub fn search_typed(&mut self, text: &str, rows: usize, cx: &mut Context) {
        self.search_for(LogPattern::new(text, cx.zone()));
        self.work(rows, cx);
    }

    /// Filters by the text typed so far; an empty text shows all lines.
    pub fn filter_typed(&mut self, text: &str, rows: usize, cx: &mut Context) {
        self.set_filter(LogPattern::new(text, cx.zone()), rows);
        self.work(rows, cx);
    }

    /// Finishes the text of a search; an empty text repeats the last search.
    pub fn accept_search(&mut self, rows: usize, cx: &mut Context) {
        match (self.search().cloned(), self.last_search.clone()) {
            (Some(pattern), _) => self.last_search = Some(pattern),
            (None, Some(last)) => {
                self.search_again(last);
                return self.work(rows, cx);
            }
            (None, None) => cx.say(Tone::Plain, "nothing was searched for before"),
        }
        // The key has removed the notice from the bottom line.
        if self.search.failed {
            self.say_not_found(cx);
        }
    }

    /// The filter that was dropped last.
    pub fn dropped_filter(&self) -> Option<&LogPattern> {
        self.dropped_filter.as_ref()
    }

    /// The last search.
    pub fn last_search(&self) -> Option<&LogPattern> {
        self.last_search.as_ref()
    }

    fn say_not_found(&self, cx: &mut Context) {
        if let Some(pattern) = self.search() {
            cx.say(Tone::Plain, format!("no match for {}", pattern.text()));
        }
    }

    /// Drops the search, or without one the filter; false if there was neither.
    fn leave(&mut self, rows: usize, cx: &mut Context) -> bool {
        let dropped = if self.search().is_some() {
            self.search = LogSearch::default();
            "search dropped".to_owned()
        } else if let Some(filter) = self.filter().cloned() {
            let dropped = format!("filter dropped, & ↑ brings back {}", filter.text());
            self.dropped_filter = Some(filter);
            self.set_filter(None, rows);
            dropped
        } else {
            return false;
        };
        self.work(rows, cx);
        cx.say(Tone::Plain, dropped);
        true
    }

    /// Scrolls the lines by columns to the right or the left, on a screen of this many rows; the
    /// end of the longest line stays visible.
    pub fn shift_by(&mut self, columns: usize, right: bool, rows: usize) {
        if right {
            let longest = self.visible(rows).map(|line| line.text.chars().count()).max();
            let most = longest.unwrap_or(0).saturating_sub(columns).max(self.shift);
            self.shift = (self.shift + columns).min(most);
        } else {
            self.shift = self.shift.saturating_sub(columns);
        }
    }

    /// Appends a line and returns its number; the oldest lines are dropped beyond the budget.
    pub fn push(&mut self, entry: LogEntry<'_>) -> u64 {
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

    /// Appends one line for a poll and its reply. Repetitions of a poll share the line, so that
    /// polls do not displace other lines. The line has the time of the first repetition and the
    /// cost of the last.
    pub fn push_poll(&mut self, entry: LogEntry<'_>) {
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

    /// Appends one line, or counts a repetition of the newest such line among the last few, which keeps the time and the text of the first one.
    pub fn push_again(&mut self, entry: LogEntry<'_>, is_like: impl Fn(&str) -> bool) {
        let end = self.store.end();
        let recent = self.store.range(end - MAX_REPEATED.min(end - self.first())..end);
        let number = recent
            .rev()
            .filter(|line| entry.unix_ms - line.until_ms <= MAX_REPEATED_MS)
            .find(|line| line.direction == entry.direction && is_like(line.text))
            .map(|line| line.number);
        match number {
            Some(number) => {
                self.store.repeat(number, &entry);
                self.filter_again(number);
            }
            None => drop(self.push(entry)),
        }
    }

    /// Applies the filter again to a repeated line, whose time range has changed.
    fn filter_again(&mut self, number: u64) {
        let (Some(filter), Some(entry)) = (&mut self.filter, self.store.get(number)) else {
            return;
        };
        // Older lines are not filtered yet.
        if number >= filter.from {
            match (filter.hits.binary_search(&number), filter.pattern.matches(&entry)) {
                (Err(place), true) => filter.hits.insert(place, number),
                (Ok(place), false) => drop(filter.hits.remove(place)),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
    }

    /// The number of lines kept.
    pub fn len(&self) -> u64 {
        self.end() - self.first()
    }

    /// The log has no lines.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of lines dropped.
    pub fn dropped(&self) -> u64 {
        self.first()
    }

    /// The number of lines that pass the filter.
    pub fn shown(&self) -> u64 {
        self.filter.as_ref().map_or(self.len(), |filter| filter.hits.len() as u64)
    }

    /// The memory of the lines in bytes.
    pub fn memory(&self) -> usize {
        self.store.memory()
    }

    /// The number of lines that searches and filters have visited since the start.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// The log scrolls with new lines.
    pub fn follows(&self) -> bool {
        self.bottom.is_none()
    }

    /// The number of lines below the screen.
    pub fn below(&self) -> u64 {
        self.bottom.map_or(0, |bottom| self.shown() - self.rank(bottom + 1))
    }

    /// The lines on a screen of this many rows.
    pub fn visible(&self, rows: usize) -> impl Iterator<Item = LogEntry<'_>> {
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
    pub fn selected_entry(&self) -> Option<LogEntry<'_>> {
        self.store.get(self.selected()?)
    }

    /// The request and the reply of the selected line; the line alone if it has no exchange.
    pub fn exchange_text(&self) -> Option<String> {
        let selected = self.selected_entry()?;
        let Some(exchange) = selected.exchange else { return Some(selected.text.to_owned()) };
        let before = self.store.range(self.first()..selected.number).rev();
        let mut lines = of_exchange(exchange, before);
        lines.reverse();
        lines.extend(of_exchange(exchange, self.store.range(selected.number..self.end())));
        Some(lines.join("\n"))
    }

    /// Saves a snapshot of the log to a file.
    pub fn save(&self, path: String, cx: &mut Context) {
        cx.push(Effect::File(FileJob::SaveLog { path, log: self.snapshot() }));
    }

    /// A snapshot of the log and its filter.
    pub fn snapshot(&self) -> Snapshot {
        let filter = self.filter().cloned();
        Snapshot { store: self.store.clone(), filter }
    }

    /// Scrolls by lines, up if negative, on a screen of this many rows; the selection moves along.
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
        // If all lines are on the screen, only the selection moves.
        (self.bottom, self.cursor) = (self.nth(moved), self.nth(cursor));
        if moved == newest && cursor == newest {
            self.follow();
        }
    }

    /// Moves the selection by lines and scrolls if necessary.
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

    /// Selects the newest line and follows new lines.
    pub fn follow(&mut self) {
        (self.bottom, self.cursor) = (None, None);
    }

    /// Follows new lines, which are of a typed request.
    pub fn on_typed(&mut self, now: Duration) {
        self.follow();
        self.typed_at = now;
    }

    /// A few lines are enough: it follows what comes, and nothing was typed for a while.
    pub fn is_calm(&self, now: Duration) -> bool {
        let is_plain = self.search().is_none() && self.filter().is_none();
        is_plain && self.follows() && now.saturating_sub(self.typed_at) >= RECENT
    }

    /// Stops following new lines, or follows them again.
    pub fn toggle_follow(&mut self) {
        if self.follows() {
            let newest = self.shown().checked_sub(1).and_then(|rank| self.nth(rank));
            (self.bottom, self.cursor) = (newest, newest);
        } else {
            self.follow();
        }
    }

    /// Selects the shown line whose time, in Unix milliseconds, is nearest to this one.
    pub fn go_to(&mut self, unix_ms: i64, rows: usize) {
        let time = |rank| Some(self.store.get(self.nth(rank)?)?.unix_ms);
        let (mut from, mut to) = (0, self.shown());
        while from < to {
            let middle = from.midpoint(to);
            if time(middle).is_some_and(|time| time < unix_ms) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        let around = [from.checked_sub(1), Some(from)].into_iter().flatten();
        let distance = |rank| Some((time(rank)?.abs_diff(unix_ms), rank));
        let Some((_, nearest)) = around.filter_map(distance).min() else { return };
        self.cursor = self.nth(nearest);
        self.reveal(rows);
    }

    /// The time of the first line that is kept, in Unix milliseconds.
    pub fn begins_at(&self) -> Option<i64> {
        Some(self.store.get(self.first())?.unix_ms)
    }

    /// Scrolls to the selected line on a screen of this many rows.
    pub fn reveal(&mut self, rows: usize) {
        let (Some(cursor), Some(newest)) = (self.cursor, self.shown().checked_sub(1)) else {
            return;
        };
        let cursor = self.rank(cursor).min(newest);
        let rows = (rows as u64).max(1);
        let bottom = self.bottom.map_or(newest, |bottom| self.rank(bottom + 1).saturating_sub(1));
        let far = 2 * rows;
        let bottom = if cursor + far < bottom || cursor > bottom + far {
            // A line far away is centred.
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

    /// The number of shown lines before this one.
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

fn copy(text: Option<String>, what: &str, cx: &mut Context) {
    match text {
        // An empty text would clear the clipboard.
        None => cx.say(Tone::Plain, "nothing to copy"),
        Some(text) if text.is_empty() => cx.say(Tone::Plain, "nothing to copy"),
        Some(text) if text.len() > MAX_COPY => {
            cx.say(Tone::Bad, format!("the {what} is too long to copy; s saves the log"));
        }
        Some(text) => {
            let copied = cx.copy(text);
            cx.say(Tone::Good, format!("{what} {copied}"));
        }
    }
}

#[cfg(test)]
mod tests;
