//! Requests from standard input, one a line; with `--retry`, over more than one connection.

mod replacements;

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write, stdin};
use std::time::Duration;

use shared::Client;
use shared::limits::MAX_LINE;
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval};

use super::connection::{Reconnector, connect, try_connect};
use super::import_bar::ImportBar;
use super::import_report::{DataLines, ImportReport};
use super::input::{self, InputQueue, Lines, READ_SIZE};
use super::printer::Printer;
use super::{Failure, REFUSED, signals, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::import::engine::{self, Broken, Handler};
use crate::import::source::{BatchSource, InputBatch, LineNote};
use crate::system::os::signals::END_OF_INPUT;
use replacements::Replacements;

/// Batches sent ahead of their replies.
const IN_FLIGHT: usize = 16;

/// How often the bar shows what waits for a server that is away.
const BAR_PERIOD: Duration = Duration::from_secs(1);

/// Memory for what is read and not answered yet, in bytes.
const MEMORY: u32 = 4 * 1024 * 1024;

/// With `--retry`, for feeds that outlive a server that is away: days of some lines a second.
const MEMORY_TO_RETRY: u32 = 64 * 1024 * 1024;

/// Sends everything that `input` has and writes what comes back to `out`. When the connection is
/// lost or cannot be made, `--retry` waits for another one and sends again what has no answer.
pub(super) async fn run(
    plan: &Plan,
    input: impl AsyncRead + Unpin + Send + 'static,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let memory = if plan.retry { MEMORY_TO_RETRY } else { MEMORY };
    let kind = match &plan.put {
        Some(prefix) => Lines::Data { prefix: prefix.clone() },
        None => Lines::Requests { del: plan.yes },
    };
    let read = || input::start(input, kind, memory, unix_now);
    // What comes before there is a connection has its own time, so it is not left unread.
    let (first, reading) = if plan.retry {
        let reading = read();
        (try_connect(plan).await, reading)
    } else {
        (Ok(connect(plan).await?), read())
    };
    out.begin()?;
    if stdin().is_terminal() {
        let what = if plan.put.is_some() { "NAME VALUE [TIME]" } else { "requests" };
        warn(&format!("{what}, one a line; {END_OF_INPUT}"));
    }
    let InputQueue { queue, full, counts, task } = reading;
    let mut pending = PendingInput { queue, full, again: VecDeque::new() };
    let mut report = ImportReport::new(ImportBar::for_input());
    report.data = plan.put.as_deref().map(DataLines::new);
    let mut replacements = plan.put.as_ref().map(|_| Replacements::default());
    let interrupted = signals::listen(None)?;
    let sending = send_all(plan, first, &mut pending, &mut report, &mut replacements, out);
    let outcome = tokio::select! {
        outcome = sending => outcome,
        code = interrupted => {
            tell_replaced(&report, replacements.as_ref());
            report.sum_up(Some(&counts));
            return Err(Failure::Exit(code));
        }
    };
    let refused = report.is_any_refused();
    tell_replaced(&report, replacements.as_ref());
    report.sum_up(None);
    outcome?;
    task.await.map_err(io::Error::other)??;
    if refused { Err(Failure::Exit(REFUSED)) } else { Ok(()) }
}

fn tell_replaced(report: &ImportReport, replacements: Option<&Replacements>) {
    if let Some(summary) = replacements.and_then(Replacements::summary) {
        report.bar.aside(|| warn(&summary));
    }
}

async fn send_all(
    plan: &Plan,
    first: Result<Client, String>,
    pending: &mut PendingInput,
    report: &mut ImportReport,
    replacements: &mut Option<Replacements>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut reconnector = Reconnector::new();
    let mut connection = match first {
        Ok(connection) => {
            reconnector.connected();
            connection
        }
        Err(reason) => wait(plan, reason, &mut reconnector, pending, &report.bar).await,
    };
    loop {
        let mut replies = ReplyReporter::new(report, &mut reconnector, replacements, out);
        let outcome = engine::run(&connection, IN_FLIGHT, pending, &mut replies).await;
        let Err(Broken { error, unanswered, partial }) = outcome else { return Ok(()) };
        let Failure::Connection(error) = error else { return Err(error) };
        // Sent again, it would print again what is printed.
        if !plan.retry || (partial && !report.closed) {
            let from = unanswered.first().and_then(|first| first.lines.first());
            return Err(Failure::Connection(match from {
                Some(from) => format!("{error}; from line {from} on it is unknown what was stored"),
                None => error,
            }));
        }
        unanswered.into_iter().rev().for_each(|batch| pending.again.push_front(batch));
        connection = wait(plan, error, &mut reconnector, pending, &report.bar).await;
    }
}

/// Waits for a connection. Meanwhile what is read is put together, as far as the memory goes.
async fn wait(
    plan: &Plan,
    reason: String,
    reconnector: &mut Reconnector,
    pending: &mut PendingInput,
    bar: &ImportBar,
) -> Client {
    let connecting = reconnector.reconnect(reason, plan, |text| bar.aside(|| warn(text)));
    tokio::pin!(connecting);
    let (mut told, mut full) = (false, pending.full.clone());
    let (since, mut ticks) = (Instant::now(), interval(BAR_PERIOD));
    loop {
        tokio::select! {
            connection = &mut connecting => {
                bar.goes_on();
                return connection;
            }
            _ = ticks.tick(), if bar.is_wanted() => {
                let (lines, bytes) = pending.kept();
                bar.waits(lines, bytes, since.elapsed());
            }
            Some(next) = pending.queue.recv() => pending.keep(next),
            true = spent(&mut full), if !told => {
                told = true;
                if pending.fills_in() {
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

/// The source of the lines.
struct PendingInput {
    queue: mpsc::UnboundedReceiver<InputBatch>,
    /// The memory for it is spent.
    full: watch::Receiver<bool>,
    /// Goes first: what an earlier connection left without an answer, and what came after.
    again: VecDeque<InputBatch>,
}

impl BatchSource for PendingInput {
    async fn next(&mut self) -> Option<InputBatch> {
        match self.again.pop_front() {
            Some(next) => Some(next),
            None => self.queue.recv().await,
        }
    }
}

impl PendingInput {
    /// Keeps what was read until there is a connection.
    fn keep(&mut self, next: InputBatch) {
        let left = match self.again.back_mut() {
            Some(last) => last.append(next, READ_SIZE),
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

    /// Some timestamps are filled in among what is kept.
    fn fills_in(&self) -> bool {
        let mut notes = self.again.iter().flat_map(|batch| &batch.notes);
        notes.any(|&(_, note)| note == LineNote::Filled)
    }
}

/// The replies of one connection.
struct ReplyReporter<'a, W: Write> {
    report: &'a mut ImportReport,
    reconnector: &'a mut Reconnector,
    /// Counted where all lines are points.
    replacements: &'a mut Option<Replacements>,
    out: &'a mut Printer<W>,
    /// Of the current batch: bytes and lines that are answered, and those that the bar has.
    answered: (usize, usize),
    shown: (usize, usize),
}

impl<'a, W: Write> ReplyReporter<'a, W> {
    fn new(
        report: &'a mut ImportReport,
        reconnector: &'a mut Reconnector,
        replacements: &'a mut Option<Replacements>,
        out: &'a mut Printer<W>,
    ) -> Self {
        Self { report, reconnector, replacements, out, answered: (0, 0), shown: (0, 0) }
    }

    /// Shows that so many bytes and lines of the current batch are answered.
    fn show(&mut self, (bytes, lines): (usize, usize)) {
        let (shown_bytes, shown_lines) = std::mem::replace(&mut self.shown, (bytes, lines));
        let (bytes, more) = (bytes.saturating_sub(shown_bytes), lines.saturating_sub(shown_lines));
        // Also without news, because the bar may be due by now.
        if lines > 0 {
            self.report.bar.add(bytes, more);
        }
    }

    /// Counts an answered line.
    fn answered(&mut self, number: u64, line: &[u8]) {
        let (bytes, lines) = self.answered;
        self.answered = (bytes + line.len() + 1, lines + 1);
        (self.report.answered, self.report.last) = (self.report.answered + 1, number);
        self.reconnector.answered(|text| self.report.bar.aside(|| warn(text)));
    }
}

impl<W: Write> Handler for ReplyReporter<'_, W> {
    type Error = Failure;

    /// Reports the notes once, also when the batch is sent again.
    fn begin(&mut self, batch: &mut InputBatch) {
        for (number, note) in batch.notes.drain(..) {
            match note {
                LineNote::TooLong => {
                    let reason = format!("not sent, longer than {MAX_LINE} bytes");
                    self.report.leave_out(number, &reason);
                }
                LineNote::Deletion => {
                    self.report.leave_out(number, "not sent, del wants --yes");
                }
                LineNote::Quit => self.report.quit(number),
                LineNote::Filled => match &mut self.report.data {
                    // Data lines are expected to have none.
                    Some(data) => data.fill(number),
                    None => self.report.filled.add(number),
                },
                LineNote::Suspicious => self.report.suspicious.add(number),
            }
        }
    }

    fn accepted<'a>(&mut self, lines: impl Iterator<Item = (u64, &'a [u8])>) {
        for (number, line) in lines {
            self.answered(number, line);
            self.report.stored += u64::from(line.trim_ascii_start().starts_with(b"put"));
            if let Some(replacements) = &mut self.replacements {
                replacements.add(line);
            }
        }
    }

    fn refused(&mut self, number: u64, line: &[u8], reason: &str) {
        self.answered(number, line);
        self.report.refuse(number, line, reason);
    }

    fn data(&mut self, lines: &[u8]) -> Result<(), Failure> {
        if self.report.closed {
            return Ok(());
        }
        let outcome = self.report.bar.aside_for_data(|| self.out.data(lines));
        self.report.note_closed(outcome)
    }

    fn end(&mut self, batch: &InputBatch) -> Result<(), Failure> {
        let outcome = self.report.bar.aside_for_data(|| self.out.flush());
        self.report.note_closed(outcome.map_err(Failure::Local))?;
        self.show((batch.size, batch.batch.len()));
        let last = self.report.last;
        self.report.data.iter_mut().for_each(|data| data.forget(last));
        (self.answered, self.shown) = ((0, 0), (0, 0));
        Ok(())
    }

    /// A server that takes one request at a time may take long for a batch.
    fn tick(&mut self) {
        self.show(self.answered);
    }
}
