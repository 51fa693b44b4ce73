//! Taking points in: a batch of lines → the store → an outcome for each line. The same for every
//! protocol.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::iter::Peekable;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::vec;

use shared::{Key, Point};

use crate::store::{PutError, RefusalReason, Refused, Store};

/// Batches that one client may have in flight.
const MAX_BATCHES_IN_FLIGHT: usize = 16;

/// Bytes of input in flight from which on no more batches are started. With a last batch of a
/// whole read buffer, one client's share of the store's queue stays below 512 KiB of text.
const MAX_BYTES_IN_FLIGHT: usize = 256 * 1024;

/// Memory that a put in flight takes in the store, on its way there and in its record.
const PUT_COST: u64 = 48;

/// Bounds the memory of the batches that all clients have in flight; clones share it.
#[derive(Debug, Clone)]
pub struct InFlightLimit {
    used: Arc<AtomicU64>,
    limit: u64,
}

/// What a batch takes of an [`InFlightLimit`], until it is dropped.
#[derive(Debug)]
struct InFlightShare {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl InFlightLimit {
    /// A limit of so many bytes.
    pub fn new(limit: u64) -> Self {
        Self { used: Arc::default(), limit }
    }

    fn take(&self, bytes: u64) -> InFlightShare {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        InFlightShare { used: Arc::clone(&self.used), bytes }
    }
}

impl Drop for InFlightShare {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Hands batches to a store.
#[derive(Debug, Clone)]
pub struct Ingest<S> {
    store: S,
    in_flight: InFlightLimit,
}

impl<S: Store> Ingest<S> {
    /// Ingest into `store`.
    pub fn new(store: S, in_flight: InFlightLimit) -> Self {
        Self { store, in_flight }
    }

    /// Whether the batches of all clients take all the memory that they may, or will with another
    /// batch of `puts`: a client then starts few at a time, and waits for them.
    pub fn is_crowded(&self, puts: usize) -> bool {
        let used = self.in_flight.used.load(Ordering::Relaxed);
        used.saturating_add(puts as u64 * PUT_COST) > self.in_flight.limit
    }

    /// Hands a batch to the store, behind all that were handed over before. `bytes` is the length
    /// of its text.
    pub fn start(&self, batch: IngestBatch<'_>, bytes: usize) -> PendingBatch {
        let IngestBatch { puts, excluded } = batch;
        let stored: Option<StoreFuture> =
            if puts.is_empty() { None } else { Some(Box::pin(self.store.put_batch(&puts))) };
        let share = self.in_flight.take(puts.len() as u64 * PUT_COST);
        PendingBatch { stored, _share: share, bytes, puts: puts.len(), excluded }
    }
}

/// Lines that are stored together: points, and the places of lines between them that are not to be
/// stored.
#[derive(Debug, Default)]
pub struct IngestBatch<'a> {
    puts: Vec<(Key<'a>, Point)>,
    /// For each line that is not to be stored, how many puts came before it.
    excluded: Vec<(usize, Excluded)>,
}

/// Why a line is not to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excluded {
    Malformed,
    Denied,
}

impl<'a> IngestBatch<'a> {
    /// Makes room for so many more puts.
    pub fn reserve(&mut self, puts: usize) {
        self.puts.reserve(puts);
    }

    /// Adds the point of a line.
    pub fn put(&mut self, key: Key<'a>, point: Point) {
        self.puts.push((key, point));
    }

    /// Adds a line that holds no point.
    pub fn add_malformed(&mut self) {
        self.excluded.push((self.puts.len(), Excluded::Malformed));
    }

    /// Adds a line whose point the client may not put.
    pub fn add_denied(&mut self) {
        self.excluded.push((self.puts.len(), Excluded::Denied));
    }

    /// Number of points.
    pub fn puts(&self) -> usize {
        self.puts.len()
    }

    /// Number of lines that are not to be stored.
    pub fn excluded(&self) -> usize {
        self.excluded.len()
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.excluded.is_empty()
    }
}

type StoreFuture = Pin<Box<dyn Future<Output = Result<Vec<Refused>, PutError>> + Send>>;

/// A batch that the store has been given.
pub struct PendingBatch {
    /// `None` when there is nothing to store.
    stored: Option<StoreFuture>,
    _share: InFlightShare,
    bytes: usize,
    puts: usize,
    excluded: Vec<(usize, Excluded)>,
}

impl fmt::Debug for PendingBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingBatch").field("puts", &self.puts).finish_non_exhaustive()
    }
}

