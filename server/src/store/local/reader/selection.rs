//! Finding the selected series, by rising id, without holding the index for long.

use std::vec;

use shared::KeyBuf;

use crate::store::local::series::series_index::{SeriesId, SeriesIndex};
use crate::store::query::KeySelection;

/// Series that are found, and keys that are looked at, before the index is released.
const BATCH: usize = 128;
const MAX_EXAMINED: usize = 64 * 1024;

/// Series whose ids are gathered at once. More that begin alike are found by looking at all keys.
const MAX_GATHERED: usize = 64 * 1024;

/// The series that are selected and not found yet.
#[derive(Debug)]
pub struct SeriesSelection {
    keys: KeySelection,
    rest: Rest,
    /// Also series whose first points are on their way.
    with_new: bool,
}

#[derive(Debug)]
enum Rest {
    /// Those of these ids that still exist.
    Ids(vec::IntoIter<SeriesId>),
    /// Those with ids from `next` on and below `end`.
    Scan { next: SeriesId, end: SeriesId },
}

impl SeriesSelection {
    /// What of `keys` is in the index now and has had a point: the id of a series that never had one
    /// may be given to another.
    pub fn new(keys: KeySelection, index: &SeriesIndex) -> Self {
        Self { with_new: false, ..Self::of_follower(keys, index) }
    }

    /// What of `keys` is in the index now, for a follower, as long as which no id is given again.
    pub fn of_follower(keys: KeySelection, index: &SeriesIndex) -> Self {
        let rest = match &keys {
            KeySelection::All => None,
            KeySelection::One(key) => Some(index.find(key.as_key()).into_iter().collect()),
            KeySelection::Glob(glob) => gather(glob, index),
        };
        let rest = match rest {
            Some(ids) => Rest::Ids(ids.into_iter()),
            None => Rest::Scan { next: 0, end: index.end() },
        };
        Self { keys, rest, with_new: true }
    }

    /// The keys that are selected.
    pub fn keys(&self) -> &KeySelection {
        &self.keys
    }

    /// The next series, maybe none; `None` at the end.
    pub fn next_batch(&mut self, index: &SeriesIndex) -> Option<Vec<(SeriesId, KeyBuf)>> {
        let mut found = Vec::new();
        match &mut self.rest {
            Rest::Ids(ids) => {
                if ids.len() == 0 {
                    return None;
                }
                let known = |id| Some((id, index.key(id)?.clone()));
                let with_new = self.with_new;
                let selected = ids.take(BATCH).filter(|&id| with_new || index.is_stored(id));
                found.extend(selected.filter_map(known));
            }
            Rest::Scan { next, end } => {
                if next >= end {
                    return None;
                }
                let mut series = index.iter_from(*next).take_while(|(id, _)| id < end);
                *next = *end;
                for (examined, (id, key)) in series.by_ref().enumerate() {
                    if found.len() == BATCH || examined == MAX_EXAMINED {
                        *next = id;
                        break;
                    }
                    let is_there = self.with_new || index.is_stored(id);
                    if is_there && self.keys.matches(key.as_key()) {
                        found.push((id, key.clone()));
                    }
                }
            }
        }
        Some(found)
    }
}

/// The ids of the series that match, by rising id; `None` when too many keys begin alike.
fn gather(glob: &shared::Glob, index: &SeriesIndex) -> Option<Vec<SeriesId>> {
    let prefixes = glob.prefixes();
    if prefixes.iter().any(String::is_empty) {
        return None;
    }
    let mut ids = Vec::new();
    let begin_alike = prefixes.iter().flat_map(|prefix| index.with_prefix(prefix));
    for (examined, (key, id)) in begin_alike.enumerate() {
        if examined == MAX_GATHERED {
            return None;
        }
        if glob.matches(key.as_str()) {
            ids.push(id);
        }
    }
    // A prefix may be that of another one.
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}
