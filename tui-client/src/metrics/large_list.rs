//! Room for large lists that are soon dropped. What an allocator keeps of them for later use would be
//! held by the program for good: that of glibc keeps pieces of up to 32 MiB, once it has seen some.

/// Bytes of a list that are handed back to the system for certain. Only what is used of them is
/// memory.
const RETURNED: usize = 33 << 20;

/// Bytes of a list that may as well be kept.
const LARGE: usize = 1 << 20;

/// The capacity for a list of so many elements of a type, at least as many.
pub fn capacity<T>(elements: usize) -> usize {
    let size = size_of::<T>().max(1);
    if elements.saturating_mul(size) < LARGE { elements } else { elements.max(RETURNED / size) }
}

/// The number of further elements for which a full list gets room; none unless it is large.
pub fn growth<T>(elements: usize) -> Option<usize> {
    let more = capacity::<T>(elements).saturating_sub(elements);
    (more > 0).then_some(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_lists_are_handed_back() {
        assert_eq!((capacity::<u64>(1000), growth::<u64>(1000)), (1000, None));
        assert_eq!(capacity::<u64>(LARGE), RETURNED / 8);
        assert_eq!(growth::<u8>(LARGE), Some(RETURNED - LARGE));
        assert_eq!(
            (capacity::<u8>(RETURNED * 2), growth::<u8>(RETURNED * 2)),
            (RETURNED * 2, None)
        );
    }
}
