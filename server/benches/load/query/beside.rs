//! Single puts alone, beside busy loops, and beside endless readers of everything.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::client::Client;
use super::data::fleet;
use super::{filled, median, now};
use crate::report::print_table;
use crate::server::Mode;
use crate::units::{ratio, scaled, time};

/// Busy loops, and readers.
const COMPANY: usize = 4;

const ROUNDS: usize = 3;

/// What runs beside the puts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Beside {
    Nothing,
    Loops,
    Readers,
}

/// Latencies of puts in several rounds of `duration` beside each kind of company.
///
/// # Errors
/// When the server fails.
pub fn run(dir: &Path, modes: &[Mode], points: u64, duration: Duration) -> Result<()> {
    let heading = ["durability", "beside", "puts", "p50", "p99", "p99 of rounds", "read MB/s"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for mode in modes {
        let dir = tempfile::tempdir_in(dir)?;
        let server = filled(dir.path(), mode, &fleet(points, now()?), &mode.name)?;
        let mut alone = Vec::new();
        let mut found = [Beside::Nothing, Beside::Loops, Beside::Readers]
            .map(|beside| (beside, Vec::new(), Vec::new(), Vec::new()));
        for _ in 0..ROUNDS {
            let read = with_readers(server.address, || {
                std::thread::sleep(duration);
                Ok(())
            })?;
            alone.push(read.1);
            for (beside, all, tails, rates) in &mut found {
                let (mut trips, bytes) = round(server.address, *beside, duration)?;
                trips.sort_unstable();
                tails.push(percentile(&trips, 99));
                rates.push(bytes);
                all.extend(trips);
            }
        }
        rows.push(vec![
            mode.name.clone(),
            "readers without puts".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            scaled(ratio(median(alone), 1000)),
        ]);
        for (beside, mut trips, tails, rates) in found {
            trips.sort_unstable();
            let tails: Vec<_> = tails.into_iter().map(time).collect();
            rows.push(vec![
                mode.name.clone(),
                format!("{beside:?}").to_lowercase(),
                trips.len().to_string(),
                time(percentile(&trips, 50)),
                time(percentile(&trips, 99)),
                tails.join(", "),
                scaled(ratio(median(rates), 1000)),
            ]);
        }
        server.program.stop()?;
    }
    print_table("Single puts", &rows);
    Ok(())
}

/// The round trips of the puts of a round, and bytes a millisecond that were read beside them.
fn round(address: SocketAddr, beside: Beside, duration: Duration) -> Result<(Vec<Duration>, u64)> {
    let put = || puts(address, duration);
    match beside {
        Beside::Nothing => Ok((put()?, 0)),
        Beside::Loops => {
            let _loops = (0..COMPANY).map(|_| BusyLoop::start()).collect::<Result<Vec<_>>>()?;
            Ok((put()?, 0))
        }
        Beside::Readers => with_readers(address, put),
    }
}

fn puts(address: SocketAddr, duration: Duration) -> Result<Vec<Duration>> {
    let mut client = Client::connect(address)?;
    let start = Instant::now();
    let mut trips = Vec::new();
    while start.elapsed() < duration {
        trips.push(client.put(&format!("put single.put {} {}\n", trips.len(), now()?))?);
    }
    Ok(trips)
}

/// Runs `during` beside endless readers; answers also how many bytes they have read
/// each millisecond.
fn with_readers<T>(address: SocketAddr, during: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let (bytes, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..COMPANY)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(address)?;
                    while !is_over.load(Ordering::Relaxed) {
                        client.ask("get *\n", |read| {
                            bytes.fetch_add(read, Ordering::Relaxed);
                            !is_over.load(Ordering::Relaxed)
                        })?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        // The readers are under way.
        std::thread::sleep(Duration::from_millis(300));
        let (before, start) = (bytes.load(Ordering::Relaxed), Instant::now());
        let outcome = during();
        let read = bytes.load(Ordering::Relaxed) - before;
        let each_millisecond = read / u64::try_from(start.elapsed().as_millis().max(1))?;
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().ok().context("a panic")??;
        }
        Ok((outcome?, each_millisecond))
    })
}

/// A process that takes all the processor time that it is given.
struct BusyLoop(Child);

impl BusyLoop {
    fn start() -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
        Ok(Self(command.spawn()?))
    }
}

impl Drop for BusyLoop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}
