//! Points in memory, and which parts there are.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::store::Unavailable;
use crate::store::local::file_name::SegmentId;
use crate::store::local::follow::commit::CommitId;
use crate::store::local::part::Part;
use crate::store::local::part::chunk_source::ChunkSource;
use crate::store::local::series::head::Heads;
use crate::store::local::series::series_index::{EVERY_SERIES, SeriesId};
use crate::store::local::series::series_point::SeriesWindow;
use crate::store::query::Window;

/// Where the points are, and whether more are taken.
#[derive(Debug, Default)]
pub struct Memory {
    /// The newest points, by series.
    pub heads: Heads,
    /// The newest commit whose changes are visible; counts from the start of the process.
    pub commit: CommitId,
    /// Bytes of log whose points are in the heads.
    pub log_bytes: u64,
    /// Those of them, since the start, that define series.
    pub defining_bytes: u64,
    /// Heads on their way to a part.
    pub frozen: Option<Arc<Frozen>>,
    /// Counts the deletions that hide points of frozen heads or parts.
    pub deletions: u64,
    /// By segment, oldest first; replaced as a whole.
    pub parts: Arc<Vec<Arc<Part>>>,
    /// Why the last attempt at a checkpoint failed; `None` when it succeeded.
    pub checkpoint_failure: Option<Unavailable>,
    /// Why the last batch was not stored; `None` when it was.
    pub unavailable: Option<Unavailable>,
    /// Whether puts are taken.
    pub phase: Phase,
    /// Who needs the files as they are.
    pub file_use: FileUse,
}

impl Memory {
    /// Bytes that the points take on the disk.
    pub fn disk_bytes(&self) -> u64 {
        let parts: u64 = self.parts.iter().map(|part| part.size()).sum();
        parts + self.log_bytes + self.frozen.as_ref().map_or(0, |frozen| frozen.log_bytes)
    }

    /// Places where points are gone or can't be read.
    pub fn damages(&self) -> usize {
        let in_parts = |part: &Arc<Part>| part.losses().len() + part.failed_chunks().len();
        self.losses_in_log() + self.parts.iter().map(in_parts).sum::<usize>()
    }

    /// Places in the log where points are gone.
    pub fn losses_in_log(&self) -> usize {
        let frozen = self.frozen.as_ref().map_or(0, |frozen| frozen.heads().losses().len());
        self.heads.losses().len() + frozen
    }

    /// Whether points are gone of which nothing knows the keys any more.
    pub fn has_unnamed_losses(&self) -> bool {
        let frozen = self.frozen.iter().map(|frozen| frozen.heads().losses());
        let in_parts = self.parts.iter().map(|part| part.losses());
        let mut all = in_parts.chain(frozen).chain([self.heads.losses()]);
        all.any(|losses| losses.iter().any(|loss| loss.unnamed.is_some()))
    }

    /// Whether segments are to be removed, and may be.
    pub fn has_removable_segments(&self) -> bool {
        let is_needed = self.file_use.is_held() && !self.phase.is_ending();
        !is_needed && !self.file_use.released.is_empty()
    }

    /// Takes the segments that are to be removed, and may be.
    pub fn take_removable_segments(&mut self) -> Vec<SegmentId> {
        if self.has_removable_segments() {
            std::mem::take(&mut self.file_use.released)
        } else {
            Vec::new()
        }
    }

    /// Empties the heads; their points are in `segments`.
    pub fn take_heads(&mut self, segments: RangeInclusive<SegmentId>) -> Frozen {
        let heads = std::mem::take(&mut self.heads);
        self.defining_bytes = 0;
        Frozen::new(heads, std::mem::take(&mut self.log_bytes), segments)
    }

    /// Takes points of a series back.
    pub fn delete(&mut self, SeriesWindow { series, window }: SeriesWindow) {
        self.heads.delete(series, window);
        let is_frozen = self.frozen.as_ref().is_some_and(|frozen| frozen.has_series(series));
        let is_older = is_frozen || is_in_parts(&self.parts, series, window);
        if is_older {
            self.heads.hide(series, window);
            self.deletions += 1;
        }
    }

