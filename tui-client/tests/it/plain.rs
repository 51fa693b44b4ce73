//! The real binary in pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::served::Served;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn client(port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--port", &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finish(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn run(port: u16, args: &[&str]) -> (i32, String, String) {
    finish(client(port).args(args).spawn().unwrap())
}

fn pipe(port: u16, input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut child = client(port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.into();
    // The client may end before it has read everything.
    let writing = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = finish(child);
    writing.join().unwrap();
    output
}

/// The lines of a pipe, to be waited for with a limit.
fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

#[test]
fn a_request_in_the_arguments() {
    let served = Served::start();
    assert_eq!(run(served.port, &["put", "a.b", "-1.5", "7"]), (0, String::new(), String::new()));
    assert_eq!(run(served.port, &["get", "a.b"]), (0, "a.b -1.5 7\n".to_owned(), String::new()));
    assert_eq!(run(served.port, &["get a.b"]).1, "a.b -1.5 7\n");
    let (code, out, err) = run(served.port, &["put", "now", "1"]);
    assert_eq!((code, &*out), (0, ""));
    assert!(err.starts_with("tui-client: stored with the current time, "), "{err}");
}

#[test]
fn negative_numbers_and_keys_with_a_dash_are_sent_as_typed() {
    let served = Served::start();
    for args in
        [&["put", "a", "-.5", "1"][..], &["put", "a", "-1e-3", "-7"], &["put", "-.5", "2", "3"]]
    {
        assert_eq!(run(served.port, args), (0, String::new(), String::new()), "{args:?}");
    }
    assert_eq!(run(served.port, &["get", "a"]).1, "a -0.001 -7\na -0.5 1\n");
    for args in [&["get", "--", "-.5"][..], &["--", "get", "-.5"], &["--once", "-.5"]] {
        assert_eq!(run(served.port, args).1, "-.5 2.0 3\n", "{args:?}");
    }
    let (code, _, err) = run(served.port, &["put", "a", "1", "-.5"]);
    assert_eq!(code, 1);
    assert!(err.ends_with(": put a 1 -.5\n"), "{err}");
}

#[test]
fn an_ipv6_address_may_have_its_brackets() {
    let served = Served::start();
    served.say("put a 1 1\n");
    for host in ["[::1]", "::1"] {
        let args = ["--host", host, "get", "a"];
        assert_eq!(run(served.port, &args), (0, "a 1.0 1\n".to_owned(), String::new()), "{host}");
        // Port 1 is nobody's.
        let (code, _, err) = run(1, &args);
        assert_eq!(code, 3);
        assert!(err.starts_with("tui-client: [::1]:1: no server there"), "{err}");
    }
}

#[test]
fn exit_codes_are_as_documented() {
    let served = Served::start();
    let (code, out, err) = run(served.port, &["got", "*"]);
    assert_eq!((code, &*out), (1, ""));
    assert!(err.contains("wrong command: the commands are put and get"), "{err}");
    let (_, _, err) = run(served.port, &["get", "a", "b"]);
    assert_eq!(err, "tui-client: wrong command: nothing may follow here: get a b\n");
    assert_eq!(run(served.port, &["--nonsense"]).0, 2);
    assert_eq!(run(served.port, &["--watch", "no key"]).0, 2);
    assert_eq!(run(served.port, &["--help"]).0, 0);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for input in
        [run(nobody, &["get", "*"]), pipe(nobody, "get *\n"), run(nobody, &["--watch", "a"])]
    {
        let (code, out, err) = input;
        assert_eq!((code, &*out), (3, ""));
        assert!(err.contains("no server there"), "{err}");
    }
}

#[test]
fn lines_of_a_pipe_go_on_after_an_error() {
    let served = Served::start();
    let long = "x".repeat(5000);
    let input = format!("put a 1 1\n\n> put a 2 2\\n\ngot\nget a\n{long}\nput a x 3\r\nget a");
    let (code, out, err) = pipe(served.port, input);
    assert_eq!(code, 1);
    assert_eq!(out, "a 1.0 1\na 2.0 2\na 1.0 1\na 2.0 2\n");
    let mut lines: Vec<_> = err.lines().collect();
    let summary = lines.pop().unwrap();
    assert!(
        summary.starts_with("tui-client: 6 lines answered: 2 stored, 3 refused, in "),
        "{summary}"
    );
    assert_eq!(
        lines,
        [
            "tui-client: line 6: not sent, longer than 4096 bytes",
            "tui-client: line 4: wrong command: the commands are put and get, in lower case: got",
            "tui-client: line 7: wrong command: a value is a decimal number such as 23.7, -5 or 1e-3: \
             put a x 3",
        ]
    );
}

#[test]
fn a_last_line_without_its_end_is_a_line() {
    let served = Served::start();
    let (code, out, err) = pipe(served.port, "put a 1 1\nget a");
    assert_eq!((code, &*out, &*err), (0, "a 1.0 1\n", ""));
    let (code, out, err) = pipe(served.port, format!("get a\nput {} 1 1", "k".repeat(5000)));
    assert_eq!((code, &*out), (1, "a 1.0 1\n"));
    assert!(err.starts_with("tui-client: line 2: not sent, longer than 4096 bytes\n"), "{err}");
}

#[test]
fn many_lines_stream_through() {
    let served = Served::start();
    let mut input = String::new();
    for at in 0..100_000 {
        input.push_str(&format!("put k.{} {at} {at}\n", at % 10));
    }
    input.push_str("get *\n");
    let (code, out, err) = pipe(served.port, input);
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(out.lines().count(), 100_000);
    assert_eq!(format!("ok\n{out}\n"), served.say("get *\n"), "byte for byte");
}

#[test]
fn each_line_is_answered_at_once() {
    let served = Served::start();
    let mut child = client(served.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for at in 0..3 {
        writeln!(stdin, "put a {at} 1\nget a").unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, format!("a {at}.0 1\n"));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_closed_output_is_no_error() {
    let served = Served::start();
    let puts: String = (0..50_000).map(|at| format!("put a 1 {at}\n")).collect();
    served.say(&puts);
    let mut child = client(served.port).args(["get", "*"]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn a_lost_connection_says_what_is_unsure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        for _ in 0..3 {
            reader.read_line(&mut String::new()).unwrap();
        }
        (&stream).write_all(b"ok\n\nok\na 1.0 1\n\nok\na").unwrap();
    });
    let (code, out, err) = pipe(port, "put a 1 1\n\nget a\nget a\n");
    peer.join().unwrap();
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("from line 4 on it is unknown"), "{err}");
}

#[test]
fn watching_prints_each_new_point_across_a_restart() {
    let mut served = Served::start();
    served.say("put a 1 10\nput a 2 20\n");
    let mut child =
        client(served.port).args(["--watch", "a", "--interval", "0.02"]).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    let err = lines(child.stderr.take().unwrap());
    let next = || out.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next(), "a 2.0 20", "the last point first");
    served.say("put a 3 30\nput a 4 40\n");
    assert_eq!((next(), next()), ("a 3.0 30".to_owned(), "a 4.0 40".to_owned()));
    served.say("put a 4.5 40\nput old 1 1\n");
    assert_eq!(next(), "a 4.5 40", "a new value for the last time");
    served.start_again();
    served.say("put a 5 50\n");
    assert_eq!(next(), "a 5.0 50");
    assert!(err.recv_timeout(PATIENCE).unwrap().contains("trying again until it works"));
    assert!(err.recv_timeout(PATIENCE).unwrap().contains("connected again"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn every_format_prints_the_same_points() {
    let served = Served::start();
    served.say("put a 1 10\nput a 2.5 20\nput \u{706b}\"x, -1 5\n");
    let json = "{\"key\":\"a\",\"value\":1.0,\"timestamp\":10}\n\
                {\"key\":\"a\",\"value\":2.5,\"timestamp\":20}\n\
                {\"key\":\"火\\\"x,\",\"value\":-1.0,\"timestamp\":5}\n";
    let csv = "key,value,timestamp\na,1.0,10\na,2.5,20\n\"火\"\"x,\",-1.0,5\n";
    let text = "a 1.0 10\na 2.5 20\n火\"x, -1.0 5\n";
    for (format, expected) in [("json", json), ("csv", csv), ("text", text)] {
        let args = ["--format", format, "get", "*"];
        assert_eq!(run(served.port, &args), (0, expected.to_owned(), String::new()));
        let mut child = client(served.port).args(&args[..2]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"get *").unwrap();
        assert_eq!(finish(child), (0, expected.to_owned(), String::new()));
    }
    let empty = run(served.port, &["--format", "csv", "get", "nothing"]);
    assert_eq!(empty.1, "key,value,timestamp\n", "a table without rows has a header");
}

#[test]
fn once_prints_the_last_points_and_leaves() {
    let served = Served::start();
    served.say("put a 1 10\nput b 7 1\nput a 2 20\n");
    let all = (0, "a 2.0 20\nb 7.0 1\n".to_owned(), String::new());
    assert_eq!(run(served.port, &["--once"]), all);
    let args = ["--once", "--watch", "b", "--watch", "none", "--format", "csv"];
    assert_eq!(run(served.port, &args).1, "key,value,timestamp\nb,7.0,1\n");
}

#[test]
fn once_takes_keys_as_arguments_and_names_the_missing_ones() {
    let served = Served::start();
    served.say("put a 1 10\nput ab 7 1\nput b 1 1\n");
    let (code, out, err) = run(served.port, &["--once", "a*", "none", "x.*"]);
    assert_eq!((code, &*out), (0, "a 1.0 10\nab 7.0 1\n"));
    assert_eq!(err, "tui-client: no points for none\ntui-client: no points for x.*\n");
    assert_eq!(run(served.port, &["get", "none"]).2, "tui-client: no points for none\n");
    let hint = "tui-client: no points for x.*; this server knows no globs, but --once does\n";
    assert_eq!(run(served.port, &["get", "x.*"]).2, hint);
    let (code, _, err) = run(served.port, &["--once", "get", "a"]);
    assert_eq!(code, 2);
    assert!(err.contains("--once takes keys"), "{err}");
}

#[test]
fn once_prints_rows_of_the_table() {
    let served = Served::start();
    served.say("put a 1 10\nput \"b, -1 5\nput c 7 1\nput a 2.5 20\nput c 1e300 3\n");
    let once = |args: &[&str]| {
        let (code, out, err) = run(served.port, &[&["--once"], args].concat());
        assert_eq!((code, &*err), (0, ""), "{args:?}");
        out
    };
    let columns = "--columns=rate,key,count,time,avg,trend";
    let text = "0.15 a 2 20 1.75 ▁█\n- \"b, 1 5 -1.0 ▄\n5e+299 c 2 3 5e+299 ▁█\n";
    assert_eq!(once(&[columns]), text);
    let csv = "rate,key,count,time,avg,trend\n0.15,a,2,20,1.75,▁█\n,\"\"\"b,\",1,5,-1.0,▄\n\
               5e+299,c,2,3,5e+299,▁█\n";
    assert_eq!(once(&[columns, "--format", "csv"]), csv);
    let json = "{\"rate\":0.15,\"key\":\"a\",\"count\":2,\"time\":20}\n\
                {\"rate\":null,\"key\":\"\\\"b,\",\"count\":1,\"time\":5}\n";
    let first = ["--columns", "rate,key,count,time", "--filter", "last < 5", "--format", "json"];
    assert_eq!(once(&first), json);
    let data_lines = once(&["--sort", "-last"]);
    assert_eq!(data_lines, "c 1e+300 3\na 2.5 20\n\"b, -1.0 5\n");
    assert_eq!(once(&["--sort=-last", "--columns", "key,last,time"]), data_lines);
    assert_eq!(once(&["c", "a", "--sort", "rate"]), "a 2.5 20\nc 1e+300 3\n", "over requests");
    assert_eq!(once(&["a", "c", "--filter", "last > 1M"]), "c 1e+300 3\n");
    let (code, out, err) = run(served.port, &["--once", "--filter=zebra", "--alert", "a > 2"]);
    assert_eq!((code, &*out), (4, ""), "a filter hides no alert");
    assert!(err.contains("a is 2.5"), "{err}");
}

#[test]
fn an_age_is_in_seconds() {
    let served = Served::start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    served.say(&format!("put a 1 {}\n", now - 1000));
    let age: u64 = run(served.port, &["--once", "--columns", "age"]).1.trim().parse().unwrap();
    assert!((1000..2000).contains(&age), "{age}");
}

#[test]
fn what_is_wrong_with_an_arrangement_is_said() {
    for (args, said) in [
        (&["--once", "--sort", "cpu"][..], "[possible values: key, last, change, rate, "),
        (&["--once", "--sort", "-trend"], "reply]"),
        (&["--once", "--sort", "--rate"], "invalid value"),
        (&["--once", "--columns", "key,cpu"], "time, trend]"),
        (&["--once", "--columns", "key,last,key"], "--columns has key twice"),
        (&["--once", "--filter", "last >"], "at character 7: a number is missing"),
        (&["--filter", "a", "get", "a"], "go with --once, or with the screen"),
        (&["--sort", "last"], "go with --once, or with the screen"),
        (&["--columns", "key", "--watch", "a"], "go with --once, or with the screen"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*out), (2, ""), "{args:?}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn a_filter_that_no_key_passes_is_told() {
    let served = Served::start();
    served.say("put a 1 1\nput b 5 1\n");
    let none = (0, String::new(), "tui-client: no key passes the filter\n".to_owned());
    let (_, csv, _) = run(served.port, &["--once", "--filter", "nothing", "--format", "csv"]);
    assert_eq!(csv, "key,value,timestamp\n");
    for more in [&[][..], &["--sort", "last"], &["a", "b"]] {
        let once = |filter| run(served.port, &[&["--once", "--filter", filter], more].concat());
        assert_eq!(once("last > 9"), none, "{more:?}");
        assert_eq!(once("last > 4"), (0, "b 5.0 1\n".to_owned(), String::new()), "{more:?}");
    }
}

#[test]
fn a_feed_outlives_a_restart_of_the_server() {
    let mut served = Served::start();
    let mut child = client(served.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let told = lines(child.stderr.take().unwrap());
    let until = |what: &str| while !told.recv_timeout(PATIENCE).unwrap().contains(what) {};
    writeln!(stdin, "put before 1 1").unwrap();
    while !served.say("get before\n").contains("before") {}
    served.stop();
    writeln!(stdin, "put between 1 1\nput between 2 2").unwrap();
    until("trying again until it works");
    writeln!(stdin, "put between 3 3").unwrap();
    served.start_again();
    until("connected again");
    writeln!(stdin, "put after 1 1\ngot").unwrap();
    drop(stdin);
    until("line 6: wrong command");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let stored = served.say("get *\n");
    let all = "before 1.0 1\nbetween 1.0 1\nbetween 2.0 2\nbetween 3.0 3\nafter 1.0 1\n";
    assert_eq!(stored, format!("ok\n{all}\n"));
}

#[test]
fn a_feed_may_begin_before_the_server() {
    let mut served = Served::start();
    served.stop();
    let mut child = client(served.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\nget a\n").unwrap();
    let told = lines(child.stderr.take().unwrap());
    assert!(told.recv_timeout(PATIENCE).unwrap().contains("no server there"));
    served.start_again();
    let (code, out, _) = finish(child);
    assert_eq!((code, &*out), (0, "a 1.0 1\n"));
}

/// Waits for a condition that nothing signals, but not for ever.
fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waiting for {what}");
        thread::yield_now();
    }
}

fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

#[test]
fn what_is_fed_while_there_is_no_server_has_the_time_at_which_it_was_said() {
    let mut served = Served::start();
    served.stop();
    let mut child = client(served.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let told = lines(child.stderr.take().unwrap());
    assert!(told.recv_timeout(PATIENCE).unwrap().contains("no server there"));
    let mut said = Vec::new();
    for value in 1..=3 {
        let begun = unix_now();
        writeln!(stdin, "put a {value}").unwrap();
        // Taken out of the pipe, and so read; then until the clock shows another time.
        wait_until("the line to be read", || rustix::io::ioctl_fionread(&stdin).unwrap() == 0);
        let read = unix_now();
        wait_until("another time", || unix_now() != read);
        said.push((begun..=read + 1, value));
    }
    served.start_again();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let stored = served.say("get a\n");
    let times = stored.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse().ok());
    let times: Vec<i64> = times.collect();
    assert_eq!(times.len(), 3, "{stored}");
    for (time, (when, value)) in times.into_iter().zip(said) {
        assert!(when.contains(&time), "{value} at {time}, said {when:?}");
    }
}

/// A server whose connections do one thing after another; its port.
fn peer(connections: Vec<fn(&TcpStream, &mut BufReader<&TcpStream>)>) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let mut held = Vec::new();
        for connection in connections {
            let (stream, _) = listener.accept().unwrap();
            connection(&stream, &mut BufReader::new(&stream));
            held.push(stream);
        }
    });
    (port, serving)
}

/// The next lines that the client sends.
fn hear(from: &mut BufReader<&TcpStream>, lines: &[&str]) {
    for line in lines {
        let mut heard = String::new();
        from.read_line(&mut heard).unwrap();
        assert_eq!(heard, format!("{line}\n"));
    }
}

fn until_given_up(stream: &TcpStream, from: &mut BufReader<&TcpStream>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(from.read_line(&mut String::new()).unwrap(), 0, "nothing more is sent");
}

#[test]
fn what_was_answered_before_a_stall_is_neither_sent_nor_told_again() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            hear(from, &["put a 1 1", "got", "put b 1 1", "put c 1 1"]);
            stream.write_all(b"ok\n\nerror\nwrong command\n\nok\n").unwrap();
            until_given_up(stream, from);
        },
        |mut stream, from| {
            hear(from, &["put b 1 1", "put c 1 1"]);
            stream.write_all(b"ok\n\nok\n\n").unwrap();
        },
    ]);
    let args = ["--retry", "--timeout", "0.3"];
    let mut child = client(port).args(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\ngot\nput b 1 1\nput c 1 1\n").unwrap();
    let (code, _, err) = finish(child);
    serving.join().unwrap();
    assert_eq!(code, 1);
    assert_eq!(err.matches("line 2: wrong command").count(), 1, "{err}");
    assert!(err.contains("the reply stalled: nothing came for 0.3 s; trying again"), "{err}");
    assert!(err.contains("4 lines answered: 3 stored, 1 refused"), "{err}");
}

