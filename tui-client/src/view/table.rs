//! The table of the last `get`. Columns go, the least important first, where there is no room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::text::{Pen, width};
use super::theme::Theme;
use crate::app::fold::Series;
use crate::app::mode::Mode;
use crate::app::{App, format};

/// Columns of a number.
const NUMBER: usize = 11;

/// The fewest and the most columns for the key.
const KEY: (usize, usize) = (12, 48);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Key,
    Count,
    Last,
    Min,
    Max,
    Mean,
    Age,
    Time,
    Spark,
}

/// From left to right, with the least width.
const COLUMNS: [(Column, &str, usize); 9] = [
    (Column::Key, "key", KEY.0),
    (Column::Count, "count", 9),
    (Column::Last, "last", NUMBER),
    (Column::Min, "min", NUMBER),
    (Column::Max, "max", NUMBER),
    (Column::Mean, "avg", NUMBER),
    (Column::Age, "age", 6),
    (Column::Time, "last point", 19),
    (Column::Spark, "trend", 8),
];

/// From the most important on.
const IMPORTANCE: [Column; 9] = [
    Column::Key,
    Column::Last,
    Column::Age,
    Column::Spark,
    Column::Count,
    Column::Min,
    Column::Max,
    Column::Mean,
    Column::Time,
];

/// Draws the table.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let table = app.table();
    let focused = app.mode() == Mode::Table;
    let answer = table.answer();
    let mut title = format!(" {} ", table.request());
    if table.loaded() {
        let series = format::plural(answer.series.len() as u64, "key", "keys");
        let points = format::plural(answer.points, "point", "points");
        title = format!("{title}· {series} · {points} ");
    }
    let block = super::pane(theme, focused, Line::styled(title, theme.title));
    let inner = block.inner(area);
    block.render(area, buffer);
    if inner.is_empty() {
        return;
    }
    if answer.series.is_empty() {
        return draw_empty(app, theme, inner, buffer);
    }
    let rows = usize::from(inner.height.saturating_sub(1));
    let (first, visible) = table.visible(rows);
    let longest = visible.iter().map(|series| width(series.key.as_str())).max();
    let columns = columns(usize::from(inner.width), longest.unwrap_or(0));
    let mut pen = Pen::new(buffer, inner, 0);
    for &(column, name, wide) in &columns {
        pen.field(name, wide, column.is_number(), theme.quiet).write(" ", theme.text);
    }
    for (row, series) in (1..).zip(visible) {
        let chosen = first + usize::from(row) - 1 == table.selected();
        let line = if focused && chosen { theme.selected } else { Style::new() };
        draw_row(app, theme, series, &columns, line, inner, row, buffer);
    }
    if answer.strange > 0 {
        let text = format!(" {} are no points ", format::plural(answer.strange, "line", "lines"));
        let foot = Rect::new(area.x + 1, area.bottom() - 1, area.width.saturating_sub(2), 1);
        Pen::new(buffer, foot, 0).write_right(&text, theme.bad);
    }
}

fn draw_empty(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines: &[&str] = if !app.link().is_connected() {
        &["no data yet: not connected"]
    } else if app.table().loaded() {
        &["no points yet. Type a request below, such as", "  put palm.cpu 23.7"]
    } else {
        &["asking …"]
    };
    for (row, line) in (0..).zip(lines) {
        Pen::new(buffer, area, row).write(" ", theme.text).write(line, theme.quiet);
    }
}

#[expect(clippy::too_many_arguments, reason = "a row needs the table's whole setting")]
fn draw_row(
    app: &App,
    theme: &Theme,
    series: &Series,
    columns: &[(Column, &str, usize)],
    line: Style,
    area: Rect,
    row: u16,
    buffer: &mut Buffer,
) {
    let now = app.now().unix();
    let mut pen = Pen::new(buffer, area, row);
    for &(column, _, wide) in columns {
        let style = |style: Style| style.patch(line);
        match column {
            Column::Key => pen.field(series.key.as_str(), wide, false, style(theme.text)),
            Column::Count => pen.field(&format::count(series.count), wide, true, style(theme.text)),
            Column::Last => {
                pen.field(&format::value(series.last.value, wide), wide, true, style(theme.title))
            }
            Column::Min => {
                pen.field(&format::value(series.min, wide), wide, true, style(theme.text))
            }
            Column::Max => {
                pen.field(&format::value(series.max, wide), wide, true, style(theme.text))
            }
            Column::Mean => {
                pen.field(&format::rounded(series.mean, wide), wide, true, style(theme.text))
            }
            Column::Age => {
                let age = format::age(series.last.timestamp, now);
                pen.field(&age, wide, true, style(theme.text))
            }
            Column::Time => {
                let date = format::date(series.last.timestamp, app.zone());
                pen.field(&date, wide, true, style(theme.quiet))
            }
            Column::Spark => pen.field(&spark(series, wide), wide, false, style(theme.plot)),
        };
        pen.write(" ", line);
    }
    let rest = " ".repeat(pen.room());
    pen.write(&rest, line);
}

impl Column {
    fn is_number(self) -> bool {
        !matches!(self, Self::Key | Self::Spark)
    }
}

/// The columns that fit. What is left over goes to the key as far as it needs it, then to the
/// trend.
fn columns(room: usize, longest_key: usize) -> Vec<(Column, &'static str, usize)> {
    let least = |wanted| COLUMNS.iter().find(|(column, ..)| *column == wanted).map_or(0, |c| c.2);
    let mut used = 0;
    let mut shown = Vec::new();
    for wanted in IMPORTANCE {
        let wide = least(wanted) + 1;
        if used + wide > room && !shown.is_empty() {
            break;
        }
        used += wide;
        shown.push(wanted);
    }
    let mut columns: Vec<_> = COLUMNS.into_iter().filter(|c| shown.contains(&c.0)).collect();
    let mut left = room.saturating_sub(used);
    let more = longest_key.min(KEY.1).saturating_sub(KEY.0).min(left);
    for column in &mut columns {
        match column.0 {
            Column::Key => column.2 = (column.2 + more).min(room),
            Column::Spark => {
                left -= more;
                column.2 += left.min(40);
            }
            _ => {}
        }
    }
    columns
}

/// The last values of a series as bars, one a column.
pub fn spark(series: &Series, columns: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let from = series.tail.len().saturating_sub(columns);
    let values = || series.tail.range(from..).map(|point| point.value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: f64| {
        // Halved, because a difference may overflow.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
        let at = if share.is_finite() { (share * 7.0).round() as usize } else { 3 };
        BARS[at.min(7)]
    };
    values().map(bar).collect()
}
