//! The structures of fixed width in a part, byte for byte as FORMAT.md describes them.

#[cfg(any(test, fuzzing))]
pub mod checksums;

use std::mem::{offset_of, size_of};

use shared::Point;
use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::store::local::salt::Salt;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::summary::Summary;

/// Begins a part of format 3 and later.
const FILE_MAGIC: [u8; 4] = [0x9e, b'P', b'r', b't'];

/// Begins a part of format 3 that says what was lost of the files that it replaces.
const FILE_MAGIC_OF_LOSSES: [u8; 4] = [0x9e, b'P', b'r', b'x'];

/// The format of the parts that are written.
const VERSION: u32 = 3;

/// Ends a part of format 3.
const END_MAGIC: [u8; 4] = [0x9e, b'E', b'n', b'd'];

/// Begins a part of formats 1 and 2, and ends one of format 1.
const FILE_MAGIC_V1: [u8; 4] = *b"MPRT";

/// Ends a part of format 2.
const END_MAGIC_V2: [u8; 4] = *b"MPR2";

/// Begins a chunk; the search for chunks looks for it when the index is bad.
pub const CHUNK_MAGIC: [u8; 4] = [0x9e, b'C', b'h', b'k'];

/// Longest chunk in bytes. The most points, none of them like another, take 128 KiB; the longest key
/// and what `pco` adds are small to that.
pub const MAX_CHUNK_LENGTH: u32 = 1 << 20;

/// Fewest points of a chunk that has a summary in the index. Fewer are unpacked in no time, and a
/// summary takes up to 58 bytes.
pub const MIN_SUMMARY_POINTS: usize = 256;

/// The beginning of a part.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct FileHeader {
    magic: [u8; 4],
    version: U32,
    salt: Salt,
    /// CRC32C of the fields before, without the salt. A later format keeps all of this header.
    checksum: U32,
}

impl FileHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// Length of the header of a part of formats 1 and 2.
    pub const LENGTH_V1: usize = 8;

    /// The header of a part, which says whether there are any losses.
    pub fn new(salt: Salt, has_losses: bool) -> Self {
        let magic = if has_losses { FILE_MAGIC_OF_LOSSES } else { FILE_MAGIC };
        let version = VERSION.into();
        let mut header = Self { magic, version, salt, checksum: U32::ZERO };
        header.checksum = header.sum().into();
        header
    }

    /// The header at the front of `bytes`, of any format from 3 on; `None` when it is damaged.
    fn decode_any(bytes: &[u8]) -> Option<&Self> {
        let (header, _) = Self::ref_from_prefix(bytes).ok()?;
        let is_known = matches!(header.magic, FILE_MAGIC | FILE_MAGIC_OF_LOSSES);
        (is_known && header.checksum == header.sum()).then_some(header)
    }

    /// Whether the part that begins with these bytes may say what was lost of the files that it replaces.
    pub fn may_have_losses(bytes: &[u8]) -> bool {
        match FileKind::of(bytes) {
            FileKind::V1 | FileKind::V2 => false,
            FileKind::Salted(_) => bytes.starts_with(&FILE_MAGIC_OF_LOSSES),
            FileKind::Unknown => true,
        }
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// What the header of a part says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// It is of format 1.
    V1,
    /// It is of format 2.
    V2,
    /// It is of format 3, with this salt.
    Salted(Salt),
    /// The header is damaged.
    Unknown,
}

impl FileKind {
    /// What these bytes at the front of a part say.
    pub fn of(bytes: &[u8]) -> Self {
        let of_version = |version: u8| [FILE_MAGIC_V1, [version, 0, 0, 0]].concat();
        match FileHeader::decode_any(bytes) {
            Some(header) if header.version == VERSION => Self::Salted(header.salt),
            _ if bytes.starts_with(&of_version(0)) => Self::V1,
            _ if bytes.starts_with(&of_version(2)) => Self::V2,
            _ => Self::Unknown,
        }
    }
}

