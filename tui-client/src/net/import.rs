//! Pasted lines, streamed: large writes, a few batches under way, replies taken meanwhile, news
//! a few times a second.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shared::Client;
use shared::client::{Batch, BatchPiece, BatchStream, ClientError, Refusal};
use tokio::sync::mpsc;

use super::Wire;
use crate::app::msg::Msg;
use crate::app::paste::{ImportEnd, ImportNews, Pasted, TOLD};
use crate::app::refusal;
use crate::line::wire_line;

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
pub(super) async fn run(client: Client, wire: Wire, id: u64, text: Arc<str>) {
    let news = ImportNews { end: None, ..ImportNews::broken(id) };
    let mut taking = Taking { news, told: Instant::now(), wire };
    let (queue, mut under_way) = mpsc::channel(IN_FLIGHT);
    let sending = send(client, &text, queue);
    let taken = async {
        while let Some(sent) = under_way.recv().await {
            taking.take(sent).await?;
        }
        Ok::<(), ClientError>(())
    };
    let end = match tokio::try_join!(sending, taken) {
        Ok(_) => ImportEnd::Whole,
        Err(_) => ImportEnd::Broken,
    };
    taking.news.end = Some(end);
    // Nobody is there to be told when this fails.
    let _ = taking.wire.msgs.send(Msg::Import(taking.news)).await;
}

async fn send(client: Client, text: &str, queue: mpsc::Sender<Sent>) -> Result<(), ClientError> {
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
        let replies = client.send_batch(batch.clone()).await?;
        room.send(Sent { replies, batch, numbers });
    }
    Ok(())
}

struct Taking {
    news: ImportNews,
    told: Instant,
    wire: Wire,
}

impl Taking {
    /// Takes the replies to a batch, as far as they come.
    async fn take(&mut self, mut sent: Sent) -> Result<(), ClientError> {
        // A stall ends the connection and with it the replies; what had come before counts.
        while !sent.replies.is_over() {
            let piece = self.wire.lifeline.in_time(self.wire.patience, sent.replies.next()).await;
            if let Ok(Ok(Some(BatchPiece::Refused(refusal)))) = piece {
                self.refused(&sent, &refusal);
            }
        }
        self.news.answered += sent.replies.answered() as u64;
        sent.replies.next().await?;
        if self.told.elapsed() >= NEWS {
            self.told = Instant::now();
            if self.wire.msgs.try_send(Msg::Import(self.news.clone())).is_ok() {
                self.news.refusals.clear();
            }
        }
        Ok(())
    }

    fn refused(&mut self, sent: &Sent, refusal: &Refusal) {
        let mut lines = sent.numbers.iter().zip(sent.batch.lines());
        if self.news.refused < TOLD
            && let Some((&number, line)) = lines.nth(refusal.index)
        {
            let text = refusal::told_of_line(number, line, &refusal.reason);
            self.news.refusals.push(text);
        }
        self.news.refused += 1;
    }
}
