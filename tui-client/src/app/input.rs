//! The command line: text, cursor, history.

use tui_input::{Input, InputRequest};

use super::history::History;

/// Longest line that may be typed; the protocol's limit, so nothing useful is lost.
const LIMIT: usize = shared::limits::MAX_LINE;

/// The line being edited.
#[derive(Debug, Default)]
pub struct Prompt {
    input: Input,
    history: History,
}

impl Prompt {
    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The column of the cursor.
    pub fn cursor_column(&self) -> usize {
        self.input.visual_cursor()
    }

    /// The first column to show in a field of this width.
    pub fn first_column(&self, width: usize) -> usize {
        self.input.visual_scroll(width)
    }

    /// Edits the line.
    pub fn edit(&mut self, request: InputRequest) {
        self.input.handle(request);
    }

    /// Types text, up to the longest line that the protocol has.
    pub fn insert(&mut self, text: &str) {
        let room = LIMIT.saturating_sub(self.text().len());
        // One change instead of one for each character, which would be quadratic in a paste.
        let at = self.input.cursor();
        let byte = self.text().char_indices().nth(at).map_or(self.text().len(), |(byte, _)| byte);
        let mut used = 0;
        let fits = |c: &char| {
            used += c.len_utf8();
            used <= room
        };
        let clean: String = text.chars().filter(|c| !c.is_control()).take_while(fits).collect();
        let cursor = at + clean.chars().count();
        let mut whole = self.text().to_owned();
        whole.insert_str(byte, &clean);
        self.input = std::mem::take(&mut self.input).with_value(whole).with_cursor(cursor);
    }

    /// Takes the line out and remembers it.
    pub fn take(&mut self) -> String {
        let line = self.input.value_and_reset();
        self.history.push(&line);
        line
    }

    /// Shows the line entered before the one shown.
    pub fn older(&mut self) {
        if let Some(line) = self.history.older(self.input.value()) {
            self.input = Input::new(line.to_owned());
        }
    }

    /// Shows the line entered after the one shown.
    pub fn newer(&mut self) {
        if let Some(line) = self.history.newer() {
            self.input = Input::new(line.to_owned());
        }
    }
}
