//! What was typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Parser, ValueEnum};
use server::store::local::{Config, Durability};
use shared::{DEFAULT_HOST, DEFAULT_PORT};
use tracing::level_filters::LevelFilter;

/// A metrics server: takes numbers over a plain-text TCP protocol and never loses one.
#[derive(Debug, Clone, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Name or address to listen on; localhost means its IPv4 and its IPv6 address.
    #[arg(long, default_value = DEFAULT_HOST, value_parser = host())]
    pub host: String,

    /// Port to listen on; 0 takes any free one, and the log says which.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub port: u16,

    /// Where to keep the data; made when it is not there.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "./metrics-data",
        conflicts_with = "ephemeral"
    )]
    pub data_dir: PathBuf,

    /// What ok to a put means: it is on the disk, or the operating system has it and it is synced
    /// every second.
    #[arg(long, value_enum, default_value_t = DurabilityChoice::Sync)]
    pub durability: DurabilityChoice,

    /// Drop points that are older than this, such as 30d or 12h [default: keep them for ever].
    #[arg(long, value_name = "AGE", value_parser = retention)]
    pub retention: Option<Duration>,

    /// Keep the data in a temporary directory and throw it away at the end.
    #[arg(long)]
    pub ephemeral: bool,

    /// How much log to write, such as 64MiB or 512KiB, before the points in memory are compressed
    /// to a file of their own; memory is about three times this at the most, and a restart reads
    /// little more than this. A plain number is in MiB.
    #[arg(long, value_name = "SIZE", default_value = DEFAULT_LOG_LIMIT_TEXT, value_parser = log_limit)]
    pub log_limit: u64,

    /// How much to log, on standard error; debug shows each request.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// An IPv6 address may have the brackets that it is shown with.
fn host() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().map(|host| shared::host::bare(&host).to_owned())
}

const DEFAULT_LOG_LIMIT_TEXT: &str = "64MiB";

/// Reads a size in bytes.
fn log_limit(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "KiB" => 10,
        "MiB" | "" => 20,
        "GiB" => 30,
        _ => return Err("a size is a number and KiB, MiB or GiB".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a size is a whole number and KiB, MiB or GiB")?;
    let size = number.checked_mul(1 << shift).filter(|size| LOG_LIMITS.contains(size));
    size.ok_or_else(|| "it can be 64KiB to 64GiB".to_owned())
}

/// Less would be a checkpoint for every batch; more would be a restart of many minutes.
const LOG_LIMITS: std::ops::RangeInclusive<u64> = 64 << 10..=64 << 30;

const AFTER_HELP: &str = "\
Try it:
  server &
  printf 'put palm.cpu 23.7 1150864247\\nget *\\n' | nc -N localhost 10001

It stops on Ctrl-C or SIGTERM after finishing the requests in hand.
Exit codes: 0 stopped as asked, 1 could not start or failed, 2 wrong usage.";

/// An age; none at all would drop everything, where elsewhere it means to keep it.
fn retention(text: &str) -> Result<Duration, String> {
    let age = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if age < Duration::from_secs(1) {
        return Err("at least 1s; leave it out to keep everything".to_owned());
    }
    Ok(age)
}

/// What `ok` to a put means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DurabilityChoice {
    /// It is on the disk: it survives kill -9 and a power cut.
    Sync,
    /// The operating system has it: it survives kill -9; a power cut may take the last second.
    Interval,
}

impl Cli {
    /// The store's part of it.
    pub fn store(&self) -> Config {
        Config {
            durability: match self.durability {
                DurabilityChoice::Sync => Durability::Sync,
                DurabilityChoice::Interval => Durability::Interval,
            },
            log_limit: self.log_limit,
            retention: self.retention,
            ..Config::default()
        }
    }
}

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

    #[test]
    fn sizes_have_units() {
        assert_eq!(log_limit(DEFAULT_LOG_LIMIT_TEXT), Ok(Config::default().log_limit));
        for (text, size) in
            [("64KiB", 64 << 10), ("1", 1 << 20), ("2MiB", 2 << 20), ("1GiB", 1 << 30)]
        {
            assert_eq!(log_limit(text), Ok(size), "{text}");
        }
        for wrong in ["", "MiB", "63KiB", "65GiB", "1.5MiB", "-1", "1MB", "1 MiB", "99999999999GiB"]
        {
            assert!(log_limit(wrong).is_err(), "{wrong}");
        }
    }
}
