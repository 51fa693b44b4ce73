//! `server check` and `server repair`.

mod backup;

use super::damage::{
    Damage, all_damages, damaged, log_damages, logged, names, no_answer_looks_whole, parts_and_log,
    without_rotation,
};
use super::*;
use crate::store::local::file_name::{DAMAGED, FILES_COPY, FileName};
use crate::store::local::maintenance::{check_disk, repair_disk};

fn row(key: &str, timestamp: i64) -> Row {
    (key.to_owned(), timestamp, 0.5)
}

/// Two parts and a log.
async fn store() -> (Image, Vec<Row>) {
    let rows =
        |round, at| [row("palm.cpu", 100 * round + at), row("eardrum.cpu", 100 * round + at)];
    parts_and_log(3, 3, rows).await
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

fn check(image: &Image) -> Vec<String> {
    let disk = SimDisk::new(image.clone());
    let lines = |config| {
        let (found, _) = logged(|| check_disk(Arc::new(disk.clone()), config).unwrap());
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let found = lines(without_rotation());
    // As when not all of the log fits into memory.
    let with_checkpoints = LocalConfig { log_limit: 1, ..without_rotation() };
    assert_eq!(sorted(lines(with_checkpoints)), sorted(found.clone()));
    assert_eq!(disk.visible(), *image, "a check changes nothing");
    assert_eq!(disk.operations(), 0);
    found
}

#[tokio::test]
async fn a_check_finds_every_damage_and_a_repair_ends_it() {
    let (image, sent) = store().await;
    assert_eq!(check(&image), [""; 0]);
    for name in names(&image, |name| !matches!(name, FileName::Foreign)) {
        let length = image[&name].len();
        let damages: Vec<_> = match FileName::parse(&name) {
            FileName::Segment(_) => log_damages(length).collect(),
            _ => all_damages(length).collect(),
        };
        // The names of files say nothing else.
        for damage in damages.into_iter().step_by(7).chain([Damage::Gone]) {
            let what = format!("{name} of {length} bytes, {damage:?}");
            let image = damaged(&image, &name, damage);
            let found = check(&image);
            let is_newest_log = matches!(FileName::parse(&name), FileName::Segment(_));
            // The last group may be what a crash has cut off, before the second list was written.
            let may_pass = is_newest_log && !matches!(damage, Damage::Gone | Damage::Cut(..608))
                || name == FILES_COPY && matches!(damage, Damage::Gone);
            assert!(
                may_pass
                    || found.iter().any(|line| line.contains(&name) || line.contains("the log")),
                "{what}: {found:?}"
            );
            let disk = SimDisk::new(image.clone());
            let (told, _) = logged(|| repair_disk(Arc::new(disk.clone())).unwrap());
            let told: Vec<_> = told.iter().map(ToString::to_string).collect();
            assert!(
                found.iter().all(|line| told.contains(line) || line.starts_with('F')),
                "{what}: {told:?}"
            );
            assert_eq!(check(&disk.visible()), [""; 0], "{what}: after the repair");
            let state = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
            let left = answers(&state, &[Query::all()]).remove(0).expect(&what);
            assert!(left.iter().all(|row| sent.contains(row)), "{what}");
            let is_kept = |other: &&String| other.starts_with(DAMAGED);
            let is_lost = left.len() < sent.len() && !may_pass && !matches!(damage, Damage::Gone);
            assert!(
                !is_lost || disk.visible().keys().any(|name| is_kept(&name)),
                "{what}: evidence"
            );
        }
    }
}

#[tokio::test]
async fn a_check_names_file_place_key_and_times() {
    let (image, sent) = store().await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(0);
    let place = image[&name].windows(8).position(|bytes| bytes == b"palm.cpu").unwrap() + 9;
    let image = damaged(&image, &name, Damage::Flip(place));
    let found = check(&image);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{name}: ")), "{found:?}");
    assert!(found[0].contains("3 points of palm.cpu from 0 to 2"), "{found:?}");
    assert!(found[0].contains("bytes at 20:"), "{found:?}");
    let disk = SimDisk::new(image);
    logged(|| repair_disk(Arc::new(disk.clone())).unwrap());
    let state = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
    let left = answers(&state, &[Query::all()]).remove(0).unwrap();
    assert_eq!(left.len(), sent.len() - 3);
    let lost: Vec<_> =
        sent.iter().filter(|row| row.0 == "palm.cpu" && row.1 < 3).cloned().collect();
    no_answer_looks_whole(&state, &sent, &lost, "what is given up is not asked for any more");
}

/// What a part was, each time that it was given up.
#[tokio::test]
async fn no_repair_overwrites_what_an_earlier_one_has_kept() {
    let (image, _) = store().await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(0);
    let mut disk = SimDisk::new(image);
    let mut kept = Vec::new();
    for number in 1..4 {
        let image = damaged(&disk.visible(), &name, Damage::Flip(40 + number));
        let name_of_kept = format!("{DAMAGED}{name}");
        let suffix = if number == 1 { String::new() } else { format!(".{number}") };
        kept.push((name_of_kept + &suffix, image[&name].clone()));
        disk = SimDisk::new(image);
        logged(|| repair_disk(Arc::new(disk.clone())).unwrap());
        let visible = disk.visible();
        for (name, bytes) in &kept {
            assert_eq!(visible.get(name), Some(bytes), "{name} after repair {number}");
        }
        // The names are the server's.
        assert_eq!(check(&visible), [""; 0]);
    }
}

/// In the place of a part there is something else.
#[tokio::test]
async fn what_can_never_be_read_is_given_up_too() {
    let (image, sent) = store().await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(0);
    for verb in [Verb::Open, Verb::Read] {
        let disk = failing(&image, &name, verb, std::io::ErrorKind::IsADirectory);
        let (found, _) = logged(|| repair_disk(Arc::new(disk.clone())).unwrap());
        assert!(found.iter().any(|line| line.to_string().starts_with(&name)), "{found:?}");
        disk.no_faults();
        assert_eq!(disk.visible()[&format!("{DAMAGED}{name}")], image[&name]);
        let state = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
        assert_eq!(answers(&state, &[Query::all()]).remove(0).unwrap().len(), sent.len() - 6);
    }
}

/// It is whole for another user.
#[tokio::test]
async fn what_may_not_be_read_is_not_given_up() {
    let (image, _) = store().await;
    for name in names(&image, |name| matches!(name, FileName::Part(_) | FileName::Segment(_))) {
        for verb in [Verb::Open, Verb::Read] {
            let disk = failing(&image, &name, verb, std::io::ErrorKind::PermissionDenied);
            let refused = repair_disk(Arc::new(disk.clone())).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{name} may not be read")), "{refused}");
            assert_eq!((disk.visible(), disk.operations()), (image.clone(), 0));
        }
    }
}

/// A disk on which an operation on a file fails.
fn failing(image: &Image, name: &str, verb: Verb, error: std::io::ErrorKind) -> SimDisk {
    let (disk, refused) = (SimDisk::new(image.clone()), name.to_owned());
    disk.on_call(move |called, name| (called == verb && name == refused).then_some(error));
    disk
}
