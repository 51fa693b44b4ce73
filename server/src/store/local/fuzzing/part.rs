//! A part.

use super::input::Input;
use super::start::{config, start};
use crate::store::local::disk::Disk;
use crate::store::local::file_name::FileName;
use crate::store::local::part::chunk_table::Cursor;
use crate::store::local::part::header::checksums::{PartRepair, mend_part};
use crate::store::local::part::index::PartIndex;
use crate::store::local::part::{OpenedPart, Part};
use crate::store::local::sim_disk::{Image, SimDisk};
use crate::store::query::{Query, Window};

/// The choices of the input for a part.
pub fn repair(input: &mut Input<'_>) -> PartRepair {
    let bits = input.bits();
    PartRepair {
        keeps_header: bits[0],
        keeps_footer: bits[1],
        keeps_index: bits[2],
        keeps_block: bits[3],
        fits_lengths: bits[4],
        fits_offsets: bits[5],
        has_one_salt: !bits[6],
        kept_chunk: usize::from(input.byte()).checked_sub(1).unwrap_or(usize::MAX),
    }
}

/// Reads three bytes of choices and a part: with its index and without, chunk by chunk, and in a start.
///
/// # Panics
/// When the chunks of an index that was made anew are not in the file.
pub fn read_part(input: &[u8]) {
    let mut input = Input::new(input);
    let repair = repair(&mut input);
    let choice = input.byte();
    let mut bytes = input.rest().to_vec();
    mend_part(&mut bytes, &repair);
    let size = bytes.len() as u64;
    let name = FileName::Part(1..=1).to_string();
    let disk = SimDisk::new(Image::from([(name.clone(), bytes)]));
    if let Ok(file) = disk.open(&name)
        && let Ok(Some(found)) = PartIndex::rebuild(&*file, size)
    {
        let ends = found.chunks.iter().map(|entry| entry.offset + u64::from(entry.length));
        assert!(ends.max().is_none_or(|end| end <= size), "a chunk ends behind its file");
    }
    if let Ok(OpenedPart { mut part, keys, .. }) = Part::open(&disk, 1..=1) {
        keys.for_each(|_, _| ());
        part.is_sound();
        part.failed_chunks();
        part.bound_losses(&part.extent());
        if let Some(series) = part.table().last().map(|entry| entry.series) {
            let mut cursor = Cursor::default();
            part.last_begun(&mut cursor, series, 1 << 40);
            part.give_up(&[series].into());
        }
    }
    if let Some(started) = start(&disk, config(None)) {
        drop(started.answer(Query::all()));
        started.ask(choice, Window { from: 0, to: 1 << 40 });
        started.move_on();
        drop(started.answer(Query::all()));
    }
}
