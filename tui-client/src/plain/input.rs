//! Standard input, cut into batches of requests as it comes, with or without a connection: a `put`
//! without a timestamp gets the time at which it was read.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BytesMut};
use shared::frame::{Line, LineFramer};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::import::source::{InputBatch, LineNote};
use crate::request::command::Command;

/// Bytes of input read, and so sent, at once.
pub(super) const READ_SIZE: usize = 128 * 1024;

/// The error for input that is UTF-16, as the files of some programs on Windows are.
const UTF_16: &str = "standard input is UTF-16: save it as UTF-8, in PowerShell with \
                      Get-Content FILE | Set-Content -Encoding utf8 NEW";

/// The encoding of a text, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// Too few bytes to tell.
    Unknown,
    /// UTF-8, behind a byte order mark of so many bytes.
    Text { mark: usize },
    /// UTF-16, with a byte order mark or without. No line of text has a NUL.
    Utf16,
}

impl Beginning {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => Self::Text { mark: 3 },
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => Self::Utf16,
            [] | [_] | [0xef, 0xbb] => Self::Unknown,
            _ => Self::Text { mark: 0 },
        }
    }
}

/// Standard input, read to its end in a task of its own.
pub(super) struct InputQueue {
    /// What was read, in order; bounded by the memory of what is in it or not yet dropped.
    pub queue: mpsc::UnboundedReceiver<InputBatch>,
    /// The memory is spent, so nothing is read for now.
    pub full: watch::Receiver<bool>,
    /// The counts of the lines read so far.
    pub counts: Arc<Counts>,
    /// The task that reads, and its error.
    pub task: JoinHandle<io::Result<()>>,
}

/// The counts of the lines read so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Requests.
    pub lines: AtomicU64,
    /// Those whose timestamp is filled in.
    pub filled: AtomicU64,
}

/// What the lines are.
#[derive(Debug, Clone)]
pub(super) enum Lines {
    /// Requests; a `del` is sent or refused, and a word such as `quit` ends them.
    Requests { del: bool },
    /// The data of puts, with this before their names.
    Data { prefix: String },
}

/// Begins. Reading waits while more than
/// `memory` bytes are read and not dropped.
pub(super) fn start(
    input: impl AsyncRead + Unpin + Send + 'static,
    kind: Lines,
    memory: u32,
    clock: impl Fn() -> i64 + Send + 'static,
) -> InputQueue {
    let (sender, queue) = mpsc::unbounded_channel();
    let (spent, full) = watch::channel(false);
    let room = Room { memory, free: Arc::new(Semaphore::new(memory as usize)), spent };
    let counts = Arc::default();
    let task = tokio::spawn(read(input, kind, clock, sender, room, Arc::clone(&counts)));
    InputQueue { queue, full, counts, task }
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
    kind: Lines,
    clock: impl Fn() -> i64,
    queue: mpsc::UnboundedSender<InputBatch>,
    room: Room,
    counts: Arc<Counts>,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    let mut framer = LineFramer::default();
    let mut number = 0;
    let mut begun = false;
    let takes_commands = matches!(kind, Lines::Requests { .. });
    loop {
        buffer.reserve(READ_SIZE);
        let end = input.read_buf(&mut buffer).await? == 0;
        if !begun {
            match Beginning::of(&buffer) {
                Beginning::Unknown if !end => continue,
                Beginning::Unknown => {}
                Beginning::Text { mark } => buffer.advance(mark),
                Beginning::Utf16 => return Err(io::Error::new(ErrorKind::InvalidData, UTF_16)),
            }
            begun = true;
        }
        if end && !framer.is_between_lines() {
            // The last line may lack its end.
            buffer.extend_from_slice(b"\n");
        }
        let mut batch = InputBatch::default();
        let now = clock();
        let mut rest = &buffer[..];
        let mut has_quit = false;
        while !has_quit && let Some(line) = framer.next_line(&mut rest) {
            number += 1;
            match line {
                Line::Text(text) if takes_commands && is_quit(text) => has_quit = true,
                Line::Text(text) => match &kind {
                    Lines::Data { prefix } => batch.push_data(number, text, prefix, now),
                    Lines::Requests { del: true } => batch.push(number, text, now),
                    Lines::Requests { del: false } => batch.push_without_del(number, text, now),
                },
                Line::TooLong => batch.notes.push((number, LineNote::TooLong)),
            }
        }
        if has_quit && !rest.trim_ascii().is_empty() {
            batch.notes.push((number, LineNote::Quit));
        }
        batch.size = buffer.len() - rest.len();
        buffer.advance(batch.size);
        if !(batch.lines.is_empty() && batch.notes.is_empty()) {
            let filled = batch.notes.iter().filter(|(_, note)| *note == LineNote::Filled);
            counts.lines.fetch_add(batch.lines.len() as u64, Ordering::Relaxed);
            counts.filled.fetch_add(filled.count() as u64, Ordering::Relaxed);
            batch.room = room.take(batch.memory()).await;
            if queue.send(batch).is_err() {
                return Ok(());
            }
        }
        if end || has_quit {
            return Ok(());
        }
    }
}

