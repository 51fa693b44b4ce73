//! The table of the last `get`. On a narrow screen the least important columns are left out.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::pen::cells;
use super::canvas::{Canvas, on_border};
use super::theme::Theme;
use crate::app::App;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::server::link::LinkState;
use crate::app::table::compared::COLUMNS;
use crate::keymap::Mode;
use crate::metrics::column::{Column, ColumnKind};
use crate::metrics::series::{Moved, Series};
use crate::metrics::sparkline::{sparkline, sparkline_on};
use crate::metrics::trend::TrendAxis;
use crate::metrics::window::Window;
use crate::text::connection::what_and_help;
use crate::text::width::{cut_in_the_middle, width};
use crate::text::{number, time};

/// Columns of a pane that are none of the table: its borders, and the marks of the rows.
const AROUND_COLUMNS: usize = 3;

/// Marks a row whose numbers the server refuses, because it has lost points of the key.
const LOST: &str = "?";

/// Draws the table.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let app = canvas.app;
    let table = app.table();
    let filtering =
        matches!(app.input().line().map(LineInput::purpose), Some(InputPurpose::Filter(_)));
    let focused = matches!(app.mode(), Mode::Table | Mode::Columns)
        || (app.mode() == Mode::SeriesInput && filtering);
    let sorting = table.arranging().then(|| ("· sorting … ".to_owned(), canvas.theme.title));
    let inner = canvas.pane(focused, &title(app, area.width.into()), sorting.as_slice(), area);
    if inner.is_empty() {
        return;
    }
    // A single row is that of a key.
    let heading = u16::from(inner.height > 1);
    let rows = usize::from(inner.height - heading);
    draw_foot(canvas, rows, area);
    if table.rows() == 0 {
        let quiet = canvas.theme.quiet;
        for (row, line) in (0..).zip(placeholder(app).lines()) {
            canvas.pen(inner, row).skip(1).write(line, quiet);
        }
        return;
    }
    let (first, theme) = (table.first(rows), canvas.theme);
    // The first column is for marks.
    let room = usize::from(inner.width.saturating_sub(1));
    let (columns, blanks) = table.columns_in(room, rows);
    if heading > 0 {
        draw_heading(canvas, (&columns, blanks), inner);
    }
    let axis = trend_axis(app, &columns, rows);
    let mut shown: Vec<Row<'_>> =
        table.visible(rows).map(|series| Row::of(canvas, series, &columns, axis)).collect();
    for (at, &(_, wide)) in columns.iter().enumerate().filter(|(_, of)| of.0.has_decimals()) {
        let cells = shown.iter_mut().filter_map(|row| row.cells.get_mut(at));
        number::align(cells.map(|(text, _)| text.to_mut()), wide);
    }
    for (row, shown) in (heading..).zip(shown) {
        let selected = first + usize::from(row - heading) == table.selected();
        let mut pen = canvas.pen(inner, row);
        pen.write(shown.mark.0, shown.mark.1);
        for (&(column, wide), (text, style)) in columns.iter().zip(&shown.cells) {
            if matches!(column.kind(), ColumnKind::Trend) && !shown.marked {
                pen.bars(text, wide, *style, &theme.trend).skip(blanks);
            } else {
                pen.field(text, wide, column.is_number(), *style).skip(blanks);
            }
        }
        if focused && selected {
            canvas.select_row(inner, row, shown.firing);
        }
    }
}

/// The time that the trends of the rows in sight show: the same in each row, unless it is that of a
/// whole history, which each key has for itself.
fn trend_axis(app: &App, columns: &[(Column, usize)], rows: usize) -> Option<TrendAxis> {
    let table = app.table();
    let is_trend = |column: Column| matches!(column.kind(), ColumnKind::Trend);
    let &(_, wide) = columns.iter().find(|&&(column, _)| is_trend(column))?;
    let trends = table.visible(rows).filter_map(Series::trend);
    TrendAxis::of(trends, wide).filter(|_| table.shown_window() != Window::All)
}

