//! Names that a line asked for may hold: the marks and the keys that there are, as examples and as
//! completions.

use shared::KeyBuf;

use crate::app::App;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::metrics::marks::PREFIX;
use crate::wire_log::entry::Tone;

/// Marks that are named in an example or a message.
const MAX_NAMED: usize = 3;

/// Rows of the table in which a key is looked for that is none of a mark.
const MAX_ROWS: usize = 1000;

/// The most completions that are gone through.
const MAX_COMPLETIONS: usize = 100;

impl App {
    /// An example for an empty line, of names that there are.
    pub fn example(&self, line: &LineInput) -> String {
        let key = || self.example_key();
        let example = match line.purpose() {
            InputPurpose::Mark(_) => self.named_marks().join("   "),
            InputPurpose::Compare => {
                let runs = self.sources.runs();
                let named = runs.iter().chain(self.named_marks());
                named.chain(["-1h", "yesterday 9:00"]).collect::<Vec<_>>().join("   ")
            }
            InputPurpose::Watch => {
                key().map(|key| format!("{key}   {}", glob_of(&key))).unwrap_or_default()
            }
            InputPurpose::Alert => key()
                .map(|key| format!("{key} > 90   {} rate > 2", glob_of(&key)))
                .unwrap_or_default(),
            InputPurpose::Filter(_) => key()
                .map(|key| format!("{}   last > 20 and age < 1m", glob_of(&key)))
                .unwrap_or_default(),
            _ => String::new(),
        };
        if example.is_empty() { format!("such as  {}", line.example()) } else { example }
    }

    /// The key of the selected row, else of the first one, that is none of a mark.
    fn example_key(&self) -> Option<String> {
        let rows = self.table().visible(MAX_ROWS).map(|series| series.key.as_str());
        let selected = self.table().selected_key().map(KeyBuf::as_str);
        let mut keys = selected.into_iter().chain(rows);
        keys.find(|key| self.marks.name_of(key).is_none()).map(str::to_owned)
    }

    /// The names of marks, those first that are nearest before the time that the screen points to.
    fn mark_names(&self) -> impl Iterator<Item = &str> {
        self.marks.names(self.pointed_at().unwrap_or(self.now().unix()))
    }

    /// Some of them.
    fn named_marks(&self) -> Vec<&str> {
        self.mark_names().take(MAX_NAMED).collect()
    }

    /// Which marks there are, as a part of a message.
    pub(in crate::app) fn marks_there_are(&self) -> String {
        match &self.named_marks()[..] {
            [] => "there is none yet".to_owned(),
            names => format!("there is {}", names.join(", ")),
        }
    }

    /// Asks for the name of a mark, those there are being known by then.
    pub(in crate::app) fn ask_for_mark(&mut self, purpose: InputPurpose) {
        self.ask_marks();
        self.input.ask(purpose, "");
    }

    /// Completes the mark or the key before the cursor of the line; again: puts the next one there.
    pub(in crate::app) fn complete_line(&mut self, forward: bool) {
        let Some(line) = self.input.line() else { return };
        let (start, word) = line.word_to_complete();
        let word = word.to_owned();
        let names: Vec<String> = match line.purpose() {
            InputPurpose::Mark(_) | InputPurpose::Compare => {
                let typed = word.strip_prefix(PREFIX).unwrap_or(&word);
                let runs = self.sources.runs();
                let is_compared = matches!(line.purpose(), InputPurpose::Compare);
                let runs = runs.iter().filter(|_| is_compared);
                let fitting = runs.chain(self.mark_names()).filter(|name| name.starts_with(typed));
                fitting.take(MAX_COMPLETIONS).map(str::to_owned).collect()
            }
            InputPurpose::Watch | InputPurpose::Alert | InputPurpose::Filter(_) => self
                .input
                .prompt
                .keys_beginning(&word)
                .take(MAX_COMPLETIONS)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        if !self.input.complete_line(start, names, forward, &mut self.cx) {
            self.cx.say(Tone::Plain, "nothing known completes this");
        }
    }
}

/// A glob for keys like this one: of its first part.
fn glob_of(key: &str) -> String {
    let end = key.find(['.', '/', '_', ':', '-']).map_or(0, |end| end + 1);
    format!("{}*", &key[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_of_a_key_is_of_its_first_part() {
        for (key, glob) in [("palm.cpu", "palm.*"), ("web1/palm.cpu", "web1/*"), ("desk", "*")] {
            assert_eq!(glob_of(key), glob);
        }
    }
}
