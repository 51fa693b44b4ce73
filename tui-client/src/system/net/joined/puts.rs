//! Puts that come together: a batch for each source, so that a pipe with many of them is sent on as fast
//! as to one server. Their replies come in the order of the puts.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::Client;
use shared::client::{Batch, BatchPiece, BatchStream, ClientError, Refusal};
use shared::response::WRONG_COMMAND;

use super::Joined;

/// Puts that are to be sent on together.
#[derive(Default)]
pub(super) struct Puts {
    /// For each put, in their order, the place of its source among the batches.
    order: Vec<usize>,
    batches: Vec<PutBatch>,
}

/// The puts of one source.
struct PutBatch {
    source: usize,
    client: Client,
    /// How often the source had changed when the first one came.
    changes: u64,
    batch: Batch,
}

/// Puts that have been sent on.
pub(super) struct SentPuts {
    /// For each put, in their order, the place of its source among the replies.
    pub(super) order: Vec<usize>,
    pub(super) replies: Vec<PutReplies>,
}

/// The replies of one source.
pub(super) struct PutReplies {
    source: usize,
    changes: u64,
    stream: Result<BatchStream, ClientError>,
    /// Replies that have been taken.
    taken: usize,
    /// Replies that have come.
    answered: usize,
    refusals: VecDeque<Refusal>,
    /// It is under way as long as this lives.
    _on_the_way: Arc<()>,
}

impl Puts {
    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds a put to those of its source; says whether there are some that it follows.
    pub(super) fn push(&mut self, source: usize, line: &[u8]) -> bool {
        let mut batches = self.batches.iter_mut().enumerate();
        let Some((at, of)) = batches.find(|(_, of)| of.source == source) else { return false };
        // A put is one line.
        if of.batch.push(line).is_ok() {
            self.order.push(at);
        }
        true
    }

    /// Begins a batch for a source.
    pub(super) fn begin(&mut self, source: usize, changes: u64, client: Client) {
        self.batches.push(PutBatch { source, client, changes, batch: Batch::default() });
    }

    /// Sends them on.
    pub(super) async fn send(self, on_the_way: &Arc<()>) -> SentPuts {
        let mut replies = Vec::new();
        for PutBatch { source, client, changes, batch } in self.batches {
            let stream = client.send_batch(batch).await;
            let (taken, answered, refusals) = (0, 0, VecDeque::new());
            replies.push(PutReplies {
                source,
                changes,
                stream,
                taken,
                answered,
                refusals,
                _on_the_way: Arc::clone(on_the_way),
            });
        }
        SentPuts { order: self.order, replies }
    }
}

impl PutReplies {
    /// The next reply has come.
    pub(super) fn is_here(&self) -> bool {
        self.taken < self.answered
    }

    /// Waits until the next reply has come; fails when it breaks off.
    pub(super) async fn wait(&mut self, joined: &Joined) -> Result<(), ClientError> {
        while !self.is_here() {
            let stream = self.stream.as_mut().map_err(|error| error.clone())?;
            let piece = tokio::select! {
                biased;
                piece = stream.next() => piece,
                () = joined.has_gone(self.source, self.changes) => return Err(ClientError::Closed),
            };
            match piece {
                // A put brings none.
                Ok(Some(BatchPiece::Data { index, .. })) => self.answered = index,
                Ok(Some(BatchPiece::Answered(answered))) => self.answered = answered,
                Ok(Some(BatchPiece::Refused(refusal))) => {
                    self.answered = refusal.index + 1;
                    self.refusals.push_back(refusal);
                }
                Ok(None) => self.answered = usize::MAX,
                Err(error) => {
                    self.answered = stream.answered();
                    if !self.is_here() {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the next reply, which has come: the reason where it is an error.
    pub(super) fn take(&mut self, joined: &Joined) -> Option<String> {
        let index = self.taken;
        self.taken += 1;
        self.refusals.front().filter(|refusal| refusal.index == index)?;
        let Refusal { reason, .. } = self.refusals.pop_front()?;
        let is_known = reason == WRONG_COMMAND;
        Some(if is_known { reason } else { format!("{}: {reason}", joined.name(self.source)) })
    }
}
