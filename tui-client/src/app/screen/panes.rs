//! The panes: their focus and their visibility.

use crate::app::screen::layout::Layout;
use crate::keymap::{Mode, Pane};
use crate::session::LogRoom;

/// The panes, and the size of the screen.
#[derive(Debug)]
pub struct Panes {
    width: u16,
    height: u16,
    focus: Mode,
    /// The pane that was last in focus.
    pane: Pane,
    /// The one of table and watch last in focus.
    upper_pane: Pane,
    zoomed_log: bool,
    /// The log has no room, unless it has the focus.
    hides_log: bool,
    /// Where the focus was before a key moved it to the command line.
    before_prompt: Option<Mode>,
    /// Where the focus was before the chart was opened on the full screen.
    before_chart: Mode,
}

impl Panes {
    /// The panes at the start: the watched keys have the focus, without any the command line.
    pub fn new(width: u16, height: u16, watching: bool) -> Self {
        let (focus, pane) =
            if watching { (Mode::Watch, Pane::Watch) } else { (Mode::Prompt, Pane::Table) };
        Self {
            width,
            height,
            focus,
            pane,
            upper_pane: pane,
            zoomed_log: false,
            hides_log: false,
            before_prompt: None,
            before_chart: Mode::Watch,
        }
    }

    /// Columns and rows of the screen.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Sets the size of the screen.
    pub fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
    }

    /// The mode of the pane or the command line in focus, without overlays.
    pub fn focus(&self) -> Mode {
        self.focus
    }

    /// The pane that was last in focus.
    pub fn pane(&self) -> Pane {
        self.pane
    }

    /// Moves the focus to a mode; the pane of the mode becomes visible.
    pub fn focus_on(&mut self, mode: Mode) {
        // A visit to the command line is none to the panes.
        if mode == Mode::Chart && matches!(self.focus, Mode::Table | Mode::Watch) {
            self.before_chart = self.focus;
        }
        self.focus = mode;
        self.before_prompt = None;
        if let Some(pane) = mode.pane() {
            self.pane = pane;
            if pane != Pane::Log {
                self.upper_pane = pane;
                self.zoomed_log = false;
            }
        }
    }

    /// Moves the focus to the command line, from where it can go back.
    pub fn visit_prompt(&mut self) {
        let before = self.focus;
        self.focus_on(Mode::Prompt);
        self.before_prompt = Some(before).filter(|&mode| mode != Mode::Prompt);
    }

    /// A key of a pane has moved the focus to the command line.
    pub fn is_visiting_prompt(&self) -> bool {
        self.before_prompt.is_some()
    }

    /// Moves the focus from the command line back to where it was before, else to the pane that was
    /// last in focus.
    pub fn leave_prompt(&mut self, watching: bool) {
        let last = match self.pane {
            Pane::Watch if watching => Mode::Watch,
            Pane::Log => Mode::Log,
            Pane::Table | Pane::Watch => Mode::Table,
        };
        self.focus_on(self.before_prompt.unwrap_or(last));
    }

    /// The pane from which the chart was opened on the full screen: the table or the watched keys.
    pub fn before_chart(&self) -> Mode {
        self.before_chart
    }

    /// Moves the focus by this many panes, the command line included.
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

    /// The log is shown in place of all panes.
    pub fn log_is_zoomed(&self) -> bool {
        self.zoomed_log
    }

    /// The table, or the zoomed log in its place, is visible.
    pub fn shows_table(&self, watching: bool) -> bool {
        self.zoomed_log || self.layout(watching, false).table.is_some()
    }

    /// Shows the log in place of all panes, or the panes again.
    pub fn zoom_log(&mut self, zoomed: bool) {
        self.zoomed_log = zoomed;
    }

    /// The room of the log.
    pub fn log_room(&self) -> LogRoom {
        match (self.zoomed_log, self.hides_log) {
            (true, _) => LogRoom::Full,
            (false, true) => LogRoom::Off,
            (false, false) => LogRoom::On,
        }
    }

    /// Gives the log a room.
    pub fn set_log_room(&mut self, room: LogRoom) {
        (self.zoomed_log, self.hides_log) = (room == LogRoom::Full, room == LogRoom::Off);
    }

    /// The layout of the screen. A calm log has a few lines, unless it has the focus.
    pub fn layout(&self, watching: bool, is_calm: bool) -> Layout {
        let (width, height) = self.size();
        if self.focus == Mode::Chart {
            Layout::full(width, height)
        } else if self.focus == Mode::Prompt && self.before_prompt == Some(Mode::Chart) {
            Layout::full_above_prompt(width, height)
        } else if self.zoomed_log {
            Layout::log_only(width, height)
        } else {
            let layout = Layout::new(width, height, self.pane, self.upper_pane, watching);
            match self.focus {
                Mode::Log => layout,
                _ if self.hides_log => layout.without_log(),
                _ => layout.with_log(is_calm),
            }
        }
    }
}
