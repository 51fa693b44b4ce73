//! A first look through a segment: which series it names, where it ends, and what others say of it.

use tracing::error;

use crate::store::local::file_name::FileName;
use crate::store::local::recovery::disputed::Disputed;
use crate::store::local::recovery::open_error::{OpenError, io};
use crate::store::local::series::loss::Extent;
use crate::store::local::series::series_index::{SeriesId, Undefined};
use crate::store::local::state::StoreState;
use crate::store::local::wal::entries::SegmentEntry;
use crate::store::local::wal::header::{PreviousSegment, RecordKind, SegmentHeader};
use crate::store::local::wal::record;
use crate::store::local::wal::segment::SegmentFile;

/// What is to be known of a segment before its points are replayed.
#[derive(Debug, Default)]
pub struct Survey {
    /// The sequence number of its first record, as its header says it, or that record when nothing
    /// stands before it.
    pub first: Option<u64>,
    /// Anything of it is a record.
    pub has_records: bool,
    /// Something of it is damaged, whatever its points are.
    pub is_damaged: bool,
    /// No crash has taken anything before this place.
    pub durable: u64,
    /// What counts ends here.
    pub end: u64,
    /// Bytes at its end are missing.
    pub is_cut: bool,
    /// What the next segment says that it was about.
    pub told: Option<Extent>,
    /// The keys of ids that are those of other keys elsewhere.
    pub disputed: Disputed,
    /// The first and the last of the series that it names.
    named: Option<(SeriesId, SeriesId)>,
    /// Records that are damaged and may name series. One alone may be: there is a second one.
    lost_names: u64,
}

impl Survey {
    /// Compares with what the next segment says is `named`, and with the list of files, of which this
    /// segment `is_newest`.
    pub fn compare(
        &mut self,
        segment: &SegmentFile,
        name: &FileName,
        named: Option<PreviousSegment>,
        is_newest: bool,
    ) {
        self.durable = self.durable.max(named.map_or(0, |named| named.durable()));
        self.told = named.and_then(|named| named.extent());
        let end = segment.marked().max(named.map_or(0, |named| named.end()));
        if let Some(missing @ 1..) = end.checked_sub(segment.length()) {
            (self.is_damaged, self.is_cut) = (true, true);
            error!("{name} is damaged: {missing} bytes at its end are missing");
        }
        // An older one that a crash left empty is told by the next one.
        if segment.length() < SegmentHeader::LENGTH as u64 && is_newest {
            (self.is_damaged, self.is_cut) = (true, true);
            error!("{name} is damaged: it was longer than {} bytes", segment.length());
        }
    }

    /// Whether the series of all its points are named.
    fn is_named(&self) -> bool {
        self.lost_names < 2 && !self.is_cut
    }

    /// From which id on a series may have been begun because nothing named it any more; `None` when the
    /// series of all points are named.
    pub fn unnamed(&self) -> Option<SeriesId> {
        let end = |last: SeriesId| last.saturating_add(1);
        let told =
            self.told.filter(|told| !told.is_empty()).map_or(0, |told| end(told.last_series));
        let named = self.named.map_or(0, |(_, last)| end(last));
        (!self.is_named()).then(|| told.max(named))
    }

    /// What points may have been about of which nothing is known but the times.
    pub fn extent(&self, (from, to): (i64, i64)) -> Extent {
        let all = Extent { from, to, ..Extent::ALL };
        match (self.told, self.named) {
            (Some(told), _) => told.intersection(&all),
            (None, Some((first_series, last_series))) if self.is_named() => {
                Extent { first_series, last_series, from, to }
            }
            _ => all,
        }
    }
}

/// Looks through a segment, and defines its series: when their first record is damaged, the second
/// one stands behind the points that need it.
pub fn survey(
    segment: &SegmentFile,
    state: &StoreState,
    name: &FileName,
) -> Result<Survey, OpenError> {
    let mut survey = Survey::default();
    let mut entries = segment.entries();
    let mut is_first = true;
    while let Some(entry) = entries.next_entry().map_err(io("its log can't be read"))? {
        let is_first = std::mem::take(&mut is_first);
        let (kind, sequence, payload) = match entry {
            SegmentEntry::Record { kind, sequence, payload, .. } => (kind, sequence, payload),
            SegmentEntry::Bad { offset, .. } if offset < segment.begin() => continue,
            SegmentEntry::Bad { start: Some(start), .. } => {
                let may_name =
                    !matches!(start.kind, Some(RecordKind::Points | RecordKind::Deletes));
                survey.lost_names += u64::from(may_name);
                continue;
            }
            SegmentEntry::Bad { length, .. } => {
                survey.lost_names += segment.max_records(length).max(1);
                continue;
            }
        };
        survey.has_records = true;
        if is_first {
            survey.first = Some(sequence);
        }
        if kind == RecordKind::Series {
            let mut index = state.index_mut();
            let mut sound = true;
            for definition in record::decode_series(payload) {
                if let Some((id, _)) = definition {
                    let (first, last) = survey.named.unwrap_or((id, id));
                    survey.named = Some((first.min(id), last.max(id)));
                }
                let Some((id, key)) = definition else {
                    sound = false;
                    continue;
                };
                match index.define(id, key.as_bytes()) {
                    Ok(()) => {}
                    Err(Undefined::Invalid) => sound = false,
                    Err(Undefined::Contradiction) => {
                        survey.is_damaged = true;
                        if survey.disputed.add(id, key) {
                            error!(
                                "{name}: series {id} is {key} here and has another key elsewhere"
                            );
                        }
                    }
                    Err(Undefined::TooMany) => return Err(OpenError::TooManySeries),
                }
            }
            if !sound {
                survey.is_damaged = true;
                error!("{name}: record {sequence} holds invalid series");
            }
        }
    }
    survey.first = segment.first_sequence().or(survey.first);
    survey.durable = entries.durable();
    survey.end = entries.sound_end().min(segment.length());
    Ok(survey)
}
