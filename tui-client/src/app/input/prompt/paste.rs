//! Pasted lines: they are counted, checked and confirmed, then sent one by one, or, many lines, as
//! a stream whose progress is shown.

use std::sync::Arc;
use std::time::Duration;

use crate::app::context::Context;
use crate::app::log::Log;
use crate::app::message::Message;
use crate::app::server::link::Link;
use crate::effect::{Effect, NetworkOrder};
use crate::import::source::pasted_lines;
use crate::import::{ImportEnd, ImportNews};
use crate::metrics::patterns::Patterns;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::request::pending::Purpose;
use crate::text::number::{count, plural};
use crate::text::time::duration;
use crate::wire_log::entry::{Direction, LogEntry, Remark, Tone};

/// The most lines that are sent one by one, with each reply in the log; more go as a stream.
const MAX_ONE_BY_ONE: usize = 64;

/// The most lines that are checked before they are sent; more would delay the screen.
const MAX_CHECKED: usize = 100_000;

/// The most characters shown of a line.
const MAX_SAMPLE: usize = 200;

/// Pasted lines that wait for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// The pasted text.
    pub text: Arc<str>,
    /// The number of lines that are not empty.
    pub lines: u64,
    /// The lines that the server would refuse.
    pub wrong: Wrong,
    /// The reason for which the first wrong line would be refused.
    pub why: Option<String>,
    /// The first wrong line, else the first one; safe to show.
    pub sample: String,
}

/// The lines that the server would refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wrong {
    /// The number of lines.
    pub lines: u64,
    /// The number of the first line.
    pub first: u64,
    /// Not all lines were checked, so there may be more.
    pub at_least: bool,
}

impl Pasted {
    /// Counts and checks the lines.
    pub fn new(text: &str, now: i64) -> Self {
        let lines = pasted_lines(text).count() as u64;
        let mut sample = pasted_lines(text).next().unwrap_or_default();
        let mut why = None;
        let mut wrong = Wrong { at_least: lines > MAX_CHECKED as u64, ..Wrong::default() };
        for (number, line) in (1..).zip(pasted_lines(text)).take(MAX_CHECKED) {
            let wire = wire_line(line.as_bytes(), now);
            if !wire.bytes.is_empty() && explain::validate(&wire.bytes).is_some() {
                if wrong.lines == 0 {
                    (wrong.first, sample) = (number, line);
                    why = explain::explain(&wire.bytes);
                }
                wrong.lines += 1;
            }
        }
        let sample = explain::quoted(sample.as_bytes(), MAX_SAMPLE);
        Self { text: text.into(), lines, wrong, why, sample }
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The message, with the request.
    pub text: String,
    /// In few words, without the request.
    pub brief: String,
}

impl Refusal {
    /// Of a request that was typed so, for the reason of the server.
    pub fn new(typed: &str, line: &str, reason: &str) -> Self {
        let text = explain::error_message_as_typed(typed, line, reason);
        Self { text, brief: explain::brief_message(line.as_bytes(), reason) }
    }
}

/// Pasted lines that are sent one by one, as if each had been typed.
#[derive(Debug)]
struct PastedLines {
    first: u64,
    lines: u64,
    answered: u64,
    refused: u64,
    /// The first refusal.
    why: Option<Refusal>,
}

/// Lines that are being sent as a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Lines in all.
    pub lines: u64,
    /// Bytes in all.
    bytes: u64,
    /// The last news of the import.
    pub news: ImportNews,
    since: Duration,
}

/// The pasted lines being sent.
#[derive(Debug, Default)]
pub struct Paste {
    import: Option<Import>,
    lines: Option<PastedLines>,
}

impl Paste {
    /// The import, if lines are being sent as a stream.
    pub fn import(&self) -> Option<&Import> {
        self.import.as_ref()
    }

    /// Sends pasted lines: a few one by one, as if each had been typed, more as a stream. Returns
    /// the lines if they can't be sent now.
    pub fn send(
        &mut self,
        pasted: Pasted,
        link: &mut Link,
        watched: &Patterns,
        log: &mut Log,
        cx: &mut Context,
    ) -> Option<Pasted> {
        if !link.is_connected() {
            cx.say(Tone::Bad, "not sent, no connection; Enter tries again, Esc discards");
            return Some(pasted);
        }
        if self.import.is_some() {
            cx.say(Tone::Bad, "the lines pasted before are still on their way");
            return Some(pasted);
        }
        log.on_typed(cx.now().elapsed);
        if pasted.lines > MAX_ONE_BY_ONE as u64 {
            self.begin_import(link.next_id(), pasted, log, cx);
            return None;
        }
        let mut ids = Vec::new();
        for line in pasted_lines(&pasted.text) {
            let wire = wire_line(line.as_bytes(), cx.now().unix());
            if !wire.bytes.is_empty() {
                let request = String::from_utf8_lossy(&wire.bytes).into_owned();
                let due = (request, Purpose::Typed(line.to_owned()));
                ids.push(link.send(due, wire.filled.is_some(), watched, log, cx));
            }
        }
        let lines = ids.len() as u64;
        let begin = |&first: &u64| PastedLines { first, lines, answered: 0, refused: 0, why: None };
        self.lines = ids.first().map(begin);
        cx.say(Tone::Plain, format!("{} sent", plural(lines, "pasted line", "pasted lines")));
        None
    }

