//! `kill -9` under load, again and again on the same data: every acknowledged point is there
//! after the next start, nothing that was never sent, and of what was sent without an answer a
//! beginning of it, in order, without holes.
//!
//! `KILL_ROUNDS` says how often, `KILL_SEED` repeats a run.

mod journal;

use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use journal::{Journal, check};
use tempfile::TempDir;

use crate::harness::process::{Dice, Program};

/// Clients at once.
const CLIENTS: u64 = 6;

/// Small, so that checkpoints and merges happen all the time.
const LOG_LIMIT: &str = "64KiB";

/// When a round ends.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// When this many puts were acknowledged in it.
    Acknowledged(u64),
    /// When the log says this for the given time in the round.
    Said(&'static str, u64),
    /// In the orderly end, when the log says this.
    Ending(&'static str),
}

/// A setting of the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    }
}

struct Rounds {
    directory: TempDir,
    durability: &'static str,
    dice: Dice,
    journals: Vec<Journal>,
}

impl Rounds {
    fn launch(&self) -> Program {
        Program::launch([
            "--data-dir",
            self.directory.path().to_str().unwrap(),
            "--durability",
            self.durability,
            "--log-limit",
            LOG_LIMIT,
        ])
    }

    fn moment(&mut self, round: u64) -> Moment {
        match round % 5 {
            0 | 3 => Moment::Acknowledged(1 + self.dice.below(30_000)),
            1 => Moment::Said(" merging", 1 + self.dice.below(3)),
            2 => Moment::Said(" checkpoint: ", 1 + self.dice.below(6)),
            _ => Moment::Ending(["disconnected", "checkpoint: "][self.pick(2)]),
        }
    }

    fn pick(&mut self, end: u64) -> usize {
        usize::try_from(self.dice.below(end)).unwrap()
    }

    /// Puts from all clients until the server is killed at `moment`.
    fn load_and_kill(&mut self, mut program: Program, moment: Moment) {
        let port = program.port();
        let (progress, acknowledged) = mpsc::channel();
        std::thread::scope(|scope| {
            for journal in &mut self.journals {
                let progress = progress.clone();
                scope.spawn(move || journal.put_until_it_ends(port, &progress));
            }
            drop(progress);
            wait(&mut program, &acknowledged, moment);
            program.kill();
        });
    }

    /// Starts the server and kills it in the middle of its recovery, as its log goes on; answers
    /// how many lines there were.
    fn kill_in_recovery(&mut self) -> usize {
        let lines = 1 + self.pick(5);
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
        for _ in 0..self.pick(3) {
            let lines = self.kill_in_recovery();
            println!("round {round}: killed in the recovery after {lines} lines");
        }
        let mut program = self.launch();
        program.listen();
        check(&program.ask("get *\n"), &mut self.journals);
        let moment = self.moment(round);
        self.load_and_kill(program, moment);
        let (sent, acknowledged) = self
            .journals
            .iter()
            .map(Journal::so_far)
            .fold((0, 0), |(sent, acknowledged), one| (sent + one.0, acknowledged + one.1));
        println!("round {round}: killed at {moment:?}, {acknowledged} of {sent} acknowledged");
    }
}

fn wait(program: &mut Program, acknowledged: &Receiver<u64>, moment: Moment) {
    match moment {
        Moment::Acknowledged(wanted) => {
            let mut all = 0;
            while all < wanted {
                all += count(program, acknowledged);
            }
        }
        Moment::Said(text, times) => {
            for _ in 0..times {
                program.wait_for(text);
            }
        }
        Moment::Ending(text) => {
            let mut all = 0;
            while all < 1000 {
                all += count(program, acknowledged);
            }
            program.signal("-TERM");
            program.wait_for("shutting down");
            program.wait_for(text);
        }
    }
}

fn count(program: &mut Program, acknowledged: &Receiver<u64>) -> u64 {
    let more = acknowledged.recv();
    more.unwrap_or_else(|_| panic!("all clients have ended: {}", program.epitaph()))
}

fn parts_and_logs(directory: &Path) -> (usize, usize) {
    let names = crate::harness::files::names(directory);
    let count = |begin: &str| names.iter().filter(|name| name.starts_with(begin)).count();
    (count("part-"), count("log-"))
}

fn survives(durability: &'static str) {
    let rounds = setting("KILL_ROUNDS", 5);
    let seed = setting("KILL_SEED", u64::from(std::process::id()));
    println!("--durability {durability}, KILL_ROUNDS={rounds} KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let journals =
        (0..CLIENTS).map(|client| Journal::new(client, CLIENTS, dice.below(u64::MAX))).collect();
    let mut rounds_of =
        Rounds { directory: tempfile::tempdir().unwrap(), durability, dice, journals };
    for round in 0..rounds {
        rounds_of.round(round);
    }
    // The last kill, then an orderly end, which leaves no log and loses nothing either.
    for _ in 0..2 {
        let mut program = rounds_of.launch();
        program.listen();
        check(&program.ask("get *\n"), &mut rounds_of.journals);
        program.stop();
    }
    let (parts, logs) = parts_and_logs(rounds_of.directory.path());
    assert_eq!(logs, 0, "logs are left after an orderly end");
    assert!((1..30).contains(&parts), "{parts} parts: they are not merged");
}

#[test]
fn a_synced_ok_survives_kill_9() {
    survives("sync");
}

#[test]
fn an_interval_ok_survives_kill_9() {
    survives("interval");
}
