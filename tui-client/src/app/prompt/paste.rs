//! Pasted text: one line is typed, several are counted, asked about and sent; many of them as a
//! stream whose progress is shown.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::link::Purpose;
use crate::app::log::{Direction, Entry, Remark, Tone};
use crate::app::mode::Mode;
use crate::effect::Effect;
use crate::event::Moment;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::text::format::{count, plural, took};

/// Up to so many lines are sent as if each had been entered, with each reply in the log.
const ONE_BY_ONE: usize = 64;

/// Lines that are judged before they are sent; more would let the screen wait.
const JUDGED: usize = 100_000;

/// Characters of a line that are shown.
const SAMPLE: usize = 200;

/// Refusals that are told line by line.
pub const TOLD: u64 = 20;

/// Text that waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// What was pasted.
    pub text: Arc<str>,
    /// Lines with something in them.
    pub lines: u64,
    /// What the protocol says about them.
    pub wrong: Wrong,
    /// What is wrong with the first wrong line.
    pub why: Option<String>,
    /// The first wrong line, else the first one; safe to show.
    pub sample: String,
}

/// The lines that the server would refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many.
    pub lines: u64,
    /// The number of the first one.
    pub first: u64,
    /// There are lines that were not looked at, so it may be more.
    pub at_least: bool,
}

impl Pasted {
    fn new(text: &str, now: i64) -> Self {
        let lines = Self::lines(text).count() as u64;
        let mut sample = Self::lines(text).next().unwrap_or_default();
        let mut why = None;
        let mut wrong = Wrong { at_least: lines > JUDGED as u64, ..Wrong::default() };
        for (number, line) in (1..).zip(Self::lines(text)).take(JUDGED) {
            let wire = wire_line(line.as_bytes(), now);
            if !wire.bytes.is_empty() && explain::validate(&wire.bytes).is_some() {
                if wrong.lines == 0 {
                    (wrong.first, sample) = (number, line);
                    why = explain::explain(&wire.bytes);
                }
                wrong.lines += 1;
            }
        }
        let sample = explain::quoted(sample.as_bytes(), SAMPLE);
        Self { text: text.into(), lines, wrong, why, sample }
    }

    /// The lines in it, without the empty ones.
    pub fn lines(text: &str) -> impl Iterator<Item = &str> {
        text.split(['\n', '\r']).filter(|line| !line.trim().is_empty())
    }
}

/// A few lines that are sent one by one, as if each had been typed.
#[derive(Debug)]
pub(crate) struct Few {
    first: u64,
    lines: u64,
    answered: u64,
    refused: u64,
    /// Of the first that was refused.
    why: Option<String>,
}

/// Lines that are being sent as a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Comes back with what is told of it.
    pub id: u64,
    /// Lines in all.
    pub lines: u64,
    /// Lines answered.
    pub answered: u64,
    /// Lines refused among them.
    pub refused: u64,
    /// Lines that are on their way to the server or answered.
    pub sent: u64,
    since: Duration,
}

impl Import {
    fn took(&self, now: Moment) -> String {
        took(now.elapsed.saturating_sub(self.since))
    }
}

/// How far an import has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNews {
    /// Which one.
    pub id: u64,
    /// Lines answered so far.
    pub answered: u64,
    /// Lines sent so far.
    pub sent: u64,
    /// Lines refused so far.
    pub refused: u64,
    /// Lines refused since the last news, each with its number and why; only the first [`TOLD`]
    /// in all.
    pub refusals: Vec<String>,
    /// It is over.
    pub end: Option<ImportEnd>,
}

