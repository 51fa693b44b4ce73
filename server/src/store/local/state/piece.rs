//! The points of a series in its layers: parts, frozen heads and the head.

use std::sync::Arc;

use shared::Point;

use super::memory::Frozen;
use crate::store::local::part::Part;
use crate::store::local::part::chunk_reader::ChunkReader;
use crate::store::local::part::chunk_source::ChunkSource;
use crate::store::local::part::chunk_table::Cursor;
use crate::store::local::series::head::HeadSnapshot;
use crate::store::local::series::loss::Losses;
use crate::store::local::series::merge::Source;
use crate::store::local::series::run::{Run, last_until};
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::summary::Summary;
use crate::store::local::series::time_ranges::SharedRanges;
use crate::store::query::Window;
use crate::store::{Damage, ReadError};

/// What a series has in its layers, oldest first, and what was lost of it. `hidden` is what the head
/// hides of the others.
pub fn pieces(
    series: SeriesId,
    window: Window,
    parts: &[Arc<Part>],
    frozen: Option<&Frozen>,
    head: HeadSnapshot,
    mut hidden: SharedRanges,
) -> Vec<Piece> {
    // Newest first, because each layer hides points of those before it.
    let lost = |losses: &Losses, mask: &SharedRanges, pieces: &mut Vec<Piece>| {
        let times = losses.times(series, window);
        pieces.extend(times.map(|times| Piece::new(Layer::Lost(times), mask.clone())));
    };
    let mut pieces: Vec<Piece> = Vec::new();
    pieces.extend(head.lost().map(|times| Piece::new(Layer::Lost(times), SharedRanges::default())));
    let runs = head.into_runs().into_iter().rev();
    pieces.extend(runs.map(|run| Piece::new(Layer::Run(run), SharedRanges::default())));
    if let Some(frozen) = frozen {
        let runs = frozen.heads().snapshot(series, window).into_runs();
        let mask = hidden.clone();
        lost(frozen.heads().losses(), &mask, &mut pieces);
        pieces.extend(runs.into_iter().rev().map(|run| Piece::new(Layer::Run(run), mask.clone())));
        hidden.extend(&frozen.heads().deletes(series));
    }
    for part in parts.iter().rev() {
        let mask = hidden.clone();
        lost(part.losses(), &mask, &mut pieces);
        let chunks = ChunkSource::within(part, series, window).rev();
        pieces.extend(chunks.map(|chunk| Piece::new(Layer::Chunk(chunk), mask.clone())));
        part.hide(series, &mut hidden);
    }
    pieces.retain(|piece| !piece.is_hidden());
    pieces.reverse();
    pieces
}

/// The chunks of a series in neighbouring parts, oldest first, each with the place of its part. `cursors`
/// say how far each part was looked through; see [`Part::chunks_behind`]. `hidden` was taken back
/// later than all of them.
pub fn chunks(
    series: SeriesId,
    parts: &[Arc<Part>],
    cursors: &mut [Cursor],
    mut hidden: SharedRanges,
) -> Vec<(usize, Piece)> {
    let mut chunks = Vec::new();
    for (place, (part, cursor)) in parts.iter().zip(cursors).enumerate().rev() {
        let places = part.chunks_behind(cursor, series);
        for chunk in places.rev().filter_map(|at| ChunkSource::at(part, at)) {
            let piece = Piece::new(Layer::Chunk(chunk), hidden.clone());
            if !piece.is_hidden() {
                chunks.push((place, piece));
            }
        }
        part.hide(series, &mut hidden);
    }
    chunks.reverse();
    chunks
}

/// Points of a series, on the disk or in memory, some of which may be hidden.
#[derive(Debug, Clone)]
pub struct Piece {
    layer: Layer,
    /// What was taken back later.
    hidden: SharedRanges,
}

#[derive(Debug, Clone)]
enum Layer {
    /// In a part.
    Chunk(ChunkSource),
    /// In a head.
    Run(Run),
    /// Nowhere any more; it was somewhere from then to then.
    Lost((i64, i64)),
}

impl Piece {
    fn new(layer: Layer, hidden: SharedRanges) -> Self {
        Self { layer, hidden }
    }

    /// Whether all its points are hidden.
    pub fn is_hidden(&self) -> bool {
        self.hidden.covers(self.range())
    }

    /// Whether none of its points are hidden, and it is known how many they are.
    pub fn is_whole(&self) -> bool {
        !self.hidden.intersects(self.range()) && !matches!(self.layer, Layer::Lost(_))
    }

    /// From when to when none of its points are hidden.
    pub fn visible_times(&self) -> Vec<(i64, i64)> {
        self.hidden.uncovered(self.range())
    }

    /// Fails when its points are gone, or could not be read before and still can't be.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn check(&self) -> Result<(), ReadError> {
        match &self.layer {
            Layer::Chunk(chunk) if chunk.is_failed() => chunk.retry(),
            Layer::Lost(times) => Err(Damage::of(*times).into()),
            Layer::Chunk(_) | Layer::Run(_) => Ok(()),
        }
    }

    /// Whether any of its points is not hidden; also when it can't be read.
    pub fn has_points(&self) -> bool {
        let (first, last) = self.range();
        !(self.hidden.contains(first) && self.hidden.contains(last))
            || self.open().map_or(true, |points| !points.is_empty())
    }

    /// The last of its points that is not later than `to`; of a chunk as little as possible is read.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn last_until(
        &self,
        to: i64,
        reader: &mut ChunkReader,
    ) -> Result<Option<Point>, ReadError> {
        if let Layer::Chunk(chunk) = &self.layer
            && self.is_whole()
        {
            let known = chunk.known_last(to);
            let found = match known {
                Some(_) => known,
                None => reader.last_until(chunk, to, [])?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        let points = self.open()?;
        reader.add_unpacked(points.len());
        Ok(last_until(&points, to))
    }

    /// Reads its points; of a chunk by `read`.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn open_by(
        &self,
        read: impl FnOnce(&ChunkSource) -> Result<Run, ReadError>,
    ) -> Result<Run, ReadError> {
        let run = match &self.layer {
            Layer::Chunk(chunk) => read(chunk)?,
            Layer::Run(run) => run.open()?,
            Layer::Lost(times) => return Err(Damage::of(*times).into()),
        };
        if self.is_whole() {
            return Ok(run);
        }
        Ok(run.iter().copied().filter(|point| !self.hidden.contains(point.timestamp)).collect())
    }

    /// Number of its points, hidden ones too; 0 of those that are gone.
    pub fn count(&self) -> u64 {
        match &self.layer {
            Layer::Chunk(chunk) => chunk.count(),
            Layer::Run(run) => run.len() as u64,
            Layer::Lost(_) => 0,
        }
    }

    /// What is known of its points without reading them; `None` when that is not all, or when some
    /// are hidden.
    pub fn summary(&self) -> Option<Summary> {
        match &self.layer {
            Layer::Chunk(chunk) if self.is_whole() => chunk.summary(),
            _ => None,
        }
    }
}

impl Source for Piece {
    fn range(&self) -> (i64, i64) {
        match &self.layer {
            Layer::Chunk(chunk) => chunk.range(),
            Layer::Run(run) => run.range(),
            Layer::Lost(times) => *times,
        }
    }

    fn open(&self) -> Result<Run, ReadError> {
        self.open_by(ChunkSource::open)
    }
}
