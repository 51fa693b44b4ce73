//! The top line (connection, polling, size of the answer) and the bottom line (what was just
//! said, else the most useful keys).

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::ascii::key_names;
use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::link::pending::Purpose;
use crate::app::link::{LinkState, SLOW};
use crate::app::prompt::paste::Import;
use crate::keymap::Mode;
use crate::keymap::{self, Hint};
use crate::text::width::width;
use crate::text::{number, time};

/// What is done about a lost connection.
const RETRYING: &str = ", retrying";

/// Draws the top line.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (mark, style, state) = match app.link().state() {
        LinkState::Connecting => ("◌", theme.alert, "connecting".to_owned()),
        LinkState::Connected => ("●", theme.good, "connected".to_owned()),
        LinkState::Waiting { reason, .. } => ("○", theme.bad, reason.clone()),
    };
    let mut pen = Pen::new(buffer, area, 0);
    pen.write(" ", theme.text)
        .write(mark, style)
        .write(" ", theme.text)
        .write(app.link().address(), theme.title)
        .write("  ", theme.text);
    let waiting = waiting(app);
    // The mark says the state, too, where there is no room for both.
    let both = waiting.as_ref().map_or(0, |waiting| width(&state) + 2 + width(waiting));
    if both <= pen.room() {
        pen.write(&state, style);
        pen.write(if waiting.is_some() { "  " } else { "" }, theme.text);
    }
    if matches!(app.link().state(), LinkState::Waiting { .. }) && width(RETRYING) <= pen.room() {
        pen.write(RETRYING, style);
    }
    if let Some(waiting) = waiting {
        pen.write(&waiting, theme.alert);
    } else if let Some(time) = app.link().round_trip().filter(|_| !app.polling().is_paused()) {
        pen.write("  ", theme.text).write(&time::duration(time), theme.text);
    }
    if app.link().is_connected() {
        draw_polling(app, theme, &mut pen);
    }
}

/// How often is asked and what that costs; where there is little room, the less of it.
fn draw_polling(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    let every = time::duration(app.polling().interval());
    let (text, style) = match app.polling().stretched() {
        _ if app.polling().is_paused() => ("paused ".to_owned(), theme.alert),
        // What was wanted, and what a slow server makes of it.
        Some(period) => {
            (format!("every {every}, slowed to {} ", time::duration(period)), theme.alert)
        }
        None => (format!("every {every} "), theme.quiet),
    };
    pen.write_right(&text, style);
    if let Some(cost) = app.polling().cost(app.now().elapsed) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let bytes = number::bytes(cost.bytes as u64);
        pen.write_right(&format!("{:.1} req/s · {bytes}/s ·", cost.requests), theme.quiet);
    }
}

/// A reply that lets itself be waited for.
fn waiting(app: &App) -> Option<String> {
    let oldest = app.link().oldest()?;
    let waited = app.now().elapsed.saturating_sub(oldest.since);
    if waited < SLOW {
        return None;
    }
    let seconds = Duration::from_secs(waited.as_secs());
    let what = match &oldest.purpose {
        Purpose::Watch(key) => key,
        Purpose::Typed(_) | Purpose::Refresh | Purpose::Probe(_) => &oldest.line,
    };
    Some(match oldest.points {
        0 => format!("waiting {} for {what}", time::duration(seconds)),
        points => format!("{} so far of {what}", number::plural(points, "point", "points")),
    })
}

/// Draws the bottom line.
pub fn draw_hints(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    // What is wrong with a line is said in its place, until it is changed.
    let typing = app.mode() == Mode::SeriesInput && app.notice().is_none();
    if typing && super::field::draw(app, theme, area, buffer) {
        return;
    }
    let mut pen = Pen::new(buffer, area, 0);
    if let Some(notice) = app.notice() {
        pen.write(" ", theme.text).write(&notice.text, theme.tone(notice.tone));
        return;
    }
    if let Some(import) = app.paste().import() {
        return draw_import(theme, import, &mut pen);
    }
    // Without a border around the command line, what is said about it stands here.
    if !app.layout().prompt_border
        && let Some((text, style)) = super::input::remark(app, theme)
    {
        pen.write(" ", theme.text).write(&text, style);
        return;
    }
    write_keys(&hints(app, theme, pen.room()), theme, &mut pen);
}

