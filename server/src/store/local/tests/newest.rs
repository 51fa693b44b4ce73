//! How many keys stood at a time: what is read for it, and what is answered when that is damaged.

use std::num::NonZeroU64;

use super::faults::fail_at;
use super::*;
use crate::store::query::{KeySelection, Query, Select};

const KEYS: i64 = 60;
const POINTS: i64 = 400;

fn key(number: i64) -> String {
    format!("key{number:02}")
}

fn value(number: i64, at: i64) -> f64 {
    f64::from(i32::try_from(number * at * at % 977).unwrap()) / 4.0
}

/// Points a second of each key from `start` on, in one part.
async fn put_part(disk: &SimDisk, start: i64) {
    let store = open(disk, LocalConfig::default()).unwrap();
    for at in start..start + POINTS {
        let rows: Vec<_> = (0..KEYS).map(|number| (key(number), at, value(number, at))).collect();
        assert_eq!(put(&store, &rows).await, Ok(vec![]));
    }
    within(store.close()).await;
}

fn as_of(to: i64) -> Query {
    let select = Select::Newest { count: NonZeroU64::MIN, to, or_later: false };
    Query { keys: KeySelection::All, select }
}

fn expected(to: i64) -> Vec<Row> {
    (0..KEYS).map(|number| (key(number), to, value(number, to))).collect()
}

#[tokio::test]
async fn chunks_that_follow_each_other_are_read_together() {
    let disk = SimDisk::new(Image::new());
    put_part(&disk, 0).await;
    let store = open(&disk, LocalConfig::default()).unwrap();
    let reads =
        fail_at(&disk, (usize::MAX, 0), std::io::ErrorKind::Other, |verb, _| verb == Verb::Read);
    for to in [0, 1, POINTS / 2, POINTS - 2] {
        assert_eq!(contract::read(&store, as_of(to)).await, expected(to), "{to}");
    }
    let read = reads.0.load(std::sync::atomic::Ordering::SeqCst);
    let most = usize::try_from(4 * KEYS / 2).unwrap();
    assert!((1..=most).contains(&read), "{read} reads");
    disk.no_faults();
    let reads =
        fail_at(&disk, (usize::MAX, 0), std::io::ErrorKind::Other, |verb, _| verb == Verb::Read);
    // The index knows the last points.
    assert_eq!(contract::read(&store, as_of(POINTS - 1)).await, expected(POINTS - 1));
    assert_eq!(reads.0.load(std::sync::atomic::Ordering::SeqCst), 0);
    within(store.close()).await;
}

#[tokio::test]
async fn a_read_of_many_chunks_that_fails_is_one_of_the_first_alone() {
    let disk = SimDisk::new(Image::new());
    put_part(&disk, 0).await;
    let store = open(&disk, LocalConfig::default()).unwrap();
    let fail =
        |times| fail_at(&disk, (0, times), std::io::ErrorKind::Other, |verb, _| verb == Verb::Read);
    let seen = fail(1);
    assert_eq!(contract::read(&store, as_of(7)).await, expected(7));
    assert!(seen.1.lock().unwrap().is_some());
    fail(2);
    let mut cursor = store.get(as_of(7));
    let read = within(crate::store::Cursor::next_block(&mut cursor)).await;
    assert_eq!(read, Err(ReadError::Unreadable(std::io::ErrorKind::Other)));
    disk.no_faults();
    within(store.close()).await;
}

#[tokio::test]
async fn a_chunk_that_is_damaged_behind_the_point_is_refused() {
    let disk = SimDisk::new(Image::new());
    put_part(&disk, 0).await;
    put_part(&disk, POINTS).await;
    let mut image = disk.visible();
    let name = image.keys().rfind(|name| name.starts_with("part-")).unwrap().clone();
    let found = recovered(&SimDisk::new(image.clone()), LocalConfig::default()).unwrap();
    let parts = Arc::clone(&found.state.memory().parts);
    assert_eq!(parts.len(), 2);
    let entry = &parts[1].entries()[7];
    let (number, end) = (i64::from(entry.series), entry.offset + u64::from(entry.length));
    // The last byte of the values.
    image.get_mut(&name).unwrap()[usize::try_from(end).unwrap() - 1] ^= 1;
    let disk = SimDisk::new(image);
    let store = open(&disk, LocalConfig::default()).unwrap();
    let is_damaged = || store.state.memory().parts[1].is_damaged();
    // The point that the index knows needs no chunk.
    let last = 2 * POINTS - 1;
    assert_eq!(contract::read(&store, as_of(last)).await, expected(last));
    assert!(!is_damaged());
    let to = POINTS + 1;
    let mut rest = expected(to);
    // What is left of it is the last point of the part before.
    rest[usize::try_from(number).unwrap()] = (key(number), POINTS - 1, value(number, POINTS - 1));
    assert_eq!(contract::read(&store, as_of(to)).await, rest);
    assert!(is_damaged(), "it is reported");
    within(store.close()).await;
}
