//! A line about the table or the watched keys: a filter, an alert, a key or glob to watch.

use shared::Glob;

use crate::app::editor::{Edit, Editor};
use crate::app::mode::Mode;
use crate::metrics::expression::{Alert, Filter};

/// Longest line; nobody types a longer expression.
const LIMIT: usize = 1000;

/// Words that mean something else in a filter than a part of a key.
const NAMES: [&str; 13] = [
    "last", "change", "rate", "min", "max", "avg", "count", "age", "key", "stale", "and", "or",
    "not",
];

/// What the line is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// Which rows the table shows; what it was before comes back when one leaves.
    Filter(Option<Filter>),
    /// What should not be.
    Alert,
    /// What to watch.
    Watch,
}

/// The line that is being typed.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is for.
    pub purpose: Purpose,
    /// Where the keys go afterwards.
    pub back: Mode,
    input: Editor,
}

impl Field {
    /// Begins with some text.
    pub fn new(purpose: Purpose, back: Mode, text: &str) -> Self {
        let mut input = Editor::default();
        input.insert(text);
        Self { purpose, back, input }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.text()
    }

    /// The column of the cursor.
    pub fn cursor_column(&self) -> usize {
        self.input.cursor_column()
    }

    /// The first column to show in a field of this width.
    pub fn first_column(&self, width: usize) -> usize {
        self.input.first_column(width)
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        self.input.edit(edit);
    }

    /// Types text.
    pub fn insert(&mut self, text: &str) {
        if self.text().len() + text.len() <= LIMIT {
            self.input.insert(text);
        }
    }

    /// The name of the line.
    pub fn name(&self) -> &'static str {
        match self.purpose {
            Purpose::Filter(_) => "filter",
            Purpose::Alert => "alert",
            Purpose::Watch => "watch",
        }
    }

    /// An example for the empty line.
    pub fn example(&self) -> &'static str {
        match self.purpose {
            Purpose::Filter(_) => "palm.*   last > 20 and age < 1m",
            Purpose::Alert => "palm.cpu > 90   *.temp rate > 2",
            Purpose::Watch => "palm.cpu   palm.*",
        }
    }

    /// The filter that the text is, unless it is on its way to another one: rows that come and go
    /// with each letter of `last > 20` tell nobody anything.
    pub fn settled_filter(&self) -> Option<Filter> {
        let text = self.text().trim();
        let ends = |c: char| c.is_whitespace() || "<>=!()&|~\"".contains(c);
        let word = text.rsplit(ends).next().unwrap_or_default();
        let word = word.to_ascii_lowercase();
        let on_its_way = !word.is_empty() && NAMES.iter().any(|name| name.starts_with(&word));
        if on_its_way && word != "stale" { None } else { text.parse().ok() }
    }

    /// What is wrong with the text as it is, and after how many characters.
    pub fn fault(&self) -> Option<(usize, String)> {
        let text = self.text();
        if text.trim().is_empty() {
            return None;
        }
        let bad = |bad: crate::metrics::expression::BadExpr| (bad.at, bad.reason);
        match self.purpose {
            Purpose::Filter(_) => text.parse::<Filter>().err().map(bad),
            Purpose::Alert => text.parse::<Alert>().err().map(bad),
            Purpose::Watch => {
                let bad = text.trim().parse::<Glob>().err()?;
                Some((bad.character, bad.reason.to_string()))
            }
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
            let field = Field::new(Purpose::Filter(None), Mode::Table, text);
            let filter = field.settled_filter().map(|filter| filter.as_str().to_owned());
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
