//! The command line: the text and its keys, the history, completion, the search for a line.

pub mod action;
pub mod check;
pub mod history;
pub mod known_keys;
pub mod paste;

use shared::response::Status;

use crate::app::editor::{Edit, Editor, after_word};
use crate::app::prompt::check::words;
use crate::app::prompt::history::History;
use crate::app::prompt::known_keys::KnownKeys;

/// Completions offered at once.
const OFFERED: usize = 100;

/// The line being edited, and everything that helps to write it.
#[derive(Debug, Default)]
pub struct Prompt {
    editor: Editor,
    history: History,
    cycle: Option<Cycle>,
    recall: Recall,
}

/// Completions that Tab goes through.
#[derive(Debug)]
struct Cycle {
    choices: Vec<String>,
    at: usize,
    start: usize,
    /// The line as the last Tab left it.
    text: String,
}

/// What Tab found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    /// Nothing.
    Nothing,
    /// It was clear.
    One,
    /// These, of which none or one is in the line now.
    Several(Vec<String>),
}

/// The search for an entered line.
#[derive(Debug, Default)]
pub struct Recall {
    /// What is searched for.
    pub pattern: Editor,
    /// The line found last, and its number.
    found: Option<(usize, String)>,
    /// The last step found nothing.
    pub failed: bool,
}

impl Recall {
    /// The line found.
    pub fn found(&self) -> &str {
        self.found.as_ref().map_or("", |(_, line)| line)
    }
}

impl Prompt {
    /// The text.
    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// The line being edited.
    pub fn editor(&self) -> &Editor {
        &self.editor
    }

    /// What was entered before.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The lines of earlier sessions are there.
    pub fn load(&mut self, earlier: Vec<String>) {
        self.history.load(earlier);
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        self.editor.edit(edit);
    }

    /// Types text; says whether there was room for it.
    pub fn insert(&mut self, text: &str) -> bool {
        self.editor.insert(text)
    }

    /// Takes the line out; says whether the history has changed by it.
    pub fn take(&mut self) -> (String, bool) {
        let line = self.editor.take();
        let new = self.history.push(&line);
        (line, new)
    }

    /// A line that was taken out has its reply.
    pub fn answered(&mut self, line: &str, status: Status) {
        self.history.answered(line, status == Status::Ok);
    }

    /// Shows the line entered before the one shown that begins like what was typed; says whether
    /// there is one.
    pub fn older(&mut self) -> bool {
        let Some(line) = self.history.older(self.editor.text()) else { return false };
        let line = line.to_owned();
        self.editor.set(&line);
        true
    }

    /// Shows the line entered after the one shown.
    pub fn newer(&mut self) {
        if let Some(line) = self.history.newer(self.editor.text()) {
            let line = line.to_owned();
            self.editor.set(&line);
        }
    }

    /// What may follow the line: the current time after the value of a `put`, else what was
    /// entered before, else a command or a known key.
    pub fn ghost(&self, keys: &KnownKeys, now: i64) -> Option<String> {
        let text = self.editor.text();
        if text.is_empty() || !self.editor.at_end() {
            return None;
        }
        let words = words(text);
        let blank = text.ends_with([' ', '\t']);
        if let [command, _, _] = &words[..]
            && blank
            && &text[command.clone()] == "put"
        {
            return Some(now.to_string());
        }
        if let Some(line) = self.history.suggestion(text) {
            return Some(line[text.len()..].to_owned());
        }
        // Behind a blank every key would do.
        if blank {
            return None;
        }
        let (start, choices) = self.choices(keys);
        let choice = choices.into_iter().find(|choice| choice.len() > text.len() - start)?;
        Some(choice[text.len() - start..].trim_end().to_owned())
    }

    /// Takes over the ghost, or its first word; says whether there was one.
    pub fn accept_ghost(&mut self, keys: &KnownKeys, now: i64, word: bool) -> bool {
        let Some(ghost) = self.ghost(keys, now) else { return false };
        let taken = if word { ghost.len() - after_word(&ghost).len() } else { ghost.len() };
        self.editor.insert(&ghost[..taken]);
        true
    }

