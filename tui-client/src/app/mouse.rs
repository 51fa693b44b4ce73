//! What the mouse means: a click gives the keys to what it hits and selects there, in the chart a
//! point; the wheel scrolls what it is over.

use crate::app::App;
use crate::app::layout::Area;
use crate::app::mode::Mode;
use crate::effect::Effect;
use crate::event::{Moment, MouseEvent, MouseKind};

/// Lines that one turn of the wheel moves.
const TURN: isize = 3;

impl App {
    pub(crate) fn on_mouse(&mut self, mouse: MouseEvent, now: Moment) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::Click => self.on_click(mouse),
            MouseKind::WheelUp => self.on_wheel(mouse, -1),
            MouseKind::WheelDown => self.on_wheel(mouse, 1),
        }
        self.poll(now)
    }

    fn on_click(&mut self, mouse: MouseEvent) {
        self.notice = None;
        if self.mode.is_help() {
            return self.toggle_help();
        }
        if matches!(
            self.mode,
            Mode::Confirm | Mode::Ask | Mode::Recall | Mode::Field | Mode::Columns
        ) {
            // A question waits for its answer.
            return;
        }
        let layout = self.layout();
        let Some(mode) = self.below(mouse) else { return };
        if self.mode != Mode::Chart {
            self.focus(mode);
        }
        match mode {
            Mode::Table => {
                let rows = layout.table_rows();
                // Below the border and the heading.
                if let Some(row) = row_in(layout.table, mouse, 2).filter(|&row| row < rows) {
                    self.table.select_line(row, rows);
                }
            }
            Mode::Watch => {
                let rows = layout.watch_rows(self.watch.keys().len());
                let first = self.watch.first_visible(rows);
                if let Some(row) = row_in(layout.watch, mouse, 1).filter(|&row| row < rows) {
                    let step = (first + row).cast_signed() - self.watch.selected().cast_signed();
                    self.watch.move_by(step);
                }
                self.point_in_chart(mouse);
            }
            _ => {}
        }
    }

    fn on_wheel(&mut self, mouse: MouseEvent, direction: isize) {
        let over = if self.mode.is_help() { Some(Mode::Help) } else { self.below(mouse) };
        match over {
            // Few keys are watched, and each has its chart.
            Some(Mode::Watch) => self.scroll_in(Mode::Watch, direction),
            Some(mode) => self.scroll_in(mode, direction * TURN),
            None => {}
        }
    }

    /// What is below the pointer.
    fn below(&self, mouse: MouseEvent) -> Option<Mode> {
        let layout = self.layout();
        [
            (layout.table, Mode::Table),
            (layout.watch, Mode::Watch),
            (layout.log, Mode::Log),
            (Some(layout.prompt), Mode::Prompt),
        ]
        .into_iter()
        .find(|(area, _)| area.is_some_and(|area| area.contains(mouse.column, mouse.row)))
        .map(|(_, mode)| mode)
    }
}

/// The row within an area, counted from `skip` rows below its top.
fn row_in(area: Option<Area>, mouse: MouseEvent, skip: u16) -> Option<usize> {
    mouse.row.checked_sub(area?.y.saturating_add(skip)).map(usize::from)
}
