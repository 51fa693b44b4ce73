//! The table of the last `get`. Columns go, the least important first, where there is no room.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use shared::Key;

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::keymap;
use crate::keymap::Action;
use crate::keymap::Mode;
use crate::metrics::column::{Column, ColumnKind};
use crate::metrics::series::Series;
use crate::metrics::sparkline::sparkline;
use crate::metrics::watch_plan::Extension;
use crate::request::plausible::NO_GLOBS;
use crate::text::width::width;
use crate::text::{number, time};

/// The most columns for the key.
const MAX_KEY_WIDTH: usize = 48;

/// The most columns for the trend.
const MAX_TREND_WIDTH: usize = 48;

/// Draws the table.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let table = app.table();
    let filtering = matches!(app.input().map(LineInput::purpose), Some(InputPurpose::Filter(_)));
    let focused = matches!(app.mode(), Mode::Table | Mode::Columns)
        || (app.mode() == Mode::SeriesInput && filtering);
    let mut remarks = Vec::new();
    if table.arranging() {
        remarks.push(("· sorting … ".to_owned(), theme.title));
    }
    let inner = super::pane(theme, focused, &title(app), &remarks, area, buffer);
    if inner.is_empty() {
        return;
    }
    let rows = usize::from(inner.height.saturating_sub(1));
    draw_foot(app, theme, rows, area, buffer);
    if table.rows() == 0 {
        return draw_empty(app, theme, inner, buffer);
    }
    let first = table.first(rows);
    let longest = table.visible(rows).map(|series| width(series.key.as_str())).max();
    // One column on the left is for marks.
    let room = usize::from(inner.width.saturating_sub(1));
    let columns = columns(app, room, longest.unwrap_or(0));
    draw_heading(app, theme, &columns, inner, buffer);
    for (row, series) in (1..).zip(table.visible(rows)) {
        let chosen = first + usize::from(row) - 1 == table.selected();
        let alarm = draw_row(app, theme, series, &columns, (inner, row), buffer);
        if focused && chosen {
            let line = Rect { y: inner.y + row, height: 1, ..inner };
            buffer.set_style(line, theme.selected(alarm));
        }
    }
}

fn title(app: &App) -> String {
    let table = app.table();
    let mut title = format!(" {} ", table.request());
    if table.loaded() {
        let all = table.answer().series.len();
        let series = number::plural(all as u64, "key", "keys");
        let points = number::plural(table.answer().points, "point", "points");
        title = match table.filter() {
            Some(filter) => {
                let shown = number::count(table.rows() as u64);
                format!("{title}· {shown} of {series} · {} ", filter.as_str())
            }
            None => format!("{title}· {series} · {points} "),
        };
    }
    title
}

/// What does not fit into the title: where in the table one is, and lines that are no points.
fn draw_foot(app: &App, theme: &Theme, rows: usize, area: Rect, buffer: &mut Buffer) {
    let table = app.table();
    let mut area = area;
    if table.answer().malformed > 0 {
        let lines = number::plural(table.answer().malformed, "line", "lines");
        let text = format!(" {lines} are no points ");
        let mut pen = Pen::new(buffer, super::within_sides(area), area.height.saturating_sub(1));
        pen.write_right(&text, super::on_border(theme.bad));
        let left = pen.room() + 2;
        area.width = area.width.min(u16::try_from(left).unwrap_or(u16::MAX));
    }
    let shown = (table.first(rows), rows, table.rows());
    super::whereabouts(theme, shown, Some(table.selected()), area, buffer);
}

fn draw_empty(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for (row, line) in (0..).zip(&empty(app)) {
        Pen::new(buffer, area, row).write(" ", theme.text).write(line, theme.quiet);
    }
}

/// Why there are no rows, and what to do about it.
fn empty(app: &App) -> Vec<Cow<'static, str>> {
    const ALL: Cow<'static, str> = Cow::Borrowed("all keys: get *, or * in the table");
    if !app.table().answer().series.is_empty() {
        return vec![
            "no key passes the filter.".into(),
            "/ changes it; empty, it passes all".into(),
        ];
    }
    if !app.link().is_connected() {
        return vec!["no data yet: not connected".into()];
    }
    if !app.table().loaded() {
        return vec!["asking …".into()];
    }
    let Some(selector) = app.table().narrowed() else {
        return vec![
            "no points yet. Type a request below, such as".into(),
            "  put palm.cpu 23.7".into(),
        ];
    };
    let is_key = Key::new(selector).is_ok();
    let knows = if is_key { Extension::Known } else { app.polling().extension() };
    match knows {
        Extension::Known => vec![format!("no points for {selector}.").into(), ALL],
        Extension::Unknown | Extension::Asked => {
            vec![format!("no points for {selector}, or {NO_GLOBS}.").into(), ALL]
        }
        Extension::Missing => {
            let watch = keymap::key_of(Mode::Table, Action::AddWatch);
            vec![format!("{NO_GLOBS}.").into(), format!("{watch} watches {selector}").into(), ALL]
        }
    }
}