/// The longest title that fits; on a narrow screen the filter is there before all else.
fn title(app: &App, columns: usize) -> String {
    /// The corners, and a dash before the right one.
    const AROUND: usize = 3;
    let titles = titles(app, columns);
    let fitting = titles.iter().find(|title| width(title) + AROUND <= columns);
    fitting.or(titles.last()).cloned().unwrap_or_default()
}

/// What the numbers are of: of a live table only the newest points are known, and a session may begin later than
/// their window.
fn numbers_of(app: &App) -> String {
    let table = app.table();
    let shown = table.shown_window();
    let as_of = table.as_of().map(|at| {
        let before = if shown == Window::All { "all" } else { shown.name() };
        format!("as of {}, {before} before", time::date(at, app.zone()))
    });
    let points = as_of.unwrap_or_else(|| match shown {
        Window::All if table.is_live() => "all time".to_owned(),
        window if table.is_live() => format!("last {}", window.name()),
        _ => number::plural(table.answer().points, "point", "points"),
    });
    let saved = app.replayed().zip(shown.seconds());
    let saved = saved.and_then(|(it, seconds)| it.begins_within(seconds, app.table_time()));
    match saved {
        Some(from) => {
            let from = time::short_moment(from, app.now().unix(), app.zone());
            format!("{points}, saved from {from} on")
        }
        None => points,
    }
}

/// The titles from the longest to the shortest, of a pane with so many columns.
fn titles(app: &App, columns: usize) -> Vec<String> {
    let table = app.table();
    let request = table.request();
    if table.is_partial() {
        let first = number::plural(table.keys() as u64, "key", "keys");
        return vec![
            format!(" {request} · the first {first}, asking … "),
            format!(" the first {first}, asking … "),
            format!(" first {first} … "),
        ];
    }
    if !table.loaded() {
        return vec![format!(" {request} ")];
    }
    let mut keys = number::plural(table.keys() as u64, "key", "keys");
    if table.is_let_go() {
        keys.push_str(", asking again …");
    }
    // Of other points a recording knows nothing.
    let partial = app.replayed().map_or(0, |replayed| replayed.partial(app.table_time()));
    if partial > 0 {
        let of = number::count(partial);
        keys = format!("{keys}, newest points only of {of}");
    }
    let points = numbers_of(app);
    let is_later = table.is_compared_with_later();
    let gone = match table.gone() {
        // What is not known may be there.
        _ if partial > 0 => String::new(),
        0 => String::new(),
        gone if is_later => format!(", {} not yet there", number::count(gone as u64)),
        gone => format!(", {} gone", number::count(gone as u64)),
    };
    let stopped = match table.stopped(app.table_time()) {
        0 => String::new(),
        stopped => format!(", {} stopped", number::count(stopped as u64)),
    };
    let gone = format!("{stopped}{gone}");
    let lacking = app.sources_of(table.unknown());
    let compared = compared_titles(app, columns, &gone, lacking.as_ref());
    // Above all else a title says that the rows are of another time.
    let then = table
        .as_of()
        .map(|at| format!("{} · ", time::short_moment(at, app.now().unix(), app.zone())));
    let then = match app.why_not_as_of() {
        Some(why) if then.is_none() => format!("of now, {why} · "),
        _ => then.unwrap_or_default(),
    };
    let lacking = lacking.map(|text| format!("{text} · ")).unwrap_or_default();
    // A long title says it elsewhere.
    let still = if table.as_of().is_none() { then.as_str() } else { "" };
    let (then, still) = (format!("{then}{lacking}"), format!("{still}{lacking}"));
    match (table.filter(), compared) {
        (Some(filter), compared) => {
            let shown = number::count(table.rows() as u64);
            let of_points = if table.is_live() { format!("· {points} ") } else { String::new() };
            let (filter, total) = (filter.as_str(), number::count(table.keys() as u64));
            let Some(Comparison { full, short, brief }) = compared else {
                return vec![
                    format!(" {then}{request} · {shown} of {keys} · {filter} {of_points}"),
                    format!(" {then}{shown} of {keys} · {filter} {of_points}"),
                    format!(" {then}{shown} of {keys} · {filter} "),
                    format!(" {then}{filter} · {shown} of {keys} "),
                ];
            };
            vec![
                format!(" {then}{request} · {shown} of {keys} · {filter} · {full}"),
                format!(" {then}{shown} of {keys} · {filter} · {full}"),
                format!(" {then}{shown} of {keys} · {filter} · {short}"),
                format!(" {then}{filter} · {shown} of {total} · {short}"),
                format!(" {then}{filter} · {short}"),
                format!(" {then}{filter} · {shown} of {total} · {brief}"),
                format!(" {then}{filter} · {brief}"),
                format!(" {filter} · {then}{brief}"),
            ]
        }
        (None, Some(Comparison { full, short, brief })) => vec![
            format!(" {still}{request} · {keys} · {points} · {full}"),
            format!(" {still}{keys} · {points} · {full}"),
            format!(" {then}{keys} · {full}"),
            format!(" {then}{keys} · {short}"),
            format!(" {then}{short}"),
            format!(" {then}{brief}"),
        ],
        (None, None) => {
            vec![
                format!(" {still}{request} · {keys} · {points} "),
                format!(" {still}{keys} · {points} "),
                format!(" {then}{keys} "),
            ]
        }
    }
}

