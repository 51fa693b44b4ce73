//! VictoriaMetrics: Graphite lines, which are not acknowledged; the time ends when it has
//! counted all rows.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{PeerResult, row};
use crate::drive::{Load, Replies, Target, drive};
use crate::http;
use crate::process::{DiskUse, Program, free_address, listens};
use crate::reply::{ReplyEnd, fetch};
use crate::series::{FIRST_SECOND, Form};

const FORM: Form = Form { before: |key| format!("{key} "), counted: false, after: "\n" };

/// How long after the last row was sent all must be counted.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(dir: &Path, load: Load) -> Result<PeerResult> {
    let (graphite, http) = (free_address()?, free_address()?);
    let data = dir.join("data");
    let mut command = Command::new("victoria-metrics");
    command.arg(format!("-storageDataPath={}", data.display()));
    command.args([
        &format!("-graphiteListenAddr={graphite}"),
        &format!("-httpListenAddr={http}"),
        // The points are older than the usual month.
        "-retentionPeriod=100y",
    ]);
    let mut program = Program::start(&mut command, &dir.join("output.txt"))?;
    program.wait_until(|| listens(http) && listens(graphite))?;
    let target = Target { address: graphite, form: FORM, replies: Replies::None };
    let meter = program.meter()?;
    let mut outcome = drive(target, load)?;
    let sent = outcome.elapsed;
    while rows(http)? < outcome.points {
        ensure!(outcome.start.elapsed() < sent + PATIENCE, "rows are missing");
        std::thread::sleep(Duration::from_millis(20));
    }
    outcome.elapsed = outcome.start.elapsed();
    let mut puts = row("VictoriaMetrics, no acknowledgement", &program, &meter, load, &outcome)?;

    // Makes the newest rows visible and merges them.
    http::fetch(http, "/internal/force_flush")?;
    http::fetch(http, "/internal/force_merge")?;
    DiskUse::settled(&data);
    // It answers by series in the hour around the points.
    let path = format!(
        "/api/v1/export/csv?format=__name__,__value__,__timestamp__:unix_s\
         &match[]={{__name__!=%22%22}}&start={FIRST_SECOND}&end={}",
        FIRST_SECOND + load.seconds
    );
    let answer = fetch(&program, http, http::get(&path).as_bytes(), ReplyEnd::Closed)?;
    let points = answer.lines;
    program.stop()?;
    puts.disk = Some(DiskUse::of(&data).total());
    Ok(PeerResult { puts, read: Some(("VictoriaMetrics, CSV export".to_owned(), points, answer)) })
}

/// Rows counted as inserted over Graphite.
fn rows(http: SocketAddr) -> Result<u64> {
    let metrics = http::fetch(http, "/metrics")?;
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("vm_rows_inserted_total{type=\"graphite\"} "))
        .context("no count of rows in the metrics")?;
    Ok(counted.trim().parse()?)
}
