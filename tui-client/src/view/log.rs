//! The wire log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::log::Log;
use crate::app::log::entry::{Cost, Direction, LogEntry, Remark, Tone};
use crate::keymap::Mode;
use crate::text::width::{behind, width};
use crate::text::{number, time};

/// Below this many columns the time is left out.
const WITH_TIME: u16 = 50;

/// From this many columns on, sizes and times stand in columns.
const WITH_COLUMNS: u16 = 76;

/// Draws the lines in view.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let log = app.log();
    let focused = app.mode() == Mode::Log;
    let inner = super::pane(theme, focused, &title(app), &[], area, buffer);
    if log.shown() == 0 && log.filter().is_some() && log.percent().is_none() {
        let lines = [" no line passes the filter.", " & changes it, esc drops it"];
        for (row, line) in (0..).zip(lines) {
            Pen::new(buffer, inner, row).write(line, theme.quiet);
        }
    }
    let selected = log.selected().filter(|_| focused || app.mode() == Mode::LogInput);
    for (row, entry) in (0..inner.height).zip(log.visible(usize::from(inner.height))) {
        draw_entry(app, theme, &entry, inner, row, buffer);
        if selected == Some(entry.number) {
            let line = Rect { y: inner.y + row, height: 1, ..inner };
            buffer.set_style(line, theme.selected(entry.tone == Tone::Bad));
        }
    }
}

fn title(app: &App) -> String {
    let log = app.log();
    let mut parts = vec![if app.log().is_raw() { " raw log" } else { " log" }.to_owned()];
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
    // What is gone is searched for in vain.
    if log.dropped() > 0 {
        parts.push(format!("{} older dropped", number::count(log.dropped())));
    }
    parts.join(" · ") + " "
}

fn draw_entry(
    app: &App,
    theme: &Theme,
    entry: &LogEntry<'_>,
    area: Rect,
    row: u16,
    buffer: &mut Buffer,
) {
    let (arrow, style) = match entry.direction {
        Direction::Out => ("→", theme.sent),
        Direction::In => ("←", theme.received),
        Direction::Note => ("·", theme.quiet),
    };
    let mut pen = Pen::new(buffer, area, row);
    if area.width >= WITH_TIME {
        pen.write(&time::clock(entry.unix_ms, app.zone()), theme.quiet).write(" ", theme.text);
    }
    pen.write(arrow, style).write(" ", theme.text);
    // The line itself comes first where there is no room for both.
    let room = pen.room().saturating_sub(width(entry.text));
    let columns = area.width >= WITH_COLUMNS;
    let besides = besides(app, entry).into_iter().chain([String::new()]);
    let mut wanted = besides.map(|what| remark(entry, columns, &what));
    if let Some(remark) = wanted.find(|remark| width(remark) < room) {
        pen.write_right(&remark, theme.quiet);
    }
    let text = match (entry.direction, entry.tone) {
        (Direction::Out, _) => theme.sent,
        (_, tone) => theme.tone(tone),
    };
    let (shown, _) = behind(entry.text, app.log().shift());
    write_marked(&mut pen, app.log(), shown, text, theme);
}

/// Writes the text with what is searched for, and what the lines are chosen by, marked in it.
fn write_marked(pen: &mut Pen<'_>, log: &Log, text: &str, style: Style, theme: &Theme) {
    let Some(pattern) = log.search().or(log.filter()) else {
        pen.write(text, style);
        return;
    };
    let marked = theme.alert.add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
    let mut from = 0;
    for place in pattern.places(text) {
        if pen.room() == 0 {
            break;
        }
        pen.write(&text[from..place.start], style).write(&text[place.clone()], marked);
        from = place.end;
    }
    pen.write(&text[from..], style);
}

/// What is known besides size and time: all of it, then less.
fn besides(app: &App, entry: &LogEntry<'_>) -> Vec<String> {
    let points = match entry.remark {
        None => return Vec::new(),
        Some(Remark::Request { filled: true, .. }) => "time filled in".to_owned(),
        Some(Remark::Request { .. } | Remark::Reply(Cost { points: 0, .. })) => String::new(),
        Some(Remark::Reply(Cost { points, .. })) => number::plural(points, "point", "points"),
    };
    if entry.times == 1 {
        return vec![points];
    }
    let times = format!("×{}", number::count(entry.times.into()));
    let until = time::formatted(entry.until_ms.div_euclid(1000), app.zone(), "%H:%M:%S");
    let until = format!("{times} until {until}");
    vec![format!("{until}  {points}").trim_end().to_owned(), until, times]
}

/// Size and time behind what else is known.
fn remark(entry: &LogEntry<'_>, columns: bool, what: &str) -> String {
    let (size, took) = match &entry.remark {
        None => return String::new(),
        Some(Remark::Request { bytes, .. }) => (number::bytes(*bytes), String::new()),
        Some(Remark::Reply(cost)) => (number::bytes(cost.bytes), time::duration(cost.took)),
    };
    if columns {
        return format!("{what}  {size:>9}  {took:>8} ").trim_start().to_owned();
    }
    let parts = [what, &size, &took].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}
