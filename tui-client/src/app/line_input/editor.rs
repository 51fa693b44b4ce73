//! The line editor with the keys of readline: a `tui-input` buffer that moves and deletes by
//! grapheme, with words, a kill buffer and undo.

use tui_input::{Input, InputRequest};

use crate::keymap::Edit;
use crate::text::width::{scrolled, width};

/// The longest text in bytes. Longer than a request, so that a request that is too long can be
/// corrected.
pub const MAX_TEXT: usize = 4 * shared::limits::MAX_LINE;

/// The most states that undo can restore.
const MAX_UNDO: usize = 200;

/// The kind of the last edit; consecutive edits of one kind are combined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum LastEdit {
    #[default]
    Other,
    Typing,
    Killing,
}

/// A line of text with a cursor between two graphemes.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    input: Input,
    killed: String,
    /// Text and cursor before each edit, oldest first.
    undo: Vec<(String, usize)>,
    last: LastEdit,
}

impl Editor {
    /// An editor with a text, the cursor at the end.
    pub fn with_text(text: &str) -> Self {
        let mut editor = Self::default();
        editor.insert(text);
        editor
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The text before the cursor.
    pub fn before(&self) -> &str {
        &self.text()[..self.cursor()]
    }

    /// The byte position of the cursor.
    pub fn cursor(&self) -> usize {
        let text = self.text();
        text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at)
    }

    /// The cursor is at the end of the text.
    pub fn at_end(&self) -> bool {
        self.cursor() == self.text().len()
    }

    /// The column of the cursor.
    pub fn cursor_column(&self) -> usize {
        width(self.before())
    }

    /// The first column to show in a field of this width, so that the cursor is visible.
    pub fn first_column(&self, width: usize) -> usize {
        scrolled(self.before(), width)
    }

    /// Inserts text at the cursor without its control characters; false, without inserting
    /// anything, if the line would be longer than [`MAX_TEXT`].
    pub fn insert(&mut self, text: &str) -> bool {
        let clean = clean(text);
        if clean.is_empty() {
            return true;
        }
        if self.text().len() + clean.len() > MAX_TEXT {
            return false;
        }
        // Typed text is undone word by word, pasted text at once.
        let typed = clean.chars().nth(1).is_none();
        if !typed || self.last != LastEdit::Typing || clean == " " {
            self.remember();
        }
        self.last = if typed { LastEdit::Typing } else { LastEdit::Other };
        let at = self.cursor();
        self.splice(at, at, &clean);
        true
    }

    /// Replaces the text; undo restores the previous one.
    pub fn set(&mut self, text: &str) {
        self.last = LastEdit::Other;
        if self.text() != text {
            self.remember();
        }
        self.input = Input::new(clean(text));
    }

    /// Replaces the bytes from `start` up to the cursor.
    pub fn replace_before(&mut self, start: usize, text: &str) {
        let cursor = self.cursor();
        if start <= cursor && self.text().is_char_boundary(start) {
            self.remember();
            self.last = LastEdit::Other;
            self.splice(start, cursor, text);
        }
    }

    /// Takes the text out; the kill buffer stays.
    pub fn take(&mut self) -> String {
        self.undo.clear();
        self.last = LastEdit::Other;
        self.input.value_and_reset()
    }

    /// Performs the edit of a key.
    pub fn edit(&mut self, edit: Edit) {
        let last = std::mem::take(&mut self.last);
        let (cursor, end) = (self.cursor(), self.text().len());
        let request = match edit {
            Edit::Left => InputRequest::GoToPrevChar,
            Edit::Right => InputRequest::GoToNextChar,
            Edit::Start => InputRequest::GoToStart,
            Edit::End => InputRequest::GoToEnd,
            Edit::WordLeft => self.request_cursor(self.word_left(char::is_alphanumeric)),
            Edit::WordRight => self.request_cursor(self.word_right()),
            Edit::DeleteLeft => return self.delete(InputRequest::DeletePrevChar),
            Edit::DeleteRight => return self.delete(InputRequest::DeleteNextChar),
            Edit::KillWordLeft => {
                return self.kill(last, self.word_left(char::is_alphanumeric), cursor);
            }
            Edit::KillBlankWordLeft => {
                return self.kill(last, self.word_left(|c| !c.is_whitespace()), cursor);
            }
            Edit::KillWordRight => return self.kill(last, cursor, self.word_right()),
            Edit::KillToStart => return self.kill(last, 0, cursor),
            Edit::KillToEnd => return self.kill(last, cursor, end),
            Edit::KillAll => return self.kill(last, 0, end),
            Edit::Yank => {
                let killed = self.killed.clone();
                self.insert(&killed);
                self.last = LastEdit::Other;
                return;
            }
            Edit::Undo => {
                if let Some((text, cursor)) = self.undo.pop() {
                    self.input = Input::new(text).with_cursor(cursor);
                }
                return;
            }
        };
        self.input.handle(request);
    }

    fn request_cursor(&self, byte: usize) -> InputRequest {
        InputRequest::SetCursor(self.text()[..byte].chars().count())
    }

    fn word_left(&self, inside: impl Fn(char) -> bool) -> usize {
        let rest = self.before().trim_end_matches(|c| !inside(c));
        rest.trim_end_matches(inside).len()
    }

    fn word_right(&self) -> usize {
        self.text().len() - after_word(&self.text()[self.cursor()..]).len()
    }

