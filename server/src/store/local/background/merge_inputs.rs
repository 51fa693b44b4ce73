//! The parts of a merge, read from the first chunk to the last.

use std::cell::RefCell;
use std::sync::Arc;

use crate::store::ReadError;
use crate::store::local::part::Part;
use crate::store::local::part::chunk_table::Cursor;
use crate::store::local::part::sequential_reader::SequentialReader;
use crate::store::local::series::loss::{Extent, Loss, Losses};
use crate::store::local::series::merge::Source;
use crate::store::local::series::run::Run;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::time_ranges::{SharedRanges, TimeRanges};
use crate::store::local::state::piece::{self, Piece};

/// Series that are looked up at once: the locks for that are those of puts, and a merge has a low
/// priority, so that it may be kept from going on while it holds one.
const MAX_SERIES: usize = if cfg!(test) { 3 } else { 256 };

/// Neighbouring parts, oldest first, and how far they were read.
#[derive(Debug)]
pub struct MergeInputs<'p> {
    parts: &'p [Arc<Part>],
    /// How far each was looked through for series; see [`Part::chunks_behind`].
    named: Vec<Cursor>,
    /// How far each was looked through for chunks.
    taken: Vec<Cursor>,
    readers: Vec<RefCell<SequentialReader>>,
    /// What was lost: damaged chunks, and what the parts say.
    losses: RefCell<Losses>,
    /// Chunks that can't be read are lost, too.
    gives_up: bool,
}

impl<'p> MergeInputs<'p> {
    /// Parts of which nothing was read.
    pub fn new(parts: &'p [Arc<Part>]) -> Self {
        let start = || parts.iter().map(|_| Cursor::default()).collect();
        let readers = parts.iter().map(|part| RefCell::new(SequentialReader::new(part))).collect();
        let losses = RefCell::new(known_losses(parts));
        Self { parts, named: start(), taken: start(), readers, losses, gives_up: false }
    }

    /// The same, whose chunks count as damaged when they can't be read at the moment.
    #[must_use]
    pub fn giving_up(self) -> Self {
        Self { gives_up: true, ..self }
    }

    /// The next series of which any part has points, by rising id; none at the end.
    pub fn next_series(&mut self) -> Vec<SeriesId> {
        let mut series = Vec::with_capacity(MAX_SERIES);
        while series.len() < MAX_SERIES {
            let firsts = self.parts.iter().zip(&mut self.named);
            let firsts = firsts.filter_map(|(part, cursor)| cursor.next_series(part.table()));
            let Some(next) = firsts.min() else { break };
            for (part, cursor) in self.parts.iter().zip(&mut self.named) {
                if cursor.next_series(part.table()) == Some(next) {
                    part.chunks_behind(cursor, next);
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
        let (readers, losses, gives_up) = (&self.readers, &self.losses, self.gives_up);
        let input = |(place, chunk)| {
            let reader = readers.get(place)?;
            Some(MergeInput { series, chunk, place, reader, losses, gives_up })
        };
        chunks.into_iter().filter_map(input).collect()
    }

    /// What was lost: what the parts say, and the chunks that turned out to be damaged.
    pub fn into_losses(self) -> Losses {
        self.losses.into_inner()
    }
}

/// What the parts say was lost, without what later ones of them delete.
fn known_losses(parts: &[Arc<Part>]) -> Losses {
    let mut all = Losses::default();
    for part in parts {
        if !all.is_empty() {
            for (series, ranges) in part.all_deletes() {
                let mut deleted = TimeRanges::default();
                deleted.insert_all(ranges);
                all.subtract(*series, &deleted);
            }
        }
        all.extend(part.losses());
    }
    all
}

/// A chunk of one of the parts.
#[derive(Debug)]
pub struct MergeInput<'r> {
    series: SeriesId,
    chunk: Piece,
    place: usize,
    reader: &'r RefCell<SequentialReader>,
    losses: &'r RefCell<Losses>,
    gives_up: bool,
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

    /// None of a damaged chunk, whose points are lost then.
    fn open(&self) -> Result<Run, ReadError> {
        match self.chunk.open_by(|chunk| self.reader.borrow_mut().open(chunk)) {
            Err(error) if self.gives_up || matches!(error, ReadError::Damaged(_)) => {
                for times in self.chunk.visible_times() {
                    let extent = Extent::of(self.series, times);
                    self.losses.borrow_mut().add(Loss { extent, unnamed: None });
                }
                Ok(Run::from([]))
            }
            outcome => outcome,
        }
    }
}
