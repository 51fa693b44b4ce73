//! The bottom line: a line that is typed there, the last notice, the progress of an import, or
//! hints at the most useful keys.

pub mod field;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::canvas::pen::Pen;
use super::theme::Theme;
use super::{hints, input};
use crate::app::input::prompt::paste::Import;
use crate::keymap::Mode;
use crate::text::number;
use crate::text::width::{cut, cut_in_the_middle, end_of, width, with_short_words};

/// The most columns of the progress bar.
const MAX_BAR_WIDTH: usize = 20;

/// The columns of a name of a file in which its end can be read.
const MIN_NAME: usize = 16;

/// Draws the bottom line.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    // What comes by itself does not cover what is typed.
    let beside = app.notice().filter(|notice| !notice.is_answer);
    if beside.is_some() && app.mode() == Mode::SeriesInput && field::draw(canvas, beside, area) {
        return;
    }
    if let Some(notice) = app.notice() {
        let mut pen = canvas.pen(area, 0);
        let style = theme.tone(notice.tone);
        let room = pen.skip(1).room();
        match notice.name_at.and_then(|at| notice.text.split_at_checked(at)) {
            _ if notice.completions => pen.write(&notice.text, style),
            Some((before, name)) => {
                // The name is what is needed next.
                let is_long = width(before) + width(name) > room;
                let before = notice.brief.as_deref().filter(|_| is_long).unwrap_or(before);
                let (all, left) = (width(name), room.saturating_sub(width(before)));
                if left < MIN_NAME.min(all) {
                    let needed = all.min(room / 2);
                    pen.write(&cut(before, room.saturating_sub(needed)), style);
                    pen.write(&end_of(name, needed), style)
                } else {
                    pen.write(before, style);
                    let room = pen.room();
                    pen.write(&cut_in_the_middle(name, room), style)
                }
            }
            None => {
                let brief = notice.brief.as_ref().filter(|_| width(&notice.text) > room);
                pen.write(&with_short_words(brief.unwrap_or(&notice.text), room), style)
            }
        };
        return;
    }
    if app.mode() == Mode::SeriesInput && field::draw(canvas, None, area) {
        return;
    }
    if let Some(import) = app.input().paste.import() {
        draw_import(theme, import, &mut canvas.pen(area, 0));
        return;
    }
    // The remark on the command line has its place here if the line has no border.
    if !app.layout().prompt_border
        && let Some((text, style)) = input::remark(app, theme)
    {
        canvas.pen(area, 0).skip(1).write(&text, style);
        return;
    }
    hints::draw(canvas, area);
}

fn draw_import(theme: &Theme, import: &Import, pen: &mut Pen<'_>) {
    const STOP: (&str, &str) = ("  esc", " stop");
    let done = import.news.answered.min(import.lines);
    let share = |of: u64| done.saturating_mul(of) / import.lines.max(1);
    let percent = format!(" {} %", share(100));
    let all = number::count(import.lines);
    let lines = format!(" {} of {all}", number::count(done));
    let refused = match import.news.refused {
        0 => String::new(),
        refused => format!(", {} refused", number::count(refused)),
    };
    let needed = width(&percent) + width(&refused) + width(STOP.0) + width(STOP.1);
    let room = pen.room().saturating_sub(needed);
    pen.write(&percent, theme.text);
    // How to stop the import takes precedence over the bar and exact numbers.
    if let Some(bar) = room.checked_sub(width(&lines) + 1).map(|room| room.min(MAX_BAR_WIDTH)) {
        let full = "█".repeat(usize::try_from(share(bar as u64)).unwrap_or(0));
        pen.skip(1).field(&full, bar, false, theme.plot).write(&lines, theme.text);
    } else if width(&all) + 4 <= room {
        pen.write(&format!(" of {all}"), theme.text);
    }
    pen.write(&refused, theme.bad).write(STOP.0, theme.key).write(STOP.1, theme.quiet);
}
