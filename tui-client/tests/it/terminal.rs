//! The real binary on a pseudo-terminal, against the real server.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::served::Served;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A shell on a pseudo-terminal, so that the state in which the client leaves it can be seen.
struct Shell {
    master: Box<dyn MasterPty>,
    writer: Box<dyn Write + Send>,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
}

fn parser(rows: u16, cols: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)
}

impl Shell {
    fn run(script: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script]);
        command.env("TERM", "xterm-256color");
        command.env("CLIENT", env!("CARGO_BIN_EXE_tui-client"));
        command.env_remove("NO_COLOR");
        // The history of whoever runs the tests is left alone.
        command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let screen = Arc::new((Mutex::new(parser(24, 80)), Condvar::new()));
        let shown = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                shown.0.lock().unwrap().process(&bytes[..count]);
                shown.1.notify_all();
            }
        });
        Self { master: pair.master, writer, screen, child }
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let (parser, changed) = &*self.screen;
        let parser = parser.lock().unwrap();
        let (parser, timeout) =
            changed.wait_timeout_while(parser, PATIENCE, |parser| !is(parser.screen())).unwrap();
        assert!(!timeout.timed_out(), "waiting for {what}:\n{}", parser.screen().contents());
    }

    fn until_shown(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    fn resize(&self, rows: u16, cols: u16) {
        self.screen
            .0
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// The shell says `over` behind the client, on a terminal that is as it was.
    fn until_restored(&mut self) {
        self.until_shown("over");
        self.until("the terminal as it was", |screen| {
            !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor()
        });
        self.until_shown(" icanon");
        self.child.wait().unwrap();
    }
}

fn script(port: u16, args: &str) -> String {
    format!("\"$CLIENT\" --port {port} {args}; echo code $?; stty -a; echo over")
}

#[test]
fn a_session_from_the_first_put_to_the_last_key() {
    let served = Served::start();
    let mut shell = Shell::run(&script(served.port, ""));
    shell.until_shown("● localhost");
    shell.until_shown("no points yet");
    shell.press("put palm.cpu 23.7\r");
    shell.until_shown("stored palm.cpu 23.7");
    shell.until_shown("get * · 1 key · 1 point");
    served.say("put palm.cpu 42.5 9999999999\n");
    shell.until_shown("42.5");
    shell.press("got\r");
    shell.until_shown("wrong command: the commands are put and get");
    shell.press("?");
    shell.until_shown("Command line");
    shell.press("\x1b");
    shell.until("the list of keys to go", |screen| !screen.contents().contains("Command line"));
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
}

#[test]
fn a_watched_key_is_followed_across_a_restart_without_a_key_press() {
    let mut served = Served::start();
    let mut shell = Shell::run(&script(served.port, "--watch palm.cpu --interval 0.1"));
    shell.until_shown("no points yet");
    served.say("put palm.cpu 1.25 1150864247\n");
    shell.until_shown("1.25");
    served.stop();
    shell.until_shown("○ localhost");
    shell.press("get x\r");
    shell.until_shown("not sent");
    served.start_again();
    shell.until_shown("● localhost");
    served.say("put palm.cpu 77.75 1150864248\n");
    shell.until_shown("▲ +76.5");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn resizing_to_nothing_and_back_does_no_harm() {
    let served = Served::start();
    served.say("put palm.cpu 23.5 1\n");
    let mut shell = Shell::run(&script(served.port, ""));
    shell.until_shown("23.5");
    for size in [(1, 1), (2, 3), (60, 200), (5, 5), (3, 80)] {
        shell.resize(size.0, size.1);
    }
    shell.resize(10, 40);
    shell.until_shown("23.5");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn signals_give_the_terminal_back() {
    let served = Served::start();
    for signal in ["TERM", "HUP", "INT"] {
        let file = format!("{}/pid-{signal}", env!("CARGO_TARGET_TMPDIR"));
        let client = format!("echo $$ > '{file}'; exec \"$CLIENT\" --port {}", served.port);
        let mut shell =
            Shell::run(&format!("sh -c '{}'; stty -a; echo over", client.replace('\'', "")));
        shell.until_shown("● localhost");
        let pid = std::fs::read_to_string(file).unwrap();
        let killed = Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status();
        assert!(killed.unwrap().success());
        shell.until_restored();
    }
}
