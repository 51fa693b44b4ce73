//! What the system knows of a process.

use std::collections::HashMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A process by its id.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// For each thread, a file of what the system knows of it.
    fn threads(self, file: &str) -> HashMap<String, String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).unwrap();
        let read = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join(file)).ok()?;
            Some((task.file_name().into_string().ok()?, text))
        };
        tasks.filter_map(|task| read(task.ok()?)).collect()
    }

    /// How often a thread began to wait, or was interrupted: each time it had been woken before.
    pub fn switches(self) -> u64 {
        let threads = self.threads("status");
        let lines = threads.values().flat_map(|status| status.lines());
        let counts = lines.filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum()
    }

    /// Nanoseconds that each thread has run.
    fn run_times(self) -> HashMap<String, u64> {
        let run_time = |stat: &str| stat.split(' ').next()?.parse().ok();
        let threads = self.threads("schedstat").into_iter();
        threads.filter_map(|(id, stat)| Some((id, run_time(&stat)?))).collect()
    }

    /// Resident memory in KiB.
    pub fn memory(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory so far, in KiB.
    pub fn most_memory(self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// The percents of a core that each process uses for so long, and how long that was. A thread that
/// ends meanwhile does not count.
pub fn shares<const N: usize>(of: [Process; N], time: Duration) -> ([f64; N], Duration) {
    let (shares, took) = shares_of(&of, time);
    let mut all = [0.0; N];
    all.copy_from_slice(&shares);
    (all, took)
}

/// As [`shares`], of any number of processes.
pub fn shares_of(of: &[Process], time: Duration) -> (Vec<f64>, Duration) {
    let run_times = || of.iter().map(|process| process.run_times()).collect::<Vec<_>>();
    let (before, begun) = (run_times(), Instant::now());
    sleep(time);
    let (after, took) = (run_times(), begun.elapsed());
    let mut shares = vec![0.0; of.len()];
    for ((share, before), after) in shares.iter_mut().zip(&before).zip(&after) {
        let since = |(id, time): (_, &u64)| time - before.get(id).copied().unwrap_or(0);
        let used = Duration::from_nanos(after.iter().map(since).sum());
        *share = used.as_secs_f64() / took.as_secs_f64() * 100.0;
    }
    (shares, took)
}
