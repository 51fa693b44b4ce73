//! The newest points of a series: known at once, or found without reading older ones.

use std::num::NonZeroU64;
use std::sync::Arc;

use shared::{KeyBuf, Point};

use crate::store::ReadError;
use crate::store::local::part::Part;
use crate::store::local::series::head::Head;
use crate::store::local::series::merge::{Merge, Source};
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::state::StoreState;
use crate::store::local::state::piece::Piece;
use crate::store::query::Window;

/// Tells the newest point of many series, by rising id, as far as it is known without reading.
#[derive(Debug, Default)]
pub struct NewestPoints {
    /// The parts, oldest first, and how far each was looked through; see [`Part::chunks_behind`].
    parts: Arc<Vec<Arc<Part>>>,
    at: Vec<usize>,
}

/// What is known of the newest point of a series in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// There is none.
    None,
    /// It is this one.
    Point(Point),
    /// The points have to be read: the newest of all is later, or some were taken back.
    Unknown,
}

impl NewestPoints {
    /// Passes on what is known of each series.
    pub fn look(
        &mut self,
        state: &StoreState,
        window: Window,
        series: Vec<(SeriesId, KeyBuf)>,
        mut each: impl FnMut(SeriesId, KeyBuf, Known),
    ) {
        let memory = state.memory();
        let (parts, frozen) = (Arc::clone(&memory.parts), memory.frozen.clone());
        let heads = &memory.heads;
        let in_head = |id| (heads.get(id).and_then(Head::newest), heads.has_deletes(id));
        let in_heads: Vec<_> = series.iter().map(|(id, _)| in_head(*id)).collect();
        drop(memory);
        if !Arc::ptr_eq(&parts, &self.parts) {
            self.at = vec![0; parts.len()];
            self.parts = parts;
        }
        for ((id, key), (head, mut is_masked)) in series.into_iter().zip(in_heads) {
            let mut newest = Newest::None;
            for (part, at) in self.parts.iter().zip(&mut self.at) {
                is_masked |= !part.deletes(id).is_empty();
                let last = part.chunks_behind(at, id).last();
                newest.add(last.map(|entry| (entry.last, entry.last_value.get())));
            }
            if let Some(frozen) = &frozen {
                is_masked |= frozen.heads().has_deletes(id);
                newest.add_point(frozen.heads().get(id).and_then(Head::newest));
            }
            newest.add_point(head);
            let known = match newest {
                Newest::None => Known::None,
                Newest::At(timestamp, _) if timestamp < window.from => Known::None,
                Newest::At(timestamp, Some(value)) if timestamp <= window.to && !is_masked => {
                    Known::Point(Point { timestamp, value })
                }
                Newest::At(..) => Known::Unknown,
            };
            each(id, key, known);
        }
    }
}

/// The newest point of several layers; its value may not be known.
#[derive(Debug, Clone, Copy)]
enum Newest {
    None,
    At(i64, Option<f64>),
}

impl Newest {
    /// Adds that of a newer layer.
    fn add(&mut self, point: Option<(i64, Option<f64>)>) {
        let Some((timestamp, value)) = point else { return };
        match *self {
            Self::At(newest, _) if newest > timestamp => {}
            _ => *self = Self::At(timestamp, value),
        }
    }

    fn add_point(&mut self, point: Option<Point>) {
        self.add(point.map(|point| (point.timestamp, Some(point.value))));
    }
}

/// Where the newest points of a series begin.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// They are in it.
    pub window: Window,
    /// So many others are before them.
    pub skip: u64,
}

/// Finds the newest `count` points of `pieces` in a window; all of them when there are fewer, `None`
/// when there are none. Reads only what is not newer by its range than all that is left out.
///
/// # Errors
/// When a piece can't be read.
pub fn find_start(
    pieces: &[Piece],
    window: Window,
    count: NonZeroU64,
) -> Result<Option<Start>, ReadError> {
    look_back(pieces, window, count.get(), |near, is_all| {
        let found = count_points(pieces, near)?;
        let skip = found.saturating_sub(count.get());
        let start = (found > 0).then_some(Start { window: near, skip });
        Ok(start.filter(|_| is_all || found >= count.get()))
    })
}

/// Finds the newest point of `pieces` in a window, if there is one, as [`find_start`] does. What holds it
/// is not read twice.
///
/// # Errors
/// When a piece can't be read.
pub fn find_newest(pieces: &[Piece], window: Window) -> Result<Option<Point>, ReadError> {
    look_back(pieces, window, 1, |near, _| newest_point(pieces, near))
}

/// Looks for something in the newest points of a window, and in more and more of them until it is found
/// or `is_all`.
fn look_back<T>(
    pieces: &[Piece],
    window: Window,
    mut wanted: u64,
    mut find: impl FnMut(Window, bool) -> Result<Option<T>, ReadError>,
) -> Result<Option<T>, ReadError> {
    let mut by_last: Vec<_> =
        pieces.iter().filter(|piece| window.intersects(piece.range())).collect();
    by_last.sort_by_key(|piece| std::cmp::Reverse(piece.range().1));
    loop {
        let mut points = 0_u64;
        let taken = by_last.iter().take_while(|piece| {
            let is_taken = points < wanted;
            points = points.saturating_add(piece.count());
            is_taken
        });
        let taken = taken.count();
        // Behind the last point of what is left out, all points are in what is taken.
        let begin = by_last.get(taken).map(|piece| piece.range().1);
        let from = match begin {
            None => window.from,
            Some(last) => last.saturating_add(1).max(window.from),
        };
        let near = Window { from, ..window };
        if begin.is_none_or(|last| last < window.to)
            && let Some(found) = find(near, begin.is_none())?
        {
            return Ok(Some(found));
        }
        if begin.is_none() {
            return Ok(None);
        }
        wanted = wanted.max(points).saturating_mul(2);
    }
}

/// The newest point in a window, reading of the pieces that are in it as a whole only the last one.
fn newest_point(pieces: &[Piece], window: Window) -> Result<Option<Point>, ReadError> {
    let mut merge = Merge::within(window, pieces.iter().cloned());
    let (mut newest, mut unread) = (None, None);
    loop {
        if let Some(piece) = merge.next_source_if(Piece::is_whole) {
            unread = Some(piece);
        } else if let Some(points) = merge.next_run()? {
            newest = points.last().copied().or(newest);
            unread = None;
        } else {
            break;
        }
    }
    match unread {
        Some(piece) => Ok(piece.open()?.last().copied()),
        None => Ok(newest),
    }
}

/// Number of points in a window, reading no chunk that is in it as a whole.
fn count_points(pieces: &[Piece], window: Window) -> Result<u64, ReadError> {
    let mut merge = Merge::within(window, pieces.iter().cloned());
    let mut count = 0;
    loop {
        if let Some(piece) = merge.next_source_if(Piece::is_whole) {
            count += piece.count();
        } else if let Some(points) = merge.next_run()? {
            count += points.len() as u64;
        } else {
            return Ok(count);
        }
    }
}
