//! The structures of fixed width in a segment, byte for byte as FORMAT.md describes them.

#[cfg(any(test, fuzzing))]
pub mod checksums;

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::store::local::file_name::SegmentId;
use crate::store::local::salt::Salt;
use crate::store::local::series::loss::Extent;

/// Begins a segment of format 3 and later.
const SEGMENT_MAGIC: [u8; 4] = [0x9e, b'L', b'o', b'g'];

/// Begins a segment of formats 1 and 2.
const SEGMENT_MAGIC_V2: [u8; 4] = *b"MLOG";

/// The format of the segments that are written.
const VERSION: u32 = 3;

/// Begins a record; the search for the next record after a damaged one looks for it.
const RECORD_MAGIC: [u8; 4] = [0x9e, b'R', b'e', b'3'];

/// Begins a record of formats 1 and 2.
const RECORD_MAGIC_V2: [u8; 4] = [0x9e, b'R', b'e', b'c'];

/// All records have lower numbers: there is always a next one.
pub const MAX_SEQUENCE: u64 = u64::MAX / 2;

/// The flag of a record whose group is synced before anything is written behind it.
const SYNCED_ALONE: u8 = 1;

/// An [`Extent`] on the disk.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct StoredExtent {
    first_series: U32,
    last_series: U32,
    from: I64,
    to: I64,
}

impl StoredExtent {
    const ZERO: Self =
        Self { first_series: U32::ZERO, last_series: U32::ZERO, from: I64::ZERO, to: I64::ZERO };

    fn new(extent: &Extent) -> Self {
        Self {
            first_series: extent.first_series.into(),
            last_series: extent.last_series.into(),
            from: extent.from.into(),
            to: extent.to.into(),
        }
    }

    fn get(&self) -> Extent {
        Extent {
            first_series: self.first_series.get(),
            last_series: self.last_series.get(),
            from: self.from.get(),
            to: self.to.get(),
        }
    }
}

/// What a segment says of the segment before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct PreviousSegment {
    salt: Salt,
    durable: U64,
    end: U64,
    extent: StoredExtent,
}

impl PreviousSegment {
    /// There was none, or a part holds it.
    pub const NONE: Self =
        Self { salt: Salt::NONE, durable: U64::ZERO, end: U64::ZERO, extent: StoredExtent::ZERO };

    /// A segment with this salt of which `end` bytes count, with points of these series and times. What
    /// is missing of the first `durable` bytes was lost later; behind those a crash has left holes, maybe.
    pub fn new(salt: Salt, durable: u64, end: u64, extent: &Extent) -> Self {
        let extent = StoredExtent::new(extent);
        Self { salt, durable: durable.into(), end: end.into(), extent }
    }

    /// The series and times of the points that it had, and of its deletions; `None` when that is not
    /// known.
    pub fn extent(&self) -> Option<Extent> {
        (self.salt != Salt::NONE).then(|| self.extent.get())
    }

    /// Its salt; [`Salt::NONE`] of a segment of formats 1 and 2.
    pub fn salt(&self) -> Salt {
        self.salt
    }

    /// Bytes at its front of which a crash has taken none.
    pub fn durable(&self) -> u64 {
        self.durable.get()
    }

    /// Bytes of it that count.
    pub fn end(&self) -> u64 {
        self.end.get()
    }
}

/// The beginning of a segment. It stands there twice, in sectors of their own.
#[derive(Debug, Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SegmentHeader {
    magic: [u8; 4],
    version: U32,
    id: U64,
    salt: Salt,
    first_sequence: U64,
    previous: PreviousSegment,
    /// CRC32C of the fields before, without the salt. A later format keeps all of this header.
    checksum: U32,
}

impl SegmentHeader {
    /// Length of one of the two in bytes.
    pub const COPY_LENGTH: usize = size_of::<Self>();

    /// Place of the second one: a disk may lose a sector of 512 bytes.
    pub const SECOND: usize = 512;

    /// Place of the mark, behind the second one.
    pub const MARK: usize = Self::SECOND + Self::COPY_LENGTH;

    /// Length of all that stands before the first record in bytes.
    pub const LENGTH: usize = Self::MARK + Mark::LENGTH;

