//! A connection of the plain mode: made once, or made again whenever it is lost.

use std::sync::Arc;

use shared::client::{LinkEvent, Reconnect, ReplyPiece, ReplyStream};
use shared::host::with_port;
use shared::response::{Status, WRONG_COMMAND};
use shared::{Client, Selector};
use tokio::time::sleep;

use super::{Failure, warn};
use crate::cli::Plan;
use crate::metrics::reply::NO_REASON;
use crate::system::net::{Joined, connect_reason, reconnect_seed};
use crate::text::connection::{connect_message, link_message};
use crate::text::escape::escape_untrusted;

/// Tries once to connect.
pub(super) async fn connect(plan: &Plan) -> Result<Client, Failure> {
    if !plan.sources.is_empty() {
        return try_connect(plan).await.map_err(Failure::Connection);
    }
    Client::connect(&plan.server).await.map_err(|error| {
        let address = with_port(&plan.server.host, plan.server.port);
        Failure::Connection(connect_message(&connect_reason(&error), &address))
    })
}

/// Tries once to connect; the error says only what is wrong.
pub(super) async fn try_connect(plan: &Plan) -> Result<Client, String> {
    if !plan.sources.is_empty() {
        let joined = Arc::new(Joined::new(plan.sources.clone()));
        let client = joined.connect_to_all().await?;
        for run in joined.without_keys() {
            warn(&format!("{run}: no keys yet"));
        }
        return Ok(client);
    }
    Client::connect(&plan.server).await.map_err(|error| {
        let address = with_port(&plan.server.host, plan.server.port);
        format!("{address}: {}", connect_reason(&error))
    })
}

/// Takes a reply to its end; the reason when it is an error.
pub(super) async fn take_reply(
    mut reply: ReplyStream,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Option<String>, Failure> {
    let mut refused: Option<Vec<u8>> = None;
    while let Some(piece) = reply.next().await? {
        match (piece, &mut refused) {
            (ReplyPiece::Status(Status::Ok), _) => {}
            (ReplyPiece::Status(Status::Error), _) => refused = Some(Vec::new()),
            (ReplyPiece::Data(data), Some(reason)) => reason.extend_from_slice(&data),
            (ReplyPiece::Data(data), None) => each(&data)?,
        }
    }
    Ok(refused.map(|reason| match reason.trim_ascii_end() {
        b"" => NO_REASON.to_owned(),
        reason => escape_untrusted(reason).into(),
    }))
}

/// The reason of an error reply whose status has come; none for a command that the server does not
/// know.
pub(super) async fn refusal(mut reply: ReplyStream) -> Result<Option<String>, Failure> {
    let mut reason = Vec::new();
    while let Some(piece) = reply.next().await? {
        if let ReplyPiece::Data(data) = piece {
            reason.extend_from_slice(&data);
        }
    }
    let reason = escape_untrusted(reason.trim_ascii_end());
    Ok(Some(reason.into_string()).filter(|reason| reason != WRONG_COMMAND && !reason.is_empty()))
}

/// The server has points for a selector, so that it knows selectors if that is one of the extension.
pub(super) async fn has_points(connection: &Client, selector: &str) -> Result<bool, Failure> {
    let mut found = false;
    if let Ok(selector) = Selector::from_bytes(selector.as_bytes()) {
        take_reply(connection.get(selector).await?, |data| {
            found |= !data.is_empty();
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

/// Reconnects, reports the changes, and paces the attempts.
pub(super) struct Reconnector(Reconnect);

impl Reconnector {
    pub(super) fn new() -> Self {
        Self(Reconnect::new(reconnect_seed()))
    }

    /// The connection was lost, or could not be made, for this reason: tries until there is one.
    pub(super) async fn reconnect(
        &mut self,
        reason: String,
        plan: &Plan,
        warn: impl Fn(&str),
    ) -> Client {
        let warn_of = |news: Option<LinkEvent>, reason: &str| {
            if let Some(news) = news {
                warn(&link_message(news, reason));
            }
        };
        let mut reason = reason;
        loop {
            let (wait, news) = self.0.failed();
            warn_of(news, &reason);
            sleep(wait).await;
            match try_connect(plan).await {
                Ok(connection) => {
                    warn_of(self.0.connected(), "");
                    return connection;
                }
                Err(why) => reason = why,
            }
        }
    }

    /// A connection was made at once.
    pub(super) fn connected(&mut self) {
        // The first connection is not reported.
        let _ = self.0.connected();
    }

    /// The server has answered.
    pub(super) fn answered(&mut self, warn: impl Fn(&str)) {
        if let Some(news) = self.0.answered() {
            warn(&link_message(news, ""));
        }
    }
}
