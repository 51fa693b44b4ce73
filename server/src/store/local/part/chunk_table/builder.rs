//! Packing a table while a part is written: no more than a block of it is unpacked.

use super::{ChunkTable, block};
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::series::summary::Summary;

/// A table to which chunks are added.
#[derive(Debug, Default)]
pub struct ChunkTableBuilder {
    table: ChunkTable,
    /// Those that are in no block yet.
    open: Vec<ChunkEntry>,
}

impl ChunkTableBuilder {
    /// Adds a chunk, behind those before by series and time; its summary is kept if it has enough points.
    pub fn push(&mut self, entry: ChunkEntry, summary: Option<Summary>) {
        let table = &mut self.table;
        if entry.is_large() {
            table.summaries.push((table.len, summary));
        }
        table.len += 1;
        table.points += u64::from(entry.count);
        self.open.push(entry);
        if self.open.len() == block::LEN {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        let table = &mut self.table;
        table.blocks.push(table.bytes.len());
        block::encode(&self.open, &mut table.bytes);
        table.end = table.bytes.len();
        self.open.clear();
    }

    /// Number of points in all chunks.
    pub fn points(&self) -> u64 {
        self.table.points
    }

    /// The table.
    pub fn build(mut self) -> ChunkTable {
        if !self.open.is_empty() {
            self.close_block();
        }
        self.table.bytes.shrink_to_fit();
        self.table
    }
}

impl FromIterator<(ChunkEntry, Option<Summary>)> for ChunkTable {
    fn from_iter<T: IntoIterator<Item = (ChunkEntry, Option<Summary>)>>(chunks: T) -> Self {
        let mut builder = ChunkTableBuilder::default();
        chunks.into_iter().for_each(|(entry, summary)| builder.push(entry, summary));
        builder.build()
    }
}
