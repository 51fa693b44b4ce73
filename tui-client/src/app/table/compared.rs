//! What the rows are compared with: how things stood at an earlier time.

use std::sync::Arc;

use super::{Freshness, InSight, Table};
use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::metrics::marks::Prefixes;
use crate::metrics::series::summary::Answer;
use crate::metrics::series::{Moved, Series};
use crate::metrics::sort::{Sort, SortJob};
use crate::sources::Away;

/// How things stood at an earlier time.
#[derive(Debug)]
pub struct Compared {
    /// What the time is called: a mark, or a date.
    pub name: String,
    /// Its Unix second.
    pub at: i64,
    /// The newest point of each key then.
    pub before: Answer,
    /// The keys of which that is not known, because their source was away.
    pub unknown: Away,
    /// What the keys of marks begin with: that one is new, or gone, is no surprise.
    pub marks: Prefixes,
}

impl Compared {
    /// How many keys had points then and are none of these now, those left out of which nothing is
    /// known now, and those of marks.
    fn gone(&self, now: &Answer, unknown: &Away) -> usize {
        let is_gone = |series: &&Series| {
            let key = series.key.as_str();
            now.find(series.key.as_key()).is_none() && !unknown.has(key) && !self.marks.has(key)
        };
        self.before.series.iter().filter(is_gone).count()
    }
}

/// The columns that say what has moved.
pub const COLUMNS: [Column; 2] = [Column::Moved, Column::MovedShare];

impl Table {
    /// The order of the rows when they are no longer compared.
    pub fn sort_apart(&self) -> Sort {
        self.sort_before.unwrap_or(self.sort)
    }

    /// What the rows are compared with.
    pub fn compared(&self) -> Option<&Compared> {
        self.compared.as_deref()
    }

    /// The rows are compared with how things stood, or with those of another run.
    pub fn is_compared(&self) -> bool {
        self.compared.is_some() || self.base_run().is_some()
    }

    /// The rows are compared with how things stood later.
    pub fn is_compared_with_later(&self) -> bool {
        let of = |compared: &Arc<Compared>| Some((compared.at, self.as_of()?));
        self.compared.as_ref().and_then(of).is_some_and(|(at, as_of)| at > as_of)
    }

    /// How many keys had points at the time that the rows are compared with, and have none now.
    pub fn gone(&self) -> usize {
        self.gone
    }

    /// How many keys had points at the time that the rows are compared with, and have stopped, at a Unix
    /// second; none where there are too many rows to look at for each frame.
    pub fn stopped(&self, now: i64) -> usize {
        if self.compared.is_none() || !self.is_small() {
            return 0;
        }
        let rows = self.answer.series.iter();
        rows.filter(|series| matches!(series.moved(now), Some(Moved::Stopped { .. }))).count()
    }

    /// Compares the rows with how things stood, and shows first what has moved most; `now` is in Unix
    /// seconds.
    pub fn compare(&mut self, compared: Arc<Compared>, rows: usize, now: i64) -> Option<SortJob> {
        (self.compared, self.compared_rows, self.gone_of) = (Some(compared), 0, None);
        for column in COLUMNS {
            self.chosen.set(column, true);
        }
        self.show_moved();
        self.sort_before.get_or_insert(self.sort);
        self.set_sort(Sort { column: Some(Column::MovedShare), descending: true }, rows, now)
    }

    /// Compares the rows with the same time again, of which more is known now; order and columns stay.
    pub fn compare_again(&mut self, compared: Arc<Compared>) {
        (self.compared, self.compared_rows, self.gone_of) = (Some(compared), 0, None);
        self.show_moved();
    }

    /// Compares no longer with another time: runs are compared again, or no longer where they were. A filter
    /// by how rows have moved is dropped where they are not.
    pub fn end_comparison(&mut self, rows: usize, now: i64) -> Option<SortJob> {
        if self.compared.is_none() {
            self.end_run_comparison();
        }
        (self.compared, self.gone_of, self.compared_rows) = (None, None, 0);
        self.forget_comparisons();
        let is_plain = |sort: &Sort| !sort.column.is_some_and(|column| COLUMNS.contains(&column));
        let before = self.sort_before.take().filter(is_plain).unwrap_or_default();
        for column in COLUMNS {
            self.chosen.set(column, false);
        }
        self.show_run_columns();
        self.show_runs();
        if !self.is_compared() {
            let compares = |filter: &mut Filter| filter.compares(true);
            self.dropped_filter = self.filter.take_if(compares).or(self.dropped_filter.take());
        }
        let is_sorted = self.sort.column.is_some_and(|column| COLUMNS.contains(&column));
        if is_sorted { self.set_sort(before, rows, now) } else { self.arrange(rows, now) }
    }

    /// Compares the rows that are not compared yet, if the table is free.
    pub fn show_moved(&mut self) {
        let Some(compared) = &self.compared else { return self.show_runs() };
        let rows = self.answer.series.len();
        // Also without any row those that are gone are counted.
        let is_shown = self.compared_rows >= rows && self.gone_of == Some(rows);
        if is_shown || self.next.is_some() {
            return;
        }
        let as_of = self.as_of();
        let Some(answer) = Arc::get_mut(&mut self.answer) else { return };
        let before = &compared.before;
        for series in answer.series.iter_mut().skip(self.compared_rows) {
            let known = before.find(series.key.as_key());
            let known = known.and_then(|place| before.series.get(place));
            let is_unknown = known.is_none() && compared.unknown.has(series.key.as_str());
            if is_unknown || compared.marks.has(series.key.as_str()) {
                series.forget_comparison();
                continue;
            }
            let is_later = as_of.is_some_and(|as_of| as_of < compared.at);
            let stale_after = known.filter(|_| !is_later).and_then(Series::stale_after);
            series.compare(known.map(|known| known.last.value), stale_after, compared.at);
        }
        self.compared_rows = rows;
        (self.gone, self.gone_of) = (compared.gone(answer, &self.unknown), Some(rows));
        if self.is_live() {
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }
}
