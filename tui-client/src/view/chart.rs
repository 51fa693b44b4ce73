//! The chart: series over time in braille dots, with both axes, a legend and the values at the
//! cursor.

mod legend;
pub mod line;

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::canvas::pen::cells;
use super::theme::Glyphs;
use crate::app::App;
use crate::app::chart::viewport::TimeBounds;
use crate::app::chart::{self, Chart};
use crate::app::watch::Watched;
use crate::keymap::{Action, ChartAction, Mode, key_of};
use crate::metrics::marks::Mark;
use crate::text::escape::escape_untrusted;
use crate::text::number;
use crate::text::units::{self, Unit};
use crate::text::width::{cut, width};
use line::{line_mark, line_style, newest};

/// Everything that a plot depends on.
#[derive(Debug, PartialEq)]
struct PlotInputs {
    /// The keys in the chart, each with the revisions of its answers.
    keys: Vec<(String, u64, u64)>,
    range: (i64, i64),
    log: bool,
    cursor: Option<i64>,
    thresholds: Vec<f64>,
    events: Vec<i64>,
    size: (u16, u16),
}

/// The last plot, which takes longer than the rest of a frame and is the same in most frames.
#[derive(Debug, Default)]
pub struct PlotCache(Option<(PlotInputs, Chart)>);

impl PlotCache {
    fn chart(&mut self, inputs: PlotInputs, app: &App) -> &Chart {
        let last = self.0.take().filter(|(last, _)| *last == inputs);
        let (_, chart) = self.0.insert(last.unwrap_or_else(|| {
            let chart = app.chart(inputs.size.0, inputs.size.1);
            (inputs, chart)
        }));
        chart
    }
}

/// Draws the chart of the selected key and the kept ones.
pub fn draw(canvas: &mut Canvas<'_>, cache: &mut PlotCache, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    let watch = app.watch();
    let charted: Vec<&Watched> = watch.in_chart().collect();
    let Some(bounds) = watch.chart_bounds() else { return };
    let (legend, rows) = chart::rows(area.height, charted.len());
    let keys = charted.iter();
    let keys = keys.map(|key| (key.key.clone(), key.revision, key.rollups().revision()));
    let inputs = PlotInputs {
        keys: keys.collect(),
        range: watch.viewport().range(bounds),
        log: watch.viewport().log,
        cursor: watch.viewport().cursor(),
        thresholds: watch.thresholds(app.alerts()),
        events: app.marks_in_chart().map(|mark| mark.at).collect(),
        size: (area.width, area.height),
    };
    let (size, top) = (inputs.size, Rect { height: legend, ..area });
    let area = Rect { y: area.y + legend, height: area.height - legend, ..area };
    let chart = cache.chart(inputs, app);
    let labels = chart.labels;
    for tick in &chart.values {
        let row = cells(tick.at);
        canvas.pen(area, row).field(&tick.label, labels.into(), true, theme.quiet);
    }
    let wide = (cells(chart.columns) + 1).min(area.width - labels);
    let plot = Rect { x: area.x + labels, width: wide, ..area };
    draw_plot(canvas, chart, Rect { height: rows, ..plot });
    draw_events(canvas, &chart.events, Rect { height: rows, ..plot });
    for &(row, value) in &chart.thresholds {
        let tick = chart.values.iter().find(|tick| tick.at == row).map(|tick| &*tick.label);
        let area = Rect { width: labels + wide, ..area };
        draw_threshold(canvas, cells(row), (value, tick), labels, area);
    }
    let end = Rect { x: plot.right(), width: area.right().saturating_sub(plot.right()), ..area };
    draw_right_axis(canvas, chart, Rect { height: rows, ..end });
    for &(row, line) in &chart.ends {
        let Some(key) = charted.get(line) else { continue };
        let text = newest(app, key, chart, line).map(|value| end_value(value, &key.key, end.width));
        let (text, style) = (text.unwrap_or_default(), line_style(theme, key.line_number()));
        let last = chart.last_cells.get(line).copied().flatten();
        // One that ends before has its value behind it, if there is room.
        let place = last.filter(|&(column, _)| column + EARLY_END < chart.columns);
        if let Some(inner) = place.and_then(|last| place_behind(canvas, last, width(&text), plot)) {
            canvas.pen(inner, 0).write(&text, style);
        } else {
            canvas.pen(end, cells(row)).skip(1).write(&text, style);
        }
    }
    draw_times(canvas, chart, plot, rows);
    if chart.values.is_empty() && rows > 0 {
        let all = key_of(Mode::Chart, Action::Chart(ChartAction::Window(None)));
        let text = if chart.not_positive > 0 {
            "no values above 0".to_owned()
        } else if app.watch().chart_waits(size.0) {
            "…".to_owned()
        } else if let Some(count) = not_saved(app, &charted, bounds) {
            format!("of {count} only the newest points were saved")
        } else {
            format!("no points here; {all} shows everything, {}", legend::whole(bounds))
        };
        let room = usize::from(plot.width).saturating_sub(3);
        canvas
            .pen(plot, rows / 2)
            .skip(1)
            .write("  ", theme.text)
            .write(&cut(&text, room), theme.quiet);
    }
    legend::draw(canvas, &charted, chart, top);
}

