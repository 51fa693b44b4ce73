//! The bytes of the records in a segment: batches, each checked on its own.
//!
//! Every segment can be read without any other: it defines each series that it mentions, and does
//! so in two records, so that one bad byte costs at most one record.

use memchr::memmem;
use shared::{Key, Point};
use zerocopy::{FromBytes, IntoBytes};

use super::header::{RECORD_MAGIC, RecordHeader, RecordKind, SegmentHeader};
use crate::store::local::file_name::SegmentId;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::SeriesPoint;
use crate::store::local::varint;

/// What was found in a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum SegmentEntry<'a> {
    /// A record whose checksums are right.
    Record {
        /// What it holds.
        kind: RecordKind,
        /// Counts the records of a store, without a gap.
        sequence: u64,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Bytes that are no record. At the end of the file they are the torn tail of a write that
    /// was never acknowledged; anywhere else they are damage.
    Bad {
        /// Where they begin.
        offset: usize,
        /// How many they are.
        length: usize,
    },
}

/// Begins a record in an empty buffer; the payload follows, then [`seal`].
pub fn begin(out: &mut Vec<u8>) {
    out.clear();
    out.resize(RecordHeader::LENGTH, 0);
}

/// Writes kind, length and payload checksum into the header of a record.
pub fn seal(record: &mut [u8], kind: RecordKind) {
    let (header, payload) = record.split_at_mut(RecordHeader::LENGTH);
    header.copy_from_slice(RecordHeader::new(kind, payload).as_bytes());
}

/// Writes the sequence number and the header checksum; the record is then complete.
pub fn number(record: &mut [u8], sequence: u64) {
    if let Ok((header, _)) = RecordHeader::mut_from_prefix(record) {
        header.set_sequence(sequence);
    }
}

/// Appends the points of a [`RecordKind::Points`] record: each series id and timestamp as the
/// difference to the point before, then the value.
pub fn encode_points(points: &[SeriesPoint], out: &mut Vec<u8>) {
    let (mut series, mut timestamp) = (0_i64, 0_i64);
    for SeriesPoint { series: id, point } in points {
        let id = i64::from(*id);
        varint::encode_signed(id - series, out);
        varint::encode_signed(point.timestamp.wrapping_sub(timestamp), out);
        out.extend_from_slice(&point.value.to_le_bytes());
        (series, timestamp) = (id, point.timestamp);
    }
}

/// Reads the points of a record; `None` for a point that is not as [`encode_points`] writes it.
pub fn decode_points(mut payload: &[u8]) -> impl Iterator<Item = Option<SeriesPoint>> {
    let (mut series, mut timestamp) = (0_i64, 0_i64);
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let point = (|| {
            series = series.checked_add(varint::decode_signed(&mut payload)?)?;
            timestamp = timestamp.wrapping_add(varint::decode_signed(&mut payload)?);
            let (value, rest) = payload.split_first_chunk()?;
            payload = rest;
            let point = Point { timestamp, value: f64::from_le_bytes(*value) };
            Some(SeriesPoint { series: SeriesId::try_from(series).ok()?, point })
        })();
        if point.is_none() {
            payload = &[];
        }
        Some(point)
    })
}

/// Appends one definition of a [`RecordKind::Series`] record.
pub fn encode_series(id: SeriesId, key: Key<'_>, out: &mut Vec<u8>) {
    varint::encode(u64::from(id), out);
    varint::encode(key.as_bytes().len() as u64, out);
    out.extend_from_slice(key.as_bytes());
}

/// Reads the definitions of a record; `None` for one that is not as [`encode_series`] writes it.
pub fn decode_series(mut payload: &[u8]) -> impl Iterator<Item = Option<(SeriesId, Key<'_>)>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let definition = (|| {
            let id = SeriesId::try_from(varint::decode(&mut payload)?).ok()?;
            let length = usize::try_from(varint::decode(&mut payload)?).ok()?;
            let (key, rest) = payload.split_at_checked(length)?;
            payload = rest;
            Some((id, Key::from_bytes(key).ok()?))
        })();
        if definition.is_none() {
            payload = &[];
        }
        Some(definition)
    })
}

