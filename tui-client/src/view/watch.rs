//! The watched keys: value, change, age; below them the chart of the selected one.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::canvas::pen::cells;
use super::chart::{self, PlotCache};
use super::theme::Theme;
use crate::app::App;
use crate::app::table::Table;
use crate::app::watch::{Heard, Watch, Watched};
use crate::keymap::Mode;
use crate::metrics::alerts::Alert;
use crate::metrics::series::Series;
use crate::metrics::series::recent_points::RecentPoints;
use crate::metrics::sparkline::{sparkline, sparkline_of};
use crate::metrics::trend::{Trend, TrendAxis};
use crate::metrics::window::Window;
use crate::text::width::{cut, width};
use crate::text::{number, time};

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_>, plots: &mut PlotCache, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    let watch = app.watch();
    // The full-screen chart keeps the focus while a line is typed below it.
    let typing = matches!(app.mode(), Mode::SeriesInput | Mode::LogInput) && app.layout().full;
    let focused = typing || matches!(app.mode(), Mode::Watch | Mode::Chart);
    // A chart on the whole screen has no list of keys, which has the numbers.
    let has_list = app.layout().watch_rows(watch.keys().len()) > 0;
    let marks = marks_width(app, theme);
    let shape = Shape::new(marks, area.width.saturating_sub(2).into(), 0);
    let shown_numbers = |shape: Shape| if knows_numbers(app) { shape.numbers } else { 0 };
    let numbers = if has_list { shown_numbers(shape) } else { 0 };
    let remarks = remarks(app, numbers, theme);
    let inner = canvas.pane(focused, &title(watch), &remarks, area);
    if inner.is_empty() {
        return;
    }
    if watch.keys().is_empty() {
        let patterns: Vec<_> = watch.patterns().iter().map(ToString::to_string).collect();
        let text = format!("no key matches {} yet", patterns.join(" "));
        canvas.pen(inner, 0).skip(1).write(&text, theme.quiet);
        return;
    }
    let visible = app.layout().watch_rows(watch.keys().len());
    let rows = cells(visible).min(inner.height);
    let first = watch.first_visible(visible);
    let shown = watch.keys().iter().enumerate().skip(first).take(visible);
    canvas.scroll_position((first, visible, watch.keys().len()), Some(watch.selected()), area);
    let longest = shown.clone().map(|(_, key)| width(&key.key)).max();
    let shape = Shape::new(marks, inner.width.into(), longest.unwrap_or(0));
    let shape = Shape { numbers: shown_numbers(shape), ..shape };
    let mut values: Vec<String> = shown.clone().map(|(_, key)| value(app, key)).collect();
    number::align(&mut values, VALUE - 1);
    let courses = courses_of_runs(app, shown.clone().map(|(_, key)| key), MAX_BARS);
    for (number, ((row, (at, watched)), value)) in (0..rows).zip(shown).zip(values).enumerate() {
        let course = courses.as_deref().map(|courses| (courses, number));
        let selected = at == watch.selected() && watch.keys().len() > 1;
        let line = Rect { y: inner.y + row, height: 1, ..inner };
        draw_key(canvas, watched, (&value, course), selected, shape, line);
        if selected && focused {
            // Marks and values keep their colours, which have meanings.
            let marks = cells(shape.marks).min(inner.width);
            let key = cells(shape.key).min(inner.width - marks);
            let name = Rect { x: inner.x + marks, width: key, ..line };
            canvas.buffer.set_style(name, theme.selected(app.is_alarmed(watched)));
            canvas.mark_row(inner, row);
        }
    }
    let below = Rect { y: inner.y + rows, height: inner.height - rows, ..inner };
    if watch.chart_bounds().is_some() {
        chart::draw(canvas, plots, below);
    } else if let Some(selected) = watch.selected_key() {
        draw_waiting(canvas, selected, rows == 0, below);
    }
}

/// Says what the chart waits for, and how a first point is put; `is_alone`: without the list of
/// keys, which says that there are none yet.
fn draw_waiting(canvas: &mut Canvas<'_>, watched: &Watched, is_alone: bool, area: Rect) {
    if watched.heard != Heard::NoPoints {
        return;
    }
    let quiet = canvas.theme.quiet;
    let put = format!("put {} 23.7", watched.key);
    let title = if is_alone { "no points yet" } else { "" };
    let lines = [
        (title, quiet),
        ("each point is drawn as it comes;", quiet),
        ("the first one, for example, with", quiet),
        (put.as_str(), canvas.theme.text),
    ];
    let room = usize::from(area.width).saturating_sub(2);
    for (row, (text, style)) in (0..area.height).zip(lines) {
        canvas.pen(area, row).skip(1).write(&cut(text, room), style);
    }
}

