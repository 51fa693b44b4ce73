//! A terminal that goes away without a signal.

use std::io::Write;

use crate::harness::bare_pty::BarePty;
use crate::harness::client::finish;
use crate::harness::server::TestServer;

#[test]
fn an_idle_client_ends_when_its_terminal_goes_away() {
    let server = TestServer::start();
    let (mut terminal, client) = BarePty::start(server.port);
    terminal.until_drawn("no points yet");
    terminal.master.write_all(b"\x1b[17~").unwrap();
    terminal.until_drawn("paused, F6 resumes");
    // The notice goes with the next key; then nothing on the screen changes any more.
    terminal.master.write_all(b"x").unwrap();
    terminal.until_drawn("> x");
    drop(terminal);
    // And not 101, by a panic about a message that can't be written.
    assert_eq!(finish(client).0, 1);
}
