//! Standard input, cut into batches of requests as it comes, whatever becomes of the connection:
//! a `put` without a timestamp gets the time at which it was read.

use std::io;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use shared::client::Batch;
use shared::frame::{Line, LineFramer};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::unix_now;
use crate::line::wire_line;

/// Bytes of input read, and so sent, at once.
const READ_SIZE: usize = 128 * 1024;

/// Memory for what is read and not answered yet, in bytes; reading waits when it is full.
const MEMORY: u32 = 4 * 1024 * 1024;

/// Memory of a batch besides its bytes.
const OVERHEAD: usize = 512;

/// What one read brought.
pub(super) struct Gathered {
    /// The requests.
    pub batch: Batch,
    /// The numbers in the input of the lines of the batch.
    pub lines: Vec<u64>,
    /// The numbers of lines that cannot be sent.
    pub too_long: Vec<u64>,
    /// The numbers of lines whose timestamp is filled in.
    pub filled: Vec<u64>,
    /// Bytes of the input.
    pub size: usize,
    /// Its share of the memory, given back when it is dropped.
    _room: OwnedSemaphorePermit,
}

impl Gathered {
    /// Takes away the first lines of the batch.
    pub(super) fn skip(&mut self, lines: usize) {
        let mut rest = Batch::default();
        for line in self.batch.lines().skip(lines) {
            // It was a line before.
            let _ = rest.push(line);
        }
        self.batch = rest;
        self.lines.drain(..lines.min(self.lines.len()));
    }
}

/// Reads to the end in a task of its own.
pub(super) fn start(
    input: impl AsyncRead + Unpin + Send + 'static,
) -> (mpsc::UnboundedReceiver<Gathered>, JoinHandle<io::Result<()>>) {
    // Bounded by the memory of what is in it.
    let (sender, queue) = mpsc::unbounded_channel();
    (queue, tokio::spawn(read(input, sender)))
}

async fn read(
    mut input: impl AsyncRead + Unpin,
    queue: mpsc::UnboundedSender<Gathered>,
) -> io::Result<()> {
    let memory = Arc::new(Semaphore::new(MEMORY as usize));
    let mut buffer = BytesMut::new();
    let mut framer = LineFramer::default();
    let mut number = 0;
    loop {
        buffer.reserve(READ_SIZE);
        let end = input.read_buf(&mut buffer).await? == 0;
        if end && !framer.is_between_lines() {
            // People forget the end of the last line.
            buffer.extend_from_slice(b"\n");
        }
        let bytes = u32::try_from(buffer.len() + OVERHEAD).unwrap_or(MEMORY).min(MEMORY);
        let Ok(room) = Arc::clone(&memory).acquire_many_owned(bytes).await else { return Ok(()) };
        let (mut batch, mut lines) = (Batch::default(), Vec::new());
        let (mut too_long, mut filled) = (Vec::new(), Vec::new());
        let now = unix_now();
        let mut rest = &buffer[..];
        while let Some(line) = framer.next_line(&mut rest) {
            number += 1;
            let Line::Text(text) = line else {
                too_long.push(number);
                continue;
            };
            let line = wire_line(text, now);
            // What is empty is no request.
            if batch.push(&line.bytes).is_ok() {
                lines.push(number);
                filled.extend(line.filled.map(|_| number));
            }
        }
        let size = buffer.len() - rest.len();
        buffer.advance(size);
        if !(lines.is_empty() && too_long.is_empty()) {
            let gathered = Gathered { batch, lines, too_long, filled, size, _room: room };
            if queue.send(gathered).is_err() {
                return Ok(());
            }
        }
        if end {
            return Ok(());
        }
    }
}
