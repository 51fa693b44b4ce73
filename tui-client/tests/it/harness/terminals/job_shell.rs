//! The client as a job of a shell that continues it after each stop and prints the modes of the
//! terminal each time it has been left. The exit code comes through a pipe, so that it is known
//! even while the output of the terminal is not read.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::pty::{Shell, find, still_on};
use super::wait::PATIENCE;

/// The client takes the place of the `sh` that wrote its process id. The `sh` around it ignores HUP,
/// and so reports the exit code after the terminal has gone away. `-isig` and `-ixon`: keys pressed
/// while the client is stopped neither signal the shell nor stop the output. A status of 147 to 150
/// is one of the four signals that stop a process.
const SCRIPT: &str = r#"
cd "$DIRECTORY"
set -m
stty -ixon -isig
printf '@found %s\n' "$(stty -g)"
sh -c 'trap "" HUP
    sh client
    echo $? > ended'
status=$?
while [ $status -ge 147 ] && [ $status -le 150 ]; do
    printf '@left %s\n' "$(stty -g)"
    fg > /dev/null
    status=$?
done
printf '@left %s\n' "$(stty -g)"
echo @over
"#;

pub struct JobShell {
    pub shell: Shell,
    pub directory: TempDir,
    ended: Receiver<String>,
}

impl JobShell {
    /// The client with these arguments.
    pub fn start(args: &str) -> Self {
        Self::start_as(&format!("\"$CLIENT\" {args}"), |_| {})
    }

    /// Some other command, in a directory that is prepared for it.
    pub fn start_as(command: &str, prepare: impl FnOnce(&TempDir)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ended = fifo(&directory, "ended");
        prepare(&directory);
        let client = format!("echo $$ > pid; exec {command} 2> said");
        fs::write(directory.path().join("client"), client).unwrap();
        let (over, told) = mpsc::channel();
        thread::spawn(move || {
            let code = fs::read_to_string(ended).unwrap();
            // The test may have ended.
            let _ = over.send(code.trim().to_owned());
        });
        let path = directory.path().to_str().unwrap();
        let shell = Shell::run_with(SCRIPT, &[("DIRECTORY", path), ("XDG_STATE_HOME", path)]);
        Self { shell, directory, ended: told }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    /// Sends a signal to the client, unless that has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = self.read("pid").trim().parse().unwrap();
        let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
    }

    /// Whether the shell is through its script within a time.
    pub fn is_over(&self, within: Duration) -> bool {
        self.shell.is_sent(within, |raw| find(raw, "@over").is_some())
    }

    /// Waits for the exit code of the client.
    pub fn code(&self) -> u8 {
        let code = self.ended.recv_timeout(PATIENCE);
        let code = code.unwrap_or_else(|_| panic!("the client does not end:\n{}", self.stderr()));
        code.parse().unwrap()
    }

    /// The error output of the client.
    pub fn stderr(&self) -> String {
        self.read("said")
    }

    /// Checks that the terminal had its first modes each time the client left it, at least once.
    pub fn assert_restored(&self) {
        self.shell.until_sent("@over");
        self.shell.until("the main screen", |screen| !screen.alternate_screen());
        let raw = self.shell.raw();
        let text = String::from_utf8_lossy(&raw);
        let modes_at = |mark: &str| -> Vec<_> {
            let places = text.match_indices(mark);
            places
                .map(|(at, _)| {
                    let modes = text[at + mark.len()..].lines().next().unwrap();
                    (modes.to_owned(), still_on(text[..at].as_bytes()))
                })
                .collect()
        };
        let (found, left) = (modes_at("@found "), modes_at("@left "));
        assert!(!left.is_empty());
        for one in left {
            assert_eq!(
                one,
                (found[0].0.clone(), Vec::new()),
                "modes of the terminal, and its screen"
            );
        }
        self.shell.until("everything off", |screen| {
            !screen.alternate_screen()
                && !screen.bracketed_paste()
                && !screen.hide_cursor()
                && !screen.application_cursor()
                && !screen.application_keypad()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Default
        });
        self.shell.wait();
    }
}

/// Makes a named pipe.
pub fn fifo(directory: &TempDir, name: &str) -> PathBuf {
    let path = directory.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

impl Drop for JobShell {
    fn drop(&mut self) {
        // Releases the thread that reads the exit code of a client that never started.
        let ended = self.directory.path().join("ended");
        drop(OpenOptions::new().read(true).write(true).open(ended));
    }
}
