//! Servers that are not what the client expects.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::wait::{PATIENCE, in_time};

/// What is said of a server without selectors, before the interval.
pub const POLLED: &str = "tui-client: this server knows no selectors; polling every ";

/// A listener, and its port.
pub fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port on which no server listens.
pub fn free_port() -> u16 {
    listen().1
}

/// The next connection, from which no read waits for ever.
#[track_caller]
pub fn accept(listener: &TcpListener) -> TcpStream {
    let listener = listener.try_clone().unwrap();
    let (stream, _) = in_time("a connection", move || listener.accept().unwrap());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A server whose connections do one thing after another; its port.
pub fn peer(connections: Vec<fn(&TcpStream, &mut BufReader<&TcpStream>)>) -> (u16, JoinHandle<()>) {
    let (listener, port) = listen();
    let serving = thread::spawn(move || {
        let mut held = Vec::new();
        for connection in connections {
            let stream = accept(&listener);
            connection(&stream, &mut BufReader::new(&stream));
            held.push(stream);
        }
    });
    (port, serving)
}

/// A server of any number of connections that answers each line so, as long as the test runs; its port.
pub fn answering(answer: impl Fn(&str) -> String + Clone + Send + 'static) -> u16 {
    let (listener, port) = listen();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let answer = answer.clone();
            thread::spawn(move || {
                for line in BufReader::new(&stream).lines() {
                    let Ok(line) = line else { return };
                    if (&stream).write_all(answer(&line).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// The next line that the client sends.
#[track_caller]
pub fn request(from: &mut BufReader<&TcpStream>) -> String {
    let mut heard = String::new();
    from.read_line(&mut heard).unwrap_or_else(|error| panic!("waiting for a request: {error}"));
    heard.trim_end_matches('\n').to_owned()
}

/// Answers the probe of a client that has several requests to send, as a server that takes them ahead
/// of replies.
#[track_caller]
pub fn answer_probe(mut stream: &TcpStream, from: &mut BufReader<&TcpStream>) {
    hear(from, &["get tui-client.probe", "get wrong command test"]);
    stream.write_all(b"ok\n\nerror\nwrong command\n\n").unwrap();
    hear(from, &["get tui-client.probe"]);
    stream.write_all(b"ok\n\n").unwrap();
}

/// The next request, of a client to which this is a server without selectors: it knows no key of the
/// name of one.
#[track_caller]
pub fn plain_request(mut stream: &TcpStream, from: &mut BufReader<&TcpStream>) -> String {
    loop {
        let heard = request(from);
        if !heard.ends_with(']') {
            return heard;
        }
        stream.write_all(b"ok\n\n").unwrap();
    }
}

/// The next lines that the client sends.
#[track_caller]
pub fn hear(from: &mut BufReader<&TcpStream>, lines: &[&str]) {
    for line in lines {
        assert_eq!(request(from), *line);
    }
}

/// Waits until the client closes the connection.
#[track_caller]
pub fn until_given_up(from: &mut BufReader<&TcpStream>) {
    assert_eq!(request(from), "", "nothing more is sent");
}
