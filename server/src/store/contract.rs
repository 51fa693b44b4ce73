//! The suite that every backend passes: a test for each guarantee of [`Store`], against a simple
//! model.

pub mod failing;
pub mod failing_follower;
pub mod model;
mod news;

use std::ops::RangeInclusive;
use std::time::Duration;

use shared::{Key, Point};

use super::query::{Deletion, KeySelection, Query, Select, Window};
use super::{
    Block, Cursor, MAX_BLOCK_POINTS, PutError, ReadError, RefusalReason, Refused, Store,
    Unavailable,
};
use model::{Model, Row};

/// The longest that a store may take for one guarantee, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Makes a store fail, one way at a time.
pub trait Faults {
    /// Puts are unavailable until [`Faults::heal`].
    fn refuse_puts(&self);
    /// The outcome of puts is unknown until [`Faults::heal`].
    fn lose_outcomes(&self);
    /// What is on the disk can't be read until [`Faults::heal`].
    fn fail_reads(&self);
    /// Nothing fails any more. Puts may stay unavailable when an outcome was lost.
    fn heal(&self);
}

/// Runs the guarantees of a store that works; `open` makes an empty one.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn hold<S: Store>(open: impl Fn() -> S) {
    within(an_empty_store_answers_nothing(&open())).await;
    within(stored_and_last_write_wins(&open())).await;
    within(call_order(&open())).await;
    within(reading_order_over_many_blocks(&open())).await;
    within(snapshot(&open())).await;
    within(news::news(&open())).await;
    within(windows_and_newest(&open())).await;
    within(deleted(&open())).await;
    within(closed(&open())).await;
    within(status_counts_series(&open())).await;
}

/// Runs the guarantees of a store that fails; `open` makes an empty one and what makes it fail.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn hold_while_failing<S: Store, F: Faults>(open: impl Fn() -> (S, F)) {
    let (store, faults) = open();
    within(unavailable_stores_nothing(&store, &faults)).await;
    let (store, faults) = open();
    within(unknown_stays_undecided(&store, &faults)).await;
    let (store, faults) = open();
    within(whole_or_error(&store, &faults)).await;
}

/// Runs the guarantee of refused points on an empty store that refuses those with timestamps outside
/// of `accepted`.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn hold_while_refusing(store: &impl Store, accepted: RangeInclusive<i64>) {
    within(refused_is_not_stored(store, accepted)).await;
}

/// Waits for what a store must do, at most [`PATIENCE`].
///
/// # Panics
/// When it takes longer.
pub async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.expect("the store answers")
}

async fn try_read(store: &impl Store, query: Query) -> Result<Vec<Row>, ReadError> {
    let mut cursor = store.get(query);
    let mut rows = Vec::new();
    while let Some(block) = cursor.next_block().await? {
        let points = block.len();
        assert!((1..=MAX_BLOCK_POINTS).contains(&points), "a block of {points} points");
        rows.extend(rows_of(&block));
    }
    Ok(rows)
}

/// The points of a block.
pub fn rows_of(block: &Block) -> Vec<Row> {
    let rows = block.series().flat_map(|(key, points)| {
        points.iter().map(move |point| (key.as_str().to_owned(), point.timestamp, point.value))
    });
    rows.collect()
}

/// Everything that a `get` answers.
///
/// # Panics
/// When the store fails to answer.
pub async fn read(store: &impl Store, query: Query) -> Vec<Row> {
    within(try_read(store, query)).await.unwrap()
}

fn glob(text: &str) -> KeySelection {
    KeySelection::Glob(text.parse().unwrap())
}

fn batch<'a>(puts: &[(&'a str, i64, f64)]) -> Vec<(Key<'a>, Point)> {
    let put = |&(key, timestamp, value)| (Key::new(key).unwrap(), Point { timestamp, value });
    puts.iter().map(put).collect()
}

async fn put(store: &impl Store, model: &mut Model, puts: &[(&str, i64, f64)]) {
    let batch = batch(puts);
    assert_eq!(store.put_batch(&batch).await, Ok(Vec::new()));
    for (key, point) in batch {
        model.put(key.as_str(), point);
    }
}

async fn check(store: &impl Store, model: &Model) {
    assert_eq!(read(store, Query::all()).await, model.all());
    for key in model.keys() {
        assert_eq!(read(store, Key::new(key).unwrap().into()).await, model.one(key));
    }
}

