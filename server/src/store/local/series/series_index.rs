//! Which series there are: key to id and back. Ids count up in the order of first puts.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use foldhash::fast::RandomState;
use shared::{Key, KeyBuf};

use super::paged::Paged;

/// The place of a series in the order of first puts.
pub type SeriesId = u32;

/// Most series; all ids are below this. On 32 bits it leaves room for the points: a series takes
/// some 300 bytes.
pub const MAX_SERIES: SeriesId =
    if cfg!(target_pointer_width = "64") { SeriesId::MAX } else { 1 << 22 };

/// Why a series from the disk can't be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Its id is that of another key.
    Contradiction,
    /// Its id is [`MAX_SERIES`] or more.
    TooMany,
}

/// All series that have points. An id is never given twice: the series of a key whose points were
/// all taken back, or have all expired, is removed, and the key is a new series when it is put
/// again.
#[derive(Debug, Default)]
pub struct SeriesIndex {
    // foldhash with a random seed: a third of the cost of the standard hash on short keys, and
    // a client can't choose keys that collide.
    ids: HashMap<KeyBuf, SeriesId, RandomState>,
    /// The same by rising key, for globs that begin with literal text.
    names: BTreeMap<KeyBuf, SeriesId>,
    /// By id. During a recovery also series that a newer one of the same key replaces.
    keys: Paged<KeyBuf>,
    /// The next id.
    end: SeriesId,
    removals: u64,
}

impl SeriesIndex {
    /// The id of the series of a key.
    pub fn find(&self, key: Key<'_>) -> Option<SeriesId> {
        self.ids.get(key.as_str()).copied()
    }

    /// The id of a series, new or not; `None` when there are too many series to count.
    pub fn find_or_create(&mut self, key: Key<'_>) -> Option<SeriesId> {
        if let Some(id) = self.find(key) {
            return Some(id);
        }
        let id = Some(self.end).filter(|&id| id < MAX_SERIES)?;
        self.end += 1;
        let key = key.to_owned();
        self.keys.insert(id, key.clone());
        self.names.insert(key.clone(), id);
        self.ids.insert(key, id);
        Some(id)
    }

    /// Takes over a series from the disk. Of several with the same key the greatest id counts: the
    /// others had lost all their points when it was given.
    ///
    /// # Errors
    /// [`Undefined`], and nothing is changed.
    pub fn define(&mut self, id: SeriesId, key: Key<'_>) -> Result<(), Undefined> {
        if let Some(known) = self.keys.get(id) {
            return if known.as_key() == key { Ok(()) } else { Err(Undefined::Contradiction) };
        }
        if !(..MAX_SERIES).contains(&id) {
            return Err(Undefined::TooMany);
        }
        self.end = self.end.max(id + 1);
        let newer = self.find(key).filter(|&known| known > id);
        let key = key.to_owned();
        self.keys.insert(id, key.clone());
        if newer.is_none() {
            self.names.insert(key.clone(), id);
            self.ids.insert(key, id);
        }
        Ok(())
    }

    /// Gives no id below `end` from now on.
    pub fn reserve(&mut self, end: SeriesId) {
        self.end = self.end.max(end);
    }

    /// Removes a series, and answers its key.
    pub fn remove(&mut self, id: SeriesId) -> Option<KeyBuf> {
        let key = self.keys.remove(id)?;
        self.removals += 1;
        if self.find(key.as_key()) == Some(id) {
            self.ids.remove(key.as_str());
            self.names.remove(key.as_str());
        }
        Some(key)
    }

    /// Whether a newer series has the key of this one.
    pub fn is_replaced(&self, id: SeriesId) -> bool {
        self.key(id).is_some_and(|key| self.find(key.as_key()) != Some(id))
    }

    /// Number of series that were removed; ids that were looked up before one was may be gone.
    pub fn removals(&self) -> u64 {
        self.removals
    }

    /// The key of a series.
    pub fn key(&self, id: SeriesId) -> Option<&KeyBuf> {
        self.keys.get(id)
    }

    /// The series from the id `from` on, by rising id.
    pub fn iter_from(&self, from: SeriesId) -> impl Iterator<Item = (SeriesId, &KeyBuf)> {
        self.keys.iter_from(from)
    }

    /// The series whose keys begin with `prefix`, by rising key.
    pub fn with_prefix<'i>(
        &'i self,
        prefix: &'i str,
    ) -> impl Iterator<Item = (&'i KeyBuf, SeriesId)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let names = self.names.range::<str, _>(from).map(|(key, &id)| (key, id));
        names.take_while(move |(key, _)| key.as_str().starts_with(prefix))
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// All ids are below this.
    pub fn end(&self) -> SeriesId {
        self.end
    }
}
