//! Data sets that end now: random walks, a point a second of each series.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;

use anyhow::{Context, Result, ensure};

/// Connections that put.
const CONNECTIONS: u64 = 4;

/// Puts that one of them has in flight.
const BATCH: u64 = 2000;

/// Series with a point in each of some seconds.
#[derive(Debug, Clone)]
pub struct Data {
    /// Number of series.
    pub series: u64,
    /// The name of each.
    pub name: fn(u64) -> String,
    /// Unix seconds.
    pub seconds: Range<i64>,
}

/// The 8,000 series of the main run, `points` in all, until `end`.
pub fn fleet(points: u64, end: i64) -> Data {
    let series = crate::series::SERIES as u64;
    let seconds = i64::try_from(points / series).unwrap_or(i64::MAX);
    let name = |at| crate::series::name(usize::try_from(at).unwrap_or_default());
    Data { series, name, seconds: end.saturating_sub(seconds)..end }
}

impl Data {
    /// Number of points.
    pub fn points(&self) -> u64 {
        self.series * self.seconds.start.abs_diff(self.seconds.end)
    }

    /// Puts all points.
    ///
    /// # Errors
    /// When any is not stored.
    pub fn put(&self, address: SocketAddr) -> Result<()> {
        let connections = CONNECTIONS.min(self.series);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|at| {
                    let series =
                        self.series * at / connections..self.series * (at + 1) / connections;
                    scope.spawn(move || self.put_slice(address, series))
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().ok().context("a panic")?)
        })
    }

    fn put_slice(&self, address: SocketAddr, series: Range<u64>) -> Result<()> {
        let mut stream = TcpStream::connect(address)?;
        let mut random = series.start | 1;
        let mut walks: Vec<_> = series.map(|at| ((self.name)(at), 50_000_u64)).collect();
        let (mut lines, mut count, mut replies) = (String::new(), 0_usize, Vec::new());
        for second in self.seconds.clone() {
            for (name, hundredths) in &mut walks {
                // A xorshift generator.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                *hundredths = (*hundredths + random % 201).saturating_sub(100);
                let (whole, rest) = (*hundredths / 100, *hundredths % 100);
                writeln!(lines, "put {name} {whole}.{rest:02} {second}")?;
                count += 1;
                if count as u64 == BATCH {
                    send(&mut stream, &mut lines, &mut count, &mut replies)?;
                }
            }
        }
        send(&mut stream, &mut lines, &mut count, &mut replies)
    }
}

fn send(
    stream: &mut TcpStream,
    lines: &mut String,
    count: &mut usize,
    replies: &mut Vec<u8>,
) -> Result<()> {
    stream.write_all(lines.as_bytes())?;
    replies.resize(*count * 4, 0);
    stream.read_exact(replies)?;
    ensure!(replies.chunks(4).all(|reply| reply == b"ok\n\n"), "a put was not stored");
    lines.clear();
    *count = 0;
    Ok(())
}
