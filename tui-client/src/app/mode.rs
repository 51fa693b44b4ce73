//! Where the keys go.

pub use crate::keymap::{Mode, Pane};
