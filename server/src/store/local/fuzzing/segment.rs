//! A segment of the log.

use super::input::Input;
use super::start::{config, start};
use crate::store::local::file_name::FileName;
use crate::store::local::series::loss::{Extent, Loss};
use crate::store::local::sim_disk::{Image, SimDisk};
use crate::store::local::wal::entries::SegmentEntry;
use crate::store::local::wal::header::RecordKind;
use crate::store::local::wal::header::checksums::{SegmentRepair, mend_segment};
use crate::store::local::wal::record;
use crate::store::local::wal::segment::{self, SegmentFile};
use crate::store::query::{Query, Window};

/// The choices of the input for a segment.
pub fn repair(input: &mut Input<'_>) -> SegmentRepair {
    let [first, second, mark, lengths, counts, chain, ..] = input.bits();
    SegmentRepair {
        kept: [first, second, mark],
        fits_lengths: lengths,
        counts,
        keeps_chain: chain,
        kept_record: usize::from(input.byte()).checked_sub(1).unwrap_or(usize::MAX),
    }
}

/// Reads three bytes of choices and a segment: its entries follow each other, and a start takes it.
///
/// # Panics
/// When that does not hold.
pub fn read_segment(input: &[u8]) {
    let mut input = Input::new(input);
    let repair = repair(&mut input);
    let choice = input.byte();
    let mut bytes = input.rest().to_vec();
    mend_segment(&mut bytes, 1, &repair);
    let length = bytes.len() as u64;
    let disk = SimDisk::new(Image::from([(FileName::Segment(1).to_string(), bytes)]));
    if let Ok(file) = SegmentFile::open(&disk, 1) {
        let mut entries = file.entries();
        let mut end = 0;
        while let Ok(Some(entry)) = entries.next_entry() {
            let offset = match entry {
                SegmentEntry::Bad { offset, length, .. } => {
                    assert!(length > 0, "an entry at {offset} has no bytes");
                    offset
                }
                SegmentEntry::Record { offset, kind, payload, .. } => {
                    read_record(kind, payload);
                    offset
                }
            };
            assert!(offset >= end && offset < length, "an entry at {offset}, behind {end}");
            end = offset + 1;
        }
        assert!(entries.sound_end() <= length.max(file.begin()), "a record ends behind its file");
    }
    segment::is_damaged(&disk, 1);
    let losses = [Loss { extent: Extent::of(1, (0, i64::MAX)), unnamed: None }];
    segment::has_any_of(&disk, 1, &losses.into_iter().collect());
    if let Some(started) = start(&disk, config(None)) {
        drop(started.answer(Query::all()));
        started.ask(choice, Window { from: 0, to: 1 << 40 });
        started.move_on();
        drop(started.answer(Query::all()));
    }
}

fn read_record(kind: RecordKind, payload: &[u8]) {
    match kind {
        RecordKind::Points => {
            let points: Option<Vec<_>> = record::decode_points(payload).collect();
            let Some(points) = points else { return };
            let mut records = Vec::new();
            record::append_points(&points, &mut records);
            let header = crate::store::local::wal::header::RecordHeader::LENGTH;
            let read: Option<Vec<_>> =
                record::decode_points(records.get(header..).unwrap_or_default()).collect();
            let bits = |points: Vec<crate::store::local::series::series_point::SeriesPoint>| {
                let bits = points.into_iter();
                bits.map(|of| (of.series, of.point.timestamp, of.point.value.to_bits()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(read.map(bits), Some(bits(points)));
        }
        RecordKind::Series => record::decode_series(payload).for_each(drop),
        RecordKind::Deletes => record::decode_deletes(payload).for_each(drop),
    }
}