#[test]
fn a_stall_says_from_which_line_on_it_is_unsure() {
    let (port, serving) = peer(vec![|mut stream, from| {
        hear(from, &["put a 1 1", "put b 1 1", "put c 1 1"]);
        stream.write_all(b"ok\n\nok\n\nok\n").unwrap();
        until_given_up(stream, from);
    }]);
    let mut child = client(port).args(["--timeout", "0.3"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\nput b 1 1\nput c 1 1\n").unwrap();
    let (code, _, err) = finish(child);
    serving.join().unwrap();
    assert_eq!(code, 3);
    assert!(err.contains("from line 3 on it is unknown"), "{err}");
}

#[test]
fn a_watch_prints_what_a_first_answer_that_broke_off_did_not_bring() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            hear(from, &["get a"]);
            stream.write_all(b"ok\na 1.0 1\na 2.0 2\n").unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        },
        |mut stream, from| {
            hear(from, &["get a"]);
            stream.write_all(b"ok\na 1.0 1\na 2.0 2\n\n").unwrap();
        },
    ]);
    let mut child = client(port).args(["--watch", "a"]).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    assert_eq!(out.recv_timeout(PATIENCE).unwrap(), "a 2.0 2");
    serving.join().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_peer_that_takes_connections_and_closes_them_is_told_once() {
    fn close(stream: &TcpStream, _: &mut BufReader<&TcpStream>) {
        stream.shutdown(Shutdown::Both).unwrap();
    }
    let (port, serving) = peer(vec![close, close, close, close, |mut stream, from| {
        hear(from, &["put a 1 1"]);
        stream.write_all(b"ok\n\n").unwrap();
    }]);
    let mut child = client(port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\n").unwrap();
    let (code, _, err) = finish(child);
    serving.join().unwrap();
    assert_eq!(code, 0, "{err}");
    let told: Vec<_> = err.lines().collect();
    let [lost, back, unsteady, again] = &told[..] else { panic!("{err}") };
    assert!(lost.ends_with("trying again until it works"), "{err}");
    assert!(unsteady.starts_with("tui-client: still no answer: "), "{err}");
    assert_eq!((*back, *again), ("tui-client: connected again", "tui-client: connected again"));
}

/// Sends a signal, as Ctrl-C does with INT and a supervisor with TERM.
fn signal(child: &Child, name: &str) {
    let (signal, id) = (format!("-{name}"), child.id().to_string());
    assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
}

/// Waits until the pipe to a standard output that nobody reads is nearly full.
fn until_full(out: &ChildStdout) {
    wait_until("a full pipe", || rustix::io::ioctl_fionread(out).unwrap() > 60_000);
}

fn end(child: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_until("the end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

#[test]
fn what_is_to_be_stored_is_stored_though_nobody_reads_the_rest() {
    let served = Served::start();
    let puts = |key: &str, count: u32| -> String {
        (0..count).map(|n| format!("put {key} {n} {n}\n")).collect()
    };
    served.say(&puts("long", 50_000));
    let mut child = client(served.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "get long").unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    write!(stdin, "{}get long\n{}", puts("a", 5000), puts("b", 5000)).unwrap();
    drop(stdin);
    assert_eq!(finish(child), (0, String::new(), String::new()));
    for key in ["a", "b"] {
        assert_eq!(served.say(&format!("get {key}\n")).lines().count(), 5002, "{key}");
    }
}

#[test]
fn a_get_that_is_answered_does_not_keep_the_rest_from_being_sent_again() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            hear(from, &["get a", "put b 1 1", "put c 1 1", "get a"]);
            stream.write_all(b"ok\na 1.0 1\n\nok\n\nok\n").unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        },
        |mut stream, from| {
            hear(from, &["put c 1 1", "get a"]);
            stream.write_all(b"ok\n\nok\na 1.0 1\n\n").unwrap();
        },
    ]);
    let mut child = client(port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"get a\nput b 1 1\nput c 1 1\nget a\n").unwrap();
    let (code, out, err) = finish(child);
    serving.join().unwrap();
    assert_eq!((code, &*out), (0, "a 1.0 1\na 1.0 1\n"), "{err}");
}

