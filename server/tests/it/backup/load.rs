//! Clients that put all the time, and a follower that is told.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::{connect, retry};

const CLIENTS: usize = 3;

/// Puts sent together.
const BURST: u64 = 100;

/// Client `n` puts 1, 2, 3 … at the times 1, 2, 3 … of its own key.
pub struct Load {
    acknowledged: Arc<[AtomicU64; CLIENTS]>,
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
    follower: JoinHandle<u64>,
    unfollow: std::net::TcpStream,
}

impl Load {
    pub fn start(port: u16) -> Self {
        let acknowledged: Arc<[AtomicU64; CLIENTS]> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let mut stream = connect(port).unwrap();
        stream.write_all(b"get *[+]\n").unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "ok\n");
        let follower = thread::spawn(move || {
            let told = lines.lines().map(|line| line.unwrap()).take_while(|line| !line.is_empty());
            told.count() as u64
        });
        let clients = (0..CLIENTS).map(|client| {
            let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut stream = connect(port).unwrap();
                let mut next = 1;
                while !is_over.load(Ordering::Relaxed) {
                    let mut lines = String::new();
                    for number in next..next + BURST {
                        writeln!(lines, "put c{client} {number} {number}").unwrap();
                    }
                    stream.write_all(lines.as_bytes()).unwrap();
                    let expected = "ok\n\n".repeat(usize::try_from(BURST).unwrap());
                    let mut replies = vec![0; expected.len()];
                    stream.read_exact(&mut replies).unwrap();
                    assert_eq!(String::from_utf8_lossy(&replies), expected);
                    next += BURST;
                    acknowledged[client].store(next - 1, Ordering::SeqCst);
                }
            })
        });
        let clients = clients.collect();
        Self { acknowledged, is_over, clients, follower, unfollow: stream }
    }

    /// The newest acknowledged put of each client.
    pub fn acknowledged(&self) -> Vec<u64> {
        self.acknowledged.iter().map(|newest| newest.load(Ordering::SeqCst)).collect()
    }

    /// Waits until so many more are acknowledged.
    pub fn wait_for_more(&self, count: u64) {
        let sum = || self.acknowledged().iter().sum::<u64>();
        let before = sum();
        retry("puts are acknowledged", || (sum() >= before + count).then_some(()));
    }

    /// Ends all clients; answers the newest put of each. The follower was told of all.
    pub fn stop(mut self) -> Vec<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        for client in std::mem::take(&mut self.clients) {
            client.join().unwrap();
        }
        let all = self.acknowledged();
        // Ends the follow: what waits is sent, then the empty line.
        self.unfollow.write_all(b"\n").unwrap();
        let told = self.follower.join().unwrap();
        assert_eq!(told, all.iter().sum::<u64>());
        let _ = self.unfollow.shutdown(Shutdown::Both);
        all
    }
}

/// What a reply to `get *` lacks of what was acknowledged; each client's puts are a row without holes.
pub fn missing(reply: &str, acknowledged: &[u64]) -> Vec<String> {
    let mut found = vec![0; acknowledged.len()];
    for line in reply.lines().skip(1).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split(' ').collect();
        let client: usize = words[0].strip_prefix('c').unwrap().parse().unwrap();
        let time: u64 = words[2].parse().unwrap();
        assert_eq!((time, words[1]), (found[client] + 1, &*format!("{time}.0")), "{line}");
        found[client] = time;
    }
    let all = found.iter().zip(acknowledged).enumerate();
    let short = all.filter(|(_, (found, acknowledged))| found < acknowledged);
    short
        .map(|(client, (found, acknowledged))| format!("c{client}: {found} of {acknowledged}"))
        .collect()
}
