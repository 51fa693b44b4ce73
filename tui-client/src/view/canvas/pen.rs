//! Text written from left to right on one row, cut at its end.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::escape::escape;
use crate::text::width::{cut, cut_in_the_middle, simple, width};
use crate::view::theme::colour::Gradient;

/// A count of cells as the unit of the screen.
pub fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Writes at most `limit` columns and returns the column behind the last one.
fn put(text: &str, (x, y): (u16, u16), limit: usize, style: Style, buffer: &mut Buffer) -> u16 {
    if simple(text).is_none() {
        return buffer.set_stringn(x, y, escape(text), limit, style).0;
    }
    let columns = x..buffer.area.right();
    let mut end = x;
    for (x, c) in columns.zip(text.chars()).take(limit) {
        buffer[(x, y)].set_char(c).set_style(style);
        end = x + 1;
    }
    end
}

/// Heights of bars.
const BARS: usize = 7;

/// The height of a bar, from 0; that of a constant value is in the middle.
fn height_of(bar: char) -> Option<usize> {
    match bar {
        '▁'..='▇' => usize::try_from(u32::from(bar) - u32::from('▁')).ok(),
        '─' => Some(BARS / 2),
        _ => None,
    }
}

/// A position on one row; writing moves it to the right until the row is full.
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

    /// Leaves so many columns as they are, if the row has as many left.
    pub fn skip(&mut self, columns: usize) -> &mut Self {
        self.x += if columns <= self.room() { cells(columns) } else { 0 };
        self
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

    /// Writes bars in a field of this many columns, in the colours of a gradient by their height.
    pub fn bars(
        &mut self,
        bars: &str,
        columns: usize,
        style: Style,
        gradient: &Gradient,
    ) -> &mut Self {
        let start = self.x;
        self.field(bars, columns, false, style);
        if gradient.is_empty() {
            return self;
        }
        for x in start..self.x {
            let Some(cell) = self.buffer.cell_mut((self.area.x + x, self.area.y)) else { continue };
            let height = cell.symbol().chars().next().and_then(height_of);
            if let Some(colour) = height.and_then(|height| gradient.at(height, BARS)) {
                cell.set_fg(colour);
            }
        }
        self
    }

    /// Writes with the bytes of some places, in order and apart from each other, in another style.
    pub fn write_marked(
        &mut self,
        text: &str,
        places: impl IntoIterator<Item = Range<usize>>,
        (style, marked): (Style, Style),
    ) -> &mut Self {
        let mut from = 0;
        for place in places {
            if self.room() == 0 {
                return self;
            }
            self.write(&text[from..place.start], style).write(&text[place.clone()], marked);
            from = place.end;
        }
        self.write(&text[from..], style)
    }

    /// Writes at the right end of the columns left, or nothing if they are too few.
    pub fn write_right(&mut self, text: &str, style: Style) -> &mut Self {
        let columns = width(text);
        if columns > 0 && columns < self.room() {
            let x = self.area.right() - cells(columns);
            put(text, (x, self.area.y), columns, style, self.buffer);
            self.area.width -= cells(columns) + 1;
        }
        self
    }

    /// Writes a key in a field of this many columns, cut in the middle if it is longer.
    pub fn key(&mut self, key: &str, columns: usize, style: Style) -> &mut Self {
        self.field(&cut_in_the_middle(key, columns), columns, false, style)
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
