//! The terminal is restored at the end of the client, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::select;
use rustix::process::Signal;
use shared::client::ConnectOptions;
use tui_client::app::AppConfig;
use tui_client::keymap::Abilities;
use tui_client::metrics::sort::TableSpec;
use tui_client::runtime::{self, RunOptions};
use tui_client::session::View;
use tui_client::view::theme::{Theme, ThemeChoice};

use super::job_control::KnownClient;
use crate::harness::job_shell::{JobShell, fifo};
use crate::harness::pty::{Shell, find};
use crate::harness::server::TestServer;
use crate::harness::wait::PATIENCE;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn the_terminal_is_restored_after_random_sessions(
        options in options(),
        steps in proptest::collection::vec(step(), 0..30),
        end in end(),
    ) {
        run(options, &steps, end);
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Key presses, also of text pasted without bracketed paste.
    Type(String),
    /// Any bytes.
    Bytes(Vec<u8>),
    Paste(String),
    Mouse {
        button: u16,
        column: u16,
        row: u16,
        end: char,
    },
    Resize {
        columns: u16,
        rows: u16,
    },
    /// Waits for a frame, unless the client has ended.
    Frame,
    Signal(Signal),
    Put(String),
    ServerEnds,
    ServerComesBack,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Keys,
    Signal(Signal),
    /// The terminal goes away.
    HangUp,
    /// Some thread panics.
    Panic,
}

/// Signals sent while the client runs. Not CONT, which is left to the shell of the job: the client
/// would take the terminal over while the shell takes it back.
const SIGNALS: [Signal; 2] = [Signal::TSTP, Signal::WINCH];

fn keys() -> impl Strategy<Value = String> {
    let known = select(vec![
        "\r", "\t", "\x1b[Z", "\x1b", "\x7f", "\x1b[3~", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D",
        "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x1bOP", "\x1b[15~", "\x1b[17~", "\x1bb",
        "\x1bf", "\x1b\x7f", "\x01", "\x05", "\x12", "\x15", "\x17", "\x19", "\x1f", "\x1a",
    ]);
    let view = select("?arwxfkjgGi/&nNyesY<>ochlHLzZ[]0mM!dp+-W t".chars().collect::<Vec<_>>());
    let lines = select(vec![
        "put a.b 1\r",
        "get *\r",
        "get a.b\r",
        "got\r",
        "put 火😀 -1e300 7\r",
        "\t\tf",
        "\t/a*\r",
        "\t!a > 0\r",
        "\ts\r",
        "\x1b\x1b?",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        4 => view.prop_map(String::from),
        3 => lines.prop_map(str::to_owned),
        1 => "[a-z 0-9火😀\u{301}]{0,40}",
        // These may end the client.
        1 => select(vec!["\x03", "\x04", "q"]).prop_map(str::to_owned),
    ]
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        3 => (1..=200_u16, 1..=60_u16),
        1 => (1..=5_u16, 1..=5_u16),
        1 => select(vec![(1, 1), (200, 60), (80, 24), (200, 1), (1, 60)]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => keys().prop_map(Step::Type),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Step::Bytes),
        2 => ".{0,60}".prop_map(Step::Paste),
        1 => "(put [a-z]{1,3} [0-9]{1,3}\n){0,99}".prop_map(Step::Paste),
        1 => "([a-z]{1,3} [0-9]{1,3}\n){0,20}".prop_map(Step::Type),
        2 => (0..=70_u16, 1..=220_u16, 1..=70_u16, select(vec!['M', 'm']))
            .prop_map(|(button, column, row, end)| Step::Mouse { button, column, row, end }),
        3 => size().prop_map(|(columns, rows)| Step::Resize { columns, rows }),
        3 => Just(Step::Frame),
        2 => select(SIGNALS.to_vec()).prop_map(Step::Signal),
        1 => "[a-c火😀.]{1,40}".prop_map(Step::Put),
        1 => Just(Step::ServerEnds),
        1 => Just(Step::ServerComesBack),
    ]
}

fn end() -> impl Strategy<Value = End> {
    let signals = vec![Signal::TERM, Signal::HUP, Signal::INT];
    prop_oneof![
        2 => Just(End::Keys),
        3 => select(signals).prop_map(End::Signal),
        1 => Just(End::HangUp),
        2 => Just(End::Panic),
    ]
}

