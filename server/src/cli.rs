//! What was typed.

use clap::{Parser, ValueEnum};
use shared::{DEFAULT_HOST, DEFAULT_PORT};
use tracing::level_filters::LevelFilter;

/// A metrics server: takes numbers over a plain-text TCP protocol and keeps them.
#[derive(Debug, Clone, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Name or address to listen on; localhost means its IPv4 and its IPv6 address.
    #[arg(long, default_value = DEFAULT_HOST)]
    pub host: String,

    /// Port to listen on; 0 takes any free one, and the log says which.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub port: u16,

    /// How much to log, on standard error; debug shows each batch of requests.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

const AFTER_HELP: &str = "\
Try it:
  server &
  printf 'put palm.cpu 23.7 1150864247\\nget *\\n' | nc -N localhost 10001

It stops on Ctrl-C or SIGTERM after finishing the requests in hand.
Exit codes: 0 stopped as asked, 1 could not start or failed, 2 wrong usage.";

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong for good.
    Error,
    /// What went wrong.
    Warn,
    /// Start, stop, and each connection.
    Info,
    /// Requests as well.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
