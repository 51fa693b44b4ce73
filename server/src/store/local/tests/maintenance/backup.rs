//! `server backup`, from a disk in memory to another one.

use std::io;

use super::super::damage::{Damage, damaged, parts_and_log, without_rotation};
use super::super::random::Random;
use super::super::sim_disk::power_cut::{Left, Survival};
use super::super::*;
use super::logged;
use crate::store::local::disk::directory::Directory;
use crate::store::local::file_list::backup_manifest::{FoundManifest, Progress};
use crate::store::local::file_name::{BACKUP, CONTROL, FileName, UNFINISHED};
use crate::store::local::maintenance::backup::{BackupError, BackupReport, SourceFiles, copy};
use crate::store::local::maintenance::{check_disk, repair_disk};
use crate::store::local::part::writer::PartError;
use crate::store::local::state::memory::Memory;

/// Where all data directories are.
const PLACE: &str = "/data";

/// The disks of tests are not the same file system.
fn no_link(_: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::CrossesDevices.into())
}

/// Gives files of a disk names on another one. Their bytes are not durable there before a sync, as those of a
/// log that was not synced.
fn linking(source: &SimDisk, target: &SimDisk) -> impl Fn(&str, &str) -> io::Result<()> {
    let (source, target) = (source.clone(), target.clone());
    move |name, new_name| {
        let file = target.create(new_name)?;
        file.write_all_at(&source.visible()[name], 0)
    }
}

/// Files that are kept.
async fn held(store: &Local) -> (SourceFiles, HeldFiles) {
    let (files, held) = within(store.hold_files()).await.unwrap();
    (SourceFiles::decode(&files).unwrap(), held)
}

fn copy_all(source: &SimDisk, files: &SourceFiles, target: &SimDisk) -> BackupReport {
    copy(source, files, PLACE, target, &no_link, &mut || Ok(())).unwrap()
}

/// What a server that is started on a copy answers, which has nothing to complain of; an error when it
/// is refused because the copy is not finished.
fn rows_of(copy: &SimDisk) -> Result<Vec<Row>, OpenError> {
    data_directory::check_backup(copy)?;
    // The copy itself stays as it is.
    let copy = SimDisk::new(copy.visible());
    let (state, log) = logged(|| recovered(&copy, restless()).unwrap().state);
    assert_eq!(log, "");
    assert!(!copy.visible().contains_key(BACKUP), "it goes its own way from now on");
    Ok(read(&state).unwrap())
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    rows
}

/// A few new points of several keys.
fn batch(number: i64) -> Vec<Row> {
    (0..4).map(|key| (format!("key{key}"), 10 * number + key, 0.5)).collect()
}

async fn put_batches(store: &Local, numbers: std::ops::Range<i64>) -> Vec<Row> {
    let mut all = Vec::new();
    for number in numbers {
        put(store, &batch(number)).await.unwrap();
        all.extend(batch(number));
    }
    all
}

#[tokio::test]
async fn a_copy_has_all_that_was_stored_before_it_began() {
    for rules in Rules::ALL {
        for durability in [Durability::Sync, Durability::Interval] {
            let disk = SimDisk::with_rules(Image::new(), rules);
            let target = SimDisk::with_rules(Image::new(), rules);
            let store = open(&disk, LocalConfig { durability, ..restless() }).unwrap();
            let mut sent = Vec::new();
            for round in 0..4 {
                sent.extend(put_batches(&store, 20 * round..20 * round + 20).await);
                let (files, held) = held(&store).await;
                // What comes meanwhile may be there or not.
                put(&store, &[("late".to_owned(), round, 1.0)]).await.unwrap();
                let report = copy_all(&disk, &files, &target);
                drop(held);
                assert_eq!(report.linked, 0);
                let mut found = rows_of(&target).unwrap();
                found.retain(|(key, ..)| key != "late");
                assert_eq!(sorted(found), sorted(sent.clone()), "round {round}");
                let (damage, _) =
                    logged(|| check_disk(Arc::new(target.clone()), without_rotation()).unwrap());
                assert_eq!(damage, []);
            }
            within(store.close()).await;
            let files = SourceFiles::of_stopped(&disk).unwrap();
            copy_all(&disk, &files, &target);
            let found = rows_of(&target).unwrap();
            assert_eq!(found, read(&recovered(&disk, restless()).unwrap().state).unwrap());
        }
    }
}

