//! The layout of the screen. The application needs it for scrolling by pages, the view for drawing.

use crate::keymap::{Mode, Pane};

/// Columns and rows below which one pane is shown at a time.
const COMPACT: (u16, u16) = (60, 18);

/// Columns from which on table and watch are side by side.
const WIDE: u16 = 120;

/// Rows from which on table and watch are one above the other.
const TALL: u16 = 34;

/// Rows of a pane, with its border, beside which an answer is shown on a small screen.
const MIN_PANE: u16 = 5;

/// Rows, with the axis, that a chart needs.
const CHART_AT_LEAST: usize = 4;

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a rectangle")]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Area {
    fn rows(self, y: u16, height: u16) -> Self {
        Self { y, height, ..self }
    }

    fn columns(self, x: u16, width: u16) -> Self {
        Self { x, width, ..self }
    }

    /// The area contains the cell.
    pub fn contains(self, column: u16, row: u16) -> bool {
        (self.x..self.x.saturating_add(self.width)).contains(&column)
            && (self.y..self.y.saturating_add(self.height)).contains(&row)
    }

    /// Rows within the border.
    pub fn inner_rows(self) -> usize {
        usize::from(self.height.saturating_sub(2))
    }
}

/// The areas of the screen, panes with their borders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// The line on top.
    pub status: Area,
    /// The table, if shown.
    pub table: Option<Area>,
    /// The watched keys, if shown.
    pub watch: Option<Area>,
    /// The answer to a typed request, if shown.
    pub answer: Option<Area>,
    /// The log, if shown.
    pub log: Option<Area>,
    /// The command line.
    pub prompt: Area,
    /// The command line has a border.
    pub prompt_border: bool,
    /// The line at the bottom.
    pub hints: Area,
    /// The chart has the full screen.
    pub full: bool,
}

impl Layout {
    /// A screen of this size shows one pane at a time.
    pub fn is_compact(width: u16, height: u16) -> bool {
        width < COMPACT.0 || height < COMPACT.1
    }

    /// Divides a screen. `pane` was last in focus; `upper` is the one of table and watch last in
    /// focus.
    pub fn new(width: u16, height: u16, pane: Pane, upper: Pane, watching: bool) -> Self {
        let (mut layout, panes) = Self::with_prompt(width, height);
        if !layout.prompt_border {
            if panes.height >= 3 {
                *layout.pane(pane) = Some(panes);
            }
            return layout;
        }
        let log = (panes.height * 2 / 5).clamp(5, 16);
        let top = panes.rows(panes.y, panes.height - log);
        let log = panes.rows(top.y + top.height, log);
        layout.log = Some(log);
        if !watching {
            layout.table = Some(top);
        } else if width >= WIDE {
            let left = width / 2;
            layout.table = Some(top.columns(0, left));
            layout.watch = Some(top.columns(left, width - left));
        } else if height >= TALL {
            let upper = top.height * 2 / 5;
            layout.table = Some(top.rows(top.y, upper));
            layout.watch = Some(top.rows(top.y + upper, top.height - upper));
        } else {
            *layout.pane(upper) = Some(top);
        }
        layout
    }

    /// The layout with a log of one or two lines where it `is_calm`; the pane above it has the room.
    #[must_use]
    pub fn with_log(mut self, is_calm: bool) -> Self {
        let Some(log) = self.log.filter(|_| is_calm) else { return self };
        let height = if self.hints.y >= TALL { 4 } else { 3 };
        let spare = log.height.saturating_sub(height);
        self.log = Some(log.rows(log.y + spare, log.height - spare));
        self.give(spare, log);
        self
    }

