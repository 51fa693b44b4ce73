//! What is taken back is dropped from the disk, and its series from the memory.

use super::retention::until;
use super::*;
use crate::store::query::KeySelection;

fn rows(keys: std::ops::Range<usize>, times: std::ops::Range<i64>) -> Vec<Row> {
    let of_key = |key: usize| {
        times.clone().map(move |at| {
            (
                format!("key{key:03}"),
                at,
                f64::from(u32::try_from(at * at * 7919 % 104_729).unwrap()),
            )
        })
    };
    keys.flat_map(of_key).collect()
}

async fn delete(store: &Local, glob: &str, window: Window) {
    let keys = KeySelection::Glob(glob.parse().unwrap());
    assert_eq!(within(store.delete(Deletion { keys, window })).await, Ok(()));
}

fn points_in_parts(store: &Local) -> u64 {
    store.state.memory().parts.iter().map(|part| part.points()).sum()
}

#[tokio::test]
async fn the_space_of_what_is_taken_back_is_given_back() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { log_limit: 1 << 20, ..restless() };
    let store = open(&disk, config.clone()).unwrap();
    put(&store, &rows(0..40, 0..300)).await.unwrap();
    within(store.close()).await;

    let store = open(&disk, config.clone()).unwrap();
    let before = store.status().disk_bytes;
    assert_eq!(points_in_parts(&store), 40 * 300);
    // Fewer than half of the chunks stay whole.
    delete(&store, "key039", Window { from: 100, to: 199 }).await;
    // Last, because the part may be rewritten from here on.
    delete(&store, "key0{0,1,2}*", Window::ALL).await;
    assert_eq!(store.status().series, 10);
    within(store.close()).await;

    // The deletions are in a part of their own, and the part before it is rewritten without them.
    let store = open(&disk, config.clone()).unwrap();
    settle(&store);
    assert_eq!(store.status().series, 10);
    assert_eq!(points_in_parts(&store), 10 * 300 - 100);
    assert!(store.status().disk_bytes < before / 2, "{}", store.status().disk_bytes);
    let expected: Vec<_> = rows(30..40, 0..300)
        .into_iter()
        .filter(|(key, at, _)| key != "key039" || !(100..200).contains(at))
        .collect();
    assert_eq!(read(&store.state).unwrap(), expected);
    // A key that is gone and put again is a new series.
    put(&store, &[("key000".to_owned(), 5, 1.0)]).await.unwrap();
    assert_eq!(read(&store.state).unwrap().last().unwrap().0, "key000");
    within(store.close()).await;
    let store = open(&disk, config).unwrap();
    assert_eq!(read(&store.state).unwrap().last().unwrap().0, "key000");
    assert_eq!(store.status().series, 11);
    within(store.close()).await;
}

/// Many keys, of which nothing is left on the disk when all are deleted but that.
#[tokio::test]
async fn deletions_that_hide_nothing_are_dropped() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { log_limit: 1 << 20, ..restless() };
    let store = open(&disk, config.clone()).unwrap();
    put(&store, &rows(0..2000, 0..1)).await.unwrap();
    within(store.close()).await;
    let store = open(&disk, config.clone()).unwrap();
    delete(&store, "key*", Window::ALL).await;
    within(store.close()).await;
    let store = open(&disk, config.clone()).unwrap();
    settle(&store);
    let (bytes, points) = (store.status().disk_bytes, points_in_parts(&store));
    assert!(points == 0 && bytes < 300, "{points} points in {bytes} bytes");
    assert_eq!(read(&store.state).unwrap(), []);
    // The ids are remembered.
    put(&store, &rows(0..1, 7..8)).await.unwrap();
    assert_eq!(store.state.index().end(), 2001);
    within(store.close()).await;
}

#[tokio::test]
async fn deletions_in_memory_are_forgotten_when_they_hide_nothing() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { log_limit: 1 << 20, ..restless() };
    let store = open(&disk, config.clone()).unwrap();
    put(&store, &rows(0..50, 0..20)).await.unwrap();
    within(store.close()).await;
    let store = open(&disk, config.clone()).unwrap();
    delete(&store, "key01*", Window::ALL).await;
    delete(&store, "key0*", Window { from: 5, to: i64::MAX }).await;
    delete(&store, "key02*", Window::ALL).await;
    delete(&store, "key03*", Window::ALL).await;
    settle(&store);
    // One part was rewritten without the chunks that are hidden as a whole, and cut.
    until(|| store.state.memory().heads.all_deletes().is_empty());
    let left: Vec<_> = [rows(0..10, 0..5), rows(40..50, 0..5)].concat();
    assert_eq!(read(&store.state).unwrap(), left);
    // The log has them still.
    let killed = SimDisk::new(disk.visible());
    within(store.close()).await;
    let store = open(&killed, config).unwrap();
    assert_eq!(read(&store.state).unwrap(), left);
    within(store.close()).await;
}
