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
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType};

use crate::app::App;
use crate::app::layout::Area;
use crate::app::mode::Mode;
use theme::Theme;

/// Draws everything.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) {
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
        watch::draw(app, theme, place(area), buffer);
    }
    if let Some(area) = layout.log {
        log::draw(app, theme, place(area), buffer);
    }
    let mut cursor = input::draw(app, theme, place(layout.prompt), layout.prompt_border, buffer);
    status::draw_hints(app, theme, place(layout.hints), buffer);
    if app.mode() == Mode::Field {
        cursor = field::cursor(app, place(layout.hints));
    }
    if app.mode().is_help() {
        help::draw(app, theme, screen, buffer);
    } else if app.mode() == Mode::Columns {
        columns::draw(app, theme, screen, buffer);
    } else if let Some(cursor) = cursor
        && screen.contains(cursor)
    {
        frame.set_cursor_position::<Position>(cursor);
    }
    if theme.ascii {
        ascii::redraw(frame.buffer_mut());
    }
}

/// The frame around a pane.
fn pane<'a>(theme: &Theme, focused: bool, title: Line<'a>) -> Block<'a> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(if focused { theme.focus } else { theme.border })
        .title(title)
}
