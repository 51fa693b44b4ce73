//! Keys, the mouse and what is pasted.

mod asked;
mod deletion;
mod hands;
mod help;
mod mouse;
pub mod paste;
mod prompt;