/// How many of the keys in the chart have no more than their newest points in the session that is shown, at
/// the end of the window; none if all have.
fn not_saved(app: &App, charted: &[&Watched], bounds: TimeBounds) -> Option<String> {
    let (replayed, (_, to)) = (app.replayed()?, app.watch().viewport().range(bounds));
    let count = charted.iter().filter(|key| replayed.lacks_numbers(&key.key, to)).count();
    (count > 0).then(|| number::plural(count as u64, "key", "keys"))
}

/// Columns between the end of a line and that of the plot from which on its value is behind the line.
const EARLY_END: usize = 12;

/// The cells of the plot behind the last one of a line and a blank, for a text of so many columns; none where
/// something else is drawn.
fn place_behind(
    canvas: &Canvas<'_>,
    (column, row): (usize, usize),
    columns: usize,
    plot: Rect,
) -> Option<Rect> {
    let x = plot.x + cells(column) + 3;
    let area = Rect { x, y: plot.y + cells(row), width: cells(columns), height: 1 };
    let is_free = |x: u16| {
        let cell = canvas.buffer.cell((x, area.y));
        cell.is_some_and(|cell| matches!(cell.symbol(), " " | GRID))
    };
    let is_inside = area.right() < plot.right() && columns > 0;
    (is_inside && (x - 1..=area.right()).all(is_free)).then_some(area)
}

/// A dot of the grid.
const GRID: &str = "·";

/// The value at the end of a line, behind a blank.
fn end_value(value: f64, key: &str, columns: u16) -> String {
    let room = usize::from(columns.saturating_sub(1));
    let text = units::short(value, Unit::of(key));
    if width(&text) <= room { text } else { number::short_within(value, room) }
}

/// Draws the axis on the right, if there is one, but for the rows of the values at the ends.
fn draw_right_axis(canvas: &mut Canvas<'_>, chart: &Chart, area: Rect) {
    let quiet = canvas.theme.quiet;
    let is_free = |row: u16| chart.ends.iter().all(|&(end, _)| end != usize::from(row));
    for row in (0..area.height).filter(|&row| !chart.right_values.is_empty() && is_free(row)) {
        let tick = chart.right_values.iter().find(|tick| tick.at == usize::from(row));
        let mut pen = canvas.pen(area, row);
        match tick {
            Some(tick) => pen.write("├", quiet).write(&tick.label, quiet),
            None => pen.write("│", quiet),
        };
    }
}

