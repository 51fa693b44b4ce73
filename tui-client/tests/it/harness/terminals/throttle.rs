//! A proxy in front of the server that passes on only as many bytes as it is allowed.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// How many more bytes may go to the server.
type Room = Arc<(Mutex<usize>, Condvar)>;

/// A proxy for a server, without a limit at first.
pub struct Throttle {
    pub port: u16,
    room: Room,
}

impl Throttle {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let room = Room::new((Mutex::new(usize::MAX), Condvar::new()));
        let passing = Arc::clone(&room);
        thread::spawn(move || {
            for client in listener.incoming().map(Result::unwrap) {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (mut replies, mut back) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || io::copy(&mut replies, &mut back));
                let room = Arc::clone(&passing);
                thread::spawn(move || pass(&client, &server, &room));
            }
        });
        Self { port, room }
    }

    /// Sets how many more bytes may go to the server.
    pub fn let_through(&self, bytes: usize) {
        *self.room.0.lock().unwrap() = bytes;
        self.room.1.notify_all();
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, room: &Room) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let count = from.read(&mut bytes)?;
        if count == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        let mut rest = &bytes[..count];
        while !rest.is_empty() {
            let mut left = room.1.wait_while(room.0.lock().unwrap(), |left| *left == 0).unwrap();
            let (now, later) = rest.split_at(rest.len().min(*left));
            *left -= now.len();
            drop(left);
            to.write_all(now)?;
            rest = later;
        }
    }
}
