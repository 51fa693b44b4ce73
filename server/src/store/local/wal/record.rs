//! The bytes of the records in a segment: batches, each checked on its own.
//!
//! Every segment can be read without any other: it defines each series that it mentions, and does
//! so in two records, so that one bad byte costs at most one record.

use std::io;

use memchr::memmem;
use shared::{Key, KeyBuf, Point};
use zerocopy::{FromBytes, IntoBytes};

use super::header::{RECORD_MAGIC, RecordHeader, RecordKind, SegmentHeader};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::Window;
use crate::store::local::file_name::SegmentId;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::{SeriesPoint, SeriesWindow};
use crate::store::local::varint;
use crate::store::query;

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
        offset: u64,
        /// How many they are.
        length: u64,
    },
}

/// Most points in a record; more are several records. The length of a record fits its field by far
/// then, and a record fits into the memory of every machine.
const MAX_RECORD_POINTS: usize = 1 << 20;

/// Most series in a record, for the same reason.
const MAX_RECORD_SERIES: usize = 1 << 14;

/// Most stretches in a record of deletes, for the same reason.
const MAX_RECORD_DELETES: usize = 1 << 18;

/// Appends the records of points, without sequence numbers.
pub fn append_points(points: &[SeriesPoint], out: &mut Vec<u8>) {
    for points in points.chunks(MAX_RECORD_POINTS) {
        append(RecordKind::Points, out, |out| encode_points(points, out));
    }
}

/// Appends the records that define series, without sequence numbers.
pub fn append_series(series: &[(SeriesId, KeyBuf)], out: &mut Vec<u8>) {
    for series in series.chunks(MAX_RECORD_SERIES) {
        append(RecordKind::Series, out, |out| {
            for (id, key) in series {
                encode_series(*id, key.as_key(), out);
            }
        });
    }
}

/// Appends the records that take points back, without sequence numbers.
pub fn append_deletes(deletes: &[SeriesWindow], out: &mut Vec<u8>) {
    for deletes in deletes.chunks(MAX_RECORD_DELETES) {
        append(RecordKind::Deletes, out, |out| encode_deletes(deletes, out));
    }
}

/// Appends a record with the payload that `encode` appends.
fn append(kind: RecordKind, out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.resize(start + RecordHeader::LENGTH, 0);
    encode(out);
    let (header, payload) = out[start..].split_at_mut(RecordHeader::LENGTH);
    header.copy_from_slice(RecordHeader::new(kind, payload).as_bytes());
}

/// Writes sequence numbers from `next` on and the header checksums into records; they are then
/// complete. Answers the number that follows.
pub fn number(mut records: &mut [u8], mut next: u64) -> u64 {
    while let Ok((header, rest)) = RecordHeader::mut_from_prefix(records) {
        header.set_sequence(next);
        next += 1;
        let length = usize::try_from(header.payload_length()).unwrap_or(usize::MAX);
        records = rest.get_mut(length..).unwrap_or_default();
    }
    next
}

/// Appends the points of a [`RecordKind::Points`] record: each series id and timestamp as the
/// difference to the point before, then the value.
fn encode_points(points: &[SeriesPoint], out: &mut Vec<u8>) {
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

/// Appends the stretches of a [`RecordKind::Deletes`] record: each series id as the difference to
/// the one before, then the first timestamp, then how far the last one is from it.
fn encode_deletes(deletes: &[SeriesWindow], out: &mut Vec<u8>) {
    let mut series = 0_i64;
    for SeriesWindow { series: id, window } in deletes {
        let id = i64::from(*id);
        varint::encode_signed(id - series, out);
        varint::encode_signed(window.from, out);
        varint::encode(window.to.abs_diff(window.from), out);
        series = id;
    }
}

/// Reads the stretches of a record; `None` for one that is not as [`encode_deletes`] writes it.
pub fn decode_deletes(mut payload: &[u8]) -> impl Iterator<Item = Option<SeriesWindow>> {
    let mut series = 0_i64;
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let delete = (|| {
            series = series.checked_add(varint::decode_signed(&mut payload)?)?;
            let from = varint::decode_signed(&mut payload)?;
            let to = from.checked_add_unsigned(varint::decode(&mut payload)?)?;
            let series = SeriesId::try_from(series).ok()?;
            Some(SeriesWindow { series, window: query::Window { from, to } })
        })();
        if delete.is_none() {
            payload = &[];
        }
        Some(delete)
    })
}

/// Appends one definition of a [`RecordKind::Series`] record.
fn encode_series(id: SeriesId, key: Key<'_>, out: &mut Vec<u8>) {
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

/// Walks over a segment of any length, a record at a time. What is damaged is named and stepped
/// over.
#[derive(Debug)]
pub struct SegmentEntries<'f> {
    window: Window<'f>,
    id: SegmentId,
    /// Place of the next entry.
    at: u64,
}

impl<'f> SegmentEntries<'f> {
    /// The entries of a segment of `length` bytes.
    pub fn new(file: &'f dyn DiskFile, length: u64, id: SegmentId) -> Self {
        Self { window: Window::new(file, length), id, at: 0 }
    }

