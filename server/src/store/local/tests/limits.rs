//! Limits of what clients can make the store hold.

use super::damage::logged;
use super::*;
use crate::store::Cursor;
use crate::store::query::{Deletion, KeySelection};

fn rows(keys: &[&str]) -> Vec<Row> {
    keys.iter().map(|key| ((*key).to_owned(), 1, 1.0)).collect()
}

fn refused(reason: RefusalReason, places: &[usize]) -> Vec<Refused> {
    places.iter().map(|&index| Refused { index, reason }).collect()
}

async fn delete(store: &Local, key: &str) -> Result<(), PutError> {
    let keys = KeySelection::One(key.parse().unwrap());
    within(store.delete(Deletion { keys, window: Window::ALL })).await
}

#[tokio::test]
async fn series_beyond_the_limit_are_refused_and_take_no_place() {
    let disk = SimDisk::new(Image::new());
    let limited = |max_series| LocalConfig { max_series, ..LocalConfig::default() };
    let store = open(&disk, limited(2)).unwrap();
    let too_many = |limit| RefusalReason::TooManySeries { limit };
    let puts = rows(&["a", "b", "c", "a", "d", "c"]);
    assert_eq!(put(&store, &puts).await, Ok(refused(too_many(2), &[2, 4, 5])));
    assert_eq!(put(&store, &rows(&["e", "a"])).await, Ok(refused(too_many(2), &[0])));
    assert_eq!(read(&store.state).unwrap(), rows(&["a", "b"]));
    let status = store.status();
    assert_eq!((status.series, status.refused_new_series), (2, 4));
    assert_eq!(store.state.index().end(), 2);
    assert_eq!(too_many(2).to_string(), "there are too many series (the limit is 2)");

    // A series that is taken back gives its place to another one.
    delete(&store, "a").await.unwrap();
    assert_eq!(put(&store, &rows(&["c", "a"])).await, Ok(refused(too_many(2), &[1])));
    within(store.close()).await;

    // More than there may be.
    let (store, log) = logged(|| open(&disk, limited(1)).unwrap());
    assert_eq!(log.matches("there are more series than --max-series, 1;").count(), 1, "{log}");
    let puts = rows(&["c", "e", "b"]);
    assert_eq!(put(&store, &puts).await, Ok(refused(too_many(1), &[1])));
    assert_eq!(read(&store.state).unwrap(), rows(&["b", "c"]));
    within(store.close()).await;
}

#[tokio::test]
async fn keys_beyond_the_limit_are_refused() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { max_key_bytes: 10, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    let reason = RefusalReason::KeysTooLong { limit: 10 };
    let puts = rows(&["1234567", "7654321", "890", "x", "890"]);
    assert_eq!(put(&store, &puts).await, Ok(refused(reason, &[1, 3])));
    delete(&store, "1234567").await.unwrap();
    assert_eq!(put(&store, &rows(&["7654321", "x"])).await, Ok(refused(reason, &[1])));
    assert_eq!(read(&store.state).unwrap(), rows(&["890", "7654321"]));
    within(store.close()).await;
}

/// In the log once in a while, however many there are.
#[test]
fn refused_series_are_told_and_counted() {
    let refused = state::refused_series::RefusedSeries::default();
    let ((), log) = logged(|| (0..1000).for_each(|_| refused.note(3, "there are enough")));
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("there are enough") && log.contains("refused_puts=3"), "{log}");
    assert_eq!(refused.count(), 3000);
}

#[tokio::test]
async fn an_answer_waits_until_another_one_is_read() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { max_reads: 1, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    put(&store, &rows(&["a"])).await.unwrap();
    let mut first = store.get(Query::all());
    assert!(within(first.next_block()).await.unwrap().is_some());
    let mut second = store.get(Query::all());
    // The time passes when nothing else happens, reading included.
    tokio::time::pause();
    let limit = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(limit, second.next_block()).await.is_err(), "it is read");
    tokio::time::resume();
    // One that has begun goes on, and gives its turn away with its end.
    assert!(within(first.next_block()).await.unwrap().is_none());
    assert!(within(second.next_block()).await.unwrap().is_some());
    // So does one that is given up.
    drop(second);
    assert_eq!(contract::read(&store, Query::all()).await, rows(&["a"]));
    within(store.close()).await;
}
