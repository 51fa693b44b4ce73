//! Series over time in braille dots, with both axes, a legend and what the cursor reads.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use shared::Point;

use super::text::{Pen, cut, width};
use super::theme::Theme;
use crate::app::chart::{self, Chart, LABELS, MOST_LINES, Spec};
use crate::app::units::{self, Unit};
use crate::app::watch::Watched;
use crate::app::{App, format};

/// Below this many rows the legend is left out.
const WITH_LEGEND: u16 = 5;

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
    fn chart(&mut self, basis: Basis, charted: &[&Watched], app: &App) -> &Chart {
        let last = self.0.take().filter(|(last, _)| *last == basis);
        let (_, chart) = self.0.insert(last.unwrap_or_else(|| {
            let chart = plot(&basis, charted, app);
            (basis, chart)
        }));
        chart
    }
}

fn plot(basis: &Basis, charted: &[&Watched], app: &App) -> Chart {
    let series = charted.iter().filter_map(|key| key.series.as_ref());
    let lines: Vec<Vec<Point>> =
        series.map(|series| series.tail.iter().copied().collect()).collect();
    Chart::new(&Spec {
        lines: &lines,
        range: basis.range,
        log: basis.log,
        thresholds: &basis.thresholds,
        cursor: basis.cursor,
        unit: common_unit(charted),
        columns: basis.size.0.into(),
        rows: basis.size.1.into(),
        zone: app.zone(),
    })
}

/// Draws the chart of the selected key and the marked ones.
pub fn draw(app: &App, theme: &Theme, memo: &mut Memo, area: Rect, buffer: &mut Buffer) {
    let charted: Vec<&Watched> =
        app.watch().charted().filter(|key| key.series.is_some()).take(MOST_LINES).collect();
    let Some(bounds) = app.chart_bounds() else {
        return;
    };
    let legend = u16::from(area.height >= WITH_LEGEND);
    let whole = area;
    let area = Rect { y: area.y + legend, height: area.height - legend, ..area };

    let key = charted.first().map_or("", |first| &first.key);
    let alerts = app.alerts().filter(|alert| alert.concerns(key));
    let thresholds: Vec<f64> = alerts.filter_map(crate::app::expr::Alert::threshold).collect();
    let (labels, columns) = chart::columns(area.width);
    let rows = area.height.saturating_sub(1);
    let basis = Basis {
        keys: charted.iter().map(|key| (key.key.clone(), key.revision)).collect(),
        range: app.look().range(bounds),
        log: app.look().log,
        cursor: app.look().cursor(),
        thresholds: thresholds.clone(),
        size: (columns, rows),
    };
    let chart = memo.chart(basis, &charted, app);
    for tick in chart.values.iter().filter(|_| labels > 0) {
        let row = u16::try_from(tick.at).unwrap_or(u16::MAX);
        let label = Rect { width: labels, ..area };
        Pen::new(buffer, label, row).field(&tick.label, labels.into(), true, theme.quiet);
    }
    let plot = Rect { x: area.x + labels, width: area.width - labels, ..area };
    draw_plot(chart, theme, Rect { height: rows, ..plot }, buffer);
    for (&row, value) in chart.thresholds.iter().zip(&thresholds) {
        draw_threshold(row, *value, labels, theme, area, buffer);
    }
    draw_times(chart, plot, rows, theme, buffer);
    if chart.values.is_empty() && rows > 0 {
        let inside = Rect { x: plot.x + 1, width: plot.width - 1, ..plot };
        let text = if chart.not_positive > 0 { "no values above 0" } else { "no points here" };
        Pen::new(buffer, inside, rows / 2).write("  ", theme.text).write(text, theme.quiet);
    }
    let top = Rect { height: legend, ..whole };
    let notes = notes(app, &charted, chart);
    draw_legend(app, theme, &charted, &notes, top, buffer);
}

/// The unit that all lines share.
fn common_unit(charted: &[&Watched]) -> Unit {
    let mut units = charted.iter().map(|key| Unit::of(&key.key));
    let first = units.next().unwrap_or_default();
    if units.all(|unit| unit == first) { first } else { Unit::Plain }
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

/// Each line with its value: under the cursor if there is one, else the newest.
fn draw_legend(
    app: &App,
    theme: &Theme,
    charted: &[&Watched],
    notes: &[String],
    area: Rect,
    buffer: &mut Buffer,
) {
    /// Room that is enough for the legend, whatever is in it.
    const LEAST: usize = 40;
    /// Columns of a short value and of a date.
    const VALUE: usize = 6;
    const TIME: usize = 20;
    let mut pen = Pen::new(buffer, area, 0);
    let cursor = app.look().cursor();
    let unlike = |key: &Watched| Unit::of(&key.key);
    let needed = charted.iter().map(|key| width(&key.key) + 4 + VALUE).sum::<usize>()
        + cursor.map_or(0, |_| TIME);
    let free = pen.room().saturating_sub(needed.min(LEAST));
    // Those that don't fit are left out, the last first.
    let fitting = (1..=notes.len()).rev().map(|count| format!(" {} ", notes[..count].join(" · ")));
    if let Some(notes) = fitting.into_iter().find(|notes| width(notes) < free) {
        pen.write_right(&notes, theme.quiet);
    }
    if let Some(time) = cursor {
        // The date of the point, not of the column.
        let first = charted.first().and_then(|key| key.series.as_ref());
        let point = first.and_then(|series| chart::nearest(&series.tail, time));
        let time = point.map_or(time, |point| point.timestamp);
        pen.write(" ", theme.text).write(&format::date(time, app.zone()), theme.title);
    }
    for (line, key) in charted.iter().enumerate() {
        let Some(series) = &key.series else { continue };
        let point = match cursor {
            Some(time) => chart::nearest(&series.tail, time),
            None => Some(series.last),
        };
        let value = point.map_or(String::new(), |point| units::short(point.value, unlike(key)));
        // A name without its value says less than none.
        let room = pen.room().saturating_sub(width(&value) + 4);
        if room < width(&key.key).min(4) {
            pen.write(" …", theme.quiet);
            break;
        }
        pen.write(" ", theme.text)
            .write("■ ", line_style(theme, line))
            .write(&cut(&key.key, room), theme.text)
            .write(" ", theme.text)
            .write(&value, theme.title);
    }
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

/// A broken line in the places that are free.
fn draw_threshold(
    row: usize,
    value: f64,
    labels: u16,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let row = u16::try_from(row).unwrap_or(u16::MAX);
    for x in area.x + labels + 1..area.right() {
        if let Some(cell) = buffer.cell_mut((x, area.y + row))
            && cell.symbol() == " "
        {
            cell.set_char('╌').set_style(theme.bad);
        }
    }
    if labels > 0 {
        let label = Rect { width: labels, ..area };
        let text = units::short(value, Unit::Plain);
        Pen::new(buffer, label, row).field(&text, LABELS.into(), true, theme.bad);
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
        let count = format::count(chart.not_positive as u64);
        notes.push(format!("left out: {count} not above 0"));
    }
    if app.look().log {
        notes.push("log scale".to_owned());
    }
    if !app.look().follows() {
        notes.push("the past".to_owned());
    } else if !app.look().shows_all() {
        notes.push("zoomed".to_owned());
    }
    if let Some(series) = charted.first().and_then(|key| key.series.as_ref())
        && (series.tail.len() as u64) < series.count
    {
        let (shown, all) = (series.tail.len() as u64, series.count);
        notes.push(format!("last {} of {}", format::count(shown), format::count(all)));
    }
    notes
}
