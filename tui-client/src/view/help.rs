//! The list of keys, over everything else.

use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::canvas::ascii::key_names;
use super::canvas::pen::cells;
use super::canvas::{Canvas, cursor_at, on_border};
use super::hints;
use crate::app::input::overlay::help::{Entry, Help, Line};
use crate::keymap::Mode;
use crate::text::width::{cut, width};

/// The title, before what is typed.
const TITLE: &str = " keyboard: ";

/// Columns of an action that give the idea, beside a remark.
const MIN_TEXT_WIDTH: usize = 20;

/// Draws the list in the middle of the screen and returns the place of the cursor, once something is
/// typed.
pub fn draw(canvas: &mut Canvas<'_>, help: &Help) -> Option<Position> {
    let (theme, screen) = (canvas.theme, canvas.buffer.area);
    let size = (screen.width, screen.height);
    let (columns, rows) = help.shape(size);
    let area = help.area(size);
    let area = canvas.popup_at(Rect::new(area.x, area.y, area.width, area.height));
    let covers_hints = area.bottom() >= screen.bottom();
    if covers_hints {
        // The bottom line may be wider than the list.
        let below = screen.bottom().saturating_sub(1);
        Clear.render(Rect { y: below, height: screen.height.min(1), ..screen }, canvas.buffer);
    }
    let title = match help.query() {
        "" => " keyboard · type what you want to do ".to_owned(),
        query => format!("{TITLE}{query} "),
    };
    let inner = canvas.pane(true, &title, &[], area);
    match canvas.app.notice().filter(|_| covers_hints) {
        // What is said of the chosen line, as on the bottom line that is covered.
        Some(notice) => {
            let mut pen = canvas.foot_pen(area);
            let room = pen.room().saturating_sub(2);
            let brief = notice.brief.as_ref().filter(|_| width(&notice.text) > room);
            let text = cut(brief.unwrap_or(&notice.text), room);
            pen.write(&format!(" {text} "), on_border(theme.tone(notice.tone)));
        }
        None if covers_hints => hints::draw_at_foot(canvas, area),
        None => {}
    }
    let (top, all) = help.position();
    if all == 0 {
        let text = " nothing found; tui-client --help has the options";
        canvas.pen(inner, 0).write(&cut(text, inner.width.into()), theme.quiet);
    }
    canvas.scroll_position((top, rows * columns, all), None, area);
    let share = inner.width / cells(columns);
    // The words for arrows are longer.
    let names = help.visible().take(columns * rows).filter_map(|(line, _)| match line {
        Line::Entry(entry) if theme.ascii => Some(key_names(theme, entry.keys.to_owned())),
        _ => None,
    });
    let keys = names.map(|names| width(&names)).fold(help.key_width(), usize::max);
    for (at, (line, chosen)) in help.visible().take(columns * rows).enumerate() {
        let x = inner.x + cells(at / rows.max(1)) * share;
        let column = Rect { x, width: share, ..inner };
        draw_line(canvas, (help, keys), (line, chosen), (column, cells(at % rows.max(1))));
    }
    let at = width(TITLE) + 1 + help.editor().cursor_column();
    (!help.query().is_empty() && area.height > 0)
        .then(|| cursor_at(Rect { width: area.width.saturating_sub(1), ..area }, at))
}

fn draw_line(
    canvas: &mut Canvas<'_>,
    (help, keys): (&Help, usize),
    (line, chosen): (&Line, bool),
    (area, row): (Rect, u16),
) {
    let theme = canvas.theme;
    match line {
        Line::Heading(text) => {
            canvas.pen(area, row).skip(1).write(text, theme.title);
        }
        Line::Note(subject, meaning) => {
            draw_words(canvas, (help, keys), (subject, meaning), (area, row), "", false);
        }
        Line::Entry(entry) => {
            let (remark, is_possible) = remark(canvas, help, entry, chosen);
            let names = key_names(theme, entry.keys.to_owned());
            draw_words(
                canvas,
                (help, keys),
                (&names, &entry.text),
                (area, row),
                remark,
                !is_possible,
            );
            if chosen {
                canvas.select_row(area, row, false);
            }
        }
    }
}

/// What is said of an action besides, and whether it is possible: where it is performed, if it was
/// looked for, or why it can't be performed, also if it is only chosen.
fn remark(canvas: &Canvas<'_>, help: &Help, entry: &Entry, chosen: bool) -> (&'static str, bool) {
    if help.query().is_empty() && !chosen {
        return ("", true);
    }
    match canvas.app.outcome(entry) {
        Err(why) => (why, false),
        Ok(Some(Mode::Table)) => ("in the table", true),
        Ok(Some(Mode::Watch | Mode::Chart)) => ("in the chart", true),
        Ok(Some(Mode::Log)) => ("in the log", true),
        Ok(Some(Mode::Prompt)) => ("in the command line", true),
        Ok(_) => ("", true),
    }
}

fn draw_words(
    canvas: &mut Canvas<'_>,
    (help, keys): (&Help, usize),
    (names, text): (&str, &str),
    (area, row): (Rect, u16),
    remark: &str,
    quiet: bool,
) {
    let theme = canvas.theme;
    let (key_style, text_style) =
        if quiet { (theme.quiet, theme.quiet) } else { (theme.key, theme.text) };
    let room = usize::from(area.width).saturating_sub(3);
    // On a narrow screen the keys take at most two fifths, and fewer if their text would be cut.
    let keys = keys.min(usize::from(area.width) * 2 / 5);
    let needed = width(text) + if remark.is_empty() { 0 } else { width(remark) + 3 };
    let keys = keys.min(room.saturating_sub(needed).max(width(names)));
    let names = cut(names, keys);
    let mut pen = canvas.pen(area, row);
    pen.skip(1);
    let left = room.saturating_sub(keys);
    if needed <= left || width(remark) + MIN_TEXT_WIDTH <= left {
        pen.write_right(&format!(" {remark} "), theme.quiet);
    }
    pen.write_marked(&names, help.marks(&names), (key_style, theme.found()))
        .skip(keys.saturating_sub(width(&names)) + 2)
        .write_marked(text, help.marks(text), (text_style, theme.found()));
}
