//! Reading the chunks of a part from the first one to the last, many with one call.

use std::sync::Arc;

use super::Part;
use super::chunk_source::ChunkSource;
use super::header::ChunkEntry;
use crate::store::ReadError;
use crate::store::local::series::run::Run;

/// Bytes that are read at once, and more where a chunk has more. Few in tests, so that not all chunks
/// are read at once.
const READ_SIZE: u64 = if cfg!(test) { 1024 } else { 256 * 1024 };

/// Reads chunks of a part; keeps what was read last.
#[derive(Debug)]
pub struct SequentialReader {
    part: Arc<Part>,
    /// Place of the bytes in the part.
    start: u64,
    bytes: Vec<u8>,
}

impl SequentialReader {
    /// A reader of a part; nothing is read yet.
    pub fn new(part: &Arc<Part>) -> Self {
        Self { part: Arc::clone(part), start: 0, bytes: Vec::new() }
    }

    /// The points of a chunk of the part.
    ///
    /// # Errors
    /// When the chunk is damaged or can't be read.
    pub fn open(&mut self, chunk: &ChunkSource) -> Result<Run, ReadError> {
        let entry = chunk.entry();
        if self.bytes_of(entry).is_none() {
            self.read(entry);
        }
        match self.bytes_of(entry) {
            Some(bytes) => self.part.points_of(bytes, chunk.at, entry),
            // What is not readable may be none of what is wanted.
            None => self.part.read_chunk(chunk.at, entry),
        }
    }

    /// The bytes of a chunk, if they are here.
    fn bytes_of(&self, entry: &ChunkEntry) -> Option<&[u8]> {
        let start = usize::try_from(entry.offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(start..)?.get(..entry.length as usize)
    }

    /// Reads a chunk and those behind it, or nothing.
    fn read(&mut self, entry: &ChunkEntry) {
        let left = self.part.size.saturating_sub(entry.offset);
        let length = READ_SIZE.max(entry.length.into()).min(left);
        self.start = entry.offset;
        self.bytes.resize(usize::try_from(length).unwrap_or_default(), 0);
        if self.part.file.read_exact_at(&mut self.bytes, entry.offset).is_err() {
            self.bytes.clear();
        }
    }
}
