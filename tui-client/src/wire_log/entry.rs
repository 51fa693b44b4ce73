//! A line of the log, as data.

use std::time::Duration;

/// The direction of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Out,
    /// From the server.
    In,
    /// To the server, with the answer in the same line.
    Exchange,
    /// A note of the client.
    Note,
}

/// The tone of a line or a notice, which decides its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Less important than the rest.
    Quiet,
    /// Success.
    Good,
    /// Failure.
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

/// The cost of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The number of points.
    pub points: u64,
    /// The size in bytes.
    pub bytes: u64,
    /// The time from the request to the end of the reply.
    pub took: Duration,
}

/// A line of the log.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// The number of the line since the start, set by the log.
    pub number: u64,
    /// The time in Unix milliseconds.
    pub unix_ms: i64,
    /// The direction.
    pub direction: Direction,
    /// The text, safe to show.
    pub text: &'a str,
    /// Details besides the text.
    pub remark: Option<Remark>,
    /// The tone.
    pub tone: Tone,
    /// The number of polls in this line.
    pub times: u32,
    /// The time of the last poll in this line.
    pub until_ms: i64,
    /// The id of the request that the line belongs to.
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

    /// This line with another tone.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// This line with a remark.
    pub fn remark(mut self, remark: Remark) -> Self {
        self.remark = Some(remark);
        self
    }

    /// This line as a part of an exchange.
    pub fn exchange(mut self, id: u64) -> Self {
        self.exchange = Some(id);
        self
    }
}
