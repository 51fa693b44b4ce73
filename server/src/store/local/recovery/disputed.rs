//! Series ids that files give to different keys, such as those of two directories: what a file has of such an
//! id is of neither key for sure, and counts as gone of both.

use std::collections::{BTreeMap, BTreeSet};

use shared::{Key, KeyBuf};

use crate::store::local::series::loss::{Extent, Loss};
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::state::StoreState;

/// Ids of a file that are those of other keys elsewhere, with the keys that they have in this file.
#[derive(Debug, Default)]
pub struct Disputed(BTreeMap<SeriesId, Vec<KeyBuf>>);

impl Disputed {
    /// Adds the key of an id. Answers whether that is new.
    pub fn add(&mut self, id: SeriesId, key: Key<'_>) -> bool {
        let keys = self.0.entry(id).or_default();
        let is_new = keys.iter().all(|known| known.as_key() != key);
        if is_new {
            keys.push(key.to_owned());
        }
        is_new
    }

    /// Whether an id is disputed.
    pub fn has(&self, id: SeriesId) -> bool {
        self.0.contains_key(&id)
    }

    /// The ids, each with its keys in the file.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesId, &[KeyBuf])> {
        self.0.iter().map(|(id, keys)| (*id, &keys[..]))
    }

    /// The ids.
    pub fn series(&self) -> BTreeSet<SeriesId> {
        self.0.keys().copied().collect()
    }

    /// The keys of an id in the file.
    pub fn keys(&self, id: SeriesId) -> &[KeyBuf] {
        self.0.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// Keys of disputed ids, each with the first and the last time that is gone of it.
#[derive(Debug, Default)]
pub struct LostKeys(BTreeMap<KeyBuf, (i64, i64)>);

impl LostKeys {
    /// Adds times of keys.
    pub fn add(&mut self, keys: &[KeyBuf], (from, to): (i64, i64)) {
        for key in keys {
            let times = self.0.entry(key.clone()).or_insert((from, to));
            *times = (times.0.min(from), times.1.max(to));
        }
    }

    /// Notes that these are gone. Keys that have no series get ids that no file has: to be called when all
    /// files were read.
    pub fn lose(self, state: &StoreState) {
        for (key, times) in self.0 {
            let mut index = state.index_mut();
            let id = index.find(key.as_key()).unwrap_or(index.end());
            // Without room for its series the key is as good as unknown.
            if index.find(key.as_key()).is_none()
                && index.define(id, key.as_str().as_bytes()).is_err()
            {
                continue;
            }
            drop(index);
            let loss = Loss { extent: Extent::of(id, times), unnamed: None };
            state.memory().heads.lose(loss);
        }
    }
}
