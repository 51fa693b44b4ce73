//! The settings that the application starts with.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use shared::Glob;

use crate::keymap::Abilities;
use crate::metrics::alerts::Alert;
use crate::metrics::sort::TableSpec;
use crate::session::{Session, View};
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
    /// A saved session to be shown, with its own view.
    pub replayed: Option<Arc<Session>>,
    /// The view to open: panes, chart, place in time, what is compared, look. What has a field of its
    /// own here is as that says.
    pub view: View,
    /// The options of TLS, as they were typed; none without TLS.
    pub tls: Vec<String>,
    /// The file that the view is from.
    pub view_file: Option<String>,
}

impl AppConfig {
    /// The settings for a view; the others are as usual.
    pub fn of(view: View) -> Self {
        Self {
            address: view.address.clone(),
            sources: view.sources(),
            interval: view.interval.unwrap_or(Duration::from_secs(1)),
            watch: view.watch.clone(),
            alerts: view.alerts.clone(),
            table: view.table.clone(),
            zone: TimeZone::UTC,
            log_memory: 64 << 20,
            raw_log: view.raw_log,
            reconnect_seed: 0,
            abilities: Abilities::default(),
            replayed: None,
            view,
            tls: Vec::new(),
            view_file: None,
        }
    }
}
