//! What connections with TLS cost that wait, before and after they had much to do.

use std::io::{Read, Write};

use super::serve;
use crate::harness::process::retry;
use crate::harness::tls::{Certificates, TlsStream, put};

/// Not more than 48 KiB beside what a connection costs without TLS.
#[test]
fn a_connection_that_waits_costs_little_also_after_a_burst() {
    const CONNECTIONS: usize = 300;
    const BOUND: u64 = 10 + 48;
    const BURST: usize = 1000;
    server::os::raise_open_files_limit();
    let mut certificates = Certificates::new();
    let options = ["--log-limit".to_owned(), "64KiB".to_owned()];
    let program = serve(&[certificates.strict_options(), options.to_vec()].concat());
    let client = certificates.client("palm");
    let line = "put palm.cpu 23.7 1150864247\n";
    let burst = |stream: &mut TlsStream| {
        stream.write_all(line.repeat(BURST).as_bytes()).unwrap();
        let mut replies = vec![0; "ok\n\n".len() * BURST];
        stream.read_exact(&mut replies).unwrap();
    };
    let mut first = certificates.connect(&program, Some(&client)).unwrap();
    for _ in 0..20 {
        burst(&mut first);
    }
    let (before, _) = program.memory().unwrap();
    let each = || {
        let (now, _) = program.memory().unwrap();
        now.saturating_sub(before) / CONNECTIONS as u64
    };
    let mut streams: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = certificates.connect(&program, Some(&client)).unwrap();
            put(&mut stream, line).unwrap();
            stream
        })
        .collect();
    let idle = each();
    assert!(idle <= BOUND, "{idle} KiB");
    streams.iter_mut().for_each(burst);
    let mut after = 0;
    retry("memory is given back", || {
        after = each();
        (after <= BOUND).then_some(())
    });
    eprintln!("{idle} KiB a connection with TLS, {after} KiB after a burst");
    drop(streams);
    program.stop();
}
