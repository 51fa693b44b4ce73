//! Series over time in braille dots, with both axes, a legend and what the cursor reads.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::chart::{self, Chart};
use crate::app::watch::Watched;
use crate::text::units::{self, Unit};
use crate::text::width::{cut, width};
use crate::text::{number, time};

/// Everything that a plot is made of; as long as it is the same, so is the plot.
#[derive(Debug, PartialEq)]
struct Basis {
    /// The keys in view, and which of their answers.
    keys: Vec<(String, u64)>,
    range: (i64, i64),
    log: bool,
    cursor: Option<i64>,
    thresholds: Vec<f64>,
    size: (u16, u16),
}

/// The last plot. To make one takes longer than all the rest of a frame, and most frames show the
/// same one again.
#[derive(Debug, Default)]
pub struct Memo(Option<(Basis, Chart)>);

impl Memo {
    fn chart(&mut self, basis: Basis, app: &App) -> &Chart {
        let last = self.0.take().filter(|(last, _)| *last == basis);
        let (_, chart) = self.0.insert(last.unwrap_or_else(|| {
            let chart = app.chart(basis.size.0, basis.size.1);
            (basis, chart)
        }));
        chart
    }
}

/// Draws the chart of the selected key and the marked ones.
pub fn draw(app: &App, theme: &Theme, memo: &mut Memo, area: Rect, buffer: &mut Buffer) {
    let charted: Vec<&Watched> = app.watch().in_chart().collect();
    let Some(bounds) = app.watch().chart_bounds() else {
        return;
    };
    let (legend, rows) = chart::rows(area.height);
    let basis = Basis {
        keys: charted.iter().map(|key| (key.key.clone(), key.revision)).collect(),
        range: app.watch().viewport().range(bounds),
        log: app.watch().viewport().log,
        cursor: app.watch().viewport().cursor(),
        thresholds: app.watch().thresholds(app.alerts()),
        size: (area.width, area.height),
    };
    let whole = area;
    let area = Rect { y: area.y + legend, height: area.height - legend, ..area };
    let chart = memo.chart(basis, app);
    let labels = chart.labels;
    for tick in chart.values.iter().filter(|_| labels > 0) {
        let row = u16::try_from(tick.at).unwrap_or(u16::MAX);
        let label = Rect { width: labels, ..area };
        Pen::new(buffer, label, row).field(&tick.label, labels.into(), true, theme.quiet);
    }
    let plot = Rect { x: area.x + labels, width: area.width - labels, ..area };
    draw_plot(chart, theme, Rect { height: rows, ..plot }, buffer);
    for &(row, value) in &chart.thresholds {
        draw_threshold(row, value, labels, theme, area, buffer);
    }
    draw_times(chart, plot, rows, theme, buffer);
    if chart.values.is_empty() && rows > 0 {
        let inside = Rect { x: plot.x + 1, width: plot.width - 1, ..plot };
        let text = if chart.not_positive > 0 { "no values above 0" } else { "no points here" };
        Pen::new(buffer, inside, rows / 2).write("  ", theme.text).write(text, theme.quiet);
    }
    let top = Rect { height: legend, ..whole };
    draw_legend(app, theme, &charted, chart, top, buffer);
}

/// The style of a line: the theme's own for the first, then others that differ from it.
pub fn line_style(theme: &Theme, line: usize) -> Style {
    const OTHERS: [Color; 5] =
        [Color::Magenta, Color::Yellow, Color::Green, Color::Blue, Color::LightRed];
    let Some(at) = line.checked_sub(1) else {
        return theme.plot;
    };
    match theme.plot.fg {
        Some(_) => Style::new().fg(OTHERS[at % OTHERS.len()]),
        None if at.is_multiple_of(2) => theme.plot.add_modifier(Modifier::DIM),
        None => theme.plot.add_modifier(Modifier::BOLD),
    }
}

/// A key in the legend, with its line and its value.
struct Entry<'a> {
    line: usize,
    key: &'a str,
    value: String,
}

impl Entry<'_> {
    /// Columns besides those of the key.
    fn around(&self) -> usize {
        width(&self.value) + 4
    }
}