fn options() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "--watch a.b --watch '*火*' --interval 0.02",
        "--raw-log --interval 0.05",
        "--ascii --no-mouse",
        "--alert 'a.b > 0' --theme light",
    ])
}

/// Environment variable with the port, set for the client that panics.
const PANIC: &str = "PANIC_BESIDE_A_CLIENT_OF_THIS_PORT";

/// Runs the client with a thread that panics on request when [`PANIC`] is set; otherwise does
/// nothing.
#[test]
fn the_client_that_panics() {
    let Some(port) = std::env::var_os(PANIC) else { return };
    let port = port.to_str().unwrap().parse().unwrap();
    thread::spawn(|| {
        File::open("panic").unwrap().read_exact(&mut [0]).unwrap();
        panic!("on request");
    });
    let options = RunOptions { peer: ConnectOptions::new("localhost", port).into(), mouse: true };
    let config = AppConfig {
        address: format!("localhost:{port}"),
        sources: Vec::new(),
        interval: Duration::from_millis(20),
        watch: vec!["a*".parse().unwrap()],
        alerts: Vec::new(),
        table: TableSpec::default(),
        zone: TimeZone::UTC,
        log_memory: 1024 * 1024,
        raw_log: true,
        reconnect_seed: 0,
        abilities: Abilities::default(),
        replayed: None,
        view: View::default(),
        tls: Vec::new(),
        view_file: None,
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(runtime::run(options, config, || ThemeChoice::known(Theme::colour()))).unwrap();
    tokio.shutdown_background();
}

fn start(port: u16, options: &str, end: End) -> JobShell {
    if !matches!(end, End::Panic) {
        return JobShell::start(&format!("--port {port} {options}"));
    }
    let test = "--exact terminal::ending::terminal_restore::the_client_that_panics --nocapture --test-threads 1";
    let command = format!("env {PANIC}={port} RUST_BACKTRACE=0 \"$TESTS\" {test}");
    JobShell::start_as(&command, |directory| drop(fifo(directory, "panic")))
}

impl Step {
    /// Whether the step may stop the client.
    fn stops(&self) -> bool {
        match self {
            Self::Type(text) | Self::Paste(text) => text.contains('\x1a'),
            Self::Bytes(bytes) => bytes.contains(&0x1a),
            Self::Signal(signal) => *signal == Signal::TSTP,
            _ => false,
        }
    }

    fn take(&self, job: &JobShell, server: &mut TestServer) {
        let shell = &job.shell;
        match self {
            Self::Type(text) => shell.press(text),
            Self::Bytes(bytes) => shell.press_bytes(bytes),
            Self::Paste(text) => shell.press(&format!("\x1b[200~{text}\x1b[201~")),
            Self::Mouse { button, column, row, end } => {
                shell.press(&format!("\x1b[<{button};{column};{row}{end}"));
            }
            Self::Resize { columns, rows } => shell.resize(*rows, *columns),
            Self::Frame => wait_for_frame(shell),
            Self::Signal(signal) => job.signal(*signal),
            Self::Put(key) if server.is_running() => {
                server.send(&format!("put {key} 7 7\n"));
            }
            Self::Put(_) => {}
            Self::ServerEnds => server.stop(),
            Self::ServerComesBack => server.start_again(),
        }
    }
}

/// Resizes the terminal and waits for the frame that follows, unless the client has ended.
fn wait_for_frame(shell: &Shell) {
    let before = shell.raw().len();
    let (columns, rows) = shell.size();
    shell.resize(rows, columns % 200 + 1);
    let drawn = |raw: &[u8]| find(&raw[before..], "\x1b[?2026l").is_some();
    let drawn = shell.is_sent(PATIENCE, |raw| drawn(raw) || find(raw, "@over").is_some());
    let raw = shell.raw();
    let tail = String::from_utf8_lossy(&raw[raw.len().saturating_sub(300)..]);
    assert!(drawn, "no frame after {tail:?}");
}

impl End {
    fn come(self, job: &mut JobShell) -> u8 {
        match self {
            Self::Keys => {
                let end = Instant::now() + PATIENCE;
                for turn in 0.. {
                    if turn % 16 == 0 {
                        // Completes an unfinished paste or escape sequence.
                        job.shell.press("\x1b[201~umc");
                    }
                    job.shell.press("\x03");
                    if job.is_over(Duration::from_millis(100)) {
                        break;
                    }
                    assert!(Instant::now() < end, "it stays whatever is pressed");
                }
            }
            Self::Signal(signal) => job.signal(signal),
            Self::HangUp => job.shell.go_away(),
            Self::Panic => {
                // Opened for reading too, so that this does not wait if the client has ended.
                let path = job.directory.path().join("panic");
                let mut pipe = OpenOptions::new().read(true).write(true).open(path).unwrap();
                pipe.write_all(b"!").unwrap();
                return job.code();
            }
        }
        job.code()
    }
}

fn run(options: &str, steps: &[Step], end: End) {
    let mut server = TestServer::start();
    let mut job = start(server.port, options, end);
    job.shell.until("a frame", vt100::Screen::alternate_screen);
    // No stop before the terminal goes away: its shell would end and could not continue the job.
    for step in steps.iter().filter(|step| !(matches!(end, End::HangUp) && step.stops())) {
        step.take(&job, &mut server);
    }
    let code = end.come(&mut job);
    let said = job.stderr();
    match end {
        // HUP and the error of the terminal may come in any order.
        End::HangUp => assert!(code <= 1 && !said.contains("panicked"), "code {code}: {said}"),
        End::Panic if code != 0 => {
            assert!(code == 101 && said.contains("on request"), "code {code}: {said}");
        }
        _ => assert_eq!((code, said.as_str()), (0, "")),
    }
    if !matches!(end, End::HangUp) {
        job.assert_restored();
    }
}

#[test]
fn signals_restore_the_terminal() {
    let server = TestServer::start();
    let usual = ["TERM", "HUP", "INT", "QUIT"];
    let others = ["USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "XFSZ", "ABRT", "TRAP", "SYS"];
    for signal in usual.into_iter().chain(others).chain(["34", "64"]) {
        let file = format!("{}/pid-{signal}", env!("CARGO_TARGET_TMPDIR"));
        let client = format!("echo $$ > '{file}'; exec \"$CLIENT\" --port {}", server.port);
        let shell =
            Shell::run(&format!("sh -c '{}'; stty -a; echo over", client.replace('\'', "")));
        shell.until_shown("● localhost");
        let pid = std::fs::read_to_string(file).unwrap();
        let killed = Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status();
        assert!(killed.unwrap().success());
        shell.until_restored();
    }
}

#[test]
fn signals_that_do_not_kill_leave_the_screen() {
    let server = TestServer::start();
    let client = KnownClient::new(server.port);
    let shell = Shell::run(&format!("{}; stty -a; echo over", client.command));
    shell.until_shown("● localhost");
    for signal in [Signal::PIPE, Signal::URG, Signal::CHILD, Signal::WINCH] {
        client.signal(signal);
    }
    shell.press("put a 1 1\r");
    shell.until_shown("stored a 1.0 1");
    shell.press("\x03");
    shell.until_restored();
}

/// Set for the process that panics in the terminal of its parent.
const PANIC_HERE: &str = "PANIC_IN_THIS_TERMINAL";

#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    if std::env::var_os(PANIC_HERE).is_some() {
        let mut terminal = tui_client::system::terminal::Terminal::enter(true).unwrap();
        terminal.draw(|frame| frame.render_widget("screen", frame.area())).unwrap();
        let text = String::from("in the terminal");
        panic!("it happened {text}");
    }
    let name =
        "terminal::ending::terminal_restore::a_panic_restores_the_terminal_before_its_message";
    let shell = Shell::run(&format!(
        "{PANIC_HERE}=1 \"$TESTS\" --exact {name} --nocapture --test-threads 1; stty -a; echo over"
    ));
    shell.until_restored();
    let raw = shell.raw();
    let left = find(&raw, "\x1b[?1049l").unwrap();
    let said = find(&raw, "it happened in the terminal").unwrap();
    assert!(find(&raw, "screen").unwrap() < left && left < said);
    let again = find(&raw[left + 1..], "\x1b[?1049l");
    assert_eq!(again, None, "giving back twice would write over the message");
}
