//! What a follow repeats before its news: it has no end that is told.

use std::collections::HashSet;

use shared::{Key, KeyBuf};

/// The history of a follow: of each key the points that come first, in the order of their times.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The key of which the last point was, and the time of that.
    run: Option<(KeyBuf, i64)>,
    /// The keys that have come.
    past: HashSet<KeyBuf>,
}

impl History {
    /// The next point may be one of the history.
    pub(super) fn takes(&mut self, key: Key<'_>, timestamp: i64) -> bool {
        if let Some((of, last)) = &mut self.run
            && of.as_key() == key
        {
            let goes_on = timestamp > *last;
            *last = if goes_on { timestamp } else { i64::MAX };
            return goes_on;
        }
        self.run = self.past.insert(key.to_owned()).then(|| (key.to_owned(), timestamp));
        self.run.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ascending_points_of_each_key_are_history() {
        let mut history = History::default();
        for (key, timestamp, is_history) in [
            ("a", 1, true),
            ("a", 2, true),
            ("b", 1, true),
            ("b", 1, false),
            ("b", 9, false),
            ("a", 3, false),
            ("a", 4, false),
            ("c", 1, true),
        ] {
            let key = Key::new(key).unwrap();
            assert_eq!(history.takes(key, timestamp), is_history, "{key} {timestamp}");
        }
    }
}
