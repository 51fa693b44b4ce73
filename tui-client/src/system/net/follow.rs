//! The connection that is followed: it tells puts as they are stored.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use shared::Client;
use shared::client::{ClientError, ReplyPiece, ReplyStream};
use shared::response::Status;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::end_reason;
use super::peer::Peer;
use crate::effect::NetworkOrder;
use crate::event::{Event, FollowNews};

/// Lines are gathered for so long after the first one: a collector puts many keys at once, which is
/// one change of the screen.
const GATHER_TIME: Duration = Duration::from_millis(8);

/// Lines that are handed on at once, in bytes, without more to wait for.
const MAX_GATHERED: usize = 64 * 1024;

/// Follows what is ordered, one selector at a time.
pub(super) async fn run(
    peer: Peer,
    mut orders: mpsc::Receiver<NetworkOrder>,
    events: mpsc::Sender<Event>,
) {
    let mut next = None;
    loop {
        let order = match next.take() {
            Some(order) => order,
            None => match orders.recv().await {
                Some(order) => order,
                None => return,
            },
        };
        let NetworkOrder::Follow { id, selector } = order else { continue };
        // Another order ends the connection, and with it the follow.
        let news = tokio::select! {
            news = follow(&peer, id, &selector, &events) => news,
            order = orders.recv() => match order {
                Some(order) => {
                    next = Some(order);
                    continue;
                }
                None => return,
            },
        };
        if events.send(Event::Follow { id, news }).await.is_err() {
            return;
        }
    }
}

/// Ends the connection when it is dropped, also where a follow is broken off that tells without end.
struct Followed(Client);

impl Drop for Followed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows a selector to its end, and says how it ended.
async fn follow(peer: &Peer, id: u64, selector: &str, events: &mpsc::Sender<Event>) -> FollowNews {
    let client = match peer.connect().await {
        Ok(client) => Followed(client),
        Err(reason) => return FollowNews::Lost(reason),
    };
    let told = async {
        let mut reply = client.0.send(format!("get {selector}").as_bytes()).await?;
        match reply.next().await? {
            Some(ReplyPiece::Status(Status::Ok)) => {}
            _ => return Ok(FollowNews::Refused(reason(&mut reply).await?)),
        }
        let hand_on = async |news| events.send(Event::Follow { id, news }).await.is_ok();
        if !hand_on(FollowNews::Begun).await {
            return Ok(FollowNews::Ended);
        }
        while let Some(lines) = gather(&mut reply).await? {
            if !hand_on(FollowNews::Lines(lines)).await {
                break;
            }
        }
        Ok(FollowNews::Ended)
    };
    told.await.unwrap_or_else(|error: ClientError| FollowNews::Lost(end_reason(&error)))
}

/// The lines that come together; nothing at the end of the reply.
async fn gather(reply: &mut ReplyStream) -> Result<Option<Bytes>, ClientError> {
    let first = loop {
        match reply.next().await? {
            Some(ReplyPiece::Data(data)) => break data,
            Some(ReplyPiece::Status(_)) => {}
            None => return Ok(None),
        }
    };
    let end = Instant::now() + GATHER_TIME;
    let mut gathered = BytesMut::from(first);
    while gathered.len() < MAX_GATHERED {
        tokio::select! {
            piece = reply.next() => match piece {
                Ok(Some(ReplyPiece::Data(data))) => gathered.extend_from_slice(&data),
                Ok(Some(ReplyPiece::Status(_))) => {}
                // The next call finds it again.
                Ok(None) | Err(_) => break,
            },
            () = sleep_until(end) => break,
        }
    }
    Ok(Some(gathered.freeze()))
}

/// The one line of an error reply.
async fn reason(reply: &mut ReplyStream) -> Result<String, ClientError> {
    let mut text = Vec::new();
    while let Some(piece) = reply.next().await? {
        if let ReplyPiece::Data(data) = piece {
            text.extend_from_slice(&data);
        }
    }
    Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
}
