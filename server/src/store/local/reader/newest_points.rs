//! The newest point of each of many series until a time, as far as it is known without reading, and else
//! the chunk in which it is.

use std::sync::Arc;

use shared::{KeyBuf, Point};

use crate::store::local::part::Part;
use crate::store::local::part::chunk_source::ChunkSource;
use crate::store::local::part::chunk_table::Cursor;
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::series::head::{Head, NewestUntil};
use crate::store::local::series::merge::Source;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::state::StoreState;
use crate::store::query::Window;

/// Series that are looked up before the lock of the memory is released: few, because puts wait for it
/// and each takes a search in a head.
const BATCH: usize = 64;

/// Tells the newest point of many series, by rising id.
#[derive(Debug, Default)]
pub struct NewestPoints {
    /// The parts, oldest first, and how far each was looked through; see [`Part::chunks_behind`].
    parts: Arc<Vec<Arc<Part>>>,
    cursors: Vec<Cursor>,
}

/// What is known of the newest point of a series in a window.
#[derive(Debug, Clone)]
pub enum Known {
    /// There is none.
    None,
    /// It is this one.
    Point(Point),
    /// It is the newer one of two.
    InChunk(Box<InChunk>),
    /// The points have to be read: they are in several chunks, or some were taken back or are gone.
    Unknown,
}

/// Where the newest point of a series is.
#[derive(Debug, Clone)]
pub struct InChunk {
    /// In this chunk, if its last point that is not later than the end of the window is newer than
    /// the other one.
    pub chunk: ChunkSource,
    other: Option<Point>,
    /// The other one counts at equal times.
    is_other_later: bool,
}

impl InChunk {
    /// The newest point, when this one is that of the chunk.
    pub fn newest(&self, found: Point) -> Point {
        self.other.filter(|other| self.is_newest(*other, found.timestamp)).unwrap_or(found)
    }

    /// Whether the other point counts when that of the chunk has this timestamp.
    fn is_newest(&self, other: Point, in_chunk: i64) -> bool {
        (other.timestamp, self.is_other_later) > (in_chunk, !self.is_other_later)
    }
}

impl NewestPoints {
    /// Passes on what is known of each series. When `or_later`, the newest of all is to be found where
    /// there is none in the window.
    pub fn look(
        &mut self,
        state: &StoreState,
        window: Window,
        or_later: bool,
        series: Vec<(SeriesId, KeyBuf)>,
        mut each: impl FnMut(SeriesId, KeyBuf, Known),
    ) {
        let mut series = series.into_iter();
        while series.len() > 0 {
            let batch: Vec<_> = series.by_ref().take(BATCH).collect();
            let memory = state.memory();
            let (parts, frozen) = (Arc::clone(&memory.parts), memory.frozen.clone());
            let heads = &memory.heads;
            let in_head = |id| heads.get(id).map(|head| HeadPoints::of(head, window.to));
            let in_heads: Vec<_> = batch
                .iter()
                .map(|(id, _)| {
                    (in_head(*id), heads.has_deletes(*id), heads.losses().has_series(*id))
                })
                .collect();
            drop(memory);
            if !Arc::ptr_eq(&parts, &self.parts) {
                self.cursors = parts.iter().map(|_| Cursor::default()).collect();
                self.parts = parts;
            }
            for ((id, key), (in_head, mut is_masked, mut has_lost)) in
                batch.into_iter().zip(in_heads)
            {
                let mut newest = Newest::default();
                // What is gone has to be looked at like what can be read.
                has_lost |= frozen.as_ref().is_some_and(|f| f.heads().losses().has_series(id));
                for (part, cursor) in self.parts.iter().zip(&mut self.cursors) {
                    is_masked |= part.has_deletes(id);
                    has_lost |= part.losses().has_series(id);
                    let (last, has_later) = part.last_begun(cursor, id, window.to);
                    newest.has_later |= has_later;
                    if let Some(last) = last {
                        newest.add_chunk(part, last, window);
                    }
                }
                if let Some(frozen) = &frozen {
                    is_masked |= frozen.heads().has_deletes(id);
                    let head = frozen.heads().get(id);
                    newest.add_head(head.map(|head| HeadPoints::of(head, window.to)), window);
                }
                newest.add_head(in_head, window);
                let known = match newest.known(window, or_later) {
                    _ if has_lost => Known::Unknown,
                    Known::None => Known::None,
                    _ if is_masked => Known::Unknown,
                    known => known,
                };
                each(id, key, known);
            }
        }
        // It may be long until the next ones are asked for.
        self.cursors.iter_mut().for_each(Cursor::forget);
    }
}

/// What is known of a head.
#[derive(Debug, Clone, Copy)]
struct HeadPoints {
    until: NewestUntil,
    /// Its newest point is behind the window.
    has_later: bool,
}

impl HeadPoints {
    fn of(head: &Head, to: i64) -> Self {
        let has_later = head.newest().is_some_and(|newest| newest.timestamp > to);
        Self { until: head.newest_until(to), has_later }
    }
}

/// The newest point of several layers that are added oldest first.
#[derive(Debug, Default)]
struct Newest {
    point: Option<Point>,
    chunk: Option<ChunkSource>,
    /// The point is of a newer layer than the chunk.
    is_point_later: bool,
    /// There are points behind the window.
    has_later: bool,
    is_unknown: bool,
}

impl Newest {
    fn add_point(&mut self, point: Point, window: Window) {
        let is_newest = |newest: Point| newest.timestamp <= point.timestamp;
        if window.contains(point.timestamp) && self.point.is_none_or(is_newest) {
            self.point = Some(point);
            self.is_point_later = true;
        }
    }

    fn add_head(&mut self, head: Option<HeadPoints>, window: Window) {
        let Some(HeadPoints { until, has_later }) = head else { return };
        self.has_later |= has_later;
        match until {
            NewestUntil::Known(point) => {
                if let Some(point) = point {
                    self.add_point(point, window);
                }
            }
            NewestUntil::Unsorted => self.is_unknown = true,
        }
    }

    /// Adds the last chunk that begins in the window or before it, with its place in a part.
    fn add_chunk(&mut self, part: &Arc<Part>, (place, entry): (usize, ChunkEntry), window: Window) {
        if entry.last < window.from {
            return;
        }
        if let Some(point) = entry.known_last(window.to) {
            return self.add_point(point, window);
        }
        // Whether its point is in the window is not known then.
        self.is_unknown |= self.chunk.is_some() || entry.first < window.from;
        self.chunk = ChunkSource::at(part, place);
        self.is_point_later = false;
    }

    fn known(self, window: Window, or_later: bool) -> Known {
        let Some(chunk) = self.chunk else {
            return match self.point {
                _ if self.is_unknown => Known::Unknown,
                None if self.has_later && or_later => Known::Unknown,
                None => Known::None,
                Some(point) => Known::Point(point),
            };
        };
        let newest_in_chunk = chunk.range().1.min(window.to);
        let in_chunk = InChunk { chunk, other: self.point, is_other_later: self.is_point_later };
        match self.point {
            _ if self.is_unknown => Known::Unknown,
            Some(point) if in_chunk.is_newest(point, newest_in_chunk) => Known::Point(point),
            _ => Known::InChunk(Box::new(in_chunk)),
        }
    }
}