/// The line is a word that ends other programs, such as `quit`.
fn is_quit(line: &[u8]) -> bool {
    str::from_utf8(line).is_ok_and(|line| Command::parse(line) == Some(Command::Quit))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::import::source::BATCH_OVERHEAD;

    fn text(gathered: &InputBatch) -> Vec<String> {
        gathered.batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    #[tokio::test]
    async fn a_word_that_quits_ends_requests_and_what_is_left_is_noted() {
        let data = Lines::Data { prefix: String::new() };
        for (kind, input, lines, notes) in [
            (Lines::Requests { del: false }, "get a\nQuit\nget b\n", 1, Some((2, LineNote::Quit))),
            (Lines::Requests { del: false }, "get a\n\\q\n \n", 1, None),
            (data, "a 1 1\nquit\nb 1 1\n", 3, None),
        ] {
            let mut reading = start(input.as_bytes(), kind, 1 << 20, || 7);
            let batch = reading.queue.recv().await.unwrap();
            assert_eq!(text(&batch).len(), lines, "{input}");
            assert_eq!(batch.notes.first().copied(), notes, "{input}");
            assert!(reading.task.await.unwrap().is_ok());
        }
    }

    #[test]
    fn the_encoding_is_known_by_the_first_bytes() {
        let text = |mark| Beginning::Text { mark };
        for (bytes, beginning) in [
            (&b""[..], Beginning::Unknown),
            (b"g", Beginning::Unknown),
            (b"\xef\xbb", Beginning::Unknown),
            (b"ge", text(0)),
            (b"\r\n", text(0)),
            ("火".as_bytes(), text(0)),
            (b"\xef\xbb\xbf", text(3)),
            (b"\xef\xbb\xbfget a", text(3)),
            (b"\xff\xfeg\0", Beginning::Utf16),
            (b"\xfe\xff\0g", Beginning::Utf16),
            (b"g\0e\0", Beginning::Utf16),
            (b"\0g\0e", Beginning::Utf16),
        ] {
            assert_eq!(Beginning::of(bytes), beginning, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_dropped_however_it_arrives() {
        for pieces in [
            &[&b"\xef\xbb\xbfget a\r\nget b\r\n"[..]][..],
            &[b"\xef", b"\xbb", b"\xbfg", b"et a\r\nget b"],
        ] {
            let (mut far, near) = tokio::io::duplex(1024);
            let mut reading = start(near, Lines::Requests { del: false }, 1 << 20, || 7);
            for piece in pieces {
                far.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(far);
            let mut lines = Vec::new();
            while let Some(next) = reading.queue.recv().await {
                lines.extend(text(&next));
            }
            assert_eq!(lines, ["get a", "get b"]);
            reading.task.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn utf_16_is_named_and_nothing_is_sent() {
        let (mut far, near) = tokio::io::duplex(1024);
        let mut reading = start(near, Lines::Requests { del: false }, 1 << 20, || 7);
        let text: Vec<u8> = "get a\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        far.write_all(&text).await.unwrap();
        assert!(reading.queue.recv().await.is_none());
        let error = reading.task.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("is UTF-16"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_time_is_that_of_the_reading_whenever_the_line_is_taken() {
        let clock = Arc::new(AtomicI64::new(100));
        let (mut far, near) = tokio::io::duplex(1024);
        let reader = Arc::clone(&clock);
        let mut reading = start(near, Lines::Requests { del: false }, 1 << 20, move || {
            reader.load(Ordering::SeqCst)
        });
        let mut all: Option<InputBatch> = None;
        for time in [100, 160, 220] {
            clock.store(time, Ordering::SeqCst);
            far.write_all(b"put a 1\n\nput b 2 7\n").await.unwrap();
            let next = reading.queue.recv().await.unwrap();
            match &mut all {
                Some(all) => assert!(all.append(next, READ_SIZE).is_none()),
                None => all = Some(next),
            }
        }
        let all = all.unwrap();
        let expected =
            ["put a 1 100", "put b 2 7", "put a 1 160", "put b 2 7", "put a 1 220", "put b 2 7"];
        assert_eq!(text(&all), expected);
        assert_eq!(all.lines, [1, 3, 4, 6, 7, 9]);
        assert_eq!(all.notes, [1, 4, 7].map(|number| (number, LineNote::Filled)));
    }

    #[tokio::test]
    async fn reading_waits_for_memory_that_short_reads_do_not_waste() {
        let lines = 500;
        let memory = u32::try_from(lines * 20 + 4 * BATCH_OVERHEAD).unwrap();
        let (mut far, near) = tokio::io::duplex(1024);
        let mut reading = start(near, Lines::Requests { del: false }, memory, || 7);
        far.write_all(b"get a\n").await.unwrap();
        let mut all = reading.queue.recv().await.unwrap();
        for _ in 1..lines {
            far.write_all(b"get a\n").await.unwrap();
            assert!(!*reading.full.borrow());
            assert!(all.append(reading.queue.recv().await.unwrap(), READ_SIZE).is_none());
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
