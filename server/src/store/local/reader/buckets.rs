//! A point for each bucket of a series, from what is known of whole chunks where a bucket covers
//! them, from their points where not.

use shared::Point;
use shared::selector::Aggregate;

use super::newest::find_newest;
use super::percentile::Percentile;
use crate::store::local::part::chunk_reader::ChunkReader;
use crate::store::local::series::merge::{Merge, Source};
use crate::store::local::series::summary::{Summary, Wanted, increase};
use crate::store::local::state::piece::Piece;
use crate::store::query::{Step, Window};
use crate::store::{MAX_BLOCK_POINTS, ReadError};

/// Points that are read before others get their turn: about a millisecond.
const MAX_READ: usize = 64 * 1024;

/// Whether a bucket depends on the point before it.
pub fn needs_neighbour(how: Aggregate) -> bool {
    how == Aggregate::Rate
}

/// The buckets of a series, by rising time.
#[derive(Debug)]
pub struct BucketReader {
    pieces: Vec<Piece>,
    merge: Merge<Piece>,
    step: Step,
    how: Aggregate,
    /// Points that are read, from `at` on not yet in a bucket.
    points: Vec<Point>,
    at: usize,
    /// The point before the bucket.
    before: Option<Point>,
    bucket: Option<Bucket>,
    /// Points that were read since [`BucketReader::take_read`].
    read: usize,
}

/// The points of a bucket so far, at least one.
#[derive(Debug)]
struct Bucket {
    number: i64,
    first: i64,
    last: i64,
    summary: Summary,
    percentile: Option<Percentile>,
}

impl BucketReader {
    /// The buckets of the points of `pieces` that are in `window`; points before `cutoff` are too
    /// old to count for anything. `None` when there are no points.
    ///
    /// # Errors
    /// When the point before the window can't be read.
    pub fn new(
        pieces: Vec<Piece>,
        window: Window,
        cutoff: i64,
        step: Step,
        how: Aggregate,
    ) -> Result<Option<Self>, ReadError> {
        if !pieces.iter().any(|piece| window.intersects(piece.range())) {
            return Ok(None);
        }
        let mut chunks = ChunkReader::default();
        let before = match window.from.checked_sub(1) {
            Some(to) if needs_neighbour(how) => {
                find_newest(&pieces, Window { from: cutoff, to }, &mut chunks)?
            }
            _ => None,
        };
        let merge = Merge::within(window, pieces.iter().cloned());
        let (points, at, bucket) = (Vec::new(), 0, None);
        let read = chunks.take_unpacked();
        Ok(Some(Self { pieces, merge, step, how, points, at, before, bucket, read }))
    }

    /// The points of the next buckets, at most [`MAX_BLOCK_POINTS`] and none when many points were read
    /// for it, or `None` at the end.
    ///
    /// # Errors
    /// When a chunk can't be read.
    pub fn next_block(&mut self) -> Result<Option<Vec<Point>>, ReadError> {
        let mut out = Vec::new();
        let mut is_over = false;
        while out.len() < MAX_BLOCK_POINTS && self.read < MAX_READ {
            if self.at < self.points.len() {
                let number = self.number(self.points[self.at].timestamp);
                let rest = &self.points[self.at..];
                let count = match self.step {
                    Step::All { .. } => rest.len(),
                    Step::Every(_) => {
                        rest.partition_point(|point| self.number(point.timestamp) == number)
                    }
                };
                let points = &rest[..count];
                if let Some(stretch) = Bucket::of(number, points, self.how) {
                    self.at += count;
                    out.extend(self.add(stretch)?);
                }
                continue;
            }
            let (number, step, how) = (|at| number(self.step, at), self.step, self.how);
            let whole = self.merge.next_source_if(|piece| {
                let (first, last) = piece.range();
                number(first) == number(last) && known(how, piece).is_some()
            });
            if let Some(piece) = whole {
                if let Some(summary) = known(how, &piece) {
                    let (first, last) = piece.range();
                    let number = super::buckets::number(step, first);
                    let stretch = Bucket { number, first, last, summary, percentile: None };
                    out.extend(self.add(stretch)?);
                }
                continue;
            }
            if let Some(points) = self.merge.next_run()? {
                self.read += points.len();
                (self.points, self.at) = (points, 0);
                continue;
            }
            if let Some(bucket) = self.bucket.take() {
                out.extend(self.finish(bucket)?);
            }
            is_over = true;
            break;
        }
        Ok((!is_over || !out.is_empty()).then_some(out))
    }

