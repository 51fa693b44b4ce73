//! Series in the index of which no layer has a point.

use std::sync::Arc;

use super::StoreState;
use crate::store::local::series::series_index::SeriesId;

/// Series that are looked at before the locks are released.
const BATCH: usize = 4096;

/// The series that are in no part and no head, by rising id. Puts may be on their way to them.
pub fn absent_series(state: &StoreState) -> Vec<SeriesId> {
    let mut absent = Vec::new();
    let (mut parts, mut at) = (Arc::default(), Vec::new());
    let mut next = 0;
    loop {
        let ids: Vec<_> =
            state.index().iter_from(next).map(|(series, _)| series).take(BATCH).collect();
        let Some(last) = ids.last() else { return absent };
        next = last.saturating_add(1);
        let memory = state.memory();
        let frozen = memory.frozen.clone();
        if !Arc::ptr_eq(&parts, &memory.parts) {
            parts = Arc::clone(&memory.parts);
            at = vec![0; parts.len()];
        }
        let ids: Vec<_> = ids.into_iter().filter(|id| memory.heads.get(*id).is_none()).collect();
        drop(memory);
        for id in ids {
            let is_frozen = frozen.as_ref().is_some_and(|frozen| frozen.heads().get(id).is_some());
            let mut in_parts = parts.iter().zip(&mut at);
            if !is_frozen && in_parts.all(|(part, at)| part.chunks_behind(at, id).is_empty()) {
                absent.push(id);
            }
        }
    }
}