async fn an_empty_store_answers_nothing(store: &impl Store) {
    let unknown = Key::new("nowhere.cpu").unwrap();
    for query in [Query::all(), unknown.into(), Query::points(glob("now*"))] {
        assert_eq!(read(store, query).await, []);
    }
    assert_eq!(store.put_batch(&[]).await, Ok(Vec::new()));
    assert_eq!(read(store, Query::all()).await, []);
}

async fn stored_and_last_write_wins(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("z", 30, 3.0), ("a", 10, 1.0), ("z", 10, 1.0), ("z", 30, 4.0)]).await;
    check(store, &model).await;
    put(store, &mut model, &[("a", 10, 9.0), ("m", i64::MIN, -0.0), ("m", i64::MAX, 0.5)]).await;
    put(store, &mut model, &[("a", 9, 8.0)]).await;
    check(store, &model).await;
    let a = Query::points(glob("a*"));
    assert_eq!(read(store, a.clone()).await, model.get(&a, i64::MIN));
}

/// More is held against the model in the tests of each backend.
async fn windows_and_newest(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("b.x", 30, 3.0), ("a.x", 10, 1.0), ("b.x", 10, 2.0)]).await;
    put(store, &mut model, &[("b.x", 20, 4.0), ("a.y", 15, 5.0)]).await;
    let newest = |to, or_later| {
        let count = std::num::NonZeroU64::new(2).unwrap();
        Select::Newest { count, to, or_later }
    };
    for select in [
        Select::Points(Window { from: 10, to: 20 }),
        Select::Points(Window { from: 11, to: i64::MAX }),
        Select::Points(Window::EMPTY),
        newest(i64::MAX, false),
        newest(20, false),
        newest(5, true),
        newest(5, false),
    ] {
        for keys in [KeySelection::All, glob("*.x"), glob("b*")] {
            let query = Query { keys, select };
            assert_eq!(read(store, query.clone()).await, model.get(&query, i64::MIN), "{query:?}");
        }
    }
}

async fn deleted(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("a.x", 1, 1.0), ("b.x", 1, 2.0), ("b.x", 2, 3.0)]).await;
    put(store, &mut model, &[("c.y", 5, 4.0)]).await;
    for (keys, window) in [
        (glob("b*"), Window { from: 2, to: 7 }),
        (glob("nowhere*"), Window::ALL),
        (KeySelection::One("a.x".parse().unwrap()), Window { from: 0, to: 1 }),
        (KeySelection::All, Window::EMPTY),
        (KeySelection::One("c.y".parse().unwrap()), Window::ALL),
    ] {
        let deletion = Deletion { keys, window };
        assert_eq!(store.delete(deletion.clone()).await, Ok(()));
        model.delete(&deletion);
        check(store, &model).await;
    }
    // What is put again is there, and a key that was gone comes last.
    put(store, &mut model, &[("a.x", 1, 6.0), ("b.x", 2, 7.0), ("c.y", 9, 8.0)]).await;
    check(store, &model).await;
    assert_eq!(
        store.delete(Deletion { keys: KeySelection::All, window: Window::ALL }).await,
        Ok(())
    );
    assert_eq!(read(store, Query::all()).await, []);
}

async fn refused_is_not_stored(store: &impl Store, accepted: RangeInclusive<i64>) {
    let (oldest, newest) = accepted.into_inner();
    let (old, ahead) = (RefusalReason::OlderThanRetention, RefusalReason::TooFarAhead);
    let puts = [
        ("a", oldest - 1, 1.0),
        ("a", oldest, 2.0),
        ("new", i64::MIN, 3.0),
        ("a", newest, 4.0),
        ("a", newest + 1, 5.0),
        ("newer", i64::MAX, 6.0),
        ("b", oldest, 7.0),
    ];
    let refused = [(0, old), (2, old), (4, ahead), (5, ahead)];
    let refused = refused.map(|(index, reason)| Refused { index, reason });
    assert_eq!(store.put_batch(&batch(&puts)).await, Ok(refused.to_vec()));
    let mut model = Model::default();
    put(store, &mut model, &[("a", oldest, 2.0), ("a", newest, 4.0), ("b", oldest, 7.0)]).await;
    check(store, &model).await;
    for key in ["new", "newer"] {
        assert_eq!(read(store, Key::new(key).unwrap().into()).await, []);
    }
}

