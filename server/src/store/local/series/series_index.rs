//! Which series there are: key to id and back. Ids count up in the order of first puts.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// How many series there may be before new ones are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Number of series.
    pub series: u32,
    /// Bytes of all keys.
    pub key_bytes: u64,
}

impl SeriesLimits {
    /// No limits.
    pub const NONE: Self = Self { series: u32::MAX, key_bytes: u64::MAX };
}

/// Why there is no new series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNewSeries {
    /// There are as many as there may be.
    TooMany {
        /// So many.
        limit: u32,
    },
    /// The keys take as many bytes as they may.
    KeysTooLong {
        /// So many.
        limit: u64,
    },
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
    series: Paged<Series>,
    /// The next id.
    end: SeriesId,
    /// All series below this have had points.
    first_fresh: SeriesId,
    removals: u64,
    /// Bytes of the keys in `ids`.
    key_bytes: u64,
}

#[derive(Debug)]
struct Series {
    key: KeyBuf,
    /// It has had a point; false while its first put is on its way.
    is_stored: AtomicBool,
}

impl SeriesIndex {
    /// The id of the series of a key.
    pub fn find(&self, key: Key<'_>) -> Option<SeriesId> {
        self.ids.get(key.as_str()).copied()
    }

    /// The id of a series, new or not.
    ///
    /// # Errors
    /// Why there is no new one; nothing is changed then.
    pub fn find_or_create(
        &mut self,
        key: Key<'_>,
        limits: SeriesLimits,
    ) -> Result<SeriesId, NoNewSeries> {
        if let Some(id) = self.find(key) {
            return Ok(id);
        }
        self.check_room(key, limits)?;
        let id = self.end;
        if !(..MAX_SERIES).contains(&id) {
            return Err(NoNewSeries::TooMany { limit: MAX_SERIES });
        }
        self.end += 1;
        let key = key.to_owned();
        let is_stored = AtomicBool::new(false);
        self.series.insert(id, Series { key: key.clone(), is_stored });
        self.name(id, key);
        Ok(id)
    }

    /// Whether there is room for a series of a key that has none.
    ///
    /// # Errors
    /// Why there is none.
    pub fn check_room(&self, key: Key<'_>, limits: SeriesLimits) -> Result<(), NoNewSeries> {
        if self.len() >= limits.series as usize {
            return Err(NoNewSeries::TooMany { limit: limits.series });
        }
        let key_bytes = self.key_bytes.saturating_add(key.as_bytes().len() as u64);
        if key_bytes > limits.key_bytes {
            return Err(NoNewSeries::KeysTooLong { limit: limits.key_bytes });
        }
        Ok(())
    }

    /// Gives a key to a series, perhaps instead of another one.
    fn name(&mut self, id: SeriesId, key: KeyBuf) {
        let length = key.as_str().len() as u64;
        self.names.insert(key.clone(), id);
        if self.ids.insert(key, id).is_none() {
            self.key_bytes += length;
        }
    }

    /// Takes over a series from the disk. Of several with the same key the greatest id counts: the
    /// others had lost all their points when it was given.
    ///
    /// # Errors
    /// [`Undefined`], and nothing is changed.
    pub fn define(&mut self, id: SeriesId, key: Key<'_>) -> Result<(), Undefined> {
        if let Some(known) = self.key(id) {
            return if known.as_key() == key { Ok(()) } else { Err(Undefined::Contradiction) };
        }
        if !(..MAX_SERIES).contains(&id) {
            return Err(Undefined::TooMany);
        }
        self.end = self.end.max(id + 1);
        let newer = self.find(key).filter(|&known| known > id);
        let key = key.to_owned();
        let is_stored = AtomicBool::new(true);
        self.series.insert(id, Series { key: key.clone(), is_stored });
        if newer.is_none() {
            self.name(id, key);
        }
        Ok(())
    }

    /// Gives no id below `end` from now on.
    pub fn reserve(&mut self, end: SeriesId) {
        self.end = self.end.max(end);
    }

    /// Removes a series, and answers its key.
    pub fn remove(&mut self, id: SeriesId) -> Option<KeyBuf> {
        let Series { key, .. } = self.series.remove(id)?;
        self.removals += 1;
        if self.find(key.as_key()) == Some(id) {
            self.ids.remove(key.as_str());
            self.names.remove(key.as_str());
            self.key_bytes -= key.as_str().len() as u64;
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
        self.series.get(id).map(|series| &series.key)
    }

    /// Notes that a series has a point.
    pub fn mark_stored(&self, id: SeriesId) {
        if let Some(series) = self.series.get(id) {
            series.is_stored.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a series has had a point.
    pub fn is_stored(&self, id: SeriesId) -> bool {
        self.series.get(id).is_some_and(|series| series.is_stored.load(Ordering::Relaxed))
    }

    /// Removes the series that have not had a point yet, and answers their ids and keys.
    pub fn remove_fresh(&mut self) -> Vec<(SeriesId, KeyBuf)> {
        let series = self.series.iter_from(self.first_fresh);
        let fresh = series.filter(|(_, series)| !series.is_stored.load(Ordering::Relaxed));
        let fresh: Vec<_> = fresh.map(|(id, series)| (id, series.key.clone())).collect();
        for (id, _) in &fresh {
            self.remove(*id);
        }
        self.first_fresh = self.end;
        fresh
    }

    /// Has ids given again that were the last ones given, and only to these series, by rising id,
    /// which are removed and never had a point. No one may know these ids any more.
    pub fn take_back_ids(&mut self, removed: &[(SeriesId, KeyBuf)]) {
        for (id, _) in removed.iter().rev() {
            if id.checked_add(1) != Some(self.end) {
                break;
            }
            self.end = *id;
        }
        self.first_fresh = self.first_fresh.min(self.end);
    }

    /// The series from the id `from` on, by rising id.
    pub fn iter_from(&self, from: SeriesId) -> impl Iterator<Item = (SeriesId, &KeyBuf)> {
        self.series.iter_from(from).map(|(id, series)| (id, &series.key))
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
