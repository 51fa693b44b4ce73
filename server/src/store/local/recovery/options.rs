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

/// Logs the retention and how many points it hides, as a warning when it is shorter than at the last
/// start, and keeps it for the next one. `hidden_in_log` are the points in memory that are too old.
pub fn report_retention(state: &StoreState, hidden_in_log: u64) {
    let retention = state.config().retention;
    let before = read(state.disk()).unwrap_or_else(|error| {
        warn!(%error, "{OPTIONS} can't be read; the retention of the last start is not known");
        None
    });
    if let Some(retention) = retention {
        let hidden = hidden_in_log + hidden_in_parts(state);
        report(retention, before, hidden);
    }
    let is_known = match before {
        Some(before) => before == retention,
        None => retention.is_none(),
    };
    if !is_known && let Err(error) = write(state.disk(), retention) {
        warn!(%error, "can't write {OPTIONS}; the next start can't tell whether its retention is shorter");
    }
}

fn report(retention: Duration, before: Option<Option<Duration>>, hidden_points: u64) {
    let (age, delay) = (Age(retention), Age(DELETION_DELAY));
    let warning = match before {
        Some(None) => Some("points were kept for ever at the last start".to_owned()),
        Some(Some(before)) if before > retention => {
            Some(format!("the retention was {} at the last start", Age(before)))
        }
        None if hidden_points > 0 => Some("no retention is known of the last start".to_owned()),
        _ => None,
    };
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
    let entries = parts.iter().flat_map(|part| part.entries());
    entries
        .map(|entry| retention::estimate_expired((entry.first, entry.last), entry.count, cutoff))
        .sum()
}

/// The retention of the last start; `None` when it is not known.
fn read(disk: &dyn Disk) -> io::Result<Option<Option<Duration>>> {
    let file = match disk.open(OPTIONS) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = window::read(&*file, 0, file.length()?.min(256))?;
    let text = String::from_utf8_lossy(&text);
    let value = text.strip_prefix(RETENTION).and_then(|rest| rest.strip_suffix('\n'));
    match (value, value.and_then(|value| value.parse().ok())) {
        (Some(FOREVER), _) => Ok(Some(None)),
        (_, Some(seconds)) => Ok(Some(Some(Duration::from_secs(seconds)))),
        _ => Err(io::Error::other("it is not as a server writes it")),
    }
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
