//! The screen: reads the application, changes nothing, builds only what is visible.

mod ascii;
mod chart;
mod columns;
mod field;
mod help;
mod input;
mod log;
mod status;
mod table;
mod text;
pub mod theme;
mod watch;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::app::App;
use crate::app::layout::Area;
use crate::app::overlay::Overlay;
use crate::keymap::Mode;
use crate::text::number;
use crate::text::width::{cut, width};
use text::Pen;
use theme::Theme;

/// What is kept from frame to frame to save work; it makes no difference to what is drawn.
#[derive(Debug, Default)]
pub struct Memo {
    chart: chart::Memo,
}

/// Draws everything.
pub fn draw(app: &App, theme: &Theme, memo: &mut Memo, frame: &mut Frame<'_>) {
    let layout = app.layout();
    // The terminal may have changed its size a moment ago: nothing is drawn outside.
    let screen = frame.area();
    let place =
        |area: Area| Rect::new(area.x, area.y, area.width, area.height).intersection(screen);
    let buffer = frame.buffer_mut();
    status::draw(app, theme, place(layout.status), buffer);
    if let Some(area) = layout.table {
        table::draw(app, theme, place(area), buffer);
    }
    if let Some(area) = layout.watch {
        watch::draw(app, theme, memo, place(area), buffer);
    }
    if let Some(area) = layout.log {
        log::draw(app, theme, place(area), buffer);
    }
    let mut cursor = input::draw(app, theme, place(layout.prompt), layout.prompt_border, buffer);
    status::draw_hints(app, theme, place(layout.hints), buffer);
    if app.mode() == Mode::SeriesInput {
        cursor = field::cursor(app, place(layout.hints));
    }
    match app.overlay() {
        Some(Overlay::Help(help, _)) => help::draw(app, help, theme, screen, buffer),
        Some(Overlay::Columns(line)) => columns::draw(app, *line, theme, screen, buffer),
        _ => {
            if let Some(cursor) = cursor.filter(|&cursor| screen.contains(cursor)) {
                frame.set_cursor_position::<Position>(cursor);
            }
        }
    }
    if theme.ascii {
        ascii::redraw(frame.buffer_mut());
    }
}

/// Draws the frame around a pane and returns what is left within. The title ends where the frame
/// does; the remarks behind it are not to be missed, so they are never cut before it.
fn pane(
    theme: &Theme,
    focused: bool,
    title: &str,
    remarks: &[(String, Style)],
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let border = if focused { theme.focus } else { theme.border };
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(border);
    let inner = block.inner(area);
    block.render(area, buffer);
    let mut pen = Pen::new(buffer, within_sides(area), 0);
    let urgent: usize = remarks.iter().map(|(text, _)| width(text)).sum();
    let room = pen.room().saturating_sub(urgent + 1);
    pen.write(&cut(title.trim_end(), room), border.patch(theme.title));
    pen.write(" ", border.patch(theme.title));
    for (text, style) in remarks {
        pen.write(text, on_border(*style));
    }
    inner
}

/// Says at the foot of a frame how many rows are out of sight: `shown` from `first` on are not,
/// and perhaps which of them has the keys. Where there is no room for all that, the latter alone.
fn whereabouts(
    theme: &Theme,
    (first, shown, all): (usize, usize, usize),
    at: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    if all <= shown || shown == 0 {
        return;
    }
    let count = |rows: usize| number::count(rows as u64);
    let below = all.saturating_sub(first.saturating_add(shown));
    let place = at.map(|at| format!("{}/{}", count(at.saturating_add(1)), count(all)));
    let parts = [
        (first > 0).then(|| format!("{} above", count(first))),
        place.clone(),
        (below > 0).then(|| format!("{} below", count(below))),
    ];
    let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let mut pen = Pen::new(buffer, within_sides(area), area.height.saturating_sub(1));
    let fits = [Some(whole), place].into_iter().flatten();
    if let Some(text) = fits.into_iter().find(|text| width(text) + 2 < pen.room()) {
        pen.write_right(&format!(" {text} "), on_border(theme.quiet));
    }
}

/// What is written on a frame doesn't take its colour, which would say something else.
fn on_border(style: Style) -> Style {
    Style::reset().patch(style)
}

/// The area without the frame on its left and right.
fn within_sides(area: Rect) -> Rect {
    Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..area }
}
