//! The command line: its text, its history, its completions, the check of what is typed.

pub mod check;
pub mod deletion;
pub mod history;
pub mod known_keys;
pub mod paste;

use jiff::tz::TimeZone;
use shared::Request;
use shared::request::BadRequestReason;
use shared::response::Status;

use crate::app::context::Context;
use crate::app::line_input::Found;
use crate::app::line_input::editor::{Editor, after_word};
use crate::app::log::Log;
use crate::app::message::Message;
use crate::app::server::link::{Link, LinkState};
use crate::effect::{Effect, FileJob};
use crate::event::Moment;
use crate::keymap::{Edit, PromptAction};
use crate::metrics::patterns::Patterns;
use crate::metrics::reply::PointLists;
use crate::metrics::series::Series;
use crate::metrics::watch_plan::Extension;
use crate::request::command::Command;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::request::pending::Purpose;
use crate::request::plausible::{is_extended, suspicious_timestamp};
use crate::request::selector::is_follow;
use crate::text::escape::name_invisible;
use crate::text::time::{age, date};
use crate::text::{moment, number};
use crate::wire_log::entry::Tone;
use check::{Verdict, words};
use deletion::Deletion;
use history::PromptHistory;
use known_keys::KnownKeys;

/// The most completions offered at once.
const MAX_OFFERED: usize = 100;

/// Clauses of a selector that are offered; a `del` takes the first [`RANGES`].
const CLAUSES: [&str; 6] = ["[-15m:]", "[-1d:]", "[last]", "[last:60]", "[-1d::5m:max]", "[+]"];
const RANGES: usize = 2;

/// The command line with its history and completions.
#[derive(Debug, Default)]
pub struct Prompt {
    editor: Editor,
    history: PromptHistory,
    keys: KnownKeys,
    cycle: Option<Cycle>,
    deletion: Deletion,
}

/// The completions that Tab cycles through.
#[derive(Debug)]
struct Cycle {
    choices: Vec<String>,
    at: usize,
    start: usize,
    /// The line after the last Tab.
    text: String,
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

    /// Adds the lines of earlier sessions to the history.
    pub fn load(&mut self, earlier: Vec<String>) {
        self.history.load(earlier);
    }

    /// Learns the keys of an answer, for completion.
    pub fn learn(&mut self, series: &[Series]) {
        self.keys.learn(series);
    }

    /// Learns the next keys of a list that grows while puts are told, for completion.
    pub fn learn_told(&mut self, series: &[Series]) {
        self.keys.learn_told(series);
    }