#[tokio::test]
async fn only_new_files_are_copied_and_old_ones_removed() {
    let (disk, target) = (SimDisk::new(Image::new()), SimDisk::new(Image::new()));
    let store = open(&disk, restless()).unwrap();
    put_batches(&store, 0..40).await;
    settle(&store);
    let (files, held_files) = held(&store).await;
    let first = copy_all(&disk, &files, &target);
    let again = copy_all(&disk, &files, &target);
    drop(held_files);
    assert_eq!((first.left, again.copied), (0, 1), "the list is written anew: {again:?}");
    assert_eq!(again.left, first.copied - 1);
    put_batches(&store, 40..80).await;
    settle(&store);
    let (files, held_files) = held(&store).await;
    copy_all(&disk, &files, &target);
    drop(held_files);
    let mut expected = files.names.clone();
    expected.extend(["FILES", "FORMAT", BACKUP].map(str::to_owned));
    expected.sort_unstable();
    assert_eq!(target.visible().into_keys().collect::<Vec<_>>(), expected);
    within(store.close()).await;
}

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

/// Waits until something is so of a store.
fn wait_until(store: &Local, what: &str, is_so: impl Fn(&Memory) -> bool) {
    let start = std::time::Instant::now();
    let mut memory = store.state.memory();
    while !is_so(&memory) {
        assert!(start.elapsed() < std::time::Duration::from_secs(120), "{what}");
        memory = store.state.wait(memory, std::time::Duration::from_millis(10));
    }
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

/// What a backup has kept is what fills the disk.
#[tokio::test]
async fn segments_that_were_held_are_removed_although_a_checkpoint_fails() {
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
    // There is no room for a part as long as these are there.
    let full = disk.clone();
    disk.on_call(move |verb, name| {
        let is_full = verb == Verb::Create && name.starts_with("part-") && {
            let image = full.visible();
            names.iter().any(|name| image.contains_key(name))
        };
        is_full.then_some(io::ErrorKind::StorageFull)
    });
    while put(&store, &batch(number)).await.is_ok() {
        number += 1;
    }
    let is_stuck = |memory: &Memory| memory.frozen.is_some() && memory.checkpoint_failure.is_some();
    wait_until(&store, "a checkpoint fails", is_stuck);
    drop(held_files);
    let is_done = |memory: &Memory| memory.frozen.is_none() && memory.checkpoint_failure.is_none();
    wait_until(&store, "the checkpoint is written", is_done);
    put(&store, &batch(number)).await.unwrap();
    disk.no_faults();
    within(store.close()).await;
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
    let before = disk.visible();
    let merged = tokio::task::spawn_blocking({
        let (state, parts) = (Arc::clone(&state), Arc::clone(&parts));
        move || compaction::merge(&state, &parts, NOTHING_EXPIRED)
    });
    let merged = within(merged).await.unwrap();
    let is_busy = |error: &io::Error| error.kind() == io::ErrorKind::ResourceBusy;
    assert!(matches!(&merged, Err(PartError::NotMade(error)) if is_busy(error)), "{merged:?}");
    assert_eq!(disk.visible(), before);
    drop((in_use, held_files));
    compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
    assert_eq!(state.memory().parts.len(), 1);
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

/// What can't be read at the moment may say that the files of the new copy are those with unfinished names.
#[tokio::test]
async fn a_copy_that_can_not_be_read_stays_as_it_is() {
    let [first, second] = two_moments().await;
    let target = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &target);
    let before = target.visible();
    for unreadable in [Verb::Open, Verb::Length, Verb::Read] {
        target.on_call(move |verb, name| {
            (verb == unreadable && name == BACKUP).then_some(io::ErrorKind::Other)
        });
        copy(&second.0, &second.1, PLACE, &target, &no_link, &mut || Ok(())).unwrap_err();
        assert!(matches!(data_directory::check_backup(&target), Err(OpenError::Io(..))));
        assert!(matches!(recovered(&target, restless()), Err(OpenError::Io(..))));
        let checked = logged(|| check_disk(Arc::new(target.clone()), without_rotation())).0;
        assert!(matches!(checked, Err(OpenError::Io(..))));
        target.no_faults();
        assert_eq!(target.visible(), before, "{unreadable:?}");
    }
    let target = SimDisk::new(damaged(&before, BACKUP, Damage::Flip(30)));
    let before = target.visible();
    copy(&second.0, &second.1, PLACE, &target, &no_link, &mut || Ok(())).unwrap_err();
    assert_eq!(target.visible(), before);
}

/// A target that was cut off before the end, and has lost one of the new files since.
#[tokio::test]
async fn a_copy_that_lacks_files_is_not_finished() {
    let [first, second] = two_moments().await;
    let before = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &before);
    let target = SimDisk::new(before.visible());
    copy_all(&second.0, &second.1, &target);
    let mut damages = 0;
    for count in 0..target.operations() {
        let cut = target.killed_after(count);
        let found = FoundManifest::read(&cut).unwrap();
        let FoundManifest::Backup(manifest) = found else { panic!("{found:?}") };
        if manifest.progress != Progress::Finishing {
            continue;
        }
        let image = cut.visible();
        for (name, length) in &manifest.files {
            let unfinished = format!("{name}{UNFINISHED}");
            let file = if image.contains_key(&unfinished) { &unfinished } else { name };
            let length = usize::try_from(*length).unwrap();
            for damage in [Damage::Gone, Damage::Cut(length - 1)] {
                let damaged = SimDisk::new(damaged(&image, file, damage));
                let before = damaged.visible();
                copy(&second.0, &second.1, PLACE, &damaged, &no_link, &mut || Ok(())).unwrap_err();
                assert_eq!(damaged.visible(), before, "{file} {damage:?}, {count}");
                damages += 1;
            }
        }
    }
    assert!(damages > 0);
}

