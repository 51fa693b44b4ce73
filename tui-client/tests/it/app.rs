//! The application without a terminal: messages in, state and screens out.

mod alerts;
mod chart;
mod chart_requests;
mod copy_command;
mod hands;
mod help;
mod invisible;
mod live;
pub mod log;
mod mouse;
pub mod paste;
mod picture;
mod polling;
mod prompt;
mod random_events;
mod table;
mod update;
mod watch;
