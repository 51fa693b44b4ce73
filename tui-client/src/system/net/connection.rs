//! One connection: requests ahead of their replies, which are summarized as they arrive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::Client;
use shared::client::{ClientError, ReplyPiece, ReplyStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::peer::Peer;
use super::{end_reason, import};
use crate::effect::{NetworkOrder, Outgoing};
use crate::event::Event;
use crate::metrics::reply::{Reply, ReplyBuilder};
use crate::request::selector::is_follow;
use crate::text::escape::escape_untrusted_lines;

/// Requests without a reply on one connection.
const MAX_IN_FLIGHT: usize = 1024;

/// The interval of progress events for a large reply.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// A reply that takes so long passes its first series on before its end.
const FIRST_SERIES_AFTER: Duration = Duration::from_millis(50);

/// Requests that are not sent yet.
pub(super) type Waiting = VecDeque<Outgoing>;

/// How the service of a connection ended.
pub(super) enum End {
    /// There are no more orders, or no receiver of events.
    Finished,
    /// The connection ended without the replies to the requests with these ids.
    Ended { lost: Vec<u64>, reason: String },
}

/// A request on the wire, and its reply.
struct Awaited {
    request: Outgoing,
    sent: Instant,
    stream: ReplyStream,
}

/// Serves one connection until it ends. Requests that are `waiting` are sent as soon as they may be;
/// some may still wait at the end.
pub(super) async fn serve(
    client: Client,
    peer: &Peer,
    events: &mpsc::Sender<Event>,
    orders: &mut mpsc::Receiver<NetworkOrder>,
    waiting: &mut Waiting,
) -> End {
    let (queue, awaited) = mpsc::channel(MAX_IN_FLIGHT);
    let (answer, mut answered) = mpsc::unbounded_channel();
    let mut in_flight = VecDeque::new();
    // The request that was sent alone last, and whether the connection has answered another one.
    let (mut alone, mut has_answered) = (None, false);
    // In a task of its own, so that replies are read while a request waits to be written.
    let end_follow = Arc::new(Notify::new());
    let reading =
        read_replies(awaited, peer.clone(), events.clone(), Arc::clone(&end_follow), answer);
    let mut reading = tokio::spawn(reading);
    // At most one import runs; it stops when its sender is dropped.
    let (mut import, mut stop_import) = (JoinSet::new(), None);
    loop {
        while waiting.front().is_some_and(|next| !next.alone || in_flight.is_empty())
            && let Some(request) = waiting.pop_front()
        {
            alone = request.alone.then(|| request.clone());
            let sent = Instant::now();
            let (id, stream) = (request.id, client.send(request.line.as_bytes()).await);
            let unsent = match stream {
                Ok(stream) => {
                    in_flight.push_back(id);
                    queue.try_send(Awaited { request, sent, stream }).is_err()
                }
                // The end of the connection has its own event.
                Err(ClientError::Closed | ClientError::Refused(_)) => {
                    in_flight.push_back(id);
                    false
                }
                Err(_) => true,
            };
            if unsent {
                in_flight.retain(|&other| other != id);
                if events.send(Event::NotSent { id }).await.is_err() {
                    client.abort();
                    return End::Finished;
                }
            }
        }
        let order = tokio::select! {
            _ = &mut reading => break,
            _ = client.closed() => {
                drop(queue);
                // Whole replies are taken; a panic has reported itself.
                let _ = reading.await;
                break;
            }
            Some(id) = answered.recv() => {
                in_flight.retain(|&other| other != id);
                has_answered = true;
                continue;
            }
            order = orders.recv() => order,
        };
        match order {
            Some(NetworkOrder::Send(request)) => waiting.push_back(request),
            Some(NetworkOrder::Import { id, text }) => {
                import.abort_all();
                let (sender, stopped) = oneshot::channel();
                stop_import = Some(sender);
                import.spawn(import::run(client.clone(), events.clone(), id, text, stopped));
            }
            Some(NetworkOrder::StopImport) => drop(stop_import.take()),
            Some(NetworkOrder::EndFollow) => end_follow.notify_waiters(),
            Some(NetworkOrder::EndFeed) => {
                reading.abort();
                client.abort();
                waiting.clear();
                return End::Ended { lost: Vec::new(), reason: String::new() };
            }
            Some(NetworkOrder::Connect | NetworkOrder::Follow { .. } | NetworkOrder::Unfollow) => {}
            None => {
                reading.abort();
                client.abort();
                return End::Finished;
            }
        }
    }
    // Later replies are not taken, should the connection stand.
    client.abort();
    // The last news of an import comes before the end of the connection.
    while import.join_next().await.is_some() {}
    let reason = end_reason(&client.closed().await);
    while let Ok(id) = answered.try_recv() {
        in_flight.retain(|&other| other != id);
        has_answered = true;
    }
    // A server may close the connection after each answer, which is seen only by the next request.
    if let Some(request) = alone.filter(|alone| has_answered && in_flight.contains(&alone.id)) {
        in_flight.clear();
        waiting.push_front(request);
    }
    End::Ended { lost: in_flight.into(), reason }
}

/// Reads replies in order; ends at the first one that fails.
async fn read_replies(
    mut awaited: mpsc::Receiver<Awaited>,
    peer: Peer,
    events: mpsc::Sender<Event>,
    end_follow: Arc<Notify>,
    answered: mpsc::UnboundedSender<u64>,
) {
    while let Some(next) = awaited.recv().await {
        let Some(reply) = read_reply(next, &peer, &events, &end_follow).await else { return };
        let id = reply.id;
        if events.send(Event::Reply(Box::new(reply))).await.is_err() {
            return;
        }
        // The other end goes only with the connection.
        let _ = answered.send(id);
    }
}

/// A whole reply, or what has come of a follow that is ended; nothing if the connection ends or the
/// receiver of the events is gone.
async fn read_reply(
    awaited: Awaited,
    peer: &Peer,
    events: &mpsc::Sender<Event>,
    end_follow: &Notify,
) -> Option<Reply> {
    let Awaited { request, sent, mut stream } = awaited;
    let (id, raw) = (request.id, request.capture.raw);
    let mut reported = sent;
    let mut arriving: Option<(ReplyBuilder, Duration)> = None;
    let mut awaits_first = request.capture.first > 0;
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
                let builder = builder.watching(request.watched.clone()).at(peer.unix_now());
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
                if awaits_first
                    && sent.elapsed() >= FIRST_SERIES_AFTER
                    && let Some(answer) = builder.first()
                {
                    awaits_first = false;
                    events.send(Event::FirstSeries { id, answer: answer.into() }).await.ok()?;
                }
                if reported.elapsed() >= PROGRESS_INTERVAL {
                    reported = Instant::now();
                    let (points, bytes) = (builder.points(), builder.bytes());
                    // Without waiting for room: the next progress replaces this one.
                    let _ = events.try_send(Event::Progress { id, points, bytes });
                }
            }
            (ReplyPiece::Data(_), None) => {}
        }
    }
    let (builder, first) = arriving?;
    Some(builder.finish(id, first, sent.elapsed()))
}
