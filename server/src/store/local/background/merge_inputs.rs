//! The parts of a merge, read from the first chunk to the last.

use std::cell::RefCell;
use std::sync::Arc;

use crate::store::ReadError;
use crate::store::local::part::Part;
use crate::store::local::part::sequential_reader::SequentialReader;
use crate::store::local::series::merge::Source;
use crate::store::local::series::run::Run;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::time_ranges::SharedRanges;
use crate::store::local::state::piece::{self, Piece};

/// Series that are looked up at once: the locks for that are those of puts, and a merge has a low
/// priority, so that it may be kept from going on while it holds one.
const MAX_SERIES: usize = if cfg!(test) { 3 } else { 256 };

/// Neighbouring parts, oldest first, and how far they were read.
#[derive(Debug)]
pub struct MergeInputs<'p> {
    parts: &'p [Arc<Part>],
    /// How far each was looked through for series; see [`Part::chunks_behind`].
    named: Vec<usize>,
    /// How far each was looked through for chunks.
    taken: Vec<usize>,
    readers: Vec<RefCell<SequentialReader>>,
}

impl<'p> MergeInputs<'p> {
    /// Parts of which nothing was read.
    pub fn new(parts: &'p [Arc<Part>]) -> Self {
        let start = vec![0; parts.len()];
        let readers = parts.iter().map(|part| RefCell::new(SequentialReader::new(part))).collect();
        Self { parts, named: start.clone(), taken: start, readers }
    }

    /// The next series of which any part has points, by rising id; none at the end.
    pub fn next_series(&mut self) -> Vec<SeriesId> {
        let mut series = Vec::with_capacity(MAX_SERIES);
        while series.len() < MAX_SERIES {
            let firsts = self.parts.iter().zip(&self.named);
            let firsts = firsts.filter_map(|(part, at)| part.entries().get(*at));
            let Some(next) = firsts.map(|entry| entry.series).min() else { break };
            for (part, at) in self.parts.iter().zip(&mut self.named) {
                if part.entries().get(*at).is_some_and(|entry| entry.series == next) {
                    part.chunks_behind(at, next);
                }
            }
            series.push(next);
        }
        series
    }

    /// The chunks of a series with a higher id than those before, oldest first. `deleted` was taken
    /// back later than all of them.
    pub fn chunks(&mut self, series: SeriesId, deleted: SharedRanges) -> Vec<MergeInput<'_>> {
        let chunks = piece::chunks(series, self.parts, &mut self.taken, deleted);
        let readers = &self.readers;
        let input = |(place, chunk)| Some(MergeInput { chunk, place, reader: readers.get(place)? });
        chunks.into_iter().filter_map(input).collect()
    }
}

/// A chunk of one of the parts.
#[derive(Debug)]
pub struct MergeInput<'r> {
    chunk: Piece,
    place: usize,
    reader: &'r RefCell<SequentialReader>,
}

impl MergeInput<'_> {
    /// The place of its part.
    pub fn place(&self) -> usize {
        self.place
    }
}

impl Source for MergeInput<'_> {
    fn range(&self) -> (i64, i64) {
        self.chunk.range()
    }

    fn open(&self) -> Result<Run, ReadError> {
        self.chunk.open_by(|chunk| self.reader.borrow_mut().open(chunk))
    }
}
