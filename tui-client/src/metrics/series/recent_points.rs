//! The newest points of a series, in pieces that are shared and not copied.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use shared::Point;

/// Points in a full piece; also the most that a clone has to copy.
const PIECE: usize = 512;

/// The newest points of a series in the order of the reply, oldest first: full pieces, which all
/// clones share, and a tail.
#[derive(Clone, Default)]
pub struct RecentPoints {
    full: Option<Arc<Full>>,
    tail: VecDeque<Point>,
    /// Points came so late that they are not in their place.
    is_mixed: bool,
}

#[derive(Clone, Default)]
struct Full {
    pieces: VecDeque<Arc<[Point]>>,
    /// Points at the beginning of the first piece that are forgotten.
    skipped: usize,
}

impl RecentPoints {
    /// No points.
    pub const fn new() -> Self {
        Self { full: None, tail: VecDeque::new(), is_mixed: false }
    }

    /// Replaces the point of this time, if there is one among the points in the order of time;
    /// returns the one before.
    pub fn replace(&mut self, point: Point) -> Option<Point> {
        let later = self.iter().rev().take_while(|known| known.timestamp > point.timestamp);
        let back = later.count() + 1;
        let place = self.len().checked_sub(back)?;
        let known = *self.get(place).filter(|known| known.timestamp == point.timestamp)?;
        if let Some(place) = self.tail.len().checked_sub(back) {
            self.tail[place] = point;
        } else if known.value.to_bits() != point.value.to_bits() {
            let all = self.iter().enumerate();
            let all = all.map(|(at, known)| if at == place { point } else { *known }).collect();
            *self = all;
        }
        Some(known)
    }

    /// There is a point of this time among the points in the order of time.
    pub fn has(&self, timestamp: i64) -> bool {
        let earlier = self.iter().rev().find(|known| known.timestamp <= timestamp);
        earlier.is_some_and(|known| known.timestamp == timestamp)
    }

    /// Adds a point, which may be older than others. When it is older than very many,
    /// [`RecentPoints::sort`] brings it to its place.
    pub fn add(&mut self, point: Point) {
        let is_late =
            |last: Option<&Point>| last.is_some_and(|last| point.timestamp < last.timestamp);
        if !is_late(self.tail.back()) {
            return self.push(point);
        }
        let at = self.tail.partition_point(|known| known.timestamp <= point.timestamp);
        let full = self.full.as_ref().and_then(|full| full.pieces.back());
        self.is_mixed |= at == 0 && is_late(full.and_then(|piece| piece.last()));
        let last = if self.tail.len() == PIECE { self.tail.pop_back() } else { None };
        self.tail.insert(at, point);
        if let Some(last) = last {
            self.push(last);
        }
    }

    /// Brings all points into the order of their times.
    pub fn sort(&mut self) {
        if self.is_mixed {
            let mut points: Vec<Point> = self.iter().copied().collect();
            points.sort_by_key(|point| point.timestamp);
            *self = points.into_iter().collect();
        }
    }

    /// Adds the newest point.
    pub fn push(&mut self, point: Point) {
        if self.tail.len() == PIECE {
            let full = Arc::make_mut(self.full.get_or_insert_default());
            full.pieces.push_back(self.tail.drain(..).collect());
        }
        self.tail.push_back(point);
    }

    /// Keeps only so many, the newest.
    pub fn keep(&mut self, limit: usize) {
        let mut surplus = self.len().saturating_sub(limit);
        if surplus == 0 {
            return;
        }
        if let Some(full) = self.full.as_mut().map(Arc::make_mut) {
            full.skipped += surplus;
            surplus = 0;
            while full.skipped >= PIECE && full.pieces.pop_front().is_some() {
                full.skipped -= PIECE;
            }
            if full.pieces.is_empty() {
                (surplus, self.full) = (full.skipped, None);
            }
        }
        self.tail.drain(..surplus);
    }

    /// Gives back memory that is not in use.
    pub fn shrink_to_fit(&mut self) {
        self.tail.shrink_to_fit();
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        let full = self.full.as_ref();
        full.map_or(0, |full| full.pieces.len() * PIECE - full.skipped) + self.tail.len()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The point at a place, counted from the oldest.
    pub fn get(&self, at: usize) -> Option<&Point> {
        let Some(full) = &self.full else { return self.tail.get(at) };
        let at = at + full.skipped;
        match full.pieces.get(at / PIECE) {
            Some(piece) => piece.get(at % PIECE),
            None => self.tail.get(at - full.pieces.len() * PIECE),
        }
    }

    /// The points as slices, oldest first.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = &[Point]> + Clone {
        let full = self.full.iter().flat_map(|full| {
            let skipped = |at| if at == 0 { full.skipped } else { 0 };
            full.pieces.iter().enumerate().map(move |(at, piece)| &piece[skipped(at)..])
        });
        let (older, newer) = self.tail.as_slices();
        full.chain([older, newer])
    }

