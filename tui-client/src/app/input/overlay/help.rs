//! The list of keys: what is typed is looked for in it, and a line can be chosen, to be performed as
//! if its key had been pressed.

pub mod options;
mod search;

use std::borrow::Cow;
use std::ops::Range;

use crate::app::line_input::editor::Editor;
use crate::app::screen::layout::Area;
use crate::event::MouseEvent;
use crate::keymap::{
    Abilities, Action, Edit, Mode, PaletteLine, PaletteRow, Place, TableAction, palette_lines,
};
use crate::metrics::column::{Chosen, Column};
use crate::text::width::width;
use options::{OPTIONS, StartOption};
use search::{Query, Searched};

/// Columns of the screen from which on the list has two columns.
const WIDE: u16 = 160;

/// Columns of the border and the margins around the text of a column of the list.
const FRAME: usize = 4;

/// The fewest columns, on both sides together, in which the panes below stay visible.
const MARGIN: u16 = 16;

/// How far options are behind actions that match as well.
const OPTION_HANDICAP: u32 = 2;

/// What a line of the list stands for.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// The action of a key.
    Key(PaletteRow),
    /// Showing or hiding a column of the table.
    Column(Column),
    /// An option of the command line, which is only said.
    Option(&'static StartOption),
}

/// An action of the list.
#[derive(Debug)]
pub struct Entry {
    /// What is performed.
    pub choice: Choice,
    /// The names of the keys, separated by blanks.
    pub keys: &'static str,
    /// What it does.
    pub text: Cow<'static, str>,
    /// Where it is performed.
    pub place: Place,
    /// The keys have the action where the list was opened.
    is_bound: bool,
    /// It was possible when the list was opened.
    is_possible: bool,
    section: &'static str,
    also: &'static str,
}

/// A line of the list.
#[derive(Debug)]
pub enum Line {
    /// The heading of a section; empty between sections.
    Heading(&'static str),
    /// An action.
    Entry(Entry),
    /// What is said besides: a subject, empty where the line above goes on, and its meaning.
    Note(Cow<'static, str>, &'static str),
}

impl Entry {
    fn searched(&self) -> Searched<'_> {
        let (keys, text, also, section) = (self.keys, &*self.text, self.also, self.section);
        // An option is only said, but is more than nothing: what can be done goes before it.
        let is_option = matches!(self.choice, Choice::Option(_));
        let (is_possible, handicap) =
            (self.is_possible || is_option, if is_option { OPTION_HANDICAP } else { 0 });
        Searched { keys, text, also, section, is_possible, handicap }
    }
}

impl Line {
    /// Columns of the names of keys and of the text.
    fn widths(&self) -> (usize, usize) {
        match self {
            Self::Heading(_) => (0, 0),
            Self::Entry(entry) => (width(entry.keys), width(&entry.text)),
            Self::Note(subject, meaning) => (width(subject), width(meaning)),
        }
    }

    fn is_entry(&self) -> bool {
        matches!(self, Self::Entry(_))
    }

    /// The line is an action that a better one performs with other keys.
    fn repeats(&self, better: &Self) -> bool {
        let (Self::Entry(entry), Self::Entry(better)) = (self, better) else { return false };
        let (Choice::Key(row), Choice::Key(other)) = (entry.choice, better.choice) else {
            return false;
        };
        let is_same = row.action() == other.action() && row.action() != Action::BeginRequest;
        is_same && better.is_possible && (entry.is_possible || entry.text == better.text)
    }
}

/// The open list of keys.
#[derive(Debug)]
pub struct Help {
    /// All lines; those from `listed` on are shown only when they are found.
    lines: Vec<Line>,
    listed: usize,
    /// The lines shown, by their places in `lines`.
    shown: Vec<usize>,
    /// Columns of the longest names of keys, and of the longest text, in the whole list.
    widths: (usize, usize),
    /// Columns of the longest names of keys of the lines shown.
    key_width: usize,
    editor: Editor,
    query: Query,
    /// The first line on screen and the chosen one, as places in `shown`.
    top: usize,
    chosen: Option<usize>,
}

