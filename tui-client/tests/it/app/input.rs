//! Keys, the mouse and what is pasted.

mod hands;
mod help;
mod mouse;
pub mod paste;
mod prompt;
