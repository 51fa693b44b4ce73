//! What a start with many series in several parts costs: `--only start`.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::{Data, SAMPLES, median, now};
use crate::report::print_table;
use crate::server::{Mode, Server};
use crate::units::{bytes, time};

/// Parts with a point of each series.
const PARTS: i64 = 10;

/// Until it answers.
const BOUND: Duration = Duration::from_secs(1);

/// Starts a server again and again with so many series in [`PARTS`] parts.
///
/// # Errors
/// When it fails.
pub fn run(dir: &Path, more: &[String], series: u64) -> Result<()> {
    let place = tempfile::tempdir_in(dir)?;
    let with = Mode::interval(more);
    let begin = now()? - PARTS;
    for second in begin..begin + PARTS {
        eprintln!("... a point of each of {series} series, and a stop");
        let server = Server::start(&with, place.path())?;
        let name = |at| format!("user{at:07}.level");
        Data { series, name, seconds: second..second + 1 }.put(server.address)?;
        server.program.stop()?;
    }
    let (mut spent, mut memory, mut fewest) = (Vec::new(), 0, usize::MAX);
    for _ in 0..SAMPLES {
        fewest = fewest.min(parts(&place.path().join("data"))?);
        let server = Server::start(&with, place.path())?;
        spent.push(server.program.processor_time()?);
        memory = server.program.memory()?.1.max(memory);
        // Before it has merged any.
        server.program.kill()?;
    }
    let spent = median(spent);
    let verdict = if spent <= BOUND { "kept" } else { "MISSED" };
    let heading = ["series", "parts", "CPU until it answers", "bound", "", "memory"];
    let cells = [
        series.to_string(),
        fewest.to_string(),
        time(spent),
        time(BOUND),
        verdict.into(),
        bytes(memory),
    ];
    print_table("A start", &[heading.map(str::to_owned).to_vec(), cells.to_vec()]);
    Ok(())
}

fn parts(dir: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(dir)? {
        count += usize::from(entry?.file_name().to_string_lossy().starts_with("part-"));
    }
    Ok(count)
}
