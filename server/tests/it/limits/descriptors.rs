//! A server with as few descriptors as `ulimit -n` leaves it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::abuse;
use super::connections::put;
use crate::harness::PATIENCE;
use crate::harness::process::{ServerProcess, command};

/// The server with so many descriptors.
fn with_descriptors(count: u32, arguments: &[&str]) -> ServerProcess {
    let server = command();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {count} && exec \"$@\""), "sh"]);
    let mut program = ServerProcess::spawn(
        shell.arg(server.get_program()).args(server.get_args()).args(arguments),
    );
    program.wait_until_listening();
    program
}

/// While the store writes, merges and reads parts.
#[test]
fn few_descriptors_are_enough_for_clients_on_both_addresses_and_for_the_store() {
    const POINTS: usize = 40_000;
    let program = with_descriptors(64, &["--ephemeral", "--log-limit", "512KiB"]);
    let port = program.port();
    std::thread::scope(|scope| {
        for client in 0..16 {
            scope.spawn(move || {
                let address = if client % 2 == 0 { "127.0.0.1" } else { "::1" };
                let Ok(mut stream) = TcpStream::connect((address, port)) else {
                    assert_eq!(address, "::1");
                    return;
                };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut sender = stream.try_clone().unwrap();
                scope.spawn(move || {
                    let puts: Vec<_> =
                        (0..POINTS).map(|n| format!("put k{client} {n} {n}\n")).collect();
                    sender.write_all(puts.concat().as_bytes()).unwrap();
                    sender.write_all(format!("get k{client}\n").as_bytes()).unwrap();
                    sender.shutdown(std::net::Shutdown::Write).unwrap();
                });
                let mut replies = String::new();
                stream.read_to_string(&mut replies).unwrap();
                assert_eq!(replies.matches("ok\n").count(), POINTS + 1);
                assert!(!replies.contains("error") && replies.ends_with("\n\n"));
            });
        }
    });
    let log = program.stop();
    assert!(!log.contains("Too many open files"), "{log}");
}

/// Each of several hundred that come at once is served or told, whatever the descriptors.
#[test]
fn a_storm_of_connections_leaves_none_without_an_end() {
    server::os::raise_open_files_limit();
    let clients = abuse(500);
    let program = with_descriptors(64, &["--ephemeral"]);
    let streams: Vec<_> = (0..clients).map(|_| program.connect()).collect();
    let mut served = Vec::new();
    for mut stream in streams {
        let mut reply = [0; 4];
        let asked = stream.write_all(b"put a 1 1\n").and_then(|()| stream.read_exact(&mut reply));
        match (asked, &reply) {
            (Ok(()), b"ok\n\n") => served.push(stream),
            (Ok(()), reply) => assert_eq!(reply, b"erro"),
            // Reset or closed, and not still open after the limit of the read.
            (Err(error), _) => {
                assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
            }
        }
    }
    assert!(served.len() >= 8, "{}", served.len());
    served.iter_mut().for_each(put);
    program.stop();
}
