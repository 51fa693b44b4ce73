//! Something between the client and the server that passes everything on and keeps count.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// A server behind it is reached at this port, once.
pub struct Proxy {
    pub port: u16,
    requests: Arc<AtomicU64>,
    lines: Arc<AtomicU64>,
}

impl Proxy {
    /// Also tells the moment at which a request with this text comes by.
    pub fn before(server: u16, wanted: &'static str) -> (Self, Receiver<Instant>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, requests: Arc::default(), lines: Arc::default() };
        let (requests, lines) = (Arc::clone(&proxy.requests), Arc::clone(&proxy.lines));
        let (saw, seen) = channel();
        thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass(back.0, back.1, |bytes| count(bytes, &lines)));
            pass(client, server, |bytes| {
                count(bytes, &requests);
                if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                    // Nobody listens at the end.
                    let _ = saw.send(Instant::now());
                }
            });
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

fn pass(mut from: TcpStream, mut to: TcpStream, look: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        look(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}

fn count(bytes: &[u8], lines: &AtomicU64) {
    let ends = bytes.split(|&byte| byte == b'\n').count() - 1;
    lines.fetch_add(ends as u64, Ordering::Relaxed);
}
