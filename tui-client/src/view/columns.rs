//! The list in which the columns of the table are chosen, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Clear, Widget};

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::metrics::column::Column;

/// Draws the list in the middle of the screen.
pub fn draw(app: &App, selected: usize, theme: &Theme, screen: Rect, buffer: &mut Buffer) {
    const WIDE: u16 = 52;
    let tall = u16::try_from(Column::ALL.len() + 2).unwrap_or(u16::MAX);
    let area = screen.centered(Constraint::Length(WIDE), Constraint::Length(tall));
    Clear.render(area, buffer);
    let inner = super::pane(theme, true, " columns ", &[], area, buffer);
    if area.bottom() >= screen.bottom() {
        super::status::draw_keys_at_foot(app, theme, area, buffer);
    }
    let chosen = app.table().chosen();
    let rows = usize::from(inner.height);
    // The selected line is always in sight.
    let top = (selected + 1).saturating_sub(rows);
    super::whereabouts(theme, (top, rows, Column::ALL.len()), None, area, buffer);
    for (row, (at, column)) in (0..inner.height).zip(Column::ALL.iter().enumerate().skip(top)) {
        let mark = if chosen.shows(*column) { " [x] " } else { " [ ] " };
        let mut pen = Pen::new(buffer, inner, row);
        pen.write(mark, theme.key)
            .field(column.word(), 12, false, theme.title)
            .write(column.about(), theme.quiet);
        if at == selected {
            let line = Rect { y: inner.y + row, height: 1, ..inner };
            buffer.set_style(line, theme.selected(false));
        }
    }
}
