//! Requests from standard input, one a line: streamed in large writes, replies taken at the same
//! time, memory bounded by the batches under way.

use std::io::{self, Write};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use shared::Client;
use shared::client::{Batch, BatchPiece, BatchStream};
use shared::frame::{Line, LineFramer};
use shared::limits::MAX_LINE;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

use super::format::Printer;
use super::progress::Progress;
use super::{Failure, explain, in_time, tell, unix_now};
use crate::line::wire_line;

/// Bytes of input read, and so sent, at once.
const READ_SIZE: usize = 128 * 1024;

/// Batches under way.
const IN_FLIGHT: usize = 16;

/// Sends everything that `input` has and writes what comes back to `out`.
pub(super) async fn run(
    client: Client,
    input: impl AsyncRead + Unpin + Send + 'static,
    out: &mut Printer<impl Write>,
    mut bar: Progress,
    limit: Duration,
) -> Result<(), Failure> {
    let (sender, mut under_way) = mpsc::channel(IN_FLIGHT);
    let sending = tokio::spawn(send(client, input, sender));
    let (mut refused, mut filled) = (false, 0);
    while let Some(Sent { batch, mut replies, lines, too_long, filled: more, size }) =
        under_way.recv().await
    {
        for number in too_long {
            refused = true;
            bar.aside(|| tell(&format!("line {number}: not sent, longer than {MAX_LINE} bytes")));
        }
        filled += more;
        // Refusals come in the order of the lines, so each is looked for behind the one before.
        let mut sent = lines.into_iter().zip(batch.lines()).enumerate();
        loop {
            match in_time(limit, replies.next()).await {
                Ok(Some(BatchPiece::Data(data))) => bar.aside_for_data(|| out.data(&data))?,
                Ok(Some(BatchPiece::Refused(refusal))) => {
                    refused = true;
                    if let Some((_, (number, line))) = sent.find(|&(at, _)| at == refusal.index) {
                        let reason = explain(&refusal.reason, line);
                        bar.aside(|| tell(&format!("line {number}: {reason}")));
                    }
                }
                Ok(None) => break,
                Err(Failure::Connection(error)) => {
                    let unsure = sent.find(|&(at, _)| at == replies.answered());
                    let from = unsure.map_or(0, |(_, (number, _))| number);
                    return Err(Failure::Connection(format!(
                        "{error}; from line {from} on it is unknown what was stored"
                    )));
                }
                Err(failure) => return Err(failure),
            }
        }
        bar.aside_for_data(|| out.flush())?;
        bar.add(size, batch.len());
    }
    drop(bar);
    if filled > 0 {
        let puts = if filled == 1 { "put" } else { "puts" };
        tell(&format!("filled in the current time in {filled} {puts}"));
    }
    match sending.await {
        Ok(Ok(())) if refused => Err(Failure::Refused),
        Ok(outcome) => outcome,
        Err(panic) => Err(Failure::Local(io::Error::other(panic))),
    }
}

/// A batch on the wire.
struct Sent {
    batch: Batch,
    replies: BatchStream,
    /// The numbers in the input of the lines of the batch.
    lines: Vec<u64>,
    /// The numbers of lines that were not sent.
    too_long: Vec<u64>,
    /// Timestamps filled in.
    filled: u64,
    /// Bytes of the input.
    size: usize,
}

async fn send(
    client: Client,
    mut input: impl AsyncRead + Unpin,
    under_way: mpsc::Sender<Sent>,
) -> Result<(), Failure> {
    let mut buffer = BytesMut::new();
    let mut reader = Reader::default();
    loop {
        buffer.reserve(READ_SIZE);
        let end = input.read_buf(&mut buffer).await? == 0;
        if end && !reader.framer.is_between_lines() {
            // People forget the end of the last line.
            buffer.extend_from_slice(b"\n");
        }
        let mut rest = &buffer[..];
        let gathered = reader.gather(&mut rest);
        let size = buffer.len() - rest.len();
        buffer.advance(size);
        if !(gathered.lines.is_empty() && gathered.too_long.is_empty()) {
            // Room first, so that no more than the bound is ever under way.
            let Ok(room) = under_way.reserve().await else { return Ok(()) };
            let Gathered { batch, lines, too_long, filled } = gathered;
            let replies = client.send_batch(batch.clone()).await;
            room.send(Sent { batch, replies: replies?, lines, too_long, filled, size });
        }
        if end {
            return Ok(());
        }
    }
}

/// What one read brought.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    lines: Vec<u64>,
    too_long: Vec<u64>,
    filled: u64,
}

/// Counts lines and makes requests of them.
#[derive(Default)]
struct Reader {
    framer: LineFramer,
    number: u64,
    now: i64,
}

impl Reader {
    fn gather(&mut self, rest: &mut &[u8]) -> Gathered {
        self.now = unix_now();
        let mut gathered = Gathered::default();
        while let Some(line) = self.framer.next_line(rest) {
            self.line(line, &mut gathered);
        }
        gathered
    }

    fn line(&mut self, line: Line<'_>, gathered: &mut Gathered) {
        self.number += 1;
        let Line::Text(text) = line else {
            gathered.too_long.push(self.number);
            return;
        };
        let line = wire_line(text, self.now);
        // What is empty is no request.
        if gathered.batch.push(&line.bytes).is_ok() {
            gathered.lines.push(self.number);
            gathered.filled += u64::from(line.filled.is_some());
        }
    }
}
