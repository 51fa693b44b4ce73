//! The recorder of requests and replies: it logs excerpts, or, raw, every line sent and received.

use shared::response::Status;

use crate::app::context::Context;
use crate::app::log::Log;
use crate::event::Moment;
use crate::metrics::reply::{Capture, Reply};
use crate::request::explain;
use crate::request::pending::{Pending, Purpose};
use crate::text::escape::{escape_untrusted, escape_untrusted_lines};
use crate::text::number;
use crate::wire_log::entry::{Cost, Direction, LogEntry, Remark, Tone};
use crate::wire_log::store::Snapshot;

/// Rows of a large table that are shown before the others have come: more than a terminal has lines.
const FIRST_ROWS: usize = 500;

/// The part kept of the reply to a typed request.
const TYPED: Capture =
    Capture { raw: false, head: 200, foot: 20, recent: 1000, points: false, first: 0 };

/// The part kept of a poll that is logged line by line.
const SHOWN_POLL: Capture = Capture { head: 6, foot: 2, recent: 64, ..TYPED };

/// The part kept of any other poll; one line is enough for an error.
const QUIET_POLL: Capture = Capture { head: 1, foot: 0, ..SHOWN_POLL };

/// The part kept of a reply about watched keys, whose points are kept separately.
const WATCHED: Capture = Capture { recent: 8, ..QUIET_POLL };

/// The part kept of the state of all keys: summaries are asked for of the keys in sight alone.
const SNAPSHOT: Capture = Capture { recent: 0, first: FIRST_ROWS, ..SHOWN_POLL };

/// The part kept of an answer to a part of the screen: its points.
const POINTS: Capture = Capture { recent: 1, points: true, ..QUIET_POLL };

/// The level of detail of the log, and the state of the polls and replies being logged.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Every line of requests and replies is logged.
    pub raw: bool,
    poll: Poll,
    arriving: Option<Arriving>,
    /// The log is that of a saved session, to which only what is typed is added.
    is_replayed: bool,
}

/// The level of detail of polls of the table in excerpts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Poll {
    /// The next poll is logged line by line, as an example of the protocol.
    #[default]
    ShowNext,
    /// The poll under way is logged line by line.
    Showing,
    /// Polls are logged in one line.
    Brief,
}

/// A raw reply that has arrived in part.
#[derive(Debug)]
struct Arriving {
    id: u64,
    /// The number of the status line in the log.
    status: u64,
}

impl Log {
    /// Every line of requests and replies is logged.
    pub fn is_raw(&self) -> bool {
        self.recorder.raw
    }

    /// The log is that of a saved session.
    pub fn is_replayed(&self) -> bool {
        self.recorder.is_replayed
    }

    /// Shows the log of a saved session; only what is typed is added to it.
    pub fn replay(&mut self, log: &Snapshot) {
        for entry in log.entries() {
            self.push(entry);
        }
        self.recorder.is_replayed = true;
    }

    pub(super) fn toggle_raw(&mut self, cx: &mut Context) {
        self.recorder.raw = !self.recorder.raw;
        let what = if self.recorder.raw {
            "from now on every line, of polls too; raw fills the memory of --log-memory"
        } else {
            "from now on long replies in part, and polls in one line"
        };
        cx.say(Tone::Plain, what);
    }

    /// Resets the state of polls and replies for a new connection.
    pub fn restart(&mut self) {
        (self.recorder.poll, self.recorder.arriving) = (Poll::ShowNext, None);
    }

    /// The part to keep of the reply to a request that is sent now.
    pub fn capture(&mut self, purpose: &Purpose) -> Capture {
        let Recorder { raw, poll, is_replayed, .. } = &mut self.recorder;
        let is_typed = matches!(purpose, Purpose::Typed(_));
        let capture = match (purpose, &poll) {
            (Purpose::Typed(_), _) => TYPED,
            (Purpose::Watch(_), _) => WATCHED,
            (Purpose::Query(_), _) => POINTS,
            (Purpose::Snapshot(_), Poll::ShowNext) => SNAPSHOT,
            (
                Purpose::Snapshot(_)
                | Purpose::Renewal(_)
                | Purpose::Keys
                | Purpose::AsOf
                | Purpose::Base(_),
                _,
            ) => Capture { recent: 0, ..QUIET_POLL },
            (Purpose::Refresh, Poll::ShowNext) => SHOWN_POLL,
            (Purpose::Refresh, Poll::Showing | Poll::Brief) => QUIET_POLL,
        };
        if is_table(purpose) {
            *poll = if *poll == Poll::ShowNext { Poll::Showing } else { Poll::Brief };
        }
        if *is_replayed && !is_typed {
            return Capture { head: 1, foot: 0, ..capture };
        }
        if *raw { Capture { raw: true, head: 1, foot: 0, ..capture } } else { capture }
    }

