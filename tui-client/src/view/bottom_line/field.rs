//! The line of a filter, an alert or a key to watch, in place of the hints.

use ratatui::layout::{Position, Rect};

use crate::app::App;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::keymap::Mode;

use crate::text::time;
use crate::text::width::width;
use crate::view::canvas::Canvas;
use crate::view::{hints, input};

/// The columns of an example that give the idea.
const MIN_EXAMPLE_WIDTH: usize = 16;

/// Draws the line; false if there is none.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) -> bool {
    let Canvas { app, theme, .. } = *canvas;
    let Some(line) = line(app) else { return false };
    let (heading, text, fault) = (heading(app, line), line.text(), line.fault());
    let area = if fault.is_none() {
        // One column for the cursor. The example may be cut, but not the hints.
        let needed = width(&heading) + width(text).max(MIN_EXAMPLE_WIDTH) + 1;
        hints::draw_beside(canvas, needed, area)
    } else {
        area
    };
    let mut pen = canvas.pen(area, 0);
    let spans = if let Some((at, reason)) = fault {
        // A line that is not finished is not wrong.
        let unfinished = at >= text.trim_end().chars().count();
        pen.write_right(&format!(" {reason} "), if unfinished { theme.quiet } else { theme.bad });
        let start = text.char_indices().nth(at).map_or(text.len(), |(start, _)| start);
        [(&text[..start], theme.text), (&text[start..], theme.bad)]
    } else if text.is_empty() {
        [(line.example(), theme.quiet), ("", theme.text)]
    } else {
        [(text, theme.text), ("", theme.text)]
    };
    input::draw_line((&heading, theme.key), line.editor(), &spans, area, pen);
    true
}

/// The place of the cursor in the line.
pub fn cursor(app: &App, area: Rect) -> Option<Position> {
    let line = line(app).filter(|_| !area.is_empty())?;
    Some(input::cursor(line.editor(), width(&heading(app, line)), area))
}

/// The line that is typed, if it has its place here.
fn line(app: &App) -> Option<&LineInput> {
    app.input().line().filter(|input| input.mode() == Mode::SeriesInput)
}

fn heading(app: &App, line: &LineInput) -> String {
    match line.purpose() {
        InputPurpose::Mark(Some(at)) => {
            let at = time::short_moment(*at, app.now().unix(), app.zone());
            format!(" mark at {at}: ")
        }
        _ => format!(" {}: ", line.name()),
    }
}
