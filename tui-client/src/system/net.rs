//! The network: orders in, events out. Large replies are summarized here, next to the socket.

mod import;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::Client;
use shared::client::{ClientError, ConnectOptions, ReplyPiece, ReplyStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clock::unix_now;
use crate::effect::{NetworkOrder, Outgoing};
use crate::event::Event;
use crate::import::ImportNews;
use crate::metrics::reply::{Reply, ReplyBuilder};
use crate::request::selector::is_follow;
use crate::text::escape::escape_untrusted_lines;

/// Requests without a reply on one connection.
const MAX_IN_FLIGHT: usize = 1024;

/// The interval of progress events for a large reply.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Carries out orders until there are no more, or the receiver of the events is gone.
pub async fn run(
    server: ConnectOptions,
    mut orders: mpsc::Receiver<NetworkOrder>,
    events: mpsc::Sender<Event>,
) {
    while let Some(order) = orders.recv().await {
        let event = match order {
            NetworkOrder::Connect => match Client::connect(&server).await {
                Ok(client) => {
                    if events.send(Event::Connected).await.is_err() {
                        return;
                    }
                    let Some(reason) = serve(client, &events, &mut orders).await else { return };
                    Some(Event::Disconnected(reason))
                }
                Err(error) => Some(Event::Disconnected(connect_reason(&error))),
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

/// The event that answers an order which does not get to a connection.
pub fn undelivered(order: NetworkOrder) -> Option<Event> {
    match order {
        NetworkOrder::Send(request) => Some(Event::NotSent { id: request.id }),
        NetworkOrder::Import { id, .. } => Some(Event::Import(ImportNews::broken(id))),
        // Nothing is waiting for an answer.
        NetworkOrder::Connect | NetworkOrder::StopImport | NetworkOrder::EndFollow => None,
    }
}

/// A seed for [`shared::client::Reconnect`] that no other client has.
pub fn reconnect_seed() -> u64 {
    // The standard library's own source of random numbers, one for each process.
    RandomState::new().hash_one(())
}

/// Why a connection could not be made, in words.
pub fn connect_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "no server there".to_owned(),
        io::ErrorKind::TimedOut => "no answer from the host".to_owned(),
        _ => format!("cannot connect: {error}"),
    }
}

/// A request on the wire, and its reply.
struct Awaited {
    request: Outgoing,
    sent: Instant,
    stream: ReplyStream,
}

/// Serves one connection and returns the reason of its end; nothing if there are no more orders.
async fn serve(
    client: Client,
    events: &mpsc::Sender<Event>,
    orders: &mut mpsc::Receiver<NetworkOrder>,
) -> Option<String> {
    let (queue, awaited) = mpsc::channel(MAX_IN_FLIGHT);
    // In a task of its own, so that replies are read while a request waits to be written.
    let end_follow = Arc::new(Notify::new());
    let reading = read_replies(awaited, events.clone(), Arc::clone(&end_follow));
    let mut reading = tokio::spawn(reading);
    // At most one import runs; it stops when its sender is dropped.
    let (mut import, mut stop_import) = (JoinSet::new(), None);
    loop {
        let order = tokio::select! {
            _ = &mut reading => break,
            _ = client.closed() => {
                drop(queue);
                // Whole replies are taken; a panic has reported itself.
                let _ = reading.await;
                break;
            }
            order = orders.recv() => order,
        };
        match order {
            Some(NetworkOrder::Send(request)) => {
                let sent = Instant::now();
                let (id, stream) = (request.id, client.send(request.line.as_bytes()).await);
                let unsent = match stream {
                    Ok(stream) => queue.try_send(Awaited { request, sent, stream }).is_err(),
                    // The end of the connection has its own event.
                    Err(ClientError::Closed) => false,
                    Err(_) => true,
                };
                if unsent && events.send(Event::NotSent { id }).await.is_err() {
                    client.abort();
                    return None;
                }
            }
            Some(NetworkOrder::Import { id, text }) => {
                import.abort_all();
                let (sender, stopped) = oneshot::channel();
                stop_import = Some(sender);
                import.spawn(import::run(client.clone(), events.clone(), id, text, stopped));
            }
            Some(NetworkOrder::StopImport) => drop(stop_import.take()),
            Some(NetworkOrder::EndFollow) => end_follow.notify_waiters(),
            Some(NetworkOrder::Connect) => {}
            None => {
                reading.abort();
                client.abort();
                return None;
            }
        }
    }
    // Later replies are not taken, should the connection stand.
    client.abort();
    // The last news of an import comes before the end of the connection.
    while import.join_next().await.is_some() {}
    Some(match client.closed().await {
        ClientError::Closed => "the server closed the connection".to_owned(),
        other => other.to_string(),
    })
}

/// Reads replies in order; ends at the first one that fails.
async fn read_replies(
    mut awaited: mpsc::Receiver<Awaited>,
    events: mpsc::Sender<Event>,
    end_follow: Arc<Notify>,
) {
    while let Some(next) = awaited.recv().await {
        let Some(reply) = read_reply(next, &events, &end_follow).await else { return };
        if events.send(Event::Reply(Box::new(reply))).await.is_err() {
            return;
        }
    }
}

/// A whole reply, or what has come of a follow that is ended; nothing if the connection ends or the
/// receiver of the events is gone.
async fn read_reply(
    awaited: Awaited,
    events: &mpsc::Sender<Event>,
    end_follow: &Notify,
) -> Option<Reply> {
    let Awaited { request, sent, mut stream } = awaited;
    let (id, raw) = (request.id, request.capture.raw);
    let mut reported = sent;
    let mut arriving: Option<(ReplyBuilder, Duration)> = None;
    let is_follow = is_follow(&request.line);
    loop {
        let piece = tokio::select! {
            piece = stream.next() => piece.ok()?,
            () = end_follow.notified(), if is_follow && arriving.is_some() => None,
        };
        let Some(piece) = piece else { break };
        match (piece, &mut arriving) {
            (ReplyPiece::Status(status), _) => {
                let builder = ReplyBuilder::new(status, request.capture);
                let builder = builder.watching(Arc::clone(&request.watched)).at(unix_now());
                arriving = Some((builder, sent.elapsed()));
                if raw {
                    events.send(Event::ReplyBegins { id, status }).await.ok()?;
                }
            }
            (ReplyPiece::Data(data), Some((builder, _))) => {
                builder.add_lines(&data);
                if raw {
                    let (status, lines) = (builder.status(), escape_untrusted_lines(&data));
                    events.send(Event::Lines { id, status, lines }).await.ok()?;
                }
                if reported.elapsed() >= PROGRESS_INTERVAL {
                    reported = Instant::now();
                    let points = builder.points();
                    // Without waiting for room: the next progress replaces this one.
                    let _ = events.try_send(Event::Progress { id, points });
                }
            }
            (ReplyPiece::Data(_), None) => {}
        }
    }
    let (builder, first) = arriving?;
    Some(builder.finish(id, first, sent.elapsed()))
}