    /// The known keys that begin with a text, in alphabetical order.
    pub fn keys_beginning<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.keys.beginning(start)
    }

    fn learn_from(&mut self, line: &str) {
        let key = match Request::decode(line.as_bytes()) {
            Ok(Request::Put(key, _)) => Some(key),
            Ok(Request::Get(selector)) => selector.as_key(),
            Ok(Request::Del(_)) | Err(_) => None,
        };
        if let Some(key) = key {
            self.keys.add(key.as_str());
        }
    }

    /// Performs an action of the history or of completion.
    pub fn update(&mut self, action: PromptAction, cx: &mut Context) {
        match action {
            PromptAction::Older => {
                if let Some(line) = self.history.older(self.editor.text()) {
                    self.editor.set(line);
                } else if self.history.draft().is_empty() {
                    cx.say(Tone::Plain, "no older line");
                } else {
                    cx.say(Tone::Plain, "no older line begins like this");
                }
            }
            PromptAction::Newer => {
                if let Some(line) = self.history.newer(self.editor.text()) {
                    self.editor.set(line);
                }
            }
            PromptAction::Complete { forward } => {
                // Backward leaves the line, except in a list of completions.
                let text = self.editor.text();
                let is_completing = self.cycle.as_ref().is_some_and(|cycle| cycle.text == text);
                if text.is_empty() || (!forward && !is_completing) {
                    return cx.send(Message::Cycle(if forward { 1 } else { -1 }));
                }
                match &self.complete(forward)[..] {
                    [] if self.end_word() => {}
                    [] => cx.say(Tone::Plain, "nothing known completes this word"),
                    [_] => {}
                    choices => cx.list_completions(choices),
                }
            }
            PromptAction::Clear => {
                self.deletion.withdraw();
                self.editor.edit(Edit::KillAll);
            }
            _ => {}
        }
    }

    /// Edits the line; at its end, keys to the right accept the suggestion.
    pub fn edit(&mut self, edit: Edit, now: i64) {
        let accepts = matches!(edit, Edit::Right | Edit::End | Edit::WordRight)
            && self.accept_ghost(now, edit == Edit::WordRight);
        if !accepts {
            self.editor.edit(edit);
        }
    }

    /// Inserts typed text; false if there is no room.
    pub fn insert(&mut self, text: &str) -> bool {
        self.editor.insert(text)
    }

    /// Takes the line out; true if it is new in the history.
    fn take(&mut self) -> (String, bool) {
        let line = self.editor.take();
        let new = self.history.push(&line);
        (line, new)
    }

    /// Sends the line, if possible. `counts`: the server tells how much a selector selects.
    pub fn submit(
        &mut self,
        counts: bool,
        link: &mut Link,
        watched: &Patterns,
        log: &mut Log,
        cx: &mut Context,
    ) {
        let text = self.text();
        let wire = wire_line(text.as_bytes(), cx.now().unix());
        if wire.bytes.is_empty() {
            self.take();
            return;
        }
        // Other errors are the reply of the server, but it does not read such a line to the end.
        if let Some(bad) = explain::validate(&wire.bytes)
            && bad.reason == BadRequestReason::TooLong
        {
            let length = number::count(wire.bytes.len() as u64);
            return cx.say(Tone::Bad, format!("not sent: {bad}, this one has {length}"));
        }
        if !link.is_connected() {
            // The line stays where it is: Enter sends it once the server is back.
            let why = match link.state() {
                LinkState::Waiting { reason, .. } => format!("not sent, {reason}"),
                _ => "not sent, still connecting".to_owned(),
            };
            log.note(cx.now(), Tone::Bad, &format!("{text}: {why}"));
            // A line that no server takes is not to wait for one.
            if explain::validate(&wire.bytes).is_some() {
                let request = String::from_utf8_lossy(&wire.bytes);
                let mistake = explain::error_message_as_typed(text, &request, "");
                let text = format!("{mistake}; {why}");
                return cx.say_brief(Tone::Bad, text, explain::brief_message(&wire.bytes, ""));
            }
            return cx.say(Tone::Bad, format!("{why}; Enter tries again"));
        }
        let filled = wire.filled.is_some();
        let request = String::from_utf8_lossy(&wire.bytes).into_owned();
        if !self.deletion.may_send(&request, counts, cx) {
            return;
        }
        if is_follow(&request) {
            cx.say(Tone::Plain, "following; esc or the next request ends it");
        }
        self.learn_from(&request);
        // The reply becomes visible.
        log.on_typed(cx.now().elapsed);
        let (typed, new) = self.take();
        let due = (request, Purpose::Typed(typed.clone()));
        link.send(due, filled, watched, log, cx);
        if new {
            cx.push(Effect::File(FileJob::AppendHistory(typed)));
        }
    }

    /// What is known of a `del` and of the server's answers to some.
    pub fn deletion(&mut self) -> &mut Deletion {
        &mut self.deletion
    }

    /// Takes the answer to a query for how much a `del` on the line deletes.
    pub fn on_count(&mut self, query: u64, points: Option<&PointLists>, cx: &mut Context) {
        self.deletion.on_count(query, points, self.editor.text(), cx);
    }

    /// Records the reply to a line in the history.
    pub fn answered(&mut self, line: &str, status: Status) {
        self.history.answered(line, status == Status::Ok);
    }

    /// Replaces the text.
    pub fn set(&mut self, line: &str) {
        self.editor.set(line);
    }

    /// The verdict on the line: of the protocol, and of plausibility checks.
    pub fn verdict(&self, now: Moment, zone: &TimeZone, extension: Extension) -> Verdict {
        let verdict = match Command::parse(self.text()) {
            Some(Command::GoToTime) => {
                return match moment::parse(self.text(), now.unix(), zone) {
                    Ok(_) => Verdict::Own(Command::GoToTime.promise()),
                    Err(why) => Verdict::Wrong { at: 0..self.text().len(), why },
                };
            }
            Some(command) => return Verdict::Own(command.promise()),
            None => check::check(self.text()),
        };
        if let Verdict::Wrong { why, .. } = &verdict
            && Command::may_begin(self.text())
        {
            return Verdict::Unfinished(why.clone());
        }
        let suspicious =
            (verdict == Verdict::Accepted).then(|| self.suspicious(now, zone, extension)).flatten();
        suspicious.unwrap_or(verdict)
    }

    /// The doubt about a line that would be accepted, if there is one.
    fn suspicious(&self, now: Moment, zone: &TimeZone, extension: Extension) -> Option<Verdict> {
        let text = self.text();
        let words = words(text);
        let time =
            check::timestamp(text, 0).and_then(|time| suspicious_timestamp(time, now.unix()));
        let (at, why) = match (&words[..], time) {
            ([_, _, _, at], Some(what)) => (at, format!("{}: {what}?", self.date(now, zone)?)),
            ([_, at], _) if extension == Extension::Missing && is_extended(text) => {
                (at, "this server takes a key or *; / filters the table".to_owned())
            }
            ([_, key, ..], _) => {
                (key, format!("the key holds {}", name_invisible(&text[key.clone()])?))
            }
            _ => return None,
        };
        Some(Verdict::Suspicious { at: at.clone(), why })
    }

    /// The date and the age of a timestamp in the line.
    pub fn date(&self, now: Moment, zone: &TimeZone) -> Option<String> {
        let timestamp = check::timestamp(self.text(), self.editor.cursor())?;
        let date = date(timestamp, zone);
        let age = age(timestamp, now.unix());
        let age = if age.starts_with("in ") { age } else { format!("{age} ago") };
        // A timestamp beyond the calendar is formatted as the number.
        Some(if date == timestamp.to_string() { age } else { format!("{date}, {age}") })
    }

    /// The suggested rest of the line: the current time after the value of a `put`, else the rest
    /// of a history line, else of a command or a known key.
    pub fn ghost(&self, now: i64) -> Option<String> {
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
        // After a blank, every key would match.
        if blank {
            return None;
        }
        let (start, choices) = self.choices();
        let choice = choices.into_iter().find(|choice| choice.len() > text.len() - start)?;
        Some(choice[text.len() - start..].trim_end().to_owned())
    }

    /// Accepts the suggestion, or its first word; false without a suggestion.
    fn accept_ghost(&mut self, now: i64, word: bool) -> bool {
        let Some(ghost) = self.ghost(now) else { return false };
        let taken = if word { ghost.len() - after_word(&ghost).len() } else { ghost.len() };
        self.editor.insert(&ghost[..taken]);
        true
    }

    /// Completes the word before the cursor, or replaces it by the next or previous completion;
    /// returns all completions.
    fn complete(&mut self, forward: bool) -> Vec<String> {
        if let Some(cycle) = self.cycle.as_mut().filter(|cycle| cycle.text == self.editor.text()) {
            let count = cycle.choices.len();
            cycle.at = (cycle.at + if forward { 1 } else { count - 1 }) % count;
            self.editor.replace_before(cycle.start, &cycle.choices[cycle.at]);
            self.editor.text().clone_into(&mut cycle.text);
            return cycle.choices.clone();
        }
        self.cycle = None;
        let (start, choices) = self.choices();
        match &choices[..] {
            [] => {}
            [one] => self.editor.replace_before(start, one),
            [first, ..] => {
                let common = choices.iter().fold(first.as_str(), |common, choice| {
                    let same = common.chars().zip(choice.chars()).take_while(|(a, b)| a == b);
                    &common[..same.map(|(a, _)| a.len_utf8()).sum()]
                });
                if common.len() > self.editor.cursor() - start {
                    let common = common.to_owned();
                    self.editor.replace_before(start, &common);
                    return choices;
                }
                let at = if forward { 0 } else { choices.len() - 1 };
                self.editor.replace_before(start, &choices[at]);
                let text = self.editor.text().to_owned();
                self.cycle = Some(Cycle { choices: choices.clone(), at, start, text });
            }
        }
        choices
    }

    /// Inserts a blank after a word of a `put` without completions; true if it is inserted.
    /// Terminals without bracketed paste send pasted tabs as keys.
    fn end_word(&mut self) -> bool {
        let before = self.editor.before();
        let words = words(before);
        let ends = self.editor.at_end() && !before.ends_with([' ', '\t']);
        let ends = ends && words.len() > 1 && &before[words[0].clone()] == "put";
        if ends {
            self.editor.insert(" ");
        }
        ends
    }

    /// The beginning of the word before the cursor, and its completions.
    fn choices(&self) -> (usize, Vec<String>) {
        let before = self.editor.before();
        let start = before.rfind([' ', '\t']).map_or(0, |blank| blank + 1);
        let word = &before[start..];
        let earlier: Vec<_> = words(&before[..start]).into_iter().map(|w| &before[w]).collect();
        let choices = match earlier[..] {
            [] => {
                let commands = ["get ", "put ", "del "].into_iter().filter(|c| c.starts_with(word));
                commands.map(str::to_owned).collect()
            }
            [command @ ("get" | "del")] if word.contains('[') => {
                let clauses = if command == "get" { &CLAUSES[..] } else { &CLAUSES[..RANGES] };
                let (pattern, clause) = word.split_at(word.find('[').unwrap_or(word.len()));
                let fitting = clauses.iter().filter(|known| known.starts_with(clause));
                fitting.map(|known| format!("{pattern}{known}")).collect()
            }
            ["get" | "del"] => {
                let all = word.is_empty().then_some("*");
                all.into_iter()
                    .chain(self.keys.beginning(word))
                    .take(MAX_OFFERED)
                    .map(str::to_owned)
                    .collect()
            }
            ["put"] => {
                self.keys.beginning(word).map(|key| format!("{key} ")).take(MAX_OFFERED).collect()
            }
            _ => Vec::new(),
        };
        (start, choices)
    }

    /// Starts a search of the history for a part of a line.
    pub fn search(&self, found: &mut Found, part: &str) {
        *found = Found::default();
        if !part.is_empty() {
            self.search_on(found, part, true);
        }
    }

    /// Finds the next older or newer match.
    pub fn search_on(&self, found: &mut Found, part: &str, older: bool) {
        let (at, shown) = match &found.line {
            Some((at, line)) => (*at, line.as_str()),
            None => (self.history.len(), ""),
        };
        let next = if older {
            self.history.find_older(part, at, shown)
        } else {
            self.history.find_newer(part, at, shown)
        };
        let next = next.map(|(at, line)| (at, line.to_owned()));
        found.failed = next.is_none();
        found.line = next.or(found.line.take());
    }
}
