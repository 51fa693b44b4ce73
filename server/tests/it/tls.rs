//! TLS: who comes in, who does not, and what is said of it.

#[cfg(target_os = "linux")]
mod idle;
mod limited;
mod limits;
mod public;
// Windows has no such signal.
#[cfg(unix)]
mod reload;
mod start;

use std::io::{self, Read, Write};

use shared::certificates::{Authority, Issued, Subject};

use crate::harness::process::ServerProcess;
use crate::harness::tls::{Certificates, put, request};

/// A throw-away server with these options.
fn serve(options: &[String]) -> ServerProcess {
    ServerProcess::start(["--ephemeral".to_owned()].iter().chain(options))
}

#[test]
fn requests_go_through_tls_and_the_server_answers_all_of_a_client_that_is_done() {
    const POINTS: usize = 20_000;
    let certificates = Certificates::new();
    let program = serve(&certificates.options());
    let puts: Vec<_> = (0..POINTS).map(|n| format!("put palm.cpu {n} {n}\n")).collect();
    let mut stream = certificates.connect(&program, None).unwrap();
    for some in puts.chunks(1000) {
        stream.write_all(some.concat().as_bytes()).unwrap();
        let mut replies = vec![0; "ok\n\n".len() * some.len()];
        stream.read_exact(&mut replies).unwrap();
        assert!(replies == "ok\n\n".repeat(some.len()).as_bytes());
    }
    // A rest without its end is no request.
    let replies = request(&mut stream, "get *\nput palm.cpu 1 1").unwrap();
    assert_eq!(replies.lines().count(), POINTS + 2);
    assert!(replies.ends_with("palm.cpu 19999.0 19999\n\n"));
    let log = program.stop();
    assert!(log.contains("the certificate of the server lasts until 2099-01-01"), "{log}");
    assert!(!log.contains("connection ended"), "{log}");
}

/// What a client hears that is not taken.
fn refused(
    certificates: &Certificates,
    program: &ServerProcess,
    client: Option<&Issued>,
) -> String {
    let said = certificates
        .connect(program, client)
        .and_then(|mut stream| request(&mut stream, "put outsider 1 1\nget *\n"));
    said.expect_err("it is refused").to_string()
}

#[test]
fn an_outsider_can_neither_put_nor_get() {
    let mut certificates = Certificates::new();
    let good = certificates.client("palm");
    let revoked = certificates.client("eardrum");
    let expired =
        certificates.of_clients.issue(&Subject::with_names(["old"]).in_years(2001, 2002)).unwrap();
    let early =
        certificates.of_clients.issue(&Subject::with_names(["new"]).in_years(2097, 2098)).unwrap();
    let mut other =
        Authority::new(&Subject::with_names([]).called("authority of clients")).unwrap();
    let foreign = other.issue(&Subject::with_names(["palm"])).unwrap();
    // One of the authority of servers is no client.
    let server = certificates.of_servers.issue(&Subject::with_names(["palm"])).unwrap();
    certificates.write("crl.pem", &certificates.of_clients.revoke(&[&revoked]).unwrap());
    let program = serve(&certificates.strict_options());
    let mut stream = certificates.connect(&program, Some(&good)).unwrap();
    put(&mut stream, "put palm.cpu 1 1\n").unwrap();
    for (client, said) in [
        (None, "CertificateRequired"),
        (Some(&expired), "CertificateExpired"),
        (Some(&early), "CertificateExpired"),
        (Some(&revoked), "CertificateRevoked"),
        (Some(&foreign), "DecryptError"),
        (Some(&server), "UnknownCA"),
    ] {
        let heard = refused(&certificates, &program, client);
        assert!(heard.contains(said), "{said}: {heard}");
    }
    assert_eq!(request(&mut stream, "get *\n").unwrap(), "ok\npalm.cpu 1.0 1\n\n");
    let log = program.stop();
    assert!(log.contains(" puts=1") && log.contains("failed_handshakes=6"), "{log}");
    assert_eq!(log.matches("no TLS with a client").count(), 1, "{log}");
}

/// It hears an alert, and nothing that it said is done.
#[test]
fn a_plain_client_is_told_that_the_port_speaks_tls() {
    let certificates = Certificates::new();
    let program = serve(&certificates.options());
    for said in ["put a 1 1\n".repeat(1000), "POST / HTTP/1.1\r\n\r\nput a 1 1\n".to_owned()] {
        let mut plain = program.connect();
        plain.write_all(said.as_bytes()).unwrap();
        let mut heard = Vec::new();
        plain.read_to_end(&mut heard).unwrap();
        assert!(shared::response::BadReply::is_tls(&heard), "{heard:?}");
    }
    let mut stream = certificates.connect(&program, None).unwrap();
    assert_eq!(request(&mut stream, "get *\n").unwrap(), "ok\n\n");
    program.stop();
}

#[test]
fn a_client_with_tls_gets_nothing_from_a_plain_port() {
    let certificates = Certificates::new();
    let program = ServerProcess::start(["--ephemeral"]);
    let error = certificates.connect(&program, None).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(program.stop().contains("the client speaks TLS"));
}

/// As over plain TCP: a browser has no scruples about certificates of localhost once it was told.
#[test]
fn a_web_page_can_not_write_through_tls() {
    let certificates = Certificates::new();
    let program = serve(&certificates.options());
    let mut stream = certificates.connect(&program, None).unwrap();
    let page = format!("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{}", "put a 1 1\n".repeat(100));
    assert_eq!(request(&mut stream, &page).unwrap_or_default(), "");
    let mut stream = certificates.connect(&program, None).unwrap();
    assert_eq!(request(&mut stream, "get *\n").unwrap(), "ok\n\n");
    assert!(program.stop().contains("the client speaks HTTP"));
}