#[test]
fn an_age_is_an_alert_also_while_the_server_is_away() {
    let mut served = Served::start();
    served.say(&format!("put a 1 {}\n", unix_now() + 2));
    let mut child = client(served.port).args(["--alert", "a age > 1s"]).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    let err = lines(child.stderr.take().unwrap());
    out.recv_timeout(PATIENCE).unwrap();
    served.stop();
    let told = loop {
        let line = err.recv_timeout(PATIENCE).unwrap();
        if line.contains("alert") {
            break line;
        }
    };
    assert_eq!(told, "tui-client: alert: a age > 1s: the age of a is 2s");
    signal(&child, "TERM");
    assert_eq!(end(&mut child).code(), Some(4));
}

#[test]
fn lines_that_are_no_points_are_left_out_and_told_once() {
    let (port, serving) = peer(vec![|mut stream, from| {
        for value in ["1.0", "2.0"] {
            hear(from, &["get a"]);
            let reply = [b"ok\n\xff\xfe 1 1\na ", value.as_bytes(), b" 7\n\n"].concat();
            stream.write_all(&reply).unwrap();
        }
    }]);
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(port).args(args).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    let next = || out.recv_timeout(PATIENCE).unwrap();
    assert_eq!((next(), next()), ("a 1.0 7".to_owned(), "a 2.0 7".to_owned()));
    serving.join().unwrap();
    child.kill().unwrap();
    let err = child.wait_with_output().unwrap().stderr;
    let err = String::from_utf8(err).unwrap();
    assert_eq!(err.matches("no points, and left out: 1 line").count(), 1, "{err}");
}

