//! The list in which the columns of the table are chosen, over everything else.

use super::canvas::Canvas;
use super::hints;
use crate::metrics::column::Column;

/// Columns of the list with its border.
const WIDTH: usize = 52;

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
        let mark = if chosen.shows(*column) { " [x] " } else { " [ ] " };
        canvas
            .pen(inner, row)
            .write(mark, theme.key)
            .field(column.word(), 12, false, theme.title)
            .write(column.about(), theme.quiet);
        if at == selected {
            canvas.select_row(inner, row, false);
        }
    }
}