impl Help {
    /// The list of a mode; the table has these columns, and can be sorted by those of them that fit.
    pub fn new(mode: Mode, abilities: Abilities, columns: &Chosen, sortable: &[Column]) -> Self {
        let mut lines: Vec<Line> = palette_lines(mode, abilities)
            .into_iter()
            .map(|line| match line {
                PaletteLine::Heading(text) => Line::Heading(text),
                PaletteLine::Note(subject, meaning) => Line::Note(subject, meaning),
                PaletteLine::Row(row, section) => Line::Entry(Entry {
                    choice: Choice::Key(row),
                    keys: row.keys(),
                    text: text_of(row, sortable),
                    place: row.place(mode),
                    is_bound: row.is_bound(mode),
                    is_possible: true,
                    section,
                    also: row.also(),
                }),
            })
            .collect();
        let listed = lines.len();
        let place = if mode.takes_requests() { Place::Here } else { Place::Nowhere("esc first") };
        let columns_to_choose = Column::ALL.into_iter().filter(|&column| column != Column::Key);
        lines.extend(columns_to_choose.map(|column| {
            let verb = if columns.shows(column) { "hide" } else { "show" };
            let text = format!("{verb} the column {} of the table", column.name()).into();
            let (choice, section) = (Choice::Column(column), "Columns");
            let (keys, also) = ("c", column.about());
            let (is_bound, is_possible) = (false, true);
            Line::Entry(Entry { choice, keys, text, place, is_bound, is_possible, section, also })
        }));
        lines.extend(OPTIONS.iter().map(|option| {
            Line::Entry(Entry {
                choice: Choice::Option(option),
                keys: option.option,
                text: option.text.into(),
                place: Place::Nowhere("at the start"),
                is_bound: false,
                is_possible: false,
                section: "Options",
                also: option.also,
            })
        }));
        let all = lines[..listed].iter().map(Line::widths);
        let widths = all.fold((0, 0), |most, is| (most.0.max(is.0), most.1.max(is.1)));
        let key_width = widths.0;
        let (editor, query) = (Editor::default(), Query::default());
        let shown = (0..listed).collect();
        Self { lines, listed, shown, widths, key_width, editor, query, top: 0, chosen: None }
    }

    /// Says which actions are possible now; they are found before the others.
    pub fn judge(&mut self, is_possible: impl Fn(&Entry) -> bool) {
        for line in &mut self.lines {
            if let Line::Entry(entry) = line {
                entry.is_possible = is_possible(entry);
            }
        }
    }

    /// What is typed.
    pub fn query(&self) -> &str {
        self.editor.text()
    }

    /// The editor of what is typed.
    pub fn editor(&self) -> &Editor {
        &self.editor
    }

    /// The lines from the first one on screen on, and whether each is the chosen one.
    pub fn visible(&self) -> impl Iterator<Item = (&Line, bool)> {
        let lines = self.shown.iter().enumerate().skip(self.top);
        lines.map(|(at, &line)| (&self.lines[line], self.chosen == Some(at)))
    }

