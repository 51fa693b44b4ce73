//! What queries cost the server: its processor time for a request, next to the bound that it is to
//! keep.

pub mod beside;
mod client;
mod data;
pub mod starts;

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::process::DiskUse;
use crate::report::print_table;
use crate::server::{Mode, Server};
use crate::units::{bytes, time};
use client::Client;
use data::{Data, fleet};

/// Samples of a figure; their median is printed.
const SAMPLES: usize = 9;

/// How long a sample is to be, so that what is not the request does not count.
const SAMPLE_TIME: Duration = Duration::from_millis(20);

/// A request, and the processor time that it may take.
struct Bound {
    selector: String,
    fixed: Duration,
    /// More for each line of the answer.
    each_line: Duration,
}

impl Bound {
    fn new(selector: impl Into<String>, fixed: Duration) -> Self {
        Self { selector: selector.into(), fixed, each_line: Duration::ZERO }
    }

    /// A request that is measured for information.
    fn none(selector: impl Into<String>) -> Self {
        Self::new(selector, Duration::MAX)
    }
}

/// The queries of all data sets, `points` in the greatest of them.
///
/// # Errors
/// When a server fails or answers with an error.
pub fn run(dir: &Path, more: &[String], points: u64) -> Result<()> {
    let ms = Duration::from_millis;
    let mut rows = vec![heading()];
    let fleet_data = fleet(points, now()?);
    let lines = points / fleet_data.series * 10;
    rows.extend(measure(
        dir,
        more,
        "fleet",
        &fleet_data,
        &[
            Bound::new("*[last]", ms(4)),
            // In the middle of chunks.
            Bound::new(format!("*[last@-{}s]", points / fleet_data.series / 2), ms(60)),
            Bound {
                each_line: Duration::from_nanos(400),
                ..Bound::new("host012?.load.one[-15m:]", ms(1))
            },
            Bound {
                each_line: Duration::from_nanos(400),
                ..Bound::new("host0123.*[-15m:]", ms(1))
            },
            Bound::new("*[::all:max]", ms(15)),
            Bound::none("*[-15m::all:max]"),
            Bound::none("*[last:60]"),
            Bound::none("host0123.*"),
        ],
    )?);
    eprintln!("... host0123.* has {lines} lines");

    let series = points / 20;
    let many =
        Data { series, name: |at| format!("user{at:07}.level"), seconds: now()? - 1..now()? };
    rows.extend(measure(
        dir,
        more,
        "many",
        &many,
        &[
            Bound::new("*[last]", ms(200)),
            Bound::new("user000012?.*[last]", ms(2)),
            Bound::new("*r0000007.lev*[last]", ms(40)),
            Bound::new("*7.leve[last]", ms(40)),
        ],
    )?);

    let seconds = i64::try_from(points / 2)?;
    let one = Data { series: 1, name: |_| "k".to_owned(), seconds: now()? - seconds..now()? };
    let month = seconds.min(2_600_000);
    let mut bounds = vec![Bound::new("k[-15m:]", ms(1)), Bound::new("k[last]", ms(1))];
    for how in ["max", "avg", "rate"] {
        bounds.push(Bound::new(format!("k[-{month}s::{}:{how}]", month / 200), ms(20)));
        bounds.push(Bound::new(format!("k[-{month}s::1d:{how}]"), ms(4)));
    }
    bounds.push(Bound::none(format!("k[-{month}s::1d:p99]")));
    rows.extend(measure(dir, more, "one", &one, &bounds)?);
    print_table("Queries", &rows);
    dead_series(dir, more, series)
}

fn heading() -> Vec<String> {
    ["data", "get", "lines", "CPU", "bound", "", "reply takes", "memory"]
        .map(str::to_owned)
        .to_vec()
}

/// Puts data on a server, restarts it and measures each request.
fn measure(
    dir: &Path,
    more: &[String],
    name: &str,
    data: &Data,
    bounds: &[Bound],
) -> Result<Vec<Vec<String>>> {
    let place = tempfile::tempdir_in(dir)?;
    let server = filled(place.path(), &Mode::interval(more), data, name)?;
    let mut client = Client::connect(server.address)?;
    bounds
        .iter()
        .map(|bound| {
            let (spent, elapsed, lines) = cost(&server, &mut client, &bound.selector)
                .with_context(|| bound.selector.clone())?;
            let each_line = bound.each_line * u32::try_from(lines)?;
            let limit = bound.fixed.checked_add(each_line).filter(|limit| *limit < Duration::MAX);
            let verdict = limit.map_or("", |limit| if spent <= limit { "kept" } else { "MISSED" });
            Ok(vec![
                name.to_owned(),
                bound.selector.clone(),
                lines.to_string(),
                time(spent),
                limit.map(time).unwrap_or_default(),
                verdict.to_owned(),
                time(elapsed),
                bytes(server.program.memory()?.0),
            ])
        })
        .collect()
}

/// A server with `data` in its parts, merges ended.
fn filled(dir: &Path, mode: &Mode, data: &Data, name: &str) -> Result<Server> {
    eprintln!("... {name}: {} points of {} series", data.points(), data.series);
    let server = Server::start(mode, dir)?;
    data.put(server.address)?;
    server.program.stop()?;
    let server = Server::start(mode, dir)?;
    DiskUse::settled(&dir.join("data"));
    Ok(server)
}

/// Medians of processor time and elapsed time of a request, and the lines of its answer.
fn cost(server: &Server, client: &mut Client, selector: &str) -> Result<(Duration, Duration, u64)> {
    let (lines, first) = client.get(selector)?;
    let repeat = (SAMPLE_TIME.as_nanos() / first.as_nanos().max(1)).clamp(1, 200);
    let repeat = u32::try_from(repeat)?;
    let (mut spent, mut elapsed) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let before = server.program.running_time()?;
        let mut all = Duration::ZERO;
        for _ in 0..repeat {
            all += client.get(selector)?.1;
        }
        spent.push(server.program.running_time()?.saturating_sub(before) / repeat);
        elapsed.push(all / repeat);
    }
    Ok((median(spent), median(elapsed), lines))
}

/// Series that are deleted give their memory to those that come after them.
fn dead_series(dir: &Path, more: &[String], series: u64) -> Result<()> {
    let place = tempfile::tempdir_in(dir)?;
    let deleting = Mode::interval(more).with("--allow-delete");
    let server = Server::start(&deleting, place.path())?;
    let names: [fn(u64) -> String; 3] = [
        |at| format!("a{at:07}.level"),
        |at| format!("b{at:07}.level"),
        |at| format!("c{at:07}.level"),
    ];
    let mut memory = vec![("empty", server.program.memory()?.0)];
    for (round, name) in names.into_iter().enumerate() {
        if round > 0 {
            eprintln!("... del * of {series} series");
            Client::connect(server.address)?.delete("*")?;
            memory.push(("deleted", server.program.memory()?.0));
        }
        Data { series, name, seconds: now()? - 1..now()? }.put(server.address)?;
        memory.push(("put", server.program.memory()?.0));
    }
    println!("\nMemory with {series} series that are put, deleted and others put:\n");
    for (what, taken) in memory {
        println!("- {what}: {}", bytes(taken));
    }
    Ok(())
}

fn median<T: Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.swap_remove(values.len() / 2)
}

/// The present Unix second.
fn now() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())?)
}
