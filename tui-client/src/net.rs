//! The network: requests in, messages out. Large replies are folded here, next to the socket.

mod import;
pub mod socket;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::Client;
use shared::client::{ClientError, ReplyPiece, ReplyStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::app::prompt::paste::ImportNews;
use crate::effect::{NetworkOrder, Outgoing};
use crate::event::Event;
use crate::metrics::reply::{Reply, ReplyBuilder};
use crate::text::escape::escape_untrusted_lines;
use socket::Lifeline;

/// Requests that may wait for their replies on one connection.
const IN_FLIGHT: usize = 1024;

/// How often a large reply says how far it has come.
const PROGRESS: Duration = Duration::from_millis(200);

/// Serves until there are no more orders or nobody takes the messages.
pub async fn run(
    host: String,
    port: u16,
    patience: Duration,
    mut orders: mpsc::Receiver<NetworkOrder>,
    msgs: mpsc::Sender<Event>,
) {
    while let Some(order) = orders.recv().await {
        let msg = match order {
            NetworkOrder::Connect => match socket::connect(&host, port).await {
                Ok((client, lifeline)) => {
                    if msgs.send(Event::Connected).await.is_err() {
                        return;
                    }
                    let wire = Wire { lifeline, patience, msgs: msgs.clone() };
                    match serve(client, wire, &mut orders).await {
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
        if msgs.send(msg).await.is_err() {
            return;
        }
    }
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

/// What the tasks of one connection need besides its client.
#[derive(Clone)]
struct Wire {
    lifeline: Lifeline,
    /// Without a sign of a reply that is due for so long, the connection is given up.
    patience: Duration,
    msgs: mpsc::Sender<Event>,
}

/// Serves one connection until it ends, which gives the reason, or there are no more orders.
async fn serve(
    client: Client,
    wire: Wire,
    orders: &mut mpsc::Receiver<NetworkOrder>,
) -> Option<String> {
    let (queue, awaited) = mpsc::channel(IN_FLIGHT);
    // In a task of its own, so that replies are taken while a request waits to be written.
    let mut reading = tokio::spawn(read_replies(awaited, wire.clone()));
    let mut importing = Importing::default();
    let reason = loop {
        tokio::select! {
            ended = &mut reading => break ended.unwrap_or(None),
            () = client.closed() => {
                drop(queue);
                break reading.await.unwrap_or(None);
            }
            order = orders.recv() => {
                let Some(order) = order else {
                    reading.abort();
                    return None;
                };
                let request = match order {
                    NetworkOrder::Send(request) => request,
                    NetworkOrder::Import { id, text } => {
                        importing.begin(client.clone(), wire.clone(), id, text);
                        continue;
                    }
                    NetworkOrder::StopImport => {
                        importing.stop();
                        continue;
                    }
                    NetworkOrder::Connect => continue,
                };
                let sent = Instant::now();
                let (id, stream) = (request.id, client.send(request.line.as_bytes()).await);
                let unsent = match stream {
                    Ok(stream) => queue.try_send(Awaited { request, sent, stream }).is_err(),
                    // The end of the connection has its own message.
                    Err(ClientError::Closed) => continue,
                    Err(_) => true,
                };
                if unsent && wire.msgs.send(Event::NotSent { id }).await.is_err() {
                    return None;
                }
            }
        }
    };
    // It tells how far it came before the end of the connection is told.
    importing.finish().await;
    let stalled = wire.lifeline.stalled().map(|stalled| stalled.to_string());
    stalled.or(reason).or_else(|| Some(reason_of(&ClientError::Closed)))
}

/// An import under way; it goes no further when this goes out of scope.
#[derive(Default)]
struct Importing {
    task: Option<JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
}

impl Importing {
    fn begin(&mut self, client: Client, wire: Wire, id: u64, text: Arc<str>) {
        self.abort();
        let (stop, stopped) = oneshot::channel();
        self.task = Some(tokio::spawn(import::run(client, wire, id, text, stopped)));
        self.stop = Some(stop);
    }

    /// Sends no more; it tells by itself how far it came.
    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have come to its end.
            let _ = stop.send(());
        }
    }

    fn abort(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Waits for its end.
    async fn finish(mut self) {
        if let Some(task) = &mut self.task {
            // It tells by itself how it ended.
            let _ = task.await;
        }
    }
}

impl Drop for Importing {
    fn drop(&mut self) {
        self.abort();
    }
}

fn reason_of(error: &ClientError) -> String {
    match error {
        ClientError::Closed => "the server closed the connection".to_owned(),
        other => other.to_string(),
    }
}

/// Takes replies in order; ends with the first one that fails, and gives the reason.
async fn read_replies(mut awaited: mpsc::Receiver<Awaited>, wire: Wire) -> Option<String> {
    while let Some(next) = awaited.recv().await {
        match read_reply(next, &wire).await {
            Ok(reply) => wire.msgs.send(Event::Reply(Box::new(reply))).await.ok()?,
            Err(reason) => return Some(reason),
        }
    }
    None
}

async fn read_reply(awaited: Awaited, wire: &Wire) -> Result<Reply, String> {
    let Awaited { request, sent, mut stream } = awaited;
    let (id, raw) = (request.id, request.capture.raw);
    let tell = async |msg| wire.msgs.send(msg).await.map_err(|_| "nobody listens".to_owned());
    let mut told = sent;
    let mut arriving: Option<(ReplyBuilder, Duration)> = None;
    loop {
        let piece = wire.lifeline.in_time(wire.patience, stream.next()).await;
        let piece = piece.map_err(|stalled| stalled.to_string())?;
        let Some(piece) = piece.map_err(|error| reason_of(&error))? else { break };
        match (piece, &mut arriving) {
            (ReplyPiece::Status(status), _) => {
                let builder = ReplyBuilder::new(status, request.capture);
                let builder = builder.watching(Arc::clone(&request.watched));
                arriving = Some((builder, sent.elapsed()));
                if raw {
                    tell(Event::ReplyBegins { id, status }).await?;
                }
            }
            (ReplyPiece::Data(data), Some((builder, _))) => {
                builder.add_lines(&data);
                if raw {
                    let (status, lines) = (builder.status(), escape_untrusted_lines(&data));
                    tell(Event::Lines { id, status, lines }).await?;
                }
                if told.elapsed() >= PROGRESS {
                    told = Instant::now();
                    let points = builder.points();
                    // Only news of the moment: there is no need to wait for room.
                    let _ = wire.msgs.try_send(Event::Progress { id, points });
                }
            }
            (ReplyPiece::Data(_), None) => {}
        }
    }
    let (builder, first) = arriving.ok_or_else(|| reason_of(&ClientError::Closed))?;
    Ok(builder.finish(id, first, sent.elapsed()))
}