impl Future for PendingBatch {
    type Output = BatchOutcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<BatchOutcome> {
        let stored = match &mut self.stored {
            Some(stored) => ready!(stored.as_mut().poll(context)),
            None => Ok(Vec::new()),
        };
        let (refused, failure) = match stored {
            Ok(refused) => (refused, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let excluded = std::mem::take(&mut self.excluded);
        Poll::Ready(BatchOutcome::new(self.puts, excluded, refused, failure))
    }
}

/// What became of the lines of a batch: an iterator over the outcome of each, in their order.
#[derive(Debug)]
pub struct BatchOutcome {
    puts: usize,
    /// Puts before the next line.
    put: usize,
    excluded: Peekable<vec::IntoIter<(usize, Excluded)>>,
    refused: Peekable<vec::IntoIter<Refused>>,
    failure: Option<PutError>,
}

/// What became of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOutcome {
    /// Its point is stored.
    Stored,
    /// The store took the batch without this point.
    Refused(RefusalReason),
    /// The store could not take the batch; see [`BatchOutcome::failure`].
    Failed,
    /// It held no point.
    Malformed,
    /// The client may not put its point.
    Denied,
}

impl BatchOutcome {
    fn new(
        puts: usize,
        excluded: Vec<(usize, Excluded)>,
        refused: Vec<Refused>,
        failure: Option<PutError>,
    ) -> Self {
        let (excluded, refused) = (excluded.into_iter().peekable(), refused.into_iter().peekable());
        Self { puts, put: 0, excluded, refused, failure }
    }

    /// Number of points, stored or not.
    pub fn puts(&self) -> usize {
        self.puts
    }

    /// Why nothing of the batch is stored, if that is so.
    pub fn failure(&self) -> Option<&PutError> {
        self.failure.as_ref()
    }

    /// Whether no lines are left.
    pub fn is_empty(&self) -> bool {
        self.put == self.puts && self.excluded.len() == 0
    }
}

impl Iterator for BatchOutcome {
    type Item = LineOutcome;

    fn next(&mut self) -> Option<LineOutcome> {
        let put = self.put;
        if let Some((_, why)) = self.excluded.next_if(|&(before, _)| before == put) {
            return Some(match why {
                Excluded::Malformed => LineOutcome::Malformed,
                Excluded::Denied => LineOutcome::Denied,
            });
        }
        if put == self.puts {
            return None;
        }
        self.put += 1;
        if self.failure.is_some() {
            return Some(LineOutcome::Failed);
        }
        let refused = self.refused.next_if(|refused| refused.index == put);
        Some(refused.map_or(LineOutcome::Stored, |refused| LineOutcome::Refused(refused.reason)))
    }
}

/// The batches of one client that wait for the store, oldest first. Bounded.
#[derive(Debug, Default)]
pub struct InFlight {
    batches: VecDeque<PendingBatch>,
    bytes: usize,
}

impl InFlight {
    /// Adds the newest batch.
    pub fn push(&mut self, batch: PendingBatch) {
        self.bytes += batch.bytes;
        self.batches.push_back(batch);
    }

    /// Whether another batch may be started.
    pub fn has_room(&self) -> bool {
        self.batches.len() < MAX_BATCHES_IN_FLIGHT && self.bytes < MAX_BYTES_IN_FLIGHT
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The outcome of the oldest batch as soon as it is known; `None` when there are no batches.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<BatchOutcome>> {
        let Some(oldest) = self.batches.front_mut() else { return Poll::Ready(None) };
        let outcome = ready!(Pin::new(oldest).poll(context));
        if let Some(done) = self.batches.pop_front() {
            self.bytes -= done.bytes;
        }
        Poll::Ready(Some(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Unavailable;

    #[test]
    fn each_line_has_its_outcome_in_order() {
        use LineOutcome::{Denied, Failed, Malformed, Stored};
        let refused = Refused { index: 1, reason: RefusalReason::OlderThanRetention };
        let outcome = |failure| {
            let why = [Excluded::Malformed, Excluded::Denied];
            let excluded = vec![(0, why[0]), (0, why[1]), (2, why[0]), (3, why[1])];
            BatchOutcome::new(3, excluded, vec![refused], failure)
        };
        let lines: Vec<_> = outcome(None).collect();
        let refused = LineOutcome::Refused(refused.reason);
        assert_eq!(lines, [Malformed, Denied, Stored, refused, Malformed, Stored, Denied]);
        let mut failed = outcome(Some(Unavailable::DiskFull.into()));
        let mut lines = Vec::new();
        while !failed.is_empty() {
            lines.extend(failed.next());
        }
        assert_eq!(lines, [Malformed, Denied, Failed, Failed, Malformed, Failed, Denied]);
        assert_eq!(failed.next(), None);
    }
}
