//! Requests from standard input, one a line: streamed in large writes, replies taken at the same
//! time; over more than one connection where that is wanted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::io::{self, IsTerminal, Write, stderr, stdin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::Client;
use shared::client::{BatchPiece, BatchStream, ClientError};
use shared::limits::MAX_LINE;
use tokio::io::AsyncRead;
use tokio::signal::unix::SignalKind;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval};

use super::connection::{Comeback, Connection};
use super::format::Printer;
use super::input::{self, Counts, InputBatch, Reading};
use super::progress::Progress;
use super::signals::Ending;
use super::{Failure, explain, quoted, unix_now, warn};
use crate::cli::Plan;
use crate::text::format::{count, plural, took};

/// Batches under way.
const IN_FLIGHT: usize = 16;

/// Line numbers that are named.
const NAMED: usize = 5;

/// Refused lines that are told one by one to a person; a file is patient.
const TOLD: u64 = 100;

/// How often a person is told what waits for a server that is away.
const NEWS: Duration = Duration::from_secs(1);

/// Memory for what is read and not answered yet, in bytes.
const MEMORY: u32 = 4 * 1024 * 1024;

/// The same for feeds that outlive a server that is away: days of some lines a second.
const MEMORY_TO_RETRY: u32 = 64 * 1024 * 1024;

/// Sends everything that `input` has and writes what comes back to `out`. When the connection is
/// lost or cannot be made, `--retry` waits for another one and sends again what has no answer.
pub(super) async fn run(
    plan: &Plan,
    input: impl AsyncRead + Unpin + Send + 'static,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let memory = if plan.retry { MEMORY_TO_RETRY } else { MEMORY };
    let read = || input::start(input, memory, unix_now);
    // What comes before there is a connection has its own time, so it is not left unread.
    let (first, reading) = if plan.retry {
        let reading = read();
        (Connection::try_make(plan).await, reading)
    } else {
        (Ok(Connection::make(plan).await?), read())
    };
    out.begin()?;
    if stdin().is_terminal() {
        warn("requests, one a line; Ctrl-D ends");
    }
    let Reading { queue, full, counts, task } = reading;
    let mut sending = Sending { queue, full, again: VecDeque::new(), current: None };
    let mut taking = Taking::new(Progress::for_input());
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let told = Ending::listen(signals)?.told();
    let outcome = tokio::select! {
        outcome = send_all(plan, first, &mut sending, &mut taking, out) => outcome,
        code = told => Err(Failure::Interrupted(code)),
    };
    let outcome = match outcome {
        Ok(()) => match task.await {
            Ok(outcome) => outcome.map_err(Failure::Local),
            Err(panic) => Err(Failure::Local(io::Error::other(panic))),
        },
        failed => failed,
    };
    let refused = taking.refused > 0;
    taking.sum_up(matches!(outcome, Err(Failure::Interrupted(_))).then_some(&counts));
    if refused { outcome.and(Err(Failure::Refused)) } else { outcome }
}

async fn send_all(
    plan: &Plan,
    first: Result<Connection, String>,
    sending: &mut Sending,
    taking: &mut Taking,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut comeback = Comeback::default();
    let mut connection = match first {
        Ok(connection) => {
            comeback.begin();
            connection
        }
        Err(reason) => wait(plan, reason, &mut comeback, sending, &taking.bar).await,
    };
    loop {
        let (on_their_way, mut sent) = mpsc::channel(IN_FLIGHT);
        let taken = tokio::select! {
            taken = taking.run(&connection, &mut comeback, &mut sent, out) => taken,
            // Its end, good or bad, shows in what can be taken.
            never = async {
                sending.run(&connection.client, on_their_way).await;
                pending::<Infallible>().await
            } => match never {},
        };
        let Err(Lost { batch, printed, error }) = taken? else { return Ok(()) };
        let mut unanswered: Vec<_> = batch.into_iter().collect();
        while let Ok(sent) = sent.try_recv() {
            unanswered.push(sent.gathered);
        }
        unanswered.extend(sending.current.take());
        // Once more, it would print again what is printed.
        if !plan.retry || printed {
            let from = unanswered.first().and_then(|first| first.lines.first());
            return Err(Failure::Connection(match from {
                Some(from) => format!("{error}; from line {from} on it is unknown what was stored"),
                None => error,
            }));
        }
        unanswered.into_iter().rev().for_each(|batch| sending.again.push_front(batch));
        connection = wait(plan, error, &mut comeback, sending, &taking.bar).await;
    }
}

