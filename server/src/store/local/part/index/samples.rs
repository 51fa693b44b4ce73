//! Indexes for the tests of each format.

use proptest::prelude::*;
use proptest::sample::Index;
use shared::{KeyBuf, Point};

use super::{PartIndex, PartKeys, end_of};
use crate::store::local::part::chunk_table::ChunkTableBuilder;
use crate::store::local::part::header::{ChunkEntry, FileHeader, MAX_CHUNK_LENGTH};
use crate::store::local::salt::Salt;
use crate::store::local::series::series_index::SeriesId;

/// Series with chunks of a few points and of many, some of whose sums are too large.
pub fn index() -> impl Strategy<Value = PartIndex> {
    let value = prop_oneof![
        (-1000..1000i32).prop_map(|cents| f64::from(cents) / 100.0),
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
    ];
    let points = prop_oneof![1..4usize, 250..260usize, 8192..8193usize];
    let chunk = (points, value.clone(), value, 0..1000u64, 1..MAX_CHUNK_LENGTH);
    let series = (0..1000u32, prop::collection::vec(chunk, 1..4));
    prop::collection::vec(series, 0..8).prop_map(|series| {
        let (mut index, mut table) = (PartIndex::new(Salt::NONE), ChunkTableBuilder::default());
        let (mut id, mut offset) = (0, FileHeader::LENGTH as u64);
        for (more, chunks) in series {
            id += more;
            if index.keys.last_series().is_some_and(|before| before == id) {
                id += 1;
            }
            index.keys.push(id, format!("host{id}.cpu").parse::<KeyBuf>().unwrap().as_key());
            let mut timestamp = -5000;
            for (count, value, other, gap, length) in chunks {
                let points: Vec<_> = (timestamp..)
                    .take(count)
                    .map(|timestamp| {
                        let value = if timestamp % 3 == 0 { other } else { value };
                        Point { timestamp, value }
                    })
                    .collect();
                let mut entry = ChunkEntry {
                    series: id,
                    count: u32::try_from(count).unwrap(),
                    first: timestamp,
                    last: points[count - 1].timestamp,
                    offset: offset + gap,
                    length,
                    last_value: 0.0.into(),
                };
                let summary = entry.summarize(&points);
                (timestamp, offset) = (entry.last + 1, entry.offset + u64::from(length));
                table.push(entry, summary);
            }
        }
        index.chunks = table.build();
        index.block.end = end_of(&index.chunks);
        index
    })
}

/// Whether two indexes say the same of chunks and keys.
pub fn is_same(a: &PartIndex, b: &PartIndex) -> bool {
    let is_same = a.chunks.iter().eq(b.chunks.iter()) && a.keys.is_same(&b.keys);
    is_same && a.chunks.summaries().eq(b.chunks.summaries()) && a.block.end == b.block.end
}

/// The keys of the series below an id.
pub fn keys_below(end: SeriesId) -> PartKeys {
    let mut keys = PartKeys::default();
    for id in 0..end {
        keys.push(id, format!("host{id}.cpu").parse::<KeyBuf>().unwrap().as_key());
    }
    keys
}

/// Some bytes that are written over others.
pub fn damage() -> impl Strategy<Value = Vec<(Index, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 1..4)
}

/// What damage leaves of some bytes, of which there is at least one.
pub fn damaged(mut bytes: Vec<u8>, damage: Vec<(Index, u8)>) -> Vec<u8> {
    for (at, byte) in damage {
        let at = at.index(bytes.len());
        bytes[at] = byte;
    }
    bytes
}
