//! The network: requests in, messages out. Large replies are folded here, next to the socket.

mod import;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::Client;
use shared::client::{ClientError, ConnectOptions, ReplyPiece, ReplyStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::effect::{NetworkOrder, Outgoing};
use crate::event::Event;
use crate::import::ImportNews;
use crate::metrics::reply::{Reply, ReplyBuilder};
use crate::text::escape::escape_untrusted_lines;

/// Requests that may wait for their replies on one connection.
const IN_FLIGHT: usize = 1024;

/// How often a large reply says how far it has come.
const PROGRESS: Duration = Duration::from_millis(200);

/// Serves until there are no more orders or nobody takes the events.
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
                    match serve(client, &events, &mut orders).await {
                        Some(reason) => Event::Disconnected(reason),
                        None => return,
                    }
                }
                Err(error) => Event::Disconnected(connect_reason(&error)),
            },
            NetworkOrder::Send(request) => Event::NotSent { id: request.id },
            NetworkOrder::Import { id, .. } => Event::Import(ImportNews::broken(id)),
            NetworkOrder::StopImport => continue,
        };
        if events.send(event).await.is_err() {
            return;
        }
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

/// Serves one connection until it ends, which gives the reason, or there are no more orders.
async fn serve(
    client: Client,
    events: &mpsc::Sender<Event>,
    orders: &mut mpsc::Receiver<NetworkOrder>,
) -> Option<String> {
    let (queue, awaited) = mpsc::channel(IN_FLIGHT);
    // In a task of its own, so that replies are taken while a request waits to be written.
    let mut reading = tokio::spawn(read_replies(awaited, events.clone()));
    // An import goes no further when this goes out of scope.
    let (mut imports, mut stop) = (JoinSet::new(), None);
    loop {
        tokio::select! {
            _ = &mut reading => break,
            _ = client.closed() => {
                drop(queue);
                // Replies that came whole are taken; a panic has its message.
                let _ = reading.await;
                break;
            }
            order = orders.recv() => {
                let Some(order) = order else {
                    reading.abort();
                    client.abort();
                    return None;
                };
                let request = match order {
                    NetworkOrder::Send(request) => request,
                    NetworkOrder::Import { id, text } => {
                        imports.abort_all();
                        let (sender, stopped) = oneshot::channel();
                        stop = Some(sender);
                        imports.spawn(import::run(client.clone(), events.clone(), id, text, stopped));
                        continue;
                    }
                    NetworkOrder::StopImport => {
                        // The import may have ended.
                        let _ = stop.take().map(|stop| stop.send(()));
                        continue;
                    }
                    NetworkOrder::Connect => continue,
                };
                let sent = Instant::now();
                let (id, stream) = (request.id, client.send(request.line.as_bytes()).await);
                let unsent = match stream {
                    Ok(stream) => queue.try_send(Awaited { request, sent, stream }).is_err(),
                    // The end of the connection has its own event.
                    Err(ClientError::Closed) => continue,
                    Err(_) => true,
                };
                if unsent && events.send(Event::NotSent { id }).await.is_err() {
                    client.abort();
                    return None;
                }
            }
        }
    }
    // Nothing that is still due is taken, should the connection stand.
    client.abort();
    // The import reports how far it came before the end of the connection is reported.
    while imports.join_next().await.is_some() {}
    Some(match client.closed().await {
        ClientError::Closed => "the server closed the connection".to_owned(),
        other => other.to_string(),
    })
}

/// Takes replies in order; ends with the first one that fails.
async fn read_replies(mut awaited: mpsc::Receiver<Awaited>, events: mpsc::Sender<Event>) {
    while let Some(next) = awaited.recv().await {
        let Some(reply) = read_reply(next, &events).await else { return };
        if events.send(Event::Reply(Box::new(reply))).await.is_err() {
            return;
        }
    }
}

/// A reply, unless the connection ends or nobody takes the events.
async fn read_reply(awaited: Awaited, events: &mpsc::Sender<Event>) -> Option<Reply> {
    let Awaited { request, sent, mut stream } = awaited;
    let (id, raw) = (request.id, request.capture.raw);
    let mut told = sent;
    let mut arriving: Option<(ReplyBuilder, Duration)> = None;
    while let Some(piece) = stream.next().await.ok()? {
        match (piece, &mut arriving) {
            (ReplyPiece::Status(status), _) => {
                let builder = ReplyBuilder::new(status, request.capture);
                let builder = builder.watching(Arc::clone(&request.watched));
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
                if told.elapsed() >= PROGRESS {
                    told = Instant::now();
                    let points = builder.points();
                    // Only news of the moment: there is no need to wait for room.
                    let _ = events.try_send(Event::Progress { id, points });
                }
            }
            (ReplyPiece::Data(_), None) => {}
        }
    }
    let (builder, first) = arriving?;
    Some(builder.finish(id, first, sent.elapsed()))
}
