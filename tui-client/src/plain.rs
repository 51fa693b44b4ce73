//! The plain mode, for scripts and pipes: data lines to standard output byte for byte, everything
//! else to standard error. Knows nothing of the screen.

mod alert_command;
mod around;
mod connection;
mod delete;
mod import;
mod import_bar;
mod import_report;
mod input;
mod message;
mod printer;
mod selection;
mod signals;
mod spool;
mod standard_input;
mod watch;

use std::future;
use std::io::{self, IsTerminal, LineWriter, Write};
use std::process::ExitCode;

use shared::client::{Batch, BatchPiece, ClientError, ReplyPiece};
use shared::request::{BadRequest, BadRequestReason};
use shared::response::{LOST_POINTS, Status, WRONG_COMMAND};
use shared::selector::Clause;
use shared::{Client, Glob, Request, Selector};

use crate::cli::{Plan, RunMode};
use crate::clock::unix_now;
use crate::metrics::alerts::Alerts;
use crate::metrics::reply::NO_REASON;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::request::plausible::{NO_GLOBS, suspicious_timestamp};
use crate::request::selector::{needs_extension, selector_of};
use crate::system::os::signals::output_closed;
use crate::system::os::streams::Output;
use crate::text::escape::{escape_untrusted, name_invisible, named};
use crate::text::number::plural;
use alert_command::AlertCommands;
use connection::{connect, has_points, refusal};
use message::{is_any_lost, warn};
use printer::Printer;
use spool::Spool;
use standard_input::StandardInput;

/// A selector of the extension is to this server the name of a key that is not there.
const NO_SELECTORS: &str = "this server knows no selectors";

/// Characters of a refused line that are shown.
const MAX_QUOTED: usize = 80;

/// The exit code when a request was refused, a reply had malformed lines, an alert had no data, nothing
/// was selected, or input or output failed.
const REFUSED: u8 = 1;

/// The exit code when the command line holds no request.
const USAGE: u8 = 2;

/// The exit code when there is no connection, or it was lost.
const NO_CONNECTION: u8 = 3;

/// The exit code when an alert has fired.
const ALERTED: u8 = 4;

/// How a run ended, other than well.
#[derive(Debug)]
enum Failure {
    /// With this exit code; what went wrong is reported already.
    Exit(u8),
    /// No connection, or it was lost; a sentence.
    Connection(String),
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

/// Where data goes.
enum DataOutput {
    /// A terminal shows data and messages in their order.
    Terminal(Output),
    Spooled(Spool),
}

impl DataOutput {
    fn open() -> io::Result<Self> {
        let output = Output::Data;
        let is_terminal = io::stdout().is_terminal();
        Ok(if is_terminal { Self::Terminal(output) } else { Self::Spooled(Spool::new(output)?) })
    }
}

impl Write for DataOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(output) => output.write(bytes),
            Self::Spooled(spool) => spool.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Terminal(output) => output.flush(),
            Self::Spooled(spool) => spool.flush(),
        }
    }
}

/// Comes when nothing more can be printed, which matters where nothing may be for a long time: an error
/// when the output has failed.
async fn output_ended(spool: Option<&Spool>) -> Result<(), Failure> {
    let failed = async {
        match spool {
            Some(spool) => spool.failed().await,
            None => future::pending().await,
        }
    };
    tokio::select! {
        () = output_closed() => Ok(()),
        error = failed => Err(error.into()),
    }
}