/// The format of the part that begins with these bytes, as a sound header says it: also the version of
/// a format that is not known yet.
pub fn part_version(bytes: &[u8]) -> Option<u32> {
    match FileKind::of(bytes) {
        FileKind::V1 => Some(1),
        FileKind::V2 => Some(2),
        FileKind::Salted(_) | FileKind::Unknown => {
            FileHeader::decode_any(bytes).map(|header| header.version.get())
        }
    }
}

/// Where a chunk is and what it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

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
    /// Of the fields before.
    checksum: U32,
    /// Of the key and the points.
    body_checksum: U32,
}

impl ChunkEntry {
    /// No chunk; any may come behind it.
    pub const NONE: Self = Self {
        series: 0,
        count: 0,
        first: 0,
        last: 0,
        offset: 0,
        length: 0,
        last_value: LastValue::UNKNOWN,
    };

    /// Whether it can stand behind another one in a part, and is no longer than a chunk may be.
    pub fn can_follow(&self, before: &Self) -> bool {
        let end_before = before.offset.checked_add(before.length.into());
        self.series >= before.series
            && self.length <= MAX_CHUNK_LENGTH
            && end_before.is_some_and(|end| end <= self.offset)
            && self.offset.checked_add(self.length.into()).is_some()
    }

    /// The last point, when it is not later than `to` and known without reading.
    pub fn known_last(&self, to: i64) -> Option<Point> {
        let value = self.last_value.get().filter(|_| self.last <= to)?;
        Some(Point { timestamp: self.last, value })
    }

    /// Whether it has enough points to have a summary in the index.
    pub fn is_large(&self) -> bool {
        self.count as usize >= MIN_SUMMARY_POINTS
    }

    /// Sets what the index says of the values, and answers the summary; `points` are those of the chunk.
    pub fn summarize(&mut self, points: &[Point]) -> Option<Summary> {
        if let Some(last) = points.last() {
            self.last_value = last.value.into();
        }
        if self.is_large() { Summary::of(points).and_then(Summary::for_index) } else { None }
    }
}

impl ChunkHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of a chunk; `body` is the key, `key_length` bytes, and the packed points.
    pub fn new(entry: &ChunkEntry, key_length: usize, body: &[u8], salt: Salt) -> Self {
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
            body_checksum: salt.body_checksum(body).into(),
        };
        header.checksum = header.sum(salt).into();
        header
    }

    /// The header at the front of `bytes`; `None` when magic or checksum are wrong.
    pub fn decode(bytes: &[u8], salt: Salt) -> Option<&Self> {
        let (header, _) = Self::ref_from_prefix(bytes).ok()?;
        let sound = header.magic == CHUNK_MAGIC && header.checksum == header.sum(salt);
        sound.then_some(header)
    }

    /// Header, key and packed points of a whole chunk; `None` when any checksum is wrong.
    pub fn decode_chunk(chunk: &[u8], salt: Salt) -> Option<(&Self, &[u8], &[u8])> {
        let header = Self::decode(chunk, salt)?;
        let body = &chunk[Self::LENGTH..];
        if header.body_checksum != salt.body_checksum(body) {
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
        }
    }

    fn sum(&self, salt: Salt) -> u32 {
        salt.header_checksum(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// Where the index of a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexPlace {
    /// Place of the block of deletes; `None` in format 1.
    pub deletes_offset: Option<u64>,
    /// Place of the index; it follows the block of deletes.
    pub index_offset: u64,
    /// Place of its end, where the footer begins.
    pub end: u64,
    /// The checksum of the index.
    pub checksum: u32,
    /// That of the part.
    pub salt: Salt,
}

impl IndexPlace {
    /// That of a part of format 1.
    fn unsalted(index_offset: u64, end: u64, checksum: u32) -> Self {
        Self { deletes_offset: None, index_offset, end, checksum, salt: Salt::NONE }
    }

    /// Bytes at the end of a part that are looked at.
    pub const FOOTER_LENGTH: usize = size_of::<Footer>();

    /// What the footer says of a part of `size` bytes which ends in `tail` and whose header says `kind`;
    /// `None` when it is damaged, or not that of this part: where a part was cut off, a client may have
    /// written what would pass for a footer.
    pub fn find(kind: FileKind, tail: &[u8], size: u64) -> Option<Self> {
        let salted = || Footer::place(tail, size);
        let unsalted = || FooterV2::place(tail, size).or_else(|| FooterV1::place(tail, size));
        let found = match kind {
            FileKind::Salted(salt) => salted().filter(|place| place.salt == salt),
            // Their headers have no check.
            FileKind::V1 | FileKind::V2 => unsalted(),
            FileKind::Unknown => salted().or_else(unsalted),
        }?;
        let begin = found.deletes_offset.unwrap_or(found.index_offset);
        let is_ordered = begin <= found.index_offset && found.index_offset <= found.end;
        is_ordered.then_some(found)
    }

    /// Whether the header of a part says the same as its footer.
    pub fn agrees_with(&self, kind: FileKind) -> bool {
        match kind {
            FileKind::V1 => self.deletes_offset.is_none(),
            FileKind::V2 => self.deletes_offset.is_some(),
            FileKind::Salted(_) => true,
            FileKind::Unknown => false,
        }
    }
}

/// The end of a part; it says where the index is.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Footer {
    deletes_offset: U64,
    index_offset: U64,
    /// The same as in the header.
    salt: Salt,
    index_checksum: U32,
    /// Of the fields before.
    checksum: U32,
    magic: [u8; 4],
}

