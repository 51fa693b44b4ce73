//! Other systems, given the same points in the same run.

mod influxdb;
mod redis;
mod victoria_metrics;

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::drive::{Load, Outcome};
use crate::process::{Meter, Program};
use crate::reply::Reply;
use crate::report::PutRow;

/// The figures of a peer.
pub struct PeerResult {
    /// The puts.
    pub puts: PutRow,
    /// Everything read back: how, how many points, and the answer.
    pub read: Option<(String, u64, Reply)>,
}

/// A system to compare with.
pub struct Peer {
    /// Name for `--peers`.
    pub name: &'static str,
    /// Its program.
    pub program: &'static str,
    /// Debian's package.
    pub package: &'static str,
    /// Starts it in a directory, loads it, stops it: a result for each of its modes.
    pub run: fn(&Path, Load) -> Result<PeerResult>,
}

/// All of them.
pub const PEERS: [Peer; 4] = [
    Peer {
        name: "redis",
        program: "redis-server",
        package: "redis-server",
        run: |dir, load| redis::run(dir, load, "everysec"),
    },
    Peer {
        name: "redis",
        program: "redis-server",
        package: "redis-server",
        run: |dir, load| redis::run(dir, load, "always"),
    },
    Peer {
        name: "victoria-metrics",
        program: "victoria-metrics",
        package: "victoria-metrics",
        run: victoria_metrics::run,
    },
    Peer { name: "influxdb", program: "influxd", package: "influxdb", run: influxdb::run },
];

impl Peer {
    /// Whether its program is on the PATH.
    pub fn is_installed(&self) -> bool {
        let tried = Command::new(self.program).arg("--version").output();
        !tried.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }
}

/// The row of a load on a peer, before its data is looked at.
fn row(
    system: &str,
    program: &Program,
    meter: &Meter<'_>,
    load: Load,
    outcome: &Outcome,
) -> Result<PutRow> {
    Ok(PutRow {
        processor: Some(meter.read()?),
        memory: Some(program.memory()?),
        ..PutRow::new(system.to_owned(), load, outcome)
    })
}
