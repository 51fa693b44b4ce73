//! A table of how things stood at a time, with the order, the filter and the columns of the live one.

use shared::KeyBuf;

use super::Table;
use super::numbers::{APART, Numbers};
use crate::app::context::Context;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::SortJob;
use crate::sources::Away;

impl Table {
    /// An empty table that is arranged as this one, and whose jobs and queries have other numbers than
    /// its own and those of so many tables `before`.
    #[must_use]
    pub fn beside(&self, before: u64) -> Self {
        let first = APART + (before << 32);
        Self {
            request: self.request.clone(),
            sort: self.sort,
            filter: self.filter.clone(),
            chosen: self.chosen.clone(),
            key_widths: self.key_widths,
            dropped_filter: self.dropped_filter.clone(),
            sort_before: self.sort_before,
            numbers: Numbers::beside(self.numbers.window(), first),
            compared: self.compared.clone(),
            runs: self.runs.clone(),
            job: first,
            ..Self::default()
        }
    }

    /// The Unix time that the table is of; none if it is of now.
    pub fn as_of(&self) -> Option<i64> {
        self.numbers.as_of()
    }

    /// The Unix time to which ages are counted.
    pub(super) fn time(&self, cx: &Context) -> i64 {
        self.as_of().unwrap_or(cx.now().unix())
    }

    /// The keys of which it is not known how they stood then: their source was away.
    pub fn unknown(&self) -> &Away {
        &self.unknown
    }

    /// Shows how things stood at a Unix time, as far as it is not `unknown`, and selects a key at first.
    pub fn show_as_of(
        &mut self,
        at: i64,
        (mut answer, unknown): (Answer, Away),
        selected: Option<&KeyBuf>,
        rows: usize,
    ) -> Option<SortJob> {
        let is_first = !self.loaded();
        // Of one point only.
        for &at in &answer.watched {
            answer.series[at].forget_stats();
        }
        self.numbers.set_as_of(at);
        self.unknown = unknown;
        let request = self.request.clone();
        let job = self.show_live(&request, answer, rows, at);
        if let Some(key) = selected.filter(|_| is_first) {
            self.select(key, rows);
        }
        job
    }

    /// Selects the row of a key, if there is one.
    pub fn select(&mut self, key: &KeyBuf, rows: usize) {
        let place = self.answer.find(key.as_key());
        if let Some(row) = place.and_then(|place| self.order.row(place)) {
            (self.selected, self.held) = (row, true);
            self.keep_in_sight(rows);
        }
    }

    /// Numbers of any row are under way.
    pub fn is_asking(&self) -> bool {
        self.numbers.is_asking()
    }

    /// What was asked for over a connection that is lost is asked for again.
    pub fn ask_again(&mut self) {
        self.numbers.reset();
    }

    /// Arranges the rows as those of another table; `now` is in Unix seconds.
    pub fn arrange_as(&mut self, other: &Self, rows: usize, now: i64) -> Option<SortJob> {
        self.chosen = other.chosen.clone();
        self.dropped_filter.clone_from(&other.dropped_filter);
        self.sort_before = other.sort_before;
        if other.held
            && let Some(key) = other.selected_key()
        {
            self.select(key, rows);
        }
        let was_compared = self.is_compared();
        if self.compared.is_some() != other.compared.is_some() {
            (self.compared, self.compared_rows) = (other.compared.clone(), 0);
        }
        if self.runs != other.runs {
            (self.runs, self.compared_rows) = (other.runs.clone(), 0);
        }
        if self.numbers.window() != other.numbers.window() {
            self.numbers.set_window(other.numbers.window());
        }
        let is_same = (self.sort, &self.filter) == (other.sort, &other.filter);
        if is_same && self.is_compared() == was_compared {
            return None;
        }
        (self.sort, self.filter) = (other.sort, other.filter.clone());
        self.key_widths = other.key_widths;
        self.arrange(rows, now)
    }

    /// The job is one of this table.
    pub fn has_job(&self, id: u64) -> bool {
        self.under_way.as_ref().is_some_and(|job| job.id == id)
    }
}