    fn begin_import(&mut self, id: u64, pasted: Pasted, log: &mut Log, cx: &mut Context) {
        let now = cx.now();
        let text = format!("{} pasted", plural(pasted.lines, "line", "lines"));
        let remark = Remark::Request { bytes: pasted.text.len() as u64, filled: false };
        let entry = LogEntry::new(now.unix_ms, Direction::Out, &text).remark(remark);
        log.push(entry.exchange(id));
        let (lines, bytes, since) = (pasted.lines, pasted.text.len() as u64, now.elapsed);
        let news = ImportNews { end: None, ..ImportNews::broken(id) };
        self.import = Some(Import { lines, bytes, news, since });
        cx.push(Effect::Network(NetworkOrder::Import { id, text: pasted.text }));
    }

    /// Counts the answer to one of the pasted lines, or its refusal; shows the result after the
    /// last.
    pub fn answered(&mut self, id: u64, refused: Option<Refusal>, cx: &mut Context) {
        let Some(pasted) = &mut self.lines else { return };
        if !(pasted.first..pasted.first + pasted.lines).contains(&id) {
            return;
        }
        pasted.answered += 1;
        pasted.refused += u64::from(refused.is_some());
        pasted.why = pasted.why.take().or(refused);
        let (all, refused) = (pasted.lines, count(pasted.refused));
        if pasted.answered < all {
            return;
        }
        let lines = plural(all, "pasted line", "pasted lines");
        if let Some(why) = self.lines.take().and_then(|pasted| pasted.why) {
            let text = format!("{lines} sent, {refused} refused; {}", why.text);
            let brief = format!("{refused} of {all} refused; {}", why.brief);
            cx.say_brief(Tone::Bad, text, brief);
        } else if all > 1 {
            cx.say(Tone::Good, format!("{lines} sent, none refused"));
        }
    }

    /// Stops the import under way; its end is reported by [`Paste::on_news`].
    pub fn stop_import(&self, cx: &mut Context) {
        if self.import.is_some() {
            cx.say(Tone::Plain, "stopping");
            cx.push(Effect::Network(NetworkOrder::StopImport));
        }
    }

    /// Requests that were answered since the last news, and about as many bytes as they have with
    /// their replies.
    pub fn moved(&self, news: &ImportNews) -> (u64, u64) {
        let Some(import) = self.import.as_ref().filter(|import| import.news.id == news.id) else {
            return (0, 0);
        };
        let answered = news.answered.saturating_sub(import.news.answered);
        let line = import.bytes / import.lines.max(1) + shared::response::OK.len() as u64;
        (answered, answered.saturating_mul(line))
    }

    /// Takes progress or the end of the import.
    pub fn on_news(&mut self, news: &ImportNews, log: &mut Log, cx: &mut Context) {
        let Some(import) = self.import.as_mut().filter(|import| import.news.id == news.id) else {
            return;
        };
        import.news.clone_from(news);
        for text in &news.refusals {
            log.note_of(news.id, cx.now(), Tone::Bad, text);
        }
        let lines = plural(news.answered, "line", "lines");
        let took = duration(cx.now().elapsed.saturating_sub(import.since));
        let (tone, text) = match news.end {
            None => return,
            Some(ImportEnd::Broken) => return self.lose(log, cx),
            Some(ImportEnd::Whole) if news.refused == 0 => {
                (Tone::Good, format!("{lines} sent in {took}"))
            }
            Some(ImportEnd::Whole) => {
                let refused = count(news.refused);
                (Tone::Bad, format!("{lines} sent, {refused} refused in {took}"))
            }
            Some(ImportEnd::Stopped) => {
                let text = format!(
                    "stopped: {} of {} lines answered, {} more sent, perhaps stored",
                    count(news.answered),
                    count(import.lines),
                    count(news.sent.saturating_sub(news.answered))
                );
                (Tone::Bad, text)
            }
        };
        self.end(tone, text, log, cx);
    }

    /// Ends an import whose connection is lost.
    pub fn lose(&mut self, log: &mut Log, cx: &mut Context) {
        self.lines = None;
        let Some(import) = &self.import else { return };
        let (answered, lines) = (count(import.news.answered), count(import.lines));
        let text = format!("connection lost: {answered} of {lines} lines are sure");
        self.end(Tone::Bad, text, log, cx);
    }

    fn end(&mut self, tone: Tone, text: String, log: &mut Log, cx: &mut Context) {
        if let Some(import) = self.import.take() {
            log.note_of(import.news.id, cx.now(), tone, &text);
            cx.say(tone, text);
            cx.send(Message::Refresh);
        }
    }
}
