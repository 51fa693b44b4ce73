//! Tables in Markdown.

use std::time::Duration;

use crate::drive::{Load, Outcome};
use crate::process::DiskUse;
use crate::reply::Reply;
use crate::units::{bytes, rate, ratio, scaled, time};

/// Prints rows under a heading as a table in Markdown, columns aligned.
pub fn print_table(title: &str, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0).max(3)).collect();
    println!("\n{title}\n");
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::from("|");
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let cell = if column == 0 {
                format!(" {cell:<width$} |")
            } else {
                format!(" {cell:>width$} |")
            };
            line.push_str(&cell);
        }
        println!("{line}");
        if number == 0 {
            let rules: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, width)| {
                    let rule = "-".repeat(width - 1);
                    if column == 0 { format!(" {rule}- |") } else { format!(" {rule}: |") }
                })
                .collect();
            println!("|{}", rules.concat());
        }
    }
}

/// A run of puts.
pub struct PutRow {
    /// System and mode.
    pub system: String,
    /// TCP connections.
    pub connections: usize,
    /// Puts in flight on each.
    pub in_flight: usize,
    /// Points in all.
    pub points: u64,
    /// Points a second.
    pub rate: f64,
    /// Median and 99th percentile of a batch's round trip.
    pub trips: Option<(Duration, Duration)>,
    /// Processor time of the server, and cores that other processes took meanwhile.
    pub processor: Option<(Duration, f64)>,
    /// Resident memory after the run and at its peak.
    pub memory: Option<(u64, u64)>,
    /// Bytes on the disk at rest.
    pub disk: Option<u64>,
}

/// The heading of [`PutRow::cells`].
pub fn put_heading() -> Vec<String> {
    [
        "puts",
        "connections",
        "in flight",
        "points/s",
        "p50",
        "p99",
        "CPU s/M points",
        "others' cores",
        "memory",
        "peak",
        "bytes/point",
        "ours ÷ this",
    ]
    .map(str::to_owned)
    .to_vec()
}

impl PutRow {
    /// The row of a load, without what only its server knows.
    pub fn new(system: String, load: Load, outcome: &Outcome) -> Self {
        Self {
            system,
            connections: load.connections,
            in_flight: load.in_flight,
            points: outcome.points,
            rate: rate(outcome.points, outcome.elapsed),
            trips: outcome.percentile(50).zip(outcome.percentile(99)),
            processor: None,
            memory: None,
            disk: None,
        }
    }

    /// The row, with `ours` as the rate to compare with.
    pub fn cells(&self, ours: f64) -> Vec<String> {
        let (p50, p99) = self.trips.map(|(p50, p99)| (time(p50), time(p99))).unzip();
        let (processor, others) = self.processor.unzip();
        let (now, peak) = self.memory.unzip();
        let each = |disk| format!("{:.2}", ratio(disk, self.points));
        let each_million =
            |spent: Duration| format!("{:.3}", spent.as_secs_f64() * 1e6 * ratio(1, self.points));
        vec![
            self.system.clone(),
            self.connections.to_string(),
            self.in_flight.to_string(),
            scaled(self.rate),
            p50.unwrap_or_default(),
            p99.unwrap_or_default(),
            processor.map(each_million).unwrap_or_default(),
            others.map(|cores| format!("{cores:.2}")).unwrap_or_default(),
            now.map(bytes).unwrap_or_default(),
            peak.map(bytes).unwrap_or_default(),
            self.disk.map(each).unwrap_or_default(),
            format!("{:.2}", ours / self.rate),
        ]
    }
}

/// The heading of [`read_cells`].
pub fn read_heading() -> Vec<String> {
    ["reads", "points", "points/s", "MB/s", "memory grew by", "checked"].map(str::to_owned).to_vec()
}

/// A large reply; `checked` is the number of its lines that were compared with what was put.
pub fn read_cells(how: String, points: u64, answer: &Reply, checked: Option<usize>) -> Vec<String> {
    vec![
        how,
        scaled(ratio(points, 1)),
        scaled(rate(points, answer.elapsed)),
        format!("{:.0}", rate(answer.bytes, answer.elapsed) / 1e6),
        bytes(answer.growth),
        checked.map(|lines| format!("count, {lines} lines")).unwrap_or_default(),
    ]
}

/// The heading of [`start_cells`].
pub fn start_heading() -> Vec<String> {
    ["starts", "points", "first answer", "log", "parts", "bytes/point", "time to stop"]
        .map(str::to_owned)
        .to_vec()
}

/// A start on what `disk` holds of `points`.
pub fn start_cells(
    after: String,
    points: u64,
    ready: Duration,
    disk: DiskUse,
    stop: Option<Duration>,
) -> Vec<String> {
    vec![
        after,
        scaled(ratio(points, 1)),
        time(ready),
        bytes(disk.log),
        bytes(disk.rest),
        if disk.total() == 0 {
            String::new()
        } else {
            format!("{:.2}", ratio(disk.total(), points))
        },
        stop.map(time).unwrap_or_default(),
    ]
}
