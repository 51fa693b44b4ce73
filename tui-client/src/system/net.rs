//! The network: orders in, events out. Large replies are summarized here, next to the socket.
//!
//! Three connections, each with a task: what is typed goes over one, queries for the screen over
//! another, and the third is followed. So no request waits behind the reply to one of another kind.

mod connection;
mod follow;
mod import;
mod joined;
mod peer;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

use shared::client::{ClientError, TlsFailure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::effect::NetworkOrder;
use crate::event::{Event, FollowNews};
use crate::import::ImportNews;
use crate::request::pending::Channel;
use crate::text::connection::{NO_ANSWER, NO_HOST, NO_SERVER};
use connection::{End, serve};
pub use joined::Joined;
pub use peer::Peer;

/// Orders that may wait for a connection.
const MAX_QUEUED_ORDERS: usize = 1024;

/// Carries out orders until there are no more, or the receiver of the events is gone. What is told by
/// the connection that is followed goes to `told`, so that a flood of it is in no reply's way.
pub async fn run(
    peer: impl Into<Peer>,
    mut orders: mpsc::Receiver<NetworkOrder>,
    events: mpsc::Sender<Event>,
    told: mpsc::Sender<Event>,
) {
    let peer = peer.into();
    let (prompt, prompt_orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (data, data_orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (follow, follow_orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    // They end with this one.
    let mut connections = JoinSet::new();
    if let Peer::Joined(joined) = &peer {
        connections.spawn(Arc::clone(joined).supervise(events.clone()));
    }
    connections.spawn(run_prompt(peer.clone(), prompt_orders, events.clone()));
    connections.spawn(run_data(peer.clone(), data_orders, events.clone()));
    connections.spawn(follow::run(peer, follow_orders, told));
    while let Some(order) = orders.recv().await {
        let undelivered = match order {
            NetworkOrder::EndFeed => {
                let ended = data.try_send(NetworkOrder::EndFeed);
                ended.err().or(follow.try_send(NetworkOrder::EndFeed).err())
            }
            NetworkOrder::Follow { .. } | NetworkOrder::Unfollow => follow.try_send(order).err(),
            NetworkOrder::Send(ref request) if request.channel == Channel::Data => {
                data.try_send(order).err()
            }
            order => prompt.try_send(order).err(),
        };
        if let Some(event) = undelivered.and_then(|order| self::undelivered(order.into_inner()))
            && events.send(event).await.is_err()
        {
            return;
        }
    }
}

/// The connection for what is typed, made when it is ordered.
async fn run_prompt(
    peer: Peer,
    mut orders: mpsc::Receiver<NetworkOrder>,
    events: mpsc::Sender<Event>,
) {
    while let Some(order) = orders.recv().await {
        let event = match order {
            NetworkOrder::Connect => match peer.connect_prompt().await {
                Ok(client) => {
                    if events.send(Event::Connected).await.is_err() {
                        return;
                    }
                    let mut waiting = connection::Waiting::default();
                    match serve(client, &peer, &events, &mut orders, &mut waiting).await {
                        End::Finished => return,
                        End::Ended { reason, .. } => Some(Event::Disconnected(reason)),
                    }
                }
                Err(reason) => Some(Event::Disconnected(reason)),
            },
            order => undelivered(order),
        };
        if let Some(event) = event
            && events.send(event).await.is_err()
        {
            return;
        }
    }
}

/// The connection for queries, made when there is one to send.
async fn run_data(
    peer: Peer,
    mut orders: mpsc::Receiver<NetworkOrder>,
    events: mpsc::Sender<Event>,
) {
    let mut waiting = connection::Waiting::default();
    loop {
        if waiting.is_empty() {
            match orders.recv().await {
                Some(NetworkOrder::Send(request)) => waiting.push_back(request),
                Some(_) => continue,
                None => return,
            }
        }
        let (ids, reason) = match peer.connect().await {
            Ok(client) => match serve(client, &peer, &events, &mut orders, &mut waiting).await {
                End::Finished => return,
                End::Ended { lost, reason } => (lost, reason),
            },
            Err(reason) => (waiting.drain(..).map(|request| request.id).collect(), reason),
        };
        if !ids.is_empty() && events.send(Event::DataLost { ids, reason }).await.is_err() {
            return;
        }
    }
}

/// The event that answers an order which does not get to a connection.
pub fn undelivered(order: NetworkOrder) -> Option<Event> {
    match order {
        NetworkOrder::Send(request) => Some(Event::NotSent { id: request.id }),
        NetworkOrder::Import { id, .. } => Some(Event::Import(ImportNews::broken(id))),
        NetworkOrder::Follow { id, .. } => {
            let news = FollowNews::Lost("too much is waiting".to_owned());
            Some(Event::Follow { id, news })
        }
        // Nothing is waiting for an answer.
        NetworkOrder::Connect
        | NetworkOrder::StopImport
        | NetworkOrder::EndFollow
        | NetworkOrder::Unfollow
        | NetworkOrder::EndFeed => None,
    }
}

/// A seed for [`shared::client::Reconnect`] that no other client has.
pub fn reconnect_seed() -> u64 {
    // The standard library's own source of random numbers, one for each process.
    RandomState::new().hash_one(())
}

/// No address was found for the name of the host.
fn is_lookup(error: &io::Error) -> bool {
    /// What the standard library says before the words of the system on Unix.
    const LOOKUP: &str = "failed to lookup address information";
    /// Windows has numbers for it: no such host, no data for it.
    const NUMBERS: [i32; 2] = [11_001, 11_004];
    error.to_string().starts_with(LOOKUP)
        || error.raw_os_error().is_some_and(|number| NUMBERS.contains(&number))
}

/// Why a connection could not be made, in words.
pub fn connect_reason(error: &io::Error) -> String {
    if let Some(failure) = TlsFailure::of(error) {
        return failure.to_string();
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NO_SERVER.to_owned(),
        io::ErrorKind::TimedOut => NO_ANSWER.to_owned(),
        _ if is_lookup(error) => NO_HOST.to_owned(),
        _ => format!("cannot connect: {error}"),
    }
}

/// Why a connection ended, in words.
fn end_reason(error: &ClientError) -> String {
    match error {
        ClientError::Closed => "the server closed the connection".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_an_address_is_said_as_such() {
        let unix = "failed to lookup address information: Name or service not known";
        for error in [io::Error::other(unix), io::Error::from_raw_os_error(11_001)] {
            assert_eq!(connect_reason(&error), "no such host: check --host");
        }
        let other = connect_reason(&io::Error::other("x"));
        assert_eq!(other, "cannot connect: x");
    }
}