fn draw_heading(
    app: &App,
    theme: &Theme,
    columns: &[(Column, usize)],
    area: Rect,
    buffer: &mut Buffer,
) {
    let sort = app.table().sort();
    let arrow = if sort.descending { "▼" } else { "▲" };
    let sorted = theme.key.add_modifier(Modifier::BOLD);
    let mut pen = Pen::new(buffer, area, 0);
    let corner = if sort.column.is_none() && sort.descending { arrow } else { " " };
    pen.write(corner, theme.key);
    for &(column, wide) in columns {
        let (name, style) = match (sort.column == Some(column), column.is_number()) {
            (false, _) => (column.name().to_owned(), theme.quiet),
            (true, true) => (format!("{arrow}{}", column.name()), sorted),
            (true, false) => (format!("{}{arrow}", column.name()), sorted),
        };
        pen.field(&name, wide, column.is_number(), style);
        pen.write(" ", theme.text);
    }
}

/// Draws a row; says whether an alert fires for it.
fn draw_row(
    app: &App,
    theme: &Theme,
    series: &Series,
    columns: &[(Column, usize)],
    (area, row): (Rect, u16),
    buffer: &mut Buffer,
) -> bool {
    let now = app.now().unix();
    let alarm = app.alerts().alerts().any(|alert| alert.fires(series, now));
    let late = series.is_stale(now);
    let (mark, base) = match (alarm, late) {
        (true, _) => ("!", theme.bad),
        (false, true) => ("·", theme.quiet),
        (false, false) => (" ", theme.text),
    };
    let mut pen = Pen::new(buffer, area, row);
    pen.write(mark, base);
    for &(column, wide) in columns {
        let last = series.last.timestamp;
        let well = |style| if alarm || late { base } else { style };
        let (text, style) = match column.kind() {
            ColumnKind::Key => (series.key.as_str().to_owned(), base),
            ColumnKind::Stored(of) => {
                let style = if column == Column::Last { well(theme.title) } else { base };
                (number::value(of(series), wide), style)
            }
            ColumnKind::Difference(_) => change(column.number(series, now), wide, theme, base),
            ColumnKind::Mean => (number::mean(series.mean, wide), base),
            ColumnKind::Count => (number::count(series.count), base),
            ColumnKind::Age => {
                let style = if late && !alarm { theme.alert } else { base };
                (time::short_age(last, now), style)
            }
            ColumnKind::Time => (time::date(last, app.zone()), theme.quiet),
            ColumnKind::Trend => (sparkline(series, wide), well(theme.plot)),
        };
        pen.field(&text, wide, column.is_number(), style).write(" ", theme.text);
    }
    alarm
}

/// A difference; none and zero are quiet, so that what moves is seen.
fn change(by: Option<f64>, wide: usize, theme: &Theme, base: Style) -> (String, Style) {
    match by {
        None => ("–".to_owned(), theme.quiet),
        Some(0.0) => ("0".to_owned(), theme.quiet),
        Some(by) => (number::change(by, wide), base),
    }
}

/// The columns that fit. What is left over goes to the key as far as it needs it, then to the
/// trend.
fn columns(app: &App, room: usize, longest_key: usize) -> Vec<(Column, usize)> {
    let table = app.table();
    let mut columns = table.chosen().fitting(room, table.sort().column);
    let used: usize = columns.iter().map(|(_, wide)| wide + 1).sum();
    let mut left = room.saturating_sub(used);
    let key = columns.first().map_or(0, |(_, wide)| *wide);
    let more = longest_key.min(MAX_KEY_WIDTH).saturating_sub(key).min(left);
    left -= more;
    for (column, wide) in &mut columns {
        match column {
            Column::Key => *wide = (*wide + more).min(room),
            Column::Spark => *wide = (*wide + left).min(MAX_TREND_WIDTH),
            _ => {}
        }
    }
    columns
}
