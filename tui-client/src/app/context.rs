//! The context of an event that every part of the application gets: its time, and queues for
//! notices, messages to other parts and effects.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::app::message::Message;
use crate::effect::{Effect, TerminalOrder};
use crate::event::Moment;
use crate::keymap::{Abilities, Multiplexer};
use crate::text::time;
use crate::wire_log::entry::Tone;

/// Time a notice stays unless a key is pressed before.
const NOTICE: Duration = Duration::from_secs(8);

/// Time that a notice stays that says how something has ended.
const PAST_NOTICE: Duration = Duration::from_secs(4);

/// A text on the bottom line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// The tone of the text.
    pub tone: Tone,
    /// When the notice goes, since the start of the program.
    pub until: Duration,
    /// The notice is a list of completions.
    pub completions: bool,
    /// What is shown instead where there is no room for the text, or for what stands before its name.
    pub brief: Option<String>,
    /// It answers what was pressed or typed; else it came by itself, maybe while a line is typed.
    pub is_answer: bool,
    /// Where a name begins, in bytes, that is cut in the middle if there is no room: its end is to
    /// be seen.
    pub name_at: Option<usize>,
}

/// The time of an event, and its consequences.
#[derive(Debug)]
pub struct Context {
    now: Moment,
    zone: TimeZone,
    abilities: Abilities,
    notice: Option<Notice>,
    messages: VecDeque<Message>,
    effects: Vec<Effect>,
    /// The last name of a file without number and extension, and the extensions with which it was given.
    named: (String, Vec<String>),
    is_recording: bool,
    /// The event is a press of a key, a click or a paste.
    is_input: bool,
}

impl Context {
    /// A context without notices, messages and effects.
    pub fn new(now: Moment, zone: TimeZone, abilities: Abilities) -> Self {
        let (messages, effects) = (VecDeque::new(), Vec::new());
        let (notice, named) = (None, (String::new(), Vec::new()));
        let (is_recording, is_input) = (false, false);
        Self { now, zone, abilities, notice, messages, effects, named, is_recording, is_input }
    }

    /// Begins an event at this time, which `is_input` of hands or not; a notice that is due to go goes.
    pub fn begin(&mut self, now: Moment, is_input: bool) {
        (self.now, self.is_input) = (now, is_input);
        self.notice.take_if(|notice| notice.until <= now.elapsed);
    }

    /// The time of the last event.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The name of a file for what is on the screen now; another one each time, also where the clock
    /// stands still.
    pub fn file_name(&mut self, extension: &str) -> String {
        let time = time::formatted(self.now.unix(), &self.zone, "%Y%m%d-%H%M%S");
        let of = if self.is_recording { "-replay" } else { "" };
        let stem = format!("tui-client-{time}{of}");
        let (last, given) = &mut self.named;
        if *last != stem {
            (*last, *given) = (stem.clone(), Vec::new());
        }
        given.push(extension.to_owned());
        match given.iter().filter(|given| *given == extension).count() {
            1 => format!("{stem}.{extension}"),
            count => format!("{stem}-{count}.{extension}"),
        }
    }

    /// A name that [`Self::file_name`] has given last.
    pub fn has_given(&self, name: &str) -> bool {
        name.starts_with(&*self.named.0) && !self.named.0.is_empty()
    }

    /// What is on the screen is a recording, whose own name that of a file must not be.
    pub fn set_recording(&mut self) {
        self.is_recording = true;
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What the system and the terminal can do.
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// The notice on the bottom line.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Removes the notice and returns it.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    /// Shows a text on the bottom line.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let until = self.now.elapsed + NOTICE;
        let (text, completions, is_answer) = (text.into(), false, self.is_input);
        let (brief, name_at) = (None, None);
        self.notice = Some(Notice { text, tone, until, completions, brief, is_answer, name_at });
    }

    /// Shows a text on the bottom line, or a shorter one where there is no room for it.
    pub fn say_brief(&mut self, tone: Tone, text: impl Into<String>, brief: impl Into<String>) {
        self.say(tone, text);
        if let Some(notice) = &mut self.notice {
            notice.brief = Some(brief.into());
        }
    }

    /// Shows a text on the bottom line, with the name of a file or a command behind it whose end is
    /// to be seen.
    pub fn say_name(&mut self, tone: Tone, before: &str, name: &str) {
        self.say(tone, format!("{before}{name}"));
        if let Some(notice) = &mut self.notice {
            notice.name_at = Some(before.len());
        }
    }

    /// What the notice says before its name where the whole has no room.
    pub fn say_before_name(&mut self, brief: &str) {
        if let Some(notice) = &mut self.notice {
            notice.brief = Some(brief.to_owned());
        }
    }

    /// Shows for a few seconds how something has ended: in place of the notice that it goes on,
    /// unless that has just been said, or where there is none.
    pub fn say_end(&mut self, tone: Tone, text: &str, goes_on: impl Fn(&str) -> bool) {
        let now = self.now.elapsed;
        let (mut is_free, mut is_new) = (true, false);
        if let Some(notice) = &self.notice {
            is_free = goes_on(&notice.text);
            is_new = notice.until >= now + NOTICE;
        }
        if is_free && !is_new {
            self.say(tone, text);
        }
        if let Some(notice) = self.notice.as_mut().filter(|_| is_free) {
            notice.until = notice.until.min(now + PAST_NOTICE);
        }
    }

    /// Shows the completions of a word.
    pub fn list_completions(&mut self, choices: &[String]) {
        let list: Vec<_> = choices.iter().map(|choice| choice.trim_end()).collect();
        let (text, until) = (list.join("  "), self.now.elapsed + NOTICE);
        let (tone, completions, is_answer) = (Tone::Plain, true, true);
        let (brief, name_at) = (None, None);
        self.notice = Some(Notice { text, tone, until, completions, brief, is_answer, name_at });
    }

    /// Queues a message to another part.
    pub fn send(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    /// Takes the oldest message.
    pub fn take_message(&mut self) -> Option<Message> {
        self.messages.pop_front()
    }

    /// Queues an effect.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Rings the bell, at most once an event.
    pub fn ring(&mut self) {
        let bell = Effect::Terminal(TerminalOrder::Bell);
        if !self.effects.contains(&bell) {
            self.effects.push(bell);
        }
    }

    /// Copies a text to the clipboard and returns what to show; a terminal does not say whether the
    /// text has arrived.
    pub fn copy(&mut self, text: String) -> &'static str {
        self.push(Effect::Terminal(TerminalOrder::Copy(text)));
        match self.abilities.multiplexer {
            Multiplexer::None => "copied",
            Multiplexer::Tmux => "copied, if tmux has set-clipboard on",
            Multiplexer::Screen => "copied, if the terminal around screen takes OSC 52",
        }
    }

    /// Takes the effects, in the order in which they were queued.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
