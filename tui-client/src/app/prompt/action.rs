//! What the keys of the command line do.

use crate::app::App;
use crate::app::editor::{Edit, LIMIT};
use crate::app::log::Tone;
use crate::app::mode::Mode;
use crate::app::prompt::Completed;
use crate::app::prompt::check::{self, Verdict};
use crate::effect::Effect;
use crate::event::Moment;
use crate::text::format::{age, bytes, date};

/// What a key can mean to the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptAction {
    /// The line entered before that begins like this one.
    Older,
    /// The line entered after.
    Newer,
    /// Edit the line; at its end, keys that go right take over what is suggested.
    Edit(Edit),
    /// Complete the word, or to another pane when nothing is typed.
    Complete {
        /// To the next completion, else to the one before.
        forward: bool,
    },
    /// Stop what is under way, else delete the line.
    Clear,
    /// Search the lines entered before, or go on searching.
    Recall {
        /// Back in time.
        older: bool,
    },
    /// Edit what is searched for.
    RecallEdit(Edit),
    /// Edit the line found.
    RecallAccept,
    /// Send the line found.
    RecallSubmit,
    /// Back to the line as it was.
    RecallCancel,
    /// Send what was pasted.
    SendPaste,
    /// Forget what was pasted.
    DiscardPaste,
}

impl App {
    pub(crate) fn perform_prompt(&mut self, action: PromptAction, now: Moment) -> Vec<Effect> {
        use PromptAction as A;
        match action {
            A::Older if self.prompt.older() => {}
            A::Older => {
                let none = match self.prompt.history().draft() {
                    "" => "no older line",
                    _ => "no older line begins like this",
                };
                self.say(Tone::Plain, none);
            }
            A::Newer => self.prompt.newer(),
            A::Edit(edit @ (Edit::Right | Edit::End | Edit::WordRight)) => {
                let word = edit == Edit::WordRight;
                if !self.prompt.accept_ghost(&self.keys, now.unix(), word) {
                    self.prompt.edit(edit);
                }
            }
            A::Edit(edit) => self.prompt.edit(edit),
            A::Complete { forward } => self.complete(forward),
            A::Clear if self.prompt.text().is_empty() => {
                return self.stop_import().into_iter().collect();
            }
            A::Clear => self.prompt.edit(Edit::KillAll),
            A::Recall { older } if self.mode == Mode::Recall => self.prompt.recall_step(older),
            A::Recall { .. } => {
                self.prompt.begin_recall();
                self.mode = Mode::Recall;
            }
            A::RecallEdit(edit) => self.prompt.change_recall(|pattern| pattern.edit(edit)),
            A::RecallCancel => self.mode = Mode::Prompt,
            A::RecallAccept | A::RecallSubmit => {
                self.mode = Mode::Prompt;
                let found = self.prompt.accept_recall();
                match action {
                    A::RecallSubmit if found => return self.submit(now),
                    A::RecallSubmit => self.say(Tone::Plain, "no such line, nothing sent"),
                    _ => {}
                }
            }
            A::SendPaste => return self.send_paste(now),
            A::DiscardPaste => self.discard_paste(),
        }
        Vec::new()
    }

    /// Types text into the command line, or what stands in its place.
    pub(crate) fn type_text(&mut self, text: &str) {
        let taken = match self.mode {
            Mode::Recall => self.prompt.change_recall(|pattern| pattern.insert(text)),
            Mode::Ask => self.type_into_ask(text),
            _ => self.prompt.insert(text),
        };
        if !taken {
            let limit = bytes(LIMIT as u64);
            self.say(Tone::Bad, format!("not taken: the line would be longer than {limit}"));
        }
    }

    fn complete(&mut self, forward: bool) {
        // Back out of a line that is a draft still; only among completions it means the last one.
        if self.prompt.text().is_empty() || (!forward && !self.prompt.is_completing()) {
            return self.cycle(if forward { 1 } else { -1 });
        }
        match self.prompt.complete(&self.keys, forward) {
            Completed::Nothing if self.prompt.end_word() => {}
            Completed::Nothing => self.say(Tone::Plain, "nothing known completes this word"),
            Completed::One => {}
            Completed::Several(choices) => self.list_completions(&choices),
        }
    }

    /// What may follow the line, to be taken over with a key.
    pub fn ghost(&self) -> Option<String> {
        self.prompt.ghost(&self.keys, self.now.unix())
    }

    /// What the protocol says about the line.
    pub fn verdict(&self) -> Verdict {
        match check::check(self.prompt.text()) {
            Verdict::Accepted => self.doubt().unwrap_or(Verdict::Accepted),
            other => other,
        }
    }

    /// The human date of a timestamp in the line.
    pub fn date_in_line(&self) -> Option<String> {
        let text = self.prompt.text();
        let timestamp = check::timestamp(text, self.prompt.editor().cursor())?;
        let date = date(timestamp, &self.zone);
        let age = age(timestamp, self.now.unix());
        let age = if age.starts_with("in ") { age } else { format!("{age} ago") };
        // A moment that no calendar has is the bare number once more.
        Some(if date == timestamp.to_string() { age } else { format!("{date}, {age}") })
    }
}
