//! The plain mode, for scripts and pipes: data lines to standard output byte for byte, everything
//! else to standard error. Knows nothing of the screen.

mod connection;
mod import;
mod import_bar;
mod input;
mod printer;
mod selection;
mod signals;
mod watch;

use std::io::{self, Write, stdout};
use std::process::ExitCode;

use shared::Glob;
use shared::client::{Batch, BatchPiece, ClientError};

use crate::cli::{Plan, RunMode};
use crate::import::source::unix_now;
use crate::metrics::alerts::Alerts;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::request::plausible::{NO_GLOBS, suspicious_timestamp};
use crate::request::selector::{needs_extension, selector_of};
use crate::text::escape::escape_untrusted;
use crate::text::number::plural;
use connection::connect;
use printer::Printer;

/// Characters of a refused line that are shown.
const SHOWN: usize = 80;

/// The exit code when a request was refused, or an alert had nothing to judge.
const REFUSED: u8 = 1;

/// The exit code when an alert has fired.
const ALERTED: u8 = 4;

/// How a run ended, other than well.
#[derive(Debug)]
enum Failure {
    /// The server answered with an error; it is reported already.
    Refused,
    /// What was asked for is no request; it is reported already.
    Usage,
    /// No connection, or it was lost; the sentence is for a person.
    Connection(String),
    /// An alert has fired; it is reported already.
    Alerted,
    /// An alert had no data to evaluate; it is reported already.
    NoData,
    /// It was told to end, which has this exit code; what was done is reported already.
    Interrupted(u8),
    /// Standard input or output failed.
    Local(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Local(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Connection(error.to_string())
    }
}

/// Does what the command line asks for, and gives the exit code that `--help` documents.
pub async fn run(plan: Plan) -> ExitCode {
    let mut out = Printer::new(plan.format, &plan.table.columns, stdout().lock());
    let outcome = match &plan.mode {
        RunMode::Request(line) => request(&plan, line, &mut out).await,
        RunMode::Input => import::run(&plan, tokio::io::stdin(), &mut out).await,
        RunMode::Watch(keys) => watch::run(&plan, keys, &mut out).await,
        RunMode::Once(keys) => selection::run(&plan, keys, &mut out).await,
        RunMode::Print(text) => stdout().write_all(text).map_err(Failure::Local),
        RunMode::Screen(_) => Ok(()),
    };
    // What came before a failure is as good as before.
    let flushed = out.flush();
    let outcome = outcome.and_then(|()| Ok(flushed?));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused | Failure::NoData) => ExitCode::from(REFUSED),
        Err(Failure::Usage) => ExitCode::from(2),
        Err(Failure::Alerted) => ExitCode::from(ALERTED),
        Err(Failure::Interrupted(code)) => ExitCode::from(code),
        // Whoever read our output has enough of it.
        Err(Failure::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Local(error)) => {
            warn(&error.to_string());
            ExitCode::from(1)
        }
        Err(Failure::Connection(reason)) => {
            warn(&reason);
            ExitCode::from(3)
        }
    }
}

/// Sends the one request of the command line.
async fn request(plan: &Plan, line: &str, out: &mut Printer<impl Write>) -> Result<(), Failure> {
    let line = wire_line(line.as_bytes(), unix_now());
    let mut batch = Batch::default();
    if batch.push(&line.bytes).is_err() {
        warn("a request is one line that is not empty, such as: get palm.cpu");
        return Err(Failure::Usage);
    }
    let connection = connect(plan).await?;
    out.begin()?;
    let mut replies = connection.send_batch(batch).await?;
    let (mut refused, mut empty) = (false, true);
    while let Some(piece) = replies.next().await? {
        match piece {
            BatchPiece::Data { lines, .. } => {
                empty = false;
                out.data(&lines)?;
            }
            BatchPiece::Refused(refusal) => {
                refused = true;
                warn(&format!(
                    "{}: {}",
                    explain(&refusal.reason, &line.bytes),
                    quoted(&line.bytes)
                ));
            }
        }
    }
    if refused {
        return Err(Failure::Refused);
    }
    if let (true, Some(selector)) = (empty, selector_of(&line.bytes)) {
        let mut hint = String::new();
        if needs_extension(selector) && selector.parse::<Glob>().is_ok() {
            hint = format!("; {NO_GLOBS}, but --once does");
        }
        warn(&format!("no points for {selector}{hint}"));
    }
    if let Some(time) = line.given
        && let Some(what) = suspicious_timestamp(time, unix_now())
    {
        warn(&format!("timestamp {time}: {what}? It is stored as seconds"));
    }
    if let Some(time) = line.filled {
        warn(&format!("stored with the current time, {time}"));
    }
    Ok(())
}

/// What is said of data lines that are no points.
fn malformed_lines(count: u64) -> String {
    format!("no points, and left out: {}", plural(count, "line", "lines"))
}

/// The server's reason, and ours where we know better what is wrong with the line.
fn explain(reason: &str, line: &[u8]) -> String {
    let reason = escape_untrusted(reason.as_bytes());
    match explain::explain(line) {
        Some(why) => format!("{reason}: {why}"),
        None => reason.into(),
    }
}

/// A line as a person is shown it.
fn quoted(line: &[u8]) -> String {
    explain::quoted(line, SHOWN)
}

/// How a run with alerts ends that has nothing else to report.
fn verdict(alerts: &Alerts) -> Result<(), Failure> {
    if alerts.fired() {
        return Err(Failure::Alerted);
    }
    let mut outcome = Ok(());
    for alert in alerts.without_data() {
        warn(&format!("no data: {alert}"));
        outcome = Err(Failure::NoData);
    }
    outcome
}

/// Says something to a person.
fn warn(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "tui-client: {text}");
}
