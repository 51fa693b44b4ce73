//! Something between the client and the server that passes everything on and keeps count.

use std::io::{IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;

/// A server behind it is reached at this port.
pub struct Proxy {
    pub port: u16,
    counts: Arc<Counts>,
    first: Arc<OnceLock<Instant>>,
}

/// What has gone by.
#[derive(Default)]
struct Counts {
    /// Lines to the server.
    requests: AtomicU64,
    /// Lines from the server.
    lines: AtomicU64,
    /// Of both directions.
    bytes: AtomicU64,
}

impl Counts {
    fn count(&self, bytes: &[u8], lines: &AtomicU64) {
        let ends = bytes.split(|&byte| byte == b'\n').count() - 1;
        lines.fetch_add(ends as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Proxy {
    /// Also tells the moment at which a request with this text was written: the system's own, so
    /// that it does not matter when this process gets to run.
    pub fn before(server: u16, wanted: &'static str) -> (Self, Receiver<SystemTime>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, counts: Arc::default(), first: Arc::default() };
        let (counts, first) = (Arc::clone(&proxy.counts), Arc::clone(&proxy.first));
        let (saw, seen) = channel();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                first.get_or_init(Instant::now);
                let (saw, counts) = (saw.clone(), Arc::clone(&counts));
                thread::spawn(move || pass_on(&client, server, wanted, &saw, &counts));
            }
        });
        (proxy, seen)
    }

    /// Lines to the server.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// Lines from the server.
    pub fn lines(&self) -> u64 {
        self.counts.lines.load(Ordering::Relaxed)
    }

    /// Bytes of all connections, in both directions.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// The time since the first connection.
    pub fn since_first(&self) -> Duration {
        self.first.get().map_or(Duration::ZERO, Instant::elapsed)
    }
}

/// Passes on what a client and the server send, until one of them has ended.
fn pass_on(
    client: &TcpStream,
    server: u16,
    wanted: &str,
    saw: &Sender<SystemTime>,
    counts: &Arc<Counts>,
) {
    let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    setsockopt(client, ReceiveTimestampns, &true).unwrap();
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let counts_back = Arc::clone(counts);
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = answers.read(&mut bytes) {
            counts_back.count(&bytes[..read], &counts_back.lines);
            if back.write_all(&bytes[..read]).is_err() {
                return;
            }
        }
        let _ = back.shutdown(Shutdown::Write);
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Some((read, at)) = read_stamped(client, &mut bytes) {
        let bytes = &bytes[..read];
        counts.count(bytes, &counts.requests);
        if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            // Nothing listens at the end.
            let _ = saw.send(at);
        }
        if (&server).write_all(bytes).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// Reads, and says when the last of it came in; nothing at the end. What was on its way before the
/// system was asked to take times, it came in when it is read.
fn read_stamped(from: &TcpStream, bytes: &mut [u8]) -> Option<(usize, SystemTime)> {
    let mut room = nix::cmsg_space!(TimeSpec);
    let mut into = [IoSliceMut::new(bytes)];
    let (from, nothing) = (from.as_raw_fd(), MsgFlags::empty());
    let message = recvmsg::<()>(from, &mut into, Some(&mut room), nothing).ok()?;
    let at = message.cmsgs().find_map(|told| match told {
        ControlMessageOwned::ScmTimestampns(at) => Some(UNIX_EPOCH + Duration::from(at)),
        _ => None,
    });
    (message.bytes > 0).then(|| (message.bytes, at.unwrap_or_else(SystemTime::now)))
}
