//! How many keys stood at a time: what is read for it, and what is answered when that is damaged.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::faults::fail_at;
use super::*;
use crate::store::Cursor;
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
    let read = within(cursor.next_block()).await;
    let told = read.unwrap_err().to_string();
    assert!(told.contains("points of key00 from 0 to 399: they can't be read"), "{told}");
    disk.no_faults();
    within(store.close()).await;
}

/// What is answered without threads that merge parts meanwhile.
async fn answer(state: &Arc<StoreState>, query: Query) -> Vec<Row> {
    let mut reader = LocalReader::new(Arc::clone(state), query);
    let mut rows = Vec::new();
    while let Some(block) = within(reader.next_block()).await.unwrap() {
        for (key, points) in block.series() {
            rows.extend(points.iter().map(|at| (key.as_str().to_owned(), at.timestamp, at.value)));
        }
    }
    rows
}

#[tokio::test]
async fn a_chunk_that_is_damaged_behind_the_point_is_refused() {
    let disk = SimDisk::new(Image::new());
    put_part(&disk, 0).await;
    put_part(&disk, POINTS).await;
    let mut image = disk.visible();
    let name = image.keys().rfind(|name| name.starts_with("part-")).unwrap().clone();
    let sound = recovered(&disk, LocalConfig::default()).unwrap();
    let parts = Arc::clone(&sound.state.memory().parts);
    assert_eq!(parts.len(), 2);
    let entry = parts[1].table().get(7).unwrap();
    let (number, end) = (i64::from(entry.series), entry.offset + u64::from(entry.length));
    // The last byte of the values.
    image.get_mut(&name).unwrap()[usize::try_from(end).unwrap() - 1] ^= 1;
    let damaged = recovered(&SimDisk::new(image), LocalConfig::default()).unwrap();
    let state = Arc::new(damaged.state);
    let is_damaged = || state.memory().parts[1].is_damaged();
    // The point that the index knows needs no chunk.
    let last = 2 * POINTS - 1;
    assert_eq!(answer(&state, as_of(last)).await, expected(last));
    assert!(!is_damaged());
    let to = POINTS + 1;
    // What is left of it is the last point of the part before: an answer with that would look whole.
    let error = drain(LocalReader::new(Arc::clone(&state), as_of(to))).await.unwrap_err();
    assert!(error.to_string().contains(&format!("{} from", key(number))), "{error}");
    assert!(is_damaged(), "it is reported");
    assert_eq!(answer(&state, as_of(last)).await, expected(last));
}

#[tokio::test]
async fn of_points_of_the_same_time_that_of_the_newest_layer_counts() {
    // Of a key in an older and a newer part, and in the head. What is out of order there makes that all
    // layers are looked through.
    let layers: [[&[(i64, i64)]; 3]; 9] = [
        [&[(0, 51)], &[(40, 100)], &[]],
        [&[(0, 100)], &[(40, 51)], &[]],
        [&[(0, 51), (70, 71)], &[(45, 51)], &[]],
        [&[(0, 51), (70, 71)], &[(45, 51)], &[(99, 100), (5, 6)]],
        [&[(45, 51)], &[(0, 51), (70, 71)], &[(99, 100), (5, 6)]],
        [&[(0, 100)], &[(40, 90)], &[]],
        [&[(40, 51)], &[(0, 100)], &[(48, 51)]],
        [&[(0, 100)], &[(20, 40)], &[(50, 60)]],
        [&[(60, 100)], &[(10, 51)], &[(50, 51)]],
    ];
    for layer in &layers {
        let mut disk = SimDisk::new(Image::new());
        let mut model = BTreeMap::new();
        for (times, value) in layer.iter().zip([1.0, 2.0, 3.0]) {
            let store = open(&disk, LocalConfig::default()).unwrap();
            let times = || times.iter().flat_map(|&(from, end)| from..end);
            model.extend(times().map(|at| (at, value)));
            let rows: Vec<_> = times().map(|at| (key(0), at, value)).collect();
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            // The last ones are left in the log.
            let left = SimDisk::new(disk.visible());
            within(store.close()).await;
            if value > 2.0 {
                disk = left;
            }
        }
        let state = Arc::new(recovered(&disk, LocalConfig::default()).unwrap().state);
        for to in -1..101 {
            let newest = model.range(..=to).next_back();
            let expected: Vec<_> =
                newest.map(|(at, value)| (key(0), *at, *value)).into_iter().collect();
            assert_eq!(answer(&state, as_of(to)).await, expected, "{layer:?} until {to}");
        }
    }
}
