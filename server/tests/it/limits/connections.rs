//! How many connections there may be, and what becomes of the one too many.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::process::{ServerProcess, retry};

/// Puts a point and reads the reply.
pub fn put(stream: &mut TcpStream) {
    stream.write_all(b"put a 1 1\n").unwrap();
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"ok\n\n");
}

/// What a client is told that comes now and asks something; it may be reset in a storm.
fn said_to_a_new_one(program: &ServerProcess) -> String {
    let mut stream = program.connect();
    let mut said = String::new();
    let _ = stream.write_all(b"put b 2 2\nget *\n");
    let _ = stream.read_to_string(&mut said);
    said
}

#[test]
fn the_one_too_many_is_told_so_and_a_place_that_is_free_is_taken() {
    let mut program = ServerProcess::start(["--ephemeral", "--max-connections", "2"]);
    let mut streams = [program.connect(), program.connect()];
    streams.iter_mut().for_each(put);
    for _ in 0..20 {
        assert_eq!(
            said_to_a_new_one(&program),
            "error\nthere are too many connections (the limit is 2)\n\n"
        );
    }
    let [mut first, second] = streams;
    put(&mut first);
    drop(second);
    let mut third = retry("a free place", || {
        let mut stream = program.connect();
        stream.write_all(b"put a 1 1\n").ok()?;
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).ok().filter(|()| &reply == b"ok\n\n").map(|()| stream)
    });
    put(&mut third);
    drop((first, third));
    program.wait_until_logged("no place for more connections");
    let log = program.stop();
    assert_eq!(log.matches("no place for more connections").count(), 1, "{log}");
    let total = log.lines().find(|line| line.contains("in all")).unwrap();
    assert!(total.contains(" refused_connections=2"), "{total}");
    assert!(!total.contains("open="), "{total}");
}
