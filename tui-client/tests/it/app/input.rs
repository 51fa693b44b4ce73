//! Keys, the mouse and what is pasted.

mod deletion;
mod hands;
mod help;
mod mouse;
pub mod paste;
mod prompt;
