//! The command line.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthChar;

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::mode::Mode;

/// Draws it and says where the cursor belongs.
pub fn draw(
    app: &App,
    theme: &Theme,
    area: Rect,
    border: bool,
    buffer: &mut Buffer,
) -> Option<Position> {
    let focused = app.mode() == Mode::Prompt;
    let field = if border {
        let block = super::pane(theme, focused, Line::styled(" request ", theme.title));
        let inner = block.inner(area);
        block.render(area, buffer);
        inner
    } else {
        area
    };
    if field.is_empty() {
        return None;
    }
    let mark = if focused { theme.focus } else { theme.quiet };
    let mut pen = Pen::new(buffer, field, 0);
    pen.write("> ", mark);
    let room = pen.room();
    let prompt = app.prompt();
    if prompt.text().is_empty() {
        pen.write("get *   put palm.cpu 23.7", theme.quiet);
    }
    // One column stays free for the cursor behind the last character.
    let first = prompt.first_column(room.saturating_sub(1));
    pen.write(visible(prompt.text(), first), theme.text);
    let column = prompt.cursor_column().saturating_sub(first) + 2;
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    Some(Position {
        x: field.x.saturating_add(column).min(field.right().saturating_sub(1)),
        y: field.y,
    })
}

/// The text from a column on.
fn visible(text: &str, first: usize) -> &str {
    let mut column = 0;
    for (at, c) in text.char_indices() {
        if column >= first {
            return &text[at..];
        }
        column += c.width().unwrap_or(0);
    }
    ""
}
