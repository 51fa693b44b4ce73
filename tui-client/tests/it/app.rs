//! The application without a terminal: messages in, state and screens out.

mod alerts;
mod chart;
mod chart_requests;
mod copy_command;
pub mod input;
mod invisible;
mod live;
pub mod log;
mod picture;
mod place;
mod polling;
mod random_events;
mod session;
pub mod sources;
mod table;
mod update;
mod view;
mod watch;
