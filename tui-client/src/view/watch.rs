//! The watched keys: value, change, age; below them the chart of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::chart;
use super::table::spark;
use super::text::{Pen, width};
use super::theme::Theme;
use crate::app::mode::Mode;
use crate::app::watch::Watched;
use crate::app::{App, format};

/// Draws the pane.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let watch = app.watch();
    let focused = app.mode() == Mode::Watch;
    let title = match watch.keys() {
        [one] => format!(" watch {} ", one.key),
        all => format!(" watch · {} keys ", all.len()),
    };
    let block = super::pane(theme, focused, Line::styled(title, theme.title));
    let inner = block.inner(area);
    block.render(area, buffer);
    if inner.is_empty() {
        return;
    }
    let visible = app.layout().watch_rows(watch.keys().len());
    let rows = u16::try_from(visible).unwrap_or(u16::MAX).min(inner.height);
    let charted = rows < inner.height;
    let first = watch.first_visible(visible);
    let last = watch.keys().len().min(first + visible);
    let longest = watch.keys()[first..last].iter().map(|key| width(&key.key)).max();
    let columns = longest.unwrap_or(0).clamp(6, usize::from(inner.width / 3).max(6));
    for (row, watched) in (0..).zip(&watch.keys()[first..last]) {
        let chosen = first + usize::from(row) == watch.selected();
        let marked = chosen && watch.keys().len() > 1;
        let line = if marked && focused { theme.selected } else { Style::new() };
        let mut pen = Pen::new(buffer, inner, row);
        pen.write(if marked { "▸" } else { " " }, theme.focus.patch(line));
        draw_key(app, theme, watched, columns, line, &mut pen);
    }
    if charted {
        let below = Rect { y: inner.y + rows, height: inner.height - rows, ..inner };
        let series = watch.selected_key().and_then(|key| key.series.as_ref());
        if let Some(series) = series {
            chart::draw(series, app.zone(), theme, below, buffer);
        }
    }
}

fn draw_key(
    app: &App,
    theme: &Theme,
    watched: &Watched,
    columns: usize,
    line: Style,
    pen: &mut Pen<'_>,
) {
    let style = |style: Style| style.patch(line);
    pen.field(&watched.key, columns, false, style(theme.text));
    let Some(series) = &watched.series else {
        let text = if watched.answered { "  no points yet" } else { "  …" };
        pen.write(text, style(theme.quiet));
        return;
    };
    let fresh = watched.is_fresh(app.now().elapsed);
    let value = if fresh { theme.alert } else { Style::new() };
    let value = style(theme.title.patch(value));
    pen.field(&format::value(series.last.value, 12), 13, true, value);
    let (arrow, change) = match series.change() {
        None => (" ", String::new()),
        Some(0.0) => ("=", String::new()),
        Some(by) => (if by > 0.0 { "▲" } else { "▼" }, format::change(by, 9)),
    };
    pen.write("  ", line).write(arrow, style(theme.plot)).write(" ", line).field(
        &change,
        9,
        false,
        style(theme.text),
    );
    let age = format::age(series.last.timestamp, app.now().unix());
    let ago = if series.last.timestamp > app.now().unix() { "" } else { " ago" };
    pen.write(" ", line)
        .field(&format!("{age}{ago}"), 8, true, style(theme.text))
        .write("  ", line);
    let room = pen.room().min(24);
    if room >= 6 {
        pen.write(&spark(series, room), style(theme.plot));
    }
    let rest = " ".repeat(pen.room());
    pen.write(&rest, line);
}
