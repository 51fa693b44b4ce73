//! The list in which the columns of the table are chosen, over everything else.

use super::canvas::Canvas;
use super::hints;
use crate::metrics::column::Column;
use crate::metrics::window::Window;

/// Columns of the list with its border.
const WIDTH: usize = 48;

/// Columns of the name of a column.
const WORD: usize = 8;

/// Draws the list in the middle of the screen.
pub fn draw(canvas: &mut Canvas<'_>, selected: usize) {
    let Canvas { app, theme, .. } = *canvas;
    let area = canvas.popup(WIDTH, Column::ALL.len() + 2);
    let inner = canvas.pane(true, " columns ", &[], area);
    if area.bottom() >= canvas.buffer.area.bottom() {
        hints::draw_at_foot(canvas, area);
    }
    let chosen = app.table().chosen();
    let rows = usize::from(inner.height);
    // The selected line is always in view.
    let top = (selected + 1).saturating_sub(rows);
    canvas.scroll_position((top, rows, Column::ALL.len()), None, area);
    for (row, (at, column)) in (0..inner.height).zip(Column::ALL.iter().enumerate().skip(top)) {
        // As the title of the table says it.
        let of = match app.table().shown_window() {
            _ if !column.is_of_window() => String::new(),
            Window::All if app.table().is_live() => " of all time".to_owned(),
            window if app.table().is_live() => format!(" of the last {}", window.name()),
            _ if matches!(column, Column::Count | Column::Spark) => String::new(),
            _ => " of all points".to_owned(),
        };
        let about = match column {
            Column::Count if !of.is_empty() => "points",
            Column::Spark if !of.is_empty() => "the values",
            column => column.about(),
        };
        let mark = if chosen.shows(*column) { " [x] " } else { " [ ] " };
        canvas
            .pen(inner, row)
            .write(mark, theme.key)
            .field(column.word(), WORD, false, theme.title)
            .write(about, theme.quiet)
            .write(&of, theme.quiet);
        if at == selected {
            canvas.select_row(inner, row, false);
        }
    }
}
