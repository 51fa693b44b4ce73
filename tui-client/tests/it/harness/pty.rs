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

use super::patience::PATIENCE;
use super::signals;

/// What the terminal was told.
struct Told {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// What a screen may show only for a moment, until one did.
    awaited: Option<String>,
    /// There is somebody to hear it.
    is_heard: bool,
    /// The script has ended.
    is_over: bool,
}

impl Told {
    fn hear(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        // The end of a frame ends in this letter, so each screen is seen.
        for part in bytes.split_inclusive(|&byte| byte == b'l') {
            self.parser.process(part);
            let contents = || self.parser.screen().contents();
            self.awaited.take_if(|text| contents().contains(text.as_str()));
        }
    }
}

/// What is pressed at once.
struct Keys {
    bytes: Vec<u8>,
    /// Who wants to know when.
    told: Option<mpsc::Sender<SystemTime>>,
}

/// A shell on a pseudo-terminal, so that the state in which the client leaves it can be seen.
pub struct Shell {
    /// Until it goes away.
    master: Option<Box<dyn MasterPty>>,
    keys: mpsc::Sender<Keys>,
    told: Arc<(Mutex<Told>, Condvar)>,
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
            ("TMUX", ""),
            // The history of whoever runs the tests is left alone.
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
        let told = Told { parser, raw: Vec::new(), awaited: None, is_heard: true, is_over: false };
        let told = Arc::new((Mutex::new(told), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let hearing = Arc::clone(&told);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut told = hearing.0.lock().unwrap();
                if !told.is_heard {
                    return;
                }
                told.hear(&bytes[..count]);
                hearing.1.notify_all();
            }
        });
        let waiting = Arc::clone(&told);
        thread::spawn(move || {
            child.wait().unwrap();
            waiting.0.lock().unwrap().is_over = true;
            waiting.1.notify_all();
        });
        // A thread of its own, because a terminal takes only a few keys in advance.
        let mut writer = pair.master.take_writer().unwrap();
        let (keys, pressed) = mpsc::channel::<Keys>();
        thread::spawn(move || {
            pressed.iter().try_for_each(|keys| {
                let now = SystemTime::now();
                writer.write_all(&keys.bytes)?;
                keys.told.map(|told| told.send(now));
                writer.flush()
            })
        });
        Self { master: Some(pair.master), keys, told }
    }

    pub fn press(&self, keys: &str) {
        self.press_bytes(keys.as_bytes());
    }

    pub fn press_bytes(&self, keys: &[u8]) {
        self.keys.send(Keys { bytes: keys.to_vec(), told: None }).unwrap();
    }

    /// Says when exactly.
    #[allow(dead_code, reason = "a benchmark asks for it")]
    pub fn press_now(&self, keys: &str) -> SystemTime {
        let (told, pressed) = mpsc::channel();
        self.keys.send(Keys { bytes: keys.into(), told: Some(told) }).unwrap();
        pressed.recv_timeout(PATIENCE).unwrap()
    }

    #[track_caller]
    fn until_told(&self, what: &str, is: impl Fn(&Told) -> bool) {
        let (told, changed) = &*self.told;
        let told = told.lock().unwrap();
        let (told, timeout) = changed.wait_timeout_while(told, PATIENCE, |told| !is(told)).unwrap();
        assert!(!timeout.timed_out(), "waiting for {what}:\n{}", told.parser.screen().contents());
    }

    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        self.until_told(what, |told| is(told.parser.screen()));
    }

    #[track_caller]
    pub fn until_shown(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits for something that no screen shows.
    #[track_caller]
    pub fn until_sent(&self, bytes: &str) {
        self.until_told(&format!("{bytes:?}"), |told| find(&told.raw, bytes).is_some());
    }

    /// From now on, looks at each screen for a text that may be there only for a moment.
    pub fn look_for(&self, text: &str) {
        self.told.0.lock().unwrap().awaited = Some(text.to_owned());
    }

    /// Waits until the text that is looked for was shown.
    #[track_caller]
    pub fn until_seen(&self) {
        let text = self.told.0.lock().unwrap().awaited.clone().unwrap_or_default();
        self.until_told(&text, |told| told.awaited.is_none());
    }

    /// Whether the terminal is sent such bytes, within this time.
    pub fn is_sent(&self, within: Duration, is: impl Fn(&[u8]) -> bool) -> bool {
        let (told, changed) = &*self.told;
        let told = told.lock().unwrap();
        let waited = changed.wait_timeout_while(told, within, |told| !is(&told.raw)).unwrap();
        !waited.1.timed_out()
    }

    /// Does something while nobody reads what the terminal is told.
    pub fn unread<T>(&self, act: impl FnOnce() -> T) -> T {
        let _reader = self.told.0.lock().unwrap();
        act()
    }

    /// Lets the terminal take no more, in the middle of a frame. While nobody reads.
    pub fn fill(&self) {
        let master = self.master.as_ref().unwrap();
        let path = master.tty_name().unwrap();
        let flags = i32::try_from((OFlags::NOCTTY | OFlags::NONBLOCK).bits()).unwrap();
        let terminal = File::options().write(true).custom_flags(flags).open(path).unwrap();
        let end = Instant::now() + PATIENCE;
        // Not only none for the moment in which somebody writes.
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
        // Without room it still takes a little: what is no character.
        while (&terminal).write(&[0; 64]).is_ok() {}
        master.resize(PtySize { rows: 50, cols: 100, ..PtySize::default() }).unwrap();
    }

    /// The terminal goes away. It takes one more frame with it.
    pub fn go_away(&mut self) {
        self.told.0.lock().unwrap().is_heard = false;
        let (columns, rows) = self.size();
        self.resize(rows, columns % 200 + 1);
        self.keys = mpsc::channel().0;
        self.master = None;
    }

    /// All bytes that the terminal was sent.
    pub fn raw(&self) -> Vec<u8> {
        self.told.0.lock().unwrap().raw.clone()
    }

    pub fn resize(&self, rows: u16, cols: u16) {
        self.told.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(cols));
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.told.0.lock().unwrap().parser.screen().size();
        (columns.get(), rows.get())
    }

    /// The script says `over` behind the client and `stty -a`, on a terminal that is as it was.
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
        self.until_told("the end of the script", |told| told.is_over);
    }

    /// Everything that was turned on is turned off, by the bytes themselves.
    pub fn assert_modes_off(&self) {
        let raw = self.raw();
        assert_eq!(still_on(&raw), Vec::<String>::new());
        assert!(find(&raw, "\x1b[?1049h").is_some(), "there was a screen at all");
    }
}

/// What was turned on by these bytes and not turned off again.
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

/// The place of some text in bytes.
pub fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

/// Runs the client, then tells what became of it and of the terminal.
pub fn script(port: u16, args: &str) -> String {
    format!("\"$CLIENT\" --port {port} {args}; echo code $?; stty -a; echo over")
}
