//! Pasted lines, streamed: large writes, a few batches under way, replies taken meanwhile, news
//! a few times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared::Client;
use shared::client::{Batch, BatchPiece, BatchStream, ClientError, Refusal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, interval_at};

use super::Wire;
use crate::app::prompt::paste::{ImportEnd, ImportNews, Pasted, TOLD};
use crate::event::Event;
use crate::request::explain;
use crate::request::normalize::wire_line;

/// A batch is full with so many bytes: small enough that a poll in between has its turn.
const BATCH: usize = 64 * 1024;

/// Batches under way.
const IN_FLIGHT: usize = 4;

/// How often there are news.
const NEWS: Duration = Duration::from_millis(100);

/// A batch on the wire.
struct Sent {
    replies: BatchStream,
    /// The same lines, to name the ones that are refused.
    batch: Batch,
    /// Their numbers.
    numbers: Vec<u64>,
}

/// Sends the lines and tells how it goes; the last news has an end.
pub(super) async fn run(
    client: Client,
    wire: Wire,
    id: u64,
    text: Arc<str>,
    stop: oneshot::Receiver<()>,
) {
    let sent = AtomicU64::new(0);
    let news = ImportNews { end: None, ..ImportNews::broken(id) };
    let teller = Teller { news, sent: &sent, told: (0, 0), msgs: wire.msgs.clone() };
    let ticks = interval_at(Instant::now() + NEWS, NEWS);
    let mut taking = Taking { teller, ticks, wire };
    let (queue, mut under_way) = mpsc::channel(IN_FLIGHT);
    let sending = send(client, &text, queue, &sent);
    let taken = async {
        while let Some(sent) = under_way.recv().await {
            taking.take(sent).await?;
        }
        Ok::<(), ClientError>(())
    };
    let end = tokio::select! {
        outcome = async { tokio::try_join!(sending, taken) } => match outcome {
            Ok(_) => ImportEnd::Whole,
            Err(_) => ImportEnd::Broken,
        },
        Ok(()) = stop => ImportEnd::Stopped,
    };
    taking.teller.end(end).await;
}

async fn send(
    client: Client,
    text: &str,
    queue: mpsc::Sender<Sent>,
    sent: &AtomicU64,
) -> Result<(), ClientError> {
    let mut lines = (1..).zip(Pasted::lines(text)).peekable();
    while lines.peek().is_some() {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
        let (mut batch, mut numbers) = (Batch::default(), Vec::new());
        while batch.size() < BATCH
            && let Some((number, line)) = lines.next()
        {
            // What is empty without its conveniences is no request.
            if batch.push(&wire_line(line.as_bytes(), now).bytes).is_ok() {
                numbers.push(number);
            }
        }
        // Room first, so that no more than the bound is ever under way.
        let Ok(room) = queue.reserve().await else { return Ok(()) };
        // What is being written may have come through when it is stopped.
        sent.fetch_add(numbers.len() as u64, Ordering::Relaxed);
        let replies = client.send_batch(batch.clone()).await?;
        room.send(Sent { replies, batch, numbers });
    }
    Ok(())
}

/// Tells how it goes.
struct Teller<'a> {
    news: ImportNews,
    sent: &'a AtomicU64,
    /// Lines answered and sent, as told last.
    told: (u64, u64),
    msgs: mpsc::Sender<Event>,
}

impl Teller<'_> {
    /// Tells what is new.
    fn tell(&mut self) {
        self.news.sent = self.sent.load(Ordering::Relaxed);
        let now = (self.news.answered, self.news.sent);
        if now != self.told && self.msgs.try_send(Event::Import(self.news.clone())).is_ok() {
            self.told = now;
            self.news.refusals.clear();
        }
    }

    async fn end(mut self, end: ImportEnd) {
        self.news.sent = self.sent.load(Ordering::Relaxed);
        self.news.end = Some(end);
        // Nobody is there to be told when this fails.
        let _ = self.msgs.send(Event::Import(self.news)).await;
    }
}

struct Taking<'a> {
    teller: Teller<'a>,
    ticks: Interval,
    wire: Wire,
}

impl Taking<'_> {
    /// Takes the replies to a batch, as far as they come.
    async fn take(&mut self, mut sent: Sent) -> Result<(), ClientError> {
        let before = self.teller.news.answered;
        // A stall ends the connection and with it the replies; what had come before counts.
        while !sent.replies.is_over() {
            // Each piece says how many replies are complete: one that is long must not hide them.
            let answered = match self.next(&mut sent.replies).await {
                Some(BatchPiece::Refused(refusal)) => {
                    self.refused(&sent, &refusal);
                    refusal.index + 1
                }
                Some(BatchPiece::Data { index, .. }) => index,
                None => continue,
            };
            self.teller.news.answered = before + answered as u64;
        }
        self.teller.news.answered = before + sent.replies.answered() as u64;
        sent.replies.next().await?;
        Ok(())
    }

    /// The next piece, if there is one; tells now and then while it is waited for.
    async fn next(&mut self, replies: &mut BatchStream) -> Option<BatchPiece> {
        let piece = self.wire.lifeline.in_time(self.wire.patience, replies.next());
        tokio::pin!(piece);
        loop {
            tokio::select! {
                biased;
                _ = self.ticks.tick() => self.teller.tell(),
                piece = &mut piece => return piece.ok()?.ok()?,
            }
        }
    }

    fn refused(&mut self, sent: &Sent, refusal: &Refusal) {
        let news = &mut self.teller.news;
        let mut lines = sent.numbers.iter().zip(sent.batch.lines());
        if news.refused < TOLD
            && let Some((&number, line)) = lines.nth(refusal.index)
        {
            news.refusals.push(explain::error_message_of_line(number, line, &refusal.reason));
        }
        news.refused += 1;
    }
}
