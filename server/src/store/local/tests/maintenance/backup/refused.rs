//! What is not copied, and copies that are not replaced.

use super::super::super::damage::parts_and_log;
use super::*;
use crate::store::local::file_name::CONTROL;
use crate::store::local::maintenance::backup::{BackupError, Refusal};

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

/// Why these files are not copied to a target, which stays as it is.
fn refusal(source: &SimDisk, files: &SourceFiles, target: &SimDisk) -> Refusal {
    let before = target.visible();
    let copied = logged(|| copy(source, files, PLACE, target, &no_link, &mut || Ok(()))).0;
    let refused = copied.unwrap_err().of_target(std::path::Path::new("copy"));
    assert_eq!(target.visible(), before, "{refused}");
    match refused {
        BackupError::Refused { refusal, .. } => refusal,
        other => panic!("{other}"),
    }
}

fn of_stopped(source: &SimDisk) -> SourceFiles {
    SourceFiles::of_stopped(source).unwrap()
}

/// A target with the first of two moments.
fn copied(moment: &(SimDisk, SourceFiles, Vec<Row>)) -> SimDisk {
    let target = SimDisk::new(Image::new());
    copy_all(&moment.0, &moment.1, &target);
    target
}

/// At the same place, as after a mistake in a path, or when its disk is not mounted.
#[tokio::test]
async fn a_copy_of_other_data_is_not_replaced() {
    let [first, _] = two_moments().await;
    let target = copied(&first);
    let refused = |source: &SimDisk| {
        let refused = refusal(source, &of_stopped(source), &target);
        assert!(matches!(&refused, Refusal::OfAnother(place) if place == PLACE), "{refused}");
    };
    let empty = SimDisk::new(Image::new()).with_seed(1);
    within(open(&empty, restless()).unwrap().close()).await;
    refused(&empty);
    // One that has gone further.
    let other = SimDisk::new(Image::new()).with_seed(2);
    let newest = first.1.newest_segment();
    for number in 0.. {
        let store = open(&other, without_rotation()).unwrap();
        put(&store, &[("other".to_owned(), number, 1.0)]).await.unwrap();
        within(store.close()).await;
        if of_stopped(&other).newest_segment() > newest {
            break;
        }
    }
    refused(&other);
    // The same one, moved.
    copy(&first.0, &first.1, "/moved", &target, &no_link, &mut || Ok(())).unwrap();
    assert_eq!(sorted(rows_of(&target).unwrap()), first.2);
}

/// It has points of its own from then on, also when the numbers of its files are the higher ones.
#[tokio::test]
async fn a_restored_copy_is_another_data_directory() {
    let [first, second] = two_moments().await;
    let target = copied(&first);
    let restored = SimDisk::new(target.visible());
    let store = open(&restored, restless()).unwrap();
    let mut rows = first.2.clone();
    rows.extend(put_batches(&store, 5000..5100).await);
    within(store.close()).await;
    let files = of_stopped(&restored);
    assert!(files.newest_segment() > first.1.newest_segment());
    let refused = refusal(&restored, &files, &target);
    assert!(matches!(refused, Refusal::OfAnother(_)), "{refused}");
    let own = SimDisk::new(Image::new());
    copy_all(&restored, &files, &own);
    assert_eq!(sorted(rows_of(&own).unwrap()), sorted(rows));
    let refused = refusal(&second.0, &second.1, &own);
    assert!(matches!(refused, Refusal::OfAnother(_)), "{refused}");
    copy_all(&second.0, &second.1, &target);
}

/// As after a snapshot of its disk was put back; files that both have are the same then.
#[tokio::test]
async fn a_copy_is_not_replaced_by_an_older_state() {
    let (disk, target) = (SimDisk::new(Image::new()), SimDisk::new(Image::new()));
    let store = open(&disk, without_rotation()).unwrap();
    let mut sent = put_batches(&store, 0..10).await;
    let (files, held_files) = held(&store).await;
    let old = (SimDisk::new(disk.visible()), files);
    drop(held_files);
    sent.extend(put_batches(&store, 10..20).await);
    let (files, held_files) = held(&store).await;
    copy_all(&disk, &files, &target);
    drop(held_files);
    within(store.close()).await;
    assert!(old.1.names.iter().any(|name| files.names.contains(name)), "{files:?}");
    let refused = refusal(&old.0, &old.1, &target);
    assert!(matches!(refused, Refusal::IsNewer { .. }), "{refused}");
    assert_eq!(sorted(rows_of(&target).unwrap()), sorted(sent));
}