/// A start looks before it has the lock, and a backup may begin or be cut off before it has.
#[tokio::test]
async fn a_start_with_the_lock_refuses_what_is_not_finished() {
    let [first, second] = two_moments().await;
    let (mut unfinished, mut interrupted) = (0, 0);
    for has_copy in [false, true] {
        let before = SimDisk::new(Image::new());
        if has_copy {
            copy_all(&first.0, &first.1, &before);
        }
        let target = SimDisk::new(before.visible());
        copy_all(&second.0, &second.1, &target);
        for count in 0..=target.operations() {
            let cut = target.killed_after(count);
            let before = cut.visible();
            match data_directory::check_backup(&cut) {
                Ok(()) => continue,
                Err(OpenError::UnfinishedBackup) => unfinished += 1,
                Err(OpenError::InterruptedBackup) => interrupted += 1,
                Err(error) => panic!("{error}"),
            }
            recovered(&cut, restless()).unwrap_err();
            repair_disk(Arc::new(cut.clone())).unwrap_err();
            assert_eq!(cut.visible(), before, "{}", target.around(count));
        }
    }
    assert!(unfinished > 0 && interrupted > 0, "{unfinished}, {interrupted}");
}

/// What it has would be removed.
#[tokio::test]
async fn a_copy_of_other_data_is_not_replaced() {
    let [first, _] = two_moments().await;
    let target = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &target);
    let before = target.visible();
    let refused = |source: &SimDisk, place: &str| {
        let files = SourceFiles::of_stopped(source).unwrap();
        let target = SimDisk::new(before.clone());
        let refused = copy(source, &files, place, &target, &no_link, &mut || Ok(())).unwrap_err();
        assert_eq!(target.visible(), before, "{files:?}");
        let refused = refused.of_target(std::path::Path::new("copy"));
        assert!(
            matches!(&refused, BackupError::OfAnother { place, .. } if place == PLACE),
            "{refused}"
        );
    };
    // Empty, as when its disk is not mounted.
    let empty = SimDisk::new(Image::new());
    within(open(&empty, restless()).unwrap().close()).await;
    refused(&empty, PLACE);
    // One that has gone further.
    let other = SimDisk::new(Image::new());
    let newest = first.1.newest_segment();
    for number in 0.. {
        let store = open(&other, without_rotation()).unwrap();
        put(&store, &[("other".to_owned(), number, 1.0)]).await.unwrap();
        within(store.close()).await;
        if SourceFiles::of_stopped(&other).unwrap().newest_segment() > newest {
            break;
        }
    }
    refused(&other, "/other");
    // The same one, moved.
    let copied = SimDisk::new(before.clone());
    copy(&first.0, &first.1, "/moved", &copied, &no_link, &mut || Ok(())).unwrap();
    assert_eq!(sorted(rows_of(&copied).unwrap()), first.2);
    // The same one when all was merged since can't be told from another one at its path.
    let files = SourceFiles::of_stopped(&other).unwrap();
    copy(&other, &files, PLACE, &target, &no_link, &mut || Ok(())).unwrap();
}

