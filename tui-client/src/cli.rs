//! The command line: what was typed, made into a checked [`Plan`].

use std::time::Duration;

use clap::Parser;
use shared::{DEFAULT_HOST, DEFAULT_PORT, KeyBuf};

const AFTER_HELP: &str = "\
Without a REQUEST, on a terminal, the client opens its screen; press ? there for the keys.
With a REQUEST, or when input or output is a pipe or a file, it is plain: data lines go to
standard output byte for byte, everything else to standard error.

A `put` without a timestamp gets the current time. A prompt such as `> ` before a request and a
literal \\n after it are ignored. A wrong line is answered by the server, reported with its number,
and the rest goes on.

The lines entered on the screen are kept in $XDG_STATE_HOME/tui-client/history, which is
~/.local/state/tui-client/history unless that is set. Several lines pasted there are counted and
sent when Enter says so. Its log keeps the newest lines in the memory that --log-memory grants.

With --watch in a pipe, the last point of each key is printed first, then every point that is
newer, and the last one again when its value changes. A server that goes away is waited for.

Examples:
  tui-client                                   the screen, with live data
  tui-client --watch palm.cpu                  the screen, with the chart of a key
  tui-client put palm.cpu 23.7                 store a point, now
  tui-client get '*' > backup.txt              every point of every key
  tui-client < requests.txt                    one request a line, streamed
  while sleep 1; do
    echo put $(hostname).load $(cut -d' ' -f1 /proc/loadavg)
  done | tui-client                            feed a value every second
  tui-client --watch palm.cpu | tee new.txt    new points as they come

Exit codes:
  0  all is well
  1  the server answered at least one request with an error, or input or output failed
  2  the command line is wrong
  3  no connection, or it was lost before all replies had come";

/// A terminal client for the metrics server.
#[derive(Debug, Parser)]
#[command(version, about = "A terminal client for the metrics server: prompt, wire log, live table, charts", after_help = AFTER_HELP)]
struct Args {
    /// Where the server is
    #[arg(long, value_name = "HOST", default_value = DEFAULT_HOST)]
    host: String,

    /// Its port
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,

    /// Seconds between two polls, such as 0.5
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,

    /// Watch a key: value, change and a chart over time; may be repeated
    #[arg(long, value_name = "KEY", conflicts_with = "request")]
    watch: Vec<KeyBuf>,

    /// Memory for the log of the screen, in MiB; the oldest lines make room
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    log_memory: u16,

    /// A request, such as: get palm.cpu
    #[arg(value_name = "REQUEST", allow_negative_numbers = true)]
    request: Vec<String>,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 0.5".to_owned())?;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("from 0.01 seconds to 86400".to_owned())
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where the server is.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Between two polls.
    pub interval: Duration,
    /// Memory for the log, in bytes.
    pub log_memory: usize,
    /// How.
    pub mode: Mode,
}

/// How to do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The terminal UI, with these keys watched.
    Screen(Vec<KeyBuf>),
    /// Plain: one request.
    Request(String),
    /// Plain: requests from standard input.
    Input,
    /// Plain: new points of these keys.
    Watch(Vec<KeyBuf>),
}

impl Plan {
    /// Reads the command line. `interactive` says that both input and output are a terminal.
    ///
    /// # Errors
    /// For `--help`, `--version` and what is wrong, ready to be printed.
    pub fn parse<T: Into<std::ffi::OsString> + Clone>(
        args: impl IntoIterator<Item = T>,
        interactive: bool,
    ) -> Result<Self, clap::Error> {
        let args = Args::try_parse_from(args)?;
        let mode = if !args.request.is_empty() {
            Mode::Request(args.request.join(" "))
        } else if interactive {
            Mode::Screen(args.watch)
        } else if args.watch.is_empty() {
            Mode::Input
        } else {
            Mode::Watch(args.watch)
        };
        let log_memory = usize::from(args.log_memory) * 1024 * 1024;
        let Args { host, port, interval, .. } = args;
        Ok(Self { host, port, interval, log_memory, mode })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(line: &str, interactive: bool) -> Mode {
        let args = line.split(' ').filter(|word| !word.is_empty());
        Plan::parse(["tui-client"].into_iter().chain(args), interactive).unwrap().mode
    }

    #[test]
    fn the_terminal_and_the_arguments_decide_the_mode() {
        let key = || vec!["a.b".parse().unwrap()];
        assert_eq!(mode("", true), Mode::Screen(vec![]));
        assert_eq!(mode("--watch a.b", true), Mode::Screen(key()));
        assert_eq!(mode("", false), Mode::Input);
        assert_eq!(mode("--watch a.b", false), Mode::Watch(key()));
        let request = Mode::Request("put a.b -1e3 -7".to_owned());
        assert_eq!(mode("put a.b -1e3 -7", true), request);
        assert_eq!(mode("put a.b -1e3 -7 --port 9", false), request);
    }

    #[test]
    fn intervals_are_checked() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "nan", "inf", "1e9", "x", ""] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
