//! Backups that are cut off, run out of room, or are not finished.

use super::super::super::crash::step;
use super::super::super::random::Random;
use super::super::super::sim_disk::power_cut::{Left, Survival};
use super::*;
use crate::store::local::disk::directory::Directory;
use crate::store::local::file_list::backup_manifest::{FoundManifest, Progress};
use crate::store::local::file_name::UNFINISHED;
use crate::store::local::maintenance::backup::BackupError;
use crate::store::local::maintenance::repair_disk;

/// Gives files of a disk names on another one. Their bytes are not durable there before a sync, as those of a
/// log that was not synced.
fn linking(source: &SimDisk, target: &SimDisk) -> impl Fn(&str, &str) -> io::Result<()> {
    let (source, target) = (source.clone(), target.clone());
    move |name, new_name| {
        let file = target.create(new_name)?;
        file.write_all_at(&source.visible()[name], 0)
    }
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
                let last = target.operations();
                for count in (0..last).step_by(step()).chain([last]) {
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
    for room in (0..1 << 20).step_by(200) {
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
    // The server keeps its files until so many questions, and is gone then, or has a full disk.
    for calls in (0..10_000).flat_map(|calls| [(calls, false), (calls, true)]) {
        let (mut left, is_full) = calls;
        let reason =
            if is_full { io::ErrorKind::StorageFull } else { io::ErrorKind::UnexpectedEof };
        let mut last_names = Vec::new();
        let mut keep = || {
            left -= 1;
            last_names = target.visible().into_keys().collect();
            if left < 0 { Err(reason.into()) } else { Ok(()) }
        };
        match copy(&second.0, &second.1, PLACE, &target, &no_link, &mut keep) {
            Ok(_) => {
                // It was asked once more when nothing was left to copy.
                assert!(last_names.contains(&"FILES.tmp".to_owned()), "{last_names:?}");
                break;
            }
            Err(error) => {
                let error = error.of_target(std::path::Path::new("copy"));
                let is_named = match error {
                    BackupError::Gone(_) => !is_full,
                    BackupError::ServerFull => is_full,
                    _ => false,
                };
                assert!(is_named, "{error}");
                assert_eq!(target.visible(), before);
            }
        }
    }
    assert_eq!(sorted(rows_of(&target).unwrap()), second.2);
}

/// A target that was cut off before the end, and has lost one of the new files since.
#[tokio::test]
async fn a_copy_that_lacks_files_is_not_finished() {
    let [first, second] = two_moments().await;
    let before = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &before);
    let target = SimDisk::new(before.visible());
    copy_all(&second.0, &second.1, &target);
    let mut tried = 0;
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
                tried += 1;
            }
        }
    }
    assert!(tried > 0);
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
            match backup_state::check(&cut) {
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

/// What a start would remove is what the new copy is made of.
#[tokio::test]
async fn unfinished_files_beside_a_damaged_manifest_are_left() {
    let [first, second] = two_moments().await;
    let before = SimDisk::new(Image::new());
    copy_all(&first.0, &first.1, &before);
    let target = SimDisk::new(before.visible());
    copy_all(&second.0, &second.1, &target);
    let (mut refused, mut used) = (0, 0);
    for count in 0..=target.operations() {
        let cut = target.killed_after(count);
        let cut = SimDisk::new(damaged(&cut.visible(), BACKUP, Damage::Flip(30)));
        let before = cut.visible();
        let is_data = |name: &&String| {
            name.ends_with(UNFINISHED) && (name.starts_with("part-") || name.starts_with("log-"))
        };
        if before.keys().find(is_data).is_none() {
            used += 1;
            backup_state::check(&cut).unwrap();
            continue;
        }
        refused += 1;
        let (started, _) = logged(|| recovered(&cut, restless()));
        assert!(matches!(started, Err(OpenError::DamagedBackup(_))), "{}", target.around(count));
        logged(|| repair_disk(Arc::new(cut.clone())).unwrap_err());
        assert_eq!(cut.visible(), before, "{}", target.around(count));
    }
    assert!(refused > 0 && used > 0, "{refused}, {used}");
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