    /// Replaces the frozen heads by the part with their points. In one step, so that no reader
    /// sees a point twice or not at all.
    pub fn publish_checkpoint(&mut self, part: Part) {
        let mut parts = self.parts.to_vec();
        parts.push(Arc::new(part));
        self.parts = Arc::new(parts);
        self.frozen = None;
    }

    /// Replaces parts by the merged one with their points, in one step.
    pub fn publish_merge(&mut self, inputs: &[Arc<Part>], output: Part) {
        let mut output = Some(Arc::new(output));
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in self.parts.iter() {
            if inputs.iter().any(|input| Arc::ptr_eq(input, part)) {
                parts.extend(output.take());
            } else {
                parts.push(Arc::clone(part));
            }
        }
        self.parts = Arc::new(parts);
    }
}

/// Whether any chunk of a series may have points in a window, or may have had them before it was lost.
pub fn is_in_parts(parts: &[Arc<Part>], series: SeriesId, window: Window) -> bool {
    // Puts may be waiting: what is about other times is not looked through.
    let about = |part: &&Arc<Part>| window.intersects((part.extent().from, part.extent().to));
    let mut within = parts.iter().filter(about).flat_map(|part| part.table().iter());
    if series == EVERY_SERIES && within.any(|entry| window.intersects((entry.first, entry.last))) {
        return true;
    }
    parts.iter().any(|part| {
        ChunkSource::within(part, series, window).next().is_some()
            || part.losses().times(series, window).next().is_some()
    })
}

/// Whether the store takes puts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Puts are taken.
    #[default]
    Open,
    /// A write or sync failed: no put is ever acknowledged again by this process.
    Failed,
    /// Puts are refused; those taken before are being committed.
    Closing,
    /// All that was taken is committed; the last heads are frozen.
    Closed,
}

impl Phase {
    /// Whether the background threads end.
    pub fn is_ending(self) -> bool {
        matches!(self, Self::Closing | Self::Closed)
    }
}

/// Who needs the files of the store as they are.
#[derive(Debug, Default)]
pub struct FileUse {
    /// The hold of a backup that copies them: none is removed or replaced.
    hold: Option<u64>,
    /// The newest hold; they are counted from the start of the process.
    newest_hold: u64,
    /// A merge replaces some of them at this moment.
    pub is_changing: bool,
    /// Segments whose points are in a part, to be removed when no backup needs them.
    pub released: Vec<SegmentId>,
}

impl FileUse {
    /// Whether a backup needs the files as they are.
    pub fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Has none of the files removed or replaced until the hold ends. Answers its number; `None` when there is
    /// another one.
    pub fn hold(&mut self) -> Option<u64> {
        if self.is_held() {
            return None;
        }
        self.newest_hold += 1;
        self.hold = Some(self.newest_hold);
        self.hold
    }

    /// Whether the files were as they are since this hold began.
    pub fn has_hold(&self, number: u64) -> bool {
        self.hold == Some(number)
    }

    /// Ends a hold, if it has not ended before.
    pub fn release(&mut self, number: u64) {
        if self.has_hold(number) {
            self.hold = None;
        }
    }

    /// Ends the hold of whichever backup there is. Answers whether there was one.
    pub fn take_back(&mut self) -> bool {
        self.hold.take().is_some()
    }
}

/// Heads that take no more points.
#[derive(Debug)]
pub struct Frozen {
    heads: Heads,
    log_bytes: u64,
    segments: RangeInclusive<SegmentId>,
}

impl Frozen {
    /// Heads whose points are in `log_bytes` of `segments`.
    pub fn new(heads: Heads, log_bytes: u64, segments: RangeInclusive<SegmentId>) -> Self {
        Self { heads, log_bytes, segments }
    }

    /// The segments that hold their points.
    pub fn segments(&self) -> &RangeInclusive<SegmentId> {
        &self.segments
    }

    /// The points.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Whether a series has points, or had some that are gone.
    pub fn has_series(&self, series: SeriesId) -> bool {
        let is_any = series == EVERY_SERIES && self.heads.series().next().is_some();
        is_any || self.heads.get(series).is_some() || self.heads.losses().has_series(series)
    }
}