async fn call_order(store: &impl Store) {
    let mut model = Model::default();
    let mut outcomes = Vec::new();
    for value in 0..20_i32 {
        let batch = batch(&[("same", 1, f64::from(value)), ("other", 1, 0.5)]);
        outcomes.push(Box::pin(store.put_batch(&batch)));
        for (key, point) in batch {
            model.put(key.as_str(), point);
        }
    }
    for outcome in outcomes.into_iter().rev() {
        assert_eq!(outcome.await, Ok(Vec::new()));
    }
    check(store, &model).await;
}

async fn reading_order_over_many_blocks(store: &impl Store) {
    const POINTS: i64 = 30_000;
    let mut model = Model::default();
    let mut value = 0.0;
    // Strides visit every timestamp once, in an order that is not theirs; the second round
    // replaces half of them.
    for (stride, rounds) in [(7_919, POINTS), (2, POINTS / 2)] {
        let mut batch = Vec::new();
        for at in 0..rounds {
            value += 1.0;
            batch.push(("wild", at * stride % POINTS, value));
            batch.push(("tame", at, value));
            if batch.len() == 1000 {
                put(store, &mut model, &batch).await;
                batch.clear();
            }
        }
        put(store, &mut model, &batch).await;
    }
    check(store, &model).await;
}

async fn snapshot(store: &impl Store) {
    let mut model = Model::default();
    let points: Vec<_> = (0..20_000).map(|at| ("steady", at, 1.0)).collect();
    put(store, &mut model, &points).await;
    let before = model.one("steady");

    let mut cursor = store.get(Key::new("steady").unwrap().into());
    let mut seen = cursor.next_block().await.unwrap().unwrap().points;
    let replaced: Vec<_> = (0..20_000).map(|at| ("steady", at, 2.0)).collect();
    put(store, &mut model, &replaced).await;
    while let Some(block) = cursor.next_block().await.unwrap() {
        seen.extend(block.points);
    }
    let seen: Vec<_> =
        seen.iter().map(|point| ("steady".to_owned(), point.timestamp, point.value)).collect();
    assert_eq!(seen, before);
    check(store, &model).await;
}

async fn closed(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("kept", 1, 1.0)]).await;
    assert_eq!(store.status().unavailable, None);
    store.close().await;
    let late = batch(&[("late", 1, 1.0)]);
    assert_eq!(store.put_batch(&late).await, Err(Unavailable::Closed.into()));
    assert_eq!(store.status().unavailable, Some(Unavailable::Closed));
    check(store, &model).await;
}

async fn status_counts_series(store: &impl Store) {
    let mut model = Model::default();
    assert_eq!((store.status().series, store.status().unavailable), (0, None));
    put(store, &mut model, &[("a", 1, 1.0), ("b", 1, 1.0), ("a", 2, 1.0)]).await;
    put(store, &mut model, &[("b", 2, 1.0)]).await;
    assert_eq!((store.status().series, store.status().unavailable), (2, None));
}

