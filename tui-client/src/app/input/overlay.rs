//! The overlay over the panes, which gets the keys until it is closed, with its state.

pub mod help;

use crate::app::input::prompt::paste::Pasted;
use crate::app::line_input::LineInput;
use crate::keymap::Mode;
use help::Help;

/// The overlay over the panes.
#[derive(Debug)]
pub enum Overlay {
    /// The list of keys, and the overlay that it covers.
    Help(Help, Option<Box<Overlay>>),
    /// A line input.
    Input(Box<LineInput>),
    /// The list of columns, with the selected line.
    Columns(usize),
    /// Pasted lines that wait for a confirmation.
    Confirm(Pasted),
}

impl Overlay {
    /// The mode while the overlay is open.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Help(..) => Mode::Help,
            Self::Input(input) => input.mode(),
            Self::Columns(_) => Mode::Columns,
            Self::Confirm(_) => Mode::Confirm,
        }
    }

    /// The line input, also while the list of keys covers it.
    pub fn input(&self) -> Option<&LineInput> {
        match self {
            Self::Input(input) => Some(input),
            Self::Help(_, below) => below.as_deref().and_then(Self::input),
            Self::Columns(_) | Self::Confirm(_) => None,
        }
    }

    /// The pasted lines that wait for a confirmation, also while the list of keys covers them.
    pub fn pasted(&self) -> Option<&Pasted> {
        match self {
            Self::Confirm(pasted) => Some(pasted),
            Self::Help(_, below) => below.as_deref().and_then(Self::pasted),
            Self::Columns(_) | Self::Input(_) => None,
        }
    }
}
