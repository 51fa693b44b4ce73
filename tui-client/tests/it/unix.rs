//! The plain mode where a test needs a signal, a shell or a terminal.

mod alerts;
mod copy_command;
mod import;
mod output;
mod progress;
mod signals;
