//! Puts load on a TCP port and counts what is acknowledged.
//!
//! A blocking thread for each connection: it has one batch in flight, so it sleeps in the
//! kernel until that is answered; the text of the next batch is made while this one travels.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::series::{Feed, Form, slice};

/// Where the points go, and how.
#[derive(Clone, Copy)]
pub struct Target {
    /// Always a loopback address.
    pub address: SocketAddr,
    /// The text of a point.
    pub form: Form,
    /// What comes back.
    pub replies: Replies,
}

/// What comes back for a batch.
#[derive(Clone, Copy)]
pub enum Replies {
    /// `ok\n\n` for each point.
    Ok,
    /// A line for each point, `:` at its front.
    Integers,
    /// The batch is the body of a `POST` to this path; the answer says 204.
    Http(&'static str),
    /// Nothing.
    None,
}

/// How much load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// TCP connections, each with its own slice of the series.
    pub connections: usize,
    /// Puts sent before the first of them is answered.
    pub in_flight: usize,
    /// Points of each series.
    pub seconds: u64,
    /// Stop then, wherever it is.
    pub limit: Duration,
}

/// The figures of a load.
#[derive(Debug)]
pub struct Outcome {
    /// Points sent, and acknowledged where there are acknowledgements.
    pub points: u64,
    /// When the first byte went out.
    pub start: Instant,
    /// Until the last reply.
    pub elapsed: Duration,
    /// Round trips of the batches in nanoseconds, rising.
    pub trips: Vec<u32>,
}

impl Outcome {
    /// The round trip that this share of the batches stays below.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let at = (self.trips.len() * percent / 100).min(self.trips.len().checked_sub(1)?);
        Some(Duration::from_nanos(self.trips[at].into()))
    }
}

/// Connects, lets all connections start together and waits for the last.
pub fn drive(target: Target, load: Load) -> Result<Outcome> {
    let barrier = Barrier::new(load.connections + 1);
    let mut outcome =
        Outcome { points: 0, start: Instant::now(), elapsed: Duration::ZERO, trips: Vec::new() };
    std::thread::scope(|scope| {
        // Measured by the connections, because this thread may be woken late.
        let mut span: Option<(Instant, Instant)> = None;
        let mut threads = Vec::new();
        for number in 0..load.connections {
            let barrier = &barrier;
            threads.push(scope.spawn(move || {
                let connection = Connection::open(target, load, number);
                barrier.wait();
                connection?.run(load)
            }));
        }
        barrier.wait();
        for thread in threads {
            let run = thread.join().map_err(|_| anyhow!("a connection panicked"))??;
            outcome.points += run.points;
            outcome.trips.extend(run.trips);
            let (start, end) = span.unwrap_or((run.start, run.end));
            span = Some((start.min(run.start), end.max(run.end)));
        }
        let (start, end) = span.context("no connections")?;
        (outcome.start, outcome.elapsed) = (start, end - start);
        anyhow::Ok(())
    })?;
    outcome.trips.sort_unstable();
    Ok(outcome)
}

/// What one connection has done.
struct Run {
    points: u64,
    trips: Vec<u32>,
    start: Instant,
    end: Instant,
}

struct Connection {
    stream: TcpStream,
    replies: Replies,
    feed: Feed,
    quota: u64,
    request: Vec<u8>,
    answer: Vec<u8>,
    expected: Vec<u8>,
}

impl Connection {
    fn open(target: Target, load: Load, number: usize) -> Result<Self> {
        let slice = slice(number, load.connections);
        let stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream,
            replies: target.replies,
            quota: load.seconds * slice.len() as u64,
            feed: Feed::new(&slice, target.form)?,
            request: Vec::new(),
            answer: vec![0; 64 * 1024],
            expected: b"ok\n\n".repeat(load.in_flight),
        })
    }

    /// Makes the next request and answers how many points it holds.
    fn prepare(&mut self, in_flight: usize) -> usize {
        let points = usize::try_from(self.quota).map_or(in_flight, |left| left.min(in_flight));
        self.quota -= points as u64;
        let batch = self.feed.batch(points);
        self.request.clear();
        if let Replies::Http(path) = self.replies {
            let length = batch.len();
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
            self.request.extend_from_slice(head.as_bytes());
        }
        self.request.extend_from_slice(batch);
        points
    }

    fn run(mut self, load: Load) -> Result<Run> {
        let start = Instant::now();
        let mut run = Run { points: 0, trips: Vec::new(), start, end: start };
        let mut points = self.prepare(load.in_flight);
        while points > 0 && start.elapsed() < load.limit {
            let sent = Instant::now();
            self.stream.write_all(&self.request)?;
            let next = self.prepare(load.in_flight);
            self.await_replies(points).context("while waiting for replies")?;
            if !matches!(self.replies, Replies::None) {
                run.trips.push(u32::try_from(sent.elapsed().as_nanos()).unwrap_or(u32::MAX));
            }
            run.points += points as u64;
            points = next;
        }
        run.end = Instant::now();
        Ok(run)
    }

    fn await_replies(&mut self, points: usize) -> Result<()> {
        match self.replies {
            Replies::None => {}
            Replies::Ok => {
                let expected = &self.expected[..points * b"ok\n\n".len()];
                let answer = &mut self.answer[..expected.len()];
                self.stream.read_exact(answer)?;
                ensure!(answer == expected, "{}", String::from_utf8_lossy(answer));
            }
            Replies::Integers => {
                let mut lines = 0;
                while lines < points {
                    let answer = read_some(&mut self.stream, &mut self.answer)?;
                    ensure!(!answer.contains(&b'-'), "{}", String::from_utf8_lossy(answer));
                    lines += memchr::memchr_iter(b'\n', answer).count();
                }
            }
            Replies::Http(_) => {
                let mut filled = 0;
                while !self.answer[..filled].ends_with(b"\r\n\r\n") {
                    filled += read_some(&mut self.stream, &mut self.answer[filled..])?.len();
                }
                let answer = &self.answer[..filled];
                if !answer.starts_with(b"HTTP/1.1 204") {
                    bail!("{}", String::from_utf8_lossy(answer));
                }
            }
        }
        Ok(())
    }
}

fn read_some<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let read = stream.read(buffer)?;
    ensure!(read > 0, "the connection was closed");
    Ok(&buffer[..read])
}
