//! The text protocol: `put` and `get` lines, answered in order.
//!
//! The puts of one read are one batch, and batches overlap. A `get` waits for the batches before
//! it, so that it sees their points, and is answered before anything after it is started; if it
//! follows, whatever comes after it ends its reply.

mod block_text;
mod excerpt;
mod first_line;

use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use shared::Selector;
use shared::frame::{Line, RequestFramer};
use shared::limits::MAX_POINT_LINE;
use shared::request::{BadRequest, PROBE, Request, SELECTOR_PROBE};
use shared::response::{self, OK, WRONG_COMMAND};
use tokio::io::AsyncWrite;
use tracing::{debug, info, warn};

use super::{FLUSH_THRESHOLD, Protocol, Replies, SessionStats, WriteScope};
use crate::event_limit::{Admitted, EventLimit};
use crate::follow::{Change, Follow, FollowProgress, Follows};
use crate::ingest::{BatchOutcome, InFlight, Ingest, IngestBatch, LineOutcome};
use crate::low_priority;
use crate::query::Queries;
use crate::store::Store;
use block_text::BlockText;
use excerpt::Excerpt;
use first_line::FirstLine;

/// Malformed requests and puts that are not allowed, answered at once: their replies can be longer than
/// they are.
const MAX_EXCLUDED: usize = FLUSH_THRESHOLD / 32;

/// Puts that a client starts at once while the batches of all clients take all the memory they may.
const CROWDED_PUTS: usize = 64;

/// Points that a worker of the runtime encodes itself: some 25 µs, about what a change of threads
/// takes.
const MAX_ENCODED_AT_ONCE: usize = 512;

/// Bytes of a long reply that another thread encodes at once, and that are then written: each change of
/// threads takes as long as some kilobytes, and a client that takes nothing has them held.
const LONG_PIECE: usize = 2 * FLUSH_THRESHOLD;

/// Bytes of a buffer for long replies: a line more than is written at once.
const REPLY_ROOM: usize = LONG_PIECE + MAX_POINT_LINE;

/// Bytes of a short put, to guess how many a batch will hold.
const SHORT_PUT: usize = 24;

/// How often in a minute the log tells of each, with an example.
static MALFORMED: EventLimit = EventLimit::new(5);
static REFUSED: EventLimit = EventLimit::new(5);
static DENIED: EventLimit = EventLimit::new(5);
static FAILED: EventLimit = EventLimit::new(5);
static DELETED: EventLimit = EventLimit::new(5);

/// One client's session.
#[derive(Debug)]
pub struct TextProtocol<S: Store> {
    ingest: Ingest<S>,
    queries: Queries<S>,
    follows: Follows<S>,
    framer: RequestFramer,
    /// Until the first line of the connection is known.
    first_line: Option<FirstLine>,
    /// Grows with each read that ends a line.
    reads_with_lines: u64,
    in_flight: InFlight,
    /// The batch whose replies are being encoded; replies to many lines are written in pieces.
    answering: Option<BatchOutcome>,
    /// The follow that is being answered.
    following: Option<Box<Follow<S::Follower>>>,
    /// The next line may be empty: it ended a follow.
    after_follow: bool,
    /// Requests in flight that are wrong on purpose, which the statistics do not count as errors.
    probes: u64,
    stats: SessionStats,
    allow_delete: bool,
    scope: WriteScope,
}

impl<S: Store> TextProtocol<S> {
    /// A session in which nothing was asked yet. Without `allow_delete` a `del` is an unknown command.
    pub fn new(
        ingest: Ingest<S>,
        queries: Queries<S>,
        follows: Follows<S>,
        allow_delete: bool,
    ) -> Self {
        Self {
            ingest,
            queries,
            follows,
            allow_delete,
            scope: WriteScope::All,
            framer: RequestFramer::default(),
            first_line: Some(FirstLine::default()),
            reads_with_lines: 0,
            in_flight: InFlight::default(),
            answering: None,
            following: None,
            after_follow: false,
            probes: 0,
            stats: SessionStats::default(),
        }
    }

    /// The same, which changes only these keys.
    #[must_use]
    pub fn limited_to(self, scope: WriteScope) -> Self {
        Self { scope, ..self }
    }
}