/// Each line with its value: the newest, or where there is a cursor exactly what that reads.
fn draw_legend(
    app: &App,
    theme: &Theme,
    charted: &[&Watched],
    chart: &Chart,
    area: Rect,
    buffer: &mut Buffer,
) {
    /// Room that is enough for the legend, whatever is in it.
    const LEAST: usize = 40;
    /// Room in which a value may have its size beside it.
    const ROOMY: u16 = 60;
    // One that time has left behind reads nothing.
    let cursor = app.watch().viewport().cursor().filter(|_| chart.cursor.is_some());
    let entries = charted.iter().enumerate().filter_map(|(line, key)| {
        let (series, unit) = (key.series.as_ref()?, Unit::of(&key.key));
        let read = chart.read.get(line).copied().flatten();
        let value = match cursor {
            Some(_) => read.map_or("–".to_owned(), |point| match area.width {
                ..ROOMY => number::exact(point.value),
                _ => units::exact(point.value, unit),
            }),
            None => units::short(series.last.value, unit),
        };
        Some(Entry { line, key: &key.key, value })
    });
    let entries: Vec<Entry<'_>> = entries.collect();
    let mut pen = Pen::new(buffer, area, 0);
    let (when, crowd) = reading(app, chart, entries.first(), pen.room());
    let ends = width(&when) + width(&crowd);
    let first = entries.first().map_or(0, |first| width(first.key) + first.around());
    let keys: usize = entries.iter().map(|entry| width(entry.key) + entry.around()).sum();
    let needed = (ends + keys).min(LEAST.max(ends + first));
    let free = pen.room().saturating_sub(needed);
    // Those that don't fit are left out, the last first.
    let notes = notes(app, charted, chart);
    let fitting = (1..=notes.len()).rev().map(|count| format!(" {} ", notes[..count].join(" · ")));
    if let Some(notes) = fitting.into_iter().find(|notes| width(notes) < free) {
        pen.write_right(&notes, theme.quiet);
    }
    pen.write(&when, theme.title);
    for (at, entry) in entries.iter().enumerate() {
        let crowd = if at == 0 { &*crowd } else { "" };
        // A name without its value says less than none.
        let room = pen.room().saturating_sub(entry.around() + width(crowd));
        if room < width(entry.key).min(4) {
            pen.write(" …", theme.quiet);
            break;
        }
        pen.write(" ", theme.text)
            .write("■ ", line_style(theme, entry.line))
            .write(&cut(entry.key, room), theme.text)
            .write(" ", theme.text)
            .write(&entry.value, theme.title)
            .write(crowd, theme.text);
    }
}

/// When the point was that the cursor reads, and what else is in its column, as far as there is
/// room beside the first key.
fn reading(app: &App, chart: &Chart, first: Option<&Entry<'_>>, room: usize) -> (String, String) {
    /// Columns in which one knows a key again.
    const KEY: usize = 5;
    let Some(cursor) = app.watch().viewport().cursor().filter(|_| chart.cursor.is_some()) else {
        return (String::new(), String::new());
    };
    // The date of the point, not of the column.
    let point = chart.read.first().copied().flatten();
    let time = point.map_or(cursor, |point| point.timestamp);
    let date = format!(" {}", time::date(time, app.zone()));
    let clock = format!(" {}", time::formatted(time, app.zone(), "%H:%M:%S"));
    let mut ways = Vec::new();
    if let Some(read) = chart.reading.filter(|read| read.count > 1) {
        let range = format!("{} to {}", number::exact(read.least), number::exact(read.greatest));
        let count = number::count(read.count as u64);
        let long = format!(" · {count} points here, {range}");
        ways.extend([(&date, long.clone()), (&clock, long)]);
        ways.push((&clock, format!(" · {count}: {range}")));
        ways.push((&clock, format!(" · {count} here")));
    }
    ways.extend([(&date, String::new()), (&clock, String::new())]);
    let key = first.map_or(0, |first| width(first.key).min(KEY) + first.around());
    let fits = |way: &(&String, String)| width(way.0) + width(&way.1) + key <= room;
    let (when, crowd) = ways.into_iter().find(fits).unwrap_or((&clock, String::new()));
    (when.clone(), crowd)
}

