//! The chart: series over time in braille dots, with both axes, a legend and the values at the
//! cursor.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::canvas::Canvas;
use super::canvas::pen::cells;
use super::theme::{Glyphs, Theme};
use crate::app::App;
use crate::app::chart::viewport::{OPENING, TimeBounds};
use crate::app::chart::{self, Chart};
use crate::app::marks::Mark;
use crate::app::watch::Watched;
use crate::keymap::{Action, ChartAction, Mode, key_of};
use crate::text::escape::escape_untrusted;
use crate::text::units::{self, Unit};
use crate::text::width::{cut, width};
use crate::text::{number, time};

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
    let (legend, rows) = chart::rows(area.height);
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
    let width = (cells(chart.columns) + 1).min(area.width - labels);
    let plot = Rect { x: area.x + labels, width, ..area };
    draw_plot(canvas, chart, Rect { height: rows, ..plot });
    draw_events(canvas, &chart.events, Rect { height: rows, ..plot });
    for &(row, value) in &chart.thresholds {
        draw_threshold(canvas, cells(row), value, labels, Rect { width: labels + width, ..area });
    }
    let end = Rect { x: plot.right(), width: area.right().saturating_sub(plot.right()), ..area };
    draw_right_axis(canvas, chart, Rect { height: rows, ..end });
    for &(row, line) in &chart.ends {
        let Some(key) = charted.get(line) else { continue };
        let text = newest(app, key, chart, line).map(|value| end_value(value, &key.key, end.width));
        canvas
            .pen(end, cells(row))
            .skip(1)
            .write(&text.unwrap_or_default(), line_style(theme, key.line_number()));
    }
    draw_times(canvas, chart, plot, rows);
    if chart.values.is_empty() && rows > 0 {
        let all = key_of(Mode::Chart, Action::Chart(ChartAction::Window(None)));
        let text = if chart.not_positive > 0 {
            "no values above 0".to_owned()
        } else if app.watch().chart_waits(size.0) {
            "…".to_owned()
        } else {
            format!("no points here; {all} shows everything, {}", whole(bounds))
        };
        let room = usize::from(plot.width).saturating_sub(3);
        canvas
            .pen(plot, rows / 2)
            .skip(1)
            .write("  ", theme.text)
            .write(&cut(&text, room), theme.quiet);
    }
    draw_legend(canvas, &charted, chart, top);
}

/// The style of a line: that of the theme for the first one, then others that differ.
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

/// The mark of a line, in its colour.
pub const MARK: &str = "■";

/// The mark of one of so many lines: without colours a letter, which also stands in the plot.
pub fn line_mark(theme: &Theme, line: usize, lines: usize) -> &'static str {
    const LETTERS: [&str; chart::MAX_LINES] = ["A", "B", "C", "D", "E", "F"];
    let is_lettered = theme.plot.fg.is_none() && lines > 1;
    LETTERS.get(line).filter(|_| is_lettered).unwrap_or(&MARK)
}

/// A dot of the grid.
const GRID: &str = "·";

/// Columns that make a key recognizable.
const MIN_KEY_WIDTH: usize = 5;

/// A key in the legend, with the number of its line and its value.
struct LegendEntry<'a> {
    line: usize,
    key: &'a str,
    value: String,
}

impl LegendEntry<'_> {
    /// Columns of the entry without those of the key.
    fn base_width(&self) -> usize {
        width(&self.value) + 4
    }
}

