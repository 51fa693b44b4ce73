//! A watch of a server that tells each point as it is stored.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;

use crate::harness::client::{Lines, client, finish, kill, unix_now};
use crate::harness::peer::{accept, hear, listen, request};

/// A server with selectors that says what a test has it say.
struct Peer {
    listener: TcpListener,
    out: Lines,
    err: Lines,
    child: Child,
}

impl Peer {
    fn start(args: &[&str]) -> Self {
        let (listener, port) = listen();
        let mut child = client(port).args(args).spawn().unwrap();
        let (out, err) = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
        Self { listener, out, err, child }
    }

    /// The next connection, which asks for `lines` and gets these answers.
    fn connection(&self, dialogue: &[(&str, &str)]) -> TcpStream {
        let stream = accept(&self.listener);
        let mut from = BufReader::new(&stream);
        for (line, answer) in dialogue {
            hear(&mut from, &[line]);
            say(&stream, answer);
        }
        drop(from);
        stream
    }

    /// A follow of `a` whose last point is this one.
    fn follow(&self, last: &str) -> TcpStream {
        self.follow_with("a[last]", last)
    }

    /// The same, where alerts need the points of this selector.
    fn follow_with(&self, selector: &str, last: &str) -> TcpStream {
        let (asked, answer) = (format!("get {selector}"), format!("ok\n{last}\n\n"));
        let follow = self.connection(&[(&asked, &answer), ("get a[+]", "ok\n")]);
        self.connection(&[(&asked, &answer)]);
        follow
    }

    fn printed<const LINES: usize>(&self) -> [String; LINES] {
        [(); LINES].map(|()| self.out.next_line())
    }
}

