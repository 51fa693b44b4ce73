//! A store that goes on while its files are held.

use super::super::super::damage::parts_and_log;
use super::*;
use crate::store::local::file_name::CONTROL;
use crate::store::local::state::memory::Memory;

#[tokio::test]
async fn files_stay_as_they_are_while_they_are_copied() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    put_batches(&store, 0..30).await;
    let (files, held_files) = held(&store).await;
    let before = disk.visible();
    assert!(matches!(within(store.hold_files()).await, Err(HoldError::Busy)));
    // Checkpoints go on.
    let parts = store.state.memory().parts.len();
    let mut number = 30;
    while store.state.memory().parts.len() < parts + 3 {
        put_batches(&store, number..number + 1).await;
        number += 1;
    }
    let after = disk.visible();
    for name in &files.names {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
    let is_segment = |name: &String| matches!(FileName::parse(name), FileName::Segment(_));
    assert!(files.names.iter().any(is_segment), "{files:?}");
    drop(held_files);
    let is_gone = || {
        let names = disk.visible();
        !files.names.iter().filter(|name| is_segment(name)).any(|name| names.contains_key(name))
    };
    while !is_gone() {
        let memory = store.state.memory();
        drop(store.state.wait(memory, std::time::Duration::from_millis(10)));
    }
    within(store.close()).await;
}

/// A store does not wait for a backup when it is closed.
#[tokio::test]
async fn a_store_is_closed_while_its_files_are_held() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let sent = put_batches(&store, 0..30).await;
    let (_, held_files) = held(&store).await;
    put_batches(&store, 30..60).await;
    within(store.close()).await;
    drop(held_files);
    assert!(matches!(within(store.hold_files()).await, Err(HoldError::Busy)));
    let found = read(&recovered(&disk, restless()).unwrap().state).unwrap();
    assert!(sent.iter().all(|row| found.contains(row)));
}

/// Each closes a segment, and a log that never gets long would have one for each.
#[tokio::test]
async fn many_backups_leave_few_segments() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let mut sent = Vec::new();
    for number in 0..80 {
        sent.extend(put_batches(&store, number..number + 1).await);
        drop(held(&store).await);
    }
    let segments = || {
        let names = disk.visible().into_keys();
        names.filter(|name| matches!(FileName::parse(name), FileName::Segment(_))).count()
    };
    wait_until(&store, "segments are removed", |_| segments() < 60);
    within(store.close()).await;
    let found = read(&recovered(&disk, restless()).unwrap().state).unwrap();
    assert_eq!(sorted(found), sorted(sent));
}

/// Waits until something is so of a store.
fn wait_until(store: &Local, what: &str, is_so: impl Fn(&Memory) -> bool) {
    let start = std::time::Instant::now();
    let mut memory = store.state.memory();
    while !is_so(&memory) {
        assert!(start.elapsed() < std::time::Duration::from_secs(120), "{what}");
        memory = store.state.wait(memory, std::time::Duration::from_millis(10));
    }
}

/// What a backup has kept is what fills the disk.
#[tokio::test]
async fn a_checkpoint_without_room_ends_a_hold() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    put_batches(&store, 0..30).await;
    let (_, held_files) = held(&store).await;
    let mut number = 30;
    while store.state.memory().file_use.released.is_empty() {
        put_batches(&store, number..number + 1).await;
        number += 1;
    }
    let released = store.state.memory().file_use.released.clone();
    let names: Vec<_> = released.iter().map(|id| FileName::Segment(*id).to_string()).collect();
    assert!(held_files.is_kept());
    // There is no room for a part as long as these are there.
    let full = disk.clone();
    disk.on_call(move |verb, name| {
        let is_full = verb == Verb::Create && name.starts_with("part-") && {
            let image = full.visible();
            names.iter().any(|name| image.contains_key(name))
        };
        is_full.then_some(io::ErrorKind::StorageFull)
    });
    // Puts wait for the checkpoint at most, and none is refused.
    while held_files.is_kept() {
        put_batches(&store, number..number + 1).await;
        number += 1;
    }
    wait_until(&store, "the checkpoint is written", |memory| memory.frozen.is_none());
    put_batches(&store, number..number + 1).await;
    disk.no_faults();
    // Another backup can begin, and the end of the first one does not end it.
    let (_, next) = held(&store).await;
    drop(held_files);
    assert!(next.is_kept());
    drop(next);
    within(store.close()).await;
}

/// Whatever is the first to find the disk full: the log, a checkpoint, a merge, or what is kept in reserve.
#[tokio::test]
async fn puts_go_on_on_a_full_disk_as_without_a_backup() {
    let config = LocalConfig { reserve: 500, ..restless() };
    let used = |disk: &SimDisk| disk.visible().values().map(Vec::len).sum::<usize>();
    let mut most = 0;
    for has_backup in [false, true] {
        let disk = SimDisk::new(Image::new());
        let store = open(&disk, config.clone()).unwrap();
        put_batches(&store, 0..30).await;
        let held_files = if has_backup { Some(held(&store).await.1) } else { None };
        if has_backup {
            // With all that comes meanwhile there is not so much room.
            disk.set_room(Some(most - used(&disk)));
        }
        for number in 30..400 {
            let start = std::time::Instant::now();
            while put(&store, &batch(number)).await.is_err() {
                assert!(has_backup, "there is room for all");
                assert!(start.elapsed() < std::time::Duration::from_secs(120), "put {number}");
                let memory = store.state.memory();
                drop(store.state.wait(memory, std::time::Duration::from_millis(1)));
            }
            if !has_backup {
                // As much as a merge takes, too.
                most = most.max(2 * used(&disk));
            }
        }
        if let Some(held_files) = held_files {
            assert!(!held_files.is_kept(), "{} of {most} bytes", used(&disk));
        }
        within(store.close()).await;
    }
}

/// It would use what is kept in reserve, or take its room, for as long as the backup lasts, and no puts are
/// taken before.
#[tokio::test]
async fn a_merge_on_a_full_disk_does_not_wait_for_a_backup() {
    let rows = |round, at| [("a".to_owned(), 100 * round + at, 0.5), ("b".to_owned(), at, 0.5)];
    let (image, _) = parts_and_log(3, 3, rows).await;
    let disk = SimDisk::new(image);
    let config = LocalConfig { reserve: 1000, ..without_rotation() };
    let state = Arc::new(recovered(&disk, config).unwrap().state);
    assert!(state.restore_reserve());
    let parts = Arc::clone(&state.memory().parts);
    assert_eq!(parts.len(), 2);
    let held_files = HeldFiles::take(&state).unwrap();
    let in_use = state.release_reserve().unwrap();
    let merged = tokio::task::spawn_blocking({
        let (state, parts) = (Arc::clone(&state), Arc::clone(&parts));
        move || compaction::merge(&state, &parts, NOTHING_EXPIRED)
    });
    within(merged).await.unwrap().unwrap();
    assert_eq!(state.memory().parts.len(), 1);
    assert!(!held_files.is_kept());
    drop(in_use);
}

/// In a directory that has replaced its own, a server finds what another one says.
#[tokio::test]
async fn a_server_takes_back_only_what_it_has_said() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let said = store.announce("one\n").unwrap();
    assert_eq!(disk.visible()[CONTROL], b"one\n");
    drop(said);
    assert!(!disk.visible().contains_key(CONTROL));
    let said = store.announce("one\n").unwrap();
    disk.create(CONTROL).unwrap().write_all_at(b"two\n", 0).unwrap();
    drop(said);
    assert_eq!(disk.visible()[CONTROL], b"two\n");
    within(store.close()).await;
}