/// Does what the command line asks for, and gives the exit code that `--help` documents.
pub async fn run(plan: Plan) -> ExitCode {
    let output = match DataOutput::open() {
        Ok(output) => output,
        Err(error) => {
            warn(&format!("can't start a thread: {error}"));
            return ExitCode::from(REFUSED);
        }
    };
    let spool = match &output {
        DataOutput::Terminal(_) => None,
        DataOutput::Spooled(spool) => Some(spool.clone()),
    };
    let mut out = Printer::new(plan.format, &plan.table.columns, LineWriter::new(output));
    let outcome = match &plan.mode {
        RunMode::Request(line) => request(&plan, line, spool.as_ref(), &mut out).await,
        RunMode::Input => import::run(&plan, StandardInput::default(), &mut out).await,
        RunMode::Delete(selector) => delete::run(&plan, selector).await,
        RunMode::Watch(keys) => {
            let commands = AlertCommands::new(plan.exec.as_deref());
            watch::run(&plan, keys, commands, output_ended(spool.as_ref()), &mut out).await
        }
        RunMode::Once(keys) => {
            let mut commands = AlertCommands::new(plan.exec.as_deref());
            let outcome = selection::run(&plan, keys, &mut commands, &mut out).await;
            // What is printed does not wait for commands.
            let flushed = out.flush();
            commands.finish().await;
            outcome.and_then(|()| Ok(flushed?))
        }
        RunMode::Print(text) => Output::Data.write_all(text).map_err(Failure::Local),
        RunMode::Screen(_) | RunMode::Replay(_) => Ok(()),
    };
    // What came before a failure is as good as before.
    let flushed = out.flush();
    let finished = spool.map_or(Ok(()), |spool| spool.finish());
    let outcome = outcome.and_then(|()| Ok(flushed.and(finished)?));
    let outcome = match out.malformed() {
        0 => outcome,
        lines => {
            // The name of the server makes a key longer.
            let or = if plan.sources.is_empty() { "" } else { LONG_KEYS };
            warn(&format!("{}{or}", malformed_lines(lines)));
            outcome.and(Err(Failure::Exit(REFUSED)))
        }
    };
    match outcome {
        Ok(()) if is_any_lost() => ExitCode::from(REFUSED),
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Exit(code)) => ExitCode::from(code),
        // The reader of the output has enough of it.
        Err(Failure::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Local(error)) => {
            warn(&error.to_string());
            ExitCode::from(REFUSED)
        }
        Err(Failure::Connection(reason)) => {
            warn(&reason);
            ExitCode::from(NO_CONNECTION)
        }
    }
}

/// Sends the one request of the command line.
async fn request(
    plan: &Plan,
    line: &str,
    spool: Option<&Spool>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let line = wire_line(line.as_bytes(), unix_now());
    let mut batch = Batch::default();
    if batch.push(&line.bytes).is_err() {
        warn("a request is one line that is not empty, such as: get palm.cpu");
        return Err(Failure::Exit(USAGE));
    }
    let request = Request::decode(&line.bytes);
    // It is a mistake of the command line, whatever a server would answer: one without selectors that
    // it has no such key.
    if let Err(bad) = &request {
        return Err(mistake(&line.bytes, bad));
    }
    let connection = connect(plan).await?;
    out.begin()?;
    if let Ok(Request::Get(selector)) = request
        && matches!(selector.clause(), Some(Clause::Follow { .. }))
    {
        return tokio::select! {
            outcome = follow(&connection, selector, out) => outcome,
            ended = output_ended(spool) => ended,
        };
    }
    let pattern = match &request {
        Ok(Request::Get(selector)) if selector.clause().is_none() => Some(selector.pattern()),
        _ => None,
    };
    let mut replies = connection.send_batch(batch).await?;
    let (mut refused, mut empty, mut lost) = (false, true, None);
    while let Some(piece) = replies.next().await? {
        match piece {
            BatchPiece::Data { lines, .. } => {
                empty = false;
                out.data(&lines)?;
            }
            BatchPiece::Answered(_) => {}
            BatchPiece::Refused(refusal) => {
                refused = true;
                let reason = explain(&refusal.reason, &line.bytes);
                warn(&format!("{}: {reason}", quoted(&line.bytes)));
                lost = Some(refusal.reason).filter(|reason| reason.starts_with(LOST_POINTS));
            }
        }
    }
    if let Some((pattern, reason)) = pattern.zip(lost) {
        around::print(&connection, pattern.as_str(), &reason, out).await?;
    }
    if refused {
        return Err(Failure::Exit(REFUSED));
    }
    if let (true, Some(selector)) = (empty, selector_of(&line.bytes)) {
        let mut hint = String::new();
        if needs_extension(selector)
            && selector.parse::<Glob>().is_ok()
            && !has_points(&connection, "*[last]").await?
        {
            hint = format!("; {NO_GLOBS}, but --once does");
        }
        warn(&format!("no points for {}{hint}", named(selector)));
    }
    if let Some(name) = put_key(&line.bytes).and_then(name_invisible) {
        warn(&format!("the key holds {name}"));
    }
    if let Some(time) = line.given
        && let Some(what) = suspicious_timestamp(time, unix_now())
    {
        warn(&format!("timestamp {time}: {what}? It is stored as seconds"));
    }
    // Cron mails each line.
    if let Some(time) = line.filled
        && io::stderr().is_terminal()
    {
        warn(&format!("stored with the current time, {time}"));
    }
    Ok(())
}

