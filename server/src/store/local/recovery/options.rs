//! The file OPTIONS, which says what the retention was at the last start, and what a start says of its
//! own.

use std::io;
use std::time::Duration;

use tracing::{info, warn};

use crate::store::local::disk::{Disk, window};
use crate::store::local::file_name::{OPTIONS, UNFINISHED};
use crate::store::local::series::retention::{self, Age, DELETION_DELAY};
use crate::store::local::state::StoreState;

/// What [`OPTIONS`] holds before the seconds of the retention.
const RETENTION: &str = "retention ";

/// What stands there instead of seconds when points are kept for ever.
const FOREVER: &str = "forever";

/// The retention of the last start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastRetention {
    Unknown,
    Forever,
    Limited(Duration),
}

impl From<Option<Duration>> for LastRetention {
    fn from(retention: Option<Duration>) -> Self {
        // The file holds whole seconds.
        retention.map_or(Self::Forever, |age| Self::Limited(Duration::from_secs(age.as_secs())))
    }
}

/// Logs the retention and how many points it hides, as a warning when it is shorter than at the last
/// start, and keeps it for the next one. `hidden_in_log` are the points in memory that are too old.
pub fn report_retention(state: &StoreState, hidden_in_log: u64) {
    let retention = state.config().retention;
    let read = read(state.disk());
    if let Err(error) = &read {
        warn!(%error, "{OPTIONS} can't be read; the retention of the last start is not known");
    }
    // A store that never had a retention needs no file.
    let needs_file = read.is_err() || retention.is_some();
    let last = read.unwrap_or(LastRetention::Unknown);
    if let Some(retention) = retention {
        report(retention, last, hidden_in_log + hidden_in_parts(state));
    }
    let has_changed = last != retention.into() && (needs_file || last != LastRetention::Unknown);
    if has_changed && let Err(error) = write(state.disk(), retention) {
        warn!(%error, "can't write {OPTIONS}; the next start can't compare its retention");
    }
}

fn report(retention: Duration, last: LastRetention, hidden_points: u64) {
    let warning = match last {
        LastRetention::Forever => Some("points were kept for ever at the last start".to_owned()),
        LastRetention::Limited(last) if last > retention => {
            Some(format!("the retention was {} at the last start", Age(last)))
        }
        LastRetention::Unknown if hidden_points > 0 => {
            Some("no retention is known of the last start".to_owned())
        }
        LastRetention::Unknown | LastRetention::Limited(_) => None,
    };
    let (age, delay) = (Age(retention), Age(DELETION_DELAY));
    let fate =
        format!("points older than {age} are hidden, and deleted after {delay} of running time");
    match warning {
        None => info!(hidden_points, "{fate}"),
        Some(warning) => warn!(
            hidden_points,
            "{warning}: {fate}; to keep them, start with a longer --retention before that"
        ),
    }
}

/// About so many: of a chunk only the first and the last timestamp are known.
fn hidden_in_parts(state: &StoreState) -> u64 {
    let cutoff = state.config().cutoff();
    let parts = state.memory().parts.to_vec();
    let entries = parts.iter().flat_map(|part| part.table().iter());
    entries
        .map(|entry| retention::estimate_expired((entry.first, entry.last), entry.count, cutoff))
        .sum()
}

fn read(disk: &dyn Disk) -> io::Result<LastRetention> {
    let file = match disk.open(OPTIONS) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LastRetention::Unknown),
        Err(error) => return Err(error),
    };
    let text = window::read(&*file, 0, file.length()?.min(256))?;
    let text = String::from_utf8_lossy(&text);
    let value = text.strip_prefix(RETENTION).and_then(|rest| rest.strip_suffix('\n'));
    if value == Some(FOREVER) {
        return Ok(LastRetention::Forever);
    }
    let seconds = value.and_then(|value| value.parse().ok());
    let seconds = seconds.ok_or_else(|| io::Error::other("it is not as a server writes it"))?;
    Ok(LastRetention::Limited(Duration::from_secs(seconds)))
}

fn write(disk: &dyn Disk, retention: Option<Duration>) -> io::Result<()> {
    let value = retention.map_or_else(|| FOREVER.to_owned(), |age| age.as_secs().to_string());
    let unfinished = format!("{OPTIONS}{UNFINISHED}");
    let file = disk.create(&unfinished)?;
    file.write_all_at(format!("{RETENTION}{value}\n").as_bytes(), 0)?;
    file.sync()?;
    disk.rename(&unfinished, OPTIONS)?;
    disk.sync_directory()
}
