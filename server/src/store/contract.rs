//! The suite that every backend passes: the contract of [`Store`] against a simple model.

use std::collections::BTreeMap;

use shared::{Key, Point, Selector};

use super::{Cursor, PutError, Store};

/// The simplest store there is.
#[derive(Debug, Default)]
struct Model {
    order: Vec<String>,
    series: BTreeMap<String, BTreeMap<i64, f64>>,
}

impl Model {
    fn put(&mut self, key: &str, point: Point) {
        if !self.series.contains_key(key) {
            self.order.push(key.to_owned());
        }
        self.series.entry(key.to_owned()).or_default().insert(point.timestamp, point.value);
    }

    fn all(&self) -> Vec<(String, i64, f64)> {
        self.order.iter().flat_map(|key| self.one(key)).collect()
    }

    fn one(&self, key: &str) -> Vec<(String, i64, f64)> {
        let points = self.series.get(key).into_iter().flatten();
        points.map(|(&timestamp, &value)| (key.to_owned(), timestamp, value)).collect()
    }
}

/// Everything a `get` answers.
///
/// # Panics
/// When the store fails to answer.
pub async fn read(store: &impl Store, selector: Selector<'_>) -> Vec<(String, i64, f64)> {
    let mut cursor = store.get(selector);
    let mut read = Vec::new();
    while let Some(block) = cursor.next_block().await.unwrap() {
        assert!(!block.points.is_empty(), "a block holds at least one point");
        for point in block.points {
            read.push((block.key.as_str().to_owned(), point.timestamp, point.value));
        }
    }
    read
}

async fn put(store: &impl Store, model: &mut Model, puts: &[(&str, i64, f64)]) {
    let batch: Vec<_> = puts
        .iter()
        .map(|&(key, timestamp, value)| (Key::new(key).unwrap(), Point { timestamp, value }))
        .collect();
    assert_eq!(store.put_batch(&batch).await, Ok(Vec::new()));
    for (key, point) in batch {
        model.put(key.as_str(), point);
    }
}

async fn check(store: &impl Store, model: &Model) {
    assert_eq!(read(store, Selector::ALL).await, model.all());
    for key in &model.order {
        assert_eq!(read(store, Selector::from(Key::new(key).unwrap())).await, model.one(key));
    }
}

/// Runs the suite; `open` makes an empty store.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn hold<S: Store>(open: impl Fn() -> S) {
    an_empty_store_answers_nothing(&open()).await;
    order_and_last_write(&open()).await;
    out_of_order_over_many_blocks(&open()).await;
    a_reader_sees_each_series_as_it_was(&open()).await;
    nothing_is_taken_after_close(&open()).await;
}

async fn an_empty_store_answers_nothing(store: &impl Store) {
    let unknown = Key::new("nowhere.cpu").unwrap();
    for selector in [Selector::ALL, unknown.into(), Selector::from_bytes(b"now*").unwrap()] {
        assert_eq!(read(store, selector).await, []);
    }
    assert_eq!(store.put_batch(&[]).await, Ok(Vec::new()));
    assert_eq!(read(store, Selector::ALL).await, []);
}

async fn order_and_last_write(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("z", 30, 3.0), ("a", 10, 1.0), ("z", 10, 1.0), ("z", 30, 4.0)]).await;
    check(store, &model).await;
    put(store, &mut model, &[("a", 10, 9.0), ("m", i64::MIN, -0.0), ("m", i64::MAX, 0.5)]).await;
    put(store, &mut model, &[("a", 9, 8.0)]).await;
    check(store, &model).await;
    assert_eq!(read(store, Selector::from_bytes(b"a*").unwrap()).await, []);
}

async fn out_of_order_over_many_blocks(store: &impl Store) {
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

async fn a_reader_sees_each_series_as_it_was(store: &impl Store) {
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

async fn nothing_is_taken_after_close(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("kept", 1, 1.0)]).await;
    store.close().await;
    let late = (Key::new("late").unwrap(), Point { timestamp: 1, value: 1.0 });
    assert_eq!(store.put_batch(&[late]).await, Err(PutError::Closed));
    check(store, &model).await;
}
