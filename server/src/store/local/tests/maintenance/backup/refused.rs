//! What is not copied, and copies that are not replaced.

use super::super::super::damage::parts_and_log;
use super::*;
use crate::store::local::file_name::CONTROL;
use crate::store::local::maintenance::backup::BackupError;

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
