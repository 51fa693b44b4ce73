//! TLS in plain mode: what goes through it, and what is said when there is none.

use std::io::Write;
use std::process::{Command, Stdio};

use shared::certificates::{Authority, Subject};

use crate::harness::certificates::Certificates;
use crate::harness::client::{Lines, finish, kill, piped, unix_now};
use crate::harness::server::TestServer;

/// The client of a server at `localhost`.
fn client(port: u16, options: &[String], args: &[&str]) -> Command {
    client_of(&format!("localhost:{port}"), options, args)
}

fn client_of(host: &str, options: &[String], args: &[&str]) -> Command {
    let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--host", host]).args(options).args(args);
    command
}

fn run(port: u16, options: &[String], args: &[&str]) -> (i32, String, String) {
    finish(client(port, options, args).spawn().unwrap())
}

#[test]
fn all_of_plain_mode_goes_through_tls() {
    let certificates = Certificates::new();
    let server = TestServer::start_with(certificates.tls(true, unix_now()));
    let options = certificates.options(Some("client"));
    let nothing = String::new;
    assert_eq!(run(server.port, &options, &["put", "a", "1", "7"]), (0, nothing(), nothing()));
    let point = "a 1.0 7\n".to_owned();
    assert_eq!(run(server.port, &options, &["get", "a"]), (0, point.clone(), nothing()));
    assert_eq!(run(server.port, &options, &["--once"]), (0, point, nothing()));
    // More than sockets and the library hold, in both directions, and sent ahead of replies.
    let puts: Vec<_> = (0..100_000).map(|at| format!("put b {at} {at}\n")).collect();
    let mut importing = client(server.port, &options, &[]).stdin(Stdio::piped()).spawn().unwrap();
    importing.stdin.take().unwrap().write_all(puts.concat().as_bytes()).unwrap();
    let (code, _, said) = finish(importing);
    assert_eq!(code, 0, "{said}");
    let (code, points, _) = run(server.port, &options, &["get", "b"]);
    assert_eq!((code, points.lines().count()), (0, 100_000));
    let mut watching = client(server.port, &options, &["--watch", "c"]).spawn().unwrap();
    let lines = Lines::of(watching.stdout.take());
    run(server.port, &options, &["put", "c", "5", "8"]);
    assert_eq!(lines.next_line(), "c 5.0 8");
    kill(watching);
}

#[test]
fn several_servers_are_one_view_through_tls() {
    let certificates = Certificates::new();
    let servers = [(); 2].map(|()| TestServer::start_with(certificates.tls(true, unix_now())));
    let mut options = certificates.options(Some("client"));
    for server in &servers {
        assert_eq!(run(server.port, &options, &["put", "cpu", "1", "7"]).0, 0);
    }
    options.extend(["--host".to_owned(), format!("y=localhost:{}", servers[1].port)]);
    let host = format!("x=localhost:{}", servers[0].port);
    let found = finish(client_of(&host, &options, &["get", "*/cpu"]).spawn().unwrap());
    assert_eq!(found, (0, "x/cpu 1.0 7\ny/cpu 1.0 7\n".to_owned(), String::new()));
}

/// The code and the only line on standard error of a client that gets nothing.
fn said(port: u16, options: &[String]) -> String {
    let (code, out, said) = run(port, options, &["get", "*"]);
    assert_eq!((code, &*out, said.lines().count()), (3, "", 1), "{said}");
    let line = said.strip_prefix("tui-client: ").unwrap().trim_end();
    line.replace(&format!("localhost:{port}: "), "")
}

