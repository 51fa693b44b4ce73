//! The list in which the columns of the table are chosen, over everything else.

use super::canvas::Canvas;
use super::hints;
use crate::app::App;
use crate::metrics::column::Column;
use crate::metrics::window::Window;
use crate::text::width::width;

/// Columns of the border, the mark before a name, and a blank at the end.
const AROUND: usize = 8;

/// Columns of the name of a column.
const WORD: usize = 8;

/// Draws the list in the middle of the screen.
pub fn draw(canvas: &mut Canvas<'_>, selected: usize) {
    let Canvas { app, theme, .. } = *canvas;
    let texts = Column::ALL.map(|column| about(app, column));
    let longest = texts.iter().map(|(about, of)| width(about) + width(of)).max();
    let area = canvas.popup(longest.unwrap_or(0) + WORD + AROUND, Column::ALL.len() + 2);
    let inner = canvas.pane(true, " columns ", &[], area);
    if area.bottom() >= canvas.buffer.area.bottom() {
        hints::draw_at_foot(canvas, area);
    }
    let chosen = app.table().chosen();
    let rows = usize::from(inner.height);
    // The selected line is always in view.
    let top = (selected + 1).saturating_sub(rows);
    canvas.scroll_position((top, rows, Column::ALL.len()), None, area);
    let columns = Column::ALL.iter().zip(&texts).enumerate();
    for (row, (at, (column, (about, of)))) in (0..inner.height).zip(columns.skip(top)) {
        let mark = if chosen.shows(*column) { " [x] " } else { " [ ] " };
        canvas
            .pen(inner, row)
            .write(mark, theme.key)
            .field(column.name(), WORD, false, theme.title)
            .write(about, theme.quiet)
            .write(of, theme.quiet);
        if at == selected {
            canvas.select_row(inner, row, false);
        }
    }
}

/// What a column holds, and of which points, as the title of the table says it.
fn about(app: &App, column: Column) -> (&'static str, String) {
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
    (about, of)
}
