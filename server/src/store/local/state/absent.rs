//! Series in the index of which no layer has a point.

use std::sync::Arc;

use super::StoreState;
use crate::store::local::part::Part;
use crate::store::local::part::chunk_table::Cursor;
use crate::store::local::series::series_index::SeriesId;

/// Series that are looked at before the locks are released.
const BATCH: usize = 4096;

/// The series that are in no part and no head, by rising id. Puts may be on their way to them.
pub fn absent_series(state: &StoreState) -> Vec<SeriesId> {
    let mut absent = Absent::default();
    let mut next = 0;
    loop {
        let ids: Vec<_> =
            state.index().iter_from(next).map(|(series, _)| series).take(BATCH).collect();
        let Some(last) = ids.last() else { return absent.found };
        next = last.saturating_add(1);
        absent.look(state, &ids);
    }
}

/// Those of `series`, by rising id, that are in no part and no head.
pub fn absent_of(state: &StoreState, series: &[SeriesId]) -> Vec<SeriesId> {
    let mut absent = Absent::default();
    series.chunks(BATCH).for_each(|ids| absent.look(state, ids));
    absent.found
}

/// How far the parts were looked through.
#[derive(Default)]
struct Absent {
    parts: Arc<Vec<Arc<Part>>>,
    cursors: Vec<Cursor>,
    found: Vec<SeriesId>,
}

impl Absent {
    fn look(&mut self, state: &StoreState, ids: &[SeriesId]) {
        let memory = state.memory();
        let frozen = memory.frozen.clone();
        if !Arc::ptr_eq(&self.parts, &memory.parts) {
            self.parts = Arc::clone(&memory.parts);
            self.cursors = self.parts.iter().map(|_| Cursor::default()).collect();
        }
        let heads = &memory.heads;
        let is_in_head = |id| heads.get(id).is_some() || heads.losses().has_series(id);
        let ids: Vec<_> = ids.iter().copied().filter(|id| !is_in_head(*id)).collect();
        drop(memory);
        for id in ids {
            let is_frozen = frozen.as_ref().is_some_and(|frozen| frozen.has_series(id));
            let mut in_parts = self.parts.iter().zip(&mut self.cursors);
            let is_absent = |(part, cursor): (&Arc<Part>, &mut Cursor)| {
                part.chunks_behind(cursor, id).is_empty() && !part.losses().has_series(id)
            };
            if !is_frozen && in_parts.all(is_absent) {
                self.found.push(id);
            }
        }
    }
}
