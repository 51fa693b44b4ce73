//! The legend of the chart: the keys with their values, the time at the cursor, and what is seen.

use std::time::Duration;

use ratatui::layout::Rect;

use super::line::{line_mark, line_style};
use crate::app::App;
use crate::app::chart::Chart;
use crate::app::chart::viewport::{OPENING, TimeBounds};
use crate::app::screen::layout::Layout;
use crate::app::watch::Watched;
use crate::keymap::{Action, ChartAction, Mode, key_of};
use crate::text::units::{self, Unit};
use crate::text::width::{cut, width};
use crate::text::{number, time};
use crate::view::canvas::Canvas;

/// Columns that make a key recognizable.
const MIN_KEY_WIDTH: usize = 5;

/// Columns of the mark of a key, and of the blanks around it and behind the key.
const BASE_WIDTH: usize = 4;

/// A key in the legend, with the number of its line and its value.
struct LegendEntry<'a> {
    line: usize,
    key: &'a str,
    value: String,
}

impl LegendEntry<'_> {
    /// Columns of the entry without those of the key.
    fn base_width(&self) -> usize {
        width(&self.value) + BASE_WIDTH
    }
}

/// Draws the keys with their newest values, or with a cursor in the chart the exact values there.
pub(super) fn draw(canvas: &mut Canvas<'_>, charted: &[&Watched], chart: &Chart, area: Rect) {
    /// The fewest columns in which a value has its size beside it.
    const WITH_SIZE: u16 = 60;
    let Canvas { app, theme, .. } = *canvas;
    // A cursor that time has left behind is in no column.
    let cursor = app.watch().viewport().cursor().filter(|_| chart.cursor.is_some());
    let mut entries = entries(app, charted, chart, cursor, area.width < WITH_SIZE);
    let needs_names = needs_names(canvas, charted.len());
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
    let is_long =
        |entries: &[LegendEntry<'_>]| needed(&time, entries) + width(&summary) + reserved > room;
    if is_long(&entries) {
        shorten(&mut entries);
    }
    // Which runs there are is said before how long the window is.
    let is_narrow = is_long(&entries) && name_runs(app, &mut entries) && is_long(&entries);
    let reserved = if is_narrow { 0 } else { reserved };
    if needed(&time, &entries) + width(&summary) > room
        && let Some(cursor) = cursor
    {
        time = short_time(app, chart, read_time(app, chart, cursor));
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
    let share = (room / count.max(1)).saturating_sub(BASE_WIDTH);
    if shown < count && cursor.is_none() && needs_names && share >= MIN_KEY_WIDTH {
        return draw_names(canvas, charted, &entries, share, area);
    }
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
        (cursor.is_none() && !is_narrow && least + width(&more) + width(&note) < room)
            .then_some(note)
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

/// The keys with their values: the newest ones, or those at the cursor. Where it `is_narrow`, a value has
/// no size beside it.
fn entries<'a>(
    app: &App,
    charted: &[&'a Watched],
    chart: &Chart,
    cursor: Option<i64>,
    is_narrow: bool,
) -> Vec<LegendEntry<'a>> {
    let follows = app.watch().viewport().follows();
    let entries = charted.iter().enumerate().filter_map(|(line, key)| {
        let unit = Unit::of(&key.key);
        let read = chart.read.get(line).copied().flatten();
        let in_view = chart.newest.get(line).copied().flatten();
        let value = match (cursor, read) {
            // Of now, also where the line of a shifted run goes on.
            (None, _) if follows => units::short(key.series.as_ref()?.last.value, unit),
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
            (Some(_), Some(read)) if is_narrow || read.min < read.max => {
                number::range(read.min, read.max, number::exact)
            }
            (Some(_), Some(read)) => units::exact(read.max, unit),
        };
        // The axis of the line.
        let is_right = chart.is_right.get(line) == Some(&true);
        let value = if is_right { format!("{value} →") } else { value };
        Some(LegendEntry { line, key: &key.key, value })
    });
    entries.collect()
}

/// The names of so many lines are nowhere else: the screen is small, and its list of keys has fewer rows.
fn needs_names(canvas: &Canvas<'_>, lines: usize) -> bool {
    let (app, screen) = (canvas.app, canvas.buffer.area);
    let rows = app.layout().watch_rows(app.watch().keys().len());
    Layout::is_compact(screen.width, screen.height) && rows < lines
}

/// Draws the keys alone, each in at most so many columns: nothing else says which line is which.
fn draw_names(
    canvas: &mut Canvas<'_>,
    charted: &[&Watched],
    entries: &[LegendEntry<'_>],
    columns: usize,
    area: Rect,
) {
    let theme = canvas.theme;
    let mut pen = canvas.pen(area, 0);
    for entry in entries {
        let number = charted.get(entry.line).map_or(0, |key| key.line_number());
        let mark = line_mark(theme, number, charted.len());
        pen.skip(1).write(&format!("{mark} "), line_style(theme, number));
        pen.write(&cut(entry.key, columns), theme.text).skip(1);
    }
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

/// Calls the keys of runs, but for the first one, by their runs alone: the rest is the same in all of them.
/// Says whether there are runs.
fn name_runs(app: &App, entries: &mut [LegendEntry<'_>]) -> bool {
    let runs = app.sources().runs();
    let Some((first, others)) = entries.split_first_mut() else { return false };
    let beside = runs.beside(first.key);
    for entry in others.iter_mut().filter(|entry| beside.iter().any(|key| key == entry.key)) {
        let run = runs.rest(entry.key).and_then(|rest| entry.key.strip_suffix(rest));
        entry.key = run.map_or(entry.key, |run| run.trim_end_matches('.'));
    }
    runs.iter().nth(1).is_some()
}

/// The time of the point under the cursor, and a summary of it with those before it in the seconds of a
/// column, as long as the room beside the first key allows.
fn cursor_labels(
    app: &App,
    chart: &Chart,
    cursor: i64,
    first: Option<&LegendEntry<'_>>,
    room: usize,
) -> (String, String) {
    let time = read_time(app, chart, cursor);
    let date = format!(" {}", time::date(time, app.zone()));
    let short = short_time(app, chart, time);
    let mut variants = Vec::new();
    if let Some((read, step)) = chart.reading.zip(chart.step) {
        // How many points there are is not known.
        let span = read.sample.timestamp.abs_diff(read.from).saturating_add(step);
        let span = time::duration(Duration::from_secs(span));
        variants
            .extend([&date, &short].map(|time| (time, format!(" · min, max of {span} before"))));
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

/// The time of the point at the cursor, not of the column; of steps, whose range stands beside it, that
/// of the table, which is as things stood at their end.
fn read_time(app: &App, chart: &Chart, cursor: i64) -> i64 {
    if chart.reading.is_some() && chart.step.is_some() {
        return app.place().pointed_at().unwrap_or(cursor);
    }
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
    let key = key_of(Mode::Watch, Action::Chart(ChartAction::LogAxis));
    let flat = chart.is_flat.then(|| format!("flat lines: {key}"));
    first.extend(flat.clone());
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
    variants.push([first.clone(), vec![window.clone()]].concat());
    variants.extend(flat.map(|flat| vec![flat]));
    variants.push(vec![window]);
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
    } else if !viewport.shows_all_but_strays(bounds) && is_present((from, to), app) {
        format!("last {span}")
    } else if !viewport.shows_all_but_strays(bounds) {
        // The window of the table, which is called the last one, ends now.
        format!("{span} to the last point")
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
        let (shown, whole) = (window_label(app), whole(bounds));
        let is_all = viewport.shows_all_but_strays(bounds);
        // A series that has ended says when.
        let end = (!is_present((from, to), app)).then(|| time::date(to, app.zone()));
        return match end {
            Some(end) if is_all => format!("{shown}, to {end}"),
            Some(end) => {
                let span = time::duration(Duration::from_secs(to.abs_diff(from)));
                format!("{span} of {whole} to the last point, {end}")
            }
            None if is_all => shown,
            None => format!("{shown} of {whole}"),
        };
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

/// The end of a range of time is not long ago: no longer than the range is, where that is short.
fn is_present((from, to): (i64, i64), app: &App) -> bool {
    /// Seconds that are not long.
    const SHORT: i64 = 60;
    let ago = app.now().unix().saturating_sub(to);
    ago <= to.saturating_sub(from).clamp(SHORT, OPENING)
}

/// The length of everything there is, but for strays of the future.
pub(super) fn whole(bounds: TimeBounds) -> String {
    let (first, newest) = bounds.all();
    time::duration(Duration::from_secs(newest.abs_diff(first)))
}
