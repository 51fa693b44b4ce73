//! What of an opened view waits for the first answers.

use crate::metrics::sort::Sort;
use crate::session::{Base, ChartView, Comparison, View};

/// What of a view waits for the first answers.
#[derive(Debug, Default)]
pub struct Unopened {
    compared: Option<Comparison>,
    sort: Option<Sort>,
    chart: Option<ChartView>,
    /// The key of the selected row; none for the first row, whatever its key.
    row: Option<String>,
    /// The row is still to be selected.
    row_is_due: bool,
}

impl Unopened {
    /// All that waits of a view.
    pub fn of(view: &View) -> Self {
        Self {
            compared: view.compared.clone(),
            sort: view.compared_sort,
            chart: Some(view.chart.clone()),
            row: view.selected_row.clone(),
            row_is_due: true,
        }
    }

    /// The known time that the table is compared with.
    pub fn take_base(&mut self) -> Option<Base> {
        match self.compared.take() {
            Some(Comparison::Base(base)) => Some(base),
            other => {
                self.compared = other;
                None
            }
        }
    }

    /// What the table is compared with may be a mark.
    pub fn awaits_marks(&self) -> bool {
        matches!(self.compared, Some(Comparison::Typed(_)))
    }

    /// What the table is compared with, as typed.
    pub fn take_words(&mut self) -> Option<String> {
        match self.compared.take() {
            Some(Comparison::Typed(text)) => Some(text),
            other => {
                self.compared = other;
                None
            }
        }
    }

    /// The table is not compared; says whether it was to be.
    pub fn drop_comparison(&mut self) -> bool {
        self.compared.take().is_some()
    }

    /// The order of the rows while they are compared.
    pub fn take_sort(&mut self) -> Option<Sort> {
        self.sort.take()
    }

    /// The chart, whose keys are selected and marked once they are known.
    pub fn take_chart(&mut self) -> Option<ChartView> {
        self.chart.take()
    }

    /// The row is to be selected: its order has come, and no row was selected yet.
    pub fn is_row_due(&self) -> bool {
        self.sort.is_none() && self.row_is_due
    }

    /// The key of the row, which is selected now; none for the first row.
    pub fn take_row(&mut self) -> Option<String> {
        self.row_is_due = false;
        self.row.take()
    }
}
