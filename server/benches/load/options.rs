//! What was typed after `--`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::series::SERIES;

/// The text of `--help`.
pub const HELP: &str = "\
Load benchmark: the release server and its peers, over TCP, on this machine.

  cargo bench -p server --bench load -- [options]

  --quick          2 million points and short runs, to see that all works
  --points N       points of the main run (20000000); rounded to whole seconds of all series
  --only PARTS     some of put,get,restart,follow,peers (all), for which the main run always takes
                   place; or query, the processor time of queries; or start, that of a start with a
                   million series; or beside, single puts beside readers
  --mode MODE      sync or interval (both, where the server knows --durability)
  --peers NAMES    some of redis,victoria-metrics,influxdb (all that are on the PATH)
  --server OPTIONS more options for our server, such as '--log-limit 2048'
  --dir DIR        where the throw-away data goes (the build's own directory); a memory file
                   system there makes syncs free and the figures worthless
  --help           this text";

/// A checked command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// Points of each series in the main run.
    pub seconds: u64,
    /// How long the runs that are not pipelined last.
    pub brief: Duration,
    /// How long a peer may take over the main run.
    pub patience: Duration,
    /// Only this `--durability`.
    pub mode: Option<String>,
    /// More options for our server.
    pub server: Vec<String>,
    /// Where the data goes.
    pub dir: PathBuf,
    parts: Option<Vec<String>>,
    peers: Option<Vec<String>>,
}

const PARTS: [&str; 8] = ["put", "get", "restart", "follow", "peers", "query", "start", "beside"];
const PEERS: [&str; 3] = ["redis", "victoria-metrics", "influxdb"];

impl Options {
    /// Reads the command line; `None` when there is nothing to run.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self {
            seconds: 20_000_000 / SERIES as u64,
            brief: Duration::from_secs(4),
            patience: Duration::from_secs(60),
            mode: None,
            server: Vec::new(),
            dir: env!("CARGO_TARGET_TMPDIR").into(),
            parts: None,
            peers: None,
        };
        let mut asked_for = false;
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} what?"));
            match argument.as_str() {
                // Only `cargo bench` says this; `cargo test --benches` must not start a load.
                "--bench" => asked_for = true,
                "--test" | "--list" => return Ok(None),
                "--help" | "-h" => {
                    println!("{HELP}");
                    return Ok(None);
                }
                "--quick" => {
                    options.seconds = 2_000_000 / SERIES as u64;
                    options.brief = Duration::from_secs(1);
                    options.patience = Duration::from_secs(10);
                }
                "--points" => {
                    let points: u64 = value()?.replace('_', "").parse()?;
                    options.seconds = points.div_ceil(SERIES as u64);
                    ensure!(points > 0, "at least one point");
                }
                "--only" => options.parts = Some(list(&value()?, &PARTS)?),
                "--peers" => options.peers = Some(list(&value()?, &PEERS)?),
                "--mode" => options.mode = Some(value()?),
                "--server" => {
                    options.server = value()?.split_whitespace().map(str::to_owned).collect();
                }
                "--dir" => options.dir = value()?.into(),
                _ => bail!("{argument} is not known; see --help"),
            }
        }
        if !asked_for {
            println!("nothing measured: run it with cargo bench");
        }
        Ok(asked_for.then_some(options))
    }

    /// Points of the main run.
    pub fn points(&self) -> u64 {
        self.seconds * SERIES as u64
    }

    /// Whether a part is to run.
    pub fn wants(&self, part: &str) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.iter().any(|one| one == part))
    }

    /// Whether a part is to run that takes the place of the main run.
    pub fn wants_instead(&self, part: &str) -> bool {
        self.parts.is_some() && self.wants(part)
    }

    /// Whether a peer is to run.
    pub fn wants_peer(&self, peer: &str) -> bool {
        self.wants("peers")
            && self.peers.as_ref().is_none_or(|peers| peers.iter().any(|one| one == peer))
    }
}

fn list(text: &str, known: &[&str]) -> Result<Vec<String>> {
    let parts: Vec<String> = text.split(',').map(str::to_owned).collect();
    for part in &parts {
        ensure!(known.contains(&part.as_str()), "{part:?} is none of {}", known.join(", "));
    }
    Ok(parts)
}