    /// The points, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Point> + Clone {
        self.pieces().flatten()
    }

    /// The newest so many, oldest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = &Point> + Clone {
        self.iter().skip(self.len().saturating_sub(count))
    }
}

impl PartialEq for RecentPoints {
    /// Slice by slice, which is faster than point by point; where slices end makes no difference.
    fn eq(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self.pieces(), other.pieces());
        let (mut a, mut b): (&[Point], &[Point]) = (&[], &[]);
        self.len() == other.len()
            && loop {
                if a.is_empty() {
                    let Some(next) = left.next() else { break true };
                    a = next;
                } else if b.is_empty() {
                    let Some(next) = right.next() else { break false };
                    b = next;
                } else {
                    let length = a.len().min(b.len());
                    if a[..length] != b[..length] {
                        break false;
                    }
                    (a, b) = (&a[length..], &b[length..]);
                }
            }
    }
}

impl fmt::Debug for RecentPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<Point> for RecentPoints {
    fn from_iter<I: IntoIterator<Item = Point>>(points: I) -> Self {
        let mut recent = Self::default();
        points.into_iter().for_each(|point| recent.push(point));
        recent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(timestamp: i64) -> Point {
        Point { timestamp, value: 1.0 }
    }

    proptest! {
        #[test]
        fn it_is_a_queue_that_forgets_the_oldest(
            steps in proptest::collection::vec((0..3 * PIECE, 0..4 * PIECE), 1..8)
        ) {
            let (mut recent, mut model, mut time) = (RecentPoints::default(), VecDeque::new(), 0);
            for (more, limit) in steps {
                for _ in 0..more {
                    time += 1;
                    recent.push(point(time));
                    model.push_back(point(time));
                }
                let shared = recent.clone();
                let before: Vec<Point> = model.iter().copied().collect();
                recent.keep(limit);
                model.drain(..model.len().saturating_sub(limit));
                prop_assert!(shared.iter().eq(&before), "a clone stays as it was");
                prop_assert!(recent.iter().eq(&model) && recent.iter().rev().eq(model.iter().rev()));
                prop_assert_eq!(recent.len(), model.len());
                for at in [0, model.len() / 2, model.len().saturating_sub(1), model.len()] {
                    prop_assert_eq!(recent.get(at), model.get(at));
                }
                let newest = model.iter().skip(model.len().saturating_sub(limit / 2));
                prop_assert!(recent.newest(limit / 2).eq(newest));
                let mut again: RecentPoints = model.iter().copied().collect();
                prop_assert_eq!(&again, &recent, "wherever the pieces end");
                again.keep(recent.len().saturating_sub(1));
                again.push(point(-1));
                prop_assert_eq!(again == recent, recent.is_empty() && again.is_empty());
            }
        }
    }

    #[test]
    fn points_in_any_order_are_sorted() {
        // A step that has no divisor with any of the lengths.
        for length in [1, 2, 63, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let times = (0..length).map(|n| i64::try_from(n * 4099 % length).unwrap());
            let mut recent = RecentPoints::default();
            times.clone().for_each(|time| recent.add(point(time)));
            recent.sort();
            let sorted: RecentPoints = (0..i64::try_from(length).unwrap()).map(point).collect();
            assert_eq!(recent, sorted);
            let mut newest = RecentPoints::default();
            for time in times {
                newest.add(point(time));
                newest.keep(PIECE / 2);
            }
            assert!(newest.iter().eq(recent.newest(PIECE / 2)));
        }
    }

    #[test]
    fn clones_share_the_full_pieces() {
        let recent: RecentPoints = (0..3000).map(point).collect();
        let same = recent.clone();
        let whole =
            |recent: &RecentPoints| recent.pieces().map(<[Point]>::as_ptr).collect::<Vec<_>>();
        let pairs = whole(&recent).into_iter().zip(whole(&same));
        assert_eq!(pairs.filter(|(one, other)| one == other).count(), 3000 / PIECE);
        assert_eq!(recent, same);
    }
}
