//! The line of a filter, an alert or a key to watch, in place of the hints.

use ratatui::layout::{Position, Rect};

use crate::app::App;
use crate::app::context::Notice;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::keymap::Mode;

use crate::text::time;
use crate::text::width::width;
use crate::view::canvas::Canvas;
use crate::view::{hints, input};

/// The columns of an example that give the idea.
const MIN_EXAMPLE_WIDTH: usize = 16;

/// Draws the line, with as much of a notice beside it as there is room for; false if there is none.
pub fn draw(canvas: &mut Canvas<'_>, notice: Option<&Notice>, area: Rect) -> bool {
    let Canvas { app, theme, .. } = *canvas;
    let Some(line) = line(app) else { return false };
    let (heading, text, fault) = (heading(app, line), line.text(), line.fault());
    let area = if fault.is_none() && notice.is_none() {
        // One column for the cursor. The example may be cut, but not the hints.
        let needed = width(&heading) + width(text).max(MIN_EXAMPLE_WIDTH) + 1;
        hints::draw_beside(canvas, needed, area)
    } else {
        area
    };
    let example = if text.is_empty() { app.example(line) } else { String::new() };
    let mut pen = canvas.pen(area, 0);
    // What is typed comes before what is said: as many words as there is room for.
    let room = pen.room().saturating_sub(width(&heading) + width(text) + 3);
    if let Some(notice) = notice {
        pen.write_right(&words_within(&notice.text, room), theme.tone(notice.tone));
    }
    let spans = if let Some((at, reason)) = fault {
        // A line that is not finished is not wrong.
        let unfinished = at >= text.trim_end().chars().count();
        let style = if unfinished { theme.quiet } else { theme.bad };
        if notice.is_none() {
            pen.write_right(&words_within(&reason, room), style);
        }
        let start = text.char_indices().nth(at).map_or(text.len(), |(start, _)| start);
        [(&text[..start], theme.text), (&text[start..], theme.bad)]
    } else if text.is_empty() {
        [(&*example, theme.quiet), ("", theme.text)]
    } else if line.is_selected() {
        [(text, theme.selection), ("", theme.text)]
    } else {
        [(text, theme.text), ("", theme.text)]
    };
    input::draw_line((&heading, theme.key), line.editor(), &spans, area, pen);
    true
}

/// As many of the first words as fit, between blanks; nothing if that is no more than one.
fn words_within(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return format!(" {text} ");
    }
    let ends = text.match_indices(' ').map(|(end, _)| text[..end].trim_end_matches([',', ';']));
    let fitting = ends.take_while(|words| width(words) <= columns).last();
    let several = fitting.filter(|words| words.contains(' '));
    several.map_or(String::new(), |words| format!(" {words} "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_cut_between_words() {
        let reason = "no time: such as -2h, 14:30, yesterday 9:00";
        for (columns, shown) in [
            (43, " no time: such as -2h, 14:30, yesterday 9:00 "),
            (42, " no time: such as -2h, 14:30, yesterday "),
            (27, " no time: such as -2h, 14:30 "),
            (20, " no time: such as -2h "),
            (5, ""),
        ] {
            assert_eq!(words_within(reason, columns), shown);
        }
    }
}
