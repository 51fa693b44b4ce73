//! The list of keys: its search and its scroll position.

use crate::app::line_input::editor::Editor;
use crate::keymap::{Abilities, Edit, HelpLine, Mode, help_lines};

/// Columns of the screen from which on the list has two columns.
const WIDE: u16 = 160;

/// The open list of keys.
#[derive(Debug)]
pub struct Help {
    top: usize,
    query: Editor,
    searching: bool,
    /// The mode in which the list was opened, whose keys come first.
    opened_in: Mode,
    abilities: Abilities,
}

impl Help {
    /// Opens the list in a mode.
    pub fn new(opened_in: Mode, abilities: Abilities) -> Self {
        Self { top: 0, query: Editor::default(), searching: false, opened_in, abilities }
    }

    /// All lines, whatever is searched for.
    pub fn all_lines(&self) -> Vec<HelpLine> {
        help_lines(self.opened_in, self.abilities)
    }

    /// The mode of the list.
    pub fn mode(&self) -> Mode {
        if self.searching { Mode::HelpSearch } else { Mode::Help }
    }

    /// The first line on screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// The text searched for.
    pub fn query(&self) -> &str {
        self.query.text()
    }

    /// Begins a search.
    pub fn search(&mut self) {
        self.searching = true;
    }

    /// Edits the text searched for; Backspace on an empty text ends the search.
    pub fn edit(&mut self, edit: Edit) {
        if edit == Edit::DeleteLeft && self.query().is_empty() {
            return self.end_search(false);
        }
        self.top = 0;
        self.query.edit(edit);
    }

    /// Inserts text into the search; false if there is no room.
    pub fn insert(&mut self, text: &str) -> bool {
        self.top = 0;
        self.query.insert(text)
    }

    /// Ends the search and keeps the matches, or shows all lines again.
    pub fn end_search(&mut self, keep: bool) {
        self.searching = false;
        if !keep {
            (self.top, self.query) = (0, Editor::default());
        }
    }

    /// The lines that match the search, each below its heading.
    pub fn lines(&self) -> Vec<HelpLine> {
        let query = self.query().to_lowercase();
        let fits = |text: &str| text.to_lowercase().contains(&query);
        let mut found = Vec::new();
        let mut heading = None;
        let mut whole = false;
        for line in self.all_lines() {
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

    /// The columns and rows of the list on a screen of this size.
    pub fn shape(&self, (width, height): (u16, u16)) -> (usize, usize) {
        let columns = if width >= WIDE { 2 } else { 1 };
        let rows = usize::from(height.saturating_sub(2));
        (columns, self.all_lines().len().div_ceil(columns).min(rows))
    }

    /// Scrolls by lines on a screen of this size.
    pub fn scroll(&mut self, lines: isize, size: (u16, u16)) {
        let (columns, rows) = self.shape(size);
        let last = self.lines().len().saturating_sub(columns * rows);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }
}
