//! The surface that widgets draw on: the cells of the screen, the theme, and the application that
//! is shown.

pub mod ascii;
pub mod glyphs;
pub mod pen;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::theme::Theme;
use crate::app::App;
use crate::text::number;
use crate::text::width::{cut, width};
use pen::{Pen, cells};

/// The cells of a frame, with what decides about their contents and styles.
pub struct Canvas<'a> {
    /// The application, only read.
    pub app: &'a App,
    /// The styles.
    pub theme: &'a Theme,
    /// The cells.
    pub buffer: &'a mut Buffer,
}

impl Canvas<'_> {
    /// A pen at the left end of a row of `area`.
    pub fn pen(&mut self, area: Rect, row: u16) -> Pen<'_> {
        Pen::new(self.buffer, area, row)
    }

    /// A pen on the lower border of a pane.
    pub fn foot_pen(&mut self, area: Rect) -> Pen<'_> {
        self.pen(within_sides(area), area.height.saturating_sub(1))
    }

    /// Draws the border of a pane and returns the area within. The title is cut where the border
    /// ends; the remarks behind the title are never cut before it.
    pub fn pane(
        &mut self,
        focused: bool,
        title: &str,
        remarks: &[(String, Style)],
        area: Rect,
    ) -> Rect {
        let border = if focused { self.theme.focus } else { self.theme.border };
        let title_style = self.theme.title;
        let style = if focused { title_style.patch(border) } else { border.patch(title_style) };
        let block = Block::bordered().border_type(BorderType::Rounded).border_style(border);
        let inner = block.inner(area);
        block.render(area, self.buffer);
        let mut pen = self.pen(within_sides(area), 0);
        let reserved: usize = remarks.iter().map(|(text, _)| width(text)).sum();
        let room = pen.room().saturating_sub(reserved + 1);
        let title = cut(title.trim_end(), room);
        pen.write(&title, style).write(" ", style);
        for (at, (text, style)) in remarks.iter().enumerate() {
            // Without a title there is nothing to keep apart from.
            let text = text.strip_prefix("· ").filter(|_| at == 0 && room == 0).unwrap_or(text);
            pen.write(text, on_border(*style));
        }
        inner
    }

    /// Clears an area of so many columns and rows in the middle of the screen and returns it; see
    /// [`Canvas::popup_at`].
    pub fn popup(&mut self, columns: usize, rows: usize) -> Rect {
        let [width, height] = [columns, rows].map(|count| Constraint::Length(cells(count)));
        let area = self.buffer.area.centered(width, height);
        self.popup_at(area)
    }

    /// Clears an area, as far as it is on the screen, and returns it. What stays in sight behind it is
    /// dimmed, but for the bottom line, which is about the popup.
    pub fn popup_at(&mut self, area: Rect) -> Rect {
        let screen = self.buffer.area;
        let behind = Rect { height: screen.height.saturating_sub(1), ..screen };
        let dimmed = Style::new().remove_modifier(Modifier::BOLD).add_modifier(Modifier::DIM);
        self.buffer.set_style(behind, dimmed);
        let area = area.intersection(screen);
        Clear.render(area, self.buffer);
        area
    }

    /// Writes on the lower border of a pane how many of `all` rows are above and below the `shown`
    /// ones from `first` on, and which one is `selected`; only the last where the room is short.
    pub fn scroll_position(
        &mut self,
        (first, shown, all): (usize, usize, usize),
        selected: Option<usize>,
        area: Rect,
    ) {
        if all <= shown || shown == 0 {
            return;
        }
        let style = on_border(self.theme.quiet);
        let count = |rows: usize| number::count(rows as u64);
        let below = all.saturating_sub(first.saturating_add(shown));
        let selected = selected.map(|at| format!("{}/{}", count(at.saturating_add(1)), count(all)));
        let parts = [
            (first > 0).then(|| format!("{} above", count(first))),
            selected.clone(),
            (below > 0).then(|| format!("{} below", count(below))),
        ];
        let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let mut pen = self.foot_pen(area);
        let mut texts = [Some(whole), selected].into_iter().flatten();
        if let Some(text) = texts.find(|text| width(text) + 2 < pen.room()) {
            pen.write_right(&format!(" {text} "), style);
        }
    }

    /// Gives what has no colour of its own those of the theme, which may have its own ground.
    pub fn paint_ground(&mut self) {
        let Theme { background, text, .. } = *self.theme;
        if background.is_none() && text.fg.is_none() {
            return;
        }
        let (ink, ground) = (text.fg.unwrap_or(Color::Reset), background.unwrap_or(Color::Reset));
        for cell in &mut self.buffer.content {
            if cell.fg == Color::Reset {
                cell.fg = ink;
            }
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
        }
    }

    /// Shows a row of `area` as the selected one; `bad` keeps the colour of a failure.
    pub fn select_row(&mut self, area: Rect, row: u16, bad: bool) {
        let line = Rect { y: area.y + row, height: 1, ..area };
        self.buffer.set_style(line, self.theme.selected(bad));
        self.mark_row(area, row);
    }

    /// Points to a row on the border to its left.
    pub fn point_to_row(&mut self, area: Rect, row: u16) {
        let border = Position { x: area.x.saturating_sub(1), y: area.y + row };
        let (style, mark) = (self.theme.title, if self.theme.ascii { '>' } else { '▸' });
        if let Some(cell) = self.buffer.cell_mut(border) {
            cell.set_char(mark).set_style(style);
        }
    }

    /// Marks a selected row on the border to its left, in an ASCII theme: the console that needs it
    /// may reverse no row.
    pub fn mark_row(&mut self, area: Rect, row: u16) {
        let border = Position { x: area.x.saturating_sub(1), y: area.y + row };
        if self.theme.ascii
            && let Some(cell) = self.buffer.cell_mut(border)
        {
            cell.set_char('>');
        }
    }
}

/// The style of text on a border, which does not take the colour of the border.
pub fn on_border(style: Style) -> Style {
    Style::reset().patch(style)
}

/// The place of the cursor in so many columns from the left end of a line.
pub fn cursor_at(area: Rect, column: usize) -> Position {
    let x = area.x.saturating_add(cells(column)).min(area.right().saturating_sub(1));
    Position { x, y: area.y }
}

/// The area without the border on its left and right.
fn within_sides(area: Rect) -> Rect {
    Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..area }
}