/// As over a network when the answer to the link is lost and the question repeated.
#[tokio::test]
async fn a_link_that_is_made_and_fails_harms_no_file_of_the_store() {
    let [_, (disk, files, rows)] = two_moments().await;
    let (root, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, bytes) in disk.visible() {
        std::fs::write(root.path().join(name), bytes).unwrap();
    }
    let find = |path| Directory::find(path).unwrap().unwrap();
    let (source, target) = (find(root.path()), find(place.path()));
    let link = |name: &str, new_name: &str| {
        target.link(&root.path().join(name), new_name)?;
        Err(io::ErrorKind::AlreadyExists.into())
    };
    let report = copy(&source, &files, PLACE, &target, &link, &mut || Ok(())).unwrap();
    assert_eq!((report.linked, report.left), (0, 0));
    let image = |path: &std::path::Path| -> Image {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        entries.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
    };
    assert_eq!(image(root.path()), disk.visible());
    assert_eq!(sorted(rows_of(&SimDisk::new(image(place.path()))).unwrap()), rows);
}

/// For as long as a log is replayed it would lead to another program that has got the port.
#[tokio::test]
async fn a_server_that_was_killed_is_forgotten_by_who_takes_the_lock() {
    let root = tempfile::tempdir().unwrap();
    let store = Local::open(root.path(), LocalConfig::default()).unwrap();
    within(store.close()).await;
    drop(store);
    let control = root.path().join(CONTROL);
    std::fs::write(&control, "old").unwrap();
    let locked = data_directory::open(root.path()).unwrap();
    assert!(!control.exists());
    std::fs::write(&control, "new").unwrap();
    assert!(matches!(data_directory::open(root.path()), Err(OpenError::Locked)));
    assert!(control.exists());
    drop(locked);
}

/// The files of a store twice, with what a copy of each answers: first, and when it has more.
async fn two_moments() -> [(SimDisk, SourceFiles, Vec<Row>); 2] {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let mut moments = Vec::new();
    let mut sent = Vec::new();
    for round in 0..2 {
        sent.extend(put_batches(&store, 12 * round..12 * round + 12).await);
        settle(&store);
        // So that a segment is in the copy as well.
        sent.extend(put_batches(&store, 1000 + round..1001 + round).await);
        let (files, held_files) = held(&store).await;
        moments.push((SimDisk::new(disk.visible()), files, sorted(sent.clone())));
        drop(held_files);
    }
    within(store.close()).await;
    moments.try_into().unwrap()
}