    /// The header of a segment whose first record has the number `first_sequence`.
    pub fn new(id: SegmentId, salt: Salt, first_sequence: u64, previous: PreviousSegment) -> Self {
        let mut header = Self {
            magic: SEGMENT_MAGIC,
            version: VERSION.into(),
            id: id.into(),
            salt,
            first_sequence: first_sequence.into(),
            previous,
            checksum: U32::ZERO,
        };
        header.checksum = header.sum().into();
        header
    }

    /// All that stands before the first record.
    pub fn begin_file(&self) -> Vec<u8> {
        let mut bytes = self.as_bytes().to_vec();
        bytes.resize(Self::SECOND, 0);
        bytes.extend_from_slice(self.as_bytes());
        bytes.extend_from_slice(Mark::new(Self::LENGTH as u64, self.salt).as_bytes());
        bytes
    }

    /// The header at the front of `bytes` of a segment with this number, of any format from 3 on.
    fn decode_any(bytes: &[u8], id: SegmentId) -> Option<&Self> {
        let (header, _) = Self::ref_from_prefix(bytes).ok()?;
        let sound = header.magic == SEGMENT_MAGIC && header.checksum == header.sum();
        (sound && header.id == id).then_some(header)
    }

    /// The header at the front of `bytes` of a segment with this number; `None` when it is damaged, or
    /// of another format.
    pub fn decode(bytes: &[u8], id: SegmentId) -> Option<&Self> {
        let is_known = |header: &&Self| {
            header.version == VERSION && header.first_sequence.get() <= MAX_SEQUENCE
        };
        Self::decode_any(bytes, id).filter(is_known)
    }

    /// Its salt.
    pub fn salt(&self) -> Salt {
        self.salt
    }

    /// The number of the first record in the segment.
    pub fn first_sequence(&self) -> u64 {
        self.first_sequence.get()
    }

    /// What it says of the segment before; `None` when there was none in the log.
    pub fn previous(&self) -> Option<PreviousSegment> {
        (self.previous != PreviousSegment::NONE).then_some(self.previous)
    }

    /// Its checksum, which the first record names.
    pub fn checksum(&self) -> u32 {
        self.checksum.get()
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// How much of a segment was synced when the last group was written. It stands at the front of the
/// segment, where a file that is cut back still has it.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Mark {
    durable: U64,
    /// Of the field before.
    checksum: U32,
}

impl Mark {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The mark of a segment of which `durable` bytes are synced.
    pub fn new(durable: u64, salt: Salt) -> Self {
        let mut mark = Self { durable: durable.into(), checksum: U32::ZERO };
        mark.checksum = salt.header_checksum(mark.durable.as_bytes()).into();
        mark
    }

    /// How many bytes the mark at the front of `bytes` says are synced; `None` when it is damaged.
    pub fn decode(bytes: &[u8], salt: Salt) -> Option<u64> {
        let (mark, _) = Self::ref_from_prefix(bytes).ok()?;
        let is_sound = mark.checksum == salt.header_checksum(mark.durable.as_bytes());
        is_sound.then_some(mark.durable.get())
    }
}

/// The beginning of a segment of formats 1 and 2.
#[derive(Debug, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub struct SegmentHeaderV2 {
    magic: [u8; 4],
    id: U64,
    /// CRC32C of the fields before.
    checksum: U32,
}

impl SegmentHeaderV2 {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    fn new(id: SegmentId) -> Self {
        let mut header = Self { magic: SEGMENT_MAGIC_V2, id: id.into(), checksum: U32::ZERO };
        let checksum = crc32c::crc32c(&header.as_bytes()[..offset_of!(Self, checksum)]);
        header.checksum = checksum.into();
        header
    }

    /// The bytes of the header of a segment.
    pub fn bytes(id: SegmentId) -> Vec<u8> {
        Self::new(id).as_bytes().to_vec()
    }
}

