//! What every part of the application is given with an event: the moment, and a place for what is
//! to be said and done because of it.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::app::log::entry::Tone;
use crate::effect::{Effect, TerminalOrder};
use crate::event::Moment;

/// A notice stays this long, or until the next key.
const NOTICE: Duration = Duration::from_secs(8);

/// A text on the bottom line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
    /// When it goes by itself, since the start of the program.
    pub until: Duration,
    /// It lists the completions of a word.
    pub completions: bool,
}

/// The moment of an event, and its consequences.
#[derive(Debug)]
pub struct Context {
    now: Moment,
    zone: TimeZone,
    in_tmux: bool,
    notice: Option<Notice>,
    effects: Vec<Effect>,
}

impl Context {
    /// Nothing said and nothing to do. `in_tmux`: the terminal passes on what is copied only if it
    /// is set up to.
    pub fn new(now: Moment, zone: TimeZone, in_tmux: bool) -> Self {
        Self { now, zone, in_tmux, notice: None, effects: Vec::new() }
    }

    /// An event has come at this moment.
    pub fn begin(&mut self, now: Moment) {
        self.now = now;
        self.notice.take_if(|notice| notice.until <= now.elapsed);
    }

    /// The moment of the last event.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The notice on the bottom line.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Takes the notice away.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    /// Shows a text on the bottom line.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let until = self.now.elapsed + NOTICE;
        self.notice = Some(Notice { until, text: text.into(), tone, completions: false });
    }

    /// Shows the completions of a word.
    pub fn list_completions(&mut self, choices: &[String]) {
        let list: Vec<_> = choices.iter().map(|choice| choice.trim_end()).collect();
        self.say(Tone::Plain, list.join("  "));
        if let Some(notice) = &mut self.notice {
            notice.completions = true;
        }
    }

    /// Wants something to be done.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Rings the bell, once for an event.
    pub fn ring(&mut self) {
        let bell = Effect::Terminal(TerminalOrder::Bell);
        if !self.effects.contains(&bell) {
            self.effects.push(bell);
        }
    }

    /// Copies a text to the clipboard; whether the terminal took it can't be known.
    pub fn copy(&mut self, text: String) -> &'static str {
        self.push(Effect::Terminal(TerminalOrder::Copy(text)));
        if self.in_tmux { "copied, if tmux has set-clipboard on" } else { "copied" }
    }

    /// Takes what is to be done, in its order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
