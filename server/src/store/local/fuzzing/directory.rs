//! A whole data directory.

use std::sync::Arc;
use std::time::Duration;

use super::input::Input;
use super::small_files::mend_text;
use super::sound::sound;
use super::start::{config, start};
use super::{part, segment};
use crate::store::local::file_name::FileName;
use crate::store::local::maintenance::{check_disk, repair_disk};
use crate::store::local::part::header::checksums::mend_part;
use crate::store::local::sim_disk::{Image, SimDisk};
use crate::store::local::wal::header::checksums::mend_segment;
use crate::store::query::{Query, Window};

/// Most changes of a directory.
const MAX_CHANGES: usize = 12;

/// Opens a sound directory after changes that the input chooses, reads it, and moves its points on into
/// one part. `check` finds what a `get` is refused for. As long as the input mends no checksums, nothing that
/// was never put appears, nothing becomes another answer on the way, and after `repair` no `get` is refused:
/// of files that spell two series of one key, some still is, until what they have is deleted.
///
/// # Panics
/// When any of it does not hold.
pub fn open_directory(input: &[u8]) {
    let mut input = Input::new(input);
    let made = &sound()[input.below(sound().len())];
    let [is_forged, has_retention, ..] = input.bits();
    let choice = input.byte();
    let mut damage = Damage { image: made.image.clone(), unreadable: Vec::new() };
    for _ in 0..MAX_CHANGES {
        if input.is_empty() {
            break;
        }
        damage.add(&mut input, is_forged);
    }
    if is_forged {
        mend(&mut damage.image);
    }
    let retention = (is_forged && has_retention).then(|| Duration::from_secs(86_400));
    let disk = damage.disk();
    let Some(started) = start(&disk, config(retention)) else { return };
    let found = started.answer(Query::all());
    if let (false, Some(put), Ok(rows)) = (is_forged, &made.rows, &found) {
        let never = rows.iter().find(|row| !put.contains(row));
        assert!(never.is_none(), "never put: {never:?}");
    }
    started.ask(choice, Window { from: 1_150_864_300, to: 1_150_864_400 });
    let is_moved = started.move_on();
    let moved = started.answer(Query::all());
    if let (false, true, Ok(found)) = (is_forged, is_moved, &found) {
        assert_eq!(moved.as_ref(), Ok(found), "moved on");
    }
    drop(started);
    if let Some(again) = start(&disk, config(retention)) {
        let moved_found = again.answer(Query::all());
        if let (false, true, Ok(found)) = (is_forged, is_moved, &found) {
            assert_eq!(moved_found.as_ref(), Ok(found), "started again");
        }
    }
    if damage.unreadable.is_empty() && retention.is_none() {
        let checked = check_disk(Arc::new(damage.disk()), config(None));
        assert!(found.is_ok() || checked.is_ok_and(|damages| !damages.is_empty()), "not checked");
        let disk = damage.disk();
        if repair_disk(Arc::new(disk.clone())).is_ok() {
            let started = start(&disk, config(None));
            let answer = started.map(|started| started.answer(Query::all()));
            assert!(is_forged || matches!(answer, Some(Ok(_))), "after a repair: {answer:?}");
        }
    }
}

/// Numbers of segments.
const NUMBERS: [u64; 16] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 120, 999_999_999_999, 1 << 40, 1 << 63, u64::MAX - 1, u64::MAX];

/// A directory that is changed.
struct Damage {
    image: Image,
    /// Names, and places in them that can't be read.
    unreadable: Vec<(String, usize)>,
}

impl Damage {
    fn disk(&self) -> SimDisk {
        let disk = SimDisk::new(self.image.clone());
        if !self.unreadable.is_empty() {
            let unreadable = self.unreadable.clone();
            disk.on_read(move |name, from, to| {
                unreadable.iter().any(|(of, place)| of == name && (from..to).contains(place))
            });
        }
        disk
    }

    /// Makes a change.
    fn add(&mut self, input: &mut Input<'_>, is_forged: bool) {
        let change = input.below(if is_forged { 14 } else { 10 });
        let at = input.below(self.image.len());
        let Some(name) = self.image.keys().nth(at).cloned() else {
            if is_forged {
                self.image.insert(new_name(input), input.bytes(1 << 12).to_vec());
            }
            return;
        };
        let mut bytes = self.image.get(&name).cloned().unwrap_or_default();
        let place = input.below(bytes.len());
        match change {
            0 => {
                let mut random = input.random();
                let count = 1 + input.below(40);
                for byte in bytes.iter_mut().skip(place).take(count) {
                    *byte ^= random.below(256).to_le_bytes()[0];
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << input.below(8);
                }
            }
            2 => bytes.truncate(place),
            3 => {
                self.image.remove(&name);
                // What is written under its name later lies elsewhere.
                self.unreadable.retain(|(of, _)| *of != name);
                return;
            }
            4 => bytes.clear(),
            5 => {
                self.image.insert(new_name(input), bytes.clone());
            }
            6 => {
                let count = (1 + input.below(300)).min(bytes.len() - place);
                let to = input.below(bytes.len() - count + 1);
                bytes.copy_within(place..place + count, to);
            }
            7 => {
                let end = (place + 1 + input.below(300)).min(bytes.len());
                bytes.drain(place..end);
            }
            8 => {
                self.unreadable.push((name, place));
                return;
            }
            9 => {
                let count = input.below(100);
                bytes.splice(place..place, std::iter::repeat_n(0, count));
            }
            10 => {
                let count = 1 + input.below(8);
                for (byte, new) in bytes.iter_mut().skip(place).zip(input.bytes(count)) {
                    *byte = *new;
                }
            }
            11 => {
                let count = 1 + input.below(24);
                bytes.splice(place..place, input.bytes(count).iter().copied());
            }
            12 => {
                // Over the numbers in the headers, which are as wide.
                let number = NUMBERS[input.below(NUMBERS.len())].to_le_bytes();
                for (byte, new) in bytes.iter_mut().skip(place).zip(number) {
                    *byte = new;
                }
            }
            _ => {
                let count = input.below(600);
                self.image.insert(new_name(input), input.bytes(count).to_vec());
            }
        }
        self.image.insert(name, bytes);
    }
}

fn new_name(input: &mut Input<'_>) -> String {
    let mut number = || NUMBERS[input.below(NUMBERS.len())];
    let (first, last) = (number(), number());
    let name = match input.below(8) {
        0..=2 => FileName::Segment(first).to_string(),
        3 => FileName::Part(first.min(last)..=first.max(last)).to_string(),
        4 => "FILES-COPY".to_owned(),
        5 => "FILES".to_owned(),
        6 => "FORMAT".to_owned(),
        _ => "OPTIONS".to_owned(),
    };
    match input.below(8) {
        0 => format!("{name}.tmp"),
        1 => format!("damaged-{name}"),
        _ => name,
    }
}

/// Makes checksums right wherever they look like some.
fn mend(image: &mut Image) {
    let (of_segments, of_parts) =
        (segment::repair(&mut Input::new(&[])), part::repair(&mut Input::new(&[])));
    for (name, bytes) in image {
        match FileName::parse(name) {
            FileName::Segment(id) => mend_segment(bytes, id, &of_segments),
            FileName::Part(_) => mend_part(bytes, &of_parts),
            _ => mend_text(bytes),
        }
    }
}
