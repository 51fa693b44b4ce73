//! The load benchmark: starts the real server and its peers on loopback, gives them the same
//! points, prints the figures. `cargo bench -p server --bench load -- --help` says more.
//!
//! All figures in the tables are measured in the run.

mod drive;
mod follow;
mod http;
mod loopback;
mod options;
mod peers;
mod process;
mod query;
mod reply;
mod report;
mod series;
mod server;
mod units;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use drive::{Load, Replies, Target, drive};
use options::Options;
use peers::PEERS;
use process::DiskUse;
use report::{
    PutRow, print_table, put_heading, read_cells, read_heading, start_cells, start_heading,
};
use server::{Mode, Server};

/// The main run is that of the project's goal.
const CONNECTIONS: usize = 8;
const IN_FLIGHT: usize = 1000;

/// No run of our own takes longer.
const LIMIT: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            return ExitCode::from(2);
        }
    };
    match Bench::new(options).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What has been measured so far.
struct Bench {
    options: Options,
    puts: Vec<PutRow>,
    reads: Vec<Vec<String>>,
    starts: Vec<Vec<String>>,
    notes: Vec<String>,
    /// Points a second of our first main run.
    ours: Option<f64>,
}

impl Bench {
    fn new(options: Options) -> Self {
        Self {
            options,
            puts: Vec::new(),
            reads: vec![read_heading()],
            starts: vec![start_heading()],
            notes: Vec::new(),
            ours: None,
        }
    }

    fn main_load(&self) -> Load {
        Load {
            connections: CONNECTIONS,
            in_flight: IN_FLIGHT,
            seconds: self.options.seconds,
            limit: LIMIT,
        }
    }

    fn run(mut self) -> Result<()> {
        fs::create_dir_all(&self.options.dir)?;
        let modes = server::modes(self.options.mode.as_deref(), &self.options.server)?;
        if self.run_instead(&modes)? {
            return Ok(());
        }
        self.surroundings()?;
        for (number, mode) in modes.iter().enumerate() {
            self.life(mode, number == 0).with_context(|| mode.name.clone())?;
            if self.options.wants("put") {
                self.matrix(mode).with_context(|| mode.name.clone())?;
            }
        }
        if self.options.wants("follow") {
            let rows = self.follow(&modes[0])?;
            print_table("Followers", &rows);
        }
        self.peers()?;
        let ours = self.ours.context("nothing was measured")?;
        let mut rows = vec![put_heading()];
        rows.extend(self.puts.iter().map(|row| row.cells(ours)));
        print_table("Puts", &rows);
        for (title, rows) in [("Reads of everything", &self.reads), ("Starts", &self.starts)] {
            if rows.len() > 1 {
                print_table(title, rows);
            }
        }
        println!();
        for note in &self.notes {
            println!("- {note}");
        }
        Ok(())
    }

    /// Runs what takes the place of the main run; answers whether there was any.
    fn run_instead(&self, modes: &[Mode]) -> Result<bool> {
        let Options { dir, server, brief, .. } = &self.options;
        let points = self.options.points();
        let (query, beside) =
            (self.options.wants_instead("query"), self.options.wants_instead("beside"));
        let start = self.options.wants_instead("start");
        if query {
            query::run(dir, server, points)?;
        }
        if start {
            query::starts::run(dir, server, points / 20)?;
        }
        if beside {
            query::beside::run(dir, modes, points, *brief)?;
        }
        Ok(query || start || beside)
    }

    /// What the figures depend on: the generator, loopback, the disk.
    fn surroundings(&mut self) -> Result<()> {
        step("the generator, loopback and the disk alone");
        let cores = std::thread::available_parallelism()?;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("?");
        self.notes.push(format!("{cores} cores, generator included; load before the run {load}"));
        let (cost, entropy) = (series::cost(server::FORM)?, series::entropy());
        self.notes.push(format!(
            "the generator takes {cost:.1} ns a point; a value holds {entropy:.2} bytes of entropy"
        ));
        let dir = self.temporary()?;
        let (small, large) = (sync_time(dir.path(), 4)?, sync_time(dir.path(), 64)?);
        self.notes.push(format!(
            "the disk writes and syncs 4 KiB in {}, 64 KiB in {} (median)",
            units::time(small),
            units::time(large)
        ));
        let target =
            Target { address: loopback::start()?, form: server::FORM, replies: Replies::Ok };
        let load = self.main_load();
        let outcome = drive(target, load)?;
        self.puts.push(PutRow::new("loopback alone (the ceiling)".to_owned(), load, &outcome));
        Ok(())
    }

