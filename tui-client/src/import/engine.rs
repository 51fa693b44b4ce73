//! Sends batches, a bounded number in flight, and takes their replies in order.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use shared::Client;
use shared::client::{BatchPiece, BatchStream, ClientError};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, interval_at};

use super::source::{BatchSource, InputBatch};

/// How often a handler may report how far it has come.
const TICK: Duration = Duration::from_millis(100);

/// The receiver of the replies.
pub trait Handler {
    /// Ends the import; a lost connection is one of its kinds.
    type Error: From<ClientError>;

    /// The replies to a batch are about to come.
    fn begin(&mut self, _batch: &mut InputBatch) {}

    /// These lines are answered, and not refused.
    fn accepted<'a>(&mut self, lines: impl Iterator<Item = (u64, &'a [u8])>);

    /// Takes the refusal of a line.
    fn refused(&mut self, number: u64, line: &[u8], reason: &str);

    /// Data lines of a reply.
    ///
    /// # Errors
    /// Ends the import.
    fn data(&mut self, _lines: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }

    /// All replies to a batch have come.
    ///
    /// # Errors
    /// Ends the import.
    fn end(&mut self, _batch: &InputBatch) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Some time has passed.
    fn tick(&mut self) {}
}

/// An import that has ended before all lines were answered.
pub struct Broken<E> {
    /// The error that ended the import.
    pub error: E,
    /// The batches that were sent and have no answer, in order.
    pub unanswered: Vec<InputBatch>,
    /// Data of the first missing reply has come.
    pub partial: bool,
}

/// A batch on the wire.
struct SentBatch {
    batch: InputBatch,
    replies: Result<BatchStream, ClientError>,
}

/// Sends everything that the source has, at most `in_flight` batches ahead of their replies.
///
/// # Errors
/// When the connection ends, or the handler fails.
pub async fn run<H: Handler>(
    client: &Client,
    in_flight: usize,
    source: &mut impl BatchSource,
    handler: &mut H,
) -> Result<(), Broken<H::Error>> {
    let (queue, mut sent) = mpsc::channel(in_flight);
    // On its way to the connection, or stuck there when that stalls.
    let mut current = None;
    let taken = tokio::select! {
        taken = take_all(&mut sent, handler) => taken,
        // Its end, good or bad, shows in what can be taken.
        never = async {
            send_all(client, source, &mut current, queue).await;
            pending::<Infallible>().await
        } => match never {},
    };
    let Err(mut broken) = taken else { return Ok(()) };
    while let Ok(sent) = sent.try_recv() {
        broken.unanswered.push(sent.batch);
    }
    broken.unanswered.extend(current);
    Err(broken)
}

async fn send_all(
    client: &Client,
    source: &mut impl BatchSource,
    current: &mut Option<InputBatch>,
    queue: mpsc::Sender<SentBatch>,
) {
    // Room first, so that no more than the bound is ever under way.
    while let Ok(room) = queue.reserve().await {
        let Some(next) = source.next().await else { return };
        let lines = current.insert(next).batch.clone();
        let replies = client.send_batch(lines).await;
        let failed = replies.is_err();
        let Some(batch) = current.take() else { return };
        room.send(SentBatch { batch, replies });
        if failed {
            return;
        }
    }
}

async fn take_all<H: Handler>(
    sent: &mut mpsc::Receiver<SentBatch>,
    handler: &mut H,
) -> Result<(), Broken<H::Error>> {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    while let Some(SentBatch { mut batch, replies }) = sent.recv().await {
        handler.begin(&mut batch);
        let mut data_of = None;
        let (error, answered) = match replies {
            Err(error) => (error.into(), 0),
            Ok(mut replies) => {
                let taken = take(&batch, &mut replies, &mut data_of, &mut ticks, handler);
                match taken.await {
                    Ok(()) => continue,
                    Err(error) => (error, replies.answered()),
                }
            }
        };
        batch.skip(answered);
        let partial = data_of.is_some_and(|index| index >= answered);
        let unanswered = Some(batch).filter(|batch| !batch.batch.is_empty());
        return Err(Broken { error, unanswered: unanswered.into_iter().collect(), partial });
    }
    Ok(())
}

