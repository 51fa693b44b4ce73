//! The line input: a filter, an alert, a key to watch, a search or a filter of the log, a file for
//! the log, a search of the history.

pub mod editor;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use shared::key::KeyError;
use shared::pattern::PatternErrorReason;
use shared::{Glob, KeyBuf};

use crate::app::line_input::editor::Editor;
use crate::keymap::Edit;
use crate::keymap::Mode;
use crate::metrics::alerts::Alert;
use crate::metrics::column::Column;
use crate::metrics::filter::{BadExpr, Filter};
use crate::metrics::marks;
use crate::metrics::series::Moved;
use crate::text::escape::{escape_untrusted, name_invisible};
use crate::text::moment;
use crate::wire_log::bookmark::Bookmark;

/// The words of filters that mean something alone.
const WHOLE_WORDS: [&str; 3] = ["stale", Moved::WORDS[0], Moved::WORDS[1]];

/// The reserved words of the filter language; other words are parts of keys.
fn reserved_words() -> impl Iterator<Item = &'static str> {
    let words = Column::filtered().map(Column::word).chain(["key", "and", "or", "not"]);
    words.chain(WHOLE_WORDS)
}

/// The purpose of a line input.
#[derive(Debug, Clone)]
pub enum InputPurpose {
    /// A filter of the table, with the previous filter, which is restored on cancel.
    Filter(Option<Filter>),
    /// An alert.
    Alert,
    /// A key or a glob to watch.
    Watch,
    /// A time to go to.
    Time,
    /// The name of a mark, at this Unix time or now.
    Mark(Option<i64>),
    /// A mark or a time to compare the table with.
    Compare,
    /// A search of the log, with the position in the log, which is restored on cancel.
    LogSearch(Bookmark),
    /// A filter of the log, with the position in the log, which is restored on cancel.
    LogFilter(Bookmark),
    /// The file to save the log to.
    SaveLog,
    /// The file to save a picture of the screen to.
    SavePicture,
    /// The file to save the session to.
    SaveSession,
    /// The file to save the view to.
    SaveView,
    /// A search of the history, with its state.
    HistorySearch(Found),
}

/// The state of a search of the history.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The number of the line found last, and the line.
    pub line: Option<(usize, String)>,
    /// The last step had no match.
    pub failed: bool,
}

impl Found {
    /// The line found; empty without one.
    pub fn text(&self) -> &str {
        self.line.as_ref().map_or("", |(_, line)| line)
    }
}

/// The text that is meant by what is typed.
#[derive(Debug)]
struct Meant<'a> {
    text: Cow<'a, str>,
    /// Characters that the text stands further to the right in the line.
    shift: isize,
}

/// A line being typed, and its purpose.
#[derive(Debug, Clone)]
pub struct LineInput {
    purpose: InputPurpose,
    editor: Editor,
    /// The text that the line began with.
    begun: String,
    /// All of the text is selected: what is typed replaces it.
    is_selected: bool,
    /// The names that completion goes through.
    completion: Option<Completion>,
}

/// The names that completion goes through.
#[derive(Debug, Clone)]
struct Completion {
    names: Vec<String>,
    at: usize,
    start: usize,
    /// The line after the last step.
    text: String,
}

impl LineInput {
    /// A line input that begins with a text.
    pub fn new(purpose: InputPurpose, text: &str) -> Self {
        let (editor, begun) = (Editor::with_text(text), text.to_owned());
        let is_selected = matches!(purpose, InputPurpose::Filter(_)) && !text.is_empty();
        Self { purpose, editor, begun, is_selected, completion: None }
    }

    /// All of the text is selected, as that of the filter before is at first: what is typed replaces it,
    /// and any key that moves or edits goes on with it.
    pub fn is_selected(&self) -> bool {
        self.is_selected
    }

    /// The purpose of the line.
    pub fn purpose(&self) -> &InputPurpose {
        &self.purpose
    }

    /// The purpose, and the text that is meant, without blanks at either end.
    pub fn into_parts(self) -> (InputPurpose, String) {
        let text = self.meant().text.trim().to_owned();
        (self.purpose, text)
    }

