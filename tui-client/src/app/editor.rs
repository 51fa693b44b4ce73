//! One line of text under the keys that readline taught everybody: moves by what a reader sees
//! as a character and by words, a place for what was deleted, undo.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

pub use crate::keymap::Edit;

/// Longest text, in bytes: more than a request may have, so that one that is too long can be seen
/// and mended.
pub const LIMIT: usize = 4 * shared::limits::MAX_LINE;

/// States that can be brought back.
const UNDO: usize = 200;

/// What was done last: the same again belongs together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Doing {
    #[default]
    Other,
    Typing,
    Killing,
}

/// The line being edited.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    text: String,
    /// A byte between two graphemes.
    cursor: usize,
    killed: String,
    undo: Vec<(String, usize)>,
    doing: Doing,
}

impl Editor {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The place of the cursor, in bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The cursor is behind the last character.
    pub fn at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// The column of the cursor.
    pub fn cursor_column(&self) -> usize {
        self.before().width()
    }

    /// The first column to show in a field of this width, so that the cursor can be seen.
    pub fn first_column(&self, width: usize) -> usize {
        self.cursor_column().saturating_sub(width)
    }

    /// Types text at the cursor, control characters left out. What would make the line longer than
    /// [`LIMIT`] is not taken at all, because nobody sees where it would be cut; says whether it was.
    pub fn insert(&mut self, text: &str) -> bool {
        let clean = clean(text);
        if clean.is_empty() {
            return true;
        }
        if self.text.len() + clean.len() > LIMIT {
            return false;
        }
        // A word at a time is undone, and what was pasted as one.
        let key = clean.chars().nth(1).is_none();
        if !key || self.doing != Doing::Typing || clean == " " {
            self.remember();
        }
        self.doing = if key { Doing::Typing } else { Doing::Other };
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        self.settle();
        true
    }

    /// Replaces everything; it can be undone.
    pub fn set(&mut self, text: &str) {
        self.doing = Doing::Other;
        if self.text != text {
            self.remember();
            self.text = clean(text);
        }
        self.cursor = self.text.len();
    }

    /// Replaces the bytes from `start` up to the cursor.
    pub fn replace_before(&mut self, start: usize, text: &str) {
        if start > self.cursor || !self.text.is_char_boundary(start) {
            return;
        }
        self.remember();
        self.doing = Doing::Other;
        self.text.replace_range(start..self.cursor, text);
        self.cursor = start + text.len();
        self.settle();
    }

    /// Takes the text out; what was killed stays.
    pub fn take(&mut self) -> String {
        self.undo.clear();
        self.doing = Doing::Other;
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Does what a key means.
    pub fn edit(&mut self, edit: Edit) {
        let doing = std::mem::take(&mut self.doing);
        match edit {
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::WordLeft => self.cursor = self.word_left(char::is_alphanumeric),
            Edit::WordRight => self.cursor = self.word_right(),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::DeleteLeft => self.cut(self.left(), self.cursor),
            Edit::DeleteRight => self.cut(self.cursor, self.right()),
            Edit::KillWordLeft => {
                self.kill(doing, self.word_left(char::is_alphanumeric), self.cursor);
            }
            Edit::KillBlankWordLeft => {
                self.kill(doing, self.word_left(|c| !c.is_whitespace()), self.cursor);
            }
            Edit::KillWordRight => self.kill(doing, self.cursor, self.word_right()),
            Edit::KillToStart => self.kill(doing, 0, self.cursor),
            Edit::KillToEnd => self.kill(doing, self.cursor, self.text.len()),
            Edit::KillAll => self.kill(doing, 0, self.text.len()),
            Edit::Yank => {
                let killed = self.killed.clone();
                self.insert(&killed);
                self.doing = Doing::Other;
            }
            Edit::Undo => {
                if let Some((text, cursor)) = self.undo.pop() {
                    (self.text, self.cursor) = (text, cursor);
                }
            }
        }
    }

    fn left(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn word_left(&self, inside: impl Fn(char) -> bool) -> usize {
        let rest = self.before().trim_end_matches(|c| !inside(c));
        rest.trim_end_matches(inside).len()
    }

    fn word_right(&self) -> usize {
        self.text.len() - after_word(&self.text[self.cursor..]).len()
    }

    /// Text typed before or after a mark may have become one grapheme with it.
    fn settle(&mut self) {
        let mut graphemes = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if !graphemes.is_boundary(&self.text, 0).unwrap_or(true) {
            self.cursor = self.right_of(self.cursor);
        }
    }

    fn right_of(&self, at: usize) -> usize {
        let ends = self.text.grapheme_indices(true).map(|(start, text)| start + text.len());
        ends.into_iter().find(|&end| end >= at).unwrap_or(self.text.len())
    }

    fn remember(&mut self) {
        if self.undo.len() == UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.cursor));
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from < to {
            self.remember();
            self.text.replace_range(from..to, "");
            self.cursor = from;
            self.settle();
        }
    }

    /// Kills in a row gather in one piece, in the order of the text.
    fn kill(&mut self, doing: Doing, from: usize, to: usize) {
        if from < to {
            let piece = &self.text[from..to];
            match doing {
                Doing::Killing if from < self.cursor && to == self.cursor => {
                    self.killed.insert_str(0, piece);
                }
                Doing::Killing => self.killed.push_str(piece),
                Doing::Other | Doing::Typing => piece.clone_into(&mut self.killed),
            }
            self.cut(from, to);
        }
        self.doing = Doing::Killing;
    }
}

/// What may stand in a line.
fn clean(text: &str) -> String {
    // A tab separates words as a blank does; without it they would become one.
    let blanks = text.chars().map(|c| if c == '\t' { ' ' } else { c });
    blanks.filter(|c| !c.is_control()).collect()
}

/// What follows the first word of a text.
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
        assert!(!editor.insert(&"x".repeat(LIMIT + 1)));
        assert_eq!(editor.text(), "", "it is not cut either");
        assert!(editor.insert(&"x".repeat(LIMIT)) && !editor.insert("x"));
        for _ in 0..10 * UNDO {
            editor.edit(Edit::DeleteLeft);
        }
        assert_eq!(editor.undo.len(), UNDO);
        editor.insert("\u{1b}[2J\n");
        assert!(editor.text().ends_with("[2J"));
    }
}
