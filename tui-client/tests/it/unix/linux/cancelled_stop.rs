//! A stop that a continuation follows at once.

use rustix::process::Signal;

use crate::harness::pty::{Shell, find};
use crate::harness::server::TestServer;
use crate::harness::wait::wait_until;
use crate::terminal::ending::job_control::KnownClient;

/// Waits until no signal is pending: the system drops a pending stop when CONT is sent.
fn until_heard(client: &KnownClient) {
    let is_waiting = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", client.pid())).unwrap();
        status
            .lines()
            .any(|line| line.starts_with("ShdPnd:") && line.contains(|c| ('1'..='9').contains(&c)))
    };
    wait_until("the signal to be delivered", || !is_waiting());
}

/// The client waits only for a moment for CONT. On a busy machine it may come too late, so the test
/// has some attempts.
#[test]
fn sigtstp_followed_at_once_by_sigcont_does_not_stop() {
    let is_taken_back = |_| {
        let server = TestServer::start();
        let client = KnownClient::new(server.port);
        let shell = Shell::run(&format!("set -m; {}; stty -a; echo over", client.command));
        shell.until_shown("no points yet");
        client.stop();
        until_heard(&client);
        client.signal(Signal::CONT);
        shell.press("put a 1 1\r");
        shell.until("the next request, or a stop", |screen| {
            ["stored a 1.0 1", "over"].iter().any(|text| screen.contents().contains(text))
        });
        if find(&shell.raw(), "\x1b[?1049l").is_some() {
            return false;
        }
        shell.press("\x03");
        shell.until_restored();
        true
    };
    assert!((0..20).any(is_taken_back), "each time it stops");
}
