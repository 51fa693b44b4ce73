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
    /// Behind the place that was looked up in order last.
    next: usize,
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

    /// Like [`SeriesIndex::find`], for keys that often come in the order of the series, as a collector
    /// sends them: then the look-up takes a tenth of the time, because it needs neither the hash nor
    /// places all over the memory.
    pub fn find_in_order(&mut self, key: Key<'_>, series: &[Series]) -> Option<usize> {
        let is_next = series.get(self.next).is_some_and(|series| series.key.as_key() == key);
        let place = if is_next { Some(self.next) } else { self.find(key, series) };
        self.next = place? + 1;
        place
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::{KeyBuf, Point};

    use super::*;

    proptest! {
        #[test]
        fn keys_in_any_order_are_found_as_without_an_order(
            asked in prop::collection::vec(0_usize..8, 0..40),
            gone in 0_usize..6,
        ) {
            let key = |number: usize| -> KeyBuf { format!("key{number}").parse().unwrap() };
            let point = Point { timestamp: 0, value: 0.0 };
            let mut series: Vec<_> = (0..6).map(|at| Series::new(key(at), point, 0)).collect();
            let mut index = SeriesIndex::default();
            for (place, series) in series.iter().enumerate() {
                index.insert(series.key.as_key(), place);
            }
            for (turn, &number) in asked.iter().enumerate() {
                if turn == 20 {
                    series.remove(gone);
                    index.remove(&[gone]);
                }
                let key = key(number);
                let place = series.iter().position(|series| series.key == key);
                prop_assert_eq!(index.find(key.as_key(), &series), place);
                prop_assert_eq!(index.find_in_order(key.as_key(), &series), place);
            }
        }
    }
}