fn draw_plot(canvas: &mut Canvas<'_>, chart: &Chart, plot: Rect) {
    let theme = canvas.theme;
    let numbers = canvas.app.watch().line_numbers();
    let style_of = |line: usize| line_style(theme, numbers.get(line).copied().unwrap_or(0));
    // Among ASCII lines dots would look like parts of them.
    let is_ascii = theme.ascii || theme.glyphs == Glyphs::Ascii;
    let has_grid = !is_ascii;
    // Steep parts of ASCII lines are upright as well.
    let cursor = if is_ascii { '!' } else { '│' };
    let grid = theme.grid.unwrap_or(theme.quiet);
    // The colours of several lines tell them apart.
    let is_alone = numbers.len() == 1;
    for (row, row_cells) in (0..plot.height).zip(chart.cells.chunks(chart.columns.max(1))) {
        let ticked = chart.values.iter().any(|tick| tick.at == usize::from(row));
        let is_grid = |column: usize| {
            let nearest = chart.times.iter().map(|tick| tick.at.abs_diff(column)).min();
            match nearest {
                Some(0) => ticked || row % 2 == 0,
                Some(1 | 2) => false,
                _ => ticked && column % 4 == 1,
            }
        };
        canvas.pen(plot, row).write(if ticked { "┤" } else { "│" }, theme.quiet);
        let height = usize::from(plot.height - 1 - row);
        let by_height = theme.chart.at(height, plot.height.into()).filter(|_| is_alone);
        for (column, cell) in (0..plot.width).zip(row_cells) {
            let under_cursor = chart.cursor == Some(usize::from(column));
            let place = (plot.x + 1 + column, plot.y + row);
            let Some(place) = canvas.buffer.cell_mut(place) else { continue };
            if cell.dots > 0 {
                let (dots, line) = cell.seen(column % 2 == 1);
                let symbol = theme.glyphs.cell(dots);
                let style =
                    by_height.map_or_else(|| style_of(line.into()), |it| Style::new().fg(it));
                let style = if under_cursor { theme.title.patch(style) } else { style };
                place.set_char(symbol).set_style(style);
            } else if under_cursor {
                place.set_char(cursor).set_style(theme.alert);
            } else if has_grid && is_grid(usize::from(column)) {
                place.set_symbol(GRID).set_style(grid);
            }
        }
    }
    if theme.plot.fg.is_none() {
        draw_letters(canvas, chart, &numbers, plot);
    }
    for &(column, row, line) in &chart.cursor_points {
        let place = (plot.x + 1 + cells(column), plot.y + cells(row));
        if let Some(place) = canvas.buffer.cell_mut(place) {
            place.set_char('●').set_style(theme.title.patch(style_of(line)));
        }
    }
}

/// Draws the letters of the lines where there are several: at the end of each, and now and then on
/// its way, those of no two lines in the same columns.
fn draw_letters(canvas: &mut Canvas<'_>, chart: &Chart, numbers: &[usize], plot: Rect) {
    /// Columns from one letter of a line to the next, and from that of a line to that of another.
    const EVERY: usize = 18;
    const APART: usize = EVERY / chart::MAX_LINES;
    let lines = chart.newest.len();
    if lines < 2 {
        return;
    }
    let cells_of = |line: usize| {
        let cells = chart.cells.iter().enumerate();
        let cells = cells.filter(move |(_, cell)| cell.dots > 0 && usize::from(cell.line) == line);
        cells.map(|(at, _)| (at % chart.columns.max(1), at / chart.columns.max(1)))
    };
    for line in 0..lines {
        let end = cells_of(line).map(|(column, _)| column).max();
        // The cell on top of each column comes first.
        let mut lettered = Vec::new();
        for (column, row) in cells_of(line) {
            let is_near_end = end.is_some_and(|end| column + APART > end);
            let is_place = column % EVERY == line * APART + APART / 2;
            let is_due = is_place && !is_near_end || Some(column) == end;
            if !is_due || chart.cursor == Some(column) || lettered.contains(&column) {
                continue;
            }
            lettered.push(column);
            let place = (plot.x + 1 + cells(column), plot.y + cells(row));
            if let Some(place) = canvas.buffer.cell_mut(place) {
                let number = numbers.get(line).copied().unwrap_or(0);
                let letter = line_mark(canvas.theme, number, lines);
                place.set_symbol(letter).set_style(canvas.theme.title);
            }
        }
    }
}

/// The line of a mark.
const MARK: &str = "┊";

