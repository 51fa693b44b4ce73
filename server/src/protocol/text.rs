//! The text protocol: `put` and `get` lines, answered in order.
//!
//! The puts of one read are one batch, and batches overlap. A `get` waits for the batches before
//! it, so that it sees their points, and is answered before anything after it is started.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use shared::Selector;
use shared::frame::RequestFramer;
use shared::request::Request;
use shared::response::{self, OK, WRONG_COMMAND};
use tokio::io::AsyncWrite;
use tracing::{debug, warn};

use super::{FLUSH_THRESHOLD, Protocol, Replies, SessionStats};
use crate::ingest::{BatchOutcome, InFlight, Ingest, IngestBatch, LineOutcome};
use crate::query::Queries;
use crate::store::Store;

/// Malformed requests answered at once: their replies can be longer than they are.
const MAX_MALFORMED: usize = FLUSH_THRESHOLD / 32;

/// Points that are encoded between two looks at the length of the buffer.
const MAX_ENCODED: usize = 64;

/// Bytes of a short put, to guess how many a batch will hold.
const SHORT_PUT: usize = 24;

/// One client's session.
#[derive(Debug)]
pub struct TextProtocol<S> {
    ingest: Ingest<S>,
    queries: Queries<S>,
    framer: RequestFramer,
    in_flight: InFlight,
    /// The batch whose replies are being encoded; replies to many lines are written in pieces.
    answering: Option<BatchOutcome>,
    stats: SessionStats,
    allow_delete: bool,
}

impl<S: Store> TextProtocol<S> {
    /// A session in which nothing was asked yet. Without `allow_delete` a `del` is an unknown command.
    pub fn new(ingest: Ingest<S>, queries: Queries<S>, allow_delete: bool) -> Self {
        Self {
            ingest,
            queries,
            allow_delete,
            framer: RequestFramer::default(),
            in_flight: InFlight::default(),
            answering: None,
            stats: SessionStats::default(),
        }
    }
}

impl<S: Store> Protocol for TextProtocol<S> {
    async fn serve(
        &mut self,
        input: &mut &[u8],
        replies: &mut Replies<'_, impl AsyncWrite + Unpin + Send>,
    ) -> io::Result<()> {
        let mut batch = IngestBatch::default();
        let mut unstarted = *input;
        let mut has_replies = false;
        while let Some(line) = self.framer.next_request(input) {
            match Request::decode_line(line) {
                Ok(Request::Put(key, point)) => {
                    debug!(%key, %point, "put");
                    if batch.puts() == 0 {
                        batch.reserve(1 + input.len() / SHORT_PUT);
                    }
                    batch.put(key, point);
                }
                Ok(Request::Get(selector)) => {
                    self.start(&mut batch, unstarted.len() - input.len());
                    unstarted = *input;
                    self.settle(replies).await?;
                    self.answer_get(selector, replies).await?;
                    has_replies = true;
                }
                Ok(Request::Del(selector)) if self.allow_delete => {
                    self.start(&mut batch, unstarted.len() - input.len());
                    unstarted = *input;
                    self.settle(replies).await?;
                    self.answer_del(selector, replies).await;
                    has_replies = true;
                }
                not_served => {
                    if let Err(error) = not_served {
                        debug!(%error, "malformed request");
                    } else {
                        debug!("del is not allowed");
                    }
                    batch.add_malformed();
                    if batch.malformed() == MAX_MALFORMED {
                        self.start(&mut batch, unstarted.len() - input.len());
                        unstarted = *input;
                        self.settle(replies).await?;
                        self.mark_answered();
                        replies.flush().await?;
                    }
                }
            }
        }
        self.start(&mut batch, unstarted.len() - input.len());
        if has_replies {
            self.settle(replies).await?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.answering.is_none() && self.in_flight.has_room()
    }

    fn is_idle(&self) -> bool {
        self.answering.is_none() && self.in_flight.is_empty()
    }

    fn poll_replies(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        let before = out.len();
        // One commit of the store often completes several batches: one write for all of them.
        while out.len() < FLUSH_THRESHOLD {
            let outcome = match self.answering.take() {
                Some(outcome) => outcome,
                None => match self.in_flight.poll_next(context) {
                    Poll::Ready(Some(outcome)) => {
                        if let Some(error) = outcome.failure() {
                            debug!(puts = outcome.puts(), %error, "batch not stored");
                        }
                        outcome
                    }
                    Poll::Pending if out.len() == before => return Poll::Pending,
                    Poll::Ready(None) | Poll::Pending => break,
                },
            };
            self.answering = self.encode_outcome(outcome, out);
        }
        Poll::Ready(())
    }

    /// The empty line that belongs to the last request.
    fn take_trailing(&mut self, input: &mut &[u8]) {
        self.framer.absorb_empty_line(input);
    }

    fn mark_answered(&mut self) {
        self.framer.answered();
    }

    fn stats(&self) -> SessionStats {
        self.stats
    }
}

impl<S: Store> TextProtocol<S> {
    /// Starts a batch of `bytes` of text, and leaves an empty one.
    fn start(&mut self, batch: &mut IngestBatch<'_>, bytes: usize) {
        let batch = std::mem::take(batch);
        if !batch.is_empty() {
            self.in_flight.push(self.ingest.start(batch, bytes));
        }
    }

