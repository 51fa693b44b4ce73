//! The real binary on a terminal that is not the one of its session: it is drawn in the size of the
//! terminal that it writes to, and no signal says when that terminal goes away. A pseudo-terminal
//! without anything around it, which would say farewell.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::harness::client::finish;
use crate::harness::patience::PATIENCE;
use crate::harness::pty::{Shell, cells};
use crate::harness::server::TestServer;
use crate::harness::signals;

struct Bare {
    master: File,
    /// Where programs open it.
    path: PathBuf,
    screen: vt100::Parser,
}

impl Bare {
    fn open(columns: u16, rows: u16) -> Self {
        // Nobody may inherit it: it would not go away then.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap().into();
        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self { master: master.into(), path, screen }
    }

    fn start(port: u16) -> (Self, Child) {
        let bare = Self::open(80, 24);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(&bare.path, flags, Mode::empty()).unwrap();
        let client = signals::command(env!("CARGO_BIN_EXE_tui-client"))
            .args(["--port", &port.to_string(), "--theme", "dark"])
            .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn();
        (bare, client.unwrap())
    }

    /// Reads to the end of a frame that shows this.
    fn until_drawn(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        let (mut bytes, mut all) = ([0; 4096], Vec::new());
        while !all.ends_with(b"\x1b[?2026l") || !self.screen.screen().contents().contains(text) {
            let mut master = [PollFd::new(&self.master, PollFlags::IN)];
            let left = end.saturating_duration_since(Instant::now()).try_into().unwrap();
            let is_more = poll(&mut master, Some(&left)) != Ok(0);
            assert!(is_more, "waiting for {text}:\n{}", self.screen.screen().contents());
            let count = self.master.read(&mut bytes).unwrap();
            self.screen.process(&bytes[..count]);
            all.extend_from_slice(&bytes[..count]);
        }
    }

    /// Each row of the screen in all its width.
    fn rows(&self) -> Vec<String> {
        let screen = self.screen.screen();
        screen.rows(0, screen.size().1.get()).collect()
    }
}

#[test]
fn without_a_terminal_it_ends_even_if_there_is_nothing_to_draw() {
    let server = TestServer::start();
    let (mut terminal, client) = Bare::start(server.port);
    terminal.until_drawn("no points yet");
    terminal.master.write_all(b"\x1b[17~").unwrap();
    terminal.until_drawn("paused: F6 goes on");
    // What was said goes with the next key, and then there is nothing that could change.
    terminal.master.write_all(b"x").unwrap();
    terminal.until_drawn("> x");
    drop(terminal);
    // In order: not by a panic about a message that can't be written.
    assert_eq!(finish(client).0, 1);
}

#[test]
fn a_frame_has_the_size_of_the_terminal_it_is_written_to_and_not_of_the_session() {
    let server = TestServer::start();
    for (columns, rows) in [(40, 10), (120, 30)] {
        let mut terminal = Bare::open(columns, rows);
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
