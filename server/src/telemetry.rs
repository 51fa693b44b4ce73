//! The log, on standard error.

use std::io;

use server::os;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// Starts logging for the whole process. In colour on a terminal, unless `NO_COLOR` is set.
pub fn start(level: LevelFilter) {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && os::is_stderr_coloured();
    fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false)
        // A log that can't be written, on a full disk or to a closed pipe, must not stop the server.
        .log_internal_errors(false)
        .init();
}
