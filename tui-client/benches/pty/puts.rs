//! Puts of another client.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shared::response::OK;

/// A connection on which each put is answered before the next.
pub struct Puts(TcpStream);

impl Puts {
    pub fn to(port: u16) -> Self {
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        server.set_nodelay(true).unwrap();
        Self(server)
    }

    /// Sends puts together and waits for their replies.
    pub fn send(&mut self, lines: &str) {
        let mut replies = self.0.try_clone().unwrap();
        let mut rest = lines.lines().count() * OK.len();
        let mut read = move || {
            let mut bytes = vec![0; 64 * 1024];
            while rest > 0 {
                rest -= replies.read(&mut bytes).unwrap();
            }
        };
        if lines.len() < 4096 {
            self.0.write_all(lines.as_bytes()).unwrap();
            return read();
        }
        // On a thread of its own, because a write waits for a server whose replies are not read.
        let reading = thread::spawn(read);
        self.0.write_all(lines.as_bytes()).unwrap();
        reading.join().unwrap();
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Puts so many points of each key, one a second, up to now.
pub fn fill(port: u16, keys: &[String], points: u64) {
    fill_every(port, keys, points, 1);
}

/// As [`fill`], with so many seconds from point to point.
pub fn fill_every(port: u16, keys: &[String], points: u64, seconds: u64) {
    let mut server = Puts::to(port);
    let (end, mut lines) = (now(), String::new());
    for ago in (1..=points).rev() {
        append(keys, end - ago * seconds, &mut lines);
        if lines.len() > 1 << 22 {
            server.send(&lines);
            lines.clear();
        }
    }
    server.send(&lines);
}

/// Appends the puts of all keys in one second.
fn append(keys: &[String], second: u64, lines: &mut String) {
    let end = format!(" {second}\n");
    for (number, key) in keys.iter().enumerate() {
        let value = (number as u64 * 7 + second * 13) % 9973;
        write!(lines, "put {key} {}.{:02}", value / 10, value % 100).unwrap();
        lines.push_str(&end);
    }
}

/// Does something again and again, at an interval, until it is stopped.
pub struct Feed {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feed {
    pub fn start(every: Duration, mut act: impl FnMut() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut next = Instant::now();
            while !end.load(Ordering::Relaxed) {
                act();
                // What took longer than the interval is not made up for.
                next = (next + every).max(Instant::now());
                sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        Self { over, thread }
    }

    /// Puts a point of each key a second, all together, as a collector sends them.
    pub fn of_points(port: u16, keys: Vec<String>) -> Self {
        let (mut server, mut lines) = (Puts::to(port), String::new());
        Self::start(Duration::from_secs(1), move || {
            lines.clear();
            append(&keys, now(), &mut lines);
            server.send(&lines);
        })
    }

    pub fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}
