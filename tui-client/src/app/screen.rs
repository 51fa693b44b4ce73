//! The screen: the layout of its areas, the panes and their focus, the place of the pointer.

pub mod layout;
pub mod mouse;
pub mod panes;