fn title(watch: &Watch) -> String {
    let count = watch.keys().len() as u64;
    match watch.keys() {
        [one] => format!(" watch {} ", one.key),
        _ if watch.is_cut() => format!(" watch · the first {} keys ", number::count(count)),
        _ => format!(" watch · {} ", number::plural(count, "key", "keys")),
    }
}

/// There are numbers of the time that is shown. Of another time than now there are those that the table
/// of then has asked for.
fn knows_numbers(app: &App) -> bool {
    let has_some = |watched: &Watched| {
        let series = app.watched_series(watched);
        series.is_some_and(|series| series.min().or(series.max()).or(series.mean()).is_some())
    };
    app.place().table().is_none() || app.watch().keys().iter().any(has_some)
}

fn remarks(app: &App, numbers: usize, theme: &Theme) -> Vec<(String, Style)> {
    let watch = app.watch();
    let mut remarks = Vec::new();
    // A chart alone has a time of its own, in its legend.
    let has_rows = app.layout().watch_rows(watch.keys().len()) > 0;
    if let Some(at) = app.place().table().and_then(Table::as_of).filter(|_| has_rows) {
        remarks.push((format!("· as of {} ", time::date(at, app.zone())), theme.alert));
    }
    // The title is of one key, if there is one alone.
    let concerns = |alert: &&Alert| match watch.keys() {
        [one] => alert.concerns(&one.key),
        _ => true,
    };
    let alerts = app.alerts().alerts().filter(concerns).count() as u64;
    // An alert may fire for several keys.
    let firing = app.alarms() as u64;
    let count = number::plural(alerts, "alert", "alerts");
    // They are judged by how things stood.
    let then = if app.place().table().is_some() { " then" } else { "" };
    let unjudged = if alerts > 0 { app.unjudged() as u64 } else { 0 };
    // It is not said that none fires where that is not known.
    let unknown = match unjudged {
        0 => String::new(),
        _ => format!(", {} not known", number::count(unjudged)),
    };
    if firing > 0 {
        let keys = number::plural(firing, "key", "keys");
        remarks.push((format!("· {count}, {keys} firing{then}{unknown} "), theme.bad));
    } else if unjudged > 0 && app.is_judging() {
        remarks.push((format!("· {count}, … "), theme.quiet));
    } else if unjudged > 0 {
        let keys = number::plural(unjudged, "key", "keys");
        remarks.push((format!("· {count}, not known of {keys}{then} "), theme.alert));
    } else if alerts > 0 && !then.is_empty() {
        remarks.push((format!("· {count}, none firing{then} "), theme.quiet));
    } else if alerts > 0 {
        remarks.push((format!("· {count} "), theme.quiet));
    }
    let silenced = app.alerts().silenced(app.now().elapsed) as u64;
    if silenced > 0 {
        remarks.push((format!("· {silenced} silenced "), theme.alert));
    }
    if app.alerts().alerts().any(|alert| watch.cuts(alert.pattern())) {
        remarks.push(("· alerts on these alone ".to_owned(), theme.alert));
    }
    let charted = watch.charted().filter(|key| key.series.is_some()).count();
    let drawn = watch.in_chart().count();
    if drawn < charted {
        remarks.push((format!("· {drawn} of {charted} in the chart "), theme.quiet));
    }
    if let Some(window) = watch.numbers_window().filter(|_| numbers > 0) {
        let of = match window {
            Window::All => "all time".to_owned(),
            window => format!("the last {}", window.name()),
        };
        remarks.push((format!("· {} of {of} ", NUMBERS[..numbers].join(", ")), theme.quiet));
    }
    if app.polling().is_paused() {
        remarks.push(("· paused ".to_owned(), theme.alert));
    }
    remarks
}

/// The mark of the line of a kept key in the chart: its colour or its letter, or that there is no room
/// for its line.
fn line_mark(app: &App, watched: &Watched, theme: &Theme) -> Option<(&'static str, Style)> {
    let line = app.watch().in_chart().find(|key| key.key == watched.key);
    let lines = app.watch().in_chart().count();
    match line.map(Watched::line_number) {
        _ if !watched.kept => None,
        Some(line) => Some(match chart::line::line_mark(theme, line, lines) {
            chart::line::MARK => (chart::line::MARK, chart::line::line_style(theme, line)),
            letter => (letter, theme.selection),
        }),
        None => Some(("□", theme.quiet)),
    }
}

