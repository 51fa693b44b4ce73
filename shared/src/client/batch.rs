//! Many lines with one write: what a good `put` costs on the way back is a counter.

use std::collections::VecDeque;

use bytes::Bytes;

use super::error::ClientError;
use super::piece_queue::{PieceReceiver, PieceSender};
use crate::request::Request;
use crate::selector::Clause;

/// Request lines to be sent with one write, right or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub(super) bytes: Vec<u8>,
    count: usize,
    /// The last line asks for a follow.
    ends_in_follow: bool,
}

impl Batch {
    /// Appends a line as it is, without its `\n`.
    ///
    /// # Errors
    /// [`ClientError::NotOneLine`] for an empty line or one with a `\n` inside, because the
    /// server may answer those with fewer or more replies than one.
    pub fn push(&mut self, line: &[u8]) -> Result<(), ClientError> {
        if matches!(line, b"" | b"\r") || line.contains(&b'\n') {
            return Err(ClientError::NotOneLine);
        }
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        self.count += 1;
        self.ends_in_follow = is_follow(line);
        Ok(())
    }

    /// Appends all lines of another one.
    pub fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.count += other.count;
        if !other.is_empty() {
            self.ends_in_follow = other.ends_in_follow;
        }
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.count
    }

    /// There are no lines.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The lines, as they were pushed.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|&byte| byte == b'\n').map(|line| &line[..line.len() - 1])
    }

    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// The line asks for a follow, whose reply ends only when more is sent.
pub(super) fn is_follow(line: &[u8]) -> bool {
    if !line.trim_ascii_end().ends_with(b"+]") {
        return false;
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Ok(Request::Get(selector)) = Request::decode(line) else { return false };
    matches!(selector.clause(), Some(Clause::Follow { .. }))
}

/// A line that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The place of the line in the batch, from 0.
    pub index: usize,
    /// The server's reason.
    pub reason: String,
}

/// What is worth knowing of the replies to a [`Batch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchPiece {
    /// Whole data lines of a good reply, each with its `\n`.
    Data {
        /// The place of the request in the batch, from 0.
        index: usize,
        /// The lines.
        lines: Bytes,
    },
    /// The server refused a line.
    Refused(Refusal),
    /// So many replies have come whole; those to the last of them brought nothing else. More are due.
    Answered(usize),
}

/// The replies to a [`Batch`] as they arrive, in the order of its lines.
///
/// Replies that are not taken hold back the replies after them.
#[derive(Debug)]
pub struct BatchStream {
    deliveries: PieceReceiver<BatchDelivery>,
    /// They go before what is delivered next.
    refused: VecDeque<Refusal>,
    answered: usize,
    end: Option<Result<(), ClientError>>,
}

#[derive(Debug)]
pub(super) enum BatchDelivery {
    Data {
        index: usize,
        lines: Bytes,
    },
    /// Those of one read together: a delivery each would cost more than the refusal.
    Refused(VecDeque<Refusal>),
    Answered(usize),
    End {
        answered: usize,
    },
    Failed {
        answered: usize,
        error: ClientError,
    },
}

impl BatchStream {
    /// The replies that `deliveries` brings; none are due when there `is_nothing` in the batch.
    pub(super) fn new(deliveries: PieceReceiver<BatchDelivery>, is_nothing: bool) -> Self {
        let end = is_nothing.then_some(Ok(()));
        Self { deliveries, refused: VecDeque::new(), answered: 0, end }
    }

