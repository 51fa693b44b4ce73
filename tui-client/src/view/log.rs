//! The wire log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::text::Pen;
use super::theme::Theme;
use crate::app::log::{Cost, Direction, Entry, Remark};
use crate::app::mode::Mode;
use crate::app::{App, format};

/// Below this many columns the time is left out.
const WITH_TIME: u16 = 50;

/// Draws the lines in view.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let log = app.log();
    let focused = app.mode() == Mode::Log;
    let title = if log.follows() {
        " log ".to_owned()
    } else {
        format!(" log · {} below ", format::plural(log.below(), "line", "lines"))
    };
    let block = super::pane(theme, focused, Line::styled(title, theme.title));
    let inner = block.inner(area);
    block.render(area, buffer);
    for (row, entry) in (0..inner.height).zip(log.visible(usize::from(inner.height))) {
        draw_entry(app, theme, entry, inner, row, buffer);
    }
}

fn draw_entry(app: &App, theme: &Theme, entry: &Entry, area: Rect, row: u16, buffer: &mut Buffer) {
    let (arrow, style) = match entry.direction {
        Direction::Out => ("→", theme.sent),
        Direction::In => ("←", theme.received),
        Direction::Note => ("·", theme.quiet),
    };
    let mut pen = Pen::new(buffer, area, row);
    if area.width >= WITH_TIME {
        pen.write(&format::clock(entry.unix_ms, app.zone()), theme.quiet).write(" ", theme.text);
    }
    pen.write(arrow, style).write(" ", theme.text);
    // The line itself comes first where there is no room for both.
    let remark = remark(entry);
    if pen.room() > super::text::width(&remark) + super::text::width(&entry.text) {
        pen.write_right(&remark, theme.quiet);
    }
    let text = match (entry.direction, entry.tone) {
        (Direction::Out, _) => theme.sent,
        (_, tone) => theme.tone(tone),
    };
    pen.write(&entry.text, text);
}

fn remark(entry: &Entry) -> String {
    let text = match &entry.remark {
        None => return String::new(),
        Some(Remark::TimeFilledIn) => "time filled in".to_owned(),
        Some(Remark::Reply(cost)) => reply(cost),
    };
    match entry.times {
        1 => text,
        times => format!("{text}  ×{}", format::count(times.into())),
    }
}

fn reply(cost: &Cost) -> String {
    let size = format::bytes(cost.bytes);
    let took = format::took(cost.took);
    match cost.points {
        0 => format!("{size}, {took}"),
        points => format!("{}, {size}, {took}", format::plural(points, "point", "points")),
    }
}