#[test]
fn what_is_wrong_with_a_server_is_one_sentence() {
    let mut certificates = Certificates::new();
    let now = unix_now();
    let server = TestServer::start_with(certificates.tls(false, now));
    let plain = TestServer::start();
    let options = certificates.options(None);
    assert_eq!(
        said(plain.port, &options),
        "the server does not speak TLS; without --tls it may answer"
    );
    let heard = said(server.port, &[]);
    assert!(heard.ends_with("it speaks TLS; --tls has this client speak it, too"), "{heard}");
    let other = Authority::new(&Subject::with_names([]).called("another")).unwrap();
    certificates.write("ca", &other.certificate());
    let unknown =
        "the certificate of the server is of no CA that is known here; --ca FILE names its CA";
    assert_eq!(said(server.port, &options), unknown);
    certificates.write("ca", &certificates.of_servers.certificate());
    let mut wrong = client_of(&format!("127.0.0.1:{}", server.port), &options, &["get", "*"]);
    let (code, _, heard) = finish(wrong.spawn().unwrap());
    assert_eq!(code, 3);
    let wanted = "the certificate of the server is for localhost; --host has to be a name in it\n";
    assert!(heard.ends_with(wanted), "{heard}");
    for (from, until, at, wanted) in [
        (
            2001,
            2002,
            1_000_000_000,
            "the certificate of the server has expired; it has to be renewed there",
        ),
        (
            2097,
            2098,
            4_020_000_000,
            "the certificate of the server is not good yet: is the clock of this machine right?",
        ),
    ] {
        let subject = Subject::with_names(["localhost"]).in_years(from, until);
        let issued = certificates.of_servers.issue(&subject).unwrap();
        certificates.write_pair("server", &issued);
        // It was good when the server loaded it.
        let server = TestServer::start_with(certificates.tls(false, at));
        assert_eq!(said(server.port, &options), wanted);
    }
}

#[test]
fn what_a_server_thinks_of_a_client_is_one_sentence() {
    let mut certificates = Certificates::new();
    let revoked = certificates.of_clients.issue(&Subject::with_names(["palm"])).unwrap();
    certificates.write("crl", &certificates.of_clients.revoke(&[&revoked]).unwrap());
    certificates.write_pair("revoked", &revoked);
    let expired = Subject::with_names(["palm"]).in_years(2001, 2002);
    let expired = certificates.of_clients.issue(&expired).unwrap();
    certificates.write_pair("expired", &expired);
    let foreign = certificates.of_servers.issue(&Subject::with_names(["palm"])).unwrap();
    certificates.write_pair("foreign", &foreign);
    let server = TestServer::start_with(certificates.tls(true, unix_now()));
    let mine = "this client's certificate";
    for (client, wanted) in [
        (None, "the server wants a certificate; --cert FILE and --key FILE show one".to_owned()),
        (
            Some("expired"),
            format!(
                "the server says that {mine} has expired, or is not good yet; --cert FILE shows another"
            ),
        ),
        (
            Some("revoked"),
            format!("the server says that {mine} was revoked; --cert FILE shows another"),
        ),
        (
            Some("foreign"),
            format!("the server does not take {mine}; --cert FILE has to be of its CA"),
        ),
    ] {
        assert_eq!(said(server.port, &certificates.options(client)), wanted, "{client:?}");
    }
    let (code, ..) = run(server.port, &certificates.options(Some("client")), &["get", "*"]);
    assert_eq!(code, 0);
}

#[test]
fn what_is_wrong_with_the_files_or_options_is_said_at_once() {
    let certificates = Certificates::new();
    let path = |name: &str| certificates.path(name);
    certificates.write("empty", "");
    let missing = format!("can't read {}: ", path("missing"));
    let empty = format!("{} holds no certificate in PEM form", path("empty"));
    let no_key = format!("{} holds no key without a password in PEM form", path("empty"));
    let other = format!("the key in {} does not belong to", path("server.key"));
    for (args, wanted) in [
        (&["--tls", "--ca", "missing"][..], &missing[..]),
        (&["--tls", "--ca", "empty"], &empty),
        (&["--tls", "--cert", "client", "--key", "empty"], &no_key),
        (&["--tls", "--cert", "client", "--key", "server.key"], &other),
        (&["--ca", "ca"], "--tls"),
        (&["--tls", "--cert", "client"], "--key"),
        (&["--tls", "--key", "client.key"], "--cert"),
    ] {
        let args: Vec<_> = args
            .iter()
            .map(|&arg| if arg.starts_with('-') { arg.to_owned() } else { path(arg) })
            // Whatever the machine has of its own.
            .chain((!args.contains(&"--ca")).then(|| format!("--ca={}", path("ca"))))
            .filter(|arg| args.contains(&"--tls") || !arg.starts_with("--ca="))
            .collect();
        let (code, out, said) = run(1, &args, &["get", "*"]);
        assert_eq!((code, &*out), (2, ""), "{said}");
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
}

/// Which this one is none of.
#[test]
fn public_cas_are_believed_by_default() {
    let certificates = Certificates::new();
    let server = TestServer::start_with(certificates.tls(false, unix_now()));
    let unknown =
        "the certificate of the server is of no CA that is known here; --ca FILE names its CA";
    assert_eq!(said(server.port, &["--tls".to_owned()]), unknown);
}