    /// Completes the word before the cursor, or goes on to the next or last completion.
    pub fn complete(&mut self, keys: &KnownKeys, forward: bool) -> Completed {
        if let Some(cycle) = self.cycle.as_mut().filter(|cycle| cycle.text == self.editor.text()) {
            let count = cycle.choices.len();
            cycle.at = (cycle.at + if forward { 1 } else { count - 1 }) % count;
            self.editor.replace_before(cycle.start, &cycle.choices[cycle.at]);
            self.editor.text().clone_into(&mut cycle.text);
            return Completed::Several(cycle.choices.clone());
        }
        self.cycle = None;
        let (start, choices) = self.choices(keys);
        match &choices[..] {
            [] => Completed::Nothing,
            [one] => {
                self.editor.replace_before(start, one);
                Completed::One
            }
            [first, ..] => {
                let common = choices.iter().fold(first.as_str(), |common, choice| {
                    let same = common.chars().zip(choice.chars()).take_while(|(a, b)| a == b);
                    &common[..same.map(|(a, _)| a.len_utf8()).sum()]
                });
                if common.len() > self.editor.cursor() - start {
                    let common = common.to_owned();
                    self.editor.replace_before(start, &common);
                    return Completed::Several(choices);
                }
                let at = if forward { 0 } else { choices.len() - 1 };
                self.editor.replace_before(start, &choices[at]);
                let text = self.editor.text().to_owned();
                self.cycle = Some(Cycle { choices: choices.clone(), at, start, text });
                Completed::Several(choices)
            }
        }
    }

    /// Behind a word of a `put` that nothing completes, so that only a blank can follow; says
    /// whether it is typed. A terminal that does not mark what is pasted sends its tabs as keys.
    pub fn end_word(&mut self) -> bool {
        let before = self.editor.before();
        let words = words(before);
        let ends = self.editor.at_end() && !before.ends_with([' ', '\t']);
        let ends = ends && words.len() > 1 && &before[words[0].clone()] == "put";
        if ends {
            self.editor.insert(" ");
        }
        ends
    }

    /// The line is as the last Tab left it, with more to choose from.
    pub fn is_completing(&self) -> bool {
        self.cycle.as_ref().is_some_and(|cycle| cycle.text == self.editor.text())
    }

    /// Where the word before the cursor begins, and what it may become.
    fn choices(&self, keys: &KnownKeys) -> (usize, Vec<String>) {
        let before = self.editor.before();
        let start = before.rfind([' ', '\t']).map_or(0, |blank| blank + 1);
        let word = &before[start..];
        let earlier: Vec<_> = words(&before[..start]).into_iter().map(|w| &before[w]).collect();
        let choices = match earlier[..] {
            [] => {
                let commands = ["get ", "put "].into_iter().filter(|c| c.starts_with(word));
                commands.map(str::to_owned).collect()
            }
            ["get"] => {
                let all = word.is_empty().then_some("*");
                all.into_iter()
                    .chain(keys.beginning(word))
                    .take(OFFERED)
                    .map(str::to_owned)
                    .collect()
            }
            ["put"] => keys.beginning(word).map(|key| format!("{key} ")).take(OFFERED).collect(),
            _ => Vec::new(),
        };
        (start, choices)
    }

    /// The search for an entered line.
    pub fn recall(&self) -> &Recall {
        &self.recall
    }

    /// Begins to search.
    pub fn begin_recall(&mut self) {
        self.recall = Recall::default();
    }

    /// Changes what is searched for, and searches anew.
    pub fn change_recall<T>(&mut self, change: impl FnOnce(&mut Editor) -> T) -> T {
        let changed = change(&mut self.recall.pattern);
        self.recall.found = None;
        self.recall.failed = false;
        if !self.recall.pattern.text().is_empty() {
            self.recall_step(true);
        }
        changed
    }

    /// To the match before or after the one shown.
    pub fn recall_step(&mut self, older: bool) {
        let (at, shown) = match &self.recall.found {
            Some((at, line)) => (*at, line.as_str()),
            None => (self.history.len(), ""),
        };
        let pattern = self.recall.pattern.text();
        let found = if older {
            self.history.find_older(pattern, at, shown)
        } else {
            self.history.find_newer(pattern, at, shown)
        };
        let found = found.map(|(at, line)| (at, line.to_owned()));
        self.recall.failed = found.is_none();
        if found.is_some() {
            self.recall.found = found;
        }
    }

    /// Puts the line found into the prompt; says whether there is one.
    pub fn accept_recall(&mut self) -> bool {
        let Some((_, line)) = self.recall.found.take() else { return false };
        self.editor.set(&line);
        true
    }
}