#[tokio::test]
async fn a_backup_that_is_cut_off_is_the_one_before_or_says_that_it_is_none() {
    let [first, second] = two_moments().await;
    assert_ne!(first.1.names, second.1.names);
    let mut random = Random(7);
    for rules in Rules::ALL {
        for links in [false, true] {
            // So many were the one before, refused, and the new one.
            let mut outcomes = (0, 0, 0);
            for has_copy in [false, true] {
                let before = SimDisk::with_rules(Image::new(), rules);
                if has_copy {
                    copy_all(&first.0, &first.1, &before);
                }
                let target = SimDisk::with_rules(before.visible(), rules);
                let report = if links {
                    let link = linking(&second.0, &target);
                    copy(&second.0, &second.1, PLACE, &target, &link, &mut || Ok(())).unwrap()
                } else {
                    copy_all(&second.0, &second.1, &target)
                };
                assert_eq!(report.linked > 0, links, "{report:?}");
                for count in 0..=target.operations() {
                    let mut cut = vec![target.killed_after(count)];
                    for left in [Left::Nothing, Left::Some, Left::Everything] {
                        let random = Random(random.below(usize::MAX) as u64);
                        let mut survival = Survival { names: left, bytes: left, random };
                        let image = target.image(count, &mut survival);
                        cut.push(SimDisk::with_rules(image, rules));
                    }
                    let around = target.around(count);
                    for cut in cut {
                        match rows_of_cut(&cut, has_copy).map(sorted) {
                            Some(rows) if rows == second.2 => outcomes.2 += 1,
                            Some(rows) => {
                                assert_eq!(rows, first.2, "{around}");
                                outcomes.0 += 1;
                            }
                            None => outcomes.1 += 1,
                        }
                        copy_all(&second.0, &second.1, &cut);
                        assert_eq!(sorted(rows_of(&cut).unwrap()), second.2, "{around}");
                    }
                }
            }
            let (old, refused, new) = outcomes;
            assert!(old > 0 && refused > 0 && new > 0, "{rules:?} {links}: {outcomes:?}");
        }
    }
}