    /// The next piece, or `None` once all replies are complete.
    ///
    /// # Errors
    /// [`ClientError`] when a reply breaks off; [`BatchStream::answered`] says how many came
    /// whole before it.
    pub async fn next(&mut self) -> Result<Option<BatchPiece>, ClientError> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| None);
        }
        if let Some(refusal) = self.refused.pop_front() {
            return Ok(Some(BatchPiece::Refused(refusal)));
        }
        let end = match self.deliveries.recv().await {
            Some(BatchDelivery::Data { index, lines }) => {
                return Ok(Some(BatchPiece::Data { index, lines }));
            }
            Some(BatchDelivery::Answered(count)) => {
                return Ok(Some(BatchPiece::Answered(count)));
            }
            Some(BatchDelivery::Refused(mut refused)) => {
                let first = refused.pop_front();
                self.refused = refused;
                return Ok(first.map(BatchPiece::Refused));
            }
            Some(BatchDelivery::End { answered }) => {
                self.answered = answered;
                Ok(())
            }
            Some(BatchDelivery::Failed { answered, error }) => {
                self.answered = answered;
                Err(error)
            }
            None => Err(ClientError::Closed),
        };
        self.end.insert(end).clone().map(|()| None)
    }

    /// The next refusal, if one has come together with the last piece: cheaper than
    /// [`BatchStream::next`] where many lines are refused.
    pub fn next_refusal(&mut self) -> Option<Refusal> {
        self.refused.pop_front()
    }

    /// Nothing more will come: [`BatchStream::next`] has said so, or failed.
    pub fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Replies that came whole, known once [`BatchStream::next`] has come to an end.
    pub fn answered(&self) -> usize {
        self.answered
    }
}

/// The driver's side: counts replies and passes on what is worth knowing.
#[derive(Debug)]
pub(super) struct BatchReplies {
    count: usize,
    answered: usize,
    /// Replies that the caller knows to have come.
    known: usize,
    ends_in_follow: bool,
    /// Not delivered yet.
    refused: VecDeque<Refusal>,
    deliveries: PieceSender<BatchDelivery>,
}

impl BatchReplies {
    pub(super) fn new(batch: &Batch, deliveries: PieceSender<BatchDelivery>) -> Self {
        let Batch { count, ends_in_follow, .. } = *batch;
        let refused = VecDeque::new();
        Self { count, answered: 0, known: 0, ends_in_follow, refused, deliveries }
    }

    /// The reply that is due is the last one, and a follow.
    pub(super) fn is_at_follow(&self) -> bool {
        self.ends_in_follow && self.answered + 1 == self.count
    }

    /// Waits until the caller is gone.
    pub(super) async fn abandoned(&self) {
        self.deliveries.abandoned().await;
    }

    pub(super) fn data(&mut self, lines: Bytes) {
        self.deliver_refused();
        self.known = self.answered;
        self.deliveries.send(BatchDelivery::Data { index: self.answered, lines });
    }

    /// Counts a complete reply, refused for `reason` if there is one; says whether it was the last.
    pub(super) fn answer(&mut self, reason: Option<String>) -> bool {
        let index = self.answered;
        self.answered += 1;
        self.refused.extend(reason.map(|reason| Refusal { index, reason }));
        let last = self.answered == self.count;
        if last {
            self.deliver_refused();
            self.deliveries.send(BatchDelivery::End { answered: self.answered });
        }
        last
    }

    /// Delivers how far the replies have come: what was read holds no more of them.
    pub(super) fn deliver_progress(&mut self) {
        self.deliver_refused();
        if self.known < self.answered {
            self.known = self.answered;
            self.deliveries.send(BatchDelivery::Answered(self.answered));
        }
    }

    fn deliver_refused(&mut self) {
        if let Some(last) = self.refused.back() {
            self.known = last.index + 1;
            self.deliveries.send(BatchDelivery::Refused(std::mem::take(&mut self.refused)));
        }
    }

    /// Waits while the caller has too many pieces to take.
    pub(super) async fn wait_for_room(&mut self) {
        self.deliveries.wait_for_room().await;
    }

    pub(super) fn fail(mut self, error: ClientError) {
        self.deliver_refused();
        let answered = self.answered;
        self.deliveries.send(BatchDelivery::Failed { answered, error });
    }
}