#[test]
fn a_signal_is_heard_while_nobody_reads_standard_output() {
    let served = Served::start();
    served.say("put k 1 1\n");
    let args = ["--watch", "k*", "--alert", "k > 0", "--interval", "0.02"];
    let mut watching = client(served.port).args(args).spawn().unwrap();
    let out = watching.stdout.take().unwrap();
    let err = lines(watching.stderr.take().unwrap());
    assert!(err.recv_timeout(PATIENCE).unwrap().contains("alert: k > 0"));
    let puts: Vec<_> = (0..20_000).map(|n| format!("put k.{n} {n} {n}\n")).collect();
    served.say(&puts.concat());
    until_full(&out);
    signal(&watching, "TERM");
    assert_eq!(end(&mut watching).code(), Some(4));

    let mut importing = client(served.port).stdin(Stdio::piped()).spawn().unwrap();
    let out = importing.stdout.take().unwrap();
    let mut stdin = importing.stdin.take().unwrap();
    writeln!(stdin, "get *").unwrap();
    until_full(&out);
    signal(&importing, "INT");
    assert_eq!(end(&mut importing).code(), Some(130));
}

#[test]
fn what_is_half_printed_is_not_asked_for_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut child = client(port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\nget a\n").unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let asked = BufReader::new(&stream).lines().nth(1);
    assert_eq!(asked.unwrap().unwrap(), "get a");
    stream.write_all(b"ok\n\nok\na 1.0 1\na 2.").unwrap();
    drop(stream);
    let (code, out, err) = finish(child);
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("from line 2 on it is unknown"), "{err}");
}

