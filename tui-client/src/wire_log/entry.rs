//! A line of the log, as data; it becomes text only when it is drawn or saved.

use std::time::Duration;

/// Which way a line went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Out,
    /// From the server.
    In,
    /// Neither: what the client has to say.
    Note,
}

/// What the reader should feel about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Less important than the rest.
    Quiet,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
}

/// Details of a line besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum Remark {
    /// A request of so many bytes on the wire; `filled`: the client has added the timestamp.
    Request { bytes: u64, filled: bool },
    /// The reply that begins with this line.
    Reply(Cost),
}

/// What a reply cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Points in it.
    pub points: u64,
    /// Its size.
    pub bytes: u64,
    /// From the request to its end.
    pub took: Duration,
}

/// One line.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// Counted since the start; the log gives it.
    pub number: u64,
    /// When, in Unix milliseconds.
    pub unix_ms: i64,
    /// Which way.
    pub direction: Direction,
    /// The line, safe to show.
    pub text: &'a str,
    /// What is known besides.
    pub remark: Option<Remark>,
    /// How it should look.
    pub tone: Tone,
    /// How often the same request was repeated, when that is shown in one line.
    pub times: u32,
    /// When it was repeated last.
    pub until_ms: i64,
    /// The request that it belongs to: the same number as in its effect and its reply.
    pub exchange: Option<u64>,
}

impl<'a> LogEntry<'a> {
    /// A line without any remark.
    pub fn new(unix_ms: i64, direction: Direction, text: &'a str) -> Self {
        Self {
            number: 0,
            unix_ms,
            direction,
            text,
            remark: None,
            tone: Tone::Plain,
            times: 1,
            until_ms: unix_ms,
            exchange: None,
        }
    }

    /// With another tone.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// With a remark.
    pub fn remark(mut self, remark: Remark) -> Self {
        self.remark = Some(remark);
        self
    }

    /// As a part of an exchange.
    pub fn exchange(mut self, id: u64) -> Self {
        self.exchange = Some(id);
        self
    }
}
