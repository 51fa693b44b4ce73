//! The structures of fixed width in a segment, byte for byte as FORMAT.md describes them.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::store::local::file_name::SegmentId;

/// Begins a segment.
const SEGMENT_MAGIC: [u8; 4] = *b"MLOG";

/// Begins a record; the search for the next record after a damaged one looks for it.
pub const RECORD_MAGIC: [u8; 4] = [0x9e, b'R', b'e', b'c'];

/// The beginning of a segment.
#[derive(Debug, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub struct SegmentHeader {
    magic: [u8; 4],
    id: U64,
    /// CRC32C of the fields before.
    checksum: U32,
}

impl SegmentHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of a segment.
    pub fn new(id: SegmentId) -> Self {
        let mut header = Self { magic: SEGMENT_MAGIC, id: id.into(), checksum: U32::ZERO };
        let checksum = crc32c::crc32c(&header.as_bytes()[..offset_of!(Self, checksum)]);
        header.checksum = checksum.into();
        header
    }
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

/// The beginning of a record. The payload follows.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct RecordHeader {
    magic: [u8; 4],
    kind: u8,
    zero: [u8; 3],
    payload_length: U32,
    sequence: U64,
    payload_checksum: U32,
    /// CRC32C of the fields before.
    checksum: U32,
}

impl RecordHeader {
    /// Length in bytes.
    pub const LENGTH: usize = size_of::<Self>();

    /// The header of a record that has no sequence number yet.
    pub fn new(kind: RecordKind, payload: &[u8]) -> Self {
        Self {
            magic: RECORD_MAGIC,
            kind: kind as u8,
            zero: [0; 3],
            // [`super::record::append_points`] and its like bound it.
            payload_length: u32::try_from(payload.len()).unwrap_or(u32::MAX).into(),
            sequence: U64::ZERO,
            payload_checksum: crc32c::crc32c(payload).into(),
            checksum: U32::ZERO,
        }
    }

    /// Sets the sequence number and the checksum; the header is then complete.
    pub fn set_sequence(&mut self, sequence: u64) {
        self.sequence = sequence.into();
        self.checksum = self.sum().into();
    }

    /// The header at the front of `bytes` and what follows it; `None` when magic or checksum are
    /// wrong.
    pub fn decode(bytes: &[u8]) -> Option<(&Self, &[u8])> {
        let (header, rest) = Self::ref_from_prefix(bytes).ok()?;
        let sound = header.magic == RECORD_MAGIC && header.checksum == header.sum();
        sound.then_some((header, rest))
    }

    /// Length of the payload in bytes.
    pub fn payload_length(&self) -> u32 {
        self.payload_length.get()
    }

    /// The payload at the front of `rest`; `None` when it is cut off or its checksum is wrong.
    pub fn payload<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let payload = rest.get(..usize::try_from(self.payload_length.get()).ok()?)?;
        (self.payload_checksum == crc32c::crc32c(payload)).then_some(payload)
    }

    /// What the record holds; `None` for a kind that this format does not have.
    pub fn kind(&self) -> Option<RecordKind> {
        match self.kind {
            1 => Some(RecordKind::Points),
            2 => Some(RecordKind::Series),
            3 => Some(RecordKind::Deletes),
            _ => None,
        }
    }

    /// The number of the record.
    pub fn sequence(&self) -> u64 {
        self.sequence.get()
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}
