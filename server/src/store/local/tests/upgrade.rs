//! Directories of formats 1 and 2 under this server: their files are read beside new ones, and no crash
//! leaves a new file in a directory that an older server would open.

use std::path::Path;

use super::crash::survivals;
use super::damage::{self, Damage, all_damages, logged};
use super::sim_disk::Rules;
use super::*;
use crate::store::local::file_name::{FORMAT, FORMAT_PREFIX, FORMAT_VERSION, FileName};
use crate::store::local::part::Part;

/// What a released server of format 1 has written, from `tests/data/format-1`.
pub fn format_1(name: &str) -> Image {
    released("format-1", name)
}

/// What a released server has written.
fn released(format: &str, name: &str) -> Image {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let directory = data.join(format).join(name);
    let mut image = Image::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        image.insert(name, std::fs::read(path).unwrap());
    }
    image
}

fn version(image: &Image) -> u32 {
    let text = String::from_utf8(image[FORMAT].clone()).unwrap();
    let (line, _) = text.split_once('\n').unwrap();
    line.strip_prefix(FORMAT_PREFIX).unwrap().trim_end().parse().unwrap()
}

/// Whether there is a segment or part that the older server did not write.
fn has_new_files(image: &Image, old: &Image) -> bool {
    image.keys().any(|name| {
        let kind = FileName::parse(name.trim_end_matches(".tmp"));
        matches!(kind, FileName::Part(_) | FileName::Segment(_)) && !old.contains_key(name)
    })
}

#[test]
fn a_crash_leaves_no_new_file_in_a_directory_of_an_older_format() {
    for format in ["format-1", "format-2"] {
        crash_while_upgrading(&released(format, "mixed"));
    }
}

fn crash_while_upgrading(old: &Image) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for rules in Rules::ALL {
        let disk = SimDisk::with_rules(old.clone(), rules);
        let store = open(&disk, restless()).unwrap();
        let before = read(&store.state).unwrap();
        assert!(before.len() > 500);
        let more = ("new.cpu".to_owned(), 1, 0.5);
        runtime.block_on(put(&store, std::slice::from_ref(&more))).unwrap();
        runtime.block_on(within(store.close()));
        let after = [&before[..], std::slice::from_ref(&more)].concat();
        for moment in 0..=disk.operations() {
            for mut survival in survivals(moment as u64) {
                let image = disk.image(moment, &mut survival);
                let version = version(&image);
                assert!((1..=FORMAT_VERSION).contains(&version));
                if version < FORMAT_VERSION {
                    assert!(!has_new_files(&image, old), "{rules:?}\n{}", disk.around(moment));
                }
                let left = SimDisk::with_rules(image, rules);
                let found = read(&recovered(&left, restless()).unwrap().state).unwrap();
                assert!(found == before || found == after, "{rules:?}\n{}", disk.around(moment));
            }
        }
        assert_eq!(version(&disk.visible()), FORMAT_VERSION);
    }
}

/// Chunks of format 1 have no summary and no last value until a merge gives them one.
#[tokio::test]
async fn a_merge_brings_parts_of_format_1_to_the_present_one() {
    let disk = SimDisk::new(format_1("part"));
    let Recovered { state, .. } = recovered(&disk, restless()).unwrap();
    let before = read(&state).unwrap();
    let parts = Arc::clone(&state.memory().parts);
    let last_values = |parts: &[Arc<Part>]| -> Vec<_> {
        let entries = parts.iter().flat_map(|part| part.table().iter());
        entries.map(|entry| entry.last_value.get()).collect()
    };
    assert_eq!(last_values(&parts), [None, None]);
    compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
    assert_eq!(read(&state).unwrap(), before);
    let parts = Arc::clone(&state.memory().parts);
    assert_eq!(last_values(&parts), [Some(0.25), Some(3.0)]);
}

