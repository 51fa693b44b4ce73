//! Limits of what clients can make the store hold.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;

use super::damage::logged;
use super::faults::FULL;
use super::sim_disk::Verb;
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
async fn a_refused_put_leaves_no_series_behind() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    put(&store, &rows(&["a"])).await.unwrap();
    disk.set_room(Some(0));
    for number in 0..100 {
        let key = format!("new{number}");
        let outcome = put(&store, &rows(&[&key, "a", "other"])).await;
        assert_eq!(outcome, Err(Unavailable::DiskFull.into()));
        let index = store.state.index();
        assert_eq!((index.len(), index.end()), (1, 1), "{number}");
        assert_eq!(index.with_prefix("").count(), 1);
    }
    // What followers may know by its number is not given again.
    let follower = store.follow(KeySelection::All, Window::EMPTY);
    assert!(put(&store, &rows(&["b"])).await.is_err());
    assert_eq!((store.state.index().len(), store.state.index().end()), (1, 2));
    drop(follower);
    disk.set_room(None);
    put(&store, &rows(&["c", "b"])).await.unwrap();
    assert_eq!(read(&store.state).unwrap(), rows(&["a", "c", "b"]));
    assert_eq!(contract::read(&store, Query::all()).await, rows(&["a", "c", "b"]));
    within(store.close()).await;
}

/// The first group finds the disk full while a second one waits with some of the same keys.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_refused_put_keeps_its_order() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    put(&store, &rows(&["a"])).await.unwrap();
    let (arrived, has_arrived) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let state = std::sync::Mutex::new((arrived, held, false));
    disk.on_call(move |verb, name| {
        let mut state = state.lock().unwrap();
        if verb != Verb::Write || !name.starts_with("log-") || state.2 {
            return None;
        }
        state.2 = true;
        state.0.send(()).unwrap();
        // Dropped when the second group waits.
        let _ = state.1.recv();
        Some(FULL)
    });
    let submit = |keys: &[&str]| {
        let rows = rows(keys);
        let batch: Vec<_> = rows
            .iter()
            .map(|(key, timestamp, value)| {
                let point = Point { timestamp: *timestamp, value: *value };
                (Key::new(key).unwrap(), point)
            })
            .collect();
        store.put_batch(&batch)
    };
    let first = submit(&["x", "y", "z"]);
    tokio::task::block_in_place(|| has_arrived.recv()).unwrap();
    let second = submit(&["z", "a", "x"]);
    drop(release);
    assert_eq!(within(first).await, Err(Unavailable::DiskFull.into()));
    assert_eq!(within(second).await, Ok(Vec::new()));
    put(&store, &rows(&["y"])).await.unwrap();
    let expected = rows(&["a", "z", "x", "y"]);
    assert_eq!(read(&store.state).unwrap(), expected);
    assert_eq!((store.state.index().len(), store.state.index().end()), (4, 4));
    let again = recovered(&disk.killed_after(disk.operations()), LocalConfig::default()).unwrap();
    assert_eq!(read(&again.state).unwrap(), expected);
    within(store.close()).await;
}

/// Answers that have begun and are not asked for again keep no other from beginning.
#[tokio::test]
async fn answers_begin_while_others_stall() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    put(&store, &rows(&["a"])).await.unwrap();
    // More than begin at a time.
    let mut stalled: Vec<_> = (0..100).map(|_| store.get(Query::all())).collect();
    for cursor in &mut stalled {
        let mut block = pin!(cursor.next_block());
        let asked_once = poll_fn(|context| Poll::Ready(block.as_mut().poll(context)));
        assert!(asked_once.await.is_pending());
    }
    assert_eq!(contract::read(&store, Query::all()).await, rows(&["a"]));
    within(store.close()).await;
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
