//! Something between the client and the server that passes everything on and keeps count.

use std::io::{IoSliceMut, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;

/// A server behind it is reached at this port.
pub struct Proxy {
    pub port: u16,
    requests: Arc<AtomicU64>,
    lines: Arc<AtomicU64>,
}

impl Proxy {
    /// Also tells the moment at which a request with this text was written: the system's own, so
    /// that it does not matter when this process gets to run.
    pub fn before(server: u16, wanted: &'static str) -> (Self, Receiver<SystemTime>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, requests: Arc::default(), lines: Arc::default() };
        let (requests, lines) = (Arc::clone(&proxy.requests), Arc::clone(&proxy.lines));
        let (saw, seen) = channel();
        let serve = move |client: TcpStream,
                          saw: Sender<SystemTime>,
                          requests: &AtomicU64,
                          lines: Arc<AtomicU64>| {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            setsockopt(&client, ReceiveTimestampns, &true).unwrap();
            let (mut answers, mut back) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let mut bytes = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = answers.read(&mut bytes) {
                    count(&bytes[..read], &lines);
                    if back.write_all(&bytes[..read]).is_err() {
                        return;
                    }
                }
            });
            let mut bytes = vec![0; 64 * 1024];
            while let Some((read, at)) = read_stamped(&client, &mut bytes) {
                let bytes = &bytes[..read];
                count(bytes, requests);
                if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                    // Nobody listens at the end.
                    let _ = saw.send(at);
                }
                if (&server).write_all(bytes).is_err() {
                    return;
                }
            }
        };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (saw, requests, lines) =
                    (saw.clone(), Arc::clone(&requests), Arc::clone(&lines));
                thread::spawn(move || serve(client, saw, &requests, lines));
            }
        });
        (proxy, seen)
    }

    /// Lines to the server.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Lines from the server.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }
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

fn count(bytes: &[u8], lines: &AtomicU64) {
    let ends = bytes.split(|&byte| byte == b'\n').count() - 1;
    lines.fetch_add(ends as u64, Ordering::Relaxed);
}
