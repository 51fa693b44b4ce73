//! Reading a point of each of many chunks: those that follow each other in a part with one call, and
//! of each no more than what is before its point.

use std::sync::Arc;

use shared::Point;

use super::chunk_source::ChunkSource;
use super::{Part, packed_points};
use crate::store::ReadError;
use crate::store::local::series::chunk;

/// Most bytes that are read at once for more than one chunk: some 20 chunks of 2,500 points. Few in
/// tests, so that not all chunks are read at once.
const MAX_READ: u64 = if cfg!(test) { 2048 } else { 64 * 1024 };

/// Bytes between two chunks that are read along with them, which takes as long as another call.
const MAX_GAP: u64 = if cfg!(test) { 64 } else { 4 * 1024 };

/// Reads points of chunks; keeps what was read last.
#[derive(Debug, Default)]
pub struct ChunkReader {
    part: Option<Arc<Part>>,
    /// Place of the bytes in the part.
    start: u64,
    bytes: Vec<u8>,
    /// Points that were unpacked since [`ChunkReader::take_unpacked`].
    unpacked: usize,
}

impl ChunkReader {
    /// The last point of a chunk that is not later than `to`; `None` when there is none, and when the
    /// chunk is damaged, which is not reported. Those of the `next` chunks to be asked for that are near
    /// behind it are read along.
    ///
    /// # Errors
    /// When the chunk can't be read.
    pub fn last_until<'c>(
        &mut self,
        chunk: &ChunkSource,
        to: i64,
        next: impl IntoIterator<Item = &'c ChunkSource>,
    ) -> Result<Option<Point>, ReadError> {
        if self.bytes_of(chunk).is_none() {
            self.read(chunk, next)?;
        }
        let entry = chunk.entry();
        let salt = chunk.part.salt;
        let packed = self.bytes_of(chunk).and_then(|bytes| packed_points(bytes, entry, salt));
        let found = packed
            .and_then(|packed| chunk::find_last(packed, entry.count as usize, to).ok().flatten());
        Ok(found.map(|(place, point)| {
            self.unpacked += place + 1;
            point
        }))
    }

    /// Counts points that were unpacked elsewhere.
    pub fn add_unpacked(&mut self, points: usize) {
        self.unpacked += points;
    }

    /// The number of points that were unpacked since the last call.
    pub fn take_unpacked(&mut self) -> usize {
        std::mem::take(&mut self.unpacked)
    }

    /// The bytes of a chunk, if they are here.
    fn bytes_of(&self, chunk: &ChunkSource) -> Option<&[u8]> {
        let entry = chunk.entry();
        let is_of_part = self.part.as_ref().is_some_and(|part| chunk.is_in(part));
        let start = entry.offset.checked_sub(self.start).filter(|_| is_of_part)?;
        self.bytes.get(usize::try_from(start).ok()?..)?.get(..entry.length as usize)
    }

    fn read<'c>(
        &mut self,
        chunk: &ChunkSource,
        next: impl IntoIterator<Item = &'c ChunkSource>,
    ) -> Result<(), ReadError> {
        let entry = chunk.entry();
        let alone = u64::from(entry.length);
        // From the begin of the chunk to the end of the last one that is read.
        let mut length = alone;
        for next in next.into_iter().take_while(|next| next.is_in(&chunk.part)) {
            let Some(begin) = next.entry().offset.checked_sub(entry.offset) else { break };
            let end = begin.saturating_add(next.entry().length.into());
            let gap = begin.checked_sub(length);
            if gap.is_none_or(|gap| gap > MAX_GAP) || end > MAX_READ {
                break;
            }
            length = end;
        }
        (self.part, self.start) = (None, entry.offset);
        if length > alone {
            self.resize(length);
            // What is not readable may be none of what is wanted.
            if chunk.part.file.read_exact_at(&mut self.bytes, entry.offset).is_err() {
                length = alone;
            }
        }
        if length == alone {
            self.resize(length);
            chunk.part.read_bytes(chunk.at, entry, &mut self.bytes)?;
        }
        self.part = Some(Arc::clone(&chunk.part));
        Ok(())
    }

    /// Gives the buffer a length, at most that of a chunk or [`MAX_READ`].
    fn resize(&mut self, length: u64) {
        self.bytes.resize(usize::try_from(length).unwrap_or_default(), 0);
    }
}
