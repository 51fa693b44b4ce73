//! Reads large replies as cheaply as possible: counts line ends, keeps a line of each buffer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::Program;

/// Where a reply ends.
#[derive(Debug, Clone, Copy)]
pub enum ReplyEnd {
    /// With an empty line.
    EmptyLine,
    /// With this many lines.
    Lines(u64),
    /// When the peer closes.
    Closed,
}

/// What a reply held.
#[derive(Debug)]
pub struct Reply {
    /// Line ends.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// From the first byte sent to the last byte received.
    pub elapsed: Duration,
    /// The first whole line of each buffer.
    pub samples: Vec<Vec<u8>>,
    /// By how much the server's resident memory had grown at the most.
    pub growth: u64,
}

/// Sends `request` and reads the reply, while it watches the memory of the server.
pub fn fetch(
    program: &Program,
    address: SocketAddr,
    request: &[u8],
    end: ReplyEnd,
) -> Result<Reply> {
    let (before, _) = program.memory()?;
    let exact = program.reset_peak();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = before;
            while !done.load(Ordering::Relaxed) {
                most = most.max(program.memory().map_or(0, |(now, _)| now));
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        });
        let answer = read(address, request, end);
        done.store(true, Ordering::Relaxed);
        let sampled = watcher.join().unwrap_or(before);
        let peak = if exact { program.memory()?.1.max(sampled) } else { sampled };
        Ok(Reply { growth: peak.saturating_sub(before), ..answer? })
    })
}

fn read(address: SocketAddr, request: &[u8], end: ReplyEnd) -> Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut answer =
        Reply { lines: 0, bytes: 0, elapsed: Duration::ZERO, samples: Vec::new(), growth: 0 };
    let mut buffer = vec![0; 256 * 1024];
    let mut last_two = [0; 2];
    let start = Instant::now();
    stream.write_all(request)?;
    loop {
        let read = stream.read(&mut buffer).context("in the middle of the answer")?;
        let piece = &buffer[..read];
        answer.bytes += read as u64;
        answer.lines += memchr::memchr_iter(b'\n', piece).count() as u64;
        answer.samples.extend(whole_line(piece));
        match piece {
            [.., a, b] => last_two = [*a, *b],
            [b] => last_two = [last_two[1], *b],
            [] => {
                ensure!(matches!(end, ReplyEnd::Closed), "the connection was closed early");
                break;
            }
        }
        match end {
            ReplyEnd::EmptyLine if last_two == *b"\n\n" => break,
            ReplyEnd::Lines(lines) if answer.lines >= lines => break,
            _ => {}
        }
    }
    answer.elapsed = start.elapsed();
    Ok(answer)
}

/// The first line of a piece that is whole.
fn whole_line(piece: &[u8]) -> Option<Vec<u8>> {
    let start = memchr::memchr(b'\n', piece)? + 1;
    let length = memchr::memchr(b'\n', &piece[start..])?;
    (length > 0).then(|| piece[start..start + length].to_vec())
}