#[test]
fn an_import_that_is_interrupted_says_how_far_it_came() {
    let served = Served::start();
    let mut child = client(served.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "put a 1 1\nput b 1 1").unwrap();
    while !served.say("get b\n").contains('b') {}
    signal(&child, "INT");
    let (code, _, err) = finish(child);
    assert_eq!(code, 130);
    assert!(err.contains("interrupted: 2 lines answered: 2 stored, 0 refused\n"), "{err}");
}

#[test]
fn an_import_that_is_interrupted_says_what_has_no_answer() {
    for (line, left) in [
        ("put a 1 1", "without an answer, from line 1 on: to send them again does no harm"),
        (
            "put a 1",
            "without an answer, from line 1 on: sent again, puts without a time get another",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut child = client(port).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let (stream, _) = listener.accept().unwrap();
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        signal(&child, "INT");
        let (code, _, err) = finish(child);
        assert_eq!(code, 130);
        assert!(err.contains("interrupted: 0 lines answered: 0 stored, 0 refused; "), "{err}");
        assert!(err.contains(left), "{err}");
    }
}

#[test]
fn a_closed_pipe_is_no_error_in_any_format() {
    let served = Served::start();
    let puts: Vec<_> = (0..50_000).map(|n| format!("put a.b {n} {n}\n")).collect();
    served.say(&puts.concat());
    for format in ["text", "json", "csv"] {
        let mut child = client(served.port).args(["--format", format, "get", "*"]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        drop(out);
        assert_eq!(finish(child), (0, String::new(), String::new()), "{format}");
    }
}

#[test]
fn watching_streams_in_every_format() {
    let served = Served::start();
    served.say("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02", "--format", "json"];
    let mut child = client(served.port).args(args).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    let next = || out.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next(), "{\"key\":\"a\",\"value\":1.0,\"timestamp\":10}");
    served.say("put a 2 20\n");
    assert_eq!(next(), "{\"key\":\"a\",\"value\":2.0,\"timestamp\":20}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn watching_ends_when_nobody_reads_even_if_nothing_changes() {
    let served = Served::start();
    served.say("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(served.port).args(args).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn a_stalled_reply_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = thread::spawn(move || {
        // It holds the connections open and says no more.
        let mut held = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            BufReader::new(&stream).read_line(&mut String::new()).unwrap();
            stream.write_all(b"ok\na 1.0 1\na 2.").unwrap();
            held.push(stream);
        }
        held
    });
    let patience = ["--timeout", "0.2"];
    let (code, out, err) = run(port, &[&patience[..], &["get", "a"]].concat());
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("the reply stalled: nothing came for 0.2 s"), "{err}");
    let (code, _, err) = run(port, &[&patience[..], &["--once"]].concat());
    assert_eq!(code, 3);
    assert!(err.contains("stalled"), "{err}");
    let mut child = client(port).args(patience).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"get a\nget a\n").unwrap();
    let (code, _, err) = finish(child);
    assert_eq!(code, 3);
    assert!(err.contains("from line 1 on it is unknown"), "{err}");
    drop(peer.join().unwrap());
}

