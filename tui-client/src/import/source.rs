//! Lines as they were typed, pasted or read, made into batches of requests.

use std::sync::atomic::{AtomicU64, Ordering};

use shared::client::Batch;
use tokio::sync::OwnedSemaphorePermit;

use crate::clock::unix_now;
use crate::request::deletion::is_deletion;
use crate::request::normalize::{WireLine, data_line, wire_line};
use crate::request::plausible::suspicious_timestamp;

/// A batch of pasted lines is full with so many bytes: small enough that a poll in between has its
/// turn.
const MAX_PASTED: usize = 64 * 1024;

/// Memory of a batch besides its lines and their numbers, in bytes.
pub const BATCH_OVERHEAD: usize = 512;

/// Where batches come from.
pub trait BatchSource {
    /// The next batch; none when there are no more.
    fn next(&mut self) -> impl Future<Output = Option<InputBatch>> + Send;
}

/// What is reported about a line besides its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineNote {
    /// It is longer than a request may be, and not sent.
    TooLong,
    /// It would delete points without being asked, and is not sent.
    Deletion,
    /// It ends the input, and the lines behind it are not sent.
    Quit,
    /// Its timestamp was missing and is filled in.
    Filled,
    /// Its timestamp is far ahead.
    Suspicious,
}

/// Requests for one write.
#[derive(Debug, Default)]
pub struct InputBatch {
    /// The requests.
    pub batch: Batch,
    /// The number in the input of each line of the batch.
    pub lines: Vec<u64>,
    /// Remarks on lines, with their numbers.
    pub notes: Vec<(u64, LineNote)>,
    /// Bytes of the input.
    pub size: usize,
    /// Its share of the memory, given back when it is dropped.
    pub room: Option<OwnedSemaphorePermit>,
}

impl InputBatch {
    /// Adds a line; `now` is its timestamp if it is a put that has none. A line that is empty
    /// without a prompt and blanks is left out.
    pub fn push(&mut self, number: u64, line: &[u8], now: i64) {
        self.push_line(number, &wire_line(line, now), now);
    }

    /// The same, but a `del` is not sent.
    pub fn push_without_del(&mut self, number: u64, line: &[u8], now: i64) {
        let line = wire_line(line, now);
        if is_deletion(&line.bytes) {
            self.notes.push((number, LineNote::Deletion));
        } else {
            self.push_line(number, &line, now);
        }
    }

    /// Adds the put of a data line `NAME VALUE [TIME]`, with a prefix before its name.
    pub fn push_data(&mut self, number: u64, line: &[u8], prefix: &str, now: i64) {
        self.push_line(number, &data_line(line, prefix, now), now);
    }

    fn push_line(&mut self, number: u64, line: &WireLine<'_>, now: i64) {
        if self.batch.push(&line.bytes).is_err() {
            return;
        }
        self.lines.push(number);
        if line.filled.is_some() {
            self.notes.push((number, LineNote::Filled));
        }
        if line.given.is_some_and(|time| suspicious_timestamp(time, now).is_some()) {
            self.notes.push((number, LineNote::Suspicious));
        }
    }

    /// The requests with the numbers of their lines.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.lines.iter().copied().zip(self.batch.lines())
    }

    /// Takes away the first lines of the batch.
    pub fn skip(&mut self, lines: usize) {
        let mut rest = Batch::default();
        for line in self.batch.lines().skip(lines) {
            // It was a line before.
            let _ = rest.push(line);
        }
        self.size = self.size.saturating_sub(self.batch.size() - rest.size());
        self.batch = rest;
        self.lines.drain(..lines.min(self.lines.len()));
    }

    /// Takes in what was read after it, if both together are no larger than `limit`: many short
    /// batches would cost far more memory than their lines.
    pub fn append(&mut self, mut next: Self, limit: usize) -> Option<Self> {
        if self.batch.size() + next.batch.size() > limit {
            return Some(next);
        }
        self.batch.append(&next.batch);
        self.lines.append(&mut next.lines);
        self.notes.append(&mut next.notes);
        self.size += next.size;
        if let (Some(room), Some(mut more)) = (&mut self.room, next.room) {
            drop(more.split(BATCH_OVERHEAD));
            room.merge(more);
        }
        None
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        let numbers = self.lines.len() * size_of::<u64>();
        let notes = self.notes.len() * size_of::<(u64, LineNote)>();
        self.batch.size() + numbers + notes + BATCH_OVERHEAD
    }
}

/// The lines of pasted text, without the empty ones.
pub fn pasted_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| !line.trim().is_empty())
}

/// Pasted text, cut into batches when they are sent.
pub struct PastedText<'a> {
    /// With their numbers.
    lines: Box<dyn Iterator<Item = (u64, &'a str)> + Send + 'a>,
    sent: &'a AtomicU64,
}

impl<'a> PastedText<'a> {
    /// Nothing is taken out yet; `sent` will count the requests that are.
    pub fn new(text: &'a str, sent: &'a AtomicU64) -> Self {
        Self { lines: Box::new((1..).zip(pasted_lines(text))), sent }
    }
}

impl BatchSource for PastedText<'_> {
    async fn next(&mut self) -> Option<InputBatch> {
        let now = unix_now();
        let (mut batch, mut is_over) = (InputBatch::default(), true);
        while batch.batch.size() < MAX_PASTED
            && let Some((number, line)) = self.lines.next()
        {
            batch.push(number, line.as_bytes(), now);
            is_over = false;
        }
        // What is being written may have come through when it is stopped.
        self.sent.fetch_add(batch.lines.len() as u64, Ordering::Relaxed);
        Some(batch).filter(|_| !is_over)
    }
}