/// What a copy that was cut off answers; `None` when it is refused, or has not begun.
fn rows_of_cut(cut: &SimDisk, has_copy: bool) -> Option<Vec<Row>> {
    if cut.visible().is_empty() {
        return None;
    }
    match rows_of(cut) {
        Ok(rows) => Some(rows),
        Err(OpenError::UnfinishedBackup) if !has_copy => None,
        Err(OpenError::InterruptedBackup) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_backup_without_room_or_server_leaves_the_one_before() {
    let [first, second] = two_moments().await;
    let target = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &target);
    let before = target.visible();
    let mut failures = 0;
    for room in (0..).step_by(200) {
        let target = SimDisk::new(before.clone());
        target.set_room(Some(room));
        let made = copy(&second.0, &second.1, PLACE, &target, &no_link, &mut || Ok(()));
        target.set_room(None);
        if made.is_ok() {
            break;
        }
        // The last steps need a little room, too.
        if target.visible() == before {
            failures += 1;
        } else {
            assert!(matches!(rows_of(&target), Err(OpenError::InterruptedBackup)));
        }
    }
    assert!(failures > 10, "{failures}");
    for calls in 0.. {
        let mut left = calls;
        let mut last_names = Vec::new();
        let mut keep = || {
            left -= 1;
            last_names = target.visible().into_keys().collect();
            if left < 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        };
        match copy(&second.0, &second.1, PLACE, &target, &no_link, &mut keep) {
            Ok(_) => {
                // It was asked once more when nothing was left to copy.
                assert!(last_names.contains(&"FILES.tmp".to_owned()), "{last_names:?}");
                break;
            }
            Err(error) => {
                let error = error.of_target(std::path::Path::new("copy"));
                assert!(matches!(error, BackupError::Gone(_)), "{error}");
                assert_eq!(target.visible(), before);
            }
        }
    }
    assert_eq!(sorted(rows_of(&target).unwrap()), second.2);
}

/// A copy without them would take the place of one that has them.
#[tokio::test]
async fn a_store_that_lacks_files_is_not_copied() {
    let lacks = |outcome: Result<(), BackupError>, name: &str| {
        let refused = outcome.unwrap_err();
        assert!(matches!(&refused, BackupError::Incomplete(names) if names == name), "{refused}");
    };
    let rows = |round, at| [("a".to_owned(), 100 * round + at, 0.5), ("b".to_owned(), at, 0.5)];
    let (image, _) = parts_and_log(3, 3, rows).await;
    let of_stopped =
        |disk: &SimDisk| logged(|| SourceFiles::of_stopped(disk).map(|files| files.names)).0;
    let names = of_stopped(&SimDisk::new(image.clone())).unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in &names {
        let disk = SimDisk::new(damaged(&image, name, Damage::Gone));
        lacks(of_stopped(&disk).map(drop), name);
        let (disk, unreadable) = (SimDisk::new(image.clone()), name.clone());
        disk.on_call(move |verb, name| {
            (verb == Verb::Open && name == unreadable).then_some(io::ErrorKind::PermissionDenied)
        });
        let refused = of_stopped(&disk).unwrap_err();
        assert!(matches!(&refused, BackupError::Unreadable(file, _) if file == name), "{refused}");
    }
    // As a server says it that goes on without the file.
    let [_, (_, files, _)] = two_moments().await;
    files.check_complete(files.list.as_ref()).unwrap();
    for name in &files.names {
        let mut files = files.clone();
        files.names.retain(|other| other != name);
        lacks(files.check_complete(files.list.as_ref()), name);
    }
}

#[tokio::test]
async fn files_that_a_copy_lacks_are_named() {
    let [_, (disk, files, rows)] = two_moments().await;
    let target = SimDisk::new(Image::new());
    copy_all(&disk, &files, &target);
    let image = target.visible();
    let is_segment = |name: &&String| matches!(FileName::parse(name), FileName::Segment(_));
    let newest_log = image.keys().rfind(is_segment);
    for name in image.keys().filter(|name| *name != BACKUP) {
        for damage in [Damage::Gone, Damage::Cut(image[name].len() - 1)] {
            let what = format!("{name} {damage:?}");
            let copy = SimDisk::new(damaged(&image, name, damage));
            let (found, _) =
                logged(|| check_disk(Arc::new(copy.clone()), without_rotation()).unwrap());
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert!(found.iter().any(|line| line.starts_with(&format!("{name}: "))), "{found:?}");
            let (recovered, log) = logged(|| recovered(&copy, restless()));
            let is_named =
                |line: &str| line.contains("ERROR ") && line.contains(&format!(" {name}: "));
            assert!(log.lines().any(is_named), "{what}: {log}");
            let state = Arc::new(recovered.unwrap().state);
            // The last group of the newest log may be what a crash has cut off; the log has said so.
            let may_pass = Some(name) == newest_log && matches!(damage, Damage::Cut(_));
            if !may_pass && let [Ok(found)] = &*answers(&state, &[Query::all()]) {
                assert_eq!(sorted(found.clone()), rows, "{what}");
            }
        }
    }
    let copy = SimDisk::new(damaged(&image, BACKUP, Damage::Flip(30)));
    let (found, _) = logged(|| check_disk(Arc::new(copy.clone()), without_rotation()).unwrap());
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["BACKUP: damaged"]);
    let (_, log) = logged(|| recovered(&copy, restless()).unwrap());
    assert!(log.contains("BACKUP is damaged"), "{log}");
}
