//! Requests from standard input, one a line: streamed in large writes, replies taken at the same
//! time; over more than one connection where that is wanted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Write};
use std::time::Duration;

use shared::client::{BatchPiece, BatchStream, ClientError};
use shared::limits::MAX_LINE;
use shared::{Client, Request};
use tokio::io::AsyncRead;
use tokio::sync::mpsc;

use super::format::Printer;
use super::progress::Progress;
use super::reading::{self, Gathered};
use super::{Connection, Failure, explain, in_time, quoted, reconnect, tell};
use crate::app::format::{count, plural, took};
use crate::cli::Plan;

/// Batches under way.
const IN_FLIGHT: usize = 16;

/// Line numbers that are named.
const NAMED: usize = 5;

/// Sends everything that `input` has and writes what comes back to `out`. When the connection is
/// lost, `--retry` waits for another one and sends again what has no answer.
pub(super) async fn run(
    plan: &Plan,
    connection: Connection,
    input: impl AsyncRead + Unpin + Send + 'static,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let (queue, reading) = reading::start(input);
    let mut sending = Sending { queue, again: VecDeque::new(), current: None };
    let mut taking = Taking::new(Progress::for_input(), plan.timeout);
    let outcome = tokio::select! {
        outcome = send_all(plan, connection, &mut sending, &mut taking, out) => outcome,
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    let outcome = match outcome {
        Ok(()) => match reading.await {
            Ok(outcome) => outcome.map_err(Failure::Local),
            Err(panic) => Err(Failure::Local(io::Error::other(panic))),
        },
        failed => failed,
    };
    let refused = taking.refused > 0;
    taking.sum_up(matches!(outcome, Err(Failure::Interrupted)));
    if refused { outcome.and(Err(Failure::Refused)) } else { outcome }
}

async fn send_all(
    plan: &Plan,
    mut connection: Connection,
    sending: &mut Sending,
    taking: &mut Taking,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    loop {
        let (on_their_way, mut sent) = mpsc::channel(IN_FLIGHT);
        let taken = tokio::select! {
            taken = taking.run(&mut sent, out) => taken,
            // Its end, good or bad, shows in what can be taken.
            never = async {
                sending.run(&connection.0, on_their_way).await;
                pending::<Infallible>().await
            } => match never {},
        };
        let Err(Lost { batch, printed, error }) = taken? else { return Ok(()) };
        let mut unanswered: Vec<_> = batch.into_iter().collect();
        while let Ok(sent) = sent.try_recv() {
            unanswered.push(sent.gathered);
        }
        unanswered.extend(sending.current.take());
        // Once more, a `get` would print again what is printed.
        let only_puts = !printed || unanswered.first().is_none_or(has_only_puts);
        if !plan.retry || !only_puts {
            let from = unanswered.first().and_then(|first| first.lines.first());
            return Err(Failure::Connection(match from {
                Some(from) => format!("{error}; from line {from} on it is unknown what was stored"),
                None => error,
            }));
        }
        taking.bar.aside(|| tell(&format!("{error}; trying again until it works")));
        unanswered.into_iter().rev().for_each(|batch| sending.again.push_front(batch));
        connection = reconnect(plan).await;
        taking.bar.aside(|| tell("connected again"));
    }
}

fn has_only_puts(gathered: &Gathered) -> bool {
    gathered.batch.lines().all(|line| matches!(Request::decode(line), Ok(Request::Put(..))))
}

/// What is to be sent.
struct Sending {
    queue: mpsc::UnboundedReceiver<Gathered>,
    /// Before that: what an earlier connection left without an answer.
    again: VecDeque<Gathered>,
    /// On its way, or stuck there with a connection that stalls.
    current: Option<Gathered>,
}

/// A batch on the wire.
struct Sent {
    gathered: Gathered,
    replies: Result<BatchStream, ClientError>,
}

impl Sending {
    /// Sends until there is no more, or the connection ends.
    async fn run(&mut self, client: &Client, on_their_way: mpsc::Sender<Sent>) {
        // Room first, so that no more than the bound is ever under way.
        while let Ok(room) = on_their_way.reserve().await {
            let again = self.again.pop_front();
            let Some(next) = (if again.is_some() { again } else { self.queue.recv().await }) else {
                return;
            };
            let batch = self.current.insert(next).batch.clone();
            let replies = client.send_batch(batch).await;
            let failed = replies.is_err();
            let Some(gathered) = self.current.take() else { return };
            room.send(Sent { gathered, replies });
            if failed {
                return;
            }
        }
    }
}

/// The connection is lost.
struct Lost {
    /// What it left without an answer of the batch whose replies were being taken.
    batch: Option<Gathered>,
    /// Data of this batch is printed.
    printed: bool,
    error: String,
}

/// What has come back.
struct Taking {
    bar: Progress,
    limit: Duration,
    answered: u64,
    refused: u64,
    /// The numbers of the first lines whose timestamp was filled in, and how many there were.
    filled: (Vec<u64>, usize),
}

impl Taking {
    fn new(bar: Progress, limit: Duration) -> Self {
        Self { bar, limit, answered: 0, refused: 0, filled: (Vec::new(), 0) }
    }

    /// Takes all replies. The outer failure is no matter of the connection.
    async fn run(
        &mut self,
        sent: &mut mpsc::Receiver<Sent>,
        out: &mut Printer<impl Write>,
    ) -> Result<Result<(), Lost>, Failure> {
        while let Some(Sent { mut gathered, replies }) = sent.recv().await {
            self.tell_before(&mut gathered);
            let (mut answered, mut printed) = (0, false);
            let failure = match replies {
                Err(error) => Failure::from(error),
                Ok(mut replies) => {
                    let taken = self.take(&gathered, &mut replies, &mut printed, out).await;
                    answered = replies.answered();
                    self.answered += answered as u64;
                    match taken {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
            };
            let Failure::Connection(error) = failure else { return Err(failure) };
            gathered.skip(answered);
            let batch = Some(gathered).filter(|gathered| !gathered.batch.is_empty());
            return Ok(Err(Lost { batch, printed, error }));
        }
        Ok(Ok(()))
    }

    /// Says what is known of a batch before it is answered; once, also when it is sent again.
    fn tell_before(&mut self, gathered: &mut Gathered) {
        for number in gathered.too_long.drain(..) {
            self.refused += 1;
            let text = format!("line {number}: not sent, longer than {MAX_LINE} bytes");
            self.bar.aside(|| tell(&text));
        }
        let (named, all) = &mut self.filled;
        *all += gathered.filled.len();
        let room = NAMED.saturating_sub(named.len()).min(gathered.filled.len());
        named.extend(gathered.filled.drain(..).take(room));
    }

    async fn take(
        &mut self,
        gathered: &Gathered,
        replies: &mut BatchStream,
        printed: &mut bool,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        // Refusals come in the order of the lines, so each is looked for behind the one before.
        let mut lines = gathered.lines.iter().zip(gathered.batch.lines()).enumerate();
        while let Some(piece) = in_time(self.limit, replies.next()).await? {
            match piece {
                BatchPiece::Data(data) => {
                    *printed = true;
                    self.bar.aside_for_data(|| out.data(&data))?;
                }
                BatchPiece::Refused(refusal) => {
                    self.refused += 1;
                    if let Some((_, (number, line))) = lines.find(|&(at, _)| at == refusal.index) {
                        let (reason, line) = (explain(&refusal.reason, line), quoted(line));
                        self.bar.aside(|| tell(&format!("line {number}: {reason}: {line}")));
                    }
                }
            }
        }
        self.bar.aside_for_data(|| out.flush())?;
        self.bar.add(gathered.size, gathered.batch.len());
        Ok(())
    }

    /// Says how it went, as far as that is not clear.
    fn sum_up(self, interrupted: bool) {
        let Self { bar, answered, refused, filled: (named, filled), .. } = self;
        let (seen, time) = (bar.is_seen(), bar.elapsed());
        drop(bar);
        if filled > 0 {
            let more = if filled > named.len() { ", …" } else { "" };
            let named = named.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let (what, lines) = if filled == 1 { ("put", "line") } else { ("puts", "lines") };
            let all = count(filled as u64);
            tell(&format!("filled in the current time in {all} {what} ({lines} {named}{more})"));
        }
        let lines = plural(answered, "line", "lines");
        let refused = count(refused);
        if interrupted {
            tell(&format!(
                "interrupted: {lines} answered, {refused} refused; to send them again does no harm"
            ));
        } else if seen || refused != "0" {
            tell(&format!("{lines} answered, {refused} refused, in {}", took(time)));
        }
    }
}
