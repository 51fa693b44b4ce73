//! Reading points: a selector → a query of the store → blocks of points. The same for every
//! protocol.

use std::num::NonZeroI64;

use shared::selector::{self, Clause, Since, Time};
use shared::{Glob, Selector};

use crate::clock::Clock;
use crate::store::query::{Deletion, KeySelection, MAX_CLOCK_SKEW, Query, Select, Step, Window};
use crate::store::{Cursor, PutError, ReadError, Store};

pub use crate::store::Block;

/// Answers selectors from a store.
#[derive(Debug, Clone)]
pub struct Queries<S> {
    store: S,
    clock: Clock,
}

impl<S: Store> Queries<S> {
    /// Queries to `store`; times before now count from what `clock` shows.
    pub fn new(store: S, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Selects points and reads as far as the first block.
    ///
    /// # Errors
    /// [`ReadError`] when that fails: nothing of the answer is out yet, so the reply can be a plain
    /// error.
    pub async fn run(&self, selector: Selector<'_>) -> Result<PointStream<S::Cursor>, ReadError> {
        let query = resolve(selector, self.clock.now());
        let is_brief = query.select.is_brief();
        let mut cursor = self.store.get(query);
        let first = cursor.next_block().await?;
        Ok(PointStream { is_empty: first.is_none(), first, is_brief, cursor })
    }

    /// Takes back the selected points. `None` when the selector is not one of keys and a range.
    ///
    /// # Errors
    /// [`PutError`] when they are not taken back, or may not have been.
    pub async fn delete(&self, selector: Selector<'_>) -> Option<Result<(), PutError>> {
        let deletion = resolve_deletion(selector, self.clock.now())?;
        Some(self.store.delete(deletion).await)
    }
}

/// What a selector means at the Unix time `now`. A follow is its history.
pub fn resolve(selector: Selector<'_>, now: i64) -> Query {
    let time = |time| resolve_time(time, now);
    let select = match selector.clause() {
        None => Select::Points(Window::ALL),
        Some(Clause::Last { count, to }) => Select::Newest {
            count,
            to: to.map_or(now.saturating_add(MAX_CLOCK_SKEW), time),
            or_later: to.is_none(),
        },
        Some(Clause::Range { from, to, buckets }) => {
            let from = from.map(time);
            let window = Window { from: from.unwrap_or(i64::MIN), to: to.map_or(i64::MAX, time) };
            match buckets {
                None => Select::Points(window),
                Some(selector::Buckets { step, how }) => {
                    Select::Buckets { window, step: resolve_step(step, from), how }
                }
            }
        }
        Some(Clause::Follow { since }) => Select::Points(match since {
            None => Window::EMPTY,
            Some(Since::Beginning) => Window::ALL,
            Some(Since::Time(from)) => Window { from: time(from), to: i64::MAX },
        }),
    };
    Query { keys: resolve_keys(selector), select }
}

fn resolve_step(step: selector::Step, from: Option<i64>) -> Step {
    match step {
        selector::Step::All => Step::All { stamp: from },
        // A step is at least a second.
        selector::Step::Every(step) => {
            Step::Every(NonZeroI64::new(step.seconds()).unwrap_or(NonZeroI64::MAX))
        }
    }
}

/// What a selector takes back at the Unix time `now`; `None` when it selects by more than keys and
/// a range.
fn resolve_deletion(selector: Selector<'_>, now: i64) -> Option<Deletion> {
    if !matches!(selector.clause(), None | Some(Clause::Range { buckets: None, .. })) {
        return None;
    }
    match resolve(selector, now) {
        Query { keys, select: Select::Points(window) } => Some(Deletion { keys, window }),
        _ => None,
    }
}

fn resolve_keys(selector: Selector<'_>) -> KeySelection {
    let pattern = selector.pattern();
    match pattern.as_key() {
        _ if pattern.is_all() => KeySelection::All,
        Some(key) => KeySelection::One(key.to_owned()),
        None => KeySelection::Glob(Glob::from(pattern)),
    }
}

fn resolve_time(time: Time, now: i64) -> i64 {
    match time {
        Time::At(timestamp) => timestamp,
        Time::Ago(duration) => now.saturating_sub(duration.seconds()),
    }
}

/// The selected points, a block at a time.
#[derive(Debug)]
pub struct PointStream<C> {
    first: Option<Block>,
    is_empty: bool,
    is_brief: bool,
    cursor: C,
}

impl<C: Cursor> PointStream<C> {
    /// See [`Select::is_brief`].
    pub fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// The next block, or `None` at the end.
    ///
    /// # Errors
    /// [`ReadError`] when a part can't be read; what is out already must not pass for a whole
    /// answer.
    pub async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self.first.take() {
            Some(block) => Ok(Some(block)),
            None if self.is_empty => Ok(None),
            None => self.cursor.next_block().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use shared::selector::Aggregate;

    use super::*;

    const NOW: i64 = 1000;

    fn select(text: &str) -> Select {
        resolve(Selector::from_bytes(text.as_bytes()).unwrap(), NOW).select
    }

    #[test]
    fn times_before_now_become_timestamps() {
        let points = |from, to| Select::Points(Window { from, to });
        let newest = |count, to, or_later| {
            let count = NonZeroU64::new(count).unwrap();
            Select::Newest { count, to, or_later }
        };
        let buckets =
            |from, to, step, how| Select::Buckets { window: Window { from, to }, step, how };
        let every = |step| Step::Every(NonZeroI64::new(step).unwrap());
        let (min, max) = (i64::MIN, i64::MAX);
        for (selector, expected) in [
            ("a", points(min, max)),
            ("a[:]", points(min, max)),
            ("a[-10s:]", points(990, max)),
            ("a[-10:-0s]", points(-10, 1000)),
            ("a[:-9223372036854775807s]", points(min, min + 1001)),
            ("a[last]", newest(1, 1060, true)),
            ("a[last:3@-1m]", newest(3, 940, false)),
            ("a[::10s]", buckets(min, max, every(10), Aggregate::Avg)),
            ("a[-1m::all:max]", buckets(940, max, Step::All { stamp: Some(940) }, Aggregate::Max)),
            ("a[:5:all:p99]", buckets(min, 5, Step::All { stamp: None }, Aggregate::P99)),
            ("a[+]", Select::Points(Window::EMPTY)),
            ("a[:+]", points(min, max)),
            ("a[-1m:+]", points(940, max)),
        ] {
            assert_eq!(select(selector), expected, "{selector}");
        }
    }

    #[test]
    fn only_keys_and_a_range_are_taken_back() {
        for (selector, expected) in [
            ("a", Some(Window::ALL)),
            ("a*[-10s:5]", Some(Window { from: 990, to: 5 })),
            ("a[::all]", None),
            ("a[last]", None),
            ("a[+]", None),
        ] {
            let selector = Selector::from_bytes(selector.as_bytes()).unwrap();
            let deletion = resolve_deletion(selector, NOW);
            assert_eq!(deletion.map(|deletion| deletion.window), expected, "{selector}");
        }
    }
}
