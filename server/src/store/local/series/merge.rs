//! Many sorted sources of points into one: by rising timestamp, the newest source wins.
//!
//! Sources are opened when their first timestamp is due and dropped when they are read, so that
//! a merge over any number of chunks holds only those that overlap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use shared::Point;

use super::run::Run;
use crate::store::query::Window;
use crate::store::{MAX_BLOCK_POINTS, ReadError};

/// Points by strictly rising timestamp, whose range is known before they are read.
pub trait Source {
    /// First and last timestamp; it holds at least one point.
    fn range(&self) -> (i64, i64);

    /// Reads the points. Fewer when some are hidden or damaged, maybe none.
    ///
    /// # Errors
    /// When they can't be read.
    fn open(&self) -> Result<Run, ReadError>;
}

impl Source for Run {
    fn range(&self) -> (i64, i64) {
        match (self.first(), self.last()) {
            (Some(first), Some(last)) => (first.timestamp, last.timestamp),
            _ => (i64::MIN, i64::MIN),
        }
    }

    fn open(&self) -> Result<Run, ReadError> {
        Ok(Self::clone(self))
    }
}

/// The merge of sources.
#[derive(Debug)]
pub struct Merge<S> {
    /// Not yet opened, by first timestamp; the number is the age, newer is larger.
    waiting: VecDeque<(usize, S)>,
    /// Opened, each at its next point.
    open: BinaryHeap<Reverse<Opened>>,
    /// Points outside are left out.
    window: Window,
}

#[derive(Debug)]
struct Opened {
    points: Run,
    at: usize,
    /// Points from here on are left out.
    end: usize,
    age: usize,
}

impl Opened {
    fn timestamp(&self) -> i64 {
        self.points[self.at].timestamp
    }
}

impl Ord for Opened {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.timestamp(), self.age).cmp(&(other.timestamp(), other.age))
    }
}

impl PartialOrd for Opened {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Opened {}

impl<S: Source> Merge<S> {
    /// Merges the points in `window` of `sources`, given oldest first.
    pub fn within(window: Window, sources: impl IntoIterator<Item = S>) -> Self {
        let sources = sources.into_iter().enumerate();
        let mut waiting: Vec<_> =
            sources.filter(|(_, source)| window.intersects(source.range())).collect();
        waiting.sort_by_key(|(age, source)| (source.range().0, *age));
        Self { waiting: waiting.into(), open: BinaryHeap::new(), window }
    }

    /// Takes the next source, unread, if it is whole, no other one has points between its first and
    /// its last, and `takes` says so.
    pub fn next_source_if(&mut self, takes: impl FnOnce(&S) -> bool) -> Option<S> {
        let (_, source) = self.waiting.front()?;
        let range = source.range();
        let is_alone = self.open.is_empty()
            && self.waiting.get(1).is_none_or(|(_, next)| next.range().0 > range.1);
        if is_alone && self.window.covers(range) && takes(source) {
            return self.waiting.pop_front().map(|(_, source)| source);
        }
        None
    }

    /// How many points the next source has, or what is left of it when it is open.
    pub fn upcoming(&self, count: impl FnOnce(&S) -> u64) -> usize {
        match (self.open.peek(), self.waiting.front()) {
            (Some(Reverse(open)), _) => open.end - open.at,
            (None, Some((_, source))) => usize::try_from(count(source)).unwrap_or(usize::MAX),
            (None, None) => 0,
        }
    }

    /// The next points, at least one and at most [`MAX_BLOCK_POINTS`], or `None` at the end.
    ///
    /// # Errors
    /// When a source can't be read.
    pub fn next_block(&mut self) -> Result<Option<Vec<Point>>, ReadError> {
        self.next_points(false)
    }

    /// Like [`Merge::next_block`], but ends where no source is open, so that the next one can be
    /// taken unread.
    ///
    /// # Errors
    /// When a source can't be read.
    pub fn next_run(&mut self) -> Result<Option<Vec<Point>>, ReadError> {
        self.next_points(true)
    }

