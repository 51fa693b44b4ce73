//! Followers: how late their news are, and what they cost the puts.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::io::AsyncReadExt;

use crate::drive::{Load, Outcome};
use crate::series::{FIRST_SECOND, SERIES, name, slice};
use crate::server::{Mode, Server};
use crate::units;

/// Followers whose news are timed, and the load beside them.
const TIMED: usize = 100;
const SENDERS: usize = 4;
const BATCH: usize = 250;
const PAUSE: Duration = Duration::from_millis(10);

/// Followers of one key each.
const NARROW: usize = 1000;

/// The heading of the table.
pub fn heading() -> Vec<String> {
    ["followers", "puts/s", "CPU s/M puts", "others' cores", "news", "median", "p99", "most"]
        .map(str::to_owned)
        .to_vec()
}

/// Followers that read as fast as they can, on a thread of their own.
struct Readers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64>>,
}

impl Readers {
    /// Connects a follower for each selector.
    fn start(address: SocketAddr, selectors: &[String]) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let streams: Vec<_> =
            selectors.iter().map(|selector| follow(address, selector)).collect::<Result<_>>()?;
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let lines = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&lines);
            runtime.block_on(async move {
                for stream in streams {
                    stream.set_nonblocking(true)?;
                    let mut stream = tokio::net::TcpStream::from_std(stream)?;
                    let counted = Arc::clone(&counted);
                    tokio::spawn(async move {
                        let mut buffer = vec![0; 16 * 1024];
                        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                            let lines = memchr::memchr_iter(b'\n', &buffer[..read]).count();
                            counted.fetch_add(lines as u64, Ordering::Relaxed);
                        }
                    });
                }
                while !stopped.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                anyhow::Ok(())
            })?;
            Ok(lines.load(Ordering::Relaxed))
        });
        Ok(Self { stop, thread })
    }

    /// Ends them. Answers how many lines have come.
    fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("a reader panicked"))?
    }
}

/// Begins to follow.
fn follow(address: SocketAddr, selector: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("get {selector}\n").as_bytes())?;
    let mut status = [0; 3];
    stream.read_exact(&mut status)?;
    ensure!(status == *b"ok\n", "{selector} can't be followed");
    Ok(stream)
}

/// The put rate beside followers of one key each.
pub fn put_rate(mode: &Mode, dir: &Path, load: Load, followers: bool) -> Result<Vec<String>> {
    let server = Server::start(mode, dir)?;
    let count = if followers { NARROW } else { 0 };
    let keys = (0..count).map(|number| format!("{}[+]", name(number * (SERIES / NARROW))));
    let readers = Readers::start(server.address, &keys.collect::<Vec<_>>())?;
    let meter = server.program.meter()?;
    let outcome = server.drive(load)?;
    let spent = meter.read()?;
    std::thread::sleep(Duration::from_millis(500));
    let news = readers.stop()?;
    server.program.stop()?;
    let expected = load.seconds * count as u64;
    let mut cells = put_cells(format!("{count} of a key each"), &outcome, spent);
    cells.push(if news == expected {
        "all".to_owned()
    } else {
        format!("{news} of {expected}, cut off")
    });
    Ok(cells)
}

/// What one follower of everything gets at full load: all, or the first of it and a cut.
pub fn everything(mode: &Mode, dir: &Path, load: Load) -> Result<Vec<String>> {
    let server = Server::start(mode, dir)?;
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(b"get *[+]\n")?;
    let mut half = stream.try_clone()?;
    let reader = std::thread::spawn(move || -> Result<(u64, Vec<u8>)> {
        let (mut buffer, mut lines, mut end) = (vec![0; 256 * 1024], 0, Vec::new());
        loop {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok((lines, end));
            }
            lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
            end.extend_from_slice(&buffer[..read]);
            end.drain(..end.len().saturating_sub(2));
            if end == b"\n\n" {
                return Ok((lines, end));
            }
        }
    });
    let meter = server.program.meter()?;
    let outcome = server.drive(load)?;
    let spent = meter.read()?;
    // Ends the follow, unless it was cut off.
    let _ = half.write_all(b"\n");
    let (lines, end) = reader.join().map_err(|_| anyhow!("the reader panicked"))??;
    server.program.stop()?;
    let news = if end == b"\n\n" {
        ensure!(lines == outcome.points + 2, "{lines} lines, and the end");
        "all".to_owned()
    } else {
        format!("{}, cut off", units::scaled(units::ratio(lines.saturating_sub(1), 1)))
    };
    let mut cells = put_cells("1 of *".to_owned(), &outcome, spent);
    cells.push(news);
    Ok(cells)
}

