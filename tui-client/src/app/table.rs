//! The table of the last `get`: its rows, the selection, the part on screen.

use super::fold::{Answer, Series};

/// The last answer.
#[derive(Debug)]
pub struct Table {
    request: String,
    answer: Answer,
    loaded: bool,
    selected: usize,
    top: usize,
}

impl Table {
    /// Empty, waiting for the answer to `request`.
    pub fn new(request: impl Into<String>) -> Self {
        Self {
            request: request.into(),
            answer: Answer::default(),
            loaded: false,
            selected: 0,
            top: 0,
        }
    }

    /// The request that the table answers.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The answer.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Whether any answer has come yet.
    pub fn loaded(&self) -> bool {
        self.loaded
    }

    /// The place of the selected row.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The selected row.
    pub fn selected_series(&self) -> Option<&Series> {
        self.answer.series.get(self.selected)
    }

    /// The rows on a screen of this many, and the place of the first.
    pub fn visible(&self, rows: usize) -> (usize, &[Series]) {
        let all = &self.answer.series;
        let from = self.top.min(all.len().saturating_sub(rows));
        (from, &all[from..(from + rows).min(all.len())])
    }

    /// Shows a new answer. The selection stays with its key.
    pub fn show(&mut self, request: &str, answer: Answer, rows: usize) {
        let key = self.selected_series().map(|series| series.key.clone());
        if request != self.request {
            request.clone_into(&mut self.request);
            self.top = 0;
        }
        self.answer = answer;
        self.loaded = true;
        if let Some(key) = key
            && self.selected_series().is_none_or(|series| series.key != key)
        {
            let series = &self.answer.series;
            self.selected = series.iter().position(|series| series.key == key).unwrap_or(0);
        }
        self.move_by(0, rows);
    }

    /// Moves the selection, up when negative, on a screen of this many rows.
    pub fn move_by(&mut self, lines: isize, rows: usize) {
        let last = self.answer.series.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
        self.top = self.top.min(self.selected).max((self.selected + 1).saturating_sub(rows));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::Fold;
    use super::*;

    fn answer(text: &str) -> Answer {
        let mut fold = Fold::new(4);
        fold.add_lines(text.as_bytes());
        fold.finish()
    }

    #[test]
    fn the_selection_stays_with_its_key_and_in_sight() {
        let mut table = Table::new("get *");
        table.show("get *", answer("a 1.0 1\nb 1.0 1\nc 1.0 1\nd 1.0 1\n"), 2);
        table.move_by(2, 2);
        assert_eq!(table.visible(2).0, 1);
        table.show("get *", answer("z 1.0 1\na 1.0 1\nb 1.0 1\nc 1.0 1\n"), 2);
        assert_eq!(table.selected(), 3);
        assert_eq!(table.visible(2).0, 2);
        table.show("get *", Answer::default(), 2);
        assert!(table.visible(2).1.is_empty());
        table.move_by(-5, 0);
        assert_eq!(table.selected(), 0);
    }
}
