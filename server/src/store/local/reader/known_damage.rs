//! What is known to be gone or unreadable when an answer begins.

use std::collections::VecDeque;

use shared::{Key, KeyBuf};

use crate::store::local::series::loss::{Extent, Loss, Losses, union};
use crate::store::local::series::series_index::{EVERY_SERIES, SeriesId, SeriesIndex};
use crate::store::local::series::time_ranges::SharedRanges;
use crate::store::local::state::StoreState;
use crate::store::query::{KeySelection, Window};
use crate::store::{Damage, ReadError};

/// Series that are looked up before the index is released.
const BATCH: usize = 512;

/// Keys of a selection that are looked up one by one: a line has room for half as many in one pair of braces.
const MAX_LITERALS: usize = 4096;

/// Damage that is known, and how far its series were looked up.
#[derive(Debug)]
pub struct KnownDamage {
    /// Losses of which some series may have keys that nothing names, and from which id on a series may
    /// have one of these keys.
    unnamed: Vec<(Extent, SeriesId)>,
    /// Series of which anything is damaged, first to last, by rising id, without overlap.
    series: VecDeque<(SeriesId, SeriesId)>,
}

impl KnownDamage {
    /// What is known now, of the times of a window.
    pub fn within(state: &StoreState, window: Window) -> Self {
        let memory = state.memory();
        let (parts, frozen) = (memory.parts.clone(), memory.frozen.clone());
        // What was taken back of every series, later than what is looked at: newest first.
        let mut hidden = SharedRanges::default();
        let mut found = needed(memory.heads.losses(), window, &hidden);
        hidden.extend(&memory.heads.deletes(EVERY_SERIES));
        drop(memory);
        if let Some(frozen) = frozen {
            found.extend(needed(frozen.heads().losses(), window, &hidden));
            hidden.extend(&frozen.heads().deletes(EVERY_SERIES));
        }
        let mut series = Vec::new();
        for part in parts.iter().rev() {
            found.extend(needed(part.losses(), window, &hidden));
            part.hide(EVERY_SERIES, &mut hidden);
            let failed = part.failed_chunks().into_iter();
            let failed = failed.filter(|entry| window.intersects((entry.first, entry.last)));
            series.extend(failed.map(|entry| (entry.series, entry.series)));
        }
        let losses: Losses = found.into_iter().collect();
        series.extend(losses.series());
        let unnamed = losses.iter().filter_map(|loss| Some((loss.extent, loss.unnamed?)));
        Self { unnamed: unnamed.collect(), series: union(series).into() }
    }

    /// Whether nothing is known to be damaged.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Fails when points that are selected may be gone along with the keys of their series.
    ///
    /// # Errors
    /// Which times are concerned.
    pub fn check_unnamed(
        &self,
        state: &StoreState,
        keys: &KeySelection,
        window: Window,
    ) -> Result<(), ReadError> {
        let index = state.index();
        let within = self.unnamed.iter().filter(|(extent, _)| window.intersects(extent.times()));
        // The keys that are selected, if they are few.
        let literals = match keys {
            KeySelection::All => None,
            KeySelection::One(key) => Some(vec![key.as_str().to_owned()]),
            KeySelection::Glob(glob) => glob.literals(MAX_LITERALS),
        };
        for (extent, end) in within {
            let may_be_gone = |text: &String| {
                Key::new(text).is_ok_and(|key| index.find(key).is_none_or(|id| id >= *end))
            };
            let is_concerned =
                literals.as_ref().is_none_or(|literals| literals.iter().any(may_be_gone));
            if is_concerned && has_unnamed(&index, extent) {
                return Err(Damage::of(extent.times()).into());
            }
        }
        Ok(())
    }

    /// The next series of which anything is damaged and which are selected, maybe none; `None` at the
    /// end.
    pub fn next_series(
        &mut self,
        index: &SeriesIndex,
        keys: &KeySelection,
    ) -> Option<Vec<(SeriesId, KeyBuf)>> {
        let (first, last) = self.series.pop_front()?;
        if let KeySelection::One(key) = keys {
            let id = index.find(key.as_key()).filter(|id| (first..=last).contains(id));
            return Some(id.map(|id| (id, key.clone())).into_iter().collect());
        }
        let mut found = Vec::new();
        let within = index.iter_from(first).take_while(|(id, _)| *id <= last);
        for (examined, (id, key)) in within.enumerate() {
            if examined == BATCH {
                self.series.push_front((id, last));
                break;
            }
            if keys.matches(key.as_key()) {
                found.push((id, key.clone()));
            }
        }
        Some(found)
    }
}

/// The losses in a window that are not hidden.
fn needed(losses: &Losses, window: Window, hidden: &SharedRanges) -> Vec<Loss> {
    let within = losses.iter().filter(|loss| window.intersects(loss.extent.times()));
    let visible = |loss: &Loss| {
        let (loss, times) = (*loss, hidden.uncovered(loss.extent.times()));
        times
            .into_iter()
            .map(move |(from, to)| Loss { extent: Extent { from, to, ..loss.extent }, ..loss })
    };
    let visible = within.flat_map(visible);
    visible.filter(|loss| window.intersects(loss.extent.times())).collect()
}

/// Whether any id of an extent has no key.
fn has_unnamed(index: &SeriesIndex, extent: &Extent) -> bool {
    let within =
        index.iter_from(extent.first_series).take_while(|(id, _)| *id <= extent.last_series);
    let mut next = u64::from(extent.first_series);
    for (id, _) in within {
        if u64::from(id) != next {
            return true;
        }
        next += 1;
    }
    next <= u64::from(extent.last_series)
}
