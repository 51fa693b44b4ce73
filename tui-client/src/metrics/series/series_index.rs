//! The places of series by their keys.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use shared::Key;

use crate::metrics::series::Series;

/// A series in the index. With a part of its hash, so that a growing index never has to look at the
/// keys, which lie all over the memory.
#[derive(Debug, Clone, Copy)]
struct Place {
    hash: u32,
    place: u32,
}

/// The places of series in a list, by their keys: 8 bytes a series. The list has at most `u32::MAX`
/// series; those beyond are not found.
#[derive(Debug, Clone, Default)]
pub struct SeriesIndex {
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

/// The hash of which a part is kept.
fn whole(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

impl SeriesIndex {
    fn hash(&self, key: Key<'_>) -> u32 {
        let hash = self.hasher.hash_one(key.as_str());
        #[expect(clippy::cast_possible_truncation, reason = "a part is enough")]
        let part = (hash ^ hash >> 32) as u32;
        part
    }

    /// The place of a key among these series.
    pub fn find(&self, key: Key<'_>, series: &[Series]) -> Option<usize> {
        let at = |known: &Place| usize::try_from(known.place).ok();
        let hash = self.hash(key);
        let is_it = |known: &Place| {
            let found = at(known).and_then(|place| series.get(place));
            known.hash == hash && found.is_some_and(|series| series.key.as_key() == key)
        };
        at(self.places.find(whole(hash), is_it)?)
    }

    /// Adds a key that is not in the index.
    pub fn insert(&mut self, key: Key<'_>, place: usize) {
        let Ok(place) = u32::try_from(place) else { return };
        let hash = self.hash(key);
        self.places.insert_unique(whole(hash), Place { hash, place }, |known| whole(known.hash));
    }

    /// Removes the keys at these places, which rise; those behind them move up.
    pub fn remove(&mut self, gone: &[usize]) {
        self.places.retain(|known| {
            usize::try_from(known.place).is_ok_and(|place| match gone.binary_search(&place) {
                Ok(_) => false,
                Err(before) => {
                    known.place -= u32::try_from(before).unwrap_or(0);
                    true
                }
            })
        });
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        self.places.clear();
    }
}

/// What it finds follows from the list.
impl PartialEq for SeriesIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