/// Columns before the key: the state and the mark of the line or of the selection. Letters have a
/// column of their own beside that of the selection, and a blank behind them: they are not to be read
/// as letters of the key.
fn marks_width(app: &App, theme: &Theme) -> usize {
    let has_letters = theme.plot.fg.is_none() || theme.ascii;
    let letters = has_letters && app.watch().in_chart().nth(1).is_some();
    if letters { 4 } else { 2 }
}
/// Columns of the value.
const VALUE: usize = 13;
/// Columns of the arrow with its blanks.
const ARROW: usize = 4;
/// Columns of the change.
const CHANGE: usize = 9;
/// Columns of the age.
const AGE: usize = 8;
/// Columns of a number with its name, such as the minimum.
const NAMED: usize = 16;

/// The names of the numbers.
const NUMBERS: [&str; 3] = ["min", "max", "avg"];

/// The columns that a pane has room for. They depend on the width of the pane alone, except that
/// of the key: no column vanishes because of a key that is scrolled into view.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Columns before the key.
    marks: usize,
    /// Columns of the key.
    key: usize,
    /// The change is shown.
    change: bool,
    /// How many of minimum, maximum and mean are shown.
    numbers: usize,
}

impl Shape {
    fn new(marks: usize, width: usize, longest_key: usize) -> Self {
        /// Columns kept for the key before anything but its value and age is shown.
        const KEY: usize = 16;
        /// Columns of the sparkline, and the fewest beside a long key.
        const SPARKLINE: usize = 24;
        const MIN_SPARKLINE: usize = 8;
        let left = width.saturating_sub(marks + VALUE + ARROW + AGE);
        let change = left > KEY + CHANGE;
        let more = left.saturating_sub(2 + if change { CHANGE + 1 } else { 0 });
        let numbers = (more.saturating_sub(KEY + SPARKLINE) / NAMED).min(3);
        let most = match (change, numbers) {
            (false, _) => left,
            (true, 0) => more,
            (true, _) => more - numbers * NAMED - MIN_SPARKLINE,
        };
        Self { marks, key: longest_key.min(most).max(6), change, numbers }
    }
}

/// The most columns of the bars.
const MAX_BARS: usize = 60;

/// The courses of keys of runs, in buckets of one length; none where there are no runs.
fn courses_of_runs<'a>(
    app: &App,
    keys: impl Iterator<Item = &'a Watched>,
    columns: usize,
) -> Option<Vec<Trend>> {
    app.sources().runs().iter().nth(1)?;
    let points = keys.map(|key| app.watched_series(key).map(Series::recent)).collect::<Vec<_>>();
    let times = || points.iter().flatten().flat_map(|points| points.iter());
    let times = || times().map(|point| point.timestamp);
    let span = times().max()?.saturating_sub(times().min()?);
    let step = span / i64::try_from(columns).unwrap_or(i64::MAX) + 1;
    let of = |points: Option<&RecentPoints>| {
        let points = points.into_iter().flat_map(RecentPoints::iter);
        Trend::of_points(step, columns + 1, points)
    };
    Some(points.iter().copied().map(of).collect())
}

/// The newest value; nothing without points.
fn value(app: &App, watched: &Watched) -> String {
    let last = app.watched_series(watched).map(|series| series.last.value);
    last.map(|last| number::short_within(last, VALUE - 1)).unwrap_or_default()
}