/// Takes the replies to a batch; `data_of` is the place of the last request in it of whose reply
/// data has come.
async fn take<H: Handler>(
    batch: &InputBatch,
    replies: &mut BatchStream,
    data_of: &mut Option<usize>,
    ticks: &mut Interval,
    handler: &mut H,
) -> Result<(), H::Error> {
    let (mut lines, mut known) = (batch.numbered(), 0);
    // What came before the connection ended still counts.
    while !replies.is_over() {
        match next(replies, ticks, handler).await {
            Ok(Some(BatchPiece::Data { index, lines: data })) => {
                handler.accepted(lines.by_ref().take(index.saturating_sub(known)));
                (known, *data_of) = (index, Some(index));
                handler.data(&data)?;
            }
            Ok(Some(BatchPiece::Answered(count))) => {
                handler.accepted(lines.by_ref().take(count.saturating_sub(known)));
                known = known.max(count);
            }
            Ok(Some(BatchPiece::Refused(first))) => {
                let mut next = Some(first);
                while let Some(refusal) = next {
                    handler.accepted(lines.by_ref().take(refusal.index.saturating_sub(known)));
                    known = refusal.index + 1;
                    if let Some((number, line)) = lines.next() {
                        handler.refused(number, line, &refusal.reason);
                    }
                    next = replies.next_refusal();
                }
            }
            Ok(None) | Err(_) => {}
        }
    }
    handler.accepted(lines.take(replies.answered().saturating_sub(known)));
    // A failure comes again.
    replies.next().await?;
    handler.end(batch)
}

/// The next piece; meanwhile the handler hears of the time that passes.
async fn next(
    replies: &mut BatchStream,
    ticks: &mut Interval,
    handler: &mut impl Handler,
) -> Result<Option<BatchPiece>, ClientError> {
    let piece = replies.next();
    tokio::pin!(piece);
    loop {
        tokio::select! {
            biased;
            _ = ticks.tick() => handler.tick(),
            piece = &mut piece => return piece,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    struct Lines(VecDeque<(u64, &'static str)>);

    impl BatchSource for Lines {
        async fn next(&mut self) -> Option<InputBatch> {
            let (number, line) = self.0.pop_front()?;
            let mut batch = InputBatch::default();
            batch.push(number, line.as_bytes(), 0);
            Some(batch)
        }
    }

    #[derive(Default)]
    struct Answers(Vec<String>);

    impl Handler for Answers {
        type Error = ClientError;

        fn accepted<'a>(&mut self, lines: impl Iterator<Item = (u64, &'a [u8])>) {
            self.0.extend(lines.map(|(number, _)| format!("{number} accepted")));
        }

        fn refused(&mut self, number: u64, _: &[u8], reason: &str) {
            self.0.push(format!("{number} refused: {reason}"));
        }
    }

    #[tokio::test]
    async fn batches_without_an_answer_come_back_in_order() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let client = Client::over(near, Duration::from_secs(30));
        let lines = ["put a 1 1", "nonsense", "put a 3 3", "put a 4 4"];
        let mut source = Lines((1..).zip(lines).collect());
        let mut answers = Answers::default();
        let peer = tokio::spawn(async move {
            far.read_exact(&mut [0; "put a 1 1\nnonsense\n".len()]).await.unwrap();
            far.write_all(b"ok\n\nerror\nwrong command\n\n").await.unwrap();
        });
        let Err(broken) = run(&client, 2, &mut source, &mut answers).await else {
            panic!("the connection ended")
        };
        peer.await.unwrap();
        assert_eq!(answers.0, ["1 accepted", "2 refused: wrong command"]);
        let left = broken.unanswered.iter().flat_map(|batch| batch.lines.iter().copied());
        let left: Vec<u64> = left.chain(source.0.iter().map(|&(number, _)| number)).collect();
        assert_eq!((left, broken.partial), (vec![3, 4], false));
    }
}