async fn unavailable_stores_nothing(store: &impl Store, faults: &impl Faults) {
    let mut model = Model::default();
    put(store, &mut model, &[("a", 1, 1.0)]).await;
    faults.refuse_puts();
    for _ in 0..3 {
        let refused = batch(&[("a", 1, 2.0), ("a", 2, 2.0), ("new", 1, 2.0)]);
        let outcome = store.put_batch(&refused).await;
        let Err(PutError::Unavailable(why)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(store.status().unavailable, Some(why));
        check(store, &model).await;
    }
    faults.heal();
    check(store, &model).await;
    put(store, &mut model, &[("b", 1, 1.0), ("a", 3, 3.0)]).await;
    assert_eq!(store.status().unavailable, None);
    check(store, &model).await;
}

async fn unknown_stays_undecided(store: &impl Store, faults: &impl Faults) {
    let mut before = Model::default();
    put(store, &mut before, &[("a", 1, 1.0), ("a", 2, 1.0)]).await;
    faults.lose_outcomes();
    let unknown = batch(&[("a", 1, 2.0), ("a", 3, 2.0), ("b", 1, 2.0)]);
    assert_eq!(store.put_batch(&unknown).await, Err(PutError::UnknownOutcome));
    let seen = read(store, Query::all()).await;
    let possible: Vec<_> =
        [("a", 1, 1.0), ("a", 1, 2.0), ("a", 2, 1.0), ("a", 3, 2.0), ("b", 1, 2.0)]
            .map(|(key, timestamp, value)| (key.to_owned(), timestamp, value))
            .into();
    assert!(seen.iter().all(|row| possible.contains(row)), "{seen:?}");
    for (key, timestamp, _) in before.all() {
        let kept = seen.iter().any(|row| (&row.0, row.1) == (&key, timestamp));
        assert!(kept, "{key} {timestamp} is lost: {seen:?}");
    }
    assert_eq!(read(store, Query::all()).await, seen);
    faults.heal();
    assert_eq!(read(store, Query::all()).await, seen);
    // An `ok` after that means what it always does.
    let later = batch(&[("c", 1, 3.0)]);
    let outcome = store.put_batch(&later).await;
    let mut expected = seen;
    match outcome {
        Ok(refused) => {
            assert_eq!(refused, []);
            expected.push(("c".to_owned(), 1, 3.0));
        }
        Err(PutError::Unavailable(why)) => assert_eq!(store.status().unavailable, Some(why)),
        Err(PutError::UnknownOutcome) => panic!("nothing fails any more"),
    }
    assert_eq!(read(store, Query::all()).await, expected);
}

async fn whole_or_error(store: &impl Store, faults: &impl Faults) {
    let mut model = Model::default();
    for at in 0..40 {
        put(store, &mut model, &[("a", at, 1.0), ("b", at, 1.0)]).await;
    }
    faults.fail_reads();
    let one = Key::new("a").unwrap().into();
    for (selector, expected) in [(Query::all(), model.all()), (one, model.one("a"))] {
        match try_read(store, selector).await {
            Ok(rows) => assert_eq!(rows, expected),
            Err(error) => assert!(matches!(error, ReadError::Unreadable(_)), "{error}"),
        }
    }
    faults.heal();
    check(store, &model).await;
}

mod breaches {
    use super::failing::{Breach, FailingStore};
    use super::*;

    const ACCEPTED: RangeInclusive<i64> = 900..=1000;

    #[tokio::test]
    async fn a_failing_store_keeps_the_contract() {
        hold(FailingStore::default).await;
        hold_while_failing(|| {
            let store = FailingStore::default();
            (store.clone(), store)
        })
        .await;
    }

    #[tokio::test]
    async fn a_refusing_store_keeps_the_contract() {
        let store = FailingStore::default();
        store.refuse_outside(ACCEPTED);
        hold_while_refusing(&store, ACCEPTED).await;
    }

    /// Whether the test of the guarantee fails on a store that breaks it.
    async fn is_seen(breach: Breach) -> bool {
        let store = FailingStore::with_breach(breach);
        let test = tokio::spawn(within(async move {
            match breach {
                Breach::Stored | Breach::LastWriteWins => stored_and_last_write_wins(&store).await,
                Breach::Refused => {
                    store.refuse_outside(ACCEPTED);
                    refused_is_not_stored(&store, ACCEPTED).await;
                }
                Breach::CallOrder => call_order(&store).await,
                Breach::ReadingOrder | Breach::Bounded => {
                    reading_order_over_many_blocks(&store).await;
                }
                Breach::Snapshot => snapshot(&store).await,
                Breach::News => news::news(&store).await,
                Breach::WholeOrError => whole_or_error(&store, &store).await,
                Breach::UnavailableStoresNothing | Breach::Status => {
                    unavailable_stores_nothing(&store, &store).await;
                }
                Breach::UnknownStaysUndecided => unknown_stays_undecided(&store, &store).await,
                Breach::Window => windows_and_newest(&store).await,
                Breach::Deleted => deleted(&store).await,
                Breach::Closed => closed(&store).await,
            }
        }));
        test.await.is_err_and(|error| error.is_panic())
    }

    #[tokio::test]
    async fn each_breach_is_seen_by_the_test_of_its_guarantee() {
        for breach in [
            Breach::Stored,
            Breach::Refused,
            Breach::CallOrder,
            Breach::LastWriteWins,
            Breach::ReadingOrder,
            Breach::Window,
            Breach::Deleted,
            Breach::Snapshot,
            Breach::Bounded,
            Breach::News,
            Breach::WholeOrError,
            Breach::UnavailableStoresNothing,
            Breach::UnknownStaysUndecided,
            Breach::Closed,
            Breach::Status,
        ] {
            assert!(is_seen(breach).await, "{breach:?}");
        }
    }
}
