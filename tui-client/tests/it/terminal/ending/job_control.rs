//! The client as a job of a shell: stopped by a key or a signal, and continued.

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

/// A command that runs the client, and writes its process id to a file.
pub struct KnownClient {
    directory: tempfile::TempDir,
    pub command: String,
}

impl KnownClient {
    pub fn new(port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let client = format!("echo $$ > \"{}\"; exec \"$CLIENT\" --port {port}", file.display());
        Self { command: format!("sh -c '{client}'"), directory }
    }

    pub fn pid(&self) -> i32 {
        let pid = std::fs::read_to_string(self.directory.path().join("pid")).unwrap();
        pid.trim().parse().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    pub fn stop(&self) {
        self.signal(Signal::TSTP);
    }
}

#[test]
fn sigtstp_restores_the_terminal_until_the_job_continues() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let client = KnownClient::new(server.port);
    let shell = Shell::run(&format!(
        "set -m; {}; stty -a; echo stopped; read line; fg >/dev/null; stty -a; echo over",
        client.command
    ));
    shell.until_shown("23.5");
    client.stop();
    shell.until_shown("stopped");
    shell.until_shown(" icanon");
    shell.assert_modes_off();
    shell.press("\n");
    shell.until("the screen again", |screen| {
        screen.alternate_screen() && screen.bracketed_paste() && screen.contents().contains("23.5")
    });
    shell.press("put back.again 7 1\r");
    shell.until_shown("stored back.again 7.0 1");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn sigtstp_without_job_control_is_ignored() {
    let server = TestServer::start();
    let client = KnownClient::new(server.port);
    let shell = Shell::run(&format!("{}; stty -a; echo over", client.command));
    shell.until_shown("no points yet");
    client.stop();
    shell.press("put a 1 1\r");
    shell.until_shown("stored a 1.0 1");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn ctrl_z_restores_the_terminal_and_fg_takes_it_over() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let after = "stty -a; echo over";
    let shell = Shell::run(&format!(
        "set -m; \"$CLIENT\" --port {}; stty -a; echo stopped; read line; fg >/dev/null; {after}",
        server.port
    ));
    shell.until_shown("23.5");
    shell.press("\x1a");
    shell.until_shown("stopped");
    shell.until_shown(" icanon");
    shell.assert_modes_off();
    shell.resize(10, 40);
    shell.press("\n");
    shell.until("the screen again, in its new size", |screen| {
        screen.alternate_screen()
            && screen.bracketed_paste()
            && screen.contents().contains("23.5")
            && screen.contents().contains("> such as  get")
    });
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn ctrl_z_without_job_control_is_ignored() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("no points yet");
    shell.press("\x1a");
    shell.press("put a 1 1\r");
    shell.until_shown("stored a 1.0 1");
    shell.press("\x03");
    shell.until_restored();
}
