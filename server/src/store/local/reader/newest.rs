//! The newest points of a series, found without reading older ones.

use std::cmp::Reverse;
use std::num::NonZeroU64;

use shared::Point;

use crate::store::ReadError;
use crate::store::local::part::chunk_reader::ChunkReader;
use crate::store::local::series::merge::{Merge, Source};
use crate::store::local::state::piece::Piece;
use crate::store::query::Window;

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
    let mut wanted = count.get();
    let mut by_last: Vec<_> =
        pieces.iter().filter(|piece| window.intersects(piece.range())).collect();
    by_last.sort_by_key(|piece| Reverse(piece.range().1));
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
        if begin.is_none_or(|last| last < window.to) {
            let found = count_points(pieces, near)?;
            if found >= count.get() || begin.is_none() {
                let skip = found.saturating_sub(count.get());
                return Ok((found > 0).then_some(Start { window: near, skip }));
            }
        }
        wanted = wanted.max(points).saturating_mul(2);
    }
}

/// Finds the newest point of `pieces`, given oldest first, in a window, if there is one. Reads no piece
/// twice, and of each as little as possible.
///
/// # Errors
/// When a piece can't be read.
pub fn find_newest(
    pieces: &[Piece],
    window: Window,
    reader: &mut ChunkReader,
) -> Result<Option<Point>, ReadError> {
    let bound = |piece: &Piece| piece.range().1.min(window.to);
    let mut within: Vec<_> =
        pieces.iter().enumerate().filter(|(_, piece)| window.intersects(piece.range())).collect();
    // What may have the newest point comes first; of equal ones the newer piece, whose point counts.
    within.sort_by_key(|&(age, piece)| Reverse((bound(piece), age)));
    let mut newest: Option<(i64, usize, Point)> = None;
    for (age, piece) in within {
        if newest.is_some_and(|(timestamp, found, _)| (timestamp, found) > (bound(piece), age)) {
            break;
        }
        if let Some(point) = piece.last_until(window.to, reader)?
            && newest
                .is_none_or(|(timestamp, found, _)| (timestamp, found) < (point.timestamp, age))
        {
            newest = Some((point.timestamp, age, point));
        }
    }
    Ok(newest.map(|(_, _, point)| point).filter(|point| point.timestamp >= window.from))
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