fn write_keys(hints: &[Hint], theme: &Theme, pen: &mut Pen<'_>) {
    let text = super::on_border(theme.text);
    for hint in hints {
        pen.write(" ", text)
            .write(&key_names(theme, hint.keys.clone()), super::on_border(theme.key))
            .write(" ", text)
            .write(hint.word, super::on_border(theme.quiet))
            .write(" ", text);
    }
}

/// Writes the hints for what lies over the bottom line at its foot, with room for the whereabouts
/// beside them.
pub fn draw_keys_at_foot(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    const WHEREABOUTS: usize = 14;
    let below = area.height.saturating_sub(1);
    let mut pen = Pen::new(buffer, super::within_sides(area), below);
    let room = pen.room().saturating_sub(WHEREABOUTS);
    write_keys(&hints(app, theme, room), theme, &mut pen);
}

/// Writes the hints at the right end of the line, beside so many columns; returns what is left.
pub fn draw_keys_beside(
    app: &App,
    theme: &Theme,
    columns: usize,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let room = usize::from(area.width).saturating_sub(columns);
    let hints = hints(app, theme, room);
    let wide: usize = hints.iter().map(|hint| wide(hint, theme)).sum();
    let wide = u16::try_from(wide).unwrap_or(u16::MAX).min(area.width);
    let left = Rect { width: area.width - wide, ..area };
    let right = Rect { x: left.right(), width: wide, ..area };
    write_keys(&hints, theme, &mut Pen::new(buffer, right, 0));
    left
}

/// The columns that a hint takes.
fn wide(hint: &Hint, theme: &Theme) -> usize {
    width(&key_names(theme, hint.keys.clone())) + width(hint.word) + 3
}

/// The hints for so many columns, the vital ones before all others. One that would be cut says
/// less than none.
fn hints(app: &App, theme: &Theme, room: usize) -> Vec<Hint> {
    let typed = !app.prompt().text().is_empty();
    let offered = |hint: &Hint| app.offers(hint.action);
    let mut hints: Vec<_> = keymap::hints(app.mode(), typed).into_iter().filter(offered).collect();
    // The blank behind the last one may be cut.
    let mut left = room + 1;
    for vital in [true, false] {
        let mut full = false;
        hints.retain(|hint| {
            if hint.vital != vital {
                return true;
            }
            full |= wide(hint, theme) > left;
            left -= if full { 0 } else { wide(hint, theme) };
            !full
        });
    }
    hints
}

/// Most cells of a bar.
const BAR: usize = 20;

fn draw_import(theme: &Theme, import: &Import, pen: &mut Pen<'_>) {
    const STOP: (&str, &str) = ("  esc", " stop");
    let done = import.answered.min(import.lines);
    let share = |of: u64| done.saturating_mul(of) / import.lines.max(1);
    let percent = format!(" {} %", share(100));
    let all = number::count(import.lines);
    let lines = format!(" {} of {all}", number::count(done));
    let refused = match import.refused {
        0 => String::new(),
        refused => format!(", {} refused", number::count(refused)),
    };
    let needed = width(&percent) + width(&refused) + width(STOP.0) + width(STOP.1);
    let room = pen.room().saturating_sub(needed);
    pen.write(&percent, theme.text);
    // Where there is little room, how to stop it is worth more than a bar or exact numbers.
    if let Some(bar) = room.checked_sub(width(&lines) + 1).map(|room| room.min(BAR)) {
        let full = "█".repeat(usize::try_from(share(bar as u64)).unwrap_or(0));
        pen.write(" ", theme.text).field(&full, bar, false, theme.plot).write(&lines, theme.text);
    } else if width(&all) + 4 <= room {
        pen.write(&format!(" of {all}"), theme.text);
    }
    pen.write(&refused, theme.bad).write(STOP.0, theme.key).write(STOP.1, theme.quiet);
}
