//! Listening where other machines come in.

use crate::harness::process::{ServerProcess, command, run};
use crate::harness::tls::Certificates;

const ANYWHERE: [&str; 5] = ["--ephemeral", "--host", "0.0.0.0", "--port", "0"];

#[test]
fn other_machines_need_certificates_or_a_word_that_they_need_none() {
    let certificates = Certificates::new();
    for options in [Vec::new(), certificates.options()] {
        let output = run(command().args(ANYWHERE).args(&options));
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        let refusal = said.lines().last().unwrap();
        for part in ["other machines reach 0.0.0.0:", "--tls-client-ca", "--insecure-public"] {
            assert!(refusal.starts_with("server: ") && refusal.contains(part), "{said}");
        }
        assert!(!said.contains("listening on"), "{said}");
        let told = options.iter().map(String::as_str).chain(["--insecure-public"]);
        let log = ServerProcess::start(ANYWHERE[..3].iter().copied().chain(told)).stop();
        let warned = log.lines().find(|line| line.contains("WARN")).unwrap();
        assert!(warned.contains("reads and writes everything (--insecure-public)"), "{log}");
        assert_eq!(warned.contains("can be read on the way"), options.is_empty(), "{log}");
    }
    let strict = certificates.strict_options();
    let log = ServerProcess::start(ANYWHERE[..3].iter().copied().map(str::to_owned).chain(strict));
    assert!(!log.stop().contains("WARN"));
}

#[test]
fn loopback_needs_no_word() {
    for host in ["127.0.0.1", "localhost"] {
        let output = ServerProcess::start(["--ephemeral", "--host", host]).stop();
        assert!(!output.contains("WARN"), "{output}");
    }
}
