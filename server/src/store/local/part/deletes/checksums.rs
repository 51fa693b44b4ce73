//! Right checksums in a block that is none of a store's, so that fuzzing gets behind them.

use memchr::memmem;
use zerocopy::FromBytes;

use super::{BlockHeader, MAGIC};
use crate::store::local::salt::Salt;

/// Where the last block of a part begins, and where it ends, as it says itself.
pub fn find_block(part: &[u8]) -> Option<(usize, usize)> {
    let start = memmem::rfind(part, &MAGIC)?;
    let (header, body) = BlockHeader::ref_from_prefix(&part[start..]).ok()?;
    let length = usize::try_from(header.length.get()).unwrap_or(usize::MAX);
    Some((start, start + BlockHeader::LENGTH + length.min(body.len())))
}

/// Makes the checksums of a block right, and its length if that is asked for.
pub fn mend_block(block: &mut [u8], salt: Salt, fits_length: bool) {
    let Ok((header, body)) = BlockHeader::mut_from_prefix(block) else { return };
    if fits_length {
        header.length = (body.len() as u64).into();
    }
    header.body_checksum = salt.body_checksum(body).into();
    header.checksum = header.sum(salt).into();
}
