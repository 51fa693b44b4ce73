//! The wire log.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::canvas::pen::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::log::Log;
use crate::keymap::Mode;
use crate::text::width::{behind, width};
use crate::text::{number, time};
use crate::wire_log::entry::{Cost, Direction, LogEntry, Remark, Tone};

/// The fewest columns with the time of a line.
const WITH_TIME: u16 = 50;

/// The fewest columns with sizes and durations below each other.
const WITH_COLUMNS: u16 = 76;

/// Draws the lines in view.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    let log = app.log();
    let focused = app.mode() == Mode::Log;
    let inner = canvas.pane(focused, &title(app), &[], area);
    if log.shown() == 0 && log.filter().is_some() && log.percent().is_none() {
        canvas.pen(inner, 0).write(" no line passes the filter.", theme.quiet);
        canvas.pen(inner, 1).write(" & changes it, esc drops it", theme.quiet);
    }
    let selected = log.selected().filter(|_| focused || app.mode() == Mode::LogInput);
    // The line that is nearest to the place in time.
    let place = log
        .selected()
        .filter(|_| app.place().pointed_at().is_some() && begins_later(app).is_none());
    for (row, entry) in (0..inner.height).zip(log.visible(usize::from(inner.height))) {
        draw_entry(canvas, &entry, inner, row);
        if place == Some(entry.number) {
            canvas.point_to_row(inner, row);
        }
        if selected == Some(entry.number) {
            canvas.select_row(inner, row, entry.tone == Tone::Bad);
        }
    }
}

/// The Unix second of the first line, if the place in time is before it.
fn begins_later(app: &App) -> Option<i64> {
    let begin = app.log().begins_at()?.div_euclid(1000);
    app.place().pointed_at().filter(|&at| at < begin).map(|_| begin)
}

fn title(app: &App) -> String {
    let log = app.log();
    let mut parts = vec![if log.is_raw() { " raw log" } else { " log" }.to_owned()];
    if let Some(begin) = begins_later(app) {
        let begin = time::short_moment(begin, app.now().unix(), app.zone());
        parts.push(format!("the log begins {begin}"));
    }
    if let Some(filter) = log.filter() {
        let (shown, all) = (number::count(log.shown()), number::count(log.len()));
        parts.push(format!("&{} {shown} of {all} lines", filter.text()));
    }
    parts.extend(log.search().map(|pattern| format!("/{}", pattern.text())));
    parts.extend(log.percent().map(|percent| format!("searching, {percent} %")));
    if log.shift() > 0 {
        parts.push(format!("from column {}", log.shift() + 1));
    }
    if !log.follows() {
        parts.push(match log.below() {
            0 => "not following".to_owned(),
            below => format!("not following, {} below", number::plural(below, "line", "lines")),
        });
    }
    // A search does not find the dropped lines.
    if log.dropped() > 0 {
        parts.push(format!("{} older dropped", number::count(log.dropped())));
    }
    parts.join(" · ") + " "
}

fn draw_entry(canvas: &mut Canvas<'_>, entry: &LogEntry<'_>, area: Rect, row: u16) {
    let Canvas { app, theme, .. } = *canvas;
    let (arrow, style) = match entry.direction {
        Direction::Out | Direction::Exchange => ("→", theme.sent),
        Direction::In => ("←", theme.received),
        Direction::Note => ("·", theme.quiet),
    };
    let mut pen = canvas.pen(area, row);
    if area.width >= WITH_TIME {
        pen.write(&time::clock(entry.unix_ms, app.zone()), theme.quiet).skip(1);
    }
    pen.write(arrow, style).skip(1);
    // The line takes precedence over the remark.
    let room = pen.room().saturating_sub(width(entry.text));
    let columns = area.width >= WITH_COLUMNS;
    let mut remarks = details(app, entry).into_iter().map(|what| remark(entry, columns, &what));
    if let Some(remark) = remarks.find(|remark| width(remark) < room) {
        pen.write_right(&remark, theme.quiet);
    }
    let text = match (entry.direction, entry.tone) {
        (Direction::Out, _) => theme.sent,
        (_, tone) => theme.tone(tone),
    };
    let (shown, _) = behind(entry.text, app.log().shift());
    write_marked(&mut pen, app.log(), shown, text, theme);
}

/// Writes the text with the matches of the search, or else of the filter, marked in it.
fn write_marked(pen: &mut Pen<'_>, log: &Log, text: &str, style: Style, theme: &Theme) {
    let Some(pattern) = log.search().or(log.filter()) else {
        pen.write(text, style);
        return;
    };
    pen.write_marked(text, pattern.places(text), (style, theme.found()));
}

/// The remark on an entry without its size and duration, in variants from the longest to none.
fn details(app: &App, entry: &LogEntry<'_>) -> Vec<String> {
    let points = match entry.remark {
        None if entry.times == 1 => return Vec::new(),
        Some(Remark::Request { filled: true, .. }) => "time filled in".to_owned(),
        None | Some(Remark::Request { .. } | Remark::Reply(Cost { points: 0, .. })) => {
            String::new()
        }
        Some(Remark::Reply(Cost { points, .. })) => number::plural(points, "point", "points"),
    };
    if entry.times == 1 {
        return vec![points, String::new()];
    }
    let times = format!("×{}", number::count(entry.times.into()));
    let until = time::formatted(entry.until_ms.div_euclid(1000), app.zone(), "%H:%M:%S");
    let until = format!("{times} until {until}");
    vec![format!("{until}  {points}").trim_end().to_owned(), until, times, String::new()]
}

/// The details of an entry with its size and duration.
fn remark(entry: &LogEntry<'_>, columns: bool, what: &str) -> String {
    let (size, took) = match &entry.remark {
        None => return format!("{what} "),
        Some(Remark::Request { bytes, .. }) => (number::bytes(*bytes), String::new()),
        Some(Remark::Reply(cost)) => (number::bytes(cost.bytes), time::duration(cost.took)),
    };
    if columns {
        return format!("{what}  {size:>9}  {took:>8} ").trim_start().to_owned();
    }
    let parts = [what, &size, &took].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}
