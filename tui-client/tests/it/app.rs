//! The application without a terminal: messages in, state and screens out.

mod import;
pub mod log;
mod manners;
pub mod prompt;
mod random_events;
mod update;
mod views;
