//! The random number of a file that enters its checksums.

use std::io;

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::disk::Disk;

/// The random number of a segment or a part. It enters all checksums of the file, so that no bytes
/// that a client has chosen, such as a value or a key, pass for a record or a chunk, wherever a damage
/// or a cut makes a reader look for one. The CRCs are taken as they are and combined with it by
/// exclusive or: a payload can be summed before it is known to which file it goes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Salt {
    of_headers: U32,
    of_bodies: U32,
}

impl Salt {
    /// Of files of formats 1 and 2, which have none.
    pub const NONE: Self = Self { of_headers: U32::ZERO, of_bodies: U32::ZERO };

    /// A new salt.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn draw(disk: &dyn Disk) -> io::Result<Self> {
        let random = disk.random()?;
        // Not that of a file without one.
        let bytes = if random == 0 { u64::MAX } else { random }.to_le_bytes();
        Ok(Self::read_from_bytes(&bytes).unwrap_or(Self::NONE))
    }

    /// The checksum of a header.
    pub fn header_checksum(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c(bytes) ^ self.of_headers.get()
    }

    /// The checksum of what stands behind a header.
    pub fn body_checksum(self, bytes: &[u8]) -> u32 {
        self.with_crc(crc32c::crc32c(bytes))
    }

    /// The checksum of what has this CRC32C and stands behind a header.
    pub fn with_crc(self, crc: u32) -> u32 {
        crc ^ self.of_bodies.get()
    }
}