/// The format of the segment that begins with these bytes, as a sound header says it: 2 for format 1,
/// too, and the version of a format that is not known yet.
pub fn segment_version(bytes: &[u8], id: SegmentId) -> Option<u32> {
    if bytes.starts_with(SegmentHeaderV2::new(id).as_bytes()) {
        return Some(2);
    }
    let second = bytes.get(SegmentHeader::SECOND..).unwrap_or_default();
    let found = [bytes, second].into_iter().find_map(|copy| SegmentHeader::decode_any(copy, id));
    found.map(|header| header.version.get())
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Points of a batch; see [`super::record::append_points`].
    Points = 1,
    /// Keys of series; see [`super::record::append_series`].
    Series = 2,
    /// Points that are taken back; see [`super::record::append_deletes`].
    Deletes = 3,
}

/// Records that are written together, and where.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// That of the segment.
    pub salt: Salt,
    /// All bytes before this place were synced before the group was written.
    pub durable: u64,
    /// Place of its end.
    pub end: u64,
    /// It is synced before anything is written behind it.
    pub synced_alone: bool,
}

/// The beginning of a record. The payload follows.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct RecordHeader {
    magic: [u8; 4],
    kind: u8,
    flags: u8,
    zero: [u8; 2],
    payload_length: U32,
    payload_checksum: U32,
    sequence: U64,
    durable: U64,
    group_end: U64,
    previous: U32,
    extent: StoredExtent,
    from_before: I64,
    to_before: I64,
    /// Of the fields before.
    checksum: U32,
}

impl RecordHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of a record that belongs to no segment yet; `extent` is what the payload is about.
    pub fn new(kind: RecordKind, payload: &[u8], extent: &Extent) -> Self {
        Self {
            magic: RECORD_MAGIC,
            kind: kind as u8,
            flags: 0,
            zero: [0; 2],
            // [`super::record::append_points`] and its like bound it.
            payload_length: u32::try_from(payload.len()).unwrap_or(u32::MAX).into(),
            // Without a salt.
            payload_checksum: crc32c::crc32c(payload).into(),
            sequence: U64::ZERO,
            durable: U64::ZERO,
            group_end: U64::ZERO,
            previous: U32::ZERO,
            extent: StoredExtent::new(extent),
            from_before: I64::ZERO,
            to_before: I64::ZERO,
            checksum: U32::ZERO,
        }
    }

    /// What the record is about.
    pub fn extent(&self) -> Extent {
        self.extent.get()
    }

    /// Makes it the header of record `sequence`, behind that with the checksum `previous`, and behind
    /// records of the segment that are about the times of `before`; answers its own checksum. Done once.
    pub fn complete(
        &mut self,
        group: &Group,
        sequence: u64,
        previous: u32,
        before: &Extent,
    ) -> u32 {
        self.flags = if group.synced_alone { SYNCED_ALONE } else { 0 };
        self.payload_checksum = group.salt.with_crc(self.payload_checksum.get()).into();
        self.sequence = sequence.into();
        self.durable = group.durable.into();
        self.group_end = group.end.into();
        self.previous = previous.into();
        (self.from_before, self.to_before) = (before.from.into(), before.to.into());
        self.checksum = self.sum(group.salt).into();
        self.checksum.get()
    }

    /// Length of the payload in bytes.
    pub fn payload_length(&self) -> u32 {
        self.payload_length.get()
    }

    fn sum(&self, salt: Salt) -> u32 {
        salt.header_checksum(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// The beginning of a record of formats 1 and 2.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RecordHeaderV2 {
    magic: [u8; 4],
    kind: u8,
    zero: [u8; 3],
    payload_length: U32,
    sequence: U64,
    payload_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
}

/// How the records of a segment are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// In formats 1 and 2.
    Unsalted,
    /// In format 3.
    Salted(Salt),
}

impl Layout {
    /// The salt of the segment.
    pub fn salt(self) -> Salt {
        match self {
            Self::Unsalted => Salt::NONE,
            Self::Salted(salt) => salt,
        }
    }

    /// Where the first record stands.
    pub fn begin(self) -> u64 {
        match self {
            Self::Unsalted => SegmentHeaderV2::LENGTH as u64,
            Self::Salted(_) => SegmentHeader::LENGTH as u64,
        }
    }