    /// Waits for all that is in flight. The last reply is left in the buffer, because the requests
    /// are to be marked as answered before it is written.
    async fn settle(
        &mut self,
        replies: &mut Replies<'_, impl AsyncWrite + Unpin>,
    ) -> io::Result<()> {
        while !self.is_idle() {
            replies.flush_if_large().await?;
            poll_fn(|context| self.poll_replies(context, replies.buffer())).await;
        }
        Ok(())
    }

    /// Appends replies up to [`FLUSH_THRESHOLD`] bytes in `out`, and answers the rest of the batch.
    fn encode_outcome(
        &mut self,
        mut outcome: BatchOutcome,
        out: &mut Vec<u8>,
    ) -> Option<BatchOutcome> {
        let failure = outcome.failure().map(ToString::to_string).unwrap_or_default();
        while out.len() < FLUSH_THRESHOLD {
            let line = outcome.next()?;
            self.stats.errors += u64::from(line != LineOutcome::Stored);
            match line {
                LineOutcome::Stored => {
                    out.extend_from_slice(OK);
                    self.stats.puts += 1;
                }
                LineOutcome::Refused(reason) => response::encode_error(&reason.to_string(), out),
                LineOutcome::Failed => response::encode_error(&failure, out),
                LineOutcome::Malformed => response::encode_error(WRONG_COMMAND, out),
            }
        }
        (!outcome.is_empty()).then_some(outcome)
    }

    async fn answer_del(
        &mut self,
        selector: Selector<'_>,
        replies: &mut Replies<'_, impl AsyncWrite + Unpin>,
    ) {
        match self.queries.delete(selector).await {
            Some(Ok(())) => {
                debug!(%selector, "del");
                replies.buffer().extend_from_slice(OK);
            }
            Some(Err(error)) => {
                warn!(%selector, %error, "del failed");
                response::encode_error(&error.to_string(), replies.buffer());
                self.stats.errors += 1;
            }
            None => {
                response::encode_error(WRONG_COMMAND, replies.buffer());
                self.stats.errors += 1;
            }
        }
    }

    async fn answer_get(
        &mut self,
        selector: Selector<'_>,
        replies: &mut Replies<'_, impl AsyncWrite + Unpin>,
    ) -> io::Result<()> {
        self.stats.gets += 1;
        let mut answer = match self.queries.run(selector).await {
            Ok(answer) => answer,
            Err(error) => {
                warn!(%selector, %error, "get failed");
                response::encode_error(&error.to_string(), replies.buffer());
                self.stats.errors += 1;
                return Ok(());
            }
        };
        response::encode_status_ok(replies.buffer());
        let mut points = 0_u64;
        while let Some(block) = answer.next_block().await.map_err(io::Error::other)? {
            points += block.len() as u64;
            for (key, of_key) in block.series() {
                for stretch in of_key.chunks(MAX_ENCODED) {
                    for &point in stretch {
                        response::encode_point(key, point, replies.buffer());
                    }
                    self.stats.points_sent += stretch.len() as u64;
                    if replies.buffer().len() >= FLUSH_THRESHOLD {
                        replies.flush().await?;
                        // A reader that takes all it is given must not keep puts waiting.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        response::encode_end(replies.buffer());
        debug!(%selector, points, "get");
        Ok(())
    }
}
