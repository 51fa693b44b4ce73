//! SIGHUP: certificates are loaded again while the server serves.

use std::io::{ErrorKind, Read};
use std::process::Stdio;

use rustls::pki_types::CertificateDer;
use shared::certificates::Subject;

use super::refused;
use crate::harness::process::{ServerProcess, command};
use crate::harness::tls::{Certificates, put, request};

/// A server that a supervisor has started: without a terminal.
fn supervised(options: &[String]) -> ServerProcess {
    let mut program = ServerProcess::spawn(
        command().arg("--ephemeral").args(options).stdin(Stdio::null()).stdout(Stdio::null()),
    );
    program.wait_until_listening();
    program
}

fn reload(program: &mut ServerProcess) {
    program.signal("-HUP");
    program.wait_for_line("SIGHUP: certificates are loaded again");
}

#[test]
fn a_renewed_certificate_is_shown_and_one_that_is_wrong_changes_nothing() {
    let mut certificates = Certificates::new();
    let mut program = supervised(&certificates.options());
    let shown = |certificates: &Certificates, program: &ServerProcess| {
        let mut stream = certificates.connect(program, None).unwrap();
        put(&mut stream, "put a 1 1\n").unwrap();
        let chain: &[CertificateDer<'_>] = stream.conn.peer_certificates().unwrap();
        chain[0].to_vec()
    };
    let first = shown(&certificates, &program);
    let mut open = certificates.connect(&program, None).unwrap();
    put(&mut open, "put a 1 1\n").unwrap();
    let renewed = certificates.of_servers.issue(&Subject::with_names(["localhost"])).unwrap();
    // Half of it is no pair.
    certificates.write("server.pem", &renewed.certificate);
    program.signal("-HUP");
    let line = program.wait_for_line("SIGHUP: certificates stay as they were");
    assert!(line.contains("WARN") && line.contains("does not belong to"), "{line}");
    assert_eq!(shown(&certificates, &program), first);
    certificates.show(&renewed);
    reload(&mut program);
    assert_ne!(shown(&certificates, &program), first);
    put(&mut open, "put a 2 2\n").unwrap();
    drop(open);
    program.stop();
}

#[test]
fn a_connection_whose_certificate_is_revoked_ends_and_others_go_on() {
    let mut certificates = Certificates::new();
    let mut program = supervised(&certificates.strict_options());
    let (good, bad) = (certificates.client("palm"), certificates.client("eardrum"));
    let mut kept = certificates.connect(&program, Some(&good)).unwrap();
    let mut ended = certificates.connect(&program, Some(&bad)).unwrap();
    put(&mut kept, "put palm.cpu 1 1\n").unwrap();
    put(&mut ended, "put eardrum.cpu 1 1\n").unwrap();
    certificates.write("crl.pem", &certificates.of_clients.revoke(&[&bad]).unwrap());
    reload(&mut program);
    let end = ended.read(&mut [0; 10]).expect_err("it is reset");
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    put(&mut kept, "put palm.cpu 2 2\n").unwrap();
    assert!(refused(&certificates, &program, Some(&bad)).contains("CertificateRevoked"));
    let said = request(&mut kept, "get *\n").unwrap();
    assert_eq!(said, "ok\npalm.cpu 1.0 1\npalm.cpu 2.0 2\neardrum.cpu 1.0 1\n\n");
    // The whole authority is replaced.
    let mut kept = certificates.connect(&program, Some(&good)).unwrap();
    put(&mut kept, "put palm.cpu 3 3\n").unwrap();
    let other = Certificates::new();
    certificates.write("client-ca.pem", &other.of_clients.certificate());
    certificates.write("crl.pem", &other.of_clients.revoke(&[]).unwrap());
    reload(&mut program);
    assert_eq!(kept.read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let log = program.stop();
    assert!(log.contains("connection ended: the certificate of the client was revoked"), "{log}");
    assert!(log.contains("ended_certificates=2"), "{log}");
}

/// Whoever forgets to renew one has not to let in what was revoked.
#[test]
fn an_expired_certificate_of_the_server_holds_up_no_revocation() {
    let mut certificates = Certificates::new();
    let mut program = supervised(&certificates.strict_options());
    let (good, bad) = (certificates.client("palm"), certificates.client("eardrum"));
    let old = Subject::with_names(["localhost"]).in_years(2000, 2001);
    let old = certificates.of_servers.issue(&old).unwrap();
    certificates.show(&old);
    certificates.write("crl.pem", &certificates.of_clients.revoke(&[&bad]).unwrap());
    program.signal("-HUP");
    let line = program.wait_for_line("has expired");
    assert!(line.contains("WARN") && line.contains("the one before is shown on"), "{line}");
    program.wait_for_line("SIGHUP: certificates are loaded again");
    assert!(refused(&certificates, &program, Some(&bad)).contains("CertificateRevoked"));
    let mut stream = certificates.connect(&program, Some(&good)).unwrap();
    put(&mut stream, "put palm.cpu 1 1\n").unwrap();
    program.stop();
}

#[test]
fn loading_again_under_load_loses_nothing() {
    const CLIENTS: usize = 4;
    const BATCHES: usize = 60;
    const BATCH: usize = 200;
    let mut certificates = Certificates::new();
    let mut program = supervised(&certificates.strict_options());
    let client = certificates.client("palm");
    let renewed = certificates.of_servers.issue(&Subject::with_names(["localhost"])).unwrap();
    let certificates = &certificates;
    let streams: Vec<_> =
        (0..CLIENTS).map(|_| certificates.connect(&program, Some(&client)).unwrap()).collect();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..)
            .zip(streams)
            .map(|(number, mut stream)| {
                scope.spawn(move || {
                    for batch in 0..BATCHES {
                        let lines: Vec<_> = (batch * BATCH..(batch + 1) * BATCH)
                            .map(|at| format!("put palm.{number} {at} {at}\n"))
                            .collect();
                        std::io::Write::write_all(&mut stream, lines.concat().as_bytes()).unwrap();
                        let mut replies = vec![0; "ok\n\n".len() * BATCH];
                        stream.read_exact(&mut replies).unwrap();
                        assert!(replies == "ok\n\n".repeat(BATCH).as_bytes());
                    }
                })
            })
            .collect();
        for round in 0.. {
            certificates.show(&renewed);
            reload(&mut program);
            if round >= 3 && running.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
    });
    let mut stream = certificates.connect(&program, Some(&client)).unwrap();
    let all = request(&mut stream, "get *\n").unwrap();
    assert_eq!(all.lines().count(), CLIENTS * BATCHES * BATCH + 2);
    assert!(!program.stop().contains("connection ended"));
}
