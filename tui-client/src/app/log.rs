//! The wire log: what went out and what came back, bounded in memory; which of it is on screen,
//! selected, searched for. What happened is kept as data, not as it is drawn.

mod find;
pub mod recorder;

use crate::app::context::Context;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::message::Message;
use crate::app::screen::layout::Layout;
use crate::app::screen::panes::Panes;
use crate::keymap::{LogAction, Mode};
use crate::text::time;
use crate::wire_log::entry::{LogEntry, Tone};
use crate::wire_log::pattern::LogPattern;
use crate::wire_log::store::{LineStore, Snapshot};
use find::{LineFilter, LogSearch, Progress};
use recorder::Recorder;

/// Terminals take no more than about 100 kB of base64 at once.
const MAX_COPY: usize = 72 * 1024;

/// Lines in a row that belong to others, behind which no more of an exchange is looked for.
const EXCHANGE_REACH: usize = 4096;

/// Lines in a row that may stand for polls.
const MAX_POLLS: u64 = 256;

/// The lines and which of them are on screen.
#[derive(Debug, Default)]
pub struct Log {
    store: LineStore,
    /// The selected line; `None` is the newest.
    cursor: Option<u64>,
    /// The number of the last line on screen; `None` follows the newest.
    bottom: Option<u64>,
    /// How many of the last lines stand for polls and may take in their repetitions.
    polls: u64,
    /// Columns that lines are moved to the left.
    shift: usize,
    filter: Option<LineFilter>,
    search: LogSearch,
    /// The last text that was searched for.
    last_search: Option<LogPattern>,
    visited: u64,
    recorder: Recorder,
}

/// Those lines that belong to an exchange, one after the other.
fn of_exchange<'a>(exchange: u64, lines: impl Iterator<Item = LogEntry<'a>>) -> Vec<&'a str> {
    let mut others = 0;
    let near = lines.take_while(|line| {
        others = if line.exchange == Some(exchange) { 0 } else { others + 1 };
        others < EXCHANGE_REACH
    });
    near.filter(|line| line.exchange == Some(exchange)).map(|line| line.text).collect()
}

impl Log {
    /// An empty log that takes at most `budget` bytes of memory, with a filter half as much again.
    /// `raw`: it gets every line that goes over the wire.
    pub fn new(budget: usize, raw: bool) -> Self {
        let mut log = Self { store: LineStore::new(budget), ..Self::default() };
        log.recorder.raw = raw;
        log
    }

    /// Columns that lines are moved to the left, so that the end of long ones can be read.
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
                let time = time::formatted(cx.now().unix(), cx.zone(), "%Y%m%d-%H%M%S");
                cx.send(Message::Ask(InputPurpose::SaveLog, format!("tui-client-{time}.log")));
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
            LogAction::Leave => panes.focus_on(Mode::Prompt),
        }
    }

    /// An action has something to act on while this line input is open.
    pub fn offers(&self, action: LogAction, line: Option<&LineInput>) -> bool {
        let has_search = self.search().is_some();
        match action {
            LogAction::Match { .. } => {
                let is_search =
                    |line: &LineInput| matches!(line.purpose(), InputPurpose::LogSearch(_));
                has_search && line.is_none_or(is_search)
            }
            LogAction::Leave => has_search || self.filter().is_some(),
            _ => true,
        }
    }

    /// Does one bounded step of a search or a filter under way, and says what it came to.
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

    /// Searches for a text while it is typed.
    pub fn search_typed(&mut self, text: &str, rows: usize, cx: &mut Context) {
        self.search_for(LogPattern::new(text, cx.zone()));
        self.work(rows, cx);
    }

    /// Filters by a text; an empty one shows all lines.
    pub fn filter_typed(&mut self, text: &str, rows: usize, cx: &mut Context) {
        self.set_filter(LogPattern::new(text, cx.zone()), rows);
        self.work(rows, cx);
    }

    /// The text of a search is complete; an empty one means the same as last time.
    pub fn accept_search(&mut self, rows: usize, cx: &mut Context) {
        match (self.search().cloned(), self.last_search.clone()) {
            (Some(pattern), _) => self.last_search = Some(pattern),
            (None, Some(last)) => {
                self.search_again(last);
                return self.work(rows, cx);
            }
            (None, None) => cx.say(Tone::Plain, "nothing was searched for before"),
        }
        // The key has taken it from the bottom line.
        if self.search.failed {
            self.say_not_found(cx);
        }
    }

    /// The last text that was searched for.
    pub fn last_search(&self) -> Option<&LogPattern> {
        self.last_search.as_ref()
    }

    fn say_not_found(&self, cx: &mut Context) {
        if let Some(pattern) = self.search() {
            cx.say(Tone::Plain, format!("no match for {}", pattern.text()));
        }
    }

    /// Drops search and filter; says whether there was any.
    fn leave(&mut self, rows: usize, cx: &mut Context) -> bool {
        let dropped = match (self.search().is_some(), self.filter().is_some()) {
            (true, true) => "search and filter dropped",
            (true, false) => "search dropped",
            (false, true) => "filter dropped",
            (false, false) => return false,
        };
        self.search = LogSearch::default();
        self.set_filter(None, rows);
        self.work(rows, cx);
        cx.say(Tone::Plain, dropped);
        true
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

    /// Appends the one line that stands for a poll and its reply. Repetitions of the same poll share
    /// the line, so that polling does not push everything else out of sight. It keeps the time of
    /// the first, so that times rise from line to line, and has the cost of the last.
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

fn copy(text: Option<String>, what: &str, cx: &mut Context) {
    match text {
        None => cx.say(Tone::Plain, "nothing to copy"),
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