/// Draws the marks: a line where the plot leaves room, and as many names as have room, the newest
/// first: behind their lines, and at the right end of the plot close before them; in the first row
/// in which a name hides nothing of the data, if there is one.
fn draw_events(canvas: &mut Canvas<'_>, columns: &[usize], plot: Rect) {
    /// Columns of the shortest name with its line and a blank.
    const MIN_NAME: usize = 3;
    /// Rows of names that hide something, one below the other where marks are close together.
    const MAX_ROWS: usize = 3;
    let mut lines = columns.to_vec();
    lines.dedup();
    let app = canvas.app;
    // Not the colour of the grid or of a line below.
    let style = Style::reset().patch(canvas.theme.title);
    for column in lines {
        for row in 0..plot.height {
            let place = (plot.x + 1 + cells(column), plot.y + row);
            if let Some(cell) = canvas.buffer.cell_mut(place)
                && matches!(cell.symbol(), " " | GRID)
            {
                cell.set_symbol(MARK).set_style(style);
            }
        }
    }
    let marks: Vec<&Mark> = app.marks_in_chart().collect();
    let wide_plot = usize::from(plot.width);
    let rows = (usize::from(plot.height) / 3).clamp(1, MAX_ROWS);
    // Of each row the columns that no newer name has.
    let mut free = vec![wide_plot; plot.height.into()];
    // Where no row had room: as long a name has none there either.
    let mut unnamed: Option<(usize, bool, usize)> = None;
    for (mark, &column) in marks.iter().zip(columns).rev() {
        if free.iter().all(|&free| free < MIN_NAME) {
            break;
        }
        let name = escape_untrusted(mark.name.as_bytes());
        let behind = column + 2;
        let end = behind + 1 + width(&name);
        // At the right end there is room on the left of its line alone.
        let is_behind = end <= wide_plot;
        let (from, end) = if is_behind { (behind, end) } else { (0, column + 1) };
        let from = if is_behind { Some(from) } else { end.checked_sub(width(&name)) };
        let Some(from) = from.filter(|&from| from > 0) else { continue };
        let has_none =
            |(at, behind, wide)| (at, behind) == (column, is_behind) && wide <= end - from;
        if unnamed.is_some_and(has_none) {
            continue;
        }
        let fits = |row: &usize| free.get(*row).is_some_and(|&free| end <= free);
        let is_clear = |row: &usize| hides_nothing(canvas, plot, cells(*row), from..end);
        let row = (0..free.len()).filter(fits).find(is_clear);
        let Some(row) = row.or_else(|| (0..rows).find(fits)) else {
            unnamed = Some((column, is_behind, end - from));
            continue;
        };
        // The line of a mark close to this one would stand in the blank.
        let blank = if is_behind { " " } else { "" };
        canvas.pen(plot, cells(row)).skip(from).write(blank, style).write(&name, style);
        if let Some(free) = free.get_mut(row) {
            *free = if is_behind { column } else { from - 1 };
        }
    }
}

/// There is no data in these columns of a row of the plot.
fn hides_nothing(canvas: &Canvas<'_>, plot: Rect, row: u16, columns: Range<usize>) -> bool {
    columns.map(|column| (plot.x + cells(column), plot.y + row)).all(|place| {
        canvas.buffer.cell(place).is_some_and(|cell| matches!(cell.symbol(), " " | GRID | MARK))
    })
}

/// Draws a broken line in every free cell. Its label stands on the axis, or in the line where the axis has
/// another one in this row.
fn draw_threshold(
    canvas: &mut Canvas<'_>,
    row: u16,
    (value, tick): (f64, Option<&str>),
    labels: u16,
    area: Rect,
) {
    let style = canvas.theme.bad;
    let y = area.y + row;
    let plot = area.x + labels + 1..area.right();
    let is_free = |canvas: &Canvas<'_>, x: u16| {
        let cell = canvas.buffer.cell((x, y));
        cell.is_some_and(|cell| matches!(cell.symbol(), " " | GRID))
    };
    // As it was typed, where that is not too long.
    let exact = Some(number::exact(value)).filter(|text| width(text) <= labels.into());
    let text = exact.unwrap_or_else(|| number::short(value));
    let wide = cells(width(&text));
    // The same number with its unit is no other one.
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let is_other =
        |tick: &str| tick.strip_prefix(&*text).is_none_or(|rest| rest.starts_with(is_digit));
    let has_other = labels > 0 && tick.is_some_and(is_other);
    // Behind the axis, or at the other end.
    let starts = [plot.start + 1, plot.end.saturating_sub(wide + 1)];
    let mut starts = starts.into_iter().filter(|&x| x > plot.start && x + wide < plot.end);
    let inside = starts.find(|&x| (x - 1..=x + wide).all(|x| is_free(canvas, x)));
    for x in plot.clone() {
        if is_free(canvas, x)
            && let Some(cell) = canvas.buffer.cell_mut((x, y))
        {
            cell.set_char('╌').set_style(Style::reset().patch(style));
        }
    }
    match inside.filter(|_| has_other) {
        Some(x) => {
            canvas.pen(Rect { x, y, width: wide, height: 1 }, 0).write(&text, style);
        }
        None if labels > 0 => {
            canvas.pen(area, row).field(&text, labels.into(), true, style);
        }
        None => {}
    }
}

fn draw_times(canvas: &mut Canvas<'_>, chart: &Chart, plot: Rect, row: u16) {
    let style = canvas.theme.quiet;
    let room = usize::from(plot.width);
    for tick in chart.times.iter().filter(|tick| width(&tick.label) <= room) {
        canvas.pen(plot, row).skip(tick.start(room)).write(&tick.label, style);
    }
}
