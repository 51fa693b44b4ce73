//! Points of an import that replaced others of it: the same name and second.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use shared::Request;

use crate::text::number::plural;

/// Points that are remembered, by a hash of 8 bytes each: 64 MiB.
const MAX_REMEMBERED: usize = 4 * 1024 * 1024;

/// The points so far.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    hasher: RandomState,
    seen: HashSet<u64>,
    replaced: u64,
    /// Not all points are remembered.
    is_full: bool,
}

impl Replacements {
    /// Counts a stored point, if the line is a put.
    pub(super) fn add(&mut self, line: &[u8]) {
        let Ok(Request::Put(key, point)) = Request::decode(line) else { return };
        let hash = self.hasher.hash_one((key.as_str(), point.timestamp));
        if self.seen.contains(&hash) {
            self.replaced += 1;
        } else if self.seen.len() < MAX_REMEMBERED {
            self.seen.insert(hash);
        } else {
            self.is_full = true;
        }
    }

    /// How many points replaced another one, in words; none for none.
    pub(super) fn summary(&self) -> Option<String> {
        let points = plural(self.replaced, "point", "points");
        let least = if self.is_full { "at least " } else { "" };
        (self.replaced > 0)
            .then(|| format!("{least}{points} replaced one of the same name and second"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_one_name_and_second_are_counted() {
        let mut replacements = Replacements::default();
        for line in ["put a 1 1", "put b 1 1", "put a 1 2", "put a 9 1", "get a", "put a 1 +1"] {
            replacements.add(line.as_bytes());
        }
        let summary = "2 points replaced one of the same name and second";
        assert_eq!(replacements.summary().unwrap(), summary);
        assert_eq!(Replacements::default().summary(), None);
    }
}