    /// The layout without a log, whose room the pane above it has. A screen that shows one pane at a
    /// time goes on to show that one.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        if let Some(log) = self.log.filter(|_| self.table.is_some() || self.watch.is_some()) {
            self.log = None;
            self.give(log.height, log);
        }
        self
    }

    /// Gives so many rows of the log to the panes above it.
    fn give(&mut self, rows: u16, log: Area) {
        for area in [&mut self.table, &mut self.watch].into_iter().flatten() {
            if area.y + area.height == log.y {
                area.height += rows;
            }
        }
    }

    /// The layout with the log in place of all panes.
    pub fn log_only(width: u16, height: u16) -> Self {
        let mut layout = Self::new(width, height, Pane::Log, Pane::Table, false);
        if let (Some(upper), Some(log)) = (layout.table.take(), &mut layout.log) {
            *log = log.rows(upper.y, upper.height + log.height);
        }
        layout
    }

    /// The layout with the chart on the full screen, between status and hints.
    pub fn full(width: u16, height: u16) -> Self {
        let (edges, middle) = Self::edges(width, height);
        Self { watch: Some(middle), full: true, ..edges }
    }

    /// The layout with the chart on the full screen, but for the command line.
    pub fn full_above_prompt(width: u16, height: u16) -> Self {
        let (layout, panes) = Self::with_prompt(width, height);
        Self { watch: Some(panes).filter(|panes| panes.height >= 3), full: true, ..layout }
    }

    /// A layout of the edges and the command line, and the area above it. On a small screen the
    /// command line has no border.
    fn with_prompt(width: u16, height: u16) -> (Self, Area) {
        let compact = Self::is_compact(width, height);
        let (mut layout, middle) = Self::edges(width, height);
        let prompt_rows = if compact { 1 } else { 3 }.min(middle.height);
        let panes = middle.rows(middle.y, middle.height - prompt_rows);
        layout.prompt = middle.rows(panes.y + panes.height, prompt_rows);
        layout.prompt_border = !compact;
        (layout, panes)
    }

    /// A layout of the status and the hints alone, and the area between them. A tiny screen drops
    /// first the hints, then the status.
    fn edges(width: u16, height: u16) -> (Self, Area) {
        let screen = Area { x: 0, y: 0, width, height };
        let (status, hints) = (u16::from(height >= 2), u16::from(height >= 6));
        let hint_area = screen.rows(height - hints, hints);
        let edges = Self { status: screen.rows(0, status), hints: hint_area, ..Self::default() };
        (edges, screen.rows(status, height - status - hints))
    }

    /// Makes room above the log, or above the command line where there is none, for an answer of so
    /// many lines, as far as the panes there can spare it. On a small screen it has the room of the only
    /// pane while the command line `has_focus`, with a pane of some rows above if there is room for
    /// both.
    pub fn show_answer(&mut self, lines: usize, has_focus: bool) {
        let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
        if !self.prompt_border {
            let mut panes = [&mut self.table, &mut self.watch, &mut self.log];
            let only = panes.iter_mut().find(|pane| pane.is_some());
            if let Some(pane) = only.filter(|_| has_focus)
                && let Some(area) = pane.take()
            {
                let left = area.height.saturating_sub(wanted);
                let left = if left < MIN_PANE { 0 } else { left };
                **pane = Some(area.rows(area.y, left)).filter(|_| left > 0);
                self.answer = Some(area.rows(area.y + left, area.height - left));
            }
            return;
        }
        let prompt = Some(self.prompt).filter(|_| self.prompt_border);
        let Some(log) = self.log.or(prompt) else { return };
        let lowest = [self.table, self.watch].into_iter().flatten();
        let lowest = lowest.filter(|area| area.y + area.height == log.y);
        let Some(spare) = lowest.map(|area| area.height / 2).min() else { return };
        let height = wanted.min(spare);
        if height < 3 {
            return;
        }
        for area in [&mut self.table, &mut self.watch].into_iter().flatten() {
            if area.y + area.height == log.y {
                area.height -= height;
            }
        }
        self.answer = Some(log.rows(log.y - height, height));
    }

    fn pane(&mut self, pane: Pane) -> &mut Option<Area> {
        match pane {
            Pane::Table => &mut self.table,
            Pane::Watch => &mut self.watch,
            Pane::Log => &mut self.log,
        }
    }

    /// Rows of a page in a mode, with this many watched keys.
    pub fn page(&self, mode: Mode, keys: usize) -> usize {
        match mode {
            Mode::Table => self.table_rows(),
            Mode::Watch | Mode::Chart => self.watch_rows(keys),
            _ => self.log_rows(),
        }
    }

    /// The row for a line that is asked for in a mode whose own place is not on the screen: a search, a
    /// file name in the full-screen chart, a filter or an alert where there is no bottom line.
    pub fn stray_line(&self, mode: Mode) -> Option<Area> {
        let (own, other) = match mode {
            Mode::SeriesInput => (self.hints, self.prompt),
            Mode::LogInput | Mode::HistorySearch => (self.prompt, self.hints),
            _ => return None,
        };
        let last = || {
            let areas = [Some(self.status), self.table, self.watch, self.answer, self.log];
            let lowest = areas.into_iter().flatten().max_by_key(|area| area.y + area.height)?;
            Some(lowest.rows((lowest.y + lowest.height).checked_sub(1)?, 1))
        };
        match (own.height, other.height) {
            (1.., _) => None,
            (0, 1..) => Some(other),
            (0, 0) => last(),
        }
    }

    /// Rows of the answer to a typed request, if it is shown.
    pub fn answer_rows(&self) -> Option<usize> {
        self.answer.map(Area::inner_rows)
    }

    /// Rows of the log on screen.
    pub fn log_rows(&self) -> usize {
        self.log.map_or(0, Area::inner_rows)
    }

    /// Rows of the list of this many watched keys; the chart gets the rest.
    pub fn watch_rows(&self, keys: usize) -> usize {
        let inner = self.watch.map_or(0, Area::inner_rows);
        match (inner > CHART_AT_LEAST, self.full) {
            (false, _) => inner,
            (true, false) => keys.min(inner / 3).max(1),
            // A single key has its name in the legend.
            (true, true) if keys <= 1 => 0,
            (true, true) => keys.min(inner / 5).max(1),
        }
    }

    /// Rows of the table on screen, without the heading.
    pub fn table_rows(&self) -> usize {
        self.table.map_or(0, |area| area.inner_rows().saturating_sub(self.heading_rows().into()))
    }

    /// Cells for the columns of the table: within its border, right of the marks of its rows.
    pub fn table_room(&self) -> usize {
        /// The borders, and the marks.
        const AROUND: u16 = 3;
        self.table.map_or(0, |area| area.width.saturating_sub(AROUND).into())
    }

    /// Rows of the heading of the table: a single row is that of a key.
    pub fn heading_rows(&self) -> u16 {
        self.table.map_or(0, |area| u16::from(area.inner_rows() > 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screen_is_divided_without_overlap() {
        for width in [0, 1, 2, 20, 40, 59, 60, 80, 119, 120, 400] {
            for height in 0..60 {
                for watching in [false, true] {
                    for pane in [Pane::Table, Pane::Watch, Pane::Log] {
                        let upper = if pane == Pane::Log { Pane::Table } else { pane };
                        let full = Layout::new(width, height, pane, upper, watching);
                        let l = full.with_log(height % 2 == 1);
                        assert_eq!(full.table.map(|area| area.y), l.table.map(|area| area.y));
                        let areas = [
                            Some(l.status),
                            l.table,
                            l.watch,
                            l.log,
                            Some(l.prompt),
                            Some(l.hints),
                        ];
                        let cells: u32 = areas
                            .iter()
                            .flatten()
                            .map(|a| u32::from(a.width) * u32::from(a.height))
                            .sum();
                        assert!(cells <= u32::from(width) * u32::from(height));
                        for area in areas.iter().flatten() {
                            assert!(area.x + area.width <= width && area.y + area.height <= height);
                        }
                        if height >= 10 {
                            assert!(l.table.or(l.watch).or(l.log).is_some());
                        }
                    }
                }
            }
        }
    }
}
