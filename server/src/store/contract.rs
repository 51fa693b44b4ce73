//! The suite that every backend passes: a test for each guarantee of [`Store`], against a simple
//! model.

pub mod failing;
mod model;

use shared::{Key, Point, Selector};

use super::{Cursor, MAX_BLOCK_POINTS, PutError, ReadError, Store, Unavailable};
use model::{Model, Row};

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
    an_empty_store_answers_nothing(&open()).await;
    stored_and_last_write_wins(&open()).await;
    call_order(&open()).await;
    reading_order_over_many_blocks(&open()).await;
    snapshot(&open()).await;
    closed(&open()).await;
    status_counts_series(&open()).await;
}

/// Runs the guarantees of a store that fails; `open` makes an empty one and what makes it fail.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn hold_while_failing<S: Store, F: Faults>(open: impl Fn() -> (S, F)) {
    let (store, faults) = open();
    unavailable_stores_nothing(&store, &faults).await;
    let (store, faults) = open();
    unknown_stays_undecided(&store, &faults).await;
    let (store, faults) = open();
    whole_or_error(&store, &faults).await;
}

async fn try_read(store: &impl Store, selector: Selector<'_>) -> Result<Vec<Row>, ReadError> {
    let mut cursor = store.get(selector);
    let mut rows = Vec::new();
    while let Some(block) = cursor.next_block().await? {
        let points = block.points.len();
        assert!((1..=MAX_BLOCK_POINTS).contains(&points), "a block of {points} points");
        for point in block.points {
            rows.push((block.key.as_str().to_owned(), point.timestamp, point.value));
        }
    }
    Ok(rows)
}

/// Everything that a `get` answers.
///
/// # Panics
/// When the store fails to answer.
pub async fn read(store: &impl Store, selector: Selector<'_>) -> Vec<Row> {
    try_read(store, selector).await.unwrap()
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
    assert_eq!(read(store, Selector::ALL).await, model.all());
    for key in model.keys() {
        assert_eq!(read(store, Selector::from(Key::new(key).unwrap())).await, model.one(key));
    }
}

async fn an_empty_store_answers_nothing(store: &impl Store) {
    let unknown = Key::new("nowhere.cpu").unwrap();
    for selector in [Selector::ALL, unknown.into(), Selector::from_bytes(b"now*").unwrap()] {
        assert_eq!(read(store, selector).await, []);
    }
    assert_eq!(store.put_batch(&[]).await, Ok(Vec::new()));
    assert_eq!(read(store, Selector::ALL).await, []);
}

async fn stored_and_last_write_wins(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("z", 30, 3.0), ("a", 10, 1.0), ("z", 10, 1.0), ("z", 30, 4.0)]).await;
    check(store, &model).await;
    put(store, &mut model, &[("a", 10, 9.0), ("m", i64::MIN, -0.0), ("m", i64::MAX, 0.5)]).await;
    put(store, &mut model, &[("a", 9, 8.0)]).await;
    check(store, &model).await;
    assert_eq!(read(store, Selector::from_bytes(b"a*").unwrap()).await, []);
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

    let mut cursor = store.get(Selector::from(Key::new("steady").unwrap()));
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
    let seen = read(store, Selector::ALL).await;
    let possible: Vec<_> =
        [("a", 1, 1.0), ("a", 1, 2.0), ("a", 2, 1.0), ("a", 3, 2.0), ("b", 1, 2.0)]
            .map(|(key, timestamp, value)| (key.to_owned(), timestamp, value))
            .into();
    assert!(seen.iter().all(|row| possible.contains(row)), "{seen:?}");
    for (key, timestamp, _) in before.all() {
        let kept = seen.iter().any(|row| (&row.0, row.1) == (&key, timestamp));
        assert!(kept, "{key} {timestamp} is lost: {seen:?}");
    }
    assert_eq!(read(store, Selector::ALL).await, seen);
    faults.heal();
    assert_eq!(read(store, Selector::ALL).await, seen);
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
    assert_eq!(read(store, Selector::ALL).await, expected);
}

async fn whole_or_error(store: &impl Store, faults: &impl Faults) {
    let mut model = Model::default();
    for at in 0..40 {
        put(store, &mut model, &[("a", at, 1.0), ("b", at, 1.0)]).await;
    }
    faults.fail_reads();
    for selector in [Selector::ALL, Key::new("a").unwrap().into()] {
        match try_read(store, selector).await {
            Ok(rows) => assert!(rows == model.all() || rows == model.one("a"), "{rows:?}"),
            Err(error) => assert!(matches!(error, ReadError::Unreadable(_)), "{error}"),
        }
    }
    faults.heal();
    check(store, &model).await;
}

mod breaches {
    use super::failing::{Breach, FailingStore};
    use super::*;

    #[tokio::test]
    async fn a_failing_store_keeps_the_contract() {
        hold(FailingStore::default).await;
        hold_while_failing(|| {
            let store = FailingStore::default();
            (store.clone(), store)
        })
        .await;
    }

    async fn hold_all(breach: Breach) {
        let open = || FailingStore::with_breach(breach);
        hold(open).await;
        hold_while_failing(|| {
            let store = open();
            (store.clone(), store)
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "assertion")]
    async fn an_ok_without_a_stored_point_is_seen() {
        hold_all(Breach::Stored).await;
    }

    #[tokio::test]
    #[should_panic(expected = "assertion")]
    async fn a_stored_batch_of_an_unavailable_store_is_seen() {
        hold_all(Breach::UnavailableStoresNothing).await;
    }

    #[tokio::test]
    #[should_panic(expected = "assertion")]
    async fn a_point_that_vanishes_after_an_unknown_outcome_is_seen() {
        hold_all(Breach::UnknownStaysUndecided).await;
    }

    #[tokio::test]
    #[should_panic(expected = "[")]
    async fn a_shorter_answer_is_seen() {
        hold_all(Breach::WholeOrError).await;
    }

    #[tokio::test]
    #[should_panic(expected = "assertion")]
    async fn a_wrong_status_is_seen() {
        hold_all(Breach::Status).await;
    }
}
