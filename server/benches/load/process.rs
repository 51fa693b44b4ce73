//! A program under test: started on loopback, watched through `/proc`, always stopped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a program may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running program; it is killed when this is dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Program {
    /// Starts it with its output in a log file.
    pub fn start(command: &mut Command, log: &Path) -> std::io::Result<Self> {
        let file = fs::File::create(log)?;
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { child, log: log.to_owned(), started })
    }

    /// Waits until `probe` finds the program serving; returns the time since its start.
    pub fn wait_until(&mut self, mut probe: impl FnMut() -> bool) -> Result<Duration> {
        loop {
            if probe() {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("ended with {status}: {}", self.log_tail());
            }
            ensure!(self.started.elapsed() < PATIENCE, "not ready: {}", self.log_tail());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Stops it by SIGTERM; returns how long that took.
    pub fn stop(mut self) -> Result<Duration> {
        let start = Instant::now();
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status()?;
        ensure!(asked.success(), "could not be asked to stop");
        while self.child.try_wait()?.is_none() {
            ensure!(start.elapsed() < PATIENCE, "did not stop: {}", self.log_tail());
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(start.elapsed())
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts to measure processor time.
    pub fn meter(&self) -> Result<Meter<'_>> {
        let (program, own) = (self.processor_time()?, processor_time("/proc/self/stat".as_ref())?);
        Ok(Meter { of: self, start: Instant::now(), program, own, machine: machine_time()? })
    }

    /// Processor time of all its threads so far, in steps of 10 ms.
    pub fn processor_time(&self) -> Result<Duration> {
        processor_time(&self.proc_file("stat"))
    }

    /// Time on a processor of all its present threads, in nanoseconds.
    pub fn running_time(&self) -> Result<Duration> {
        let mut total = 0;
        for thread in fs::read_dir(self.proc_file("task"))? {
            // A thread may end meanwhile.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            total +=
                text.split_whitespace().next().context("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Resident memory now, and at its peak so far.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = fs::read_to_string(self.proc_file("status"))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
        };
        Ok((field("VmRSS:").context("no VmRSS")?, field("VmHWM:").context("no VmHWM")?))
    }

    /// Resets the peak of memory; returns whether the kernel allows that.
    pub fn reset_peak(&self) -> bool {
        fs::write(self.proc_file("clear_refs"), "5").is_ok()
    }

    fn proc_file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor use during a run.
pub struct Meter<'a> {
    of: &'a Program,
    start: Instant,
    program: Duration,
    own: Duration,
    machine: Duration,
}

impl Meter<'_> {
    /// Processor time of the program, and how many cores went to neither it nor this benchmark.
    pub fn read(&self) -> Result<(Duration, f64)> {
        let program = self.of.processor_time()?.saturating_sub(self.program);
        let own = processor_time("/proc/self/stat".as_ref())?.saturating_sub(self.own);
        let machine = machine_time()?.saturating_sub(self.machine);
        let others = machine.saturating_sub(program + own);
        Ok((program, others.as_secs_f64() / self.start.elapsed().as_secs_f64()))
    }
}

/// The kernel counts in hundredths of a second.
fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Duration {
    Duration::from_millis(fields.flat_map(str::parse::<u64>).sum::<u64>() * 10)
}

fn processor_time(stat: &Path) -> Result<Duration> {
    let stat = fs::read_to_string(stat)?;
    // The name in brackets may hold blanks; user and system time are the 12th and 13th after.
    let (_, rest) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
    Ok(ticks(rest.split_whitespace().skip(11).take(2)))
}

/// User, nice and system time of all processes together.
fn machine_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    Ok(ticks(stat.split_whitespace().skip(1).take(3)))
}

/// A free loopback address.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether a program listens on `address`.
pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// What a directory takes on the disk, in whole blocks as `du` counts, but for what our server keeps in
/// reserve for a full disk, however many points it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// In files or directories whose name says log.
    pub log: u64,
    /// In all others.
    pub rest: u64,
}

impl DiskUse {
    /// Walks over a directory. Files may come and go meanwhile.
    pub fn of(dir: &Path) -> Self {
        let mut found = Self::default();
        found.walk(dir, false);
        found
    }

    fn walk(&mut self, dir: &Path, log: bool) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            let log = log || name.contains("wal") || name.contains("log") || name.contains("aof");
            let Ok(metadata) = entry.metadata() else { continue };
            if name == "reserve" {
                continue;
            }
            if metadata.is_dir() {
                self.walk(&entry.path(), log);
            } else {
                *if log { &mut self.log } else { &mut self.rest } += disk_bytes(&metadata);
            }
        }
    }

    /// Everything.
    pub fn total(self) -> u64 {
        self.log + self.rest
    }

    /// Waits until the size has not changed for two seconds, at most half a minute: background
    /// merges are over then.
    pub fn settled(dir: &Path) -> Self {
        let start = Instant::now();
        let (mut last, mut since) = (Self::of(dir), Instant::now());
        while since.elapsed() < Duration::from_secs(2) && start.elapsed() < Duration::from_secs(30)
        {
            std::thread::sleep(Duration::from_millis(100));
            let now = Self::of(dir);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        last
    }
}

/// The room that a file takes on the disk. The benchmark type-checks on Windows and is not of use
/// there: it watches programs through `/proc`.
fn disk_bytes(file: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(file) * 512;
    #[cfg(not(unix))]
    file.len()
}