/// What the title says of what the rows are compared with.
struct Comparison {
    full: String,
    /// With how many keys have stopped or are gone.
    short: String,
    /// What is always said.
    brief: String,
}

/// What the title says of what the rows are compared with. `gone` is said of keys, `lacking` of sources
/// elsewhere in the title.
fn compared_titles(
    app: &App,
    columns: usize,
    gone: &str,
    lacking: Option<&String>,
) -> Option<Comparison> {
    let table = app.table();
    let Some(compared) = table.compared() else {
        let room = columns.saturating_sub(AROUND_COLUMNS);
        let (shown, _) = table.columns_in(room, app.layout().table_rows());
        let is_shown = |(column, _): &(Column, usize)| COLUMNS.contains(column);
        let run = table.base_run().filter(|_| shown.iter().any(is_shown))?;
        let brief = format!("vs {run} ");
        return Some(Comparison {
            full: format!("compared with {run} "),
            short: brief.clone(),
            brief,
        });
    };
    let name = &compared.name;
    let date = time::date(compared.at, app.zone());
    // A date of today is a time of day where there is little room.
    let moment = time::short_moment(compared.at, app.now().unix(), app.zone());
    let brief = if *name == date { &moment } else { name };
    let unknown = app.sources_of(&compared.unknown).filter(|text| Some(text) != lacking);
    let unknown = unknown.map(|text| format!(", {text}")).unwrap_or_default();
    Some(if table.is_compared_with_later() {
        Comparison {
            full: format!("compared with {name}, which is later{gone}{unknown} "),
            short: format!("vs {brief}, later{gone} "),
            brief: format!("vs {brief}, later "),
        }
    } else {
        Comparison {
            full: format!("moved since {name}{gone}{unknown} "),
            short: format!("since {brief}{gone} "),
            brief: format!("since {brief} "),
        }
    })
}

