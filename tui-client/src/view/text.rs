//! Text drawn on one row, cut where the room ends.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::width::{cut, simple, width};

/// Writes from a place on, at most so many columns, and says where it ends.
fn put(text: &str, (x, y): (u16, u16), most: usize, style: Style, buffer: &mut Buffer) -> u16 {
    if simple(text).is_none() {
        return buffer.set_stringn(x, y, text, most, style).0;
    }
    let columns = x..buffer.area.right();
    let mut end = x;
    for (x, c) in columns.zip(text.chars()).take(most) {
        buffer[(x, y)].set_char(c).set_style(style);
        end = x + 1;
    }
    end
}

/// Writes on one row, from left to right, until it is full.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    x: u16,
}

impl<'a> Pen<'a> {
    /// At the left end of the row `row` of `area`.
    pub fn new(buffer: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let visible = u16::from(row < area.height);
        Self { buffer, area: Rect { y: area.y.saturating_add(row), height: visible, ..area }, x: 0 }
    }

    /// Columns left.
    pub fn room(&self) -> usize {
        usize::from(self.area.width.saturating_sub(self.x)) * usize::from(self.area.height)
    }

    /// Writes, cut where the row ends.
    pub fn write(&mut self, text: &str, style: Style) -> &mut Self {
        let room = self.room();
        if room > 0 {
            let place = (self.area.x + self.x, self.area.y);
            let end = put(&cut(text, room), place, room, style, self.buffer);
            self.x = end - self.area.x;
        }
        self
    }

    /// Writes at the right end in at most the room that is left, or not at all.
    pub fn write_right(&mut self, text: &str, style: Style) -> &mut Self {
        let wide = width(text);
        if wide > 0 && wide < self.room() {
            let wide = u16::try_from(wide).unwrap_or(u16::MAX);
            let x = self.area.right() - wide;
            put(text, (x, self.area.y), usize::from(wide), style, self.buffer);
            self.area.width -= wide + 1;
        }
        self
    }

    /// Writes in a field of this many columns.
    pub fn field(&mut self, text: &str, columns: usize, right: bool, style: Style) -> &mut Self {
        let text = cut(text, columns);
        let pad = " ".repeat(columns.saturating_sub(width(&text)));
        if right {
            self.write(&pad, style).write(&text, style)
        } else {
            self.write(&text, style).write(&pad, style)
        }
    }
}
