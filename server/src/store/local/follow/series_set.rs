//! A set of series.

use crate::store::local::series::series_index::SeriesId;

/// Series in a page: half a KiB of bits.
const PAGE: usize = 4096;

/// A set of series, as a bitmap of which only the pages exist that have a bit in them.
#[derive(Debug, Default)]
pub struct SeriesSet {
    pages: Vec<Option<Box<[u64; PAGE / 64]>>>,
    len: usize,
}

impl SeriesSet {
    /// Whether a series is in the set.
    pub fn contains(&self, series: SeriesId) -> bool {
        let (page, word, bit) = split(series);
        self.pages.get(page).and_then(Option::as_ref).is_some_and(|page| page[word] & bit != 0)
    }

    /// Adds a series. Answers whether it was not in the set.
    pub fn insert(&mut self, series: SeriesId) -> bool {
        let (page, word, bit) = split(series);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE / 64]));
        let is_new = page[word] & bit == 0;
        page[word] |= bit;
        self.len += usize::from(is_new);
        is_new
    }

    /// Takes a series out.
    pub fn remove(&mut self, series: SeriesId) {
        let (number, word, bit) = split(series);
        let Some(slot) = self.pages.get_mut(number) else { return };
        let Some(page) = slot else { return };
        self.len -= usize::from(page[word] & bit != 0);
        page[word] &= !bit;
        if page.iter().all(|&word| word == 0) {
            *slot = None;
        }
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The series, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = SeriesId> {
        let pages = self.pages.iter().enumerate().filter_map(|(n, page)| Some((n, page.as_ref()?)));
        let words = pages.flat_map(|(number, page)| {
            page.iter().enumerate().map(move |(word, &bits)| (number * PAGE + word * 64, bits))
        });
        words.filter(|&(_, bits)| bits != 0).flat_map(|(first, bits)| {
            let set = (0..64).filter(move |bit| bits & (1 << bit) != 0);
            set.filter_map(move |bit| SeriesId::try_from(first + bit).ok())
        })
    }
}

impl Extend<SeriesId> for SeriesSet {
    fn extend<I: IntoIterator<Item = SeriesId>>(&mut self, series: I) {
        series.into_iter().for_each(|series| _ = self.insert(series));
    }
}

/// The page, the word in it and the bit in that.
fn split(series: SeriesId) -> (usize, usize, u64) {
    let series = series as usize;
    (series / PAGE, series % PAGE / 64, 1 << (series % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_set(
            changes in prop::collection::vec((0..20_000_u32, any::<bool>()), 0..300),
        ) {
            let (mut set, mut model) = (SeriesSet::default(), BTreeSet::new());
            for &(series, is_added) in &changes {
                if is_added {
                    prop_assert_eq!(set.insert(series), model.insert(series));
                } else {
                    set.remove(series);
                    model.remove(&series);
                }
                prop_assert_eq!(set.contains(series), model.contains(&series));
                prop_assert_eq!(set.len(), model.len());
            }
            prop_assert!(changes.iter().all(|&(id, _)| set.contains(id) == model.contains(&id)));
            prop_assert!(set.iter().eq(model.iter().copied()));
            for series in model {
                set.remove(series);
            }
            prop_assert!(set.pages.iter().all(Option::is_none));
        }
    }
}