/// Draws the keys with their newest values, or with a cursor in the chart the exact values there.
fn draw_legend(canvas: &mut Canvas<'_>, charted: &[&Watched], chart: &Chart, area: Rect) {
    /// The fewest columns in which a value has its size beside it.
    const WITH_SIZE: u16 = 60;
    let Canvas { app, theme, .. } = *canvas;
    // A cursor that time has left behind is in no column.
    let cursor = app.watch().viewport().cursor().filter(|_| chart.cursor.is_some());
    let follows = app.watch().viewport().follows();
    let entries = charted.iter().enumerate().filter_map(|(line, key)| {
        let unit = Unit::of(&key.key);
        let read = chart.read.get(line).copied().flatten();
        let in_view = chart.newest.get(line).copied().flatten();
        let value = match (cursor, read) {
            (None, _) if follows => units::short(newest(app, key, chart, line)?, unit),
            // The value at the end of the window.
            (None, _) => in_view.map_or_else(
                || "–".to_owned(),
                |newest| number::range(newest.min, newest.max, |value| units::short(value, unit)),
            ),
            (Some(_), None) => "–".to_owned(),
            // The line with the summary tells of the whole column.
            (Some(_), Some(_)) if line == 0 && chart.step.is_some() => {
                let read = chart.reading?;
                number::range(read.least, read.greatest, number::exact)
            }
            (Some(_), Some(read)) if area.width < WITH_SIZE || read.min < read.max => {
                number::range(read.min, read.max, number::exact)
            }
            (Some(_), Some(read)) => units::exact(read.max, unit),
        };
        // The axis of the line.
        let is_right = chart.is_right.get(line) == Some(&true);
        let value = if is_right { format!("{value} →") } else { value };
        Some(LegendEntry { line, key: &key.key, value })
    });
    let mut entries: Vec<LegendEntry<'_>> = entries.collect();
    let mut pen = canvas.pen(area, 0);
    let room = pen.room();
    let (mut time, mut summary) = cursor.map_or_else(Default::default, |cursor| {
        cursor_labels(app, chart, cursor, entries.first(), room)
    });
    // Without a time at the cursor, the length of the window says what is seen.
    let window = window_label(app);
    let reserved = if cursor.is_none() { width(&window) + 3 } else { 0 };
    let needed = |before: &str, entries: &[LegendEntry<'_>]| {
        let widths = entries.iter().map(|entry| width(entry.key) + entry.base_width());
        width(before) + widths.sum::<usize>()
    };
    if needed(&time, &entries) + width(&summary) + reserved > room {
        shorten(&mut entries);
    }
    if needed(&time, &entries) + width(&summary) > room
        && let Some(cursor) = cursor
    {
        time = short_time(app, chart, read_time(chart, cursor));
        if entries.len() > 1
            && chart.step.is_some()
            && needed(&time, &entries) + width(&summary) > room
        {
            // The values are ranges, which says enough.
            summary.clear();
        }
    }
    let needed = |entries: &[LegendEntry<'_>]| needed(&time, entries) + width(&summary);
    let more = |shown: usize| match entries.len() - shown {
        0 => String::new(),
        hidden => format!(" +{hidden} more"),
    };
    // The values of the last keys are left out first.
    let fits = |&shown: &usize| needed(&entries[..shown]) + width(&more(shown)) + reserved <= room;
    let count = entries.len();
    let shown = (1..=count).rev().find(fits).unwrap_or(count.min(1));
    let (shown, mut more) = (&entries[..shown], more(shown));
    // A long key is cut.
    let least = shown.first().map_or(0, |first| {
        width(&time) + width(first.key).min(MIN_KEY_WIDTH) + first.base_width() + width(&summary)
    });
    if least + width(&more) > room {
        " …".clone_into(&mut more);
    }
    let free = room.saturating_sub(needed(shown) + width(&more));
    let mut variants = notes(app, charted, chart, &window).into_iter();
    let note = variants.find(|note| width(note) < free).or_else(|| {
        let note = format!(" {window} ");
        (cursor.is_none() && least + width(&more) + width(&note) < room).then_some(note)
    });
    if let Some(note) = note {
        pen.write_right(&note, theme.quiet);
    }
    pen.write(&time, theme.title);
    for (at, entry) in shown.iter().enumerate() {
        let summary = if at == 0 { &*summary } else { "" };
        // A key without its value is of no use.
        let room = pen.room().saturating_sub(entry.base_width() + width(summary) + width(&more));
        if room < width(entry.key).min(4) {
            pen.write(" …", theme.quiet);
            return;
        }
        let number = charted.get(entry.line).map_or(0, |key| key.line_number());
        let mark = line_mark(theme, number, charted.len());
        pen.skip(1).write(&format!("{mark} "), line_style(theme, number));
        pen.write(&cut(entry.key, room), theme.text).skip(1);
        pen.write(&entry.value, theme.title).write(summary, theme.text);
    }
    pen.write(&more, theme.quiet);
}

/// The newest value of a line: what came last, or in the past the greatest at the end of what is shown.
fn newest(app: &App, key: &Watched, chart: &Chart, line: usize) -> Option<f64> {
    if app.watch().viewport().follows() {
        return Some(key.series.as_ref()?.last.value);
    }
    chart.newest.get(line).copied().flatten().map(|newest| newest.max)
}

/// The value at the end of a line, behind a blank.
fn end_value(value: f64, key: &str, columns: u16) -> String {
    let room = usize::from(columns.saturating_sub(1));
    let text = units::short(value, Unit::of(key));
    if width(&text) <= room { text } else { number::short_within(value, room) }
}

/// Leaves out what all keys begin with, up to a dot: they would not fit.
fn shorten(entries: &mut [LegendEntry<'_>]) {
    let Some((first, others)) = entries.split_first() else { return };
    let begins = |length: usize| {
        others.iter().all(|other| other.key.get(..length) == first.key.get(..length))
    };
    let dots = first.key.char_indices().filter(|&(_, c)| c == '.').map(|(at, _)| at + 1);
    let common = dots.take_while(|&length| begins(length)).last();
    if let Some(common) = common.filter(|_| !others.is_empty()) {
        for entry in entries {
            entry.key = entry.key.get(common..).unwrap_or(entry.key);
        }
    }
}

/// The time of the point under the cursor, and a summary of the other points in its column, as
/// long as the room beside the first key allows.
fn cursor_labels(
    app: &App,
    chart: &Chart,
    cursor: i64,
    first: Option<&LegendEntry<'_>>,
    room: usize,
) -> (String, String) {
    let time = read_time(chart, cursor);
    let date = format!(" {}", time::date(time, app.zone()));
    let short = short_time(app, chart, time);
    let mut variants = Vec::new();
    if let Some((read, step)) = chart.reading.zip(chart.step) {
        // How many points there are is not known.
        let span = step.saturating_mul(read.count.max(1) as u64);
        let span = time::duration(Duration::from_secs(span));
        variants.extend([&date, &short].map(|time| (time, format!(" · min, max of {span}"))));
    } else if let Some(read) = chart.reading.filter(|read| read.count > 1) {
        let range = format!("{} to {}", number::exact(read.least), number::exact(read.greatest));
        let count = number::count(read.count as u64);
        let long = format!(" · {count} points here, {range}");
        variants.extend([(&date, long.clone()), (&short, long)]);
        variants.push((&short, format!(" · {count}: {range}")));
        variants.push((&short, format!(" · {count} here")));
    }
    variants.push((&date, String::new()));
    let key = first.map_or(0, |first| width(first.key).min(MIN_KEY_WIDTH) + first.base_width());
    let mut fitting =
        variants.into_iter().filter(|(time, summary)| width(time) + width(summary) + key <= room);
    let (time, summary) = fitting.next().unwrap_or((&short, String::new()));
    (time.clone(), summary)
}

/// The time of the point at the cursor, not of the column.
fn read_time(chart: &Chart, cursor: i64) -> i64 {
    chart.read.first().copied().flatten().map_or(cursor, |read| read.timestamp)
}

/// A time in few columns: the time of day, and in a window longer than a day the date, which the
/// ticks leave open; the date alone where a column is as long as a day.
fn short_time(app: &App, chart: &Chart, time: i64) -> String {
    const DAY: u64 = 86_400;
    let (from, to) = app.watch().viewport().range(app.watch().chart_bounds().unwrap_or_default());
    let span = to.abs_diff(from);
    let form = match span / DAY {
        _ if span <= DAY => " %H:%M:%S",
        days if days >= chart.columns as u64 => " %Y-%m-%d",
        _ => " %Y-%m-%d %H:%M",
    };
    time::formatted(time, app.zone(), form)
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
    let has_grid = !theme.ascii && theme.glyphs != Glyphs::Ascii;
    for (row, row_cells) in (0..plot.height).zip(chart.cells.chunks(chart.columns.max(1))) {
        let ticked = chart.values.iter().any(|tick| tick.at == usize::from(row));
        let is_grid = |column: usize| {
            let nearest = chart.times.iter().map(|tick| tick.at.abs_diff(column)).min();
            match nearest {
                Some(0) => ticked || row % 2 == 0,
                Some(1) => false,
                _ => ticked && column % 4 == 1,
            }
        };
        canvas.pen(plot, row).write(if ticked { "┤" } else { "│" }, theme.quiet);
        for (column, cell) in (0..plot.width).zip(row_cells) {
            let under_cursor = chart.cursor == Some(usize::from(column));
            let place = (plot.x + 1 + column, plot.y + row);
            let Some(place) = canvas.buffer.cell_mut(place) else { continue };
            if cell.dots > 0 {
                let (dots, line) = cell.seen(column % 2 == 1);
                let symbol = theme.glyphs.cell(dots);
                let style = style_of(line.into());
                let style = if under_cursor { style.patch(theme.title) } else { style };
                place.set_char(symbol).set_style(style);
            } else if under_cursor {
                place.set_char('│').set_style(theme.alert);
            } else if has_grid && is_grid(usize::from(column)) {
                place.set_symbol(GRID).set_style(theme.quiet);
            }
        }
    }
    if theme.plot.fg.is_none() {
        draw_letters(canvas, chart, &numbers, plot);
    }
    for &(column, row, line) in &chart.cursor_points {
        let place = (plot.x + 1 + cells(column), plot.y + cells(row));
        if let Some(place) = canvas.buffer.cell_mut(place) {
            place.set_char('●').set_style(style_of(line).patch(theme.title));
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

/// What stands for more than the dots of a line.
fn is_mark(symbol: &str) -> bool {
    symbol == "●" || symbol.chars().all(char::is_alphabetic)
}

/// Draws the marks: a line where the plot leaves room, and as many names as have room, the newest
/// first.
fn draw_events(canvas: &mut Canvas<'_>, columns: &[usize], plot: Rect) {
    const LINE: char = '┊';
    /// Columns of the shortest name with its line and a blank.
    const MIN_NAME: usize = 3;
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
                cell.set_char(LINE).set_style(style);
            }
        }
    }
    let marks: Vec<&Mark> = app.marks_in_chart().collect();
    let mut free = usize::from(plot.width);
    for (mark, &column) in marks.iter().zip(columns).rev() {
        if free < MIN_NAME {
            break;
        }
        let name = escape_untrusted(mark.name.as_bytes());
        let wide = width(&name);
        // Behind its line, or before it at the right end.
        let behind = column + 3;
        let from = if behind + wide <= free { Some(behind) } else { column.checked_sub(wide) };
        if let Some(from) = from.filter(|&from| from > 0 && from + wide <= free && plot.height > 0)
        {
            canvas.pen(plot, 0).skip(from).write(&name, style);
            free = from.min(column + 1) - 1;
        }
    }
}

/// Draws a broken line: in every free cell, and over every other one that is none of a mark. Its label may
/// be wider than those of the axis, and covers the beginning of the line.
fn draw_threshold(canvas: &mut Canvas<'_>, row: u16, value: f64, labels: u16, area: Rect) {
    let style = canvas.theme.bad;
    for (column, x) in (area.x + labels + 1..area.right()).enumerate() {
        if let Some(cell) = canvas.buffer.cell_mut((x, area.y + row))
            && (matches!(cell.symbol(), " " | GRID) || (column % 2 == 0 && !is_mark(cell.symbol())))
        {
            cell.set_char('╌').set_style(Style::reset().patch(style));
        }
    }
    if labels > 0 {
        // As it was typed, where that is not too long.
        let exact = Some(number::exact(value)).filter(|text| width(text) <= labels.into());
        let text = exact.unwrap_or_else(|| number::short(value));
        canvas.pen(area, row).field(&text, labels.into(), true, style);
    }
}

fn draw_times(canvas: &mut Canvas<'_>, chart: &Chart, plot: Rect, row: u16) {
    let style = canvas.theme.quiet;
    let room = usize::from(plot.width);
    for tick in chart.times.iter().filter(|tick| width(&tick.label) <= room) {
        canvas.pen(plot, row).skip(tick.start(room)).write(&tick.label, style);
    }
}

/// The remarks of the legend from the longest variant to the shortest: what the chart does not show
/// and the window of time, which only the shortest ones leave out.
fn notes(app: &App, charted: &[&Watched], chart: &Chart, window: &str) -> Vec<String> {
    let mut first = Vec::new();
    if chart.not_positive > 0 {
        let count = number::count(chart.not_positive as u64);
        first.push(format!("left out: {count} not above 0"));
    }
    if app.watch().viewport().log {
        first.push("log scale".to_owned());
    }
    let mut notes = first.clone();
    if !app.watch().viewport().follows() {
        notes.push(window.to_owned());
    }
    notes.push(time_range(app));
    let least = notes.len();
    notes.extend(beyond(app));
    if let Some(step) = chart.step {
        notes.push(format!("min, max of {}", time::duration(Duration::from_secs(step))));
    } else if let Some(series) = charted.first().and_then(|key| key.series.as_ref())
        && !charted.iter().any(|key| key.is_asked_for())
        && let (shown, Some(all)) = (series.recent().len() as u64, series.count())
        && shown < all
    {
        notes.push(format!("last {} of {}", number::count(shown), number::count(all)));
    }
    let mut variants: Vec<Vec<String>> =
        (least..=notes.len()).rev().map(|count| notes[..count].to_vec()).collect();
    let window = window.to_owned();
    variants.extend([[first.clone(), vec![window.clone()]].concat(), vec![window]]);
    variants.extend((1..=first.len()).rev().map(|count| first[..count].to_vec()));
    variants.into_iter().map(|notes| format!(" {} ", notes.join(" · "))).collect()
}

/// The length of the visible range of time.
fn window_label(app: &App) -> String {
    let viewport = app.watch().viewport();
    let bounds = app.watch().chart_bounds().unwrap_or_default();
    let (from, to) = viewport.range(bounds);
    let span = time::duration(Duration::from_secs(to.abs_diff(from)));
    if !viewport.follows() {
        format!("{span} of the past")
    } else if !viewport.shows_all_but_strays(bounds) {
        format!("last {span}")
    } else if bounds.first == bounds.newest {
        "one point in time".to_owned()
    } else {
        format!("all {span}")
    }
}

/// The visible range of time: its length and that of everything, or in the past its ends.
fn time_range(app: &App) -> String {
    let viewport = app.watch().viewport();
    let bounds = app.watch().chart_bounds().unwrap_or_default();
    let (from, to) = viewport.range(bounds);
    if viewport.follows() {
        let shown = window_label(app);
        let is_all = viewport.shows_all_but_strays(bounds);
        let of = if is_all { String::new() } else { format!(" of {}", whole(bounds)) };
        // A series that has ended says when.
        let is_present = is_present(to, app);
        let end = (!is_present).then(|| format!(", to {}", time::date(to, app.zone())));
        return shown + &of + &end.unwrap_or_default();
    }
    let format = |time, format| time::formatted(time, app.zone(), format);
    // A date that both ends have in common stands once.
    let same_day = format(from, "%Y-%m-%d") == format(to, "%Y-%m-%d");
    let end = if same_day { format(to, "%H:%M:%S") } else { time::date(to, app.zone()) };
    format!("{} to {end}", time::date(from, app.zone()))
}

/// Where the nearest points are beyond what is shown, and the key that goes there: earlier ones
/// farther away than the window is long, and strays of the future.
fn beyond(app: &App) -> Option<String> {
    let watch = app.watch();
    let bounds = watch.chart_bounds()?;
    let (from, to) = watch.viewport().range(bounds);
    let key = key_of(Mode::Chart, Action::Chart(ChartAction::Zoom { closer: false }));
    let is_far = |before: &i64| from.abs_diff(*before) > to.abs_diff(from);
    let date = |time| time::short_moment(time, app.now().unix(), app.zone());
    if bounds.has_strays() && watch.viewport().shows_all_but_strays(bounds) && to < bounds.last {
        return Some(format!("{key} later: {}", date(bounds.last)));
    }
    let before = (bounds.first < from).then(|| watch.nearest_before(from, &app.layout()))?;
    Some(format!("{key} earlier: {}", date(before.filter(is_far)?)))
}

/// The time of the newest point is not long ago.
fn is_present(newest: i64, app: &App) -> bool {
    app.now().unix().saturating_sub(newest) <= OPENING
}

/// The length of everything there is, but for strays of the future.
fn whole(bounds: TimeBounds) -> String {
    let (first, newest) = bounds.all();
    time::duration(Duration::from_secs(newest.abs_diff(first)))
}