/// One without a number: nothing says that it is the same.
#[tokio::test]
async fn a_copy_is_not_replaced_by_a_directory_without_a_number() {
    let [first, second] = two_moments().await;
    let mut image = second.0.visible();
    let text = String::from_utf8(image["FORMAT"][..256].to_vec()).unwrap();
    let checksum = crc32c::crc32c(text.as_bytes());
    let unnumbered = format!("{text}CRC32C of the 256 bytes before: {checksum:08x}\n");
    image.insert("FORMAT".to_owned(), unnumbered.into_bytes());
    let source = SimDisk::new(image.clone());
    let target = copied(&first);
    let refused = refusal(&source, &second.1, &target);
    assert!(matches!(refused, Refusal::OfUnknown), "{refused}");
    // A start gives it one, and no second one.
    let store = open(&source, restless()).unwrap();
    within(store.close()).await;
    let numbered = source.visible()["FORMAT"].clone();
    assert_ne!(numbered, image["FORMAT"]);
    let store = open(&source, restless()).unwrap();
    within(store.close()).await;
    assert_eq!(source.visible()["FORMAT"], numbered);
    let refused = refusal(&source, &of_stopped(&source), &target);
    assert!(matches!(refused, Refusal::OfAnother(_)), "{refused}");
}

/// It never changes.
#[tokio::test]
async fn a_segment_is_not_replaced_by_another_one() {
    let rows = |round, at| ["a", "b"].map(|key| (key.to_owned(), 100 * round + at, 0.5));
    let (image, sent) = parts_and_log(3, 3, rows).await;
    let source = SimDisk::new(image.clone());
    let files = of_stopped(&source);
    let is_segment = |name: &&String| matches!(FileName::parse(name), FileName::Segment(_));
    let segment = files.names.iter().find(is_segment).unwrap();
    let target = SimDisk::new(Image::new());
    copy_all(&source, &files, &target);
    let length = image[segment].len();
    for damage in [Damage::Flip(length - 10), Damage::Flip(610), Damage::Cut(length - 1)] {
        let source = SimDisk::new(damaged(&image, segment, damage));
        let refused = refusal(&source, &files, &target);
        assert!(matches!(&refused, Refusal::HasOther(name) if name == segment), "{refused}");
    }
    // What is broken in the copy is mended.
    for damage in [Damage::Gone, Damage::Cut(length - 1)] {
        let target = SimDisk::new(damaged(&target.visible(), segment, damage));
        copy_all(&source, &files, &target);
        assert_eq!(sorted(rows_of(&target).unwrap()), sorted(sent.clone()));
    }
}

/// The sound files before would be removed.
#[tokio::test]
async fn damaged_files_come_into_a_new_copy_only() {
    let [first, (disk, files, _)] = two_moments().await;
    let image = disk.visible();
    let target = copied(&first);
    let had = target.visible();
    let new: Vec<_> = files.names.iter().filter(|name| !had.contains_key(*name)).collect();
    assert!(new.len() > 1, "{new:?}");
    for name in new {
        let length = image[name].len();
        for damage in [Damage::Flip(length / 2), Damage::Flip(20), Damage::Cut(length - 1)] {
            let source = SimDisk::new(damaged(&image, name, damage));
            let refused = refusal(&source, &files, &target);
            assert!(
                matches!(&refused, Refusal::IsSounder(names) if names == name),
                "{name} {damage:?}: {refused}"
            );
            let fresh = SimDisk::new(Image::new());
            let (report, _) = logged(|| copy_all(&source, &files, &fresh));
            assert_eq!(report.damaged, [name.as_str()], "{damage:?}");
            assert!(report.warning().unwrap().contains(name.as_str()));
            // It is said again by what leaves the file as it is.
            let (again, _) = logged(|| copy_all(&source, &files, &fresh));
            assert_eq!(again.damaged, report.damaged, "{damage:?}");
            // Until the file is sound again.
            let other = SimDisk::new(fresh.visible());
            let (healed, _) = logged(|| copy_all(&disk, &files, &other));
            assert_eq!(healed.damaged, [""; 0], "{damage:?}");
            assert_eq!(other.visible()[name], image[name], "{damage:?}");
            let (found, _) =
                logged(|| check_disk(Arc::new(fresh.clone()), without_rotation()).unwrap());
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            // Only the segment behind it, which is not copied, says that the end of one is missing.
            let is_cut = matches!(damage, Damage::Cut(_)) && name.starts_with("log-");
            let is_named = |line: &String| line.starts_with(&format!("{name}: "));
            assert!(is_cut || found.iter().any(is_named), "{found:?}");
        }
    }
    // What a server knows of its log, which may be in files that the copy has.
    let lossy = SourceFiles { losses: 1, ..files.clone() };
    let refused = refusal(&disk, &lossy, &target);
    assert!(matches!(&refused, Refusal::IsSounder(names) if names == "the log"), "{refused}");
    assert_eq!(copy_all(&disk, &files, &target).warning(), None);
}

