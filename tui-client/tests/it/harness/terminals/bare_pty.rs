//! A pseudo-terminal that belongs to no session, and nothing around it: no signal says that it has
//! another size or goes away.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{grantpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::pty::cells;
use super::signals;
use super::wait::PATIENCE;

pub struct BarePty {
    pub master: File,
    /// The path of the slave side.
    pub path: PathBuf,
    screen: vt100::Parser,
}

impl BarePty {
    pub fn open(columns: u16, rows: u16) -> Self {
        // Not inherited by any process: an open copy would keep the terminal alive.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let master = open("/dev/ptmx", flags, Mode::empty()).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap().into();
        let usual = |cells, usual| if cells > 0 { cells } else { usual };
        let (shown_rows, shown_columns) = (cells(usual(rows, 24)), cells(usual(columns, 80)));
        let screen = vt100::Parser::new(shown_rows, shown_columns, 0);
        Self { master: master.into(), path, screen }
    }

    pub fn start(port: u16) -> (Self, Child) {
        Self::start_in(port, 80, 24)
    }

    /// The client in a terminal of this size; 0 is none.
    pub fn start_in(port: u16, columns: u16, rows: u16) -> (Self, Child) {
        let pty = Self::open(columns, rows);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(&pty.path, flags, Mode::empty()).unwrap();
        let client = signals::command(env!("CARGO_BIN_EXE_tui-client"))
            .args(["--port", &port.to_string(), "--theme", "dark"])
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("COLUMNS")
            .env_remove("LINES")
            .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn();
        (pty, client.unwrap())
    }

    /// Reads up to the end of a frame that shows a text.
    pub fn until_drawn(&mut self, text: &str) {
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

    /// The rows of the screen at full width.
    pub fn rows(&self) -> Vec<String> {
        let screen = self.screen.screen();
        screen.rows(0, screen.size().1.get()).collect()
    }
}
