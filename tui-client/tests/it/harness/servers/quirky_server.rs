//! Servers of the protocol as they are in the wild: without selectors, and with quirks of their own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::peer::listen;

/// What a server does besides answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing: requests are lines, whatever packets they come in.
    None,
    /// The first line of each read is a request, and the rest is dropped.
    FirstLineOfRead,
    /// Each read is one request, several lines are a wrong one.
    ReadIsRequest,
    /// Each read is one request, whose key may have a line end: it is not there.
    ReadIsKey,
    /// All lines of a read are served, and the last one's reply is sent.
    OneReplyARead,
    /// The first line of a read is served, then the connection is closed.
    ClosesAfterReply,
    /// All lines of the first read are served, then the connection is closed.
    ClosesAfterRead,
    /// A wrong command ends the connection without a reply.
    ClosesOnError,
    /// Another empty line follows each reply.
    EmptyLineBetween,
    /// Three empty lines with a carriage return each follow each reply.
    EmptyLinesBetween,
    /// The next connection is served when the one before has ended.
    OneConnection,
    /// Each byte is sent by itself.
    InPieces,
    /// The points of a reply come in the order of their puts, keys and times mixed.
    Unordered,
    /// Some lines of a reply are no points.
    Malformed,
}

impl Quirk {
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::FirstLineOfRead,
        Self::ReadIsRequest,
        Self::ReadIsKey,
        Self::OneReplyARead,
        Self::ClosesAfterReply,
        Self::ClosesAfterRead,
        Self::ClosesOnError,
        Self::EmptyLineBetween,
        Self::EmptyLinesBetween,
        Self::OneConnection,
        Self::InPieces,
        Self::Unordered,
        Self::Malformed,
    ];
}

/// Lines among the data of [`Quirk::Malformed`].
pub const MALFORMED: [&str; 2] = ["a nonsense 7", "\u{7}"];

#[derive(Default)]
struct State {
    /// Key, value and timestamp as they were put.
    points: Mutex<Vec<[String; 3]>>,
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

/// A running server.
pub struct QuirkyServer {
    pub port: u16,
    state: Arc<State>,
}

impl QuirkyServer {
    pub fn start(quirk: Quirk) -> Self {
        let (listener, port) = listen();
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        thread::spawn(move || serve(&listener, quirk, &serving));
        Self { port, state }
    }

    /// Stores a point, as another client would.
    pub fn put(&self, key: &str, value: &str, timestamp: i64) {
        self.put_together(&[(key, value, timestamp)]);
    }

    /// Stores points, none of which is there without the others.
    pub fn put_together(&self, points: &[(&str, &str, i64)]) {
        let mut stored = self.state.points.lock().unwrap();
        for (key, value, timestamp) in points {
            put(&mut stored, [key, value, &timestamp.to_string()]);
        }
    }

    /// The points as lines, in the order of their puts.
    pub fn stored(&self) -> Vec<String> {
        self.state.points.lock().unwrap().iter().map(|point| point.join(" ")).collect()
    }

    /// The requests so far, without those that only find out what the server is like.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.state.requests.lock().unwrap();
        let probes = ["get tui-client.probe", "get wrong command test"];
        requests.iter().filter(|line| !probes.contains(&line.as_str())).cloned().collect()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for QuirkyServer {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // The listener finds out that it is over. A connection ends with its client.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn serve(listener: &TcpListener, quirk: Quirk, state: &Arc<State>) {
    while let Ok((stream, _)) = listener.accept() {
        if state.is_over.load(Ordering::SeqCst) {
            return;
        }
        state.connections.fetch_add(1, Ordering::SeqCst);
        let state = Arc::clone(state);
        // A client may go away at any time.
        let conversation = thread::spawn(move || drop(converse(stream, quirk, &state)));
        if quirk == Quirk::OneConnection {
            conversation.join().unwrap();
        }
    }
}

fn converse(mut stream: TcpStream, quirk: Quirk, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut kept) = ([0; 4096], String::new());
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let first = lines.first().copied().unwrap_or_default();
        let answer = |line: &str| answer(line, quirk, state);
        let replies = match quirk {
            Quirk::FirstLineOfRead | Quirk::ClosesAfterReply => answer(first),
            Quirk::ReadIsRequest if lines.len() > 1 => "error\nwrong command\n\n".to_owned(),
            Quirk::ReadIsKey if lines.len() > 1 && first.starts_with("get ") => "ok\n\n".to_owned(),
            Quirk::ReadIsRequest | Quirk::ReadIsKey => answer(text.trim_end()),
            Quirk::OneReplyARead => lines.into_iter().map(answer).last().unwrap_or_default(),
            _ => {
                kept.push_str(&text);
                let end = kept.rfind('\n').map_or(0, |end| end + 1);
                let whole: String = kept.drain(..end).collect();
                whole.lines().map(answer).collect()
            }
        };
        match quirk {
            Quirk::InPieces => {
                for byte in replies.as_bytes() {
                    stream.write_all(&[*byte])?;
                }
            }
            Quirk::ClosesOnError if replies.contains("error\n") => return Ok(()),
            _ => stream.write_all(replies.as_bytes())?,
        }
        if matches!(quirk, Quirk::ClosesAfterReply | Quirk::ClosesAfterRead) {
            return stream.shutdown(Shutdown::Both);
        }
    }
}

fn answer(line: &str, quirk: Quirk, state: &State) -> String {
    state.requests.lock().unwrap().push(line.to_owned());
    let words: Vec<_> = line.split_whitespace().collect();
    let data = match words[..] {
        ["put", key, value, time]
            if value.parse::<f64>().is_ok() && time.parse::<i64>().is_ok() =>
        {
            put(&mut state.points.lock().unwrap(), [key, value, time]);
            String::new()
        }
        ["get", key] => data(state, key, quirk),
        _ => return "error\nwrong command\n\n".to_owned(),
    };
    let more = match quirk {
        Quirk::EmptyLineBetween => "\n",
        Quirk::EmptyLinesBetween => "\r\n\r\n\r\n",
        _ => "",
    };
    format!("ok\n{data}\n{more}")
}

fn put(points: &mut Vec<[String; 3]>, [key, value, time]: [&str; 3]) {
    points.retain(|point| (&*point[0], &*point[2]) != (key, time));
    points.push([key, value, time].map(str::to_owned));
}

fn data(state: &State, key: &str, quirk: Quirk) -> String {
    let mut points = state.points.lock().unwrap().clone();
    if quirk != Quirk::Unordered {
        points.sort_by_key(|[key, _, time]| (key.clone(), time.parse::<i64>().unwrap()));
    }
    let lines = points.iter().filter(|point| key == "*" || point[0] == key);
    let lines = lines.map(|[key, value, time]| format!("{key} {value} {time}\n"));
    let mut lines: Vec<_> = lines.collect();
    if quirk == Quirk::Malformed && !lines.is_empty() {
        lines.insert(0, format!("{}\n", MALFORMED[0]));
        lines.push(format!("{}\n", MALFORMED[1]));
    }
    lines.concat()
}