/// What followers are beside, how many puts there are, and what the server and others take of the
/// processor.
fn put_cells(followers: String, outcome: &Outcome, spent: (Duration, f64)) -> Vec<String> {
    let rate = units::rate(outcome.points, outcome.elapsed);
    let each_million = spent.0.as_secs_f64() * 1e6 * units::ratio(1, outcome.points);
    vec![followers, units::scaled(rate), format!("{each_million:.3}"), format!("{:.2}", spent.1)]
}

/// How much later than the `ok` of its put a point comes to a follower of its host, at 100,000
/// points a second.
pub fn latency(mode: &Mode, dir: &Path, wide: bool, time: Duration) -> Result<Vec<String>> {
    let server = Server::start(mode, dir)?;
    // Ten hosts are too many series to be watched one by one.
    let selector = |number: usize| {
        if wide {
            format!("host{:03}?.*[+]", number % (SERIES / 100))
        } else {
            format!("host{:04}.*[+]", number * (SERIES / 10 / TIMED))
        }
    };
    // New series would be the first thing to be seen.
    let mut warm = TcpStream::connect(server.address)?;
    for number in 0..SERIES {
        warm.write_all(format!("put {} 1 {}\n", name(number), FIRST_SECOND - 1).as_bytes())?;
    }
    let mut replies = vec![0; SERIES * 4];
    warm.read_exact(&mut replies)?;
    let threads: Vec<_> = (0..TIMED)
        .map(|number| follow_with_times(server.address, &selector(number)))
        .collect::<Result<_>>()?;
    let start = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let address = server.address;
            std::thread::spawn(move || send(address, sender, start, time))
        })
        .collect();
    let mut acknowledged = HashMap::new();
    let mut points = 0;
    for sender in senders {
        let batches = sender.join().map_err(|_| anyhow!("a sender panicked"))??;
        points += batches.len() * BATCH;
        acknowledged.extend(batches);
    }
    let elapsed = start.elapsed();
    std::thread::sleep(Duration::from_millis(200));
    server.program.stop()?;
    let mut late = Vec::new();
    for thread in threads {
        for (at, batch) in thread.join().map_err(|_| anyhow!("a follower panicked"))?? {
            let acknowledged = acknowledged.get(&batch).context("news of no put")?;
            late.push(at.saturating_duration_since(*acknowledged));
        }
    }
    ensure!(!late.is_empty(), "no news");
    late.sort_unstable();
    let percentile = |percent: usize| units::time(late[(late.len() - 1) * percent / 100]);
    Ok(vec![
        format!("{TIMED} of {} series", if wide { 100 } else { 10 }),
        units::scaled(units::rate(points as u64, elapsed)),
        String::new(),
        String::new(),
        units::scaled(units::ratio(late.len() as u64, 1)),
        percentile(50),
        percentile(99),
        percentile(100),
    ])
}

/// When each line came, and the batch that it is of.
type News = Vec<(Instant, u64)>;

fn follow_with_times(address: SocketAddr, selector: &str) -> Result<JoinHandle<Result<News>>> {
    let mut stream = follow(address, selector)?;
    Ok(std::thread::Builder::new().stack_size(128 * 1024).spawn(move || {
        let (mut news, mut buffer, mut kept) = (Vec::new(), vec![0; 64 * 1024], Vec::new());
        loop {
            let read = match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return Ok(news),
                Ok(read) => read,
            };
            let at = Instant::now();
            kept.extend_from_slice(&buffer[..read]);
            while let Some(end) = memchr::memchr(b'\n', &kept) {
                let line = std::str::from_utf8(&kept[..end])?;
                let timestamp = line.rsplit(' ').next().context("a line without words")?;
                news.push((at, timestamp.parse()?));
                kept.drain(..=end);
            }
        }
    })?)
}

/// Puts batches, one every so often. Answers when each was acknowledged, by its timestamp.
fn send(
    address: SocketAddr,
    sender: usize,
    start: Instant,
    time: Duration,
) -> Result<Vec<(u64, Instant)>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let names: Vec<_> = slice(sender, SENDERS).map(name).collect();
    let mut names = names.iter().cycle();
    let (mut acknowledged, mut request) = (Vec::new(), Vec::new());
    let mut replies = vec![0; BATCH * b"ok\n\n".len()];
    for number in 0_u32.. {
        let due = start + PAUSE * number + PAUSE / 4 * u32::try_from(sender)?;
        if due - start > time {
            break;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let batch = FIRST_SECOND + u64::from(number) * SENDERS as u64 + sender as u64;
        request.clear();
        for name in names.by_ref().take(BATCH) {
            writeln!(request, "put {name} 23.75 {batch}")?;
        }
        stream.write_all(&request)?;
        stream.read_exact(&mut replies)?;
        acknowledged.push((batch, Instant::now()));
    }
    Ok(acknowledged)
}
