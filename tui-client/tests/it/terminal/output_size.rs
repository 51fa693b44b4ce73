//! The screen has the size of the terminal that it is written to, whatever that of the session is.

use std::io::Write;

use crate::harness::bare_pty::BarePty;
use crate::harness::pty::Shell;
use crate::harness::server::TestServer;

#[test]
fn a_frame_has_the_size_of_its_own_terminal() {
    let server = TestServer::start();
    for (columns, rows) in [(40, 10), (120, 30)] {
        let mut terminal = BarePty::open(columns, rows);
        let (port, path) = (server.port, terminal.path.display());
        let client = format!("\"$CLIENT\" --port {port} --theme dark < {path} > {path}");
        let session = Shell::run(&format!("stty size; {client}; echo over"));
        session.until_shown("24 80");
        terminal.until_drawn("no points yet");
        let drawn = terminal.rows();
        assert_eq!(drawn.len(), usize::from(rows));
        assert_eq!(drawn[1].chars().nth(usize::from(columns) - 1), Some('╮'), "{drawn:#?}");
        assert!(drawn[usize::from(rows) - 1].contains("ctrl-c quit"), "{drawn:#?}");
        terminal.master.write_all(b"\x03").unwrap();
        session.until_shown("over");
        session.wait();
    }
}
