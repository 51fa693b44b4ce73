//! `server backup`, from a disk in memory to another one.

mod cut_off;
mod files_held;
mod refused;

use std::io;

use super::super::damage::{Damage, damaged, without_rotation};
use super::super::*;
use super::logged;
use crate::store::local::file_name::{BACKUP, FileName};
use crate::store::local::maintenance::backup::{BackupReport, SourceFiles, copy};
use crate::store::local::maintenance::check_disk;
use crate::store::local::recovery::backup_state;

/// Where all data directories are.
const PLACE: &str = "/data";

/// The disks of tests are not the same file system.
fn no_link(_: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::CrossesDevices.into())
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
    backup_state::check(copy)?;
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
    assert_eq!((first.left, again.copied), (0, 2), "the lists are written anew: {again:?}");
    assert_eq!(again.left, first.copied - 2);
    put_batches(&store, 40..80).await;
    settle(&store);
    let (files, held_files) = held(&store).await;
    copy_all(&disk, &files, &target);
    drop(held_files);
    let mut expected = files.names.clone();
    expected.extend(["FILES", "FILES-COPY", "FORMAT", BACKUP].map(str::to_owned));
    expected.sort_unstable();
    assert_eq!(target.visible().into_keys().collect::<Vec<_>>(), expected);
    within(store.close()).await;
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
