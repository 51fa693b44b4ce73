//! Clicks and the wheel: each goes to the part under the pointer.

use crate::app::App;
use crate::app::input::overlay::Overlay;
use crate::app::screen::mouse::{TURN, pane_under};
use crate::event::{MouseEvent, MouseKind};
use crate::keymap::Mode;

impl App {
    pub(in crate::app) fn on_mouse(&mut self, mouse: MouseEvent) {
        let under = pane_under(mouse, &self.layout());
        let turn = match mouse.kind {
            MouseKind::Click => return self.on_click(mouse, under),
            MouseKind::WheelUp => -TURN,
            MouseKind::WheelDown => TURN,
        };
        let is_answer = self.layout().answer.is_some_and(|it| it.contains(mouse.column, mouse.row));
        match (self.mode(), under) {
            _ if is_answer && self.input.overlay().is_none() => self.scroll_answer(turn),
            (Mode::Help, _) => self.scroll(Mode::Help, turn),
            // Watched keys are few, so they move by one.
            (_, Some(Mode::Watch)) => self.scroll(Mode::Watch, turn.signum()),
            (_, Some(mode)) => self.scroll(mode, turn),
            (_, None) => {}
        }
    }

    pub(in crate::app) fn on_click(&mut self, mouse: MouseEvent, under: Option<Mode>) {
        self.cx.take_notice();
        match (self.input.overlay(), under) {
            (Some(Overlay::Help(..)), _) => return self.on_click_in_help(mouse),
            // Other overlays stay until they are answered.
            (Some(_), _) | (None, None) => return,
            (None, Some(_)) if self.panes.focus() == Mode::Chart => {}
            (None, Some(mode)) => self.panes.focus_on(mode),
        }
        let layout = self.layout();
        match under {
            Some(Mode::Table) => {
                let table = self.place.table_or(&mut self.table);
                let job = table.click_heading(mouse, &layout, &mut self.cx);
                table.click(mouse, &layout);
                self.sort(job);
            }
            Some(Mode::Watch) => {
                let cursor = self.watch.viewport().cursor();
                self.watch.click(mouse, &layout, &self.alerts, &mut self.cx);
                self.follow_cursor(cursor);
            }
            _ => {}
        }
    }
}
