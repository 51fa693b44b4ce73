//! A line that is asked for: a filter, an alert, a key to watch, a search or a filter of the log, a
//! file to save it to, a search of the history.

pub mod editor;

use shared::Glob;

use crate::app::line_input::editor::Editor;
use crate::keymap::Edit;
use crate::keymap::Mode;
use crate::metrics::alerts::Alert;
use crate::metrics::filter::{BadExpr, Filter};
use crate::wire_log::bookmark::Bookmark;

/// Words that mean something else in a filter than a part of a key.
const NAMES: [&str; 13] = [
    "last", "change", "rate", "min", "max", "avg", "count", "age", "key", "stale", "and", "or",
    "not",
];

/// What the line is for.
#[derive(Debug, Clone)]
pub enum InputPurpose {
    /// A filter of the table; the one before comes back on cancel.
    Filter(Option<Filter>),
    /// An alert.
    Alert,
    /// A key or a glob to watch.
    Watch,
    /// A text to go to in the log; the view before comes back on cancel.
    LogSearch(Bookmark),
    /// A filter of the log; likewise.
    LogFilter(Bookmark),
    /// The file to save the log to.
    SaveLog,
    /// A part of a line in the history.
    HistorySearch(Found),
}

/// How far a search of the history has come.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The number of the line found last, and the line.
    pub line: Option<(usize, String)>,
    /// The last step found nothing.
    pub failed: bool,
}

impl Found {
    /// The line found; empty when there is none.
    pub fn text(&self) -> &str {
        self.line.as_ref().map_or("", |(_, line)| line)
    }
}

/// A line that is being typed for a purpose.
#[derive(Debug, Clone)]
pub struct LineInput {
    purpose: InputPurpose,
    editor: Editor,
}

impl LineInput {
    /// Begins with a text.
    pub fn new(purpose: InputPurpose, text: &str) -> Self {
        Self { purpose, editor: Editor::with_text(text) }
    }

    /// What the line is for.
    pub fn purpose(&self) -> &InputPurpose {
        &self.purpose
    }

    /// Takes the line apart: its purpose, and its text without blanks at either end.
    pub fn into_parts(self) -> (InputPurpose, String) {
        let text = self.text().trim().to_owned();
        (self.purpose, text)
    }

    /// How far a search of the history has come, and what is searched for.
    pub fn history_search(&mut self) -> Option<(&mut Found, &str)> {
        match &mut self.purpose {
            InputPurpose::HistorySearch(found) => Some((found, self.editor.text())),
            _ => None,
        }
    }

    /// The line.
    pub fn editor(&self) -> &Editor {
        &self.editor
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// The mode while the line is typed.
    pub fn mode(&self) -> Mode {
        match self.purpose {
            InputPurpose::Filter(_) | InputPurpose::Alert | InputPurpose::Watch => {
                Mode::SeriesInput
            }
            InputPurpose::LogSearch(_) | InputPurpose::LogFilter(_) | InputPurpose::SaveLog => {
                Mode::LogInput
            }
            InputPurpose::HistorySearch(_) => Mode::HistorySearch,
        }
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        self.editor.edit(edit);
    }

    /// Types text; says whether there was room for it.
    pub fn insert(&mut self, text: &str) -> bool {
        self.editor.insert(text)
    }

    /// Inserts pasted text. Of a filter, an alert or a key only the first line; a whole alert takes
    /// the place of one that was only begun.
    pub fn paste(&mut self, text: &str) -> bool {
        if self.mode() != Mode::SeriesInput {
            return self.insert(text);
        }
        let is_alert = |text: &str| text.parse::<Alert>().is_ok();
        let line = text.split(['\n', '\r']).next().unwrap_or_default();
        // As on a command line.
        let bare = line.trim().strip_prefix('\'').and_then(|line| line.strip_suffix('\''));
        let line = bare.filter(|line| is_alert(line)).unwrap_or(line);
        let replaces = is_alert(line) && !is_alert(self.text());
        if matches!(self.purpose, InputPurpose::Alert) && replaces {
            self.edit(Edit::KillAll);
        }
        self.insert(line)
    }

    /// The name of a line of [`Mode::SeriesInput`].
    pub fn name(&self) -> &'static str {
        match self.purpose {
            InputPurpose::Alert => "alert",
            InputPurpose::Watch => "watch",
            _ => "filter",
        }
    }

    /// An example for the empty line of [`Mode::SeriesInput`].
    pub fn example(&self) -> &'static str {
        match self.purpose {
            InputPurpose::Alert => "palm.cpu > 90   *.temp rate > 2",
            InputPurpose::Watch => "palm.cpu   palm.*",
            _ => "palm.*   last > 20 and age < 1m",
        }
    }

    /// The table's filter that the text is, unless it is on its way to another one: rows that come
    /// and go with each letter of `last > 20` tell nothing. `Some(None)` is no filter.
    pub fn settled_filter(&self) -> Option<Option<Filter>> {
        let text = self.text().trim();
        if text.is_empty() {
            return Some(None);
        }
        let ends = |c: char| c.is_whitespace() || "<>=!()&|~\"".contains(c);
        let word = text.rsplit(ends).next().unwrap_or_default().to_ascii_lowercase();
        let on_its_way = !word.is_empty() && NAMES.iter().any(|name| name.starts_with(&word));
        if on_its_way && word != "stale" { None } else { text.parse().ok().map(Some) }
    }

    /// What is wrong with the text as it is, and after how many characters.
    pub fn fault(&self) -> Option<(usize, String)> {
        let text = self.text();
        if text.trim().is_empty() {
            return None;
        }
        let bad = |bad: BadExpr| (bad.at, bad.reason);
        match self.purpose {
            InputPurpose::Filter(_) => text.parse::<Filter>().err().map(bad),
            InputPurpose::Alert => text.parse::<Alert>().err().map(bad),
            InputPurpose::Watch => {
                let bad = text.trim().parse::<Glob>().err()?;
                Some((bad.character, bad.reason.to_string()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_become_something_else_is_no_filter_yet() {
        for (text, settled) in [
            ("l", false),
            ("last", false),
            ("last >", false),
            ("last > 2", true),
            ("last > 20 a", false),
            ("last > 20 and", false),
            ("last>20 and age<", false),
            ("last > 20 and age < 1m", true),
            ("p", true),
            ("palm.l", true),
            ("LAST", false),
            ("palm and !sta", false),
            ("palm and !stale", true),
            ("palm !stale", false),
            ("\"last\"", true),
            ("(palm or", false),
            ("(palm or kettle)", true),
        ] {
            let input = LineInput::new(InputPurpose::Filter(None), text);
            let filter = input.settled_filter().flatten().map(|filter| filter.as_str().to_owned());
            assert_eq!(filter.as_deref(), settled.then_some(text));
        }
    }

    #[test]
    fn no_name_is_taken_for_a_part_of_a_key_on_the_way() {
        for name in NAMES {
            let other = ["stale", "and", "or", "not"].contains(&name);
            let whole = format!("{name} {}", if name == "key" { "= a" } else { "> 1" });
            assert!(other || whole.parse::<Filter>().is_ok(), "{whole}");
        }
    }
}
