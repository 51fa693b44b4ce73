//! The pane and the row under the pointer of the mouse.

use crate::app::screen::layout::{Area, Layout};
use crate::event::MouseEvent;
use crate::keymap::Mode;

/// Lines to scroll for one turn of the wheel.
pub const TURN: isize = 3;

/// The mode of the pane or the command line under the pointer.
pub fn pane_under(mouse: MouseEvent, layout: &Layout) -> Option<Mode> {
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

/// The row under the pointer, from 0 at `skip` rows below the top of an area, if it is below
/// `rows`.
pub fn row_in(area: Option<Area>, mouse: MouseEvent, skip: u16, rows: usize) -> Option<usize> {
    let row = mouse.row.checked_sub(area?.y.saturating_add(skip)).map(usize::from)?;
    (row < rows).then_some(row)
}
