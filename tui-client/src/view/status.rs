//! The top line (connection, polling, size of the answer) and the bottom line (what was just
//! said, else the most useful keys).

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Pen, width};
use super::theme::Theme;
use crate::app::link::{Purpose, State};
use crate::app::mode::Mode;
use crate::app::paste::Import;
use crate::app::{App, SLOW, format};
use crate::keymap::{self, Hint};

/// Draws the top line.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (mark, style, state) = match app.link().state() {
        State::Connecting => ("◌", theme.alert, "connecting".to_owned()),
        State::Connected => ("●", theme.good, "connected".to_owned()),
        State::Waiting { reason, .. } => ("○", theme.bad, format!("{reason}, retrying")),
    };
    let mut pen = Pen::new(buffer, area, 0);
    pen.write(" ", theme.text)
        .write(mark, style)
        .write(" ", theme.text)
        .write(app.address(), theme.title)
        .write("  ", theme.text)
        .write(&state, style);
    if let Some(waiting) = waiting(app) {
        pen.write("  ", theme.text).write(&waiting, theme.alert);
    } else if let Some(time) = app.link().round_trip() {
        pen.write("  ", theme.text).write(&format::took(time), theme.text);
    }
    if app.link().is_connected() {
        draw_polling(app, theme, &mut pen);
    }
}

/// How often is asked and what that costs; where there is little room, the less of it.
fn draw_polling(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    let every = format::interval(app.interval());
    let (text, style) = match app.stretched() {
        _ if app.watch().paused() => (format!("watch paused · every {every} "), theme.alert),
        _ if !app.auto() && app.watch().is_empty() => ("auto-refresh off ".to_owned(), theme.quiet),
        // What was wanted, and what a slow server makes of it.
        Some(period) => {
            (format!("every {every}, slowed to {} ", format::took(period)), theme.alert)
        }
        None => (format!("every {every} "), theme.quiet),
    };
    pen.write_right(&text, style);
    if let Some(cost) = app.cost() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let bytes = format::bytes(cost.bytes as u64);
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
        Purpose::Typed | Purpose::Refresh | Purpose::Probe(_) => &oldest.line,
    };
    Some(match oldest.points {
        0 => format!("waiting {} for {what}", format::interval(seconds)),
        points => format!("{} so far of {what}", format::plural(points, "point", "points")),
    })
}

/// Draws the bottom line.
pub fn draw_hints(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    // What is wrong with a line is said in its place, until it is changed.
    let typing = app.mode() == Mode::Field && app.notice().is_none();
    if typing && super::field::draw(app, theme, area, buffer) {
        return;
    }
    let mut pen = Pen::new(buffer, area, 0);
    if let Some(notice) = app.notice() {
        pen.write(" ", theme.text).write(&notice.text, theme.tone(notice.tone));
        return;
    }
    if let Some(import) = app.import() {
        return draw_import(theme, import, &mut pen);
    }
    // Without a border around the command line, what is said about it stands here.
    if !app.layout().prompt_border
        && let Some((text, style)) = super::input::remark(app, theme)
    {
        pen.write(" ", theme.text).write(&text, style);
        return;
    }
    let room = pen.room();
    for (key, hint) in hints(app.mode(), room) {
        pen.write(" ", theme.text)
            .write(&key, theme.key)
            .write(" ", theme.text)
            .write(hint.word, theme.quiet)
            .write(" ", theme.text);
    }
}

/// The hints for so many columns, the vital ones before all others. One that would be cut says
/// less than none.
fn hints(mode: Mode, room: usize) -> Vec<(String, Hint)> {
    let wide = |(key, hint): &(String, Hint)| width(key) + width(hint.word) + 3;
    let mut hints: Vec<_> = keymap::hints(mode).collect();
    // The blank behind the last one may be cut.
    let mut left = room + 1;
    for vital in [true, false] {
        let mut full = false;
        hints.retain(|hint| {
            if hint.1.vital != vital {
                return true;
            }
            full |= wide(hint) > left;
            left -= if full { 0 } else { wide(hint) };
            !full
        });
    }
    hints
}

/// Most cells of a bar.
const BAR: usize = 20;

fn draw_import(theme: &Theme, import: &Import, pen: &mut Pen<'_>) {
    let done = import.answered.min(import.lines);
    let share = |of: u64| done.saturating_mul(of) / import.lines.max(1);
    let bar = BAR.min(pen.room() / 8);
    let full = "█".repeat(usize::try_from(share(bar as u64)).unwrap_or(0));
    let (done, all) = (format::count(done), format::count(import.lines));
    pen.write(&format!(" {} % ", share(100)), theme.text)
        .field(&full, bar, false, theme.plot)
        .write(&format!(" {done} of {all}"), theme.text);
    if import.refused > 0 {
        pen.write(&format!(", {} refused", format::count(import.refused)), theme.bad);
    }
    if pen.room() > width("  esc stop") {
        pen.write("  esc", theme.key).write(" stop", theme.quiet);
    }
}
