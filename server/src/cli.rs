//! What was typed.

mod age;
pub mod manual;
mod patience;

use std::num::{IntErrorKind, ParseIntError};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use shared::DEFAULT_HOST;
use shared::host::Host;

use patience::Patience;

/// A metrics server: takes numbers over a plain-text TCP protocol and never loses one.
#[derive(Debug, Clone, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "a field for each option")]
#[command(version, args_override_self = true, long_version = shared::BUILD, after_help = AFTER_HELP)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Name or address to listen on; localhost means both IPv4 and IPv6. The port may stand behind
    /// it, as in 127.0.0.1:10001.
    #[arg(long, default_value = DEFAULT_HOST)]
    pub host: Host,

    /// Port to listen on; 0 picks a free one, which the log names [default: 10001].
    #[arg(long, value_parser = port)]
    pub port: Option<u16>,

    /// Listen on addresses that other machines reach although not every client has to show a
    /// certificate (see --tls-client-ca): all data can be read and written from there.
    #[arg(long)]
    pub insecure_public: bool,

    /// Speak TLS, with the certificate in FILE (PEM; those between it and its CA behind it). SIGHUP
    /// loads all files of TLS again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The key of that certificate (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Serve only clients that show a certificate of one of the CAs in FILE (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,

    /// Certificates of clients that were revoked: a list of each CA of clients (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_client_ca")]
    pub tls_crl: Option<PathBuf>,

    /// Let a client put and delete only keys that are the name in its certificate up to their first
    /// dot: palm and palm.cpu for palm. The name is the first DNS name, else the common name, in lower
    /// case. Such a del takes no globs; reading is not limited.
    #[arg(long, requires = "tls_client_ca")]
    pub limit_by_certificate: bool,

    /// Data directory; created if missing.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "./metrics-data",
        conflicts_with = "ephemeral"
    )]
    pub data_dir: PathBuf,

    /// What ok to a put means: synced to disk, or handed to the operating system and synced every
    /// second.
    #[arg(long, value_enum, default_value_t = DurabilityChoice::Sync)]
    pub durability: DurabilityChoice,

    /// Hide points older than this at once, and delete them after an hour of running time: a number
    /// and s, min, h, d, w or y, such as 30d, 12h or 90min [default: keep forever].
    #[arg(long, value_name = "AGE", value_parser = age::parse)]
    pub retention: Option<Duration>,

    /// Let clients delete points: del palm.cpu, del 'palm.*[:1150864247]'.
    #[arg(long)]
    pub allow_delete: bool,

    /// Refuse points that lie further ahead of this machine's clock, such as 1d [default: take all].
    #[arg(long, value_name = "SPAN", value_parser = age::parse)]
    pub max_ahead: Option<Duration>,

    /// Keep the data in a temporary directory that is removed at exit.
    #[arg(long)]
    pub ephemeral: bool,

    /// Most series, counting those that have points; a put of a new one beyond is refused [default: as
    /// many as half of --max-memory has room for, 262144 in 512MiB].
    #[arg(long, value_name = "NUMBER", value_parser = some::<u32>)]
    pub max_series: Option<u32>,

    /// Memory that the defaults of the other limits share, such as 512MiB or 4GiB, or none for no
    /// limit. A plain number is in MiB, and there have to be 32MiB [default: the least of the limit of
    /// the control group, ulimit -v and the memory of the machine].
    #[arg(long, value_name = "SIZE|none", value_parser = max_memory)]
    pub max_memory: Option<MaxMemory>,

    /// Log size, such as 64MiB or 512KiB, at which the points in memory are written to a compressed
    /// part, not counting the names of series in it. Memory use is at most about three times this,
    /// and a restart reads little more than this and those names. A plain number is in MiB. From
    /// 64KiB to 64GiB, or to 512MiB on 32-bit machines [default: 64MiB, or a 32nd of --max-memory].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub log_limit: Option<u64>,

    /// Size of the newest points that are kept in memory for clients that follow, all together; one
    /// that falls behind them is cut off. A plain number is in MiB. From 64KiB to 64GiB, or to 512MiB
    /// on 32-bit machines [default: 32MiB, or a 32nd of --max-memory].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub follow_buffer: Option<u64>,

    /// Connections at once; one more is told so and ended [default: 16384, or as many as there are
    /// open files for].
    #[arg(long, value_name = "NUMBER", value_parser = some::<u64>)]
    pub max_connections: Option<u64>,

    /// End a connection on which the handshake of TLS takes so long.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub handshake_timeout: Patience,

    /// End a connection on which a line stands half sent for so long: a number and s, min or h, or
    /// none.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub line_timeout: Patience,

    /// End a connection whose client takes nothing of a reply for so long, as nc does whose output a
    /// person reads in a pager; tui-client reads on.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub stall_timeout: Patience,

    /// End a connection on which nothing is asked for so long. A client that follows is asking.
    #[arg(long, value_name = "TIME", default_value = "none")]
    pub idle_timeout: Patience,

    /// When a write or sync of the log has failed: refuse puts until the next start and answer gets,
    /// or stop, for a supervisor that starts the server again. The exit code is 1 in both.
    #[arg(long, value_enum, default_value_t = OnDiskFailure::Refuse)]
    pub on_disk_failure: OnDiskFailure,

    /// Log level, on standard error; debug shows each connection and request.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// Print the completions for a shell and exit.
    #[arg(long, value_name = "SHELL")]
    pub completions: Option<Shell>,

    /// Print the manual page and exit.
    #[arg(long)]
    pub man: bool,
}

