//! What a `del` takes back, point by point, as followers are told it.

use std::mem::size_of;

use tracing::warn;

use crate::store::ReadError;
use crate::store::local::follow::commit::Op;
use crate::store::local::series::merge::Merge;
use crate::store::local::series::series_index::{EVERY_SERIES, SeriesId};
use crate::store::local::series::series_point::SeriesWindow;
use crate::store::local::state::StoreState;

/// The points that `deletes` are about to hide, by rising time. They are read only if there are
/// followers, and no more than the ring holds.
pub fn deleted_points(state: &StoreState, deletes: &[SeriesWindow]) -> Op {
    if !state.followers().is_empty() {
        // A series without an id was never in the news.
        let known = deletes.iter().filter(|delete| delete.series != EVERY_SERIES);
        let deletes: Vec<_> = known.copied().collect();
        match read(state, &deletes) {
            Ok(Some(points)) => return Op::Deleted(points),
            Ok(None) => {}
            Err(error) => warn!(%error, "followers can't be told what is taken back"),
        }
    }
    Op::Untold(deletes.iter().map(|delete| delete.series).collect())
}

/// `None` when there are too many.
fn read(
    state: &StoreState,
    deletes: &[SeriesWindow],
) -> Result<Option<Vec<(SeriesId, i64)>>, ReadError> {
    let limit = state.config().follow_buffer / size_of::<(SeriesId, i64)>();
    let cutoff = state.config().cutoff();
    let mut points = Vec::new();
    for delete in deletes {
        let window = delete.window.since(cutoff);
        let mut merge = Merge::within(window, state.snapshot(delete.series, window));
        while let Some(block) = merge.next_block()? {
            points.extend(block.into_iter().map(|point| (delete.series, point.timestamp)));
            if points.len() > limit {
                return Ok(None);
            }
        }
    }
    points.sort_by_key(|&(_, timestamp)| timestamp);
    Ok(Some(points))
}
