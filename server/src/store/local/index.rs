//! Which series there are: key to id and back. Ids count up in the order of first puts.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use shared::{Key, KeyBuf};

/// The place of a series in the order of first puts.
pub type SeriesId = u32;

/// All series, for as long as the process lives.
#[derive(Debug, Default)]
pub struct Index {
    // foldhash with a random seed: a third of the cost of the standard hash on short keys, and
    // a client can't choose keys that collide.
    ids: HashMap<KeyBuf, SeriesId, RandomState>,
    keys: Vec<KeyBuf>,
}

impl Index {
    /// The id of a series that was put before.
    pub fn find(&self, key: Key<'_>) -> Option<SeriesId> {
        self.ids.get(key.as_str()).copied()
    }

    /// The id of a series, new or not; `None` when there are too many series to count.
    pub fn find_or_create(&mut self, key: Key<'_>) -> Option<SeriesId> {
        if let Some(id) = self.find(key) {
            return Some(id);
        }
        let id = SeriesId::try_from(self.keys.len()).ok()?;
        let key = key.to_owned();
        self.keys.push(key.clone());
        self.ids.insert(key, id);
        Some(id)
    }

    /// The name of a series.
    pub fn key(&self, id: SeriesId) -> Option<&KeyBuf> {
        self.keys.get(id as usize)
    }

    /// How many series there are; ids are below this.
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}
