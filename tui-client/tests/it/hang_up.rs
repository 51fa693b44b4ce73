//! The real binary on a terminal that goes away, and that is not the one of its session, so that
//! no signal tells. A pseudo-terminal without anything around it, which would say farewell.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::pty::PATIENCE;
use crate::served::Served;

struct Bare {
    master: File,
    screen: vt100::Parser,
}

impl Bare {
    fn start(port: u16) -> (Self, Child) {
        // Nobody may inherit it: it would not go away then.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(name, flags, Mode::empty()).unwrap();
        let client = Command::new(env!("CARGO_BIN_EXE_tui-client"))
            .args(["--port", &port.to_string(), "--theme", "dark"])
            .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn();
        let screen = vt100::Parser::default();
        (Self { master: master.into(), screen }, client.unwrap())
    }

    /// Reads to the end of a frame that shows this.
    fn until_drawn(&mut self, text: &str) {
        let (mut bytes, mut all) = ([0; 4096], Vec::new());
        while !all.ends_with(b"\x1b[?2026l") || !self.screen.screen().contents().contains(text) {
            let mut master = [PollFd::new(&self.master, PollFlags::IN)];
            let patience = PATIENCE.try_into().unwrap();
            assert_ne!(poll(&mut master, Some(&patience)), Ok(0), "waiting for {text}");
            let count = self.master.read(&mut bytes).unwrap();
            self.screen.process(&bytes[..count]);
            all.extend_from_slice(&bytes[..count]);
        }
    }
}

fn until_ended(mut child: Child) -> ExitStatus {
    let pid = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait().unwrap()));
    ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        kill_process(pid, Signal::KILL).unwrap();
        panic!("it stays without a terminal");
    })
}

#[test]
fn without_a_terminal_it_ends_even_if_there_is_nothing_to_draw() {
    let served = Served::start();
    let (mut terminal, client) = Bare::start(served.port);
    terminal.until_drawn("no points yet");
    terminal.master.write_all(b"\x1b[17~").unwrap();
    terminal.until_drawn("paused, F6 resumes");
    // What was said goes with the next key, and then there is nothing that could change.
    terminal.master.write_all(b"x").unwrap();
    terminal.until_drawn("> x");
    drop(terminal);
    // In order: not by a panic about a message that can't be written.
    assert_eq!(until_ended(client).code(), Some(1));
}