    /// The next entry, or `None` at the end.
    ///
    /// # Errors
    /// When the file can't be read, or a record does not fit into memory.
    pub fn next_entry(&mut self) -> io::Result<Option<SegmentEntry<'_>>> {
        let length = self.window.length();
        if self.at == 0 && length > 0 {
            self.at = length.min(SegmentHeader::LENGTH as u64);
            let header = SegmentHeader::new(self.id);
            if !self.window.get(0, self.at)?.starts_with(header.as_bytes()) {
                return Ok(Some(SegmentEntry::Bad { offset: 0, length: self.at }));
            }
        }
        if self.at >= length {
            return Ok(None);
        }
        let offset = self.at;
        if let Some(found) = self.record_at(offset)? {
            self.at = found.end();
            let Found { kind, sequence, payload, length } = found;
            let bytes = self.window.get(payload, length as u64)?;
            let payload = bytes.get(..length).unwrap_or_default();
            return Ok(Some(SegmentEntry::Record { kind, sequence, payload }));
        }
        self.at = self.next_record(offset + 1)?.unwrap_or(length);
        Ok(Some(SegmentEntry::Bad { offset, length: self.at - offset }))
    }

    /// The next place from `from` on where a whole record stands.
    fn next_record(&mut self, mut from: u64) -> io::Result<Option<u64>> {
        let magic = memmem::Finder::new(&RECORD_MAGIC);
        while let Some(place) = self.window.find(from, &magic)? {
            if self.record_at(place)?.is_some() {
                return Ok(Some(place));
            }
            from = place + 1;
        }
        Ok(None)
    }

    /// The record that stands at `place`, which is in the window then; `None` when there is none
    /// or a checksum is wrong.
    fn record_at(&mut self, place: u64) -> io::Result<Option<Found>> {
        let begin = self.window.get(place, RecordHeader::LENGTH as u64)?;
        let Some((header, _)) = RecordHeader::decode(begin) else { return Ok(None) };
        let length = RecordHeader::LENGTH as u64 + u64::from(header.payload_length());
        if length > self.window.length() - place {
            return Ok(None);
        }
        let whole = self.window.get(place, length)?;
        Ok(RecordHeader::decode(whole).and_then(|(header, rest)| {
            Some(Found {
                kind: header.kind()?,
                sequence: header.sequence(),
                payload: place + RecordHeader::LENGTH as u64,
                length: header.payload(rest)?.len(),
            })
        }))
    }
}

/// A record in a segment whose checksums are right.
struct Found {
    kind: RecordKind,
    sequence: u64,
    /// Place of the payload in the file.
    payload: u64,
    /// Length of the payload.
    length: usize,
}

impl Found {
    /// Place of what follows it.
    fn end(&self) -> u64 {
        self.payload + self.length as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::local::disk::window::SparseFile;

    fn record(rows: &[SeriesPoint], sequence: u64) -> Vec<u8> {
        let mut record = Vec::new();
        append_points(rows, &mut record);
        assert_eq!(number(&mut record, sequence), sequence + 1);
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
    fn read(file: &[u8]) -> (Vec<Numbered>, Vec<(u64, u64)>) {
        let file = SparseFile::whole(file);
        read_all(SegmentEntries::new(&file, file.length, 7))
    }

    fn read_all(mut entries: SegmentEntries<'_>) -> (Vec<Numbered>, Vec<(u64, u64)>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        while let Some(entry) = entries.next_entry().unwrap() {
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

    #[test]
    fn a_large_batch_is_several_records() {
        let row = |timestamp| SeriesPoint { series: 1, point: Point { timestamp, value: 0.5 } };
        let rows: Vec<_> = (0..).map(row).take(MAX_RECORD_POINTS + 1).collect();
        let mut file = SegmentHeader::new(7).as_bytes().to_vec();
        append_points(&rows, &mut file);
        assert_eq!(number(&mut file[SegmentHeader::LENGTH..], 3), 5);
        let (good, bad) = read(&file);
        let (head, tail) = rows.split_at(MAX_RECORD_POINTS);
        assert!(good == [(3, head.to_vec()), (4, tail.to_vec())] && bad.is_empty());
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
            let (start, end) = (bad[0].0, bad[0].0 + bad[0].1);
            prop_assert!((start..end).contains(&(place as u64)));
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
                let end = SegmentHeader::LENGTH + good.iter().map(|(sequence, rows)| record(rows, *sequence).len()).sum::<usize>();
                let torn = if cut == 0 { vec![] } else if cut < SegmentHeader::LENGTH { vec![(0, cut as u64)] } else if cut > end { vec![(end as u64, (cut - end) as u64)] } else { vec![] };
                prop_assert_eq!(bad, torn);
            }
        }

        #[test]
        fn records_beyond_4_gib_are_found_and_damage_has_its_place(
            (before, after) in (rows(), rows()),
            damage in 1..2000u64,
        ) {
            let begin = 5 << 30;
            let (first, last) = (record(&before, 8), record(&after, 9));
            let place = begin + first.len() as u64 + damage;
            let file = SparseFile {
                length: place + last.len() as u64,
                stretches: vec![(begin, first), (place, last)],
            };
            let mut entries = SegmentEntries::new(&file, file.length, 7);
            entries.at = begin;
            let (good, bad) = read_all(entries);
            prop_assert_eq!(good, [(8, before), (9, after)]);
            prop_assert_eq!(bad, [(place - damage, damage)]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
            decode_points(&bytes).for_each(drop);
            decode_series(&bytes).for_each(drop);
        }
    }
}