fn draw_plot(chart: &Chart, theme: &Theme, plot: Rect, buffer: &mut Buffer) {
    for (row, cells) in (0..plot.height).zip(chart.cells.chunks(chart.columns.max(1))) {
        let ticked = chart.values.iter().any(|tick| tick.at == usize::from(row));
        Pen::new(buffer, plot, row).write(if ticked { "┤" } else { "│" }, theme.quiet);
        for (column, cell) in (0..plot.width).zip(cells) {
            let x = plot.x + 1 + column;
            let under = chart.cursor == Some(usize::from(column));
            let Some(place) = buffer.cell_mut((x, plot.y + row)) else { continue };
            if cell.dots > 0 {
                let symbol = char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' ');
                let style = line_style(theme, cell.line.into());
                place.set_char(symbol).set_style(if under {
                    style.patch(theme.title)
                } else {
                    style
                });
            } else if under {
                place.set_char('│').set_style(theme.alert);
            }
        }
    }
    for &(column, row, line) in &chart.marks {
        let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else {
            continue;
        };
        if let Some(place) = buffer.cell_mut((plot.x + 1 + column, plot.y + row)) {
            place.set_char('●').set_style(line_style(theme, line).patch(theme.title));
        }
    }
}

/// A broken line: in every place that is free, and over every other one that is not. Its label may
/// need more room than those of the axis, and takes it from the line.
fn draw_threshold(
    row: usize,
    value: f64,
    labels: u16,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let row = u16::try_from(row).unwrap_or(u16::MAX);
    for (column, x) in (area.x + labels + 1..area.right()).enumerate() {
        if let Some(cell) = buffer.cell_mut((x, area.y + row))
            && (cell.symbol() == " " || (column % 2 == 0 && cell.symbol() != "●"))
        {
            cell.set_char('╌').set_style(theme.bad);
        }
    }
    if labels > 0 {
        let text = number::exact(value);
        let text = format!("{text:>wide$}", wide = usize::from(labels));
        Pen::new(buffer, area, row).write(&text, theme.bad);
    }
}

fn draw_times(chart: &Chart, plot: Rect, row: u16, theme: &Theme, buffer: &mut Buffer) {
    let room = usize::from(plot.width);
    let mut free = 0;
    for tick in &chart.times {
        let wide = width(&tick.label);
        // Centred below its place, as far as the ends allow.
        let from = (tick.at + 1).saturating_sub(wide / 2).min(room.saturating_sub(wide));
        if from < free || wide > room {
            continue;
        }
        let from_cell = u16::try_from(from).unwrap_or(u16::MAX);
        let label = Rect {
            x: plot.x.saturating_add(from_cell),
            width: plot.width.saturating_sub(from_cell),
            ..plot
        };
        Pen::new(buffer, label, row).write(&tick.label, theme.quiet);
        free = from + wide + 2;
    }
}

/// What one should know about what is not seen, the most important first.
fn notes(app: &App, charted: &[&Watched], chart: &Chart) -> Vec<String> {
    let mut notes = Vec::new();
    if chart.not_positive > 0 {
        let count = number::count(chart.not_positive as u64);
        notes.push(format!("left out: {count} not above 0"));
    }
    if app.watch().viewport().log {
        notes.push("log scale".to_owned());
    }
    if !app.watch().viewport().follows() {
        notes.push("the past".to_owned());
    }
    notes.push(window(app));
    if let Some(series) = charted.first().and_then(|key| key.series.as_ref())
        && (series.recent.len() as u64) < series.count
    {
        let (shown, all) = (series.recent.len() as u64, series.count);
        notes.push(format!("last {} of {}", number::count(shown), number::count(all)));
    }
    notes
}

/// The part of time in view: how long it is, or where it is in the past.
fn window(app: &App) -> String {
    let look = app.watch().viewport();
    let (from, to) = look.range(app.watch().chart_bounds().unwrap_or_default());
    let span = time::duration(Duration::from_secs(to.abs_diff(from)));
    if look.shows_all() {
        return span;
    }
    if look.follows() {
        return format!("last {span}");
    }
    let day = |time| time::formatted(time, app.zone(), "%Y-%m-%d");
    // A date that both have in common is said once.
    let end = if day(from) == day(to) {
        time::formatted(to, app.zone(), "%H:%M:%S")
    } else {
        time::date(to, app.zone())
    };
    format!("{} to {end}", time::date(from, app.zone()))
}
