//! One client's requests turned into store calls and encoded answers. Knows no sockets.
//!
//! Puts that come together are stored together; replies keep the order of the requests.

use std::io;

use shared::frame::RequestFramer;
use shared::request::{BadRequest, BadRequestReason, Request};
use shared::response::{self, OK, WRONG_COMMAND};
use shared::{Key, Point, Selector};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tracing::{debug, warn};

use crate::store::{Cursor, Store};

/// Replies are handed on when this many bytes are ready; the most that a client who does not
/// read can make the server hold, besides its own input.
const PIECE: usize = 64 * 1024;

/// Bad requests answered at once: their replies can be longer than they are.
const MOST_BAD: usize = PIECE / 32;

/// What a client has asked so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Points stored.
    pub puts: u64,
    /// `get` requests.
    pub gets: u64,
    /// Points sent in answers.
    pub points_sent: u64,
    /// Requests answered with an error.
    pub errors: u64,
}

/// The state of one client's conversation.
#[derive(Debug)]
pub struct Session<S> {
    store: S,
    framer: RequestFramer,
    out: Vec<u8>,
    tally: Tally,
}

/// Puts that wait to be stored, and where bad requests stood between them.
#[derive(Debug, Default)]
struct Batch<'a> {
    puts: Vec<(Key<'a>, Point)>,
    /// For each bad request, how many puts came before it.
    bad: Vec<usize>,
}

impl<S: Store> Session<S> {
    /// A conversation that has not begun.
    pub fn new(store: S) -> Self {
        Self { store, framer: RequestFramer::default(), out: Vec::new(), tally: Tally::default() }
    }

    /// What was asked so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Serves every complete request at the front of `input` and leaves the rest there. Replies
    /// that fit a buffer stay in it until [`Session::flush`].
    ///
    /// # Errors
    /// When `peer` can't be written to, or when an answer that has begun can't be completed: the
    /// connection must end then, so that a cut reply does not pass for a whole one.
    pub async fn serve(
        &mut self,
        input: &mut &[u8],
        peer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let mut batch = Batch::default();
        while let Some(line) = self.framer.next_request(input) {
            match Request::decode_line(line) {
                Ok(Request::Put(key, point)) => {
                    debug!(%key, %point, "put");
                    if batch.puts.is_empty() {
                        // About as many more as there are bytes for.
                        batch.puts.reserve(1 + input.len() / 24);
                    }
                    batch.puts.push((key, point));
                }
                Ok(Request::Get(selector)) => {
                    self.store_batch(&mut batch).await;
                    self.answer_get(selector, peer).await?;
                }
                // No selector is served but a key and `*`: whether it parses makes no difference.
                Err(BadRequest { reason: BadRequestReason::Selector(reason), .. }) => {
                    self.store_batch(&mut batch).await;
                    debug!(%reason, points = 0, "get");
                    self.tally.gets += 1;
                    self.out.extend_from_slice(OK);
                }
                Err(bad) => {
                    debug!(%bad, "wrong command");
                    batch.bad.push(batch.puts.len());
                    if batch.bad.len() == MOST_BAD {
                        self.store_batch(&mut batch).await;
                        self.flush(peer).await?;
                    }
                }
            }
        }
        self.store_batch(&mut batch).await;
        Ok(())
    }

    /// Takes the empty line that belongs to the last request off the front of what has come since
    /// it was served.
    pub fn absorb_empty_line(&mut self, input: &mut &[u8]) {
        self.framer.absorb_empty_line(input);
    }

    /// Writes the replies that are ready; all requests so far are then answered.
    ///
    /// # Errors
    /// When `peer` can't be written to.
    pub async fn flush(&mut self, peer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        self.framer.answered();
        self.write_out(peer).await
    }

    async fn write_out(&mut self, peer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if !self.out.is_empty() {
            peer.write_all(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }

    async fn store_batch(&mut self, batch: &mut Batch<'_>) {
        let Batch { puts, bad } = std::mem::take(batch);
        if puts.is_empty() && bad.is_empty() {
            return;
        }
        let outcome =
            if puts.is_empty() { Ok(Vec::new()) } else { self.store.put_batch(&puts).await };
        if let Err(error) = &outcome {
            debug!(puts = puts.len(), %error, "not stored");
        }
        let mut bad = bad.into_iter().peekable();
        let mut answer_bad = |before: usize, out: &mut Vec<u8>, tally: &mut Tally| {
            while bad.next_if(|&at| at <= before).is_some() {
                response::encode_error(WRONG_COMMAND, out);
                tally.errors += 1;
            }
        };
        let (refused, failure) = match outcome {
            Ok(refused) => (refused, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let mut refused = refused.into_iter().peekable();
        for index in 0..puts.len() {
            answer_bad(index, &mut self.out, &mut self.tally);
            let reason = refused.next_if(|refused| refused.index == index).map(|one| one.reason);
            match reason.as_ref().or(failure.as_ref()) {
                None => {
                    self.out.extend_from_slice(OK);
                    self.tally.puts += 1;
                }
                Some(reason) => {
                    response::encode_error(reason, &mut self.out);
                    self.tally.errors += 1;
                }
            }
        }
        answer_bad(puts.len(), &mut self.out, &mut self.tally);
    }

    async fn answer_get(
        &mut self,
        selector: Selector<'_>,
        peer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        self.tally.gets += 1;
        let mut cursor = self.store.get(selector);
        let (mut begun, mut points) = (false, 0_u64);
        loop {
            match cursor.next_block().await {
                Ok(Some(block)) => {
                    if !std::mem::replace(&mut begun, true) {
                        response::encode_status_ok(&mut self.out);
                    }
                    points += block.points.len() as u64;
                    for point in block.points {
                        response::encode_point(block.key.as_key(), point, &mut self.out);
                        self.tally.points_sent += 1;
                        if self.out.len() >= PIECE {
                            self.write_out(peer).await?;
                        }
                    }
                }
                Ok(None) => break,
                Err(error) if !begun => {
                    warn!(%selector, %error, "get failed");
                    response::encode_error(&error.to_string(), &mut self.out);
                    self.tally.errors += 1;
                    return Ok(());
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        if !begun {
            response::encode_status_ok(&mut self.out);
        }
        response::encode_end(&mut self.out);
        debug!(%selector, points, "get");
        Ok(())
    }
}