impl Cli {
    /// Reads the command line of the program.
    ///
    /// # Errors
    /// For `--help`, `--version` and mistakes, ready to be printed.
    pub fn try_read() -> Result<Self, clap::Error> {
        let cli = Self::try_parse()?;
        match cli.host.port(cli.port) {
            Ok(_) => Ok(cli),
            Err(why) => Err(Self::command().error(ErrorKind::ArgumentConflict, why)),
        }
    }
}

/// What to do with a data directory. Only a backup may be made while a server uses it.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Read every byte of a data directory, change nothing, and say what is damaged: exit code 0 when it
    /// is sound, 1 when it is not.
    Check {
        /// The data directory.
        dir: PathBuf,
    },
    /// Give up what is damaged in a data directory, and say what is gone: damaged files are kept under
    /// names that begin with damaged-, and every get is answered again.
    Repair {
        /// The data directory.
        dir: PathBuf,
    },
    /// Copy a data directory, also while its server runs on this machine, as the user of that server: all
    /// that was acknowledged before is in the copy. Files are linked where that is possible; what a copy
    /// from before has already is left, and what it has too many is removed. A newer copy, one of another
    /// data directory, or a sound one where files are damaged stays as it is. To restore it, start a server
    /// on a copy of it.
    Backup {
        /// The data directory.
        dir: PathBuf,
        /// The directory for the copy; created if missing, otherwise empty or a backup.
        target: PathBuf,
    },
}

/// How much memory the server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxMemory {
    /// So many bytes.
    Bytes(u64),
    /// Any amount.
    Unlimited,
}

/// Less leaves no room for anything but the program.
const MIN_MEMORY: u64 = 32 << 20;

/// Reads a port to listen on.
fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "a port is a number from 0 to 65535, and 0 picks a free one".to_owned())
}

/// Reads a number of things that is not 0.
fn some<N: FromStr<Err = ParseIntError> + Default + PartialEq>(text: &str) -> Result<N, String> {
    let most = u64::MAX >> (u64::BITS as usize - 8 * size_of::<N>());
    match text.parse() {
        Ok(number) if number != N::default() => Ok(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            Err(format!("must be at most {most}"))
        }
        _ => Err("expected a whole number from 1 on, without separators".to_owned()),
    }
}

/// Reads a size of memory.
fn max_memory(text: &str) -> Result<MaxMemory, String> {
    if text == "none" {
        return Ok(MaxMemory::Unlimited);
    }
    let bytes = bytes(text)?.filter(|&bytes| bytes >= MIN_MEMORY);
    bytes.map(MaxMemory::Bytes).ok_or_else(|| "must be 32MiB or more, or none".to_owned())
}

/// Reads a size in bytes that a limit may have.
fn size(text: &str) -> Result<u64, String> {
    let size = bytes(text)?.filter(|size| SIZES.contains(size));
    size.ok_or_else(|| format!("must be between 64KiB and {MAX_SIZE_TEXT}"))
}

/// Reads a size in bytes; `None` when it does not fit 64 bits.
fn bytes(text: &str) -> Result<Option<u64>, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "KiB" => 10,
        "MiB" | "" => 20,
        "GiB" => 30,
        _ => return Err("expected a number and KiB, MiB or GiB".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a whole number and KiB, MiB or GiB")?;
    Ok(number.checked_mul(1 << shift))
}

/// A larger limit of the log means a restart of many minutes. Memory is three times this at the most, so 32
/// bits have room for less.
const MAX_SIZE: u64 = if cfg!(target_pointer_width = "64") { 64 << 30 } else { 512 << 20 };

const MAX_SIZE_TEXT: &str =
    if cfg!(target_pointer_width = "64") { "64GiB" } else { "512MiB on this 32-bit machine" };

/// A smaller limit of the log means a checkpoint for every batch, a smaller buffer no place for one.
const SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=MAX_SIZE;

