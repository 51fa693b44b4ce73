//! Where the columns of the table stand, and a click on the heading of one.

use super::Table;
use crate::app::context::Context;
use crate::app::screen::layout::Layout;
use crate::app::screen::mouse::row_in;
use crate::event::MouseEvent;
use crate::metrics::column::Column;
use crate::metrics::sort::{Sort, SortJob};
use crate::text::width::width;
use crate::wire_log::entry::Tone;

/// The most cells of a key for which columns are left out: a longer one hides none.
const MAX_KEY_WIDTH: usize = 48;

/// The most cells for the trend.
const MAX_TREND_WIDTH: usize = 48;

/// Cells that the trend keeps beyond its least, before columns are set further apart.
const ROOMY_TREND: usize = 16;

/// Cells on the left of the key: the border, and the marks of the rows.
const BEFORE_KEY: u16 = 2;

/// The most rows of a table whose columns are as wide as all of them need, in sight or not.
const MAX_MEASURED: usize = 1000;

/// The widths of the longest keys: of all rows of a table, so that no column moves while they are scrolled.
/// Where there are more than can be measured each time, of those that were in sight since there were fewer
/// rows, or another room, filter or order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyWidths {
    /// Cells for columns.
    room: usize,
    /// Rows of the table.
    rows: usize,
    /// Without those that hide no column because they are cut anyway.
    wanted: usize,
    longest: usize,
}

impl Table {
    /// Keeps the widths of the keys in sight.
    pub fn keep_key_widths(&mut self, rows: usize, room: usize) {
        self.key_widths = self.key_widths_in(room, rows);
    }

    fn key_widths_in(&self, room: usize, rows: usize) -> KeyWidths {
        let all = self.order.len();
        let is_measured = all <= MAX_MEASURED;
        let known = Some(self.key_widths);
        let known = known.filter(|it| !is_measured && it.room == room && it.rows <= all);
        let known = known.unwrap_or_default();
        let from = if is_measured { 0 } else { self.first(rows) };
        let in_sight = from..if is_measured { all } else { all.min(from + rows) };
        let series = || in_sight.clone().map_while(|row| self.row(row));
        let keys = || series().map(|series| width(series.key.as_str()));
        let wanted = keys().filter(|&wide| wide <= MAX_KEY_WIDTH).max().unwrap_or(0);
        let longest = keys().max().unwrap_or(0);
        let (wanted, longest) = (wanted.max(known.wanted), longest.max(known.longest));
        KeyWidths { room, rows: all, wanted, longest }
    }

    /// The columns that fit into `room` cells, each with its width, and how many blanks stand behind each. Those
    /// are left out for which the longest key that was in the `rows` in sight would be cut; what is left goes to the
    /// key as far as it needs it, to a second blank between columns where there is much, and to the trend.
    pub fn columns_in(&self, room: usize, rows: usize) -> (Vec<(Column, usize)>, usize) {
        let KeyWidths { wanted, longest, .. } = self.key_widths_in(room, rows);
        let mut columns = self.chosen.fitting(room, self.sort.column, wanted);
        let used: usize = columns.iter().map(|(_, wide)| wide + 1).sum();
        let mut left = room.saturating_sub(used);
        let key = columns.first().map_or(0, |(_, wide)| *wide);
        let more = longest.saturating_sub(key).min(left);
        left -= more;
        let is_wide = left >= columns.len() + ROOMY_TREND;
        if is_wide {
            left -= columns.len();
        }
        for (column, wide) in &mut columns {
            match column {
                Column::Key => *wide = (*wide + more).min(room),
                Column::Spark => *wide = (*wide + left).min(MAX_TREND_WIDTH),
                _ => {}
            }
        }
        (columns, if is_wide { 2 } else { 1 })
    }

    /// Sorts by the column whose heading is under the pointer, or reverses its order; says that a
    /// trend has none.
    pub fn click_heading(
        &mut self,
        mouse: MouseEvent,
        layout: &Layout,
        cx: &mut Context,
    ) -> Option<SortJob> {
        let (area, rows) = (layout.table?, layout.table_rows());
        if self.order.is_empty() {
            // A word on why there are no rows stands there.
            return None;
        }
        row_in(layout.table, mouse, 1, layout.heading_rows().into())?;
        let cell = usize::from(mouse.column.checked_sub(area.x + BEFORE_KEY)?);
        let mut end = 0;
        let (columns, blanks) = self.columns_in(layout.table_room(), rows);
        let (column, _) = columns.into_iter().find(|(_, wide)| {
            end += wide + blanks;
            cell < end
        })?;
        if !Sort::columns().any(|known| known == column) {
            cx.say(Tone::Plain, format!("not sorted: a {} has no order", column.name()));
            return None;
        }
        self.sort_by_column(Some(column), rows, self.time(cx))
    }
}