/// Walks over a whole segment. What is damaged is named and stepped over.
pub fn entries(file: &[u8], id: SegmentId) -> impl Iterator<Item = SegmentEntry<'_>> {
    let mut at = 0;
    let mut begun = false;
    std::iter::from_fn(move || {
        if !std::mem::replace(&mut begun, true) {
            at = file.len().min(SegmentHeader::LENGTH);
            if !file.is_empty() && !file.starts_with(SegmentHeader::new(id).as_bytes()) {
                return Some(SegmentEntry::Bad { offset: 0, length: at });
            }
        }
        if at == file.len() {
            return None;
        }
        let rest = &file[at..];
        if let Some((entry, length)) = parse(rest) {
            at += length;
            return Some(entry);
        }
        // The next place where a whole record stands, if there is one.
        let length = memmem::find_iter(&rest[1..], &RECORD_MAGIC)
            .map(|found| found + 1)
            .find(|&found| parse(&rest[found..]).is_some())
            .unwrap_or(rest.len());
        let bad = SegmentEntry::Bad { offset: at, length };
        at += length;
        Some(bad)
    })
}

/// The record at the front of `bytes` and its whole length.
fn parse(bytes: &[u8]) -> Option<(SegmentEntry<'_>, usize)> {
    let (header, rest) = RecordHeader::decode(bytes)?;
    let kind = header.kind()?;
    let payload = header.payload(rest)?;
    let entry = SegmentEntry::Record { kind, sequence: header.sequence(), payload };
    Some((entry, RecordHeader::LENGTH + payload.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(rows: &[SeriesPoint], sequence: u64) -> Vec<u8> {
        let mut record = Vec::new();
        begin(&mut record);
        encode_points(rows, &mut record);
        seal(&mut record, RecordKind::Points);
        number(&mut record, sequence);
        record
    }

    fn rows() -> impl Strategy<Value = Vec<SeriesPoint>> {
        let row = (any::<u32>(), any::<i64>(), -1e6..1e6).prop_map(|(series, timestamp, value)| {
            SeriesPoint { series, point: Point { timestamp, value } }
        });
        prop::collection::vec(row, 1..20)
    }

    type Numbered = (u64, Vec<SeriesPoint>);

    /// The good records of a file and the bad stretches in it.
    fn read(file: &[u8]) -> (Vec<Numbered>, Vec<(usize, usize)>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for entry in entries(file, 7) {
            match entry {
                SegmentEntry::Record { sequence, payload, .. } => {
                    good.push((sequence, decode_points(payload).map(Option::unwrap).collect()));
                }
                SegmentEntry::Bad { offset, length } => bad.push((offset, length)),
            }
        }
        (good, bad)
    }

    fn file(batches: &[Vec<SeriesPoint>]) -> Vec<u8> {
        let mut file = SegmentHeader::new(7).as_bytes().to_vec();
        for (sequence, rows) in batches.iter().enumerate() {
            file.extend(record(rows, sequence as u64));
        }
        file
    }

    proptest! {
        #[test]
        fn one_bad_byte_costs_one_record(
            batches in prop::collection::vec(rows(), 1..6),
            place in any::<prop::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let mut file = file(&batches);
            let whole = read(&file);
            prop_assert_eq!(&whole.0, &batches.iter().cloned().enumerate().map(|(at, rows)| (at as u64, rows)).collect::<Vec<_>>());
            prop_assert!(whole.1.is_empty());
            let place = place.index(file.len());
            file[place] ^= flip;
            let (good, bad) = read(&file);
            prop_assert_eq!(bad.len(), 1);
            prop_assert!(bad[0].0 <= place && place < bad[0].0 + bad[0].1);
            let lost = usize::from(place >= SegmentHeader::LENGTH);
            prop_assert_eq!(good.len(), batches.len() - lost);
            prop_assert!(good.iter().all(|one| whole.0.contains(one)));
        }

        #[test]
        fn a_cut_file_keeps_what_is_whole(batches in prop::collection::vec(rows(), 1..5)) {
            let whole = file(&batches);
            let (all, _) = read(&whole);
            for cut in 0..=whole.len() {
                let (good, bad) = read(&whole[..cut]);
                prop_assert!(all.starts_with(&good));
                let end: usize = SegmentHeader::LENGTH + good.iter().map(|(sequence, rows)| record(rows, *sequence).len()).sum::<usize>();
                let torn = if cut == 0 { vec![] } else if cut < SegmentHeader::LENGTH { vec![(0, cut)] } else if cut > end { vec![(end, cut - end)] } else { vec![] };
                prop_assert_eq!(bad, torn);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            entries(&bytes, 7).for_each(drop);
            decode_points(&bytes).for_each(drop);
            decode_series(&bytes).for_each(drop);
        }
    }
}