    /// The main run, then reads and restarts on its data.
    fn life(&mut self, mode: &Mode, thorough: bool) -> Result<()> {
        let load = self.main_load();
        let points = self.options.points();
        let (wants_get, wants_restart) =
            (self.options.wants("get") && thorough, self.options.wants("restart") && thorough);
        step(&format!("server {}: {points} points", mode.name));
        let dir = self.temporary()?;
        let data = dir.path().join("data");
        let mut server = Server::start(mode, dir.path())?;
        let mut row = put(&server, mode, load)?;
        self.ours.get_or_insert(row.rate);
        // A kill straight after the puts leaves the most log to be read.
        let get_first = wants_get && !(wants_restart && mode.durable);
        if get_first {
            self.get(&server, load, "server, after the puts")?;
        }
        if wants_restart {
            step("restart after kill -9");
            server.program.kill()?;
            let disk = DiskUse::of(&data);
            server = Server::start(mode, dir.path())?;
            let (left, ready) = (if mode.durable { points } else { 0 }, server.ready);
            self.starts.push(start_cells("kill -9".to_owned(), left, ready, disk, None));
            if mode.durable {
                // Nothing acknowledged may be lost, so this is done even where no get is wanted.
                self.get(&server, load, "server, after kill -9")?;
            }
        }
        if mode.durable {
            step("restart after a stop");
            let stop = server.program.stop()?;
            let disk = DiskUse::of(&data);
            server = Server::start(mode, dir.path())?;
            self.starts.push(start_cells(
                format!("stop ({})", mode.name),
                points,
                server.ready,
                disk,
                Some(stop),
            ));
            step("waiting for merges to end");
            let settled = DiskUse::settled(&data);
            row.disk = Some(settled.total());
            if thorough {
                self.notes.push(format!(
                    "server {}, at rest: {} of log and {:.3} bytes a point in parts",
                    mode.name,
                    units::bytes(settled.log),
                    units::ratio(settled.rest, points)
                ));
            }
            if wants_get {
                self.get(&server, load, "server, restarted")?;
            }
        }
        let stop = server.program.stop()?;
        if mode.durable && wants_restart {
            let disk = DiskUse::of(&data);
            let ready = Server::start(mode, dir.path())?.ready;
            let after = "stop, merged".to_owned();
            self.starts.push(start_cells(after, points, ready, disk, Some(stop)));
        }
        self.puts.push(row);
        Ok(())
    }

    fn get(&mut self, server: &Server, load: Load, how: &str) -> Result<()> {
        step(&format!("get *: {how}"));
        let (answer, checked) = server.get_all(load)?;
        let points = self.options.points();
        self.reads.push(read_cells(how.to_owned(), points, &answer, Some(checked)));
        Ok(())
    }

    /// Other numbers of connections, pipelined and not, each on a fresh server.
    fn matrix(&mut self, mode: &Mode) -> Result<()> {
        for in_flight in [IN_FLIGHT, 1] {
            for connections in [1, CONNECTIONS, 50] {
                let pipelined = in_flight > 1;
                if pipelined && connections == CONNECTIONS {
                    continue;
                }
                step(&format!("server {}: {connections} x {in_flight}", mode.name));
                let limit = if pipelined { LIMIT } else { self.options.brief };
                let seconds = if pipelined { self.options.seconds.div_ceil(4) } else { u64::MAX };
                // Not more than the generator can number.
                let seconds = seconds.min(1_000_000);
                let load = Load { connections, in_flight, seconds, limit };
                let dir = self.temporary()?;
                let server = Server::start(mode, dir.path())?;
                let row = put(&server, mode, load)?;
                server.program.stop()?;
                self.puts.push(row);
            }
        }
        Ok(())
    }

    fn follow(&mut self, mode: &Mode) -> Result<Vec<Vec<String>>> {
        let mut rows = vec![follow::heading()];
        let load = self.main_load();
        // In turns, so that what changes meanwhile is seen.
        for followers in [false, true, false, true] {
            step(&format!("puts {} followers", if followers { "beside" } else { "without" }));
            rows.push(follow::put_rate(mode, self.temporary()?.path(), load, followers)?);
        }
        step("a follower of everything");
        rows.push(follow::everything(mode, self.temporary()?.path(), load)?);
        for wide in [false, true] {
            step("how late news are");
            let time = self.options.brief * 2;
            rows.push(follow::latency(mode, self.temporary()?.path(), wide, time)?);
        }
        Ok(rows)
    }

    fn peers(&mut self) -> Result<()> {
        let load = Load { limit: self.options.patience, ..self.main_load() };
        for peer in PEERS.iter().filter(|peer| self.options.wants_peer(peer.name)) {
            if !peer.is_installed() {
                let (program, package) = (peer.program, peer.package);
                self.notes.push(format!(
                    "skipped {program}, not on the PATH; to compare: apt-get install {package}"
                ));
                continue;
            }
            step(&format!("{}: the same points, at most {:?}", peer.program, load.limit));
            let dir = self.temporary()?;
            match (peer.run)(dir.path(), load) {
                Ok(measured) => {
                    self.puts.push(measured.puts);
                    if let Some((how, points, answer)) = measured.read {
                        self.reads.push(read_cells(how, points, &answer, None));
                    }
                }
                Err(error) => self.notes.push(format!("{} failed: {error:#}", peer.program)),
            }
        }
        Ok(())
    }

    fn temporary(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.options.dir)?)
    }
}

/// Puts load on one of our servers.
fn put(server: &Server, mode: &Mode, load: Load) -> Result<PutRow> {
    let meter = server.program.meter()?;
    let outcome = server.drive(load).with_context(|| server.program.log_tail())?;
    Ok(PutRow {
        processor: Some(meter.read()?),
        memory: Some(server.program.memory()?),
        ..PutRow::new(format!("server, {}", mode.name), load, &outcome)
    })
}

/// Says on standard error what is under way, so that standard output is the result alone.
fn step(what: &str) {
    eprintln!("... {what}");
}

/// The median time to append a block to a file and sync it.
fn sync_time(dir: &Path, kib: usize) -> Result<Duration> {
    let block = vec![1; kib * 1024];
    let mut file = fs::File::create(dir.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..101 {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