impl Footer {
    /// The footer of a part whose deletes and index stand at these places.
    pub fn new(deletes_offset: u64, index_offset: u64, index: &[u8], salt: Salt) -> Self {
        let mut footer = Self {
            deletes_offset: deletes_offset.into(),
            index_offset: index_offset.into(),
            salt,
            index_checksum: salt.body_checksum(index).into(),
            checksum: U32::ZERO,
            magic: END_MAGIC,
        };
        footer.checksum = footer.sum().into();
        footer
    }

    fn place(tail: &[u8], size: u64) -> Option<IndexPlace> {
        let (_, footer) = Self::ref_from_suffix(tail).ok()?;
        let is_sound = footer.magic == END_MAGIC && footer.checksum == footer.sum();
        let end = size.checked_sub(size_of::<Self>() as u64).filter(|_| is_sound)?;
        Some(IndexPlace {
            deletes_offset: Some(footer.deletes_offset.get()),
            index_offset: footer.index_offset.get(),
            end,
            checksum: footer.index_checksum.get(),
            salt: footer.salt,
        })
    }

    fn sum(&self) -> u32 {
        self.salt.header_checksum(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// The end of a part of format 2.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FooterV2 {
    deletes_offset: U64,
    index_offset: U64,
    index_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
    magic: [u8; 4],
}

impl FooterV2 {
    fn place(tail: &[u8], size: u64) -> Option<IndexPlace> {
        let (_, footer) = Self::ref_from_suffix(tail).ok()?;
        let fields = &footer.as_bytes()[..offset_of!(Self, checksum)];
        let is_sound = footer.magic == END_MAGIC_V2 && footer.checksum == crc32c::crc32c(fields);
        let end = size.checked_sub(size_of::<Self>() as u64).filter(|_| is_sound)?;
        let deletes_offset = Some(footer.deletes_offset.get());
        let (index_offset, checksum) = (footer.index_offset.get(), footer.index_checksum.get());
        Some(IndexPlace { deletes_offset, ..IndexPlace::unsalted(index_offset, end, checksum) })
    }
}

/// The end of a part of format 1.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FooterV1 {
    index_offset: U64,
    index_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
    magic: [u8; 4],
}

impl FooterV1 {
    fn place(tail: &[u8], size: u64) -> Option<IndexPlace> {
        let (_, footer) = Self::ref_from_suffix(tail).ok()?;
        let fields = &footer.as_bytes()[..offset_of!(Self, checksum)];
        let is_sound = footer.magic == FILE_MAGIC_V1 && footer.checksum == crc32c::crc32c(fields);
        let end = size.checked_sub(size_of::<Self>() as u64).filter(|_| is_sound)?;
        let (index_offset, checksum) = (footer.index_offset.get(), footer.index_checksum.get());
        Some(IndexPlace::unsalted(index_offset, end, checksum))
    }
}
