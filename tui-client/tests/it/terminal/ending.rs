//! The terminal is left as it was, however the client ends or stops.

mod blocked_tty;
mod hang_up;
pub mod job_control;
mod terminal_restore;
