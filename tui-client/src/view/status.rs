//! The top line: connection, polling and its cost.

use std::time::Duration;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::canvas::pen::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::link::LinkState;
use crate::app::link::SLOW;
use crate::request::pending::Purpose;
use crate::text::width::width;
use crate::text::{number, time};

/// The remark on a lost connection.
const RETRYING: &str = ", retrying";

/// Draws the top line.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    let (mark, style, state) = match app.link().state() {
        LinkState::Connecting => ("◌", theme.alert, "connecting".to_owned()),
        LinkState::Connected => ("●", theme.good, "connected".to_owned()),
        LinkState::Waiting { reason, .. } => ("○", theme.bad, reason.clone()),
    };
    let mut pen = canvas.pen(area, 0);
    pen.skip(1).write(mark, style).skip(1).write(app.link().address(), theme.title).skip(2);
    let waiting = waiting(app);
    // Where the room is short, the mark alone shows the state.
    let both = waiting.as_ref().map_or(0, |waiting| width(&state) + 2 + width(waiting));
    if both <= pen.room() {
        pen.write(&state, style).skip(if waiting.is_some() { 2 } else { 0 });
    }
    if matches!(app.link().state(), LinkState::Waiting { .. }) && width(RETRYING) <= pen.room() {
        pen.write(RETRYING, style);
    }
    if let Some(waiting) = waiting {
        pen.write(&waiting, theme.alert);
    } else if let Some(time) = app.link().round_trip().filter(|_| !app.polling().is_paused()) {
        pen.skip(2).write(&time::duration(time), theme.text);
    }
    if app.link().is_connected() {
        draw_polling(app, theme, &mut pen);
    }
}

/// Writes the interval of polling and its cost, as far as there is room.
fn draw_polling(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    let every = time::interval(app.polling().interval());
    let (text, style) = match app.polling().stretched() {
        _ if app.polling().is_paused() => ("paused ".to_owned(), theme.alert),
        _ if app.is_live() && app.feed().is_behind() => {
            ("too much to follow ".to_owned(), theme.alert)
        }
        _ if app.is_live() => ("live ".to_owned(), theme.good),
        Some(slowed) => {
            (format!("every {every}, slowed to {} ", time::duration(slowed)), theme.alert)
        }
        None if app.feed().has_selectors() == Some(true) && app.feed().is_recovering() => {
            ("following again ".to_owned(), theme.alert)
        }
        None => (format!("every {every} "), theme.quiet),
    };
    pen.write_right(&text, style);
    if let Some(at) = app.place().at() {
        let (date, ago) = (time::date(at, app.zone()), time::age(at, app.now().unix()));
        pen.write_right(&format!("at {date}, {ago} ago ·"), theme.alert);
    }
    if let Some(cost) = app.polling().cost(app.now().elapsed)
        && !app.polling().is_paused()
    {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let bytes = number::bytes(cost.bytes as u64);
        pen.write_right(&format!("{:.1} req/s · {bytes}/s ·", cost.requests), theme.quiet);
    }
}

/// The oldest request without a reply, if it has waited for long.
fn waiting(app: &App) -> Option<String> {
    let oldest = app.link().oldest()?;
    let waited = app.now().elapsed.saturating_sub(oldest.since);
    if waited < SLOW {
        return None;
    }
    let seconds = Duration::from_secs(waited.as_secs());
    let what = match &oldest.purpose {
        Purpose::Watch(key) => key,
        Purpose::Typed(_)
        | Purpose::Refresh
        | Purpose::Snapshot(_)
        | Purpose::Renewal(_)
        | Purpose::Keys
        | Purpose::AsOf
        | Purpose::Query(_) => &oldest.line,
    };
    Some(match oldest.points {
        0 => format!("waiting {} for {what}", time::duration(seconds)),
        points => format!("{} so far of {what}", number::plural(points, "point", "points")),
    })
}