    /// Logs a request that goes out, unless its reply will be logged in one line.
    pub fn log_request(
        &mut self,
        (id, line): (u64, &str),
        capture: Capture,
        filled: bool,
        now: Moment,
    ) {
        if capture.raw || capture.head > 1 {
            let text = escape_untrusted(line.as_bytes());
            let remark = Remark::Request { bytes: line.len() as u64 + 1, filled };
            let entry = LogEntry::new(now.unix_ms, Direction::Out, &text).exchange(id);
            self.push(entry.remark(remark));
        }
    }

    /// Logs the status line of a raw reply, whose other lines follow.
    pub fn log_status(&mut self, id: u64, status: Status, now: Moment) {
        let (text, tone) = status_line(status);
        let status = self.push(received(now, id, text, tone));
        self.recorder.arriving = Some(Arriving { id, status });
    }

    /// Logs some data lines of a raw reply.
    pub fn log_lines(&mut self, id: u64, status: Status, lines: &str, now: Moment) {
        if self.recorder.arriving.as_ref().is_some_and(|arriving| arriving.id == id) {
            for line in lines.split_terminator('\n') {
                self.push(received(now, id, line, data_tone(status)));
            }
        }
    }

    /// Logs a whole reply, or the end of one that came line by line.
    pub fn log_reply(&mut self, pending: &Pending, reply: &Reply, now: Moment) {
        if self.is_replayed() && !matches!(pending.purpose, Purpose::Typed(_)) {
            return;
        }
        let arriving = self.recorder.arriving.take_if(|arriving| arriving.id == reply.id);
        let poll = is_table(&pending.purpose);
        if let Some(arriving) = arriving {
            self.push(received(now, reply.id, "", Tone::Plain));
            self.store.set_remark(arriving.status, Remark::Reply(cost(reply)));
        } else if matches!(pending.purpose, Purpose::Typed(_)) {
            self.log_excerpt(reply, now);
        } else if poll && self.recorder.poll == Poll::Showing {
            self.recorder.poll = Poll::Brief;
            self.log_excerpt(reply, now);
        } else if matches!(
            pending.purpose,
            Purpose::Query(_)
                | Purpose::Renewal(_)
                | Purpose::Keys
                | Purpose::AsOf
                | Purpose::Base(_)
        ) && reply.status == Status::Ok
        {
            // One with each row that comes into sight or is taken back, step in time, or first letter.
            return;
        } else {
            return self.log_brief(&pending.line, reply, now);
        }
        if reply.status == Status::Error {
            self.note_of(reply.id, now, Tone::Bad, &explained(pending, reply));
        }
    }

    fn log_excerpt(&mut self, reply: &Reply, now: Moment) {
        let (text, tone) = status_line(reply.status);
        let id = reply.id;
        self.push(received(now, id, text, tone).remark(Remark::Reply(cost(reply))));
        let tone = data_tone(reply.status);
        for text in &reply.head {
            self.push(received(now, id, text, tone));
        }
        if reply.left_out > 0 {
            let lines = number::plural(reply.left_out, "line", "lines");
            let text = format!("… {lines} left out; R in the log keeps all …");
            self.push(received(now, id, &text, Tone::Quiet));
        }
        for text in &reply.foot {
            self.push(received(now, id, text, tone));
        }
    }

    fn log_brief(&mut self, line: &str, reply: &Reply, now: Moment) {
        let (text, tone) = match reply.status {
            Status::Ok => (format!("{line} ← ok"), Tone::Quiet),
            Status::Error => (format!("{line} ← error: {}", reply.reason()), Tone::Bad),
        };
        let entry = exchanged(now, reply.id, &text, tone).remark(Remark::Reply(cost(reply)));
        if reply.status == Status::Ok {
            return self.push_poll(entry);
        }
        // Parts of the screen ask for other times each time, and are refused for the same reason until a
        // source is back, say.
        let reason = format!(" ← error: {}", reply.reason());
        self.push_again(entry, |text| text.ends_with(&reason));
    }