/// Waits for a connection. Meanwhile what is read is put together, as far as the memory goes.
async fn wait(
    plan: &Plan,
    reason: String,
    comeback: &mut Comeback,
    sending: &mut Sending,
    bar: &Progress,
) -> Connection {
    let connecting = comeback.from(reason, plan, |text| bar.aside(|| warn(text)));
    tokio::pin!(connecting);
    let (mut told, mut full) = (false, sending.full.clone());
    let (since, mut news) = (Instant::now(), interval(NEWS));
    loop {
        tokio::select! {
            connection = &mut connecting => {
                bar.goes_on();
                return connection;
            }
            _ = news.tick(), if bar.is_wanted() => {
                let (lines, bytes) = sending.kept();
                bar.waits(lines, bytes, since.elapsed());
            }
            Some(next) = sending.queue.recv() => sending.keep(next),
            true = spent(&mut full), if !told => {
                told = true;
                if sending.fills_in() {
                    let memory = MEMORY_TO_RETRY / 1024 / 1024;
                    bar.aside(|| warn(&format!(
                        "{memory} MiB wait for the server: no more is read until it is back, and \
                         a put without a time will have the time of that moment"
                    )));
                }
            }
        }
    }
}

/// Comes when the memory for the input is spent; there may be no more of it to come.
async fn spent(full: &mut watch::Receiver<bool>) -> bool {
    full.wait_for(|&full| full).await.is_ok()
}

/// What is to be sent.
struct Sending {
    queue: mpsc::UnboundedReceiver<InputBatch>,
    /// The memory for it is spent.
    full: watch::Receiver<bool>,
    /// Before that: what an earlier connection left without an answer, and what came after.
    again: VecDeque<InputBatch>,
    /// On its way, or stuck there with a connection that stalls.
    current: Option<InputBatch>,
}

/// A batch on the wire.
struct Sent {
    gathered: InputBatch,
    replies: Result<BatchStream, ClientError>,
}

impl Sending {
    /// Keeps what was read until there is a connection.
    fn keep(&mut self, next: InputBatch) {
        let left = match self.again.back_mut() {
            Some(last) => last.append(next),
            None => Some(next),
        };
        self.again.extend(left);
    }

    /// Lines and bytes that wait to be sent.
    fn kept(&self) -> (u64, u64) {
        let kept = self.again.iter();
        kept.fold((0, 0), |(lines, bytes), next| {
            (lines + next.lines.len() as u64, bytes + next.batch.size() as u64)
        })
    }

    /// There are times that are filled in among what is kept.
    fn fills_in(&self) -> bool {
        self.again.iter().any(|gathered| !gathered.filled.is_empty())
    }

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
    batch: Option<InputBatch>,
    /// Some data of the first reply that is missing is printed.
    printed: bool,
    error: String,
}

/// Puts of which something is to be said, the first of them by the numbers of their lines.
#[derive(Default)]
struct Named {
    lines: Vec<u64>,
    all: usize,
}

impl Named {
    fn take(&mut self, lines: &mut Vec<u64>) {
        self.all += lines.len();
        let room = NAMED.saturating_sub(self.lines.len()).min(lines.len());
        self.lines.extend(lines.drain(..).take(room));
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, all } = self;
        let more = if *all > lines.len() { ", …" } else { "" };
        let named = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (what, line) = if *all == 1 { ("put", "line") } else { ("puts", "lines") };
        write!(f, "{} {what} ({line} {named}{more})", count(*all as u64))
    }
}

/// What has come back.
struct Taking {
    bar: Progress,
    answered: u64,
    /// Longer than a request may be.
    unsent: u64,
    refused: u64,
    /// Puts among what is answered and not refused.
    stored: u64,
    /// The number of the last line up to which all is answered.
    last: u64,
    /// Puts whose timestamp was filled in.
    filled: Named,
    /// Puts whose timestamp is hardly meant.
    doubtful: Named,
    /// Nobody reads standard output any longer.
    unread: bool,
}

impl Taking {
    fn new(bar: Progress) -> Self {
        Self {
            bar,
            answered: 0,
            unsent: 0,
            refused: 0,
            stored: 0,
            last: 0,
            filled: Named::default(),
            doubtful: Named::default(),
            unread: false,
        }
    }