    /// The text that is meant. A name of a mark has dashes in place of blanks. An alert begins with a key and `>`: behind them stands a number, or
    /// a whole alert, or a condition on that key.
    fn meant(&self) -> Meant<'_> {
        let text = self.text();
        let as_typed = Meant { text: text.into(), shift: 0 };
        if matches!(self.purpose, InputPurpose::Mark(_)) {
            return Meant { text: marks::name(text).into(), shift: 0 };
        }
        let typed = text.strip_prefix(&self.begun).filter(|_| !self.begun.is_empty());
        let Some(typed) = typed.filter(|_| matches!(self.purpose, InputPurpose::Alert)) else {
            return as_typed;
        };
        let is_alert = |text: &str| text.parse::<Alert>().is_ok();
        let length = |text: &str| text.chars().count().cast_signed();
        let begins_with_number =
            typed.trim_start().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let is_whole = is_alert(typed);
        if typed.trim().is_empty() || is_alert(text) || (begins_with_number && !is_whole) {
            return as_typed;
        }
        let key = self.begun.trim_end_matches([' ', '>']);
        let of_key = format!("{key} {typed}");
        if !is_whole && (is_alert(&of_key) || typed.trim_start().starts_with(['<', '>', '=', '!']))
        {
            let shift = length(&self.begun) - length(key) - 1;
            return Meant { text: of_key.into(), shift };
        }
        Meant { text: typed.into(), shift: length(&self.begun) }
    }

    /// The state of a search of the history, and the text searched for.
    pub fn history_search(&mut self) -> Option<(&mut Found, &str)> {
        match &mut self.purpose {
            InputPurpose::HistorySearch(found) => Some((found, self.editor.text())),
            _ => None,
        }
    }

    /// The editor of the line.
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
            InputPurpose::Filter(_)
            | InputPurpose::Alert
            | InputPurpose::Watch
            | InputPurpose::Time
            | InputPurpose::Mark(_)
            | InputPurpose::Compare => Mode::SeriesInput,
            InputPurpose::LogSearch(_)
            | InputPurpose::LogFilter(_)
            | InputPurpose::SaveLog
            | InputPurpose::SavePicture
            | InputPurpose::SaveSession
            | InputPurpose::SaveView => Mode::LogInput,
            InputPurpose::HistorySearch(_) => Mode::HistorySearch,
        }
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        let deletes = matches!(edit, Edit::DeleteLeft | Edit::DeleteRight);
        let is_selected = std::mem::take(&mut self.is_selected);
        self.editor.edit(if deletes && is_selected { Edit::KillAll } else { edit });
    }

    /// Inserts typed text; false if there is no room.
    pub fn insert(&mut self, text: &str) -> bool {
        if std::mem::take(&mut self.is_selected) {
            self.editor.edit(Edit::KillAll);
        }
        self.editor.insert(text)
    }

    /// The beginning of the word before the cursor that may be completed, in bytes, and the word: all of
    /// a name, the last word of an alert or a filter.
    pub fn word_to_complete(&self) -> (usize, &str) {
        let before = self.editor.before();
        let ends = |c: char| c.is_whitespace() || "<>=!()&|~\"".contains(c);
        let start = match self.purpose {
            InputPurpose::Alert | InputPurpose::Filter(_) => before
                .rfind(ends)
                .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8)),
            _ => before.len() - before.trim_start().len(),
        };
        (start, &before[start..])
    }

    /// Completes the word that begins at a byte as far as all of these names go, the next time by the next
    /// of them, or the one before; false if there is none.
    pub fn complete(&mut self, start: usize, names: Vec<String>, forward: bool) -> bool {
        self.is_selected = false;
        let text = self.editor.text();
        if let Some(completion) = self.completion.as_mut().filter(|it| it.text == text) {
            let count = completion.names.len();
            completion.at = (completion.at + if forward { 1 } else { count - 1 }) % count;
            self.editor.replace_before(completion.start, &completion.names[completion.at]);
            self.editor.text().clone_into(&mut completion.text);
            return true;
        }
        self.completion = None;
        let Some(first) = names.first() else { return false };
        let common = names.iter().fold(first.as_str(), |common, name| {
            let same = common.chars().zip(name.chars()).take_while(|(a, b)| a == b);
            &common[..same.map(|(a, _)| a.len_utf8()).sum()]
        });
        if common.len() > self.editor.before().len() - start || names.len() == 1 {
            self.editor.replace_before(start, common);
        } else {
            let at = if forward { 0 } else { names.len() - 1 };
            self.editor.replace_before(start, &names[at]);
            let text = self.editor.text().to_owned();
            self.completion = Some(Completion { names, at, start, text });
        }
        true
    }

    /// Inserts pasted text: only the first line for a filter, an alert or a key. A complete alert
    /// replaces an incomplete one.
    pub fn paste(&mut self, text: &str) -> bool {
        if self.mode() != Mode::SeriesInput {
            return self.insert(text);
        }
        let is_alert = |text: &str| text.parse::<Alert>().is_ok();
        let line = text.split(['\n', '\r']).next().unwrap_or_default();
        // Quotes of a shell are removed.
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
            InputPurpose::Time => "time",
            InputPurpose::Mark(_) => "mark",
            InputPurpose::Compare => "compare with",
            _ => "filter",
        }
    }

    /// An example for the empty line of [`Mode::SeriesInput`], where there are no names for one.
    pub fn example(&self) -> &'static str {
        match self.purpose {
            InputPurpose::Alert => "palm.cpu > 90   *.temp rate > 2",
            InputPurpose::Watch => "palm.cpu   palm.*",
            InputPurpose::Mark(_) => "deploy   reboot",
            InputPurpose::Compare => "deploy   -1h   yesterday 9:00",
            InputPurpose::Time => "-2h   14:30   yesterday 9:00",
            _ => "palm.*   last > 20 and age < 1m",
        }
    }

    /// The filter to preview: none while the text may be the beginning of a longer expression, so
    /// that the rows do not change with each letter of `last > 20`. `Some(None)` shows all rows.
    pub fn settled_filter(&self) -> Option<Option<Filter>> {
        let text = self.text().trim();
        if text.is_empty() {
            return Some(None);
        }
        let ends = |c: char| c.is_whitespace() || "<>=!()&|~\"".contains(c);
        let word = text.rsplit(ends).next().unwrap_or_default().to_ascii_lowercase();
        let on_its_way = !word.is_empty() && reserved_words().any(|name| name.starts_with(&word));
        if on_its_way && !WHOLE_WORDS.contains(&&*word) {
            None
        } else {
            text.parse().ok().map(Some)
        }
    }

    /// The character at which the text is invalid, from 0, and the reason.
    pub fn fault(&self) -> Option<(usize, String)> {
        let text = self.text();
        if text.trim().is_empty() {
            return None;
        }
        let bad = |bad: BadExpr| (bad.at, bad.reason);
        match self.purpose {
            InputPurpose::Filter(_) => text.parse::<Filter>().err().map(bad),
            InputPurpose::Alert => {
                let Meant { text, shift } = self.meant();
                let bad = text.parse::<Alert>().err()?;
                Some((bad.at.saturating_add_signed(shift), bad.reason))
            }
            InputPurpose::Time => Some((0, moment::parse(text, 0, &TimeZone::UTC).err()?)),
            InputPurpose::Mark(_) => {
                let bad =
                    format!("{}{}", marks::PREFIX, self.meant().text).parse::<KeyBuf>().err()?;
                let (at, reason) = match bad {
                    KeyError::Forbidden(c) => {
                        (text.chars().position(|it| it == c), format!("a name holds no {c:?}"))
                    }
                    other => (None, other.to_string().replace("key", "name")),
                };
                Some((at.unwrap_or(0), reason))
            }
            InputPurpose::Watch => {
                let before = text.chars().take_while(|c| c.is_whitespace()).count();
                let text = text.trim();
                let bad = text.parse::<Glob>().err()?;
                let reason = match bad.reason {
                    PatternErrorReason::Forbidden => forbidden(&text[bad.at.clone()]),
                    reason => reason.to_string(),
                };
                Some((before + bad.character, reason))
            }
            _ => None,
        }
    }
}

