//! Starts on a full disk, and one after the other.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::faults::{FULL, resumes};
use super::history::History;
use super::random::Random;
use super::sim_disk::Verb;
use super::*;
use crate::store::query::{Deletion, KeySelection};

fn row(at: i64) -> Row {
    ("a".to_owned(), at, 0.5)
}

#[tokio::test]
async fn starts_that_are_killed_leave_few_files() {
    for with_puts in [false, true] {
        let mut disk = SimDisk::new(Image::new());
        let mut rows = Vec::new();
        let mut most = 0;
        for number in 0..200 {
            let store = open(&disk, LocalConfig::default()).unwrap();
            if with_puts {
                rows.push(row(number));
                put(&store, &rows[rows.len() - 1..]).await.unwrap();
            }
            let killed = disk.killed_after(disk.operations());
            within(store.close()).await;
            disk = killed;
            most = most.max(disk.visible().len());
        }
        assert!(most < 60, "{most} files");
        let state = recovered(&disk, LocalConfig::default()).unwrap().state;
        assert_eq!(read(&state).unwrap(), rows);
    }
}

/// A store with points in parts and in the log, the log longer than it is to become.
async fn killed_store() -> (Image, Vec<Row>) {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { segment_size: 300, ..LocalConfig::default() };
    let store = open(&disk, config.clone()).unwrap();
    let rows: Vec<_> = (0..200).map(row).collect();
    for rows in rows[..100].chunks(10) {
        put(&store, rows).await.unwrap();
    }
    within(store.close()).await;
    let store = open(&disk, config).unwrap();
    for rows in rows[100..].chunks(10) {
        put(&store, rows).await.unwrap();
    }
    let image = disk.visible();
    within(store.close()).await;
    (image, rows)
}

#[tokio::test]
async fn a_start_on_a_full_disk_serves_reads_and_takes_puts_when_there_is_room() {
    let (image, rows) = killed_store().await;
    for log_limit in [1, 500, 1 << 20] {
        let config = LocalConfig { log_limit, ..restless() };
        let disk = SimDisk::new(image.clone());
        disk.set_room(Some(0));
        let store = open(&disk, config.clone()).unwrap();
        assert_eq!(contract::read(&store, Query::all()).await, rows);
        for _ in 0..3 {
            let outcome = put(&store, &[row(1000)]).await;
            assert_eq!(outcome, Err(Unavailable::DiskFull.into()), "limit {log_limit}");
        }
        assert_eq!(contract::read(&store, Query::all()).await, rows);
        // Nothing is lost by an end without room.
        let killed = disk.killed_after(disk.operations());
        assert_eq!(read(&recovered(&killed, config.clone()).unwrap().state).unwrap(), rows);
        disk.set_room(None);
        let mut history = History::default();
        resumes(&store, &disk, &mut history).await;
        let found = contract::read(&store, Query::all()).await;
        assert_eq!(found[..rows.len()], rows);
        within(store.close()).await;
    }
}

#[tokio::test]
async fn an_end_on_a_full_disk_keeps_the_log() {
    let (image, rows) = killed_store().await;
    let disk = SimDisk::new(image);
    disk.set_room(Some(0));
    let store = open(&disk, restless()).unwrap();
    within(store.close()).await;
    assert_eq!(read(&recovered(&disk, restless()).unwrap().state).unwrap(), rows);
}

/// Bytes of the parts on the disk.
fn part_bytes(disk: &SimDisk) -> usize {
    let files = disk.visible().into_iter().filter(|(name, _)| name.starts_with("part-"));
    files.map(|(_, bytes)| bytes.len()).sum()
}

fn has_reserve(disk: &SimDisk) -> bool {
    disk.visible().contains_key("RESERVE")
}

