//! What connections cost that wait, before and after they had much to do.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::abuse;
use crate::harness::process::{ServerProcess, retry};

/// KiB for each connection.
const BOUND: u64 = 10;

const BURST: usize = 2000;

/// KiB that the server takes more than before, for each of so many connections.
fn each(program: &ServerProcess, before: u64, connections: usize) -> u64 {
    let (now, _) = program.memory().unwrap();
    now.saturating_sub(before) / connections as u64
}

fn put(stream: &mut TcpStream, text: &[u8], count: usize) {
    let mut sender = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.write_all(text).unwrap());
        let mut replies = vec![0; "ok\n\n".len() * count];
        stream.read_exact(&mut replies).unwrap();
        assert!(replies == "ok\n\n".repeat(count).as_bytes());
    });
}

#[test]
fn a_connection_that_waits_costs_little_also_after_a_burst() {
    server::os::raise_open_files_limit();
    let connections = abuse(1000);
    // Points in memory are not to be measured.
    let program = ServerProcess::start(["--ephemeral", "--log-limit", "64KiB"]);
    let burst = "put palm.cpu 23.7 1150864247\n".repeat(BURST);
    let mut first = program.connect();
    for _ in 0..20 {
        put(&mut first, burst.as_bytes(), BURST);
    }
    let (before, _) = program.memory().unwrap();
    let mut streams: Vec<_> = (0..connections).map(|_| program.connect()).collect();
    for stream in &mut streams {
        put(stream, b"put a 1 1\n", 1);
    }
    let idle = each(&program, before, connections);
    assert!(idle <= BOUND, "{idle} KiB");
    for stream in &mut streams {
        put(stream, burst.as_bytes(), BURST);
    }
    // The checkpoint of the last points may still be under way.
    let mut after = 0;
    retry("memory is given back", || {
        after = each(&program, before, connections);
        (after <= BOUND).then_some(())
    });
    eprintln!("{idle} KiB a connection, {after} KiB after a burst");
    drop(streams);
    program.stop();
}
