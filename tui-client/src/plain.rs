//! The plain mode, for scripts and pipes: data lines to standard output byte for byte, everything
//! else to standard error. Knows nothing of the screen.

mod import;
mod watch;

use std::io::{self, Write, stdout};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::Client;
use shared::Request;
use shared::client::{Batch, BatchPiece, ClientError};

use crate::cli::{Mode, Plan};
use crate::line::wire_line;
use crate::net::connect_reason;

/// How a run ended, other than well.
#[derive(Debug)]
enum Failure {
    /// The server answered with an error; it is reported already.
    Refused,
    /// No connection, or it was lost; the sentence is for a person.
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

/// Does what the command line asks for, and gives the exit code that `--help` documents.
pub async fn run(plan: Plan) -> ExitCode {
    let mut out = stdout().lock();
    let outcome = match &plan.mode {
        Mode::Request(line) => request(&plan, line, &mut out).await,
        Mode::Input => match connect(&plan).await {
            Ok(client) => import::run(client, tokio::io::stdin(), &mut out).await,
            Err(failure) => Err(failure),
        },
        Mode::Watch(keys) => watch::run(&plan, keys, &mut out).await,
        Mode::Screen(_) => Ok(()),
    };
    let outcome = outcome.and_then(|()| Ok(out.flush()?));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused) => ExitCode::from(1),
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

async fn connect(plan: &Plan) -> Result<Client, Failure> {
    Client::connect(&plan.host, plan.port).await.map_err(|error| {
        let (host, port, reason) = (&plan.host, plan.port, connect_reason(&error));
        Failure::Connection(format!(
            "{host}:{port}: {reason}; is the server running, and are --host and --port right?"
        ))
    })
}

/// Sends the one request of the command line.
async fn request(plan: &Plan, line: &str, out: &mut impl Write) -> Result<(), Failure> {
    let line = wire_line(line.as_bytes(), unix_now());
    let mut batch = Batch::default();
    if batch.push(&line.bytes).is_err() {
        tell("a request is one line that is not empty, such as: get palm.cpu");
        return Err(Failure::Refused);
    }
    let client = connect(plan).await?;
    let mut replies = client.send_batch(batch).await?;
    let mut refused = false;
    while let Some(piece) = replies.next().await? {
        match piece {
            BatchPiece::Data(data) => out.write_all(&data)?,
            BatchPiece::Refused(refusal) => {
                refused = true;
                tell(&explain(&refusal.reason, &line.bytes));
            }
        }
    }
    if refused {
        return Err(Failure::Refused);
    }
    if let Some(time) = line.filled {
        tell(&format!("stored with the current time, {time}"));
    }
    Ok(())
}

/// The server's reason, and ours where we know better what is wrong with the line.
fn explain(reason: &str, line: &[u8]) -> String {
    match Request::decode(line) {
        Err(bad) => format!("{reason}: {bad}"),
        Ok(_) => reason.to_owned(),
    }
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
