//! Which series there are: key to id and back. Ids count up in the order of first puts.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use shared::{Key, KeyBuf};

use super::paged::Paged;

/// The place of a series in the order of first puts.
pub type SeriesId = u32;

/// Most series; all ids are below this. On 32 bits it leaves room for the points: a series takes
/// some 300 bytes. Each table by id takes a quarter of a byte for each that is not used, a GiB at the most;
/// fuzzing, which can make up the greatest id, looks for what takes more than that.
pub const MAX_SERIES: SeriesId =
    if cfg!(target_pointer_width = "64") && !cfg!(fuzzing) { SeriesId::MAX } else { 1 << 22 };

/// In place of an id in a deletion: every series, also those of which nothing is known. No series has it.
pub const EVERY_SERIES: SeriesId = SeriesId::MAX;

/// Why a series from the disk can't be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Its id is that of another key.
    Contradiction,
    /// Its key is none.
    Invalid,
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
    /// By the hash of its key, the newest series of each key. Ids alone are a fifth of what they are with their keys,
    /// so that most of it stays near the processor: a million of them are made ready in a third of the time.
    ids: HashTable<SeriesId>,
    // foldhash with a random seed: a third of the cost of the standard hash on short keys, and
    // a client can't choose keys that collide.
    hasher: RandomState,
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
    /// Series from the disk whose keys newer ones have.
    replaced: Vec<SeriesId>,
}

/// An index that is made of series from the disk in one go.
#[derive(Debug, Default)]
pub struct IndexBuilder(SeriesIndex);

impl IndexBuilder {
    /// Takes over a series; see [`SeriesIndex::define`].
    ///
    /// # Errors
    /// [`Undefined`], and nothing is changed.
    pub fn define(&mut self, id: SeriesId, key: &[u8]) -> Result<(), Undefined> {
        self.0.insert(id, key).map(|_| ())
    }

    /// Gives no id below `end` from now on.
    pub fn reserve(&mut self, end: SeriesId) {
        self.0.reserve(end);
    }

    /// All ids are below this.
    pub fn end(&self) -> SeriesId {
        self.0.end
    }

    /// The index.
    pub fn build(self) -> SeriesIndex {
        let mut index = self.0;
        let mut hashes: Vec<_> =
            index.series.iter_from(0).map(|(id, _)| (index.hash(id), id)).collect();
        index.ids.reserve(hashes.len(), |_| 0);
        // By their places in the table, as far as these can be known: a million that come from all over it take
        // three times as long.
        let bits = index.ids.capacity().next_power_of_two().trailing_zeros();
        hashes.sort_unstable_by_key(|(hash, id)| (hash.rotate_right(bits), *id));
        for same in hashes.chunk_by(|(hash, _), (next, _)| hash == next) {
            if let [(hash, id)] = *same {
                // No other one has its key.
                index.ids.insert_unique(hash, id, |_| 0);
            } else {
                for (hash, id) in same {
                    index.name(*hash, *id);
                }
            }
        }
        index.replaced.sort_unstable();
        let named = index.series.iter_from(0).filter(|(_, series)| !series.is_replaced);
        index.names = named.map(|(id, series)| (series.key.clone(), id)).collect();
        index.key_bytes = index.names.keys().map(|key| key.as_str().len() as u64).sum();
        index
    }
}

#[derive(Debug)]
struct Series {
    key: KeyBuf,
    /// It has had a point; false while its first put is on its way.
    is_stored: AtomicBool,
    /// A newer one has its key.
    is_replaced: bool,
}

/// Of so many keys two are compared, to see whether keys come in order.
const LOOK_UPS: u32 = 8;

/// Looks up keys that often come in the order in which their series were begun, as a collector sends them
/// each time: of a million series that takes a fifth of the time, because it needs neither the hash nor
/// places all over the memory. Keys in another order seldom wait for each other's.
#[derive(Debug)]
pub struct InOrder<'i> {
    index: &'i SeriesIndex,
    /// The next one, while they come in order.
    expected: Option<SeriesId>,
    before: Option<SeriesId>,
    look_ups: u32,
}

impl InOrder<'_> {
    /// The id of the series of a key; see [`SeriesIndex::find`].
    pub fn find(&mut self, key: Key<'_>) -> Option<SeriesId> {
        if let Some(expected) = self.expected {
            let series = self.index.series.get(expected);
            if series.is_some_and(|series| series.key.as_key() == key && !series.is_replaced) {
                self.expected = Some(expected + 1);
                return Some(expected);
            }
            self.expected = None;
        }
        let found = self.index.find(key);
        match self.look_ups % LOOK_UPS {
            0 => self.before = found,
            1 => {
                self.expected = found
                    .filter(|&id| self.before.is_some_and(|before| before + 1 == id))
                    .map(|id| id + 1);
            }
            _ => {}
        }
        self.look_ups = self.look_ups.wrapping_add(1);
        found
    }
}

