//! The parts of a view by their names: one table for sessions and for view files, so that a part has
//! the same name, the same values and the same meaning in both.

use shared::Key;
use shared::duration::Duration;

use super::view::{Base, Comparison, LogRoom, Named, View};
use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::metrics::sort::Sort;
use crate::metrics::window::{ChartWindow, Window};
use crate::sources::{SourceLabel, check_name, check_run};
use crate::text::escape::escape_untrusted;

/// The last second of the year 9999.
pub(super) const MAX_TIME: u64 = 253_402_207_199;

const NO_TIME: &str = "a Unix time up to the year 9999";
const NO_COLUMN: &str = "no such column";
const NO_WINDOW: &str = "no such window";
const NO_SPAN: &str = "a window is such as 15m, all, strays or two Unix times";

/// A part of a view with a name.
pub(super) struct Field {
    /// Its name: that of the option of the command line where there is one.
    pub name: &'static str,
    /// What its values are in a view file.
    pub form: Form,
    /// The files that have it.
    pub kept: Kept,
    /// Its values in a view; none where it is as usual.
    pub values: fn(&View) -> Vec<String>,
    /// Puts a value into a view; the error is what is wrong with it.
    pub take: fn(&mut View, &str) -> Result<(), String>,
}

/// What the values of a part are in a view file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A text.
    Text,
    /// A text, or several in a list.
    Texts,
    /// A number.
    Number,
    /// `true`, which is `on` in a session.
    Flag,
    /// A time as behind `@`, which is a Unix time in a session.
    Time,
}

/// The files that have a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Sessions and view files, in which it is an option.
    Option,
    /// Sessions and view files, in which it is nothing that an option says.
    Panes,
    /// Sessions alone.
    Session,
    /// View files alone, in which it is an option.
    ViewFile,
}

impl Field {
    /// Its values in a view, each on one line.
    pub fn lines(&self, view: &View) -> Vec<String> {
        let values = (self.values)(view).into_iter();
        // A filter from the command line may have ends of lines between its words.
        values.map(|value| value.replace(char::is_control, " ")).collect()
    }
}

impl Kept {
    pub fn is_in_session(self) -> bool {
        self != Self::ViewFile
    }

    pub fn is_in_view_file(self) -> bool {
        self != Self::Session
    }

    /// A value is checked as that of an option of the command line.
    pub fn is_option(self) -> bool {
        matches!(self, Self::Option | Self::ViewFile)
    }
}

/// In the order in which they are written. A session is shown on the terminal of another person, which
/// decides about the look; it is not polled; and its clock stands still, which that of a view does not.
#[rustfmt::skip]
pub(super) const FIELDS: &[Field] = &[
    field("host", Form::Texts, Kept::Option, host_of, host),
    field("port", Form::Number, Kept::ViewFile, |_| Vec::new(), as_option),
    field("prefix", Form::Texts, Kept::Option, |view| view.runs.clone(), prefix),
    field("shift", Form::Texts, Kept::Session, |view| view.shifts.iter().map(|(run, by)| format!("{by} {run}")).collect(), shift),
    field("saved", Form::Number, Kept::Session, |view| one(Some(view.saved_at)), saved),
    field("interval", Form::Number, Kept::ViewFile, |view| one(view.interval.map(|it| it.as_secs_f64())), as_option),
    field("watch", Form::Texts, Kept::Option, |view| all(&view.watch), watch),
    field("alert", Form::Texts, Kept::Option, |view| all(&view.alerts), alert),
    field("filter", Form::Text, Kept::Option, |view| one(view.table.filter.as_ref().map(Filter::as_str)), filter),
    field("sort", Form::Text, Kept::Option, |view| one(Some(view.table.sort).filter(|&it| it != Sort::default())), table_sort),
    field("columns", Form::Texts, Kept::Option, columns_of, columns),
    field("window", Form::Text, Kept::Option, |view| one(Some(view.table.window.name())), window),
    field("theme", Form::Text, Kept::ViewFile, |view| one(view.look.theme.as_ref()), as_option),
    field("glyphs", Form::Text, Kept::ViewFile, |view| one(view.look.glyphs.as_ref()), as_option),
    field("ascii", Form::Text, Kept::ViewFile, |view| one(view.look.ascii.as_ref()), as_option),
    field("row", Form::Text, Kept::Panes, |view| one(view.selected_row.as_ref()), row),
    field("raw-log", Form::Flag, Kept::Option, |view| one(view.raw_log.then_some("on")), raw_log),
    field("place", Form::Time, Kept::Panes, |view| one(view.place), place),
    field("compared", Form::Text, Kept::Panes, compared_of, compared),
    field("compared-sort", Form::Text, Kept::Panes, |view| one(view.compared_sort), compared_sort),
    field("chart", Form::Text, Kept::Panes, |view| one(span(view.chart.window)), chart),
    field("axis", Form::Text, Kept::Panes, |view| one(view.chart.log.then_some("log")), axis),
    field("cursor", Form::Time, Kept::Session, |view| one(view.chart.cursor), cursor),
    field("selected", Form::Text, Kept::Panes, |view| one(view.chart.selected.as_ref()), selected),
    field("marked", Form::Texts, Kept::Panes, |view| all(&view.chart.marked), marked),
    field("log", Form::Text, Kept::Panes, |view| one(Some(view.log).filter(|&it| it != LogRoom::On).map(Named::name)), log),
    field("pane", Form::Text, Kept::Panes, |view| one(view.pane.map(Named::name)), pane),
    field("focus", Form::Text, Kept::Panes, |view| one(view.focus.map(Named::name)), focus),
];