impl ImportNews {
    /// It ended before it began.
    pub fn broken(id: u64) -> Self {
        let end = Some(ImportEnd::Broken);
        Self { id, answered: 0, sent: 0, refused: 0, refusals: Vec::new(), end }
    }
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEnd {
    /// Every line has its answer.
    Whole,
    /// The connection was lost.
    Broken,
    /// Somebody wanted it to.
    Stopped,
}

impl App {
    /// Takes pasted text.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Mode::Field = self.mode {
            return self.paste_in_field(text.split(['\n', '\r']).next().unwrap_or_default());
        }
        if let Mode::Ask | Mode::Recall = self.mode {
            return self.type_text(text);
        }
        if Pasted::lines(text).nth(1).is_some() {
            self.pasted = Some(Pasted::new(text, self.now.unix()));
            self.mode = Mode::Confirm;
        } else {
            self.mode = Mode::Prompt;
            self.type_text(text.trim_end_matches(['\n', '\r']));
        }
    }

    /// Forgets what was pasted.
    pub(crate) fn discard_paste(&mut self) {
        if let Some(pasted) = self.pasted.take() {
            self.say(Tone::Plain, format!("{} lines not sent", count(pasted.lines)));
        }
        self.mode = Mode::Prompt;
    }

    /// Sends what was pasted.
    pub(crate) fn send_paste(&mut self, now: Moment) -> Vec<Effect> {
        if !self.link.is_connected() {
            self.say(Tone::Bad, "not sent, no connection; Enter tries again, Esc discards");
            return Vec::new();
        }
        if self.import.is_some() {
            self.say(Tone::Bad, "the lines pasted before are still on their way");
            return Vec::new();
        }
        self.mode = Mode::Prompt;
        let Some(pasted) = self.pasted.take() else { return Vec::new() };
        self.log.follow();
        if pasted.lines <= ONE_BY_ONE as u64 {
            return self.send_one_by_one(&pasted, now);
        }
        let id = self.link.next_id();
        let text = format!("{} pasted", plural(pasted.lines, "line", "lines"));
        let remark = Remark::Request { bytes: pasted.text.len() as u64, filled: false };
        let entry = Entry::new(now.unix_ms, Direction::Out, &text).remark(remark);
        self.log.push(entry.exchange(id));
        let lines = pasted.lines;
        let since = now.elapsed;
        self.import = Some(Import { id, lines, answered: 0, refused: 0, sent: 0, since });
        vec![Effect::Import { id, text: pasted.text }]
    }

    fn send_one_by_one(&mut self, pasted: &Pasted, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut first = None;
        for line in Pasted::lines(&pasted.text) {
            let wire = wire_line(line.as_bytes(), now.unix());
            if !wire.bytes.is_empty() {
                let purpose = Purpose::Typed(line.to_owned());
                let line = String::from_utf8_lossy(&wire.bytes).into_owned();
                let effect = self.send(line, purpose, wire.filled.is_some(), now);
                if let Effect::Send(request) = &effect {
                    first.get_or_insert(request.id);
                }
                effects.push(effect);
            }
        }
        let lines = effects.len() as u64;
        self.few = first.map(|first| Few { first, lines, answered: 0, refused: 0, why: None });
        self.say(Tone::Plain, format!("{} sent", plural(lines, "pasted line", "pasted lines")));
        effects
    }

    /// One of a few pasted lines was answered, or refused for a reason. What is said of the last
    /// one is of all of them.
    pub(crate) fn on_few(&mut self, id: u64, refused: Option<String>) {
        let Some(few) = &mut self.few else { return };
        if !(few.first..few.first + few.lines).contains(&id) {
            return;
        }
        few.answered += 1;
        few.refused += u64::from(refused.is_some());
        few.why = few.why.take().or(refused);
        if few.answered < few.lines {
            return;
        }
        let lines = plural(few.lines, "pasted line", "pasted lines");
        let refused = count(few.refused);
        let why = few.why.take();
        let all = few.lines;
        self.few = None;
        if let Some(why) = why {
            self.say(Tone::Bad, format!("{lines} sent, {refused} refused: {why}"));
        } else if all > 1 {
            self.say(Tone::Good, format!("{lines} sent, none refused"));
        }
    }

    /// The lines under way.
    pub fn import(&self) -> Option<&Import> {
        self.import.as_ref()
    }

    /// What waits for a yes.
    pub fn pasted(&self) -> Option<&Pasted> {
        self.pasted.as_ref()
    }

    /// Stops the lines under way; the last news of them say how far they came.
    pub(crate) fn stop_import(&mut self) -> Option<Effect> {
        self.import.as_ref()?;
        self.say(Tone::Plain, "stopping");
        Some(Effect::StopImport)
    }

    pub(crate) fn on_import(&mut self, news: &ImportNews, now: Moment) {
        let Some(mut import) = self.import.take_if(|import| import.id == news.id) else { return };
        (import.answered, import.refused, import.sent) = (news.answered, news.refused, news.sent);
        for text in &news.refusals {
            self.note_of(import.id, now, Tone::Bad, text);
        }
        let lines = plural(import.answered, "line", "lines");
        match news.end {
            None => self.import = Some(import),
            Some(ImportEnd::Whole) if import.refused == 0 => {
                let text = format!("{lines} sent in {}", import.took(now));
                self.end_import(&import, text, Tone::Good, now);
            }
            Some(ImportEnd::Whole) => {
                let refused = count(import.refused);
                let text = format!("{lines} sent, {refused} refused in {}", import.took(now));
                self.end_import(&import, text, Tone::Bad, now);
            }
            Some(ImportEnd::Broken) => {
                self.import = Some(import);
                self.lose_import(now);
            }
            Some(ImportEnd::Stopped) => {
                let text = format!(
                    "stopped: {} of {} lines answered, {} more sent, perhaps stored",
                    count(import.answered),
                    count(import.lines),
                    count(import.sent.saturating_sub(import.answered))
                );
                self.end_import(&import, text, Tone::Bad, now);
            }
        }
    }

    /// The connection is gone, and with it what was to be sent.
    pub(crate) fn lose_import(&mut self, now: Moment) {
        if let Some(import) = self.import.take() {
            let (answered, lines) = (count(import.answered), count(import.lines));
            let text = format!("connection lost: {answered} of {lines} lines are sure");
            self.end_import(&import, text, Tone::Bad, now);
        }
    }

    fn end_import(&mut self, import: &Import, text: String, tone: Tone, now: Moment) {
        self.note_of(import.id, now, tone, &text);
        self.say(tone, text);
        self.refresh_at = now.elapsed;
    }
}
