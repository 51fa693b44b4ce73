//! The plain mode: the real binary in pipes.

mod alerts;
mod import;
mod import_retry;
mod once;
mod output;
mod requests;
mod watch;