    /// What begins a record.
    pub fn magic(self) -> &'static [u8; 4] {
        match self {
            Self::Unsalted => &RECORD_MAGIC_V2,
            Self::Salted(_) => &RECORD_MAGIC,
        }
    }

    /// Length of the header of a record in bytes.
    pub fn record_header_length(self) -> u64 {
        let length = match self {
            Self::Unsalted => size_of::<RecordHeaderV2>(),
            Self::Salted(_) => RecordHeader::LENGTH,
        };
        length as u64
    }

    /// What the header of a record says that stands at the front of `bytes`; `None` when it is damaged.
    pub fn decode(self, bytes: &[u8]) -> Option<RecordStart> {
        match self {
            Self::Unsalted => {
                let (header, _) = RecordHeaderV2::ref_from_prefix(bytes).ok()?;
                let fields = &header.as_bytes()[..offset_of!(RecordHeaderV2, checksum)];
                let sound = header.magic == RECORD_MAGIC_V2
                    && header.checksum == crc32c::crc32c(fields)
                    && header.sequence.get() < MAX_SEQUENCE;
                sound.then(|| RecordStart {
                    kind: kind(header.kind),
                    sequence: header.sequence.get(),
                    payload_length: header.payload_length.get(),
                    payload_checksum: header.payload_checksum.get(),
                    group: None,
                })
            }
            Self::Salted(salt) => {
                let (header, _) = RecordHeader::ref_from_prefix(bytes).ok()?;
                let sound = header.magic == RECORD_MAGIC
                    && header.checksum == header.sum(salt)
                    && header.sequence.get() < MAX_SEQUENCE;
                sound.then(|| RecordStart {
                    kind: kind(header.kind),
                    sequence: header.sequence.get(),
                    payload_length: header.payload_length.get(),
                    payload_checksum: header.payload_checksum.get(),
                    group: Some(GroupMark {
                        durable: header.durable.get(),
                        end: header.group_end.get(),
                        synced_alone: header.flags & SYNCED_ALONE != 0,
                        previous: header.previous.get(),
                        checksum: header.checksum.get(),
                        extent: header.extent.get(),
                        times_before: (header.from_before.get(), header.to_before.get()),
                    }),
                })
            }
        }
    }
}

/// What a sound header says of its record.
#[derive(Debug, Clone, Copy)]
pub struct RecordStart {
    /// What it holds; `None` for a kind that the format does not have.
    pub kind: Option<RecordKind>,
    /// Its number.
    pub sequence: u64,
    /// Length of the payload in bytes.
    pub payload_length: u32,
    /// The checksum that the payload has to have.
    pub payload_checksum: u32,
    /// Where it stands in its group; `None` in formats 1 and 2.
    pub group: Option<GroupMark>,
}

/// What each record says of its group and of the record before it.
#[derive(Debug, Clone, Copy)]
pub struct GroupMark {
    /// All bytes before this place were synced before the group was written.
    pub durable: u64,
    /// Place of the end of the group.
    pub end: u64,
    /// The group is synced before anything is written behind it.
    pub synced_alone: bool,
    /// The checksum of the header of the record before it, or of the segment.
    pub previous: u32,
    /// The checksum of its own header.
    pub checksum: u32,
    /// What the record is about.
    pub extent: Extent,
    /// The first and the last time of what the records before it in the segment are about; the first is
    /// the greater one when there is none.
    pub times_before: (i64, i64),
}

fn kind(byte: u8) -> Option<RecordKind> {
    match byte {
        1 => Some(RecordKind::Points),
        2 => Some(RecordKind::Series),
        3 => Some(RecordKind::Deletes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_next_one_are_damage() {
        let salt = Salt::NONE;
        for (first, is_sound) in [(MAX_SEQUENCE, true), (MAX_SEQUENCE + 1, false)] {
            let header = SegmentHeader::new(1, salt, first, PreviousSegment::NONE);
            assert_eq!(SegmentHeader::decode(header.as_bytes(), 1).is_some(), is_sound, "{first}");
        }
        let group = Group { salt, durable: 0, end: 0, synced_alone: true };
        for (sequence, is_sound) in [(MAX_SEQUENCE - 1, true), (MAX_SEQUENCE, false)] {
            let mut header = RecordHeader::new(RecordKind::Points, &[], &Extent::EMPTY);
            header.complete(&group, sequence, 0, &Extent::EMPTY);
            let read = Layout::Salted(salt).decode(header.as_bytes());
            assert_eq!(read.is_some(), is_sound, "{sequence}");
        }
    }
}