/// Draws the scroll position, how many lines of the answer are malformed, and why the selected row has no
/// numbers.
fn draw_foot(canvas: &mut Canvas<'_>, rows: usize, mut area: Rect) {
    let table = canvas.app.table();
    if table.answer().malformed > 0 {
        let style = on_border(canvas.theme.bad);
        let (one, many) = ("malformed line", "malformed lines");
        let lines = number::plural(table.answer().malformed, one, many);
        let mut pen = canvas.foot_pen(area);
        pen.write_right(&format!(" skipped {lines} "), style);
        area.width = area.width.min(cells(pen.room() + 2));
    }
    let refused = table.selected_series().and_then(|series| canvas.app.why_refused(series));
    if let Some(why) = refused {
        let style = on_border(canvas.theme.bad);
        let mut pen = canvas.foot_pen(area);
        pen.write_right(&format!(" {why} "), style);
        area.width = area.width.min(cells(pen.room() + 2));
    }
    canvas.scroll_position((table.first(rows), rows, table.rows()), Some(table.selected()), area);
}

/// The lines in place of rows: why there are none, and which keys or requests help.
fn placeholder(app: &App) -> String {
    if !app.table().answer().series.is_empty() {
        let none =
            none_passes(app).unwrap_or_else(|| match app.sources_of(app.table().unknown()) {
                Some(text) => format!("no key passes the filter, but {text}."),
                None => "no key passes the filter.".to_owned(),
            });
        return format!("{none}\n/ changes it; empty, it passes all");
    }
    if let LinkState::Waiting { reason, .. } = app.link().state() {
        let (why, help) = what_and_help(reason, app.link().address());
        return format!("no data yet: {why}\n{help}");
    }
    if !app.link().is_connected() {
        return "no data yet: not connected".to_owned();
    }
    if !app.table().loaded() {
        return "asking …".to_owned();
    }
    if let Some(at) = app.table().as_of() {
        let date = time::date(at, app.zone());
        return match app.sources_of(app.table().unknown()) {
            Some(text) => format!("not known of all at {date}: {text}.\n0 is live again"),
            None => format!("no key had a point yet at {date}.\n0 is live again"),
        };
    }
    let invitation = " Type a request, such as\n  put palm.cpu 23.7";
    format!("no points yet.{}", if app.mode().takes_requests() { invitation } else { "" })
}

/// That a glob is for the whole key, where a wider one matches some.
fn none_passes(app: &App) -> Option<String> {
    /// Keys among which is looked for some, so that a frame is drawn in time.
    const MAX_KEYS: usize = 10_000;
    let filter = app.table().filter()?;
    let wider = filter.wider()?;
    let keys = app.table().answer().series.iter().take(MAX_KEYS);
    let matched = keys.filter(|series| wider.matches(series.key.as_str())).count();
    let none = format!("no key passes {}: a glob is for the whole key", filter.as_str());
    match matched {
        0 => None,
        _ if app.table().answer().series.len() > MAX_KEYS => {
            Some(format!("{none}; {wider} passes some."))
        }
        matched => Some(format!("{none}; {wider} passes {}.", number::count(matched as u64))),
    }
}

fn draw_heading(
    canvas: &mut Canvas<'_>,
    (columns, blanks): (&[(Column, usize)], usize),
    area: Rect,
) {
    let theme = canvas.theme;
    let sort = canvas.app.table().sort();
    let arrow = if sort.descending { "▼" } else { "▲" };
    let sorted = theme.key.add_modifier(Modifier::BOLD);
    let mut pen = canvas.pen(area, 0);
    let corner = if sort.column.is_none() && sort.descending { arrow } else { " " };
    pen.write(corner, theme.key);
    for &(column, wide) in columns {
        let (arrow, style) =
            if sort.column == Some(column) { (arrow, sorted) } else { ("", theme.quiet) };
        let name = format!("{}{arrow}", column.name());
        pen.field(&name, wide, column.is_number(), style).skip(blanks);
    }
}

