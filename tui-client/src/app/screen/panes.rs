//! Which pane has the keys, and which are in sight.

use crate::app::screen::layout::Layout;
use crate::keymap::{Mode, Pane};

/// The panes on a screen of some size.
#[derive(Debug)]
pub struct Panes {
    width: u16,
    height: u16,
    focus: Mode,
    /// The pane that was last in focus.
    pane: Pane,
    /// The last in focus of table and watch.
    upper_pane: Pane,
    zoomed_log: bool,
}

impl Panes {
    /// The panes at the start: watched keys have the focus, without any the command line.
    pub fn new(width: u16, height: u16, watching: bool) -> Self {
        let (focus, pane) =
            if watching { (Mode::Watch, Pane::Watch) } else { (Mode::Prompt, Pane::Table) };
        Self { width, height, focus, pane, upper_pane: pane, zoomed_log: false }
    }

    /// Columns and rows of the screen.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// The screen has another size.
    pub fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
    }

    /// The mode of the pane or the command line that has the keys, whatever lies over it.
    pub fn focus(&self) -> Mode {
        self.focus
    }

    /// The pane that was last in focus.
    pub fn pane(&self) -> Pane {
        self.pane
    }

    /// Gives the keys to a mode; the pane that it names comes into view.
    pub fn focus_on(&mut self, mode: Mode) {
        self.focus = mode;
        if let Some(pane) = mode.pane() {
            self.pane = pane;
            if pane != Pane::Log {
                self.upper_pane = pane;
                self.zoomed_log = false;
            }
        }
    }

    /// Gives the keys to the pane that is this many further on, the command line among them.
    pub fn cycle(&mut self, step: isize, watching: bool) {
        let mut stops = vec![Mode::Prompt, Mode::Table];
        if watching {
            stops.push(Mode::Watch);
        }
        stops.push(Mode::Log);
        let here = if self.focus == Mode::Chart { Mode::Watch } else { self.focus };
        let at = stops.iter().position(|&stop| stop == here).unwrap_or(0);
        let next = (at.cast_signed() + step).rem_euclid(stops.len().cast_signed());
        self.focus_on(stops[next.cast_unsigned()]);
    }

    /// The log has the room of the other panes.
    pub fn log_is_zoomed(&self) -> bool {
        self.zoomed_log
    }

    /// Gives the log the room of the other panes, or not.
    pub fn zoom_log(&mut self, zoomed: bool) {
        self.zoomed_log = zoomed;
    }

    /// Where everything goes on the screen.
    pub fn layout(&self, watching: bool) -> Layout {
        let (width, height) = self.size();
        if self.focus == Mode::Chart {
            Layout::full(width, height)
        } else if self.zoomed_log {
            Layout::log_only(width, height)
        } else {
            Layout::new(width, height, self.pane, self.upper_pane, watching)
        }
    }
}