    /// The number of points that were read since the last call.
    pub fn take_read(&mut self) -> usize {
        std::mem::take(&mut self.read)
    }

    /// Adds a stretch of points; answers the point of the bucket that it ends.
    fn add(&mut self, stretch: Bucket) -> Result<Option<Point>, ReadError> {
        match &mut self.bucket {
            Some(bucket) if bucket.number == stretch.number => {
                bucket.append(stretch);
                Ok(None)
            }
            bucket => match bucket.replace(stretch) {
                Some(full) => self.finish(full),
                None => Ok(None),
            },
        }
    }

    /// The point of a bucket; `None` for a rate with nothing to compare.
    fn finish(&mut self, bucket: Bucket) -> Result<Option<Point>, ReadError> {
        let Bucket { number, first, last, summary, percentile } = bucket;
        let before = self.before.replace(Point { timestamp: last, value: summary.last });
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        let value = match self.how {
            Aggregate::Avg => summary.sum.mean(summary.count),
            Aggregate::Min => summary.min,
            Aggregate::Max => summary.max,
            Aggregate::Sum => summary.sum.value(),
            Aggregate::Count => summary.count as f64,
            Aggregate::First => summary.first,
            Aggregate::Last => summary.last,
            Aggregate::Rate => {
                let begin = before.map_or(first, |point| point.timestamp);
                let seconds = last.abs_diff(begin);
                if seconds == 0 {
                    return Ok(None);
                }
                let first = before.map_or(0.0, |point| increase(point.value, summary.first));
                (first + summary.increase) / seconds as f64
            }
            Aggregate::P50 | Aggregate::P90 | Aggregate::P95 | Aggregate::P99 => {
                let Some(percentile) = percentile else { return Ok(None) };
                let read = || {
                    let window = Window { from: first, to: last };
                    Merge::within(window, self.pieces.iter().cloned())
                };
                percentile.value(read)?
            }
        };
        let timestamp = match self.step {
            Step::All { stamp } => stamp.unwrap_or(first),
            Step::Every(step) => number.saturating_mul(step.get()),
        };
        Ok(Some(Point { timestamp, value }))
    }

    fn number(&self, timestamp: i64) -> i64 {
        number(self.step, timestamp)
    }
}

/// The number of the bucket of a timestamp, rounded down before 1970 too.
fn number(step: Step, timestamp: i64) -> i64 {
    match step {
        Step::All { .. } => 0,
        Step::Every(step) => timestamp.div_euclid(step.get()),
    }
}

/// What is known of the points of a piece, if it is enough and takes no reading.
fn known(how: Aggregate, piece: &Piece) -> Option<Summary> {
    match how {
        _ if Percentile::of(how).is_some() => None,
        Aggregate::Count if piece.is_whole() => {
            Some(Summary { count: piece.count(), ..Summary::of_value(0.0) })
        }
        _ => piece.summary(),
    }
}

impl Bucket {
    /// Points of one bucket; `None` when there are none.
    fn of(number: i64, points: &[Point], how: Aggregate) -> Option<Self> {
        let (first, last) = (points.first()?.timestamp, points.last()?.timestamp);
        let wanted = Wanted {
            range: matches!(how, Aggregate::Min | Aggregate::Max),
            sum: matches!(how, Aggregate::Sum | Aggregate::Avg),
            increase: how == Aggregate::Rate,
        };
        let mut percentile = Percentile::of(how);
        if let Some(percentile) = &mut percentile {
            percentile.add(points.iter().map(|point| point.value));
        }
        Some(Self { number, first, last, summary: Summary::with(points, wanted)?, percentile })
    }

    /// Adds the points that follow.
    fn append(&mut self, next: Self) {
        self.last = next.last;
        self.summary.append(&next.summary);
        if let (Some(percentile), Some(next)) = (&mut self.percentile, next.percentile) {
            percentile.append(next);
        }
    }
}
