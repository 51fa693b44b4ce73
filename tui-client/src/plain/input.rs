//! Standard input, cut into batches of requests as it comes, whatever becomes of the connection:
//! a `put` without a timestamp gets the time at which it was read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BytesMut};
use shared::client::Batch;
use shared::frame::{Line, LineFramer};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::request::normalize::wire_line;
use crate::request::plausible::suspicious_timestamp;

/// Bytes of input read, and so sent, at once.
const READ_SIZE: usize = 128 * 1024;

/// Memory of a batch besides its lines and their numbers.
const OVERHEAD: usize = 512;

/// What one read brought, or several short ones.
pub(super) struct InputBatch {
    /// The requests.
    pub batch: Batch,
    /// The numbers in the input of the lines of the batch.
    pub lines: Vec<u64>,
    /// The numbers of lines that cannot be sent.
    pub too_long: Vec<u64>,
    /// The numbers of lines whose timestamp is filled in.
    pub filled: Vec<u64>,
    /// The numbers of lines whose timestamp is hardly meant.
    pub doubtful: Vec<u64>,
    /// Bytes of the input.
    pub size: usize,
    /// Its share of the memory, given back when it is dropped.
    room: Option<OwnedSemaphorePermit>,
}

impl InputBatch {
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

    /// Takes in what was read after it, if both together are no more than one read may bring:
    /// many short ones would cost far more memory than their lines.
    pub(super) fn append(&mut self, mut next: Self) -> Option<Self> {
        if self.batch.size() + next.batch.size() > READ_SIZE {
            return Some(next);
        }
        self.batch.append(&next.batch);
        self.lines.append(&mut next.lines);
        self.too_long.append(&mut next.too_long);
        self.filled.append(&mut next.filled);
        self.doubtful.append(&mut next.doubtful);
        self.size += next.size;
        if let (Some(room), Some(mut more)) = (&mut self.room, next.room) {
            drop(more.split(OVERHEAD));
            room.merge(more);
        }
        None
    }

    fn memory(&self) -> usize {
        let named = self.too_long.len() + self.filled.len() + self.doubtful.len();
        let numbers = self.lines.len() + named;
        self.batch.size() + numbers * size_of::<u64>() + OVERHEAD
    }
}

/// Standard input, read to its end in a task of its own.
pub(super) struct Reading {
    /// What was read, in order; bounded by the memory of what is in it or not yet dropped.
    pub queue: mpsc::UnboundedReceiver<InputBatch>,
    /// The memory is spent, so nothing is read for now.
    pub full: watch::Receiver<bool>,
    /// How much was read so far.
    pub counts: Arc<Counts>,
    /// How it ended.
    pub task: JoinHandle<io::Result<()>>,
}

/// What is in what was read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Requests.
    pub lines: AtomicU64,
    /// Those whose timestamp is filled in.
    pub filled: AtomicU64,
}

/// Begins. Reading waits while more than `memory` bytes are read and not dropped.
pub(super) fn start(
    input: impl AsyncRead + Unpin + Send + 'static,
    memory: u32,
    clock: impl Fn() -> i64 + Send + 'static,
) -> Reading {
    let (sender, queue) = mpsc::unbounded_channel();
    let (spent, full) = watch::channel(false);
    let room = Room { memory, free: Arc::new(Semaphore::new(memory as usize)), spent };
    let counts = Arc::default();
    let task = tokio::spawn(read(input, clock, sender, room, Arc::clone(&counts)));
    Reading { queue, full, counts, task }
}

/// Memory, in bytes.
struct Room {
    memory: u32,
    free: Arc<Semaphore>,
    spent: watch::Sender<bool>,
}

impl Room {
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.memory);
        if let Ok(room) = Arc::clone(&self.free).try_acquire_many_owned(bytes) {
            return Some(room);
        }
        self.spent.send_replace(true);
        let room = Arc::clone(&self.free).acquire_many_owned(bytes).await.ok();
        self.spent.send_replace(false);
        room
    }
}

async fn read(
    mut input: impl AsyncRead + Unpin,
    clock: impl Fn() -> i64,
    queue: mpsc::UnboundedSender<InputBatch>,
    room: Room,
    counts: Arc<Counts>,
) -> io::Result<()> {
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
        let (mut batch, mut lines) = (Batch::default(), Vec::new());
        let (mut too_long, mut filled, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
        let now = clock();
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
                let doubt = line.given.and_then(|time| suspicious_timestamp(time, now));
                doubtful.extend(doubt.map(|_| number));
            }
        }
        let size = buffer.len() - rest.len();
        buffer.advance(size);
        if !(lines.is_empty() && too_long.is_empty()) {
            counts.lines.fetch_add(lines.len() as u64, Ordering::Relaxed);
            counts.filled.fetch_add(filled.len() as u64, Ordering::Relaxed);
            let mut gathered =
                InputBatch { batch, lines, too_long, filled, doubtful, size, room: None };
            gathered.room = room.take(gathered.memory()).await;
            if queue.send(gathered).is_err() {
                return Ok(());
            }
        }
        if end {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use tokio::io::AsyncWriteExt;

    use super::*;

    fn text(gathered: &InputBatch) -> Vec<String> {
        gathered.batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    #[tokio::test]
    async fn a_missing_time_is_that_of_the_reading_whenever_the_line_is_taken() {
        let clock = Arc::new(AtomicI64::new(100));
        let (mut far, near) = tokio::io::duplex(1024);
        let reader = Arc::clone(&clock);
        let mut reading = start(near, 1 << 20, move || reader.load(Ordering::SeqCst));
        let mut all: Option<InputBatch> = None;
        for time in [100, 160, 220] {
            clock.store(time, Ordering::SeqCst);
            far.write_all(b"put a 1\n\nput b 2 7\n").await.unwrap();
            let next = reading.queue.recv().await.unwrap();
            match &mut all {
                Some(all) => assert!(all.append(next).is_none()),
                None => all = Some(next),
            }
        }
        let all = all.unwrap();
        let expected =
            ["put a 1 100", "put b 2 7", "put a 1 160", "put b 2 7", "put a 1 220", "put b 2 7"];
        assert_eq!(text(&all), expected);
        assert_eq!((all.lines, all.filled), (vec![1, 3, 4, 6, 7, 9], vec![1, 4, 7]));
    }

    #[tokio::test]
    async fn reading_waits_for_memory_that_short_reads_do_not_waste() {
        let lines = 500;
        let memory = u32::try_from(lines * 20 + 4 * OVERHEAD).unwrap();
        let (mut far, near) = tokio::io::duplex(1024);
        let mut reading = start(near, memory, || 7);
        far.write_all(b"get a\n").await.unwrap();
        let mut all = reading.queue.recv().await.unwrap();
        for _ in 1..lines {
            far.write_all(b"get a\n").await.unwrap();
            assert!(!*reading.full.borrow());
            assert!(all.append(reading.queue.recv().await.unwrap()).is_none());
        }
        assert_eq!(all.lines.len(), lines);
        let more = "get a\n".repeat(lines);
        let writing = tokio::spawn(async move { far.write_all(more.as_bytes()).await });
        reading.full.wait_for(|&full| full).await.unwrap();
        drop(all);
        let mut left = lines;
        while let Some(next) = reading.queue.recv().await {
            left -= next.lines.len();
        }
        assert_eq!(left, 0);
        writing.await.unwrap().unwrap();
        reading.task.await.unwrap().unwrap();
    }
}
