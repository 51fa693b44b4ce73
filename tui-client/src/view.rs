//! The screen: reads the application, changes nothing, builds only what is visible.
//!
//! ```text
//!  ● localhost:9300  connected  0.4ms                            every 1s    status
//! ╭ get * · 3 keys · 40 points ─────╮╭ watch · 2 keys · 1 alert ──────────╮  table, watch
//! │ key            last   age trend ││  eardrum.cpu  14.7  ▲ +0.3  1s ago │
//! │ eardrum.cpu    14.7    1s ▁▂▃▄▅ ││ ▸palm.cpu     28.8  ▼ -0.6  1s ago │
//! │!kettle.cpu     66.2    1s ▁▃▅▆█ ││ ■ palm.cpu 28.8              9m59s │  chart
//! │ palm.cpu       28.8    1s █▇▅▄▂ ││   80┤   ⠙⣆              ⠋⠙⠲⣄       │
//! │                                 ││   20┤     ⠙⠲⢤⡀      ⣠⠖          ⠱⣄ │
//! │                                 ││              04:25           04:30 │
//! ╰─────────────────────────── 1/3 ─╯╰────────────────────────────────────╯
//! ╭ log ──────────────────────────────────────────────────────────────────╮  log
//! │04:31:00.000 → put palm.cpu 28.8                                       │
//! ╰───────────────────────────────────────────────────────────────────────╯
//! ╭ request ──────────────────────────────────────────────────────────────╮  input
//! │> get *                                                                │
//! ╰───────────────────────────────────────────────────────────────────────╯
//!  enter send  tab pane  ? help                                               bottom line
//! ```
//!
//! On the bottom line: `bottom_line::field`, `hints`, a notice or the progress of an import. Over
//! everything else: `help` and `columns`. All draw on a `canvas` in the styles of a `theme`.

mod answer;
mod bottom_line;
mod canvas;
mod chart;
mod columns;
mod help;
mod hints;
mod input;
mod log;
mod picture;
mod status;
mod table;
pub mod theme;
mod watch;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use crate::app::App;
use crate::app::input::overlay::Overlay;
use crate::app::screen::layout::Area;
use crate::keymap::Mode;
use canvas::{Canvas, ascii};
pub use chart::PlotCache;
use theme::{Glyphs, Theme};

/// Draws a frame; `plots` saves work from frame to frame and makes no difference to the result.
pub fn draw(app: &App, theme: &Theme, plots: &mut PlotCache, frame: &mut Frame<'_>) {
    if let Some(cursor) = paint(app, theme, plots, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}

/// The screen as SVG.
pub fn picture(app: &App, theme: &Theme) -> String {
    let (top, bottom) = (app.layout().status, app.layout().hints);
    let mut buffer = Buffer::empty(Rect::new(0, 0, top.width, bottom.y + bottom.height));
    // Its dots become lines, which blocks of a terminal are not.
    let glyphs = match theme.glyphs {
        Glyphs::Octant | Glyphs::Braille | Glyphs::Block => Glyphs::Braille,
        Glyphs::Ascii => Glyphs::Ascii,
    };
    let theme = &Theme { glyphs, ..theme.clone() };
    paint(app, theme, &mut PlotCache::default(), &mut buffer);
    let title = format!("tui-client {}", app.link().address());
    picture::svg(&buffer, &title, theme)
}

/// Draws a line that is asked for where its own place is not on the screen.
fn draw_stray_line(canvas: &mut Canvas<'_>, area: Rect) -> Option<Position> {
    let app = canvas.app;
    let is_of_series = app.mode() == Mode::SeriesInput;
    // An answer on the bottom line is above it until the next key.
    let beside = app.notice().filter(|notice| !notice.is_answer);
    if app.notice().is_none() || beside.is_some() || app.layout().hints.height == 0 {
        Clear.render(area, canvas.buffer);
        if is_of_series {
            bottom_line::field::draw(canvas, beside, area);
        } else {
            return input::draw_beside_hints(canvas, area);
        }
    }
    if is_of_series { bottom_line::field::cursor(app, area) } else { None }
}

/// Draws the screen on cells. Answers where the cursor is, if it is shown.
fn paint(app: &App, theme: &Theme, plots: &mut PlotCache, buffer: &mut Buffer) -> Option<Position> {
    let layout = app.layout();
    // The layout may be of another size than a terminal that has just been resized.
    let screen = buffer.area;
    let place =
        |area: Area| Rect::new(area.x, area.y, area.width, area.height).intersection(screen);
    let canvas = &mut Canvas { app, theme, buffer };
    status::draw(canvas, place(layout.status));
    if let Some(area) = layout.table {
        table::draw(canvas, place(area));
    }
    if let Some(area) = layout.watch {
        watch::draw(canvas, plots, place(area));
    }
    if let (Some(area), Some(answer)) = (layout.answer, app.typed_answer()) {
        answer::draw(canvas, answer, place(area));
    }
    if let Some(area) = layout.log {
        log::draw(canvas, place(area));
    }
    let mut cursor = input::draw(canvas, place(layout.prompt), layout.prompt_border);
    bottom_line::draw(canvas, place(layout.hints));
    if app.mode() == Mode::SeriesInput {
        cursor = bottom_line::field::cursor(app, place(layout.hints));
    }
    if let Some(area) = layout.stray_line(app.mode()).map(place) {
        cursor = draw_stray_line(canvas, area);
    }
    match app.input().overlay() {
        Some(Overlay::Help(help, _)) => {
            cursor = help::draw(canvas, help);
        }
        Some(Overlay::Columns(selected)) => {
            columns::draw(canvas, *selected);
            cursor = None;
        }
        _ => {}
    }
    canvas.paint_ground();
    if theme.ascii {
        ascii::redraw(buffer);
    }
    cursor.filter(|&cursor| screen.contains(cursor))
}
