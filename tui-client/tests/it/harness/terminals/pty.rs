//! The real binary on a pseudo-terminal: keys in, screen and raw bytes out.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::signals;
use super::wait::PATIENCE;

/// What the terminal has received.
struct Received {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// A text that may be on the screen only for a moment; none once it was there.
    awaited: Option<String>,
    /// The terminal is still there.
    is_open: bool,
    /// The script has ended.
    is_over: bool,
}

impl Received {
    fn add(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        // The sequence that ends a frame ends in this letter, so each frame is looked at.
        for part in bytes.split_inclusive(|&byte| byte == b'l') {
            self.parser.process(part);
            let contents = || self.parser.screen().contents();
            self.awaited.take_if(|text| contents().contains(text.as_str()));
        }
    }
}

/// Bytes written at once.
struct Keys {
    bytes: Vec<u8>,
    /// Gets the moment of the write.
    written: Option<mpsc::Sender<SystemTime>>,
}

/// A shell on a pseudo-terminal, so that the state in which the client leaves it can be seen.
pub struct Shell {
    /// None once the terminal has gone away.
    master: Option<Box<dyn MasterPty>>,
    keys: mpsc::Sender<Keys>,
    received: Arc<(Mutex<Received>, Condvar)>,
}

pub fn cells(number: u16) -> NonZero<u16> {
    number.try_into().unwrap()
}

impl Shell {
    pub fn run(script: &str) -> Self {
        Self::run_with(script, &[])
    }

