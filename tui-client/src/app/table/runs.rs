//! Rows of runs, which are compared with those of one of them that are called alike.

use std::sync::Arc;

use shared::Key;

use super::compared::COLUMNS;
use super::{Freshness, InSight, Table};
use crate::metrics::column::Column;
use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::{Sort, SortJob};
use crate::sources::Runs;

/// Which of several runs the rows of the others are compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RunComparison {
    runs: Runs,
    /// What the keys of that run begin with; none where they are not compared.
    base: Option<String>,
}

impl RunComparison {
    /// Compares a row with that of the run.
    fn compare(&self, answer: &mut Answer, place: usize) {
        let (Some(base), Some(series)) = (&self.base, answer.series.get(place)) else { return };
        let key = series.key.as_str();
        let rest = self.runs.rest(key).filter(|_| !key.starts_with(base.as_str()));
        let of_base = rest.map(|rest| format!("{base}{rest}"));
        let known = of_base.as_ref().and_then(|key| answer.find(Key::new(key).ok()?));
        let known = known.and_then(|place| answer.series.get(place)).map(|it| it.last.value);
        let Some(series) = answer.series.get_mut(place) else { return };
        match of_base {
            Some(_) => series.compare(known, None, 0),
            None => series.forget_comparison(),
        }
    }

    /// A point of a key is told: compares its row, or those of the other runs where it is of the run that
    /// they are compared with.
    pub(super) fn tell(&self, answer: &mut Answer, key: Key<'_>) {
        let Some(base) = &self.base else { return };
        let keys = if key.as_str().starts_with(base.as_str()) {
            self.runs.beside(key.as_str())
        } else {
            vec![key.as_str().to_owned()]
        };
        for key in &keys {
            if let Some(place) = Key::new(key).ok().and_then(|key| answer.find(key)) {
                self.compare(answer, place);
            }
        }
    }
}

impl Table {
    /// The table of several runs, whose rows are compared with those of the first one from the start.
    #[must_use]
    pub fn of_runs(mut self, runs: Runs) -> Self {
        let base = runs.iter().next().map(str::to_owned);
        self.runs = RunComparison { runs, base };
        self.show_run_columns();
        self
    }

    /// What the keys of the run begin with that the rows of the others are compared with; none where they
    /// are not, or are compared with another time.
    pub fn base_run(&self) -> Option<&str> {
        self.runs.base.as_deref().filter(|_| self.compared.is_none())
    }

    /// Compares the rows with those of a run, and shows first what differs most; `now` is in Unix seconds.
    pub fn compare_with_run(&mut self, run: &str, rows: usize, now: i64) -> Option<SortJob> {
        (self.compared, self.gone_of) = (None, None);
        self.runs.base = Some(run.to_owned());
        self.compared_rows = 0;
        self.show_run_columns();
        self.show_moved();
        self.sort_before.get_or_insert(self.sort);
        self.set_sort(Sort { column: Some(Column::MovedShare), descending: true }, rows, now)
    }

    /// Compares the rows with no other run.
    pub(super) fn end_run_comparison(&mut self) {
        self.runs.base = None;
    }

    /// Shows what differs, where runs are compared.
    pub(super) fn show_run_columns(&mut self) {
        if self.base_run().is_some() {
            for column in COLUMNS {
                self.chosen.set(column, true);
            }
        }
    }

    /// Compares the rows of runs that are not compared yet, if the table is free.
    pub(super) fn show_runs(&mut self) {
        let rows = self.answer.series.len();
        if self.base_run().is_none() || self.compared_rows >= rows || self.next.is_some() {
            return;
        }
        let Some(answer) = Arc::get_mut(&mut self.answer) else { return };
        for place in 0..rows {
            self.runs.compare(answer, place);
        }
        self.compared_rows = rows;
        if self.is_live() {
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }

    /// Forgets what all rows are compared with.
    pub(super) fn forget_comparisons(&mut self) {
        if let Some(answer) = Arc::get_mut(&mut self.answer) {
            answer.series.iter_mut().for_each(Series::forget_comparison);
        }
    }
}
