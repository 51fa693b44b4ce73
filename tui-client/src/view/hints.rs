//! Hints at the most useful keys: on the bottom line, beside a typed line, or below a list.

use ratatui::layout::Rect;

use super::canvas::ascii::key_names;
use super::canvas::pen::{Pen, cells};
use super::canvas::{Canvas, on_border};
use super::theme::Theme;
use crate::app::App;
use crate::keymap::{self, Action, Hint};
use crate::text::width::width;

/// Draws the hints on a line of their own.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let hints = fitting(canvas.app, canvas.theme, area.width.into());
    write(&hints, canvas.theme, &mut canvas.pen(area, 0));
}

/// Draws the hints on the lower border of a list that covers the bottom line, with room for the
/// scroll position.
pub fn draw_at_foot(canvas: &mut Canvas<'_>, area: Rect) {
    const SCROLL_POSITION: usize = 14;
    let Canvas { app, theme, .. } = *canvas;
    let mut pen = canvas.foot_pen(area);
    let hints = fitting(app, theme, pen.room().saturating_sub(SCROLL_POSITION));
    write(&hints, theme, &mut pen);
}

/// Draws the hints at the right end of a line, beside so many columns; returns the rest.
pub fn draw_beside(canvas: &mut Canvas<'_>, columns: usize, area: Rect) -> Rect {
    let Canvas { app, theme, .. } = *canvas;
    let hints = fitting(app, theme, usize::from(area.width).saturating_sub(columns));
    let wide: usize = hints.iter().map(|hint| hint_width(hint, theme)).sum();
    let left = Rect { width: area.width.saturating_sub(cells(wide)), ..area };
    write(&hints, theme, canvas.pen(area, 0).skip(left.width.into()));
    left
}

fn write(hints: &[Hint], theme: &Theme, pen: &mut Pen<'_>) {
    let text = on_border(theme.text);
    for hint in hints {
        pen.write(" ", text)
            .write(&key_names(theme, hint.keys.clone()), on_border(theme.key))
            .write(" ", text)
            .write(hint.word, on_border(theme.quiet))
            .write(" ", text);
    }
}

/// The columns of a hint with its blanks.
fn hint_width(hint: &Hint, theme: &Theme) -> usize {
    width(&key_names(theme, hint.keys.clone())) + width(hint.word) + 3
}

/// The hints that fit whole into so many columns, the vital ones before all others.
fn fitting(app: &App, theme: &Theme, room: usize) -> Vec<Hint> {
    let typed = !app.input().prompt.text().is_empty();
    let mut hints = keymap::hints(app.mode(), typed);
    hints.retain(|hint| app.offers(hint.action));
    for hint in &mut hints {
        hint.word = app.hint_word(hint);
        // A screen that stands still says how it goes on.
        hint.vital |= hint.action == Action::TogglePause && app.polling().is_paused();
    }
    // The blank behind the last one may be cut.
    let mut left = room + 1;
    for vital in [true, false] {
        let mut full = false;
        hints.retain(|hint| {
            if hint.vital != vital {
                return true;
            }
            full |= hint_width(hint, theme) > left;
            left -= if full { 0 } else { hint_width(hint, theme) };
            !full
        });
    }
    hints
}
