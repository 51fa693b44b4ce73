//! What lies over the panes and has the keys until it is closed. It carries its own state, so that
//! none of it outlives it.

pub mod help;

use crate::app::input::prompt::paste::Pasted;
use crate::app::line_input::LineInput;
use crate::keymap::Mode;
use help::Help;

/// What lies over the panes.
#[derive(Debug)]
pub enum Overlay {
    /// The list of keys, and the overlay that it covers.
    Help(Help, Option<Box<Overlay>>),
    /// A line is asked for.
    Input(Box<LineInput>),
    /// The columns of the table are selected; the line of the list.
    Columns(usize),
    /// Pasted lines wait for a yes.
    Confirm(Pasted),
}

impl Overlay {
    /// The mode while it is open.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Help(help, _) => help.mode(),
            Self::Input(input) => input.mode(),
            Self::Columns(_) => Mode::Columns,
            Self::Confirm(_) => Mode::Confirm,
        }
    }

    /// The line that is asked for, also while the list of keys lies over it.
    pub fn input(&self) -> Option<&LineInput> {
        match self {
            Self::Input(input) => Some(input),
            Self::Help(_, below) => below.as_deref().and_then(Self::input),
            Self::Columns(_) | Self::Confirm(_) => None,
        }
    }

    /// The pasted lines that wait for a yes, likewise.
    pub fn pasted(&self) -> Option<&Pasted> {
        match self {
            Self::Confirm(pasted) => Some(pasted),
            Self::Help(_, below) => below.as_deref().and_then(Self::pasted),
            Self::Columns(_) | Self::Input(_) => None,
        }
    }
}
