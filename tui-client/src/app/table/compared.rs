//! What the rows are compared with: how things stood at an earlier time.

use std::sync::Arc;

use super::{Freshness, InSight, Table};
use crate::metrics::column::Column;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::{Sort, SortJob};

/// How things stood at an earlier time.
#[derive(Debug)]
pub struct Compared {
    /// What the time is called: a mark, or a date.
    pub name: String,
    /// The newest point of each key then.
    pub before: Answer,
}

/// The columns that say what has moved.
pub const COLUMNS: [Column; 2] = [Column::Moved, Column::MovedShare];

impl Table {
    /// What the rows are compared with.
    pub fn compared(&self) -> Option<&Compared> {
        self.compared.as_deref()
    }

    /// Compares the rows with how things stood, and shows first what has moved most; `now` is in Unix
    /// seconds.
    pub fn compare(&mut self, compared: Arc<Compared>, rows: usize, now: i64) -> Option<SortJob> {
        (self.compared, self.compared_rows) = (Some(compared), 0);
        for column in COLUMNS {
            self.chosen.set(column, true);
        }
        self.show_moved();
        self.set_sort(Sort { column: Some(Column::MovedShare), descending: true }, rows, now)
    }

    /// Compares no longer.
    pub fn end_comparison(&mut self, rows: usize, now: i64) -> Option<SortJob> {
        self.compared = None;
        for column in COLUMNS {
            self.chosen.set(column, false);
        }
        let is_sorted = self.sort.column.is_some_and(|column| COLUMNS.contains(&column));
        if is_sorted { self.set_sort(Sort::default(), rows, now) } else { None }
    }

    /// Compares the rows that are not compared yet, if the table is free.
    pub fn show_moved(&mut self) {
        let Some(compared) = &self.compared else { return };
        if self.compared_rows >= self.answer.series.len() || self.next.is_some() {
            return;
        }
        let Some(answer) = Arc::get_mut(&mut self.answer) else { return };
        let before = &compared.before;
        for series in answer.series.iter_mut().skip(self.compared_rows) {
            let known = before.find(series.key.as_key());
            let known = known.and_then(|place| before.series.get(place));
            series.compare(known.map(|known| known.last.value));
        }
        self.compared_rows = answer.series.len();
        if self.is_live() {
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }
}