/// A row of the table.
struct Row<'a> {
    mark: (&'static str, Style),
    /// Text and style of each column.
    cells: Vec<(Cow<'a, str>, Style)>,
    /// An alert fires for it.
    firing: bool,
    /// It does, or the row is stale.
    marked: bool,
}

impl<'a> Row<'a> {
    fn of(
        canvas: &Canvas<'_>,
        series: &'a Series,
        columns: &[(Column, usize)],
        axis: Option<TrendAxis>,
    ) -> Self {
        let Canvas { app, theme, .. } = *canvas;
        let now = app.table_time();
        let firing = app.is_firing(series);
        let (mark, base, age) = theme.series(firing, series.is_stale(now));
        let marked = mark != " ";
        let mark = match mark {
            " " if series.has_lost_points() => (LOST, theme.bad),
            mark => (mark, base),
        };
        let key = theme.series_key.filter(|_| !marked).unwrap_or(base);
        let moved = |by: f64| if marked { base } else { theme.moved(by, base) };
        let last = series.last.timestamp;
        let lacks = app.replayed().is_some_and(|it| it.lacks_numbers(series.key.as_str(), now));
        let says_moved = columns.iter().any(|&(column, _)| column == Column::Moved);
        let cells = columns.iter().map(|&(column, wide)| match column.kind() {
            _ if lacks && column.is_of_window() => (unknown().into(), base),
            ColumnKind::Key => (cut_in_the_middle(series.key.as_str(), wide), key),
            ColumnKind::Stored(of) => {
                let title = column == Column::Last && !marked;
                (number_of(of(series), wide).into(), if title { theme.value() } else { base })
            }
            ColumnKind::Difference(_) => {
                let (text, style) = change(column.number(series, now), wide, theme, moved);
                (text.into(), style)
            }
            ColumnKind::Moved => {
                let (text, style) = match series.moved(now) {
                    Some(by @ (Moved::New | Moved::Stopped { .. })) => {
                        (by.word().unwrap_or_default().to_owned(), theme.alert)
                    }
                    other => change(other.map(Moved::by), wide, theme, moved),
                };
                (text.into(), style)
            }
            ColumnKind::MovedShare => {
                let by = series.moved(now);
                let percent = by.and_then(Moved::percent);
                let word = by.filter(|_| !says_moved && percent.is_none()).and_then(Moved::word);
                let (text, style) = change(percent, wide, theme, moved);
                match (percent, word) {
                    (Some(percent), _) => (number::percent(percent, wide).into(), style),
                    (None, Some(word)) => (word.into(), theme.alert),
                    (None, None) => (text.into(), style),
                }
            }
            ColumnKind::Mean => (number_of(series.mean(), wide).into(), base),
            ColumnKind::Count => {
                let count = series.count().map(|count| number::count_within(count, wide));
                (count.unwrap_or_else(unknown).into(), base)
            }
            ColumnKind::Age => {
                // The place of the mark that a stale row has is taken.
                let dot = if firing && series.is_stale(now) { "·" } else { "" };
                (format!("{dot}{}", time::short_age(last, now)).into(), age)
            }
            ColumnKind::Time => (time::date(last, app.zone()).into(), theme.quiet),
            ColumnKind::Trend => {
                let bars = match axis {
                    Some(axis) => sparkline_on(series, axis),
                    None => sparkline(series, wide),
                };
                let bars = theme.glyphs.sparkline(bars);
                (bars.into(), if marked { base } else { theme.plot })
            }
        });
        Self { mark, cells: cells.collect(), firing, marked }
    }
}

fn number_of(number: Option<f64>, wide: usize) -> String {
    number.map_or_else(unknown, |number| number::short_within(number, wide))
}

/// In place of a number that there is not, or that is not known yet.
fn unknown() -> String {
    "–".to_owned()
}

/// A difference, quiet if there is none or it is zero.
fn change(
    by: Option<f64>,
    wide: usize,
    theme: &Theme,
    moved: impl Fn(f64) -> Style,
) -> (String, Style) {
    match by {
        None => ("–".to_owned(), theme.quiet),
        Some(0.0) => ("0".to_owned(), theme.quiet),
        Some(by) => (number::change(by, wide), moved(by)),
    }
}
