//! The structures of fixed width in a part, byte for byte as FORMAT.md describes them.

use std::mem::{offset_of, size_of};

use shared::Point;
use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::summary::Summary;

/// Begins a part, and ends one of format 1.
const FILE_MAGIC: [u8; 4] = *b"MPRT";

/// What the header of a part of this format says.
const VERSION: u32 = 2;

/// Ends a part of format 2.
const END_MAGIC: [u8; 4] = *b"MPR2";

/// Begins a chunk; the search for chunks looks for it when the index is bad.
pub const CHUNK_MAGIC: [u8; 4] = [0x9e, b'C', b'h', b'k'];

/// Longest chunk in bytes. The most points, none of them like another, take 128 KiB; the longest key
/// and what `pco` adds are small to that.
pub const MAX_CHUNK_LENGTH: u32 = 1 << 20;

/// Fewest points of a chunk that has a summary in the index. Fewer are unpacked in no time, and a
/// summary takes up to 58 bytes.
pub const MIN_SUMMARY_POINTS: usize = 256;

/// The beginning of a part.
#[derive(Debug, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub struct FileHeader {
    magic: [u8; 4],
    /// 2; 0 in format 1.
    version: U32,
}

impl FileHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of every part.
    pub fn new() -> Self {
        Self { magic: FILE_MAGIC, version: VERSION.into() }
    }

    /// Whether this is the header of a part of format 1.
    pub fn is_version_1(bytes: &[u8]) -> bool {
        let header = [FILE_MAGIC, [0; 4]];
        bytes.get(..Self::LENGTH) == Some(header.as_flattened())
    }
}

/// Where a chunk is and what it holds. Many parts have a chunk of few points for each of many series,
/// so it is kept small: 56 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkEntry {
    /// The series of the points.
    pub series: SeriesId,
    /// Number of points.
    pub count: u32,
    /// First timestamp.
    pub first: i64,
    /// Last timestamp.
    pub last: i64,
    /// Place in the file.
    pub offset: u64,
    /// Length in bytes, header included.
    pub length: u32,
    /// The value of the last point.
    pub last_value: LastValue,
    /// The aggregates of the points, of a chunk with enough of them to be worth it.
    pub summary: Option<Box<Summary>>,
}

// A million chunks of a point each are no rare part.
const _: () = assert!(size_of::<ChunkEntry>() <= 56);

/// The value of the last point of a chunk, if it is known: an index of format 1 does not have it.
#[derive(Debug, Clone, Copy)]
pub struct LastValue(f64);

impl LastValue {
    /// Nothing but the chunk has it.
    pub const UNKNOWN: Self = Self(f64::NAN);

    /// The value; `None` when it is not known.
    pub fn get(self) -> Option<f64> {
        // All values are finite.
        self.0.is_finite().then_some(self.0)
    }
}

impl From<f64> for LastValue {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl PartialEq for LastValue {
    fn eq(&self, other: &Self) -> bool {
        self.get().map(f64::to_bits) == other.get().map(f64::to_bits)
    }
}

/// The beginning of a chunk. The key and the packed points follow.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ChunkHeader {
    magic: [u8; 4],
    length: U32,
    series: U32,
    count: U32,
    first: I64,
    last: I64,
    key_length: U16,
    /// CRC32C of the fields before.
    checksum: U32,
    /// CRC32C of the key and the points.
    body_checksum: U32,
}

impl ChunkEntry {
    /// The last point, when it is not later than `to` and known without reading.
    pub fn known_last(&self, to: i64) -> Option<Point> {
        let value = self.last_value.get().filter(|_| self.last <= to)?;
        Some(Point { timestamp: self.last, value })
    }

    /// Sets what the index says of the values; `points` are those of the chunk.
    pub fn summarize(&mut self, points: &[Point]) {
        if let Some(last) = points.last() {
            self.last_value = last.value.into();
        }
        if points.len() >= MIN_SUMMARY_POINTS {
            self.summary = Summary::of(points).and_then(Summary::for_index).map(Box::new);
        }
    }
}