/// A part keeps its name when it is rewritten, and is a new file then.
#[tokio::test]
async fn a_part_that_is_rewritten_is_read_before_it_is_copied() {
    let rows = |round, at| [("a".to_owned(), 100 * round + at, 0.5), ("b".to_owned(), at, 0.5)];
    let (image, _) = parts_and_log(3, 3, rows).await;
    let source = SimDisk::new(image.clone());
    let files = of_stopped(&source);
    let target = SimDisk::new(Image::new());
    copy_all(&source, &files, &target);
    let part = &files.names.iter().find(|name| name.starts_with("part-")).unwrap();
    let source = SimDisk::new(damaged(&image, part, Damage::Flip(image[*part].len() - 10)));
    let refused = refusal(&source, &files, &target);
    assert!(matches!(&refused, Refusal::IsSounder(names) if names == *part), "{refused}");
}

/// The part that has its numbers says that points are lost, and a look at the names finds nothing.
#[tokio::test]
async fn a_copy_is_not_replaced_by_a_store_that_has_lost_a_log() {
    let rows = |round, at| ["a", "b"].map(|key| (key.to_owned(), 100 * round + at, 0.5));
    let (image, sent) = parts_and_log(3, 3, rows).await;
    let files = of_stopped(&SimDisk::new(image.clone()));
    let target = SimDisk::new(Image::new());
    copy_all(&SimDisk::new(image.clone()), &files, &target);
    let log = files.names.iter().find(|name| name.starts_with("log-")).unwrap();
    let source = SimDisk::new(damaged(&image, log, Damage::Gone));
    let (store, _) = logged(|| open(&source, without_rotation()).unwrap());
    // What a server says that has not written a checkpoint yet.
    let (told, held_files) = held(&store).await;
    assert!(told.losses > 0, "{told:?}");
    drop(held_files);
    put_batches(&store, 0..3).await;
    within(store.close()).await;
    let files = of_stopped(&source);
    assert!(files.newest_segment() > 3);
    let refused = refusal(&source, &files, &target);
    assert!(
        matches!(&refused, Refusal::IsSounder(names) if names.starts_with("part-")),
        "{refused}"
    );
    assert_eq!(sorted(rows_of(&target).unwrap()), sorted(sent));
}

/// It says which files there are to be.
#[tokio::test]
async fn a_list_of_files_that_is_damaged_is_damage() {
    let [_, (disk, ..)] = two_moments().await;
    let store = open(&disk, restless()).unwrap();
    within(store.close()).await;
    let target = SimDisk::new(Image::new());
    copy_all(&disk, &of_stopped(&disk), &target);
    let source = damaged(&disk.visible(), "FILES", Damage::Flip(30));
    let source = SimDisk::new(damaged(&source, "FILES-COPY", Damage::Gone));
    let refused = refusal(&source, &of_stopped(&source), &target);
    assert!(matches!(&refused, Refusal::IsSounder(names) if names == "FILES"), "{refused}");
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
        assert!(matches!(backup_state::check(&target), Err(OpenError::Io(..))));
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