/// What the log of format 2 says, also of points that were replaced or taken back later.
fn rows_of_log() -> Vec<Row> {
    let row = |key: &str, timestamp, value| (key.to_owned(), timestamp, value);
    vec![
        row("palm.cpu", 1_150_864_247, 23.7),
        row("palm.cpu", 1_150_864_247, 2.0),
        row("palm.cpu", 1_150_864_248, 0.5),
        row("eardrum.cpu", 1_150_864_250, 3.0),
    ]
}

#[test]
fn a_damaged_log_of_format_2_costs_one_record() {
    let image = released("format-2", "log");
    let name = "log-000000000001";
    let recover = |image: Image| {
        let disk = SimDisk::new(image);
        logged(|| read_what_is_left(&recovered(&disk, restless()).unwrap().state))
    };
    let (whole, log) = recover(image.clone());
    assert_eq!((&whole[..], log.as_str()), (&rows_of_log()[2..], ""));
    for damage in all_damages(image[name].len()) {
        let (found, log) = recover(damage::damaged(&image, name, damage));
        assert!(found.iter().all(|row| rows_of_log().contains(row)), "{damage:?}: {found:?}");
        match damage {
            // The header.
            Damage::Flip(..16) => {
                assert_eq!(found, whole, "{damage:?}");
                assert!(log.contains("16 bytes at 0 are not a record"), "{damage:?}: {log}");
            }
            // Records of names that stand there once more.
            Damage::Flip(at) if at < 0x36 || (0x60..0xaf).contains(&at) => {
                assert_eq!(found, whole, "{damage:?}");
            }
            Damage::Flip(_) => assert!(!log.is_empty(), "{damage:?}"),
            Damage::Byte(..) | Damage::Cut(_) | Damage::Gone => {}
        }
    }
}

/// The first sector is gone, as from a disk with one bad place: what follows is read in a directory that
/// was of format 2 until now.
#[test]
fn a_log_of_format_2_without_its_beginning_is_read_on() {
    let mut image = released("format-2", "log");
    image.get_mut("log-000000000001").unwrap()[..0x60].fill(0);
    let disk = SimDisk::new(image);
    let (found, log) = logged(|| read_what_is_left(&recovered(&disk, restless()).unwrap().state));
    assert_eq!(found, rows_of_log()[2..]);
    assert!(log.contains("log-000000000001 is damaged"), "{log}");
}

/// A bit of the header says another format than the footer.
#[test]
fn a_part_of_format_2_with_a_damaged_header_keeps_its_deletions() {
    let image = released("format-2", "deletes");
    let whole = read(&recovered(&SimDisk::new(image.clone()), restless()).unwrap().state).unwrap();
    let names = damage::names(&image, |name| matches!(name, FileName::Part(_)));
    for name in &names {
        for at in (0..8).map(Damage::Flip).chain([Damage::Byte(4, 0)]) {
            let disk = SimDisk::new(damage::damaged(&image, name, at));
            let state = recovered(&disk, restless()).unwrap().state;
            assert_eq!(read(&state).unwrap(), whole, "{name}, {at:?}");
        }
    }
}

/// The index of format 2 does not say once more what the block says.
#[test]
fn what_a_damaged_part_of_format_2_may_have_deleted_is_refused() {
    let image = released("format-2", "deletes");
    let name = damage::names(&image, |name| matches!(name, FileName::Part(_))).remove(1);
    let block =
        image[&name].windows(4).position(|bytes| bytes == [0x9e, b'D', b'e', b'l']).unwrap();
    let disk = SimDisk::new(damage::damaged(&image, &name, Damage::Flip(block + 6)));
    let (state, log) = logged(|| recovered(&disk, restless()).unwrap().state);
    assert!(log.contains("deleted points may come back"), "{log}");
    let answers = answers(&Arc::new(state), &[Query::all()]);
    assert!(matches!(answers[0], Err(ReadError::Damaged(_))), "{answers:?}");
}
