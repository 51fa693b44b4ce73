//! The line of a filter, an alert or a key to watch, in the place of the hints.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::line_input::LineInput;
use crate::keymap::Mode;
use crate::text::width::width;

/// The columns of an example that are enough to get the idea.
const LEAST_EXAMPLE: usize = 16;

/// Draws it, if there is one.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> bool {
    let Some(field) = input(app) else {
        return false;
    };
    let text = field.text();
    let fault = field.fault();
    let area = if fault.is_none() {
        // One column for the cursor. The example may be cut, but not the way out.
        let needed = width(&heading(field)) + width(text).max(LEAST_EXAMPLE) + 1;
        super::status::draw_keys_beside(app, theme, needed, area, buffer)
    } else {
        area
    };
    let mut pen = Pen::new(buffer, area, 0);
    pen.write(&heading(field), theme.key);
    if let Some((at, reason)) = &fault {
        let length = text.trim_end().chars().count();
        // Unfinished is not wrong while one is typing.
        let style = if *at >= length { theme.quiet } else { theme.bad };
        pen.write_right(&format!(" {reason} "), style);
    } else if text.is_empty() {
        pen.write(field.example(), theme.quiet);
        return true;
    }
    let first = first(field, area);
    let bad_from = fault.map_or(usize::MAX, |(at, _)| at);
    let mut column = 0;
    for (at, c) in text.chars().enumerate() {
        if column >= first {
            let style = if at >= bad_from { theme.bad } else { theme.text };
            pen.write(c.encode_utf8(&mut [0; 4]), style);
        }
        column += width(c.encode_utf8(&mut [0; 4]));
    }
    true
}

/// Where the cursor belongs.
pub fn cursor(app: &App, area: Rect) -> Option<Position> {
    let field = input(app)?;
    let column =
        width(&heading(field)) + field.editor().cursor_column().saturating_sub(first(field, area));
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    let x = area.x.saturating_add(column).min(area.right().saturating_sub(1));
    (!area.is_empty()).then_some(Position { x, y: area.y })
}

/// The line, if it has its place here.
fn input(app: &App) -> Option<&LineInput> {
    app.input().filter(|input| input.mode() == Mode::SeriesInput)
}

fn heading(field: &LineInput) -> String {
    format!(" {}: ", field.name())
}

fn first(field: &LineInput, area: Rect) -> usize {
    let room = usize::from(area.width).saturating_sub(width(&heading(field)) + 1);
    field.editor().first_column(room)
}