    /// Takes all replies. The outer failure is no matter of the connection.
    async fn run(
        &mut self,
        connection: &Connection,
        comeback: &mut Comeback,
        sent: &mut mpsc::Receiver<Sent>,
        out: &mut Printer<impl Write>,
    ) -> Result<Result<(), Lost>, Failure> {
        while let Some(Sent { mut gathered, replies }) = sent.recv().await {
            self.tell_before(&mut gathered);
            let (mut answered, mut printed) = (0, None);
            let failure = match replies {
                Err(error) => Failure::from(error),
                Ok(mut replies) => {
                    let taken =
                        self.take(connection, &gathered, &mut replies, &mut printed, out).await;
                    answered = replies.answered();
                    if answered > 0 {
                        comeback.answered(|text| self.bar.aside(|| warn(text)));
                    }
                    match taken {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
            };
            let Failure::Connection(error) = failure else { return Err(failure) };
            gathered.skip(answered);
            let printed = printed.is_some_and(|index| index >= answered);
            let batch = Some(gathered).filter(|gathered| !gathered.batch.is_empty());
            return Ok(Err(Lost { batch, printed, error }));
        }
        Ok(Ok(()))
    }

    /// Says what is known of a batch before it is answered; once, also when it is sent again.
    fn tell_before(&mut self, gathered: &mut InputBatch) {
        for number in gathered.too_long.drain(..) {
            self.unsent += 1;
            self.refuse(|| format!("line {number}: not sent, longer than {MAX_LINE} bytes"));
        }
        self.filled.take(&mut gathered.filled);
        self.doubtful.take(&mut gathered.doubtful);
    }

    /// Counts lines of a batch that are answered well, up to a place in it.
    fn count<'a>(
        &mut self,
        lines: &mut impl Iterator<Item = (&'a u64, &'a [u8])>,
        known: &mut usize,
        to: usize,
    ) {
        for (&number, line) in lines.take(to.saturating_sub(*known)) {
            self.answered += 1;
            self.stored += u64::from(line.trim_ascii_start().starts_with(b"put"));
            self.last = number;
        }
        *known = to.max(*known);
    }

    /// Counts a refused line, and tells it unless that would be too much.
    fn refuse(&mut self, text: impl FnOnce() -> String) {
        self.refused += 1;
        if self.refused <= TOLD || !stderr().is_terminal() {
            self.bar.aside(|| warn(&text()));
        } else if self.refused == TOLD + 1 {
            self.bar.aside(|| warn("more refused lines are only counted; 2>FILE names them all"));
        }
    }

    /// Takes the replies to a batch; `printed` is the place of the last request in it of whose reply
    /// something is printed.
    async fn take(
        &mut self,
        connection: &Connection,
        gathered: &InputBatch,
        replies: &mut BatchStream,
        printed: &mut Option<usize>,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let mut lines = gathered.lines.iter().zip(gathered.batch.lines());
        let mut known = 0;
        let mut failure = None;
        while !replies.is_over() {
            match connection.in_time(replies.next()).await {
                Ok(Some(BatchPiece::Data { index, lines: data })) => {
                    self.count(&mut lines, &mut known, index);
                    if !self.unread {
                        *printed = Some(index);
                        let outcome = self.bar.aside_for_data(|| out.data(&data));
                        self.note_unread(outcome)?;
                    }
                }
                Ok(None) => {}
                Ok(Some(BatchPiece::Refused(refusal))) => {
                    self.count(&mut lines, &mut known, refusal.index);
                    if let Some((&number, line)) = lines.next() {
                        (known, self.answered, self.last) = (known + 1, self.answered + 1, number);
                        self.refuse(|| {
                            let (reason, line) = (explain(&refusal.reason, line), quoted(line));
                            format!("line {number}: {reason}: {line}")
                        });
                    }
                }
                // What had come before is still told, and counts.
                Err(why) => failure = Some(why),
            }
        }
        self.count(&mut lines, &mut known, replies.answered());
        if let Some(failure) = failure {
            return Err(failure);
        }
        let outcome = self.bar.aside_for_data(|| out.flush());
        self.note_unread(outcome.map_err(Failure::Local))?;
        self.bar.add(gathered.size, gathered.batch.len());
        Ok(())
    }

    /// Whoever reads standard output may have enough of it, but what is to be stored is stored.
    fn note_unread(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        match outcome {
            Err(Failure::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.unread = true;
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Says how it went, as far as that is not clear.
    /// When it was interrupted, some of what was read may be left without an answer.
    fn sum_up(self, interrupted: Option<&Counts>) {
        let Self { bar, answered, unsent, refused, stored, last, filled, doubtful, .. } = self;
        let (seen, time) = (bar.is_seen(), bar.elapsed());
        drop(bar);
        if filled.all > 0 {
            warn(&format!("filled in the current time in {filled}"));
        }
        if doubtful.all > 0 {
            warn(&format!("a time more than a year ahead in {doubtful}: milliseconds?"));
        }
        let lines = plural(answered + unsent, "line", "lines");
        let outcome = format!("{lines}: {} stored, {} refused", count(stored), count(refused));
        if let Some(read) = interrupted {
            let left = read.lines.load(Ordering::Relaxed).saturating_sub(answered);
            let again = match read.filled.load(Ordering::Relaxed) {
                0 => "to send them again does no harm",
                _ => "sent again, puts without a time get another one",
            };
            let left = match left {
                0 => String::new(),
                left => format!(
                    "; {} read and without an answer, from line {} on: {again}",
                    count(left),
                    last + 1
                ),
            };
            warn(&format!("interrupted: {outcome}{left}"));
        } else if seen || refused > 0 {
            warn(&format!("{outcome}, in {}", took(time)));
        }
    }
}
