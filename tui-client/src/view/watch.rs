//! The watched keys: value, change, age; below them the chart of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Memo;
use super::chart;
use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::watch::{Heard, Watch, Watched};
use crate::keymap::Mode;
use crate::metrics::sparkline::sparkline;
use crate::text::width::width;
use crate::text::{number, time};

/// Draws the pane.
pub fn draw(app: &App, theme: &Theme, memo: &mut Memo, area: Rect, buffer: &mut Buffer) {
    let watch = app.watch();
    // A line that is asked for in the full-screen chart leaves it where it is.
    let typing = app.mode() == Mode::SeriesInput && app.layout().full;
    let focused = typing || matches!(app.mode(), Mode::Watch | Mode::Chart);
    let remarks = remarks(app, theme);
    let inner = super::pane(theme, focused, &title(watch), &remarks, area, buffer);
    if inner.is_empty() {
        return;
    }
    if watch.keys().is_empty() {
        let patterns: Vec<_> = watch.patterns().iter().map(ToString::to_string).collect();
        let text = format!("no key matches {} yet", patterns.join(" "));
        Pen::new(buffer, inner, 0).write(" ", theme.text).write(&text, theme.quiet);
        return;
    }
    let visible = app.layout().watch_rows(watch.keys().len());
    let rows = u16::try_from(visible).unwrap_or(u16::MAX).min(inner.height);
    let charted = rows < inner.height;
    let first = watch.first_visible(visible);
    let shown = watch.keys().iter().enumerate().skip(first).take(visible);
    if visible > 0 {
        let shown = (first, visible, watch.keys().len());
        super::whereabouts(theme, shown, Some(watch.selected()), area, buffer);
    }
    let longest = shown.clone().map(|(_, key)| width(&key.key)).max();
    let shape = Shape::new(inner.width.into(), longest.unwrap_or(0));
    for (row, (at, watched)) in (0..).zip(shown) {
        let chosen = at == watch.selected() && watch.keys().len() > 1;
        let mut pen = Pen::new(buffer, inner, row);
        for (mark, style) in [state_mark(app, watched, theme), mark(app, watched, chosen, theme)] {
            pen.write(mark, style);
        }
        let marks = inner.width - u16::try_from(pen.room()).unwrap_or(inner.width);
        draw_key(app, theme, watched, shape, &mut pen);
        if chosen && focused {
            // Marks and values keep their colours, which say something.
            let name = u16::try_from(shape.key).unwrap_or(inner.width).min(inner.width - marks);
            let name = Rect::new(inner.x + marks, inner.y + row, name, 1);
            buffer.set_style(name, theme.selected(watched.alarm));
        }
    }
    if rows == 0 && watch.chart_bounds().is_none() {
        Pen::new(buffer, inner, 0).write(" ", theme.text).write("no points yet", theme.quiet);
    } else if charted {
        let below = Rect { y: inner.y + rows, height: inner.height - rows, ..inner };
        chart::draw(app, theme, &mut memo.chart, below, buffer);
    }
}

fn title(watch: &Watch) -> String {
    let count = watch.keys().len() as u64;
    match watch.keys() {
        [one] => format!(" watch {} ", one.key),
        _ if watch.cut() => format!(" watch · the first {} keys ", number::count(count)),
        _ => format!(" watch · {} ", number::plural(count, "key", "keys")),
    }
}

fn remarks(app: &App, theme: &Theme) -> Vec<(String, Style)> {
    let watch = app.watch();
    let mut remarks = Vec::new();
    let alerts = number::plural(app.alerts().alerts().len() as u64, "alert", "alerts");
    match watch.alarms() as u64 {
        0 if app.alerts().alerts().len() == 0 => {}
        0 => remarks.push((format!("· {alerts} "), theme.quiet)),
        // An alert may fire for several keys.
        keys => {
            let keys = number::plural(keys, "key", "keys");
            remarks.push((format!("· {alerts}, {keys} firing "), theme.bad));
        }
    }
    let charted = watch.charted().filter(|key| key.series.is_some()).count();
    let drawn = watch.in_chart().count();
    if drawn < charted {
        remarks.push((format!("· {drawn} of {charted} in the chart "), theme.quiet));
    }
    if app.polling().is_paused() {
        remarks.push(("· paused ".to_owned(), theme.alert));
    }
    remarks
}

/// The first column, as in the table: an alert fires, or the key is stale.
fn state_mark(app: &App, watched: &Watched, theme: &Theme) -> (&'static str, Style) {
    match (watched.alarm, is_late(app, watched)) {
        (true, _) => ("!", theme.bad),
        (false, true) => ("·", theme.quiet),
        (false, false) => (" ", theme.text),
    }
}