impl ChunkHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of a chunk; `body` is the key, `key_length` bytes, and the packed points.
    pub fn new(entry: &ChunkEntry, key_length: usize, body: &[u8]) -> Self {
        let mut header = Self {
            magic: CHUNK_MAGIC,
            length: entry.length.into(),
            series: entry.series.into(),
            count: entry.count.into(),
            first: entry.first.into(),
            last: entry.last.into(),
            // A key has at most 1,024 bytes.
            key_length: u16::try_from(key_length).unwrap_or(u16::MAX).into(),
            checksum: U32::ZERO,
            body_checksum: crc32c::crc32c(body).into(),
        };
        header.checksum = header.sum().into();
        header
    }

    /// The header at the front of `bytes`; `None` when magic or checksum are wrong.
    pub fn decode(bytes: &[u8]) -> Option<&Self> {
        let (header, _) = Self::ref_from_prefix(bytes).ok()?;
        let sound = header.magic == CHUNK_MAGIC && header.checksum == header.sum();
        sound.then_some(header)
    }

    /// Header, key and packed points of a whole chunk; `None` when any checksum is wrong.
    pub fn decode_chunk(chunk: &[u8]) -> Option<(&Self, &[u8], &[u8])> {
        let header = Self::decode(chunk)?;
        let body = &chunk[Self::LENGTH..];
        if header.body_checksum != crc32c::crc32c(body) {
            return None;
        }
        let (key, points) = body.split_at_checked(usize::from(header.key_length.get()))?;
        Some((header, key, points))
    }

    /// Whether this is the chunk that an index names.
    pub fn matches(&self, entry: &ChunkEntry) -> bool {
        let chunk = (self.series.get(), self.count.get(), self.first.get(), self.last.get());
        chunk == (entry.series, entry.count, entry.first, entry.last)
            && self.length.get() == entry.length
    }

    /// The entry of the chunk when it stands at `offset`, without what only its values say.
    pub fn entry(&self, offset: u64) -> ChunkEntry {
        ChunkEntry {
            series: self.series.get(),
            count: self.count.get(),
            first: self.first.get(),
            last: self.last.get(),
            offset,
            length: self.length.get(),
            last_value: LastValue::UNKNOWN,
            summary: None,
        }
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// The end of a part; it says where the index is.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Footer {
    deletes_offset: U64,
    index_offset: U64,
    index_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
    magic: [u8; 4],
}

impl Footer {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The footer of a part whose deletes and index stand at these places.
    pub fn new(deletes_offset: u64, index_offset: u64, index: &[u8]) -> Self {
        let mut footer = Self {
            deletes_offset: deletes_offset.into(),
            index_offset: index_offset.into(),
            index_checksum: crc32c::crc32c(index).into(),
            checksum: U32::ZERO,
            magic: END_MAGIC,
        };
        footer.checksum = footer.sum().into();
        footer
    }

    /// The footer at the end of `bytes`; `None` when magic or checksum are wrong.
    pub fn decode(bytes: &[u8]) -> Option<&Self> {
        let (_, footer) = Self::ref_from_suffix(bytes).ok()?;
        (footer.magic == END_MAGIC && footer.checksum == footer.sum()).then_some(footer)
    }

    /// Place of the block of deletes in the file; the index follows it.
    pub fn deletes_offset(&self) -> u64 {
        self.deletes_offset.get()
    }

    /// Place of the index in the file.
    pub fn index_offset(&self) -> u64 {
        self.index_offset.get()
    }

    /// Whether the checksum of the index is right.
    pub fn matches(&self, index: &[u8]) -> bool {
        self.index_checksum == crc32c::crc32c(index)
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// The end of a part of format 1.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct FooterV1 {
    index_offset: U64,
    index_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
    magic: [u8; 4],
}

impl FooterV1 {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The footer at the end of `bytes`; `None` when magic or checksum are wrong.
    pub fn decode(bytes: &[u8]) -> Option<&Self> {
        let (_, footer) = Self::ref_from_suffix(bytes).ok()?;
        (footer.magic == FILE_MAGIC && footer.checksum == footer.sum()).then_some(footer)
    }

    /// Place of the index in the file.
    pub fn index_offset(&self) -> u64 {
        self.index_offset.get()
    }

    /// Whether the checksum of the index is right.
    pub fn matches(&self, index: &[u8]) -> bool {
        self.index_checksum == crc32c::crc32c(index)
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}