    fn remember(&mut self) {
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.text().to_owned(), self.input.cursor()));
    }

    /// Replaces a range of bytes and moves the cursor to the end of the new text.
    fn splice(&mut self, from: usize, to: usize, text: &str) {
        let mut whole = self.text().to_owned();
        whole.replace_range(from..to, text);
        let cursor = whole[..from + text.len()].chars().count();
        self.input = Input::new(whole).with_cursor(cursor);
        self.settle();
    }

    /// Moves the cursor out of a grapheme that an edit has combined.
    fn settle(&mut self) {
        if self.input.handle(InputRequest::GoToPrevChar).is_some() {
            self.input.handle(InputRequest::GoToNextChar);
        }
    }

    fn delete(&mut self, request: InputRequest) {
        self.remember();
        if self.input.handle(request).is_none() {
            self.undo.pop();
        }
        self.settle();
    }

    /// Moves a range of bytes to the kill buffer; consecutive kills are joined in the order of the
    /// text.
    fn kill(&mut self, last: LastEdit, from: usize, to: usize) {
        if from < to {
            let cursor = self.cursor();
            let piece = &self.input.value()[from..to];
            match last {
                LastEdit::Killing if from < cursor && to == cursor => {
                    self.killed.insert_str(0, piece);
                }
                LastEdit::Killing => self.killed.push_str(piece),
                LastEdit::Other | LastEdit::Typing => piece.clone_into(&mut self.killed),
            }
            self.remember();
            self.splice(from, to, "");
        }
        self.last = LastEdit::Killing;
    }
}

/// The text as it may stand in a line.
fn clean(text: &str) -> String {
    // A tab separates words, so it becomes a blank.
    let blanks = text.chars().map(|c| if c == '\t' { ' ' } else { c });
    blanks.filter(|c| !c.is_control()).collect()
}

/// The rest of a text after its first word.
pub fn after_word(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_alphanumeric())
        .trim_start_matches(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` is the cursor.
    fn editor(text: &str) -> Editor {
        let (before, after) = text.split_once('|').unwrap();
        let mut editor = Editor::default();
        editor.insert(after);
        editor.edit(Edit::Start);
        editor.insert(before);
        editor
    }

    fn shown(editor: &Editor) -> String {
        format!("{}|{}", editor.before(), &editor.text()[editor.cursor()..])
    }

    #[test]
    fn keys_do_what_readline_does() {
        use Edit as E;
        for (before, edits, after) in [
            ("put palm.cpu| 1", &[E::WordLeft][..], "put palm.|cpu 1"),
            ("put palm.cpu |1", &[E::WordLeft, E::WordLeft], "put |palm.cpu 1"),
            ("|put palm.cpu", &[E::WordRight, E::WordRight], "put palm|.cpu"),
            ("|put palm", &[E::KillWordRight], "| palm"),
            ("put palm.cpu |1", &[E::KillBlankWordLeft], "put |1"),
            ("put palm.cpu|", &[E::KillWordLeft], "put palm.|"),
            ("put| palm", &[E::KillToStart], "| palm"),
            ("put| palm", &[E::KillToEnd], "put|"),
            ("put a|", &[E::KillToStart, E::Yank, E::Yank], "put aput a|"),
            ("a b c|", &[E::KillBlankWordLeft, E::KillBlankWordLeft, E::Yank], "a b c|"),
            ("|a b c", &[E::KillWordRight, E::KillWordRight, E::End, E::Yank], " ca b|"),
            ("a😀|", &[E::DeleteLeft], "a|"),
            ("e\u{301}|x", &[E::DeleteLeft], "|x"),
            ("👩‍👩‍👧|", &[E::Left, E::DeleteRight], "|"),
            ("|", &[E::DeleteLeft, E::DeleteRight, E::KillWordLeft, E::Undo, E::Undo], "|"),
            ("ab|", &[E::Start, E::End, E::Left, E::Left, E::Right], "a|b"),
        ] {
            let mut editor = editor(before);
            for &edit in edits {
                editor.edit(edit);
            }
            assert_eq!(shown(&editor), after, "{before} {edits:?}");
        }
    }

    #[test]
    fn undo_goes_back_word_by_word_and_over_kills() {
        let mut editor = Editor::default();
        for c in "put a 1".chars() {
            editor.insert(c.encode_utf8(&mut [0; 4]));
        }
        editor.edit(Edit::KillAll);
        let mut seen = Vec::new();
        for _ in 0..5 {
            editor.edit(Edit::Undo);
            seen.push(editor.text().to_owned());
        }
        assert_eq!(seen, ["put a 1", "put a", "put", "", ""]);
        editor.set("get b");
        editor.set("");
        editor.edit(Edit::Undo);
        assert_eq!(shown(&editor), "get b|");
        for text in ["x", "pasted words", "y"] {
            editor.insert(text);
        }
        for left in ["get bxpasted words|", "get bx|", "get b|"] {
            editor.edit(Edit::Undo);
            assert_eq!(shown(&editor), left, "a paste is undone as one");
        }
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut editor = Editor::default();
        assert!(!editor.insert(&"x".repeat(MAX_TEXT + 1)));
        assert_eq!(editor.text(), "", "it is not cut either");
        assert!(editor.insert(&"x".repeat(MAX_TEXT)) && !editor.insert("x"));
        for _ in 0..10 * MAX_UNDO {
            editor.edit(Edit::DeleteLeft);
        }
        assert_eq!(editor.undo.len(), MAX_UNDO);
        editor.insert("\u{1b}[2J\n");
        assert!(editor.text().ends_with("[2J"));
    }
}
