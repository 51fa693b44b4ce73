//! A large table whose state is asked for again keeps no more of the old one than what is in sight.

use std::sync::Arc;

use super::Table;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::Order;

/// Keys beyond which a table is large: two answers of a million keys would not fit into the 250 MiB
/// that a screen may have.
pub const MAX_KEYS: usize = 200_000;

impl Table {
    /// There are so many keys that a second answer of them is too much.
    pub fn is_large(&self) -> bool {
        self.let_go.unwrap_or(self.answer.series.len()) > MAX_KEYS
    }

    /// The number of keys, some of which may be let go for now.
    pub fn keys(&self) -> usize {
        self.let_go.unwrap_or(self.answer.series.len())
    }

    /// Only the rows in sight are left until the state of all keys has come.
    pub fn is_let_go(&self) -> bool {
        self.let_go.is_some()
    }

    /// The state of all keys is asked for: of a large table all but the rows in sight goes before it
    /// comes, on a screen of this many.
    pub fn let_go(&mut self, rows: usize) {
        if !self.is_live() || !self.is_large() || self.is_let_go() {
            return;
        }
        let first = self.first(rows);
        let mut in_sight = Answer::default();
        self.visible(rows).for_each(|series| in_sight.push(series.clone()));
        (in_sight.points, in_sight.malformed) = (self.answer.points, self.answer.malformed);
        let order = Order::Reply(u32::try_from(in_sight.series.len()).unwrap_or(u32::MAX));
        // What is under way is about rows that are no longer there.
        if let Some(job) = &mut self.under_way {
            job.wanted = false;
        }
        self.again = false;
        if let Some((_, unseen)) = self.next.take() {
            self.discard_shared(unseen);
        }
        self.numbers.reset();
        let keys = self.answer.series.len();
        let before = std::mem::replace(&mut self.answer, Arc::new(in_sight));
        self.discard_shared(before);
        (self.order, self.let_go, self.compared_rows) = (order, Some(keys), 0);
        (self.selected, self.top) = (self.selected.saturating_sub(first), 0);
        self.keep_in_sight(rows);
    }
}