fn is_late(app: &App, watched: &Watched) -> bool {
    watched.series.as_ref().is_some_and(|series| series.is_stale(app.now().unix()))
}

/// The column before the key: the colour of its line in the chart, or the selection.
fn mark(app: &App, watched: &Watched, chosen: bool, theme: &Theme) -> (&'static str, Style) {
    let line = app.watch().in_chart().position(|key| key.key == watched.key);
    match line {
        Some(line) if watched.marked => ("■", chart::line_style(theme, line)),
        None if watched.marked => ("■", theme.quiet),
        _ if chosen => ("▸", theme.focus),
        _ => (" ", theme.text),
    }
}

/// Columns of the marks, and of what stands behind the key: the value, the arrow with its blanks,
/// how much it changed, its age; a number that has a name.
const MARKS: usize = 2;
const VALUE: usize = 13;
const ARROW: usize = 4;
const CHANGE: usize = 9;
const AGE: usize = 8;
const NAMED: usize = 16;

/// What a pane has room for. The key takes what is left over, and nothing else depends on it: no
/// column goes because of a key that comes into view.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Columns of the key.
    key: usize,
    /// How much the value changed.
    change: bool,
    /// How many of the least, the greatest and the mean value.
    numbers: usize,
}

impl Shape {
    fn new(width: usize, longest_key: usize) -> Self {
        /// What is left to any key while there is more than the value and its age.
        const KEY: usize = 16;
        /// What the bars are worth, and what a long key leaves of that.
        const BARS: usize = 24;
        const FEW_BARS: usize = 8;
        let left = width.saturating_sub(MARKS + VALUE + ARROW + AGE);
        let change = left > KEY + CHANGE;
        // On a wide pane there is room for what the table shows.
        let more = left.saturating_sub(2 + if change { CHANGE + 1 } else { 0 });
        let numbers = (more.saturating_sub(KEY + BARS) / NAMED).min(3);
        let most = match (change, numbers) {
            (false, _) => left,
            (true, 0) => more,
            (true, _) => more - numbers * NAMED - FEW_BARS,
        };
        Self { key: longest_key.min(width / 3).min(most).max(6), change, numbers }
    }
}

fn draw_key(app: &App, theme: &Theme, watched: &Watched, shape: Shape, pen: &mut Pen<'_>) {
    let late = is_late(app, watched);
    let base = match (watched.alarm, late) {
        (true, _) => theme.bad,
        (false, true) => theme.quiet,
        (false, false) => theme.text,
    };
    pen.field(&watched.key, shape.key, false, base);
    let Some(series) = &watched.series else {
        let text = match watched.heard {
            Heard::Nothing => "  …",
            Heard::NoPoints => "  no points yet",
            Heard::Points => "  no points any more",
        };
        pen.write(text, theme.quiet);
        return;
    };
    let fresh = watched.is_fresh(app.now().elapsed);
    let value = match (watched.alarm, fresh) {
        (true, _) => theme.bad,
        (false, true) => theme.alert,
        (false, false) => base,
    };
    let value = theme.title.patch(value);
    pen.field(&number::value(series.last.value, VALUE - 1), VALUE, true, value);
    let (arrow, change) = match series.change() {
        None => (" ", String::new()),
        Some(0.0) => ("=", String::new()),
        Some(by) => (if by > 0.0 { "▲" } else { "▼" }, number::change(by, 9)),
    };
    let age = time::short_age(series.last.timestamp, app.now().unix());
    let ago = if series.last.timestamp > app.now().unix() { "" } else { " ago" };
    let age_style = if late && !watched.alarm { theme.alert } else { base };
    // That a value is old matters more than by how much it changed.
    if pen.room() >= ARROW + AGE {
        pen.write("  ", theme.text).write(arrow, theme.plot).write(" ", theme.text);
        if shape.change {
            pen.field(&change, CHANGE, false, base).write(" ", theme.text);
        }
        pen.field(&format!("{age}{ago}"), AGE, true, age_style).write("  ", theme.text);
    }
    let numbers = [("min", series.min), ("max", series.max), ("avg", series.mean)];
    for (name, number) in numbers.into_iter().take(shape.numbers) {
        pen.write(name, theme.quiet)
            .write(" ", theme.text)
            .field(&number::mean(number, 10), NAMED - 6, false, base)
            .write("  ", theme.text);
    }
    let room = pen.room();
    if room >= 6 {
        pen.write(&sparkline(series, room.min(60)), theme.plot);
    }
}