/// Why a character is in no key, by its name.
fn forbidden(character: &str) -> String {
    match character {
        " " => "no key has a blank in it; one key or glob at a time".to_owned(),
        "[" | "]" => format!("no key holds \"{character}\": it is watched without a range"),
        other => match name_invisible(other) {
            Some(name) => format!("no key holds {name}"),
            None => format!("no key holds \"{}\"", escape_untrusted(other.as_bytes())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_that_is_in_no_key_is_named() {
        let fault = |text| LineInput::new(InputPurpose::Watch, text).fault();
        for (text, at, part) in [
            ("a b", 1, "no key has a blank in it"),
            ("  a b", 3, "no key has a blank in it"),
            ("a[1:]", 1, "no key holds \"[\""),
            ("a\u{2003}b", 1, "no key holds"),
            ("{a", 0, "a { without its }"),
        ] {
            let (place, reason) = fault(text).unwrap();
            assert_eq!(place, at, "{text}");
            assert!(reason.starts_with(part), "{text}: {reason}");
        }
        assert_eq!(fault("a "), None);
    }

    #[test]
    fn the_filter_before_is_selected_so_that_typing_replaces_it() {
        let old = || LineInput::new(InputPurpose::Filter(None), "palm.*");
        let text = |act: &dyn Fn(&mut LineInput)| {
            let mut line = old();
            assert!(line.is_selected());
            act(&mut line);
            assert!(!line.is_selected());
            line.text().to_owned()
        };
        let insert = |line: &mut LineInput| assert!(line.insert("x"));
        assert_eq!(text(&insert), "x");
        assert_eq!(text(&|line| assert!(line.paste("a b"))), "a b");
        assert_eq!(text(&|line| line.edit(Edit::DeleteLeft)), "");
        let undone = |line: &mut LineInput| {
            insert(line);
            line.edit(Edit::Undo);
            line.edit(Edit::Undo);
        };
        assert_eq!(text(&undone), "palm.*", "it is not lost");
        for edit in [Edit::End, Edit::Start, Edit::Left] {
            let goes_on = |line: &mut LineInput| {
                line.edit(edit);
                line.edit(Edit::End);
                insert(line);
            };
            assert_eq!(text(&goes_on), "palm.*x", "{edit:?}");
        }
        assert!(!LineInput::new(InputPurpose::Filter(None), "").is_selected());
        assert!(!LineInput::new(InputPurpose::Alert, "a > ").is_selected());
    }

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
            ("p", false),
            ("x", true),
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
        for name in reserved_words() {
            let other = ["stale", "new", "stopped", "and", "or", "not"].contains(&name);
            let whole = format!("{name} {}", if name == "key" { "= a" } else { "> 1" });
            assert!(other || whole.parse::<Filter>().is_ok(), "{whole}");
        }
    }

    #[test]
    fn an_alert_behind_the_key_that_the_line_begins_with_is_understood() {
        for (typed, meant) in [
            ("5", Ok("a.b > 5")),
            ("-.5", Ok("a.b > -.5")),
            ("a.b > 5", Ok("a.b > 5")),
            ("other.* rate > 5", Ok("other.* rate > 5")),
            ("5m.load < 1", Ok("5m.load < 1")),
            ("> 5", Ok("a.b > 5")),
            ("<= 5", Ok("a.b <= 5")),
            ("rate > 5", Ok("a.b rate > 5")),
            ("age > 1m", Ok("a.b age > 1m")),
            ("", Err((5, "a number is missing"))),
            ("5x", Err((6, "expected a number such as 20, 1.5k or 2M"))),
            ("other", Err((11, "one of < <= > >= = != is missing"))),
            ("other >", Err((13, "a number is missing"))),
            ("other > x", Err((14, "expected a number such as 20, 1.5k or 2M"))),
            ("> x", Err((8, "expected a number such as 20, 1.5k or 2M"))),
        ] {
            let mut input = LineInput::new(InputPurpose::Alert, "a.b > ");
            input.insert(typed);
            let fault = input.fault();
            let fault = fault.as_ref().map(|(at, reason)| (*at, reason.as_str()));
            assert_eq!(fault, meant.err(), "{typed:?}");
            if let Ok(meant) = meant {
                assert_eq!(input.into_parts().1, meant);
            }
        }
        let mut input = LineInput::new(InputPurpose::Alert, "");
        input.insert("rate > 5");
        assert!(input.fault().is_some(), "on which key?");
    }
}
