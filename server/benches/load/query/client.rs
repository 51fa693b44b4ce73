//! One connection that asks and throws away what it is answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A connection with nothing in flight.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When that fails.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024] })
    }

    /// The number of data lines of an answer, and how long it took to come whole.
    ///
    /// # Errors
    /// When the answer is an error or breaks off.
    pub fn get(&mut self, selector: &str) -> Result<(u64, Duration)> {
        let start = Instant::now();
        let lines = self.ask(&format!("get {selector}\n"), |_| true)?;
        Ok((lines, start.elapsed()))
    }

    /// Reads an answer, and passes on the bytes of each piece, as long as more is wanted.
    ///
    /// # Errors
    /// When the answer is an error or breaks off.
    pub fn ask(&mut self, request: &str, mut wants_more: impl FnMut(u64) -> bool) -> Result<u64> {
        self.stream.write_all(request.as_bytes())?;
        let (mut ends, mut total, mut tail) = (0_u64, 0_u64, [0; 2]);
        loop {
            let read = self.stream.read(&mut self.buffer).context("in the middle of the answer")?;
            ensure!(read > 0, "the connection was closed early");
            let piece = &self.buffer[..read];
            if total == 0 {
                ensure!(piece.starts_with(b"ok"), "the answer is an error");
            }
            total += read as u64;
            ends += memchr::memchr_iter(b'\n', piece).count() as u64;
            match piece {
                [.., a, b] => tail = [*a, *b],
                [b] => tail = [tail[1], *b],
                [] => {}
            }
            if !wants_more(read as u64) || tail == *b"\n\n" {
                return Ok(ends.saturating_sub(2));
            }
        }
    }

    /// Takes points back.
    ///
    /// # Errors
    /// When that fails.
    pub fn delete(&mut self, selector: &str) -> Result<()> {
        self.ask(&format!("del {selector}\n"), |_| true).map(drop)
    }

    /// How long it takes to put a point.
    ///
    /// # Errors
    /// When it is not stored.
    pub fn put(&mut self, line: &str) -> Result<Duration> {
        let start = Instant::now();
        self.ask(line, |_| true)?;
        Ok(start.elapsed())
    }
}