    /// Logs that requests of the screen get no reply, which goes on for as long as the reason does.
    pub fn log_lost(&mut self, reason: &str, now: Moment) {
        let text = format!("no data: {reason}");
        self.note_again(now, Tone::Bad, &text, |known| known == text);
    }

    /// Logs the beginning of the follow of the screen, whose lines are logged only where each line
    /// is. So is its refusal, with the reason, because a server without selectors is no fault.
    pub fn log_follow(&mut self, id: u64, pattern: &str, outcome: Result<(), &str>, now: Moment) {
        let answer = match outcome {
            _ if self.is_replayed() => return,
            Ok(()) => "ok".to_owned(),
            Err(_) if !self.is_raw() => return,
            Err(reason) => format!("error: {reason}"),
        };
        let text = escape_untrusted(format!("get {pattern}[+] ← {answer}").as_bytes());
        self.push(exchanged(now, id, &text, Tone::Quiet));
    }

    /// Logs lines of the follow of the screen, where each line is logged.
    pub fn log_news(&mut self, lines: &[u8], now: Moment) {
        if self.is_raw() {
            for line in escape_untrusted_lines(lines).split_terminator('\n') {
                self.push(received(now, 0, line, Tone::Plain));
            }
        }
    }

    /// Logs a note of the client.
    pub fn note(&mut self, now: Moment, tone: Tone, text: &str) {
        if self.is_replayed() {
            return;
        }
        let text = escape_untrusted(text.as_bytes());
        self.push(LogEntry::new(now.unix_ms, Direction::Note, &text).tone(tone));
    }

    /// Logs a note of the client, or counts a repetition of a recent line of such a text.
    pub fn note_again(
        &mut self,
        now: Moment,
        tone: Tone,
        text: &str,
        is_like: impl Fn(&str) -> bool,
    ) {
        if self.is_replayed() {
            return;
        }
        let text = escape_untrusted(text.as_bytes());
        self.push_again(LogEntry::new(now.unix_ms, Direction::Note, &text).tone(tone), is_like);
    }

    /// Logs a failure and shows it on the bottom line.
    pub fn report(&mut self, text: String, cx: &mut Context) {
        self.note(cx.now(), Tone::Bad, &text);
        cx.say(Tone::Bad, text);
    }

    /// Logs a note that belongs to an exchange: with many requests under way, replies are far from
    /// their requests.
    pub fn note_of(&mut self, exchange: u64, now: Moment, tone: Tone, text: &str) {
        let text = escape_untrusted(text.as_bytes());
        let entry = LogEntry::new(now.unix_ms, Direction::Note, &text).tone(tone);
        self.push(entry.exchange(exchange));
    }
}

/// It brings the keys of the table.
fn is_table(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Refresh | Purpose::Snapshot(_))
}

/// The message of an error reply, with an explanation of the request.
fn explained(pending: &Pending, reply: &Reply) -> String {
    match &pending.purpose {
        Purpose::Typed(typed) => {
            explain::error_message_as_typed(typed, &pending.line, reply.reason())
        }
        _ => explain::error_message(pending.line.as_bytes(), reply.reason()),
    }
}

fn status_line(status: Status) -> (&'static str, Tone) {
    match status {
        Status::Ok => ("ok", Tone::Good),
        Status::Error => ("error", Tone::Bad),
    }
}

fn data_tone(status: Status) -> Tone {
    if status == Status::Error { Tone::Bad } else { Tone::Plain }
}

/// A request with its answer.
fn exchanged(now: Moment, exchange: u64, text: &str, tone: Tone) -> LogEntry<'_> {
    LogEntry::new(now.unix_ms, Direction::Exchange, text).tone(tone).exchange(exchange)
}

fn received(now: Moment, exchange: u64, text: &str, tone: Tone) -> LogEntry<'_> {
    LogEntry::new(now.unix_ms, Direction::In, text).tone(tone).exchange(exchange)
}

fn cost(reply: &Reply) -> Cost {
    Cost { points: reply.answer.points, bytes: reply.bytes, took: reply.took }
}