/// The key of a put.
fn put_key(line: &[u8]) -> Option<&str> {
    match Request::decode(line) {
        Ok(Request::Put(key, _)) => Some(key.as_str()),
        _ => None,
    }
}

/// Tells why the request of the command line is not sent.
fn mistake(line: &[u8], bad: &BadRequest) -> Failure {
    // Several keys are often files that an unquoted glob matches.
    let hint = match bad.reason {
        BadRequestReason::Surplus if !line.trim_ascii_start().starts_with(b"put") => {
            "; a selector is one word, in a shell in quotes: 'palm.*'"
        }
        _ => "",
    };
    warn(&format!("{}{hint}", explain::error_with_place(line, bad)));
    Failure::Exit(USAGE)
}

/// Prints what a follow brings as it comes.
async fn follow(
    connection: &Client,
    selector: Selector<'_>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut reply = connection.get(selector).await?;
    let status = reply.next().await?;
    while status == Some(ReplyPiece::Status(Status::Ok))
        && let Some(piece) = reply.next().await?
    {
        if let ReplyPiece::Data(data) = piece {
            out.data(&data)?;
            out.flush()?;
        }
    }
    // A follow does not end by itself.
    let reason = refusal(reply).await?.unwrap_or_else(|| NO_SELECTORS.to_owned());
    warn(&format!("get {selector}: {reason}"));
    Err(Failure::Exit(REFUSED))
}

/// What else the malformed lines of several servers may be.
const LONG_KEYS: &str =
    ", or of keys that are longer than 1,024 bytes behind the name of their server";

/// The warning about data lines that are no points.
fn malformed_lines(count: u64) -> String {
    format!("skipped {}", plural(count, "malformed line", "malformed lines"))
}

/// The rule that the line breaks where it is known, else the server's reason.
fn explain(reason: &str, line: &[u8]) -> String {
    let said = escape_untrusted(reason.as_bytes());
    match explain::explain(line) {
        Some(why) if said.is_empty() || reason == WRONG_COMMAND => why,
        Some(why) => format!("{said}; {why}"),
        None if said.is_empty() => NO_REASON.to_owned(),
        None => said.into(),
    }
}

/// A line made safe to show, cut to [`MAX_QUOTED`] characters.
fn quoted(line: &[u8]) -> String {
    explain::quoted(line, MAX_QUOTED)
}

/// The outcome of a run with alerts that has succeeded otherwise.
fn verdict(alerts: &Alerts) -> Result<(), Failure> {
    if alerts.fired() {
        return Err(Failure::Exit(ALERTED));
    }
    let mut outcome = Ok(());
    for alert in alerts.without_data() {
        warn(&format!("no data: {alert}"));
        outcome = Err(Failure::Exit(REFUSED));
    }
    outcome
}
