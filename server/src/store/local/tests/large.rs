//! Files and counts that do not fit 32 bits, and what a small machine refuses.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::sim_disk::Verb;
use super::*;
use crate::store::local::part::writer::PartWriter;
use crate::store::local::series::chunk::Effort;
use crate::store::local::series::series_index::{MAX_SERIES, SeriesIndex, Undefined};

/// Bytes of a hole in a part.
const HOLE: u64 = (4 << 30) + 4096;

/// A part with chunks before and behind a hole of more than 4 GiB, which the index allows.
#[tokio::test]
async fn a_part_of_more_than_4_gib_is_read_whole() {
    let directory = tempfile::tempdir().unwrap();
    let disk = data_directory::open(directory.path()).unwrap();
    let mut rows = Vec::new();
    let mut writer = PartWriter::create(&*disk, 1..=1, Effort::Quick).unwrap();
    for series in 0..4 {
        if series == 1 {
            writer.leave_hole(HOLE).unwrap();
        }
        let key = format!("key{series}");
        // Too irregular to become small.
        let points: Vec<_> = (0..8192_u32)
            .map(|at| Point {
                timestamp: i64::from(at) * 10 + i64::from(at.wrapping_mul(2_654_435_761) >> 29),
                value: f64::from(at.wrapping_mul(2_654_435_761)) / 3.0,
            })
            .collect();
        writer.add(series, &key.parse().unwrap(), &points).unwrap();
        rows.extend(points.iter().map(|point| (key.clone(), point.timestamp, point.value)));
    }
    let part = writer.finish().unwrap();
    assert!(part.size() > HOLE && part.is_sound());
    drop(part);

    let store = Local::over(disk, LocalConfig::default()).unwrap();
    assert_eq!(read(&store.state).unwrap(), rows);
    assert!(store.status().disk_bytes > HOLE);
    let parts = Arc::clone(&store.state.memory().parts);
    assert!(parts.iter().all(|part| part.is_sound()));
    let more = ("key0".to_owned(), 1_000_000, 1.0);
    put(&store, std::slice::from_ref(&more)).await.unwrap();
    within(store.close()).await;
    drop((store, parts));
    let store = Local::open(directory.path(), LocalConfig::default()).unwrap();
    rows.insert(8192, more);
    assert_eq!(read(&store.state).unwrap(), rows);
    within(store.close()).await;
}

#[tokio::test]
async fn a_log_with_more_points_than_fit_into_memory_is_refused() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    let rows: Vec<Row> = (0..100).map(|at| ("a".to_owned(), at, 0.5)).collect();
    for rows in rows.chunks(10) {
        put(&store, rows).await.unwrap();
    }
    let killed = || disk.killed_after(disk.operations());
    let small = |max_replayed_points| LocalConfig { max_replayed_points, ..LocalConfig::default() };
    let refused = open(&killed(), small(99)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "its file log-000000000001 has more points than this server can hold in memory; use a \
         64-bit server, and stop it by a signal before you come back"
    );
    let again = open(&killed(), small(100)).unwrap();
    assert_eq!(read(&again.state).unwrap(), rows);
    within(again.close()).await;
    within(store.close()).await;
}

/// A recovery writes what it holds before there is too much of it, also where the log is shorter than
/// its limit.
#[tokio::test]
async fn a_log_with_more_points_than_fit_at_once_is_replayed_in_turn() {
    let disk = SimDisk::new(Image::new());
    // Every batch ends a segment.
    let config = LocalConfig { segment_size: 1, ..LocalConfig::default() };
    let store = open(&disk, config.clone()).unwrap();
    let rows: Vec<Row> = (0..100).map(|at| ("a".to_owned(), at, 0.5)).collect();
    for rows in rows.chunks(10) {
        put(&store, rows).await.unwrap();
    }
    let killed = || disk.killed_after(disk.operations());
    let small = |max_replayed_points| LocalConfig { max_replayed_points, ..config.clone() };
    // Two segments are as many points as fit: they are in a part before another two are replayed.
    let (disk_of_small, parts) = (killed(), AtomicUsize::new(0));
    disk_of_small.on_call(move |verb, name| {
        if verb == Verb::Rename && name.starts_with("part-") {
            parts.fetch_add(1, Ordering::SeqCst);
        }
        if let (Verb::Sync, Some(segment)) = (verb, name.strip_prefix("log-")) {
            let before = segment.parse::<usize>().unwrap() - 1;
            assert!(before <= 2 + 2 * parts.load(Ordering::SeqCst), "{name}");
        }
        None
    });
    let state = recovered(&disk_of_small, small(20)).unwrap().state;
    assert_eq!(read(&state).unwrap(), rows);
    assert!(state.memory().parts.len() > 1);

    let larger: Vec<Row> = (100..130).map(|at| ("a".to_owned(), at, 0.5)).collect();
    put(&store, &larger).await.unwrap();
    let disk = killed();
    let refused = open(&disk, small(20)).unwrap_err();
    assert!(matches!(refused, OpenError::LogTooLarge(_)), "{refused}");
    assert!(disk.visible().keys().any(|name| name.contains("part")), "the next start goes on");
    let again = open(&disk, config.clone()).unwrap();
    assert_eq!(read(&again.state).unwrap(), [rows, larger].concat());
    within(again.close()).await;
    within(store.close()).await;
}

#[test]
fn too_many_series_need_another_server() {
    let text = OpenError::TooManySeries.to_string();
    let expected =
        format!("it has more series than this server can hold, {MAX_SERIES}; use a 64-bit server");
    assert_eq!(text, expected);
}

#[test]
fn series_beyond_the_last_one_are_refused() {
    let mut index = SeriesIndex::default();
    assert_eq!(index.define(MAX_SERIES, b"a"), Err(Undefined::TooMany));
    assert_eq!(index.define(3, b"a b"), Err(Undefined::Invalid));
    assert_eq!((index.len(), index.end()), (0, 0));
    assert_eq!(index.define(3, b"a"), Ok(()));
    assert_eq!(index.define(3, b"b"), Err(Undefined::Contradiction));
    assert_eq!((index.len(), index.end()), (1, 4));
}
