//! The settings that the application starts with.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use shared::Glob;

use crate::keymap::Abilities;
use crate::metrics::alerts::Alert;
use crate::metrics::sort::TableSpec;
use crate::session::Session;
use crate::sources::SourceLabel;

/// The settings that the application starts with.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// The address of the server to show, `host:port`.
    pub address: String,
    /// The sources of the view, where it is of several servers; none for one.
    pub sources: Vec<SourceLabel>,
    /// The time between two polls.
    pub interval: Duration,
    /// The keys and globs to watch.
    pub watch: Vec<Glob>,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Filter, order and columns of the table.
    pub table: TableSpec,
    /// The zone for times of day.
    pub zone: TimeZone,
    /// The memory for the log, in bytes.
    pub log_memory: usize,
    /// The log gets every line of requests and replies.
    pub raw_log: bool,
    /// The seed of the random waits before the client connects again.
    pub reconnect_seed: u64,
    /// What the system and the terminal can do.
    pub abilities: Abilities,
    /// A saved session to be shown; address, keys, alerts and table are its own.
    pub replayed: Option<Arc<Session>>,
}