    /// All lines that match what is typed.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.shown.iter().map(|&line| &self.lines[line])
    }

    /// The first line on screen, and the number of lines.
    pub fn position(&self) -> (usize, usize) {
        (self.top, self.shown.len())
    }

    /// Columns of the longest names of keys of the lines shown.
    pub fn key_width(&self) -> usize {
        self.key_width
    }

    /// The chosen action.
    pub fn chosen(&self) -> Option<&Entry> {
        self.entry(self.chosen?)
    }

    fn entry(&self, at: usize) -> Option<&Entry> {
        match self.lines.get(*self.shown.get(at)?) {
            Some(Line::Entry(entry)) => Some(entry),
            _ => None,
        }
    }

    /// The bytes of a text that are what is typed, in order.
    pub fn marks(&self, text: &str) -> Vec<Range<usize>> {
        self.query.marks(text)
    }

    /// Edits what is typed.
    pub fn edit(&mut self, edit: Edit) {
        self.editor.edit(edit);
        self.search();
    }

    /// Inserts typed text; false if there is no room.
    pub fn insert(&mut self, text: &str) -> bool {
        let taken = self.editor.insert(text);
        self.search();
        taken
    }

    /// Clears what is typed; false if there was nothing.
    pub fn clear(&mut self) -> bool {
        let was_typed = !self.query().is_empty();
        self.editor.edit(Edit::KillAll);
        self.search();
        was_typed
    }

    /// Shows what matches, the best first, and chooses it; all lines if nothing is typed.
    fn search(&mut self) {
        let query = Query::new(self.editor.text());
        if query == self.query {
            return;
        }
        self.query = query;
        self.top = 0;
        if self.query.is_empty() {
            (self.shown, self.chosen) = ((0..self.listed).collect(), None);
            self.key_width = self.widths.0;
            return;
        }
        // A rank, and whether the keys are of another mode.
        let mut found: Vec<((u32, bool), usize)> = Vec::new();
        // A note goes on in lines without a subject.
        let (mut is_note_found, mut heading) = (false, "");
        for (at, line) in self.lines.iter().enumerate() {
            let rank = match line {
                Line::Heading(text) => {
                    heading = text;
                    None
                }
                Line::Entry(entry) => {
                    self.query.rank(&entry.searched()).map(|rank| (rank, !entry.is_bound))
                }
                Line::Note(subject, meaning) => {
                    let goes_on = subject.is_empty() && is_note_found;
                    is_note_found = goes_on || self.query.is_in(&[subject, meaning, heading]);
                    is_note_found.then_some((u32::MAX, false))
                }
            };
            found.extend(rank.map(|rank| (rank, at)));
        }
        found.sort_unstable();
        self.shown.clear();
        for (_, at) in found {
            let is_again = |&shown: &usize| self.lines[at].repeats(&self.lines[shown]);
            if !self.shown.iter().any(is_again) {
                self.shown.push(at);
            }
        }
        let first = self.lines().position(Line::is_entry);
        self.chosen = first;
        self.key_width = self.lines().map(|line| line.widths().0).max().unwrap_or(0);
    }

    /// The columns and rows of the list on a screen of this size.
    pub fn shape(&self, (width, height): (u16, u16)) -> (usize, usize) {
        let columns = if width >= WIDE { 2 } else { 1 };
        let rows = usize::from(height.saturating_sub(2));
        (columns, self.listed.div_ceil(columns).min(rows))
    }

    /// The place of the list, with its border, on a screen of this size.
    pub fn area(&self, size: (u16, u16)) -> Area {
        let (columns, rows) = self.shape(size);
        let (keys, words) = self.widths;
        let wide = u16::try_from((keys + 2 + words + FRAME) * columns).unwrap_or(u16::MAX);
        let width = if wide.saturating_add(MARGIN) > size.0 { size.0 } else { wide };
        let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(size.1);
        Area { x: (size.0 - width) / 2, y: (size.1 - height) / 2, width, height }
    }

    /// Scrolls by lines on a screen of this size; the chosen line stays in sight.
    pub fn scroll(&mut self, lines: isize, size: (u16, u16)) {
        let (columns, rows) = self.shape(size);
        let room = columns * rows;
        let last = self.shown.len().saturating_sub(room);
        self.top = self.top.saturating_add_signed(lines).min(last);
        if let Some(chosen) = self.chosen {
            let end = (self.top + room).min(self.shown.len());
            let near = chosen.clamp(self.top, end.saturating_sub(1));
            let below = (near..end).find(|&at| self.entry(at).is_some());
            let above = || (self.top..near).rev().find(|&at| self.entry(at).is_some());
            self.chosen = below.or_else(above);
        }
    }

    /// Chooses the next action above or below; beyond the last one, scrolls by a line.
    pub fn choose_next(&mut self, below: bool, size: (u16, u16)) {
        let (columns, rows) = self.shape(size);
        let is_entry = |at: &usize| self.entry(*at).is_some();
        let next = match (self.chosen, below) {
            (None, true) => (self.top..self.shown.len()).find(is_entry),
            (None, false) => None,
            (Some(at), true) => (at + 1..self.shown.len()).find(is_entry),
            (Some(at), false) => (0..at).rev().find(is_entry),
        };
        let Some(next) = next else {
            return self.scroll(if below { 1 } else { -1 }, size);
        };
        self.chosen = Some(next);
        // With its heading, if that is just above.
        let first = next.saturating_sub(usize::from(next == 1));
        let room = (columns * rows).max(1);
        self.top = self.top.clamp((next + 1).saturating_sub(room).min(first), first);
    }

    /// Chooses the action under the pointer; none where there is no action.
    pub fn choose_under(&mut self, mouse: MouseEvent, size: (u16, u16)) -> Option<&Entry> {
        let (columns, rows) = self.shape(size);
        let area = self.area(size);
        let row = usize::from(mouse.row.checked_sub(area.y + 1)?);
        let share = area.width.saturating_sub(2) / u16::try_from(columns).unwrap_or(1).max(1);
        let column = usize::from(mouse.column.checked_sub(area.x + 1)? / share.max(1));
        if row >= rows || column >= columns || !area.contains(mouse.column, mouse.row) {
            return None;
        }
        let at = self.top + column * rows + row;
        self.entry(at)?;
        self.chosen = Some(at);
        self.entry(at)
    }
}

/// What the action of a key does, with the name of the column that it is about.
fn text_of(row: PaletteRow, sortable: &[Column]) -> Cow<'static, str> {
    let Action::Table(TableAction::SortBy(number)) = row.action() else { return row.text().into() };
    match sortable.get(usize::from(number).saturating_sub(1)) {
        Some(column) => format!("sort by {}; again: reverse", column.name()).into(),
        None => format!("sort by column {number}; again: reverse").into(),
    }
}