impl<S: Store> Protocol for TextProtocol<S> {
    async fn serve(
        &mut self,
        input: &mut &[u8],
        replies: &mut Replies<'_, impl AsyncWrite + Unpin + Send>,
    ) -> io::Result<()> {
        if let Some(line) = &mut self.first_line
            && line.look_at(input).map_err(io::Error::other)?
        {
            self.first_line = None;
        }
        let mut has_lines = false;
        let mut batch = IngestBatch::default();
        let mut unstarted = *input;
        let mut has_replies = false;
        while let Some(line) = self.framer.next_request(input) {
            self.after_follow = false;
            if !has_lines {
                has_lines = true;
                self.reads_with_lines += 1;
            }
            match Request::decode_line(line) {
                Ok(Request::Put(key, point)) if self.scope.allows(key.as_str()) => {
                    debug!(%key, %point, "put");
                    if batch.puts() == 0 {
                        batch.reserve(1 + input.len() / SHORT_PUT);
                    }
                    batch.put(key, point);
                    if batch.puts().is_multiple_of(CROWDED_PUTS)
                        && self.ingest.is_crowded(batch.puts())
                    {
                        self.start(&mut batch, unstarted.len() - input.len());
                        unstarted = *input;
                        self.settle(replies).await?;
                        has_replies = true;
                    }
                }
                Ok(Request::Get(selector)) => {
                    self.start(&mut batch, unstarted.len() - input.len());
                    unstarted = *input;
                    self.settle(replies).await?;
                    match self.follows.start(selector).await {
                        Ok(None) => self.answer_get(selector, replies).await?,
                        Ok(Some(follow)) => {
                            debug!(%selector, "follow");
                            self.stats.gets += 1;
                            self.following = Some(Box::new(follow));
                            response::encode_status_ok(replies.buffer());
                            return Ok(());
                        }
                        Err(error) => {
                            self.stats.gets += 1;
                            self.answer_failed_get(selector, &error, replies);
                        }
                    }
                    has_replies = true;
                    if replies.is_stopping() {
                        break;
                    }
                }
                Ok(Request::Del(selector)) if self.allow_delete => {
                    self.start(&mut batch, unstarted.len() - input.len());
                    unstarted = *input;
                    self.settle(replies).await?;
                    self.answer_del(selector, replies).await;
                    has_replies = true;
                    if replies.is_stopping() {
                        break;
                    }
                }
                not_served => {
                    if let Ok(Request::Put(key, _)) = &not_served {
                        log_denied(*key);
                        batch.add_denied();
                    } else {
                        if matches!(line, Line::Text(PROBE | SELECTOR_PROBE)) {
                            self.probes += 1;
                        } else {
                            log_malformed(line, not_served.as_ref().err());
                        }
                        batch.add_malformed();
                    }
                    if batch.excluded() == MAX_EXCLUDED {
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
        if let Some(line) = &mut self.first_line {
            line.leave(input.len());
        }
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
        if !self.after_follow {
            self.framer.answered();
        }
    }

    fn is_following(&self) -> bool {
        self.following.is_some()
    }

    fn poll_follow(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<io::Result<()>> {
        let Self { following, stats, .. } = self;
        let Some(follow) = following else { return Poll::Ready(Ok(())) };
        let progress = follow.poll_next(context, |key, change| {
            match change {
                Change::Put(point) => {
                    response::encode_point(key, point, out);
                    stats.points_sent += 1;
                }
                Change::Deleted(timestamp) => response::encode_deletion(key, timestamp, out),
            }
            if out.len() < FLUSH_THRESHOLD {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        match ready!(progress).map_err(io::Error::other)? {
            FollowProgress::More => {}
            FollowProgress::Finished => {
                response::encode_end(out);
                self.following = None;
                self.after_follow = true;
                self.framer.reopen();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        match &mut self.following {
            Some(follow) => follow.poll_lagged(context).map(io::Error::other),
            None => Poll::Pending,
        }
    }

    fn finish_follow(&mut self) {
        if let Some(follow) = &mut self.following {
            follow.finish();
        }
    }

    fn half_line(&self) -> Option<u64> {
        (!self.framer.is_between_lines()).then_some(self.reads_with_lines)
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
        // At once: the buffer of a connection that waited is gone.
        out.reserve((OK.len() * outcome.puts()).min(FLUSH_THRESHOLD));
        while out.len() < FLUSH_THRESHOLD {
            let line = outcome.next()?;
            let is_probe = line == LineOutcome::Malformed && self.probes > 0;
            self.probes -= u64::from(is_probe);
            match line {
                LineOutcome::Stored => {
                    out.extend_from_slice(OK);
                    self.stats.puts += 1;
                }
                LineOutcome::Refused(reason) => {
                    log_refused(&reason);
                    response::encode_error(&reason.to_string(), out);
                    self.stats.refused += 1;
                }
                LineOutcome::Denied => {
                    response::encode_error(&self.scope.rule(), out);
                    self.stats.refused += 1;
                }
                LineOutcome::Failed => {
                    response::encode_error(&failure, out);
                    self.stats.failed += 1;
                }
                LineOutcome::Malformed => {
                    response::encode_error(WRONG_COMMAND, out);
                    self.stats.malformed += u64::from(!is_probe);
                }
            }
        }
        (!outcome.is_empty()).then_some(outcome)
    }

    async fn answer_del(
        &mut self,
        selector: Selector<'_>,
        replies: &mut Replies<'_, impl AsyncWrite + Unpin>,
    ) {
        if self.scope != WriteScope::All
            && !selector.pattern().as_key().is_some_and(|key| self.scope.allows(key.as_str()))
        {
            log_denied(selector);
            response::encode_error(&self.scope.rule(), replies.buffer());
            self.stats.refused += 1;
            return;
        }
        match self.queries.delete(selector).await {
            Some(Ok(())) => {
                if let Some(Admitted { skipped }) = DELETED.admit() {
                    info!(%selector, skipped, "deleted");
                } else {
                    debug!(%selector, "deleted");
                }
                self.stats.deletes += 1;
                replies.buffer().extend_from_slice(OK);
            }
            Some(Err(error)) => {
                if let Some(Admitted { skipped }) = FAILED.admit() {
                    warn!(%selector, %error, skipped, "del failed");
                }
                response::encode_error(&error.to_string(), replies.buffer());
                self.stats.failed += 1;
            }
            None => {
                response::encode_error(WRONG_COMMAND, replies.buffer());
                self.stats.malformed += 1;
            }
        }
    }

    fn answer_failed_get<W: AsyncWrite + Unpin>(
        &mut self,
        selector: Selector<'_>,
        error: &dyn Display,
        replies: &mut Replies<'_, W>,
    ) {
        if let Some(Admitted { skipped }) = FAILED.admit() {
            warn!(%selector, %error, skipped, "get failed");
        }
        response::encode_error(&error.to_string(), replies.buffer());
        self.stats.failed += 1;
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
                self.answer_failed_get(selector, &error, replies);
                return Ok(());
            }
        };
        response::encode_status_ok(replies.buffer());
        let mut points = 0_u64;
        while let Some(block) = answer.next_block().await.map_err(io::Error::other)? {
            points += block.len() as u64;
            let mut text = BlockText::new(block);
            while text.points_left() > 0 {
                let before = text.points_left();
                if answer.is_brief() || before <= MAX_ENCODED_AT_ONCE {
                    text.encode(replies.buffer(), FLUSH_THRESHOLD);
                } else {
                    // No more than it takes: a client that does not read holds it.
                    let room = REPLY_ROOM.saturating_sub(replies.buffer().len());
                    replies.buffer().reserve(room);
                    // Puts do not wait for the processor.
                    let mut out = std::mem::take(replies.buffer());
                    let encoding = low_priority::run(move || {
                        text.encode(&mut out, LONG_PIECE);
                        (text, out)
                    });
                    (text, *replies.buffer()) = encoding.await.map_err(io::Error::other)?;
                }
                self.stats.points_sent += (before - text.points_left()) as u64;
                if replies.buffer().len() >= FLUSH_THRESHOLD {
                    let mut flush = pin!(replies.flush());
                    let at_once =
                        poll_fn(|context| Poll::Ready(flush.as_mut().poll(context))).await;
                    match at_once {
                        Poll::Ready(flushed) => flushed?,
                        Poll::Pending => {
                            // It may never be taken.
                            text.forget_encoded();
                            flush.await?;
                        }
                    }
                    // A reader that takes all it is given must not keep puts waiting.
                    tokio::task::yield_now().await;
                }
            }
        }
        response::encode_end(replies.buffer());
        debug!(%selector, points, "get");
        Ok(())
    }
}

/// Tells of a request that is none, at info as often as that is allowed.
fn log_malformed(line: Line<'_>, error: Option<&BadRequest>) {
    let reason: &dyn Display = match error {
        Some(error) => error,
        None => &"del is not allowed",
    };
    let example = Excerpt(line);
    if let Some(Admitted { skipped }) = MALFORMED.admit() {
        info!(%reason, %example, skipped, "malformed request");
    } else {
        debug!(%reason, %example, "malformed request");
    }
}

/// Tells of a put or del that the certificate of the client does not allow.
fn log_denied(what: impl Display) {
    if let Some(Admitted { skipped }) = DENIED.admit() {
        info!(%what, skipped, "refused a change that the client's certificate does not allow");
    } else {
        debug!(%what, "refused a change that the client's certificate does not allow");
    }
}

/// Tells of a put that the store refused.
fn log_refused(reason: &dyn Display) {
    if let Some(Admitted { skipped }) = REFUSED.admit() {
        info!(%reason, skipped, "refused a put");
    } else {
        debug!(%reason, "refused a put");
    }
}