    /// With environment variables; an empty one is not set.
    pub fn run_with(script: &str, environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script]);
        let defaults = [
            ("NO_COLOR", ""),
            ("COLORFGBG", "15;0"),
            ("TERM", "xterm-256color"),
            ("LC_ALL", "C.UTF-8"),
            ("TMUX", ""),
            // Keeps the history file of the user as it is.
            ("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR")),
        ];
        for (name, value) in defaults.iter().chain(environment) {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command.env("CLIENT", env!("CARGO_BIN_EXE_tui-client"));
        command.env("TESTS", std::env::current_exe().unwrap());
        signals::reset_for_children();
        let mut child = pair.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(cells(24), cells(80), 0);
        let received =
            Received { parser, raw: Vec::new(), awaited: None, is_open: true, is_over: false };
        let received = Arc::new((Mutex::new(received), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let receiving = Arc::clone(&received);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut received = receiving.0.lock().unwrap();
                if !received.is_open {
                    return;
                }
                received.add(&bytes[..count]);
                receiving.1.notify_all();
            }
        });
        let waiting = Arc::clone(&received);
        thread::spawn(move || {
            child.wait().unwrap();
            waiting.0.lock().unwrap().is_over = true;
            waiting.1.notify_all();
        });
        // On a thread of its own, because a write waits while the input of the terminal is full.
        let mut writer = pair.master.take_writer().unwrap();
        let (keys, pressed) = mpsc::channel::<Keys>();
        thread::spawn(move || {
            pressed.iter().try_for_each(|keys| {
                let now = SystemTime::now();
                writer.write_all(&keys.bytes)?;
                keys.written.map(|written| written.send(now));
                writer.flush()
            })
        });
        Self { master: Some(pair.master), keys, received }
    }

    pub fn press(&self, keys: &str) {
        self.press_bytes(keys.as_bytes());
    }

    pub fn press_bytes(&self, keys: &[u8]) {
        self.keys.send(Keys { bytes: keys.to_vec(), written: None }).unwrap();
    }

    /// Writes keys; gives the moment of the write.
    #[allow(dead_code, reason = "a benchmark asks for it")]
    pub fn press_now(&self, keys: &str) -> SystemTime {
        let (written, moment) = mpsc::channel();
        self.keys.send(Keys { bytes: keys.into(), written: Some(written) }).unwrap();
        moment.recv_timeout(PATIENCE).unwrap()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, is: impl Fn(&Received) -> bool) {
        let (received, changed) = &*self.received;
        let received = received.lock().unwrap();
        let (received, timeout) =
            changed.wait_timeout_while(received, PATIENCE, |received| !is(received)).unwrap();
        if timeout.timed_out() {
            let contents = received.parser.screen().contents();
            // The threads of the terminal go on after the failure.
            drop(received);
            panic!("waiting for {what}:\n{contents}");
        }
    }

    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        self.wait_for(what, |received| is(received.parser.screen()));
    }

    #[track_caller]
    pub fn until_shown(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits for bytes that need not be visible.
    #[track_caller]
    pub fn until_sent(&self, bytes: &str) {
        self.wait_for(&format!("{bytes:?}"), |received| find(&received.raw, bytes).is_some());
    }

    /// Looks for a text in each frame from now on, for [`Shell::until_seen`].
    pub fn look_for(&self, text: &str) {
        self.received.0.lock().unwrap().awaited = Some(text.to_owned());
    }

    /// Waits until a frame has shown the text of [`Shell::look_for`], even if it is gone again.
    #[track_caller]
    pub fn until_seen(&self) {
        let text = self.received.0.lock().unwrap().awaited.clone().unwrap_or_default();
        self.wait_for(&text, |received| received.awaited.is_none());
    }

    /// Whether the bytes received so far fulfil a condition within a time.
    pub fn is_sent(&self, within: Duration, is: impl Fn(&[u8]) -> bool) -> bool {
        let (received, changed) = &*self.received;
        let received = received.lock().unwrap();
        let waited =
            changed.wait_timeout_while(received, within, |received| !is(&received.raw)).unwrap();
        !waited.1.timed_out()
    }

    /// Does something while the output of the terminal is not read.
    pub fn unread<T>(&self, act: impl FnOnce() -> T) -> T {
        let _reader = self.received.0.lock().unwrap();
        act()
    }

    /// Fills the output of the terminal in the middle of a frame, so that the next write of the
    /// client waits. Within [`Shell::unread`].
    pub fn fill(&self) {
        let master = self.master.as_ref().unwrap();
        let path = master.tty_name().unwrap();
        let flags = i32::try_from((OFlags::NOCTTY | OFlags::NONBLOCK).bits()).unwrap();
        let terminal = File::options().write(true).custom_flags(flags).open(path).unwrap();
        let end = Instant::now() + PATIENCE;
        // Longer than a write that is under way.
        let moment = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };
        let has_room = || {
            let mut terminal = [PollFd::new(&terminal, PollFlags::OUT)];
            poll(&mut terminal, Some(&moment)).unwrap() > 0
        };
        for cols in (150..200).cycle() {
            assert!(Instant::now() < end, "it takes everything");
            master.resize(PtySize { rows: 50, cols, ..PtySize::default() }).unwrap();
            if !has_room() {
                break;
            }
        }
        // Control bytes still fit where no character does.
        while (&terminal).write(&[0; 64]).is_ok() {}
        master.resize(PtySize { rows: 50, cols: 100, ..PtySize::default() }).unwrap();
    }

    /// Closes the terminal while a frame is being written.
    pub fn go_away(&mut self) {
        self.received.0.lock().unwrap().is_open = false;
        let (columns, rows) = self.size();
        self.resize(rows, columns % 200 + 1);
        self.keys = mpsc::channel().0;
        self.master = None;
    }

    /// All bytes received so far.
    pub fn raw(&self) -> Vec<u8> {
        self.received.0.lock().unwrap().raw.clone()
    }

    pub fn resize(&self, rows: u16, cols: u16) {
        self.received.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(cols));
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.received.0.lock().unwrap().parser.screen().size();
        (columns.get(), rows.get())
    }

    /// Waits for `stty -a` and `over` of the script; checks that the terminal is restored.
    #[track_caller]
    pub fn until_restored(&self) {
        self.until_shown("over");
        self.until_shown(" icanon");
        self.until_shown(" echo ");
        self.assert_modes_off();
        self.wait();
    }

    /// Waits for the end of the script.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_for("the end of the script", |received| received.is_over);
    }

    /// Checks by the bytes received that each mode that was set is reset.
    pub fn assert_modes_off(&self) {
        let raw = self.raw();
        assert_eq!(still_on(&raw), Vec::<String>::new());
        assert!(find(&raw, "\x1b[?1049h").is_some(), "there was a screen at all");
    }
}

/// The modes that these bytes set and do not reset.
pub fn still_on(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    // Mouse in all its forms, alternate screen, bracketed paste, synchronized output.
    let modes = [1000, 1002, 1003, 1006, 1015, 1049, 2004, 2026].into_iter().filter(|mode| {
        let (on, off) = (format!("\x1b[?{mode}h"), format!("\x1b[?{mode}l"));
        text.rfind(&on) > text.rfind(&off)
    });
    let mut modes: Vec<_> = modes.map(|mode| format!("mode {mode} is still on")).collect();
    let (shown, hidden) = (text.rfind("\x1b[?25h"), text.rfind("\x1b[?25l"));
    modes.extend((hidden > shown).then(|| "the cursor is hidden".to_owned()));
    modes
}

/// The offset of a text in bytes.
pub fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

/// Runs the client; then prints its exit code, the modes of the terminal, and `over`.
pub fn script(port: u16, args: &str) -> String {
    format!("\"$CLIENT\" --port {port} {args}; echo code $?; stty -a; echo over")
}