    fn next_points(&mut self, one_run: bool) -> Result<Option<Vec<Point>>, ReadError> {
        let mut block: Vec<Point> = Vec::new();
        while block.len() < MAX_BLOCK_POINTS {
            // What is waiting then begins later, so it replaces no point of the block.
            if one_run && self.open.is_empty() && self.is_past(&block) {
                break;
            }
            self.open_due()?;
            let Some(Reverse(mut first)) = self.open.pop() else { break };
            if block.is_empty() {
                block.reserve_exact((first.end - first.at).min(MAX_BLOCK_POINTS));
            }
            let alone = self.first_foreign_timestamp();
            let room = MAX_BLOCK_POINTS - block.len();
            let rest = &first.points[first.at..first.end];
            // Most series arrive in order, so nearly always the whole source goes out at once.
            let take = match alone {
                None => rest.len(),
                Some(limit) => rest.partition_point(|point| point.timestamp < limit).max(1),
            };
            let take = take.min(room);
            // Within a source each timestamp is later than the one before.
            if let [next, later @ ..] = &rest[..take] {
                push_newest(&mut block, *next);
                block.extend_from_slice(later);
            }
            first.at += take;
            if first.at < first.end {
                self.open.push(Reverse(first));
            }
            // A block ends only where no other source can still replace its last point.
            if block.len() == MAX_BLOCK_POINTS {
                self.replace_last(&mut block)?;
            }
        }
        // It may be held for long.
        block.shrink_to_fit();
        Ok((!block.is_empty()).then_some(block))
    }

    /// Whether all that is waiting begins behind a block that is not empty.
    fn is_past(&self, block: &[Point]) -> bool {
        let Some(last) = block.last() else { return false };
        self.waiting.front().is_none_or(|(_, source)| source.range().0 > last.timestamp)
    }

    /// Opens every source that may hold the smallest timestamp that is left.
    fn open_due(&mut self) -> Result<(), ReadError> {
        while let Some((_, source)) = self.waiting.front() {
            let due =
                self.open.peek().is_none_or(|Reverse(first)| source.range().0 <= first.timestamp());
            if !due {
                break;
            }
            if let Some((age, source)) = self.waiting.pop_front() {
                let points = source.open()?;
                let at = points.partition_point(|point| point.timestamp < self.window.from);
                let end = points.partition_point(|point| point.timestamp <= self.window.to);
                if at < end {
                    self.open.push(Reverse(Opened { points, at, end, age }));
                }
            }
        }
        Ok(())
    }

    /// The smallest timestamp that any source but the one just taken out may have.
    fn first_foreign_timestamp(&self) -> Option<i64> {
        let open = self.open.peek().map(|Reverse(other)| other.timestamp());
        let waiting = self.waiting.front().map(|(_, source)| source.range().0);
        match (open, waiting) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn replace_last(&mut self, block: &mut [Point]) -> Result<(), ReadError> {
        loop {
            // What begins later is not opened before it is due: it may be taken unread.
            if self.open.is_empty() && self.is_past(block) {
                return Ok(());
            }
            let Some(last) = block.last_mut() else { return Ok(()) };
            self.open_due()?;
            match self.open.pop() {
                Some(Reverse(mut same)) if same.timestamp() == last.timestamp => {
                    *last = same.points[same.at];
                    same.at += 1;
                    if same.at < same.end {
                        self.open.push(Reverse(same));
                    }
                }
                Some(other) => {
                    self.open.push(other);
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
    }
}

/// Sources with equal timestamps come oldest first, so the later one replaces the earlier.
fn push_newest(block: &mut Vec<Point>, point: Point) {
    match block.last_mut() {
        Some(last) if last.timestamp == point.timestamp => *last = point,
        _ => block.push(point),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Points a second from `first` on, as many as a block holds.
    struct Counted<'c> {
        first: i64,
        opened: &'c Cell<usize>,
    }

    const POINTS: i64 = 8192;

    impl Source for Counted<'_> {
        fn range(&self) -> (i64, i64) {
            (self.first, self.first + POINTS - 1)
        }

        fn open(&self) -> Result<Run, ReadError> {
            self.opened.set(self.opened.get() + 1);
            let timestamps = self.first..self.first + POINTS;
            Ok(timestamps.map(|timestamp| Point { timestamp, value: 1.0 }).collect())
        }
    }

    #[test]
    fn a_full_block_leaves_the_next_source_to_be_taken_unread() {
        let opened = Cell::new(0);
        let sources = [0, POINTS, 2 * POINTS].map(|first| Counted { first, opened: &opened });
        let mut merge = Merge::within(Window::ALL, sources);
        let block = merge.next_run().unwrap().unwrap();
        assert_eq!((block.len(), opened.get()), (MAX_BLOCK_POINTS, 1));
        assert!(merge.next_source_if(|_| true).is_some());
        assert_eq!(merge.next_run().unwrap().map(|block| block.len()), Some(MAX_BLOCK_POINTS));
        assert_eq!(opened.get(), 2);
    }
}
