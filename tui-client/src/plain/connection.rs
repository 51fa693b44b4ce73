//! A connection of the plain mode: made once, or made again whenever it is lost.

use std::time::Duration;

use shared::Client;
use shared::client::{ClientError, ReplyPiece, ReplyStream};
use shared::host::with_port;
use shared::response::Status;
use tokio::time::sleep;

use super::Failure;
use crate::app::outage::{self, News, Outage};
use crate::cli::Plan;
use crate::net::connect_reason;
use crate::net::socket::{self, Lifeline};
use crate::text::escape::escape_untrusted;

/// A connection, and for how long it is waited for what is due.
pub(super) struct Connection {
    pub client: Client,
    lifeline: Lifeline,
    patience: Duration,
}

impl Connection {
    /// Tries once.
    pub(super) async fn make(plan: &Plan) -> Result<Self, Failure> {
        Self::try_make(plan).await.map_err(|reason| {
            Failure::Connection(format!(
                "{reason}; is the server running, and are --host and --port right?"
            ))
        })
    }

    /// The same; the error says only what is wrong.
    pub(super) async fn try_make(plan: &Plan) -> Result<Self, String> {
        match socket::connect(&plan.host, plan.port).await {
            Ok((client, lifeline)) => Ok(Self { client, lifeline, patience: plan.timeout }),
            Err(error) => {
                let address = with_port(&plan.host, plan.port);
                Err(format!("{address}: {}", connect_reason(&error)))
            }
        }
    }

    /// Waits for something that the server owes, but not for ever.
    pub(super) async fn in_time<T>(
        &self,
        due: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Failure> {
        let outcome = self.lifeline.in_time(self.patience, due).await;
        let reason = match (outcome, self.lifeline.stalled()) {
            (Ok(Ok(due)), _) => return Ok(due),
            (Err(stalled), _) | (_, Some(stalled)) => stalled.to_string(),
            (Ok(Err(error)), None) => error.to_string(),
        };
        Err(Failure::Connection(reason))
    }

    /// Takes a reply to its end; the reason when it is an error.
    pub(super) async fn take_reply(
        &self,
        mut reply: ReplyStream,
        mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Option<String>, Failure> {
        let mut refused: Option<Vec<u8>> = None;
        while let Some(piece) = self.in_time(reply.next()).await? {
            match (piece, &mut refused) {
                (ReplyPiece::Status(Status::Ok), _) => {}
                (ReplyPiece::Status(Status::Error), _) => refused = Some(Vec::new()),
                (ReplyPiece::Data(data), Some(reason)) => reason.extend_from_slice(&data),
                (ReplyPiece::Data(data), None) => each(&data)?,
            }
        }
        Ok(refused.map(|reason| escape_untrusted(reason.trim_ascii_end()).into()))
    }
}

/// Makes a connection again, tells what is news of it, and paces the tries.
#[derive(Default)]
pub(super) struct Comeback(Outage);

impl Comeback {
    /// The connection was lost, or could not be made, for this reason: tries until there is one.
    pub(super) async fn from(
        &mut self,
        reason: String,
        plan: &Plan,
        warn: impl Fn(&str),
    ) -> Connection {
        let warn_of = |news: Option<News>, reason: &str| {
            if let Some(news) = news {
                warn(&outage::told(news, reason));
            }
        };
        let mut reason = reason;
        loop {
            let (wait, news) = self.0.failed();
            warn_of(news, &reason);
            sleep(wait).await;
            match Connection::try_make(plan).await {
                Ok(connection) => {
                    warn_of(self.0.connected(), "");
                    return connection;
                }
                Err(why) => reason = why,
            }
        }
    }

    /// A connection was made at once.
    pub(super) fn begin(&mut self) {
        // Nothing of it is news.
        let _ = self.0.connected();
    }

    /// The server has answered.
    pub(super) fn answered(&mut self, warn: impl Fn(&str)) {
        if let Some(news) = self.0.answered() {
            warn(&outage::told(news, ""));
        }
    }
}