/// Points that are taken back give their room back, although nothing else finds any.
#[tokio::test]
async fn a_full_disk_has_room_for_what_gives_room_back() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { reserve: 4000, ..restless() };
    let store = open(&disk, config.clone()).unwrap();
    assert!(has_reserve(&disk));
    let mut random = Random(1);
    for at in 0..50 {
        // Values that take room also in a part: more than the beginnings of some logs.
        let mut value = || f64::from(u32::try_from(random.below(1 << 30)).unwrap()) / 7.0;
        let noisy = |at| ("a".to_owned(), at, value());
        let rows: Vec<_> = (at * 20..(at + 1) * 20).map(noisy).collect();
        put(&store, &rows).await.unwrap();
    }
    settle(&store);
    disk.set_room(Some(0));
    let mut refusals = 0;
    while refusals < 3 {
        let is_refused = put(&store, &[row(5000)]).await.is_err();
        refusals += usize::from(is_refused);
    }
    let before = part_bytes(&disk);
    let all = Deletion { keys: KeySelection::All, window: Window::ALL };
    assert_eq!(within(store.delete(all)).await, Ok(()));
    assert_eq!(contract::read(&store, Query::all()).await, []);
    // Puts find room again when what was taken back is gone from the disk, and not before: the
    // reserve is there again then.
    within(until_taken(&store, row(1))).await;
    assert!(has_reserve(&disk));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while part_bytes(&disk) >= before {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.status());
        std::thread::yield_now();
    }
    assert_eq!(contract::read(&store, Query::all()).await, [row(1)]);
    within(store.close()).await;
}

/// Puts a point again and again until it is stored.
async fn until_taken(store: &Local, row: Row) {
    while put(store, std::slice::from_ref(&row)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// While the reserve is in use, puts leave its room alone.
#[tokio::test]
async fn puts_wait_for_the_reserve() {
    let disk = SimDisk::new(Image::new());
    let retry = std::time::Duration::ZERO;
    let config = LocalConfig { reserve: 1000, log_limit: 1 << 20, retry, ..restless() };
    let store = open(&disk, config.clone()).unwrap();
    put(&store, &[row(1)]).await.unwrap();
    let in_use = store.state.release_reserve();
    assert!(in_use.is_some() && !has_reserve(&disk));
    // What makes room may take its time.
    for _ in 0..3 {
        assert_eq!(put(&store, &[row(2)]).await, Err(Unavailable::DiskFull.into()));
        assert!(!has_reserve(&disk));
    }
    let is_full = Arc::new(AtomicBool::new(true));
    let full = Arc::clone(&is_full);
    disk.on_call(move |verb, name| {
        let refused = verb == Verb::Create && name == "RESERVE" && full.load(Ordering::SeqCst);
        refused.then_some(FULL)
    });
    drop(in_use);
    for _ in 0..3 {
        assert_eq!(put(&store, &[row(2)]).await, Err(Unavailable::DiskFull.into()));
    }
    let gone = Deletion { keys: KeySelection::All, window: Window { from: 1, to: 1 } };
    assert_eq!(within(store.delete(gone)).await, Ok(()));
    is_full.store(false, Ordering::SeqCst);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while put(&store, &[row(2)]).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "no put is taken again");
        std::thread::yield_now();
    }
    assert!(has_reserve(&disk));
    within(store.close()).await;
    // A start finds the file, and another one makes it when it is missing.
    for image in [disk.visible(), {
        let mut image = disk.visible();
        image.remove("RESERVE");
        image
    }] {
        let disk = SimDisk::new(image);
        let store = open(&disk, config.clone()).unwrap();
        assert!(has_reserve(&disk));
        put(&store, &[row(3)]).await.unwrap();
        within(store.close()).await;
    }
}

/// Where files may not be long, the reserve is as long as it may be.
#[tokio::test]
async fn a_reserve_that_would_be_too_long_is_shorter() {
    let disk = SimDisk::new(Image::new());
    let calls = std::sync::atomic::AtomicUsize::new(0);
    disk.on_call(move |verb, name| {
        let is_reserve = verb == Verb::Write && name == "RESERVE";
        let is_too_long = is_reserve && calls.fetch_add(1, Ordering::SeqCst) < 2;
        is_too_long.then_some(io::ErrorKind::FileTooLarge)
    });
    let config = LocalConfig { reserve: 4000, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    put(&store, &[row(1)]).await.unwrap();
    assert!(has_reserve(&disk));
    within(store.close()).await;
}

/// A file that may not grow any more is followed by the next one.
#[tokio::test]
async fn a_file_that_is_too_long_is_followed_by_another_one() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    put(&store, &[row(1)]).await.unwrap();
    disk.on_call(|verb, name| {
        let is_long = verb == Verb::Write && name == "log-000000000001";
        is_long.then_some(io::ErrorKind::FileTooLarge)
    });
    assert_eq!(put(&store, &[row(2)]).await, Err(Unavailable::DiskFull.into()));
    assert_eq!(put(&store, &[row(3)]).await, Ok(Vec::new()));
    assert_eq!(read(&store.state).unwrap(), [row(1), row(3)]);
    within(store.close()).await;
}