#[test]
fn a_signal_is_heard_while_nobody_reads_what_is_said_either() {
    let served = Served::start();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = client(served.port);
        command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Refused, each with a sentence.
        let feeding =
            thread::spawn(move || drop(stdin.write_all("got\n".repeat(20_000).as_bytes())));
        wait_until("a full pipe", || rustix::io::ioctl_fionread(&reader).unwrap() > 60_000);
        signal(&child, name);
        assert_eq!(end(&mut child).code(), Some(code));
        drop(reader);
        feeding.join().unwrap();
    }
}

#[test]
fn help_completions_and_manual_go_to_standard_output() {
    for (args, part) in [
        (&["--help"][..], "Exit codes"),
        (&["--man"], ".TH tui-client 1"),
        (&["--completions", "zsh"], "#compdef tui-client"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*err), (0, ""));
        assert!(out.contains(part), "{out}");
        let mut child = client(1).args(args).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(finish(child).0, 0, "a closed pipe is no error");
    }
    let (code, out, err) = run(1, &["--format", "xml"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("[possible values: text, json, csv]"), "{err}");
}

#[test]
fn a_time_that_is_hardly_meant_is_told() {
    let served = Served::start();
    let (code, _, err) = run(served.port, &["put", "a", "1", "1795748000123"]);
    let said = "tui-client: timestamp 1795748000123: milliseconds? It is stored as seconds\n";
    assert_eq!((code, &*err), (0, said));
    let (code, _, err) =
        pipe(served.port, "put a 1 7\nput a 1 1795748000123\nput a 1 99999999999\n");
    let said = "tui-client: a time more than a year ahead in 2 puts (lines 2, 3): milliseconds?\n";
    assert_eq!((code, &*err), (0, said));
}

#[test]
fn what_cannot_be_written_is_told() {
    let served = Served::start();
    served.say("put a 1 1\n");
    for args in [&["--help"][..], &["--man"], &["get", "a"], &["--once"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = client(served.port).args(args).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains("No space left on device"), "{args:?}: {err}");
    }
}