fn draw_key(
    canvas: &mut Canvas<'_>,
    watched: &Watched,
    (value, course): (&str, Option<(&[Trend], usize)>),
    selected: bool,
    shape: Shape,
    line: Rect,
) {
    let Canvas { app, theme, .. } = *canvas;
    let series = app.watched_series(watched);
    let is_past = app.place().at().is_some();
    let now = if is_past { app.table_time() } else { app.now().unix() };
    let stale = series.is_some_and(|series| series.is_stale(now));
    let alarm = app.is_alarmed(watched);
    let (state_mark, base, age_style) = theme.series(alarm, stale);
    let selection = if selected { ("▸", theme.focus) } else { (" ", theme.text) };
    let line_mark = line_mark(app, watched, theme);
    let mut pen = canvas.pen(line, 0);
    let is_plain = !alarm && !stale;
    let key = theme.series_key.filter(|_| is_plain).unwrap_or(base);
    pen.write(state_mark, base);
    if shape.marks > 2 {
        let of_line = line_mark.unwrap_or((" ", theme.text));
        pen.write(selection.0, selection.1).write(of_line.0, of_line.1).skip(1);
    } else {
        let of_line = line_mark.unwrap_or(selection);
        pen.write(of_line.0, of_line.1);
    }
    pen.key(&watched.key, shape.key, key);
    let Some(series) = series else {
        let why = match watched.heard {
            _ if is_past => app.why_not_then(&watched.key),
            Heard::Nothing => "…".to_owned(),
            Heard::NoPoints => "no points yet".to_owned(),
            Heard::Points => "no points any more".to_owned(),
        };
        pen.write("  ", theme.quiet).write(&why, theme.quiet);
        return;
    };
    let fresh = watched.is_fresh(app.now().elapsed) && !alarm && !is_past;
    let emphasis = match fresh {
        true => theme.title.patch(theme.alert),
        false if is_plain => theme.value(),
        false => theme.title.patch(base),
    };
    pen.field(value, VALUE, true, emphasis);
    let (arrow, change) = match series.change() {
        None => (" ", String::new()),
        Some(0.0) => ("=", String::new()),
        Some(by) => (if by > 0.0 { "▲" } else { "▼" }, number::change(by, 9)),
    };
    let age = time::short_age(series.last.timestamp, now);
    let ago = if series.last.timestamp > now { "" } else { " ago" };
    if pen.room() >= ARROW + AGE {
        let moved = series.change().filter(|&by| by != 0.0);
        let moved = moved.map_or(theme.plot, |by| theme.moved(by, theme.plot));
        pen.skip(2).write(arrow, moved).skip(1);
        if shape.change {
            pen.field(&change, CHANGE, false, base).skip(1);
        }
        // The place of the mark that a stale key has may be taken.
        let dot = if watched.alarm && stale { "·" } else { "" };
        let told = [format!("{dot}{age}{ago}"), format!("{age}{ago}")];
        let told = told.iter().find(|text| width(text) <= AGE).unwrap_or(&age);
        pen.field(told, AGE, true, age_style).skip(2);
    }
    let numbers = [series.min(), series.max(), series.mean()];
    let awaits = app.watch().awaits_numbers(watched);
    let window = match app.place().table() {
        Some(past) => Some(past.window()),
        None => app.watch().numbers_window().filter(|_| !awaits && !is_past),
    };
    let has_ended = |seconds: i64| series.last.timestamp < now.saturating_sub(seconds);
    let ended = window.filter(|window| window.seconds().is_some_and(has_ended));
    if let Some(window) = ended.filter(|_| shape.numbers > 0) {
        // The window ends now or at the place in time, and not with the last point.
        let room = shape.numbers * NAMED;
        let name = window.name();
        let text = if is_past { ["", " before"] } else { ["the last ", ""] };
        let texts =
            [format!("no points in {}{name}{}", text[0], text[1]), format!("none in {name}")];
        let text = texts.iter().find(|text| width(text) + 2 <= room).unwrap_or(&texts[1]);
        pen.field(text, room - 2, false, theme.quiet).skip(2);
    }
    let shown = if ended.is_some() { 0 } else { shape.numbers };
    for (name, number) in NUMBERS.into_iter().zip(numbers).take(shown) {
        let number = match number {
            _ if awaits && !is_past => "…".to_owned(),
            Some(number) => number::short_within(number, NAMED - 6),
            None => String::new(),
        };
        let name = if number.is_empty() { " ".repeat(width(name)) } else { name.to_owned() };
        pen.write(&name, theme.quiet).skip(1).field(&number, NAMED - 6, false, base).skip(2);
    }
    let room = pen.room();
    // What the row has else is older than its window.
    if room >= 6 && ended.is_none() {
        let room = room.min(MAX_BARS);
        // Of runs a column is of the same time in each row.
        let course = course.and_then(|(courses, at)| {
            Some(sparkline_of(courses.get(at)?, TrendAxis::of(courses, room)?, series))
        });
        let bars = theme.glyphs.sparkline(course.unwrap_or_else(|| sparkline(series, room)));
        pen.bars(&bars, width(&bars), theme.plot, &theme.trend);
    }
}
