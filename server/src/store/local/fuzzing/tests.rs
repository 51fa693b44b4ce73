//! The inputs that are kept, and what fuzzing has found.

use std::path::Path;

use super::sound::sound;
use super::start::{config, start};
use super::*;
use crate::store::local::file_name::{FileName, MAX_SEGMENT};
use crate::store::local::part::Part;
use crate::store::local::part::chunk_table::BLOCK_LENGTH;
use crate::store::local::sim_disk::SimDisk;
use crate::store::query::Query;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 4] = [
    ("segment", read_segment),
    ("part", read_part),
    ("small_files", read_small_files),
    ("directory", open_directory),
];

#[test]
fn what_is_kept_for_fuzzing_holds() {
    for (name, target) in TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut count = 0;
        for entry in std::fs::read_dir(&corpus).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{name}");
    }
}

/// Otherwise little would be found in what is damaged of them.
#[test]
fn directories_are_sound_before_they_are_damaged() {
    let answers = sound().iter().map(|made| {
        let started = start(&SimDisk::new(made.image.clone()), config(None)).unwrap();
        (made.image.len(), started.answer(Query::all()).map(|rows| rows.len()))
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers[0], (0, Ok(0)));
    assert_eq!(answers[1], (7, Ok(23)));
    // What was lost of it is refused.
    assert!(matches!(answers[2], (8, Err(_))), "{answers:?}");
    assert_eq!(answers[3..], [(6, Ok(3)), (4, Ok(5)), (5, Ok(290))]);
    // Of the last one, more chunks than a block of an index has.
    for name in sound()[5].image.keys().filter(|name| name.starts_with("part-")) {
        let FileName::Part(segments) = FileName::parse(name) else { panic!("{name}") };
        let opened = Part::open(&SimDisk::new(sound()[5].image.clone()), segments).unwrap();
        assert!(opened.part.table().len() > BLOCK_LENGTH, "{name}");
    }
}

/// A number without a next one stopped every start.
#[test]
fn a_segment_of_a_number_too_great_is_a_stranger() {
    for number in [MAX_SEGMENT + 1, u64::MAX - 1, u64::MAX] {
        let mut image = sound()[1].image.clone();
        let newest = image["log-000000000006"].clone();
        let name = FileName::Segment(number).to_string();
        image.insert(name.clone(), newest);
        let disk = SimDisk::new(image);
        let started = start(&disk, config(None)).unwrap();
        assert_eq!(started.answer(Query::all()).map(|rows| rows.len()), Ok(23), "{number}");
        assert!(disk.visible().contains_key(&name), "it is left alone");
    }
}

/// All numbers between were removed one by one.
#[test]
fn a_checkpoint_of_segments_far_apart_ends() {
    let mut image = sound()[3].image.clone();
    let newest = image.remove("log-000000000003").unwrap();
    image.insert(FileName::Segment(MAX_SEGMENT).to_string(), newest);
    let disk = SimDisk::new(image);
    assert!(start(&disk, config(None)).unwrap().checkpoint());
    let left = disk.visible().into_keys().filter(|name| name.starts_with("log-"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}
