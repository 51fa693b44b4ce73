//! The answer to a typed `get`, between the panes above and the log.

use ratatui::layout::Rect;

use super::canvas::{Canvas, on_border};
use crate::app::App;
use crate::app::answer::{AnswerLine, TypedAnswer};
use crate::app::copy_command::get_command;
use crate::keymap::{Action, LogAction, Mode, key_of};
use crate::text::number;
use crate::text::time::{age, date};
use crate::text::units::{Unit, exact, within};
use crate::text::width::width;

/// Columns for a value at least.
const VALUE: usize = 14;

/// Columns for a value at most: all digits of any stored number, where the pane is wide enough.
const MAX_VALUE: usize = 24;

/// Columns for the blanks, the time and the age beside key and value.
const BESIDE: usize = 40;

/// Columns for the blanks and the time alone, where the screen is small.
const MIN_BESIDE: usize = 24;

/// Draws the answer.
pub fn draw(canvas: &mut Canvas<'_>, answer: &TypedAnswer, area: Rect) {
    let rows = usize::from(area.height.saturating_sub(2));
    let first = answer.first(rows);
    let lines = answer.lines().iter().skip(first).take(rows);
    let kept = answer.lines().len();
    let place = match first + lines.len() {
        _ if kept <= rows => String::new(),
        last => format!(" · lines {}-{last} of {}", first + 1, number::count(kept as u64)),
    };
    let inner = canvas.pane(false, &format!(" {}{place} ", answer.title()), &[], area);
    let Canvas { app, theme, .. } = *canvas;
    let more = answer.all_lines().saturating_sub(kept as u64);
    let mut pen = canvas.foot_pen(area);
    let quiet = on_border(theme.quiet);
    if app.mode() == Mode::Prompt && app.input().prompt.text().is_empty() {
        pen.write(" esc", on_border(theme.key)).write(" closes ", quiet);
        if kept > rows {
            pen.write(" pgup pgdn", on_border(theme.key)).write(" scroll ", quiet);
        }
    }
    if more > 0 {
        let remarks = remarks(app, answer, more);
        if let Some(text) = remarks.iter().find(|text| width(text) < pen.room()) {
            pen.write_right(text, quiet);
        }
    }
    let keys = lines.clone().filter_map(|line| line.key.as_ref());
    let longest = keys.map(|key| width(key.as_str())).max().unwrap_or(0);
    let longest = longest.min(usize::from(inner.width) / 2);
    let unit_of =
        |line: &AnswerLine| line.key.as_ref().map_or(Unit::Plain, |key| Unit::of(key.as_str()));
    let exact = lines.clone().map(|line| width(&exact(line.point.value, unit_of(line)))).max();
    let beside = if app.layout().prompt_border { BESIDE } else { MIN_BESIDE };
    let room = usize::from(inner.width).saturating_sub(longest + beside);
    let value = exact.unwrap_or(VALUE).clamp(VALUE, room.clamp(VALUE, MAX_VALUE));
    // The points of the only key stand below each other.
    let behind = |line: &AnswerLine| match line.key {
        None => behind_point(&within(line.point.value, unit_of(line), value)),
        Some(_) => 0,
    };
    let most_behind = lines.clone().map(behind).max().unwrap_or(0);
    for (row, line) in (0..).zip(lines) {
        let mut pen = canvas.pen(inner, row);
        pen.skip(1);
        if let Some(key) = &line.key {
            pen.field(key.as_str(), longest, false, theme.text).skip(1);
        }
        let time = line.point.timestamp;
        let value = value.min(pen.room());
        let mut text = within(line.point.value, unit_of(line), value);
        let pad = most_behind.saturating_sub(behind(line));
        if line.key.is_none() && width(&text) + pad <= value {
            text.push_str(&" ".repeat(pad));
        }
        pen.field(&text, value, true, theme.title)
            .skip(2)
            .write(&date(time, app.zone()), theme.quiet)
            .skip(2)
            .write(&ago(time, app.now().unix()), theme.quiet);
        if let Some(count) = line.count {
            pen.skip(2).write(&number::plural(count, "point", "points"), theme.quiet);
        }
    }
}

/// What is said of an answer with more lines than are kept, and how to get all, the longest first.
fn remarks(app: &App, answer: &TypedAnswer, more: u64) -> Vec<String> {
    let lines = answer.lines();
    // Of one key they are the newest points.
    let which = if lines.iter().any(|line| line.key.is_some()) { "first" } else { "newest" };
    let (kept, all) = (number::count(lines.len() as u64), number::count(answer.all_lines()));
    let kept = format!("the {which} {kept} of {all} lines");
    let more = number::count(more);
    let mut remarks = Vec::new();
    if let Some(command) = get_command(app, answer.request()) {
        let all = format!("all: {command} > FILE");
        remarks.extend([format!(" {kept}; {all} "), format!(" {more} more; {all} ")]);
        remarks.push(format!(" {all} "));
    }
    let raw = key_of(Mode::Log, Action::Log(LogAction::ToggleRaw));
    let all = format!("{raw} in the log keeps all");
    remarks.extend([format!(" {kept}; {all} "), format!(" {more} more; {all} ")]);
    remarks.extend([format!(" {more} more "), format!(" +{more} ")]);
    remarks
}

/// Columns from the decimal point on; none in a number without one.
fn behind_point(number: &str) -> usize {
    number.find('.').map_or(0, |point| width(&number[point..]))
}

fn ago(time: i64, now: i64) -> String {
    let age = age(time, now);
    if age.starts_with("in ") { age } else { format!("{age} ago") }
}
