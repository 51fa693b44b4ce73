//! The plain mode: the real binary in pipes.

mod alerts;
mod copy_command;
mod import;
mod import_retry;
mod once;
mod output;
mod progress;
mod requests;
mod signals;
mod watch;
