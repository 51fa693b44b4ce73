//! Directories of format 1 under this server: their files are read beside new ones, and no crash
//! leaves a new file in a directory that an older server would open.

use std::path::Path;

use super::crash::survivals;
use super::sim_disk::Rules;
use super::*;
use crate::store::local::file_name::{FORMAT, FORMAT_PREFIX, FORMAT_VERSION, FileName};
use crate::store::local::part::Part;

/// What a released server of format 1 has written, from `tests/data/format-1`.
pub fn format_1(name: &str) -> Image {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1").join(name);
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
    text.strip_prefix(FORMAT_PREFIX).unwrap().trim_end().parse().unwrap()
}

/// Whether there is a segment or part that the older server did not write.
fn has_new_files(image: &Image, old: &Image) -> bool {
    image.keys().any(|name| {
        let kind = FileName::parse(name.trim_end_matches(".tmp"));
        matches!(kind, FileName::Part(_) | FileName::Segment(_)) && !old.contains_key(name)
    })
}

#[test]
fn a_crash_leaves_no_new_file_in_a_directory_of_format_1() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for rules in Rules::ALL {
        let old = format_1("mixed");
        let disk = SimDisk::with_rules(old.clone(), rules);
        let store = open(&disk, restless()).unwrap();
        let before = read(&store.state).unwrap();
        assert!(before.len() > 800);
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
                    assert!(!has_new_files(&image, &old), "{rules:?}\n{}", disk.around(moment));
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
        let entries = parts.iter().flat_map(|part| part.entries());
        entries.map(|entry| entry.last_value.get()).collect()
    };
    assert_eq!(last_values(&parts), [None, None]);
    compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
    assert_eq!(read(&state).unwrap(), before);
    let parts = Arc::clone(&state.memory().parts);
    assert_eq!(last_values(&parts), [Some(0.25), Some(3.0)]);
}