fn say(mut stream: &TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_watch_follows_and_goes_on_after_a_cut_without_repeating() {
    let peer = Peer::start(&["--watch", "a"]);
    let first = peer.connection(&[("get a[last]", "ok\na 1.0 100\n\n"), ("get a[+]", "ok\n")]);
    // Told by the follow, too.
    peer.connection(&[("get a[last]", "ok\na 2.0 200\n\n")]);
    say(&first, "a 2.0 200\na 3.0 230\na 2.5 150\nb 1.0 1\n");
    assert_eq!(peer.printed(), ["a 2.0 200", "a 3.0 230", "a 2.5 150"]);
    say(&first, "a 3.5 230\na - 200\n");
    assert_eq!(peer.printed(), ["a 3.5 230", "a - 200"]);
    first.shutdown(Shutdown::Both).unwrap();
    let history = "ok\na 0.5 170\na 3.5 230\na 4.0 225\na 5.0 240\n";
    let second = peer.connection(&[("get a[170:+]", history)]);
    assert_eq!(peer.printed(), ["a 4.0 225", "a 5.0 240"]);
    assert!(peer.err.next_line().contains("trying again until it works"));
    assert_eq!(peer.err.next_line(), "tui-client: connected again");
    say(&second, "a 6.0 250\n");
    assert_eq!(peer.printed(), ["a 6.0 250"]);
    kill(peer.child);
}

#[test]
fn removals_have_no_value_in_any_format() {
    for (format, lines) in [
        (
            "json",
            [
                "{\"key\":\"a\",\"value\":1.0,\"timestamp\":100}",
                "{\"key\":\"a\",\"value\":null,\"timestamp\":100}",
            ],
        ),
        ("csv", ["a,1.0,100", "a,,100"]),
    ] {
        let peer = Peer::start(&["--watch", "a", "--format", format]);
        let follow = peer.follow("a 1.0 100");
        say(&follow, "a - 100\n");
        if format == "csv" {
            assert_eq!(peer.printed(), ["key,value,timestamp"]);
        }
        assert_eq!(peer.printed(), lines);
        kill(peer.child);
    }
}

#[test]
fn alerts_judge_each_point_as_it_comes() {
    let peer = Peer::start(&["--watch", "a", "--alert", "a > 5"]);
    let follow = peer.follow("a 1.0 100");
    say(&follow, "a 9.0 101\na 1.0 102\na 7.0 99\na 8.0 103\na - 103\n");
    for told in [
        "alert: a > 5: a is 9",
        "resolved: a > 5: a is 1",
        "alert: a > 5: a was 7",
        "resolved: a > 5: a is 1",
        "alert: a > 5: a is 8",
        "resolved: a > 5: a is 1",
    ] {
        let line = peer.err.next_line();
        let line = line.split(" (age ").next().unwrap_or_default();
        assert_eq!(line, format!("tui-client: {told}"));
    }
    kill(peer.child);
}

#[test]
fn alerts_judge_late_points_by_their_values() {
    let now = unix_now();
    let alerts = ["--alert", "a > 90", "--alert", "a rate > 50"];
    let peer = Peer::start(&[&["--watch", "a"][..], &alerts].concat());
    let follow = peer.follow_with("a[last:2]", &format!("a 1.0 {now}"));
    say(&follow, &format!("a 95.0 {}\na 95.0 {0}\na 90.0 {}\n", now - 5000, now - 9000));
    let told = [peer.err.next_line(), peer.err.next_line()];
    assert_eq!(told[0], "tui-client: alert: a > 90: a was 95 (age 1h)");
    assert_eq!(told[1], "tui-client: resolved: a > 90: a is 1");
    say(&follow, &format!("a 99.0 {}\na 96.0 {}\na 2.0 {}\n", now + 1, now - 7000, now - 6000));
    assert_eq!(peer.err.next_line(), "tui-client: alert: a > 90: a is 99");
    assert_eq!(peer.err.next_line(), "tui-client: alert: a rate > 50: the rate of a is 98");
    say(&follow, &format!("a 3.0 {}\n", now + 2));
    assert_eq!(peer.err.next_line(), "tui-client: resolved: a > 90: a is 3");
    kill(peer.child);
}

#[test]
fn an_alert_ends_when_all_points_of_its_key_are_taken_back() {
    let peer = Peer::start(&["--alert", "a > 5"]);
    let follow = peer.follow("a 9.0 100");
    assert_eq!(peer.err.next_line(), "tui-client: alert: a > 5: a is 9");
    say(&follow, "a - 100\n");
    peer.connection(&[("get a[last]", "ok\na 6.0 50\n\n")]);
    say(&follow, "a - 50\n");
    peer.connection(&[("get a[last]", "ok\n\n")]);
    let told = "tui-client: no data: a > 5: a has no points any more";
    assert_eq!(peer.err.next_line(), told, "only once nothing is left");
    kill(peer.child);
}

#[test]
fn a_stray_point_of_the_future_is_printed_and_not_the_present() {
    let now = unix_now();
    let peer = Peer::start(&["--alert", "a > 5"]);
    let follow = peer.follow(&format!("a 1.0 {now}"));
    say(&follow, &format!("a 99.0 {now}000\na 9.0 {}\n", now + 1));
    assert_eq!(peer.err.next_line(), "tui-client: alert: a > 5: a is 9");
    assert_eq!(peer.printed::<3>()[1], format!("a 99.0 {now}000"));
    follow.shutdown(Shutdown::Both).unwrap();
    let again = format!("get a[{}:+]", now + 1 - 60);
    let old = format!("ok\na 9.0 {}\na 98.0 {now}001\n", now + 1);
    let second = peer.connection(&[(&again, &old)]);
    say(&second, &format!("a 3.0 {}\na 97.0 {now}001\n", now + 2));
    let told = [format!("a 3.0 {}", now + 2), format!("a 97.0 {now}001")];
    assert_eq!(peer.printed(), told, "what was put long ago is no news");
    kill(peer.child);
}

#[test]
fn a_watch_may_begin_in_the_past() {
    let peer = Peer::start(&["--watch", "a", "--since", "15m", "--alert", "a < 1.5"]);
    let follow = accept(&peer.listener);
    let mut from = BufReader::new(&follow);
    hear(&mut from, &["get a[last]"]);
    let now = unix_now();
    say(&follow, &format!("ok\na 2.0 {now}\n\n"));
    let asked = request(&mut from);
    let since = asked.strip_prefix("get a[").and_then(|rest| rest.strip_suffix(":+]"));
    let since: i64 = since.unwrap_or_else(|| panic!("{asked}")).parse().unwrap();
    assert!((now - 1000..=now - 900).contains(&since), "{asked}");
    say(&follow, "ok\n");
    peer.connection(&[("get a[last]", &format!("ok\na 2.0 {now}\n\n"))]);
    say(&follow, &format!("a 1.0 {since}\na 2.0 {now}\na 3.0 {now}\na 0.5 {since}\n"));
    let lines = [format!("a 1.0 {since}"), format!("a 2.0 {now}"), format!("a 3.0 {now}")];
    assert_eq!(peer.printed(), lines);
    assert_eq!(peer.printed(), [format!("a 0.5 {since}")]);
    let told = peer.err.next_line();
    assert!(told.starts_with("tui-client: alert: a < 1.5: a was 0.5 (age "), "only news: {told}");
    kill(peer.child);
}

#[test]
fn several_patterns_are_one_follow_and_the_others_are_left_out() {
    let peer = Peer::start(&["--watch", "x.{a,b}", "--watch", "c,d"]);
    let all = "x.a 1.0 1\nc,d 1.0 1\ncxd 1.0 1\n";
    let last = ("get {x.a,x.b,c?d}[last]", &*format!("ok\n{all}\n"));
    let follow = peer.connection(&[last, ("get {x.a,x.b,c?d}[+]", "ok\n")]);
    peer.connection(&[last]);
    say(&follow, "cxd 2.0 2\nx.b 2.0 2\nnonsense\nx.a 3.0 3\n");
    assert_eq!(peer.printed(), ["x.a 1.0 1", "c,d 1.0 1", "x.b 2.0 2", "x.a 3.0 3"]);
    let told = "tui-client: {x.a,x.b,c?d}[+]: skipped 1 malformed line";
    assert_eq!(peer.err.next_line(), told);
    kill(peer.child);
}

#[test]
fn a_key_without_points_is_followed_from_its_first_one() {
    let peer = Peer::start(&["--watch", "a", "--alert", "a > 5"]);
    let follow = peer.connection(&[("get a[last]", "ok\n\n"), ("get a[:+]", "ok\n")]);
    assert_eq!(peer.err.next_line(), "tui-client: no points for a yet");
    say(&follow, "a 9.0 1\n");
    assert_eq!(peer.printed(), ["a 9.0 1"]);
    assert_eq!(peer.err.next_line(), "tui-client: alert: a > 5: a is 9");
    kill(peer.child);
}

#[test]
fn a_server_that_can_not_follow_is_polled_and_that_is_said_once() {
    let peer = Peer::start(&["--watch", "a", "--interval", "0.02"]);
    let found = "ok\na 1.0 1\n\n";
    for round in 1..3 {
        let stream = peer.connection(
            &[("get a[last]", found), ("get a[+]", "error\nwrong command\n\n"), ("get a", found)]
                [if round == 1 { 0..3 } else { 0..0 }],
        );
        if round == 1 {
            assert_eq!(peer.printed(), ["a 1.0 1"]);
            let told = "tui-client: this server can't follow; polling every 0.02s";
            assert_eq!(peer.err.next_line(), told);
            hear(&mut BufReader::new(&stream), &["get a"]);
            continue;
        }
        let mut from = BufReader::new(&stream);
        assert_eq!(request(&mut from), "get a[-59:+]");
        say(&stream, "error\nwrong command\n\n");
        hear(&mut from, &["get a"]);
        say(&stream, "ok\na 1.0 1\na 2.0 2\n\n");
        assert_eq!(peer.printed(), ["a 2.0 2"]);
    }
    peer.err.until("trying again");
    assert_eq!(peer.err.next_line(), "tui-client: connected again");
    kill(peer.child);
}

#[test]
fn a_followed_request_is_printed_as_it_comes() {
    let peer = Peer::start(&["--format", "csv", "get", "a[+]"]);
    let stream = peer.connection(&[("get a[+]", "ok\na 1.0 1\n")]);
    assert_eq!(peer.printed(), ["key,value,timestamp", "a,1.0,1"]);
    say(&stream, "a - 1\n");
    assert_eq!(peer.printed(), ["a,,1"]);
    drop(stream);
    let (code, ..) = finish(peer.child);
    assert_eq!(code, 3);
    assert!(peer.err.next_line().contains("closed before the reply was complete"));

    let peer = Peer::start(&["get", "a[+]"]);
    let _stream = peer.connection(&[("get a[+]", "ok\n\n")]);
    assert_eq!(finish(peer.child).0, 1);
    assert_eq!(peer.err.next_line(), "tui-client: get a[+]: this server knows no selectors");
}

#[test]
fn a_watch_of_a_time_without_points_says_how_old_the_newest_is() {
    let peer = Peer::start(&["--watch", "a", "--since", "15m"]);
    let follow = accept(&peer.listener);
    let mut from = BufReader::new(&follow);
    hear(&mut from, &["get a[last]"]);
    let newest = format!("ok\na 2.0 {}\n\n", unix_now() - 7300);
    say(&follow, &newest);
    assert!(request(&mut from).ends_with(":+]"));
    say(&follow, "ok\n");
    peer.connection(&[("get a[last]", &newest)]);
    let told = "tui-client: no points for a in that time; the newest is 2h old";
    assert_eq!(peer.err.next_line(), told);
    kill(peer.child);
}