const AFTER_HELP: &str = "\
Try it:
  server &
  printf 'put palm.cpu 23.7 1150864247\\nget *\\n' | nc -N localhost 10001

On Windows: server in one window, tui-client in another.

On Ctrl-C or SIGTERM (on Windows also on Ctrl-Break and when its window is closed) it stops \
accepting, answers the requests in flight and exits; a second one ends it at once. If it was started \
in a terminal, closing that stops it, too; any other SIGHUP loads the files of TLS again, or keeps the \
old ones and logs why. At log-off and shutdown Windows may end it like a kill. None of it loses what was \
acknowledged.

Exit codes: 0 stopped in this way, 1 failed to start or to run (a disk that failed, among others), or \
ended at once, 2 wrong usage. Of check and repair: 0 sound, or repaired; 1 damaged, or failed. Of \
backup: 0 made, 1 not made, or made and its report could not be printed, 3 made of damaged files.";

/// What `ok` to a put means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DurabilityChoice {
    /// Synced to disk: survives kill -9 and a power cut.
    Sync,
    /// Handed to the operating system: survives kill -9; a power cut may take the last second.
    Interval,
}

/// What happens when a write or sync of the log has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnDiskFailure {
    /// Puts are refused; reads go on.
    Refuse,
    /// The server ends.
    Stop,
}

/// The most detailed messages that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Errors.
    Error,
    /// Errors and warnings.
    Warn,
    /// Also start, stop and a summary each minute.
    Info,
    /// Also each connection and request.
    Debug,
    /// Everything.
    Trace,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use server::store::local::LocalConfig;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_leave_the_options_as_they_are() {
        let check = Cli::try_parse_from(["server", "check", "data"]).unwrap();
        assert_eq!(check.command, Some(Command::Check { dir: "data".into() }));
        let cli = Cli::try_parse_from(["server", "--data-dir", "check"]).unwrap();
        assert_eq!((cli.data_dir, cli.command), (PathBuf::from("check"), None));
        let backup = Cli::try_parse_from(["server", "backup", "data", "copy"]).unwrap();
        let (dir, target) = ("data".into(), "copy".into());
        assert_eq!(backup.command, Some(Command::Backup { dir, target }));
        let no_target = &["server", "backup", "data"];
        for wrong in [&["server", "check"][..], &["server", "mend", "data"], no_target] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_last_of_an_option_counts() {
        let args = ["server", "--port", "1", "--data-dir", "a", "--port=2", "--data-dir=b"];
        let cli = Cli::try_parse_from(args).unwrap();
        assert_eq!((cli.port, cli.data_dir), (Some(2), PathBuf::from("b")));
    }

    #[test]
    fn numbers_that_are_none_are_told_in_words() {
        for (option, wrong, said) in [
            ("--port", "abc", "a port is a number from 0 to 65535"),
            ("--port", "70000", "a port is a number from 0 to 65535"),
            ("--max-series", "1e6", "a whole number from 1 on"),
            ("--max-series", "0", "a whole number from 1 on"),
            ("--max-connections", "", "a whole number from 1 on"),
        ] {
            let refused = Cli::try_parse_from(["server", option, wrong]).unwrap_err().to_string();
            assert!(refused.contains(said), "{option} {wrong}: {refused}");
        }
    }

    #[test]
    fn sizes_have_units() {
        let defaults = LocalConfig::default();
        assert_eq!(size("64MiB"), Ok(defaults.log_limit));
        assert_eq!(size("32MiB"), Ok(defaults.follow_buffer as u64));
        assert_eq!(max_memory("512MiB"), Ok(MaxMemory::Bytes(512 << 20)));
        assert_eq!(max_memory("2048GiB"), Ok(MaxMemory::Bytes(2 << 40)));
        assert_eq!(max_memory("none"), Ok(MaxMemory::Unlimited));
        for wrong in ["31MiB", "None", "0", "99999999999GiB"] {
            assert!(max_memory(wrong).is_err(), "{wrong}");
        }
        for (text, bytes) in
            [("64KiB", 64 << 10), ("1", 1 << 20), ("2MiB", 2 << 20), ("512MiB", 512 << 20)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, bytes) in [("513MiB", 513 << 20), ("4GiB", 4 << 30), ("64GiB", 64 << 30)] {
            let expected = if cfg!(target_pointer_width = "64") {
                Ok(bytes)
            } else {
                Err("must be between 64KiB and 512MiB on this 32-bit machine".to_owned())
            };
            assert_eq!(size(text), expected, "{text}");
        }
        for wrong in ["", "MiB", "63KiB", "65GiB", "1.5MiB", "-1", "1MB", "1 MiB", "99999999999GiB"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
