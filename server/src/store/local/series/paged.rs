//! A sparse array over the ids of series: what is far apart costs next to nothing between.

/// Items in a page. A page without items is not kept, so ids that are used no more cost a quarter
/// of a byte each.
const PAGE: usize = 32;

/// Items by series id.
#[derive(Debug)]
pub struct Paged<T> {
    pages: Vec<Option<Box<Page<T>>>>,
}

#[derive(Debug)]
struct Page<T> {
    items: [Option<T>; PAGE],
    len: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T> Paged<T> {
    /// The item of a series.
    pub fn get(&self, id: u32) -> Option<&T> {
        let (page, place) = split(id);
        self.pages.get(page)?.as_ref()?.items[place].as_ref()
    }

    /// The item of a series, to be changed.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let (page, place) = split(id);
        self.pages.get_mut(page)?.as_mut()?.items[place].as_mut()
    }

    /// The item of a series, which is made when there is none.
    pub fn get_or_default(&mut self, id: u32) -> &mut T
    where
        T: Default,
    {
        let (page, place) = self.page(id);
        let item = &mut page.items[place];
        if item.is_none() {
            page.len += 1;
        }
        item.get_or_insert_default()
    }

    /// Sets the item of a series, and answers the one before.
    pub fn insert(&mut self, id: u32, item: T) -> Option<T> {
        let (page, place) = self.page(id);
        let before = page.items[place].replace(item);
        page.len += usize::from(before.is_none());
        before
    }

    fn page(&mut self, id: u32) -> (&mut Page<T>, usize) {
        let (page, place) = split(id);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let empty = || Box::new(Page { items: [const { None }; PAGE], len: 0 });
        (self.pages[page].get_or_insert_with(empty), place)
    }

    /// Takes the item of a series out.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let (number, place) = split(id);
        let slot = self.pages.get_mut(number)?;
        let page = slot.as_mut()?;
        let item = page.items[place].take()?;
        page.len -= 1;
        if page.len == 0 {
            *slot = None;
        }
        Some(item)
    }

    /// The items from the id `from` on, by rising id.
    pub fn iter_from(&self, from: u32) -> impl Iterator<Item = (u32, &T)> {
        let (first, place) = split(from);
        let pages = self.pages.iter().enumerate().skip(first);
        pages.filter_map(|(number, page)| Some((number, page.as_ref()?))).flat_map(
            move |(number, page)| {
                let skip = if number == first { place } else { 0 };
                page.items.iter().enumerate().skip(skip).filter_map(move |(place, item)| {
                    let id = u32::try_from(number * PAGE + place).ok()?;
                    Some((id, item.as_ref()?))
                })
            },
        )
    }
}

fn split(id: u32) -> (usize, usize) {
    (id as usize / PAGE, id as usize % PAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_map(
            changes in prop::collection::vec((0..2000u32, any::<bool>()), 0..300),
            from in 0..2100u32,
        ) {
            let (mut paged, mut model) = (Paged::<u32>::default(), BTreeMap::new());
            for (number, &(id, is_added)) in (0..).zip(&changes) {
                if is_added {
                    if id % 2 == 0 {
                        *paged.get_or_default(id) = number;
                        model.insert(id, number);
                    } else {
                        prop_assert_eq!(paged.insert(id, number), model.insert(id, number));
                    }
                } else {
                    prop_assert_eq!(paged.remove(id), model.remove(&id));
                }
                prop_assert_eq!(paged.get(id), model.get(&id));
            }
            let found: Vec<_> = paged.iter_from(from).collect();
            prop_assert_eq!(found, model.range(from..).map(|(id, n)| (*id, n)).collect::<Vec<_>>());
            for &(id, _) in &changes {
                paged.remove(id);
            }
            prop_assert!(paged.pages.iter().all(Option::is_none));
        }
    }
}
