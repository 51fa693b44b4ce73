//! `kill -9` under load, again and again on the same data: after the next start every acknowledged
//! point is there, what was taken back is not, and of the requests sent after those a prefix without
//! holes has had its effect. A follower is told every put in order, and nothing that is lost later.
//!
//! `KILL_ROUNDS` sets the number of rounds, `KILL_SEED` repeats a run.

mod journal;
mod news;

use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use journal::{Journal, check};
use news::News;
use tempfile::TempDir;

use crate::harness::PATIENCE;
use crate::harness::environment;
use crate::harness::os;
use crate::harness::process::ServerProcess;
use crate::harness::random::Random;

/// Clients at once.
const CLIENTS: u64 = 6;

/// Small, so that checkpoints and merges happen all the time.
const LOG_LIMIT: &str = "64KiB";

/// When the server is killed.
#[derive(Debug, Clone, Copy)]
enum KillPoint {
    /// When this many puts were acknowledged in it.
    AfterReplies(u64),
    /// After this many lines of the log that say this.
    AfterLogLine(&'static str, u64),
    /// During a shutdown, when the log says this.
    DuringShutdown(&'static str),
}

struct Rounds {
    directory: TempDir,
    durability: &'static str,
    random: Random,
    journals: Vec<Journal>,
    /// Points that followers were told.
    told: u64,
}

impl Rounds {
    fn launch(&self) -> ServerProcess {
        ServerProcess::launch([
            "--data-dir",
            self.directory.path().to_str().unwrap(),
            "--durability",
            self.durability,
            "--log-limit",
            LOG_LIMIT,
            "--allow-delete",
        ])
    }

    fn point(&mut self, round: u64) -> KillPoint {
        match round % 5 {
            0 | 3 => KillPoint::AfterReplies(1 + self.random.below(30_000)),
            1 => KillPoint::AfterLogLine(" merging", 1 + self.random.below(3)),
            2 => KillPoint::AfterLogLine(" checkpoint: ", 1 + self.random.below(6)),
            _ => KillPoint::DuringShutdown(["in all", "checkpoint: "][self.below(2)]),
        }
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.random.below(end)).unwrap()
    }

    /// Puts from all clients until the server is killed at `point`.
    fn load_and_kill(&mut self, mut program: ServerProcess, point: KillPoint) {
        let port = program.port();
        let (progress, acknowledged) = mpsc::channel();
        let told = std::thread::scope(|scope| {
            let (following, started) = mpsc::channel();
            let follower =
                scope.spawn(move || News::follow_until_it_ends(port, CLIENTS, &following));
            // Every put of the round is news then.
            started.recv_timeout(PATIENCE).expect("the follow begins");
            for journal in &mut self.journals {
                let progress = progress.clone();
                scope.spawn(move || journal.put_until_it_ends(port, &progress));
            }
            drop(progress);
            wait_for(&mut program, &acknowledged, point);
            program.kill();
            follower.join().expect("the news are as they should be")
        });
        for (journal, newest) in self.journals.iter_mut().zip(told.newest()) {
            journal.note_told(newest);
        }
        self.told += told.count();
    }

    /// Starts the server and kills it during its recovery, after some lines of its log; returns how
    /// many.
    fn kill_in_recovery(&mut self) -> usize {
        let lines = 1 + self.below(5);
        let mut program = self.launch();
        for line in 1..=lines {
            match program.next_line() {
                Some(said) if said.contains("listening") => {
                    program.kill();
                    return line;
                }
                Some(_) => {}
                None => panic!("it ended by itself: {}", program.log()),
            }
        }
        program.kill();
        lines
    }

    fn round(&mut self, round: u64) {
        for _ in 0..self.below(3) {
            let lines = self.kill_in_recovery();
            println!("round {round}: killed in the recovery after {lines} lines");
        }
        let mut program = self.launch();
        program.wait_until_listening();
        check(&program.request("get *\n"), &mut self.journals);
        let point = self.point(round);
        self.load_and_kill(program, point);
        let (sent, acknowledged) = self
            .journals
            .iter()
            .map(Journal::counts)
            .fold((0, 0), |(sent, acknowledged), one| (sent + one.0, acknowledged + one.1));
        println!("round {round}: killed at {point:?}, {acknowledged} of {sent} acknowledged");
    }
}

fn wait_for(program: &mut ServerProcess, acknowledged: &Receiver<u64>, point: KillPoint) {
    match point {
        KillPoint::AfterReplies(wanted) => {
            let mut all = 0;
            while all < wanted {
                all += next_replies(program, acknowledged);
            }
        }
        KillPoint::AfterLogLine(text, times) => {
            for _ in 0..times {
                program.wait_for_line(text);
            }
        }
        KillPoint::DuringShutdown(text) => {
            let mut all = 0;
            while all < 1000 {
                all += next_replies(program, acknowledged);
            }
            program.signal(os::END_SIGNALS[0]);
            program.wait_for_line("shutting down");
            program.wait_for_line(text);
        }
    }
}

fn next_replies(program: &mut ServerProcess, acknowledged: &Receiver<u64>) -> u64 {
    let more = acknowledged.recv_timeout(PATIENCE);
    more.unwrap_or_else(|error| panic!("no replies ({error}): {}", program.describe_end()))
}

fn parts_and_logs(directory: &Path) -> (usize, usize) {
    let names = crate::harness::files::file_names(directory);
    let count = |begin: &str| names.iter().filter(|name| name.starts_with(begin)).count();
    (count("part-"), count("log-"))
}

fn check_survival(durability: &'static str) {
    let rounds = environment::number("KILL_ROUNDS", 5);
    let seed = environment::number("KILL_SEED", u64::from(std::process::id()));
    println!("--durability {durability}, KILL_ROUNDS={rounds} KILL_SEED={seed}");
    let mut random = Random(seed);
    let journals =
        (0..CLIENTS).map(|client| Journal::new(client, CLIENTS, random.below(u64::MAX))).collect();
    let mut session =
        Rounds { directory: tempfile::tempdir().unwrap(), durability, random, journals, told: 0 };
    for round in 0..rounds {
        session.round(round);
    }
    // After the last kill, and after a clean shutdown, which leaves no log.
    for _ in 0..2 {
        let mut program = session.launch();
        program.wait_until_listening();
        check(&program.request("get *\n"), &mut session.journals);
        program.stop();
    }
    assert!(session.told > 0, "followers are told");
    let (parts, logs) = parts_and_logs(session.directory.path());
    assert_eq!(logs, 0, "logs are left after a clean shutdown");
    assert!((1..30).contains(&parts), "{parts} parts: they are not merged");
}

#[test]
fn a_synced_ok_survives_kill_9() {
    check_survival("sync");
}

#[test]
fn an_interval_ok_survives_kill_9() {
    check_survival("interval");
}