const fn field(
    name: &'static str,
    form: Form,
    kept: Kept,
    values: fn(&View) -> Vec<String>,
    take: fn(&mut View, &str) -> Result<(), String>,
) -> Field {
    Field { name, form, kept, values, take }
}

/// The part with this name.
pub(super) fn named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

#[expect(clippy::needless_pass_by_value, reason = "most are made where they are passed")]
fn one(value: Option<impl ToString>) -> Vec<String> {
    value.iter().map(ToString::to_string).collect()
}

fn all(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// A part that comes with the options.
#[expect(clippy::unnecessary_wraps, reason = "in the table of names")]
fn as_option(_: &mut View, _: &str) -> Result<(), String> {
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: impl ToString) -> String {
    error.to_string()
}

fn host_of(view: &View) -> Vec<String> {
    let named = |host: &SourceLabel| format!("{}={}", host.name, host.address);
    match &view.hosts[..] {
        [] => one(Some(&view.address).filter(|address| !address.is_empty())),
        hosts => hosts.iter().map(named).collect(),
    }
}

fn prefix(view: &mut View, value: &str) -> Result<(), String> {
    check_run(value)?;
    view.runs.push(key(value)?);
    Ok(())
}

/// Seconds, and what the source is called.
fn shift(view: &mut View, value: &str) -> Result<(), String> {
    let (by, run) = value.split_once(' ').ok_or("a run is missing")?;
    let by = by.parse().map_err(|_| "a number of seconds")?;
    view.shifts.push((key(run)?, by));
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "in the table of names")]
fn host(view: &mut View, value: &str) -> Result<(), String> {
    let safe = |address: &str| escape_untrusted(address.as_bytes()).into_string();
    match value.split_once('=').filter(|(name, _)| check_name(name).is_ok()) {
        Some((name, address)) => view.add_host(name.to_owned(), safe(address)),
        None => view.address = safe(value),
    }
    Ok(())
}

fn saved(view: &mut View, value: &str) -> Result<(), String> {
    view.saved_at = time(value).filter(|&at| at >= 0).ok_or(NO_TIME)?;
    Ok(())
}

fn watch(view: &mut View, value: &str) -> Result<(), String> {
    view.watch.push(value.parse().map_err(text)?);
    Ok(())
}

fn alert(view: &mut View, value: &str) -> Result<(), String> {
    view.alerts.push(value.parse().map_err(text)?);
    Ok(())
}

fn filter(view: &mut View, value: &str) -> Result<(), String> {
    view.table.filter = Some(value.parse().map_err(text)?);
    Ok(())
}

fn table_sort(view: &mut View, value: &str) -> Result<(), String> {
    view.table.sort = sort(value)?;
    Ok(())
}

fn columns_of(view: &View) -> Vec<String> {
    let words: Vec<_> = view.table.columns.iter().copied().map(Column::word).collect();
    one(Some(words.join(",")).filter(|words| !words.is_empty()))
}

fn columns(view: &mut View, value: &str) -> Result<(), String> {
    let named = value.split(',').map(Column::named).collect::<Option<_>>();
    view.table.columns = named.ok_or(NO_COLUMN)?;
    Ok(())
}

fn window(view: &mut View, value: &str) -> Result<(), String> {
    view.table.window = Window::named(value).ok_or(NO_WINDOW)?;
    Ok(())
}

fn row(view: &mut View, value: &str) -> Result<(), String> {
    view.selected_row = Some(key(value)?);
    Ok(())
}

