//! The plain mode where a test needs a signal, a shell or a terminal.

mod alerts;
mod closed_streams;
mod copy_command;
mod delete;
mod history;
mod import;
// Pipes of more than 60,000 bytes, /dev/full and /proc, which macOS does not have.
#[cfg(target_os = "linux")]
mod linux;
mod output;
mod progress;
