//! What a server says that can't speak TLS with what it was given.

use std::fs;

use shared::certificates::Subject;

use crate::harness::process::{command, run};
use crate::harness::tls::Certificates;

/// The one sentence of a server that does not start.
fn said(options: &[String]) -> String {
    let output = run(command().args(["--ephemeral", "--port", "0"]).args(options));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}

#[test]
fn each_mistake_is_one_sentence_that_names_the_file() {
    let mut certificates = Certificates::new();
    let path = |name: &str| certificates.path(name).to_str().unwrap().to_owned();
    let [server, key, ca, crl] = ["server.pem", "server.key", "client-ca.pem", "crl.pem"].map(path);
    let options = certificates.strict_options();
    let other = certificates.of_servers.issue(&Subject::with_names(["other"])).unwrap();
    let expired = Subject::with_names(["localhost"]).in_years(2001, 2002);
    let expired = certificates.of_servers.issue(&expired).unwrap();
    let early = Subject::with_names(["localhost"]).in_years(2097, 2098);
    let early = certificates.of_servers.issue(&early).unwrap();
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, text, expected) in [
        (&server, "hello", format!("{server} holds no certificate in PEM form")),
        (&server, nonsense, format!("{server} can't be used: it holds what is no certificate")),
        (&server, &other.key, format!("{server} holds no certificate in PEM form")),
        (&key, "", format!("{key} holds no key without a password in PEM form")),
        (
            &key,
            &other.key,
            format!("the key in {key} does not belong to the certificate in {server}"),
        ),
        (&ca, "", format!("{ca} holds no certificate in PEM form")),
        (&crl, "", format!("{crl} holds no list of revoked certificates in PEM form")),
    ] {
        let good = fs::read(file).unwrap();
        fs::write(file, text).unwrap();
        let said = said(&options);
        assert!(said.starts_with(&format!("server: can't speak TLS: {expected}")), "{said}");
        fs::write(file, good).unwrap();
    }
    for (pair, expected) in [
        (
            &expired,
            format!("the certificate in {server} has expired: it was good until 2002-01-01"),
        ),
        (&early, format!("the certificate in {server} is good only from 2097-01-01 on")),
    ] {
        certificates.show(pair);
        assert!(said(&options).contains(&expected), "{expected}");
    }
    let good = certificates.of_servers.issue(&Subject::with_names(["localhost"])).unwrap();
    certificates.show(&good);
    for (file, option) in [
        (&crl, "--tls-crl"),
        (&ca, "--tls-client-ca"),
        (&key, "--tls-key"),
        (&server, "--tls-cert"),
    ] {
        fs::remove_file(file).unwrap();
        let said = said(&options);
        let expected = format!("server: can't speak TLS: can't read {file}: ");
        assert!(said.starts_with(&expected) && said.ends_with(option), "{said}");
    }
}

#[test]
fn options_that_need_each_other_say_so() {
    for (given, needed) in [
        (&["--tls-cert", "x"][..], "--tls-key"),
        (&["--tls-key", "x"], "--tls-cert"),
        (&["--tls-client-ca", "x"], "--tls-cert"),
        (&["--tls-cert", "x", "--tls-key", "x", "--tls-crl", "x"], "--tls-client-ca"),
        (&["--tls-cert", "x", "--tls-key", "x", "--limit-by-certificate"], "--tls-client-ca"),
    ] {
        let output = run(command().arg("--ephemeral").args(given));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(needed), "{given:?}: {said}");
    }
}
