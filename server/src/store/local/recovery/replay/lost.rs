//! What is gone of the log, and of which series and times it was.

use tracing::error;

use super::survey::Survey;
use crate::store::local::background::checkpoint::DamagedSegments;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::recovery::MAX_HIDDEN_IDS;
use crate::store::local::series::loss::{Extent, Loss};
use crate::store::local::series::series_index::MAX_SERIES;
use crate::store::local::state::StoreState;
use crate::store::local::wal::header::{GroupMark, RecordKind, RecordStart};
use crate::store::local::wal::segment::SegmentFile;

/// Notes that points which were put by now are gone.
pub fn lose(state: &StoreState, loss: Loss) {
    let extent = loss.extent;
    if !extent.is_empty() {
        // The ids are those of other keys.
        let mut index = state.index_mut();
        let hidden = index.end().saturating_add(MAX_HIDDEN_IDS);
        let is_known = extent.last_series < MAX_SERIES - 1;
        index.reserve(if is_known { extent.last_series + 1 } else { hidden });
    }
    state.memory().heads.lose(loss);
}

/// Notes that the files between `before` and a segment `id` are missing.
pub fn lose_between(
    state: &StoreState,
    list: Option<&FileList>,
    before: SegmentId,
    segment: &SegmentFile,
    id: SegmentId,
) {
    // It names no more than the one before it.
    let is_one = before + 2 == id;
    let told = segment.previous().filter(|_| is_one).and_then(|named| named.extent());
    let listed = list.and_then(|list| list.extent(&(before + 1..=id - 1)));
    lose(state, Loss::with_names(listed.or(told).unwrap_or(Extent::ALL)));
}

/// Notes that records at the ends of segments are missing, as a later one says.
pub fn lose_ends(
    state: &StoreState,
    later: &SegmentFile,
    suspects: &[SegmentId],
    damaged_segments: &mut DamagedSegments,
) {
    let told = later.previous().and_then(|named| named.extent());
    for &suspect in suspects {
        if !damaged_segments.contains(&suspect) {
            lose(state, Loss::with_names(told.unwrap_or(Extent::ALL)));
            error!("{}: records at its end are missing", FileName::Segment(suspect));
            damaged_segments.push(suspect);
        }
    }
}

/// What is gone of a file of the log, found from its beginning to its end.
pub struct FileLosses<'s> {
    state: &'s StoreState,
    survey: &'s Survey,
    /// What its records are about, those that are gone too.
    extent: Extent,
    /// Records are gone of which the next one says from when to when they were.
    is_waiting: bool,
}

impl<'s> FileLosses<'s> {
    /// Nothing yet, of a file that was looked through.
    pub fn new(state: &'s StoreState, survey: &'s Survey) -> Self {
        Self { state, survey, extent: Extent::EMPTY, is_waiting: false }
    }

    /// Adds bytes that are no record.
    pub fn add_bad(&mut self, start: Option<RecordStart>) {
        match start {
            // The names stand there twice.
            Some(RecordStart { kind: Some(RecordKind::Series), group, .. }) => {
                self.reach(group, true);
            }
            Some(RecordStart { group: Some(group), .. }) => {
                self.reach(Some(group), true);
                self.add(group.extent);
            }
            _ => self.is_waiting = true,
        }
    }

    /// Adds a record that does not count.
    pub fn add_record(&mut self, kind: RecordKind, group: Option<GroupMark>) {
        match group {
            _ if kind == RecordKind::Series => {}
            // Maybe the names of its series are gone.
            Some(group) => {
                lose(self.state, Loss::with_names(group.extent));
            }
            None => self.is_waiting = true,
        }
    }

    /// Goes on to a record whose header is sound.
    pub fn reach(&mut self, group: Option<GroupMark>, follows: bool) {
        self.is_waiting |= !follows;
        let Some(group) = group else { return };
        self.extent.extend(&group.extent);
        if std::mem::take(&mut self.is_waiting) {
            self.add(self.survey.extent(group.times_before));
        }
    }

    fn add(&mut self, extent: Extent) {
        self.extent.extend(&extent);
        lose(self.state, Loss { extent, unnamed: self.survey.unnamed() });
    }

    /// Answers what the file was about.
    pub fn finish(mut self) -> Extent {
        if self.is_waiting || self.survey.is_cut {
            let times = self.survey.told.map_or(Extent::ALL.times(), |told| told.times());
            self.add(self.survey.extent(times));
        }
        self.extent
    }
}
