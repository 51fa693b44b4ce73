//! The plain mode, for scripts and pipes: data lines to standard output byte for byte, everything
//! else to standard error. Knows nothing of the screen.

mod format;
mod import;
mod once;
mod progress;
mod reading;
mod row;
mod watch;

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared::client::{Backoff, Batch, BatchPiece, ClientError, ReplyPiece, ReplyStream};
use shared::host::with_port;
use shared::response::Status;
use shared::{Client, Request};
use tokio::time::{sleep, timeout};

use crate::app::refusal;
use crate::cli::{Mode, Plan};
use crate::line::wire_line;
use crate::net::socket::{self, Breaker};
use crate::net::{connect_reason, stalled};
use format::Printer;

/// Characters of a refused line that are shown.
const SHOWN: usize = 80;

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
    /// A person has enough; what was done is reported already.
    Interrupted,
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
    let mut out = Printer::new(plan.format, stdout().lock());
    let outcome = match &plan.mode {
        Mode::Request(line) => request(&plan, line, &mut out).await,
        Mode::Input => input(&plan, &mut out).await,
        Mode::Watch(keys) => watch::run(&plan, keys, &mut out).await,
        Mode::Once(keys) => once::run(&plan, keys, &mut out).await,
        Mode::Print(text) => stdout().write_all(text).map_err(Failure::Local),
        Mode::Screen(_) => Ok(()),
    };
    // What came before a failure is as good as before.
    let flushed = out.flush();
    let outcome = outcome.and_then(|()| Ok(flushed?));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused) => ExitCode::from(1),
        Err(Failure::Usage) => ExitCode::from(2),
        Err(Failure::Alerted) => ExitCode::from(4),
        // As a shell says of a program that this signal has ended.
        Err(Failure::Interrupted) => ExitCode::from(130),
        // Whoever read our output has enough of it.
        Err(Failure::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Local(error)) => {
            tell(&error.to_string());
            ExitCode::from(1)
        }
        Err(Failure::Connection(reason)) => {
            tell(&reason);
            ExitCode::from(3)
        }
    }
}

/// Sends the requests of standard input.
async fn input(plan: &Plan, out: &mut Printer<impl Write>) -> Result<(), Failure> {
    let connection = match connect(plan, out).await {
        Err(Failure::Connection(reason)) if plan.retry => {
            tell(&format!("{reason} Trying again until it works"));
            let connection = reconnect(plan).await;
            tell("connected");
            out.begin()?;
            connection
        }
        outcome => outcome?,
    };
    if stdin().is_terminal() {
        tell("requests, one a line; Ctrl-D ends");
    }
    import::run(plan, connection, tokio::io::stdin(), out).await
}

/// A connection, and what ends it when it is given up.
type Connection = (Client, Breaker);

/// Connects, and begins the output.
async fn connect(plan: &Plan, out: &mut Printer<impl Write>) -> Result<Connection, Failure> {
    let connection = dial(plan).await?;
    out.begin()?;
    Ok(connection)
}

async fn dial(plan: &Plan) -> Result<Connection, Failure> {
    socket::connect(&plan.host, plan.port).await.map_err(|error| {
        let (address, reason) = (with_port(&plan.host, plan.port), connect_reason(&error));
        Failure::Connection(format!(
            "{address}: {reason}; is the server running, and are --host and --port right?"
        ))
    })
}

/// Tries until a connection stands.
async fn reconnect(plan: &Plan) -> Connection {
    let mut backoff = Backoff::default();
    loop {
        sleep(backoff.failed()).await;
        if let Ok(connection) = dial(plan).await {
            return connection;
        }
    }
}

/// Sends the one request of the command line.
async fn request(plan: &Plan, line: &str, out: &mut Printer<impl Write>) -> Result<(), Failure> {
    let line = wire_line(line.as_bytes(), unix_now());
    let mut batch = Batch::default();
    if batch.push(&line.bytes).is_err() {
        tell("a request is one line that is not empty, such as: get palm.cpu");
        return Err(Failure::Usage);
    }
    let (client, _breaker) = connect(plan, out).await?;
    let mut replies = client.send_batch(batch).await?;
    let (mut refused, mut empty) = (false, true);
    while let Some(piece) = in_time(plan.timeout, replies.next()).await? {
        match piece {
            BatchPiece::Data(data) => {
                empty = false;
                out.data(&data)?;
            }
            BatchPiece::Refused(refusal) => {
                refused = true;
                tell(&format!(
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
    if let (true, Ok(Request::Get(selector))) = (empty, Request::decode(&line.bytes)) {
        tell(&format!("no points for {selector}"));
    }
    if let Some(time) = line.filled {
        tell(&format!("stored with the current time, {time}"));
    }
    Ok(())
}

/// Waits for something that the server owes, but not for ever.
async fn in_time<T>(
    limit: Duration,
    due: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Failure> {
    match timeout(limit, due).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Failure::Connection(stalled(limit))),
    }
}

/// Takes a reply to its end; the reason when it is an error.
async fn take_reply(
    mut reply: ReplyStream,
    limit: Duration,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Option<String>, Failure> {
    let mut refused: Option<Vec<u8>> = None;
    while let Some(piece) = in_time(limit, reply.next()).await? {
        match (piece, &mut refused) {
            (ReplyPiece::Status(Status::Ok), _) => {}
            (ReplyPiece::Status(Status::Error), _) => refused = Some(Vec::new()),
            (ReplyPiece::Data(data), Some(reason)) => reason.extend_from_slice(&data),
            (ReplyPiece::Data(data), None) => each(&data)?,
        }
    }
    Ok(refused.map(|reason| String::from_utf8_lossy(&reason).trim_end().to_owned()))
}

/// The server's reason, and ours where we know better what is wrong with the line.
fn explain(reason: &str, line: &[u8]) -> String {
    match Request::decode(line) {
        Err(bad) => format!("{reason}: {bad}"),
        Ok(_) => reason.to_owned(),
    }
}

/// A line as a person is shown it.
fn quoted(line: &[u8]) -> String {
    refusal::quoted(line, SHOWN)
}

/// Says something to a person.
fn tell(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "tui-client: {text}");
}

fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
