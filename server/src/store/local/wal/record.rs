//! The bytes of the records in a segment: batches, each checked on its own.
//!
//! Every segment can be read without any other: it defines each series that it mentions, and does
//! so in two records, so that one bad byte costs at most one record.

use shared::{Key, KeyBuf, Point};
use zerocopy::{FromBytes, IntoBytes};

use super::header::{Group, RecordHeader, RecordKind};
use crate::store::local::series::loss::Extent;
use crate::store::local::series::series_index::{EVERY_SERIES, SeriesId};
use crate::store::local::series::series_point::{SeriesPoint, SeriesWindow};
use crate::store::local::varint;
use crate::store::query;

/// Most points in a record; more are several records. The length of a record fits its field by far
/// then, and a record fits into the memory of every machine.
pub const MAX_RECORD_POINTS: usize = 1 << 20;

/// Most series in a record, for the same reason.
const MAX_RECORD_SERIES: usize = 1 << 14;

/// Most stretches in a record of deletes, for the same reason.
const MAX_RECORD_DELETES: usize = 1 << 18;

/// Appends the records of points, which belong to no segment yet; see [`complete`].
pub fn append_points(points: &[SeriesPoint], out: &mut Vec<u8>) {
    for points in points.chunks(MAX_RECORD_POINTS) {
        append(RecordKind::Points, out, |out| encode_points(points, out));
    }
}

/// Appends the records that define series, which belong to no segment yet.
pub fn append_series(series: &[(SeriesId, KeyBuf)], out: &mut Vec<u8>) {
    for series in series.chunks(MAX_RECORD_SERIES) {
        append(RecordKind::Series, out, |out| {
            for (id, key) in series {
                encode_series(*id, key.as_key(), out);
            }
            Extent::EMPTY
        });
    }
}

/// Appends the records that take points back, which belong to no segment yet.
pub fn append_deletes(deletes: &[SeriesWindow], out: &mut Vec<u8>) {
    for deletes in deletes.chunks(MAX_RECORD_DELETES) {
        append(RecordKind::Deletes, out, |out| encode_deletes(deletes, out));
    }
}

/// Appends a record with the payload that `encode` appends, which answers what it is about.
fn append(kind: RecordKind, out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>) -> Extent) {
    let start = out.len();
    out.resize(start + RecordHeader::LENGTH, 0);
    let extent = encode(out);
    let (header, payload) = out[start..].split_at_mut(RecordHeader::LENGTH);
    header.copy_from_slice(RecordHeader::new(kind, payload, &extent).as_bytes());
}

/// How far the records of a log have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// The number of the next record.
    pub next_sequence: u64,
    /// The checksum that the next record names.
    pub checksum: u32,
    /// What the records of the segment are about.
    pub extent: Extent,
}

/// Makes records those of a group that is written behind `before`. Done once.
pub fn complete(mut records: &mut [u8], group: &Group, before: ChainEnd) -> ChainEnd {
    let ChainEnd { mut next_sequence, mut checksum, mut extent } = before;
    while let Ok((header, rest)) = RecordHeader::mut_from_prefix(records) {
        checksum = header.complete(group, next_sequence, checksum, &extent);
        extent.extend(&header.extent());
        next_sequence += 1;
        let length = usize::try_from(header.payload_length()).unwrap_or(usize::MAX);
        records = rest.get_mut(length..).unwrap_or_default();
    }
    ChainEnd { next_sequence, checksum, extent }
}

/// Appends the points of a [`RecordKind::Points`] record: each series id and timestamp as the
/// difference to the point before, then the value. Answers what they are about.
fn encode_points(points: &[SeriesPoint], out: &mut Vec<u8>) -> Extent {
    let (mut series, mut timestamp) = (0_i64, 0_i64);
    let mut extent = Extent::EMPTY;
    for SeriesPoint { series: id, point } in points {
        extent.add(*id, (point.timestamp, point.timestamp));
        let id = i64::from(*id);
        varint::encode_signed(id - series, out);
        varint::encode_signed(point.timestamp.wrapping_sub(timestamp), out);
        out.extend_from_slice(&point.value.to_le_bytes());
        (series, timestamp) = (id, point.timestamp);
    }
    extent
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
/// the one before, then the first timestamp, then how far the last one is from it. Answers what they are
/// about.
fn encode_deletes(deletes: &[SeriesWindow], out: &mut Vec<u8>) -> Extent {
    let mut series = 0_i64;
    let mut extent = Extent::EMPTY;
    for SeriesWindow { series: id, window } in deletes {
        // That of every series ends losses: without it they are there again.
        if *id != EVERY_SERIES {
            extent.add(*id, (window.from, window.to));
        }
        let id = i64::from(*id);
        varint::encode_signed(id - series, out);
        varint::encode_signed(window.from, out);
        varint::encode(window.to.abs_diff(window.from), out);
        series = id;
    }
    extent
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
