//! Keys that were begun again while a file with their points could not be read, and that file is back.

use shared::{KeyBuf, Point};

use crate::store::ReadError;
use crate::store::local::series::merge::Merge;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::{SeriesPoint, SeriesWindow};
use crate::store::local::state::StoreState;
use crate::store::query::Window;

/// Moves the points of an `older` series to the newer one of its key, which keeps its own where both have one
/// of the same time. Answers the key, or `None` when there is no newer series. What was moved is in memory.
///
/// # Errors
/// When points of either can't be read; nothing is moved then.
pub fn rejoin(state: &StoreState, older: SeriesId) -> Result<Option<KeyBuf>, ReadError> {
    let index = state.index();
    let Some(key) = index.key(older).cloned() else { return Ok(None) };
    let Some(newer) = index.find(key.as_key()).filter(|&id| id != older) else { return Ok(None) };
    drop(index);
    let (mut moved, kept) = (points_of(state, older)?, points_of(state, newer)?);
    moved.retain(|point| {
        kept.binary_search_by_key(&point.timestamp, |kept| kept.timestamp).is_err()
    });
    let mut memory = state.memory();
    memory.heads.append(moved.into_iter().map(|point| SeriesPoint { series: newer, point }));
    memory.delete(SeriesWindow { series: older, window: Window::ALL });
    Ok(Some(key))
}

fn points_of(state: &StoreState, series: SeriesId) -> Result<Vec<Point>, ReadError> {
    let mut merge = Merge::within(Window::ALL, state.snapshot(series, Window::ALL));
    let mut points = Vec::new();
    while let Some(block) = merge.next_block()? {
        points.extend(block);
    }
    Ok(points)
}