fn raw_log(view: &mut View, value: &str) -> Result<(), String> {
    view.raw_log = value == "on";
    let is_known = ["on", "off"].contains(&value);
    if is_known { Ok(()) } else { Err("the raw log is on or off".to_owned()) }
}

fn place(view: &mut View, value: &str) -> Result<(), String> {
    view.place = Some(time(value).ok_or(NO_TIME)?);
    Ok(())
}

fn compared_of(view: &View) -> Vec<String> {
    one(view.compared.as_ref().map(|compared| match compared {
        Comparison::Base(Base { at, mark }) => format!("{at} {mark}").trim_end().to_owned(),
        Comparison::Typed(text) => text.clone(),
    }))
}

/// A Unix time with the name of a mark behind it, or what is typed behind `C`.
fn compared(view: &mut View, value: &str) -> Result<(), String> {
    let (at, mark) = value.split_once(' ').unwrap_or((value, ""));
    let mark = || escape_untrusted(mark.as_bytes()).into();
    view.compared = Some(match at.parse::<i64>() {
        Ok(_) => Comparison::Base(Base { at: time(at).ok_or(NO_TIME)?, mark: mark() }),
        Err(_) if value.trim().is_empty() => return Err("a mark or a time is missing".to_owned()),
        Err(_) => Comparison::Typed(escape_untrusted(value.as_bytes()).into()),
    });
    Ok(())
}

fn compared_sort(view: &mut View, value: &str) -> Result<(), String> {
    view.compared_sort = Some(sort(value)?);
    Ok(())
}

fn chart(view: &mut View, value: &str) -> Result<(), String> {
    view.chart.window = parse_span(value).ok_or(NO_SPAN)?;
    Ok(())
}

fn axis(view: &mut View, value: &str) -> Result<(), String> {
    view.chart.log = value == "log";
    let is_known = ["log", "linear"].contains(&value);
    if is_known { Ok(()) } else { Err("an axis is log or linear".to_owned()) }
}

fn cursor(view: &mut View, value: &str) -> Result<(), String> {
    view.chart.cursor = Some(value.parse().map_err(|_| NO_TIME)?);
    Ok(())
}

fn selected(view: &mut View, value: &str) -> Result<(), String> {
    view.chart.selected = Some(key(value)?);
    Ok(())
}

fn marked(view: &mut View, value: &str) -> Result<(), String> {
    view.chart.marked.push(key(value)?);
    Ok(())
}

fn log(view: &mut View, value: &str) -> Result<(), String> {
    view.log = Named::named(value)?;
    Ok(())
}

fn pane(view: &mut View, value: &str) -> Result<(), String> {
    view.pane = Some(Named::named(value)?);
    Ok(())
}

fn focus(view: &mut View, value: &str) -> Result<(), String> {
    view.focus = Some(Named::named(value)?);
    Ok(())
}

fn key(value: &str) -> Result<String, String> {
    Key::new(value).map(|key| key.as_str().to_owned()).map_err(text)
}

/// A Unix time in seconds that can be shown as a date.
fn time(value: &str) -> Option<i64> {
    value.parse().ok().filter(|at: &i64| at.unsigned_abs() <= MAX_TIME)
}

/// An order, also by what the rows are compared with.
fn sort(value: &str) -> Result<Sort, String> {
    let (descending, word) = value.strip_prefix('-').map_or((false, value), |word| (true, word));
    let by_column = Column::named(word).map(|column| Sort { column: Some(column), descending });
    Ok(Sort::named(value).or(by_column).ok_or(NO_COLUMN)?)
}

/// A window of the chart; none for that at the start.
fn span(window: ChartWindow) -> Option<String> {
    Some(match window {
        ChartWindow::Opening => return None,
        ChartWindow::All => "all".to_owned(),
        ChartWindow::WithStrays => "strays".to_owned(),
        ChartWindow::Last(seconds) => Duration::from_seconds(seconds)?.to_string(),
        ChartWindow::Fixed(from, to) => format!("{from} {to}"),
    })
}

fn parse_span(value: &str) -> Option<ChartWindow> {
    let last = |seconds: Option<i64>| seconds.filter(|&seconds| seconds > 0).map(ChartWindow::Last);
    match value.split_once(' ') {
        None if value == "all" => Some(ChartWindow::All),
        None if value == "strays" => Some(ChartWindow::WithStrays),
        None => last(value.parse::<Duration>().ok().map(Duration::seconds)),
        // As sessions had it once.
        Some(("last", seconds)) => last(seconds.parse().ok()),
        Some((from, to)) => {
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (from <= to).then_some(ChartWindow::Fixed(from, to))
        }
    }
}
