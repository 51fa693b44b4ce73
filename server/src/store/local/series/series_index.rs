//! Which series there are: key to id and back. Ids count up in the order of first puts.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use shared::{Key, KeyBuf};

/// The place of a series in the order of first puts.
pub type SeriesId = u32;

/// Most series; all ids are below this. On 32 bits it leaves room for the points: a series takes
/// some 300 bytes.
pub const MAX_SERIES: SeriesId =
    if cfg!(target_pointer_width = "64") { SeriesId::MAX } else { 1 << 22 };

/// Why a series from the disk can't be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Its id or its key is that of another series.
    Contradiction,
    /// Its id is [`MAX_SERIES`] or more.
    TooMany,
}

/// All series, for as long as the process lives.
#[derive(Debug, Default)]
pub struct SeriesIndex {
    // foldhash with a random seed: a third of the cost of the standard hash on short keys, and
    // a client can't choose keys that collide.
    ids: HashMap<KeyBuf, SeriesId, RandomState>,
    /// By id. A gap is a series of which nothing is left on the disk.
    keys: Vec<Option<KeyBuf>>,
}

impl SeriesIndex {
    /// The id of a series that was put before.
    pub fn find(&self, key: Key<'_>) -> Option<SeriesId> {
        self.ids.get(key.as_str()).copied()
    }

    /// The id of a series, new or not; `None` when there are too many series to count.
    pub fn find_or_create(&mut self, key: Key<'_>) -> Option<SeriesId> {
        if let Some(id) = self.find(key) {
            return Some(id);
        }
        let id = SeriesId::try_from(self.keys.len()).ok().filter(|&id| id < MAX_SERIES)?;
        let key = key.to_owned();
        self.keys.push(Some(key.clone()));
        self.ids.insert(key, id);
        Some(id)
    }

    /// Takes over a series from the disk.
    ///
    /// # Errors
    /// [`Undefined`], and nothing is changed.
    pub fn define(&mut self, id: SeriesId, key: Key<'_>) -> Result<(), Undefined> {
        let place = id as usize;
        if let Some(known) = self.find(key) {
            return if known == id { Ok(()) } else { Err(Undefined::Contradiction) };
        }
        if !(..MAX_SERIES).contains(&id) {
            return Err(Undefined::TooMany);
        }
        if place >= self.keys.len() {
            self.keys.resize(place + 1, None);
        }
        if self.keys[place].is_some() {
            return Err(Undefined::Contradiction);
        }
        let key = key.to_owned();
        self.keys[place] = Some(key.clone());
        self.ids.insert(key, id);
        Ok(())
    }

    /// The name of a series.
    pub fn key(&self, id: SeriesId) -> Option<&KeyBuf> {
        self.keys.get(id as usize)?.as_ref()
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// All ids are below this.
    pub fn end(&self) -> SeriesId {
        SeriesId::try_from(self.keys.len()).unwrap_or(SeriesId::MAX)
    }
}