impl SeriesIndex {
    /// Looks up keys one after the other.
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder { index: self, expected: None, before: None, look_ups: 0 }
    }

    /// The id of the series of a key.
    pub fn find(&self, key: Key<'_>) -> Option<SeriesId> {
        let is_of_key = |id: &SeriesId| self.is_key_of(*id, key);
        self.ids.find(self.hasher.hash_one(key.as_bytes()), is_of_key).copied()
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
        self.names.insert(key.clone(), id);
        self.series.insert(id, Series { key, is_stored, is_replaced: false });
        self.name(self.hash(id), id);
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

    fn is_key_of(&self, id: SeriesId, key: Key<'_>) -> bool {
        self.series.get(id).is_some_and(|series| series.key.as_key() == key)
    }

    fn hash(&self, id: SeriesId) -> u64 {
        hash(&self.hasher, &self.series, id)
    }

    /// Where the newest series of a key with this hash is, or would be.
    fn entry(&mut self, hash_of_key: u64, key: Key<'_>) -> Entry<'_, SeriesId> {
        let Self { ids, hasher, series, .. } = self;
        let is_of_key =
            |id: &SeriesId| series.get(*id).is_some_and(|series| series.key.as_key() == key);
        ids.entry(hash_of_key, is_of_key, |id| hash(hasher, series, *id))
    }

    /// Has a series found by its key, the hash of which is given, unless a newer one has it.
    fn name(&mut self, hash_of_key: u64, id: SeriesId) {
        let Some(key) = self.key(id).cloned() else { return };
        let older = match self.entry(hash_of_key, key.as_key()) {
            Entry::Occupied(mut known) => {
                let newest = *known.get();
                *known.get_mut() = newest.max(id);
                newest.min(id)
            }
            Entry::Vacant(new) => {
                new.insert(id);
                self.key_bytes += key.as_str().len() as u64;
                return;
            }
        };
        if let Some(series) = self.series.get_mut(older) {
            series.is_replaced = true;
        }
        self.replaced.push(older);
    }

    /// Takes over a series from the disk. Of several with the same key the greatest id counts: the
    /// others had lost all their points when it was given.
    ///
    /// # Errors
    /// [`Undefined`], and nothing is changed.
    pub fn define(&mut self, id: SeriesId, key: &[u8]) -> Result<(), Undefined> {
        if self.insert(id, key)? {
            self.name(self.hash(id), id);
            let newest = self.series.get(id).filter(|series| !series.is_replaced);
            if let Some(Series { key, .. }) = newest {
                self.names.insert(key.clone(), id);
            }
        }
        Ok(())
    }

    /// Takes over a series from the disk that is not to be found by its key yet. Answers whether it is new.
    fn insert(&mut self, id: SeriesId, key: &[u8]) -> Result<bool, Undefined> {
        if let Some(known) = self.key(id) {
            let is_same = known.as_str().as_bytes() == key;
            return if is_same { Ok(false) } else { Err(Undefined::Contradiction) };
        }
        if !(..MAX_SERIES).contains(&id) {
            return Err(Undefined::TooMany);
        }
        let key = Key::from_bytes(key).map_err(|_| Undefined::Invalid)?.to_owned();
        self.end = self.end.max(id + 1);
        let is_stored = AtomicBool::new(true);
        self.series.insert(id, Series { key, is_stored, is_replaced: false });
        Ok(true)
    }

    /// The series that newer ones of the same keys replace.
    pub fn replaced(&self) -> &[SeriesId] {
        &self.replaced
    }

    /// Gives no id below `end` from now on.
    pub fn reserve(&mut self, end: SeriesId) {
        self.end = self.end.max(end);
    }

    /// Removes a series, and answers its key.
    pub fn remove(&mut self, id: SeriesId) -> Option<KeyBuf> {
        let key = self.key(id)?.clone();
        if let Entry::Occupied(newest) = self.entry(self.hash(id), key.as_key())
            && *newest.get() == id
        {
            newest.remove();
            self.names.remove(key.as_str());
            self.key_bytes -= key.as_str().len() as u64;
        }
        self.series.remove(id);
        self.removals += 1;
        self.replaced.retain(|&replaced| replaced != id);
        Some(key)
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

/// The hash of the key of a series.
fn hash(hasher: &RandomState, series: &Paged<Series>, id: SeriesId) -> u64 {
    hasher.hash_one(series.get(id).map_or(&[][..], |series| series.key.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Series that are taken over in one go are those that are taken over one by one.
        #[test]
        fn an_index_is_built_in_one_go(
            series in prop::collection::vec((0..20u32, 0..6u32), 0..40),
        ) {
            let (mut index, mut builder) = (SeriesIndex::default(), IndexBuilder::default());
            for (id, key) in series {
                let key = format!("key{}{key}", "x".repeat(key as usize));
                prop_assert_eq!(index.define(id, key.as_bytes()), builder.define(id, key.as_bytes()));
            }
            let mut built = builder.build();
            let names = |index: &SeriesIndex| {
                index.with_prefix("").map(|(key, id)| (key.clone(), id)).collect::<Vec<_>>()
            };
            prop_assert_eq!(names(&built), names(&index));
            for (key, id) in names(&index) {
                prop_assert_eq!(built.find(key.as_key()), Some(id));
            }
            // Those that others replace are there, and are not found.
            for index in [&built, &index] {
                let all: Vec<_> = index.iter_from(0).map(|(_, key)| key).collect();
                let back: Vec<_> = all.iter().rev().copied().collect();
                let mut in_order = index.in_order();
                for key in [&all[..], &back, &all, &all].concat() {
                    prop_assert_eq!(in_order.find(key.as_key()), index.find(key.as_key()));
                }
            }
            prop_assert_eq!((built.len(), built.end()), (index.len(), index.end()));
            prop_assert_eq!(built.key_bytes, index.key_bytes);
            // Without those that others replace, all have names.
            let sorted = |replaced: &[SeriesId]| {
                let mut replaced = replaced.to_vec();
                replaced.sort_unstable();
                replaced
            };
            let replaced = sorted(built.replaced());
            prop_assert_eq!(&replaced, &sorted(index.replaced()));
            for id in replaced {
                built.remove(id);
            }
            prop_assert_eq!(built.replaced(), []);
            prop_assert_eq!(built.iter_from(0).count(), built.len());
            for (_, id) in names(&index) {
                built.remove(id);
            }
            prop_assert_eq!((built.len(), built.key_bytes), (0, 0));
        }
    }
}
