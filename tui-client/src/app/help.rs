//! The list of keys: what is searched for in it and which part is on screen.

use crate::app::App;
use crate::app::mode::Mode;
use crate::keymap::{HelpLine, help_lines};

/// Longest text that is searched for.
const LIMIT: usize = 60;

/// From this many columns on, the list stands in two columns.
const WIDE: u16 = 160;

/// The list while it is shown.
#[derive(Debug, Default)]
pub struct Help {
    top: usize,
    query: String,
    /// The mode to go back to.
    before: Mode,
}

impl Help {
    /// The mode to go back to.
    pub fn before(&self) -> Mode {
        self.before
    }

    /// The first line on screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// What is searched for.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The lines that fit what is searched for, each below its heading.
    pub fn lines(&self) -> Vec<HelpLine> {
        let query = self.query.to_lowercase();
        let fits = |text: &str| text.to_lowercase().contains(&query);
        let mut found = Vec::new();
        let mut heading = None;
        let mut whole = false;
        for line in help_lines(self.before) {
            match &line {
                HelpLine::Heading(text) => {
                    whole = fits(text);
                    heading = (!text.is_empty()).then_some(line);
                }
                HelpLine::Keys(keys, help) if whole || fits(keys) || fits(help) => {
                    if let Some(heading) = heading.take() {
                        if !found.is_empty() {
                            found.push(HelpLine::Heading(""));
                        }
                        found.push(heading);
                    }
                    found.push(line);
                }
                HelpLine::Keys(..) => {}
            }
        }
        found
    }

    /// How many columns and rows the list takes on a screen of this size.
    pub fn shape(width: u16, height: u16) -> (usize, usize) {
        let columns = if width >= WIDE { 2 } else { 1 };
        let rows = usize::from(height.saturating_sub(2));
        (columns, help_lines(Mode::default()).len().div_ceil(columns).min(rows))
    }

    /// Moves by lines on a screen with room for so many.
    pub(super) fn scroll(&mut self, lines: isize, room: usize) {
        let last = self.lines().len().saturating_sub(room);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }
}

impl App {
    pub(super) fn toggle_help(&mut self) {
        if self.mode.is_help() {
            self.mode = self.help.before;
        } else {
            self.help = Help { before: self.mode, ..Help::default() };
            self.mode = Mode::Help;
        }
    }

    pub(super) fn search_help(&mut self, c: char) {
        if self.help.query.len() < LIMIT && !c.is_control() {
            self.help.query.push(c);
            self.help.top = 0;
        }
    }

    pub(super) fn shorten_help_search(&mut self) {
        if self.help.query.pop().is_none() {
            self.mode = Mode::Help;
        }
        self.help.top = 0;
    }

    /// Ends the search, with all lines in the list again unless what was found is to stay.
    pub(super) fn end_help_search(&mut self, stay: bool) {
        self.mode = Mode::Help;
        if !stay {
            self.help.query.clear();
            self.help.top = 0;
        }
    }
}
