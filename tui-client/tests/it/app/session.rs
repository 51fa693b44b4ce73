//! Sessions to be saved: what is asked for, and what is written.

mod around_place;

use std::sync::Arc;

use shared::response::Status;
use tui_client::app::AppConfig;
use tui_client::app::log::Log;
use tui_client::effect::{Effect, FileJob};
use tui_client::event::{Event, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::marks::Marks;
use tui_client::session::coverage::Coverage;
use tui_client::session::{Focus, LeftOut, Recording, Session, SessionFile, View};

use crate::harness::scene::{NOW, Scene, config};
use crate::harness::series_server::{DAY, SeriesServer};
use crate::harness::snapshot::draw;

/// Connected to a server with selectors on which `a`, which is watched, and `b` have points.
fn scene() -> Scene {
    let mut scene = Scene::live(120, 40, &["a"], &[]);
    answer(&mut scene, |line| match line {
        "get *[last]" => format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"),
        line if line.starts_with("get a[") => format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 900),
        _ => String::new(),
    });
    scene.to(Mode::Table);
    scene
}

/// Answers what is asked for until nothing more is; returns the requests, and the session that is
/// written meanwhile.
fn answer(scene: &mut Scene, data: impl Fn(&str) -> String) -> (Vec<String>, Option<Written>) {
    let (mut asked, mut written) = (Vec::new(), None);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let effects = scene.answer(&line, Status::Ok, &data(&line));
        written = effects.into_iter().find_map(session).or(written);
        asked.push(line);
        assert!(asked.len() < 100, "it never ends: {asked:?}");
    }
    (asked, written)
}

/// A path, a session, and what it does not have.
type Written = (String, Arc<Session>, LeftOut);

fn session(effect: Effect) -> Option<Written> {
    match effect {
        Effect::File(FileJob::SaveSession { path, session, left_out }) => {
            Some((path, session, left_out))
        }
        _ => None,
    }
}

/// The keys of a session and how many points each has.
fn counts(session: &Session) -> Vec<(String, usize)> {
    session.recording.iter().map(|(key, points)| (key.to_string(), points.count())).collect()
}

/// The session is written, with 7 points and 9 lines.
fn is_saved(scene: &mut Scene, path: &str, keys: u64, left_out: LeftOut) {
    let (path, points, lines, bytes) = (path.to_owned(), 7, 9, 1234);
    let file = SessionFile { path, keys, points, lines, bytes, left_out };
    scene.tell(Event::SessionSaved(Box::new(file)));
}

#[test]
fn a_session_has_the_points_of_the_time_of_the_table() {
    let mut scene = scene();
    scene.press(KeyPress::ctrl('s'));
    assert_eq!(scene.notice(), "saving the session");
    scene.press(KeyPress::ctrl('s'));
    assert_eq!(scene.notice(), "the session is being saved");
    let from = NOW - 900;
    let (asked, written) = answer(&mut scene, |line| match line {
        "get *[last:2]" => format!("a 3.5 {}\na 4.0 {NOW}\nb 5.0 {NOW}\n", NOW - 1),
        line if line.contains("[last@") => format!("a 0.5 {}\n", from - 7),
        line if line == format!("get {}", Marks::default().selector()) => {
            format!("mark.deploy 1.0 {}\n", from - DAY)
        }
        line if line.contains(":count]") => format!("a 900.0 {from}\nb 2.0 {from}\n"),
        line if line == format!("get *[{}:]", from - 900) => {
            format!("a 1.0 {from}\na 4.0 {NOW}\nb 6.0 {from}\n")
        }
        _ => String::new(),
    });
    let expected = [
        "get *[last:2]".to_owned(),
        format!("get *[last@{}]", from - 1),
        format!("get *[last@{}]", from - 901),
        format!("get *[{from}::all:count]"),
        format!("get *[{}::all:count]", from - 900),
        format!("get {}", Marks::default().selector()),
        "get {a,b}[last:64]".to_owned(),
        "get a[last:1024]".to_owned(),
        format!("get *[{}:]", from - 900),
    ];
    assert_eq!(asked, expected);
    let (path, session, left_out) = written.expect("it is written");
    assert_eq!((&*path, left_out), ("tui-client-20060621-043100.session", LeftOut::default()));
    let all = [("a", 4), ("b", 2), ("mark.deploy", 1)].map(|(key, count)| (key.to_owned(), count));
    assert_eq!(counts(&session), all);
    assert_eq!(session.view.saved_at, NOW);
    assert!(session.log.entries().count() > 3);
    is_saved(&mut scene, "/home/palm/x.session", 3, LeftOut::default());
    assert_eq!(scene.notice(), "3 keys, 7 points, 9 log lines: 1.2 kB in /home/palm/x.session");
    is_saved(&mut scene, "/x", 9, LeftOut { keys: 0, points_of: 8, around_place: false });
    let notice = "9 keys, 7 points, 9 log lines, of 8 keys only the newest points: 1.2 kB in /x";
    assert_eq!(scene.notice(), notice);
    // The name is seen in any case, in place of the counts where there is no room for both.
    for width in [40, 80] {
        let mut scene = Scene::with_sample(width, 10, &[]);
        let left_out = LeftOut { keys: 0, points_of: 8, around_place: false };
        is_saved(&mut scene, "/home/palm/tui-client-20060621-043100.session", 9, left_out);
        let drawn = draw(&scene, &scene.theme, width, 10).to_string();
        assert!(drawn.contains("043100.session"), "{drawn}");
        let path = "/home/palm/tui-client-20060621-043100.session";
        is_saved(&mut scene, path, 9, LeftOut::default());
        let drawn = draw(&scene, &scene.theme, width, 10).to_string();
        assert_eq!(drawn.contains(&format!("saved in {path}")), width == 80, "{drawn}");
    }
}

#[test]
fn of_too_many_points_a_session_has_those_of_the_keys_in_sight() {
    let mut scene = scene();
    scene.press(KeyPress::ctrl('s'));
    let from = NOW - 900;
    let (asked, written) = answer(&mut scene, |line| {
        let is_count = line.contains(":count]");
        if is_count {
            format!("a 900.0 {from}\nb 119900.0 {from}\nc 7.0 {from}\n")
        } else {
            String::new()
        }
    });
    assert_eq!(asked.last(), Some(&format!("get a[{from}:]")), "{asked:?}");
    assert_eq!(
        written.expect("it is written").2,
        LeftOut { keys: 0, points_of: 2, around_place: false }
    );
}

#[test]
fn at_a_place_in_time_a_session_has_how_things_stood_then() {
    // All keys come first: up to the place, and as long after it as there is room.
    for (until_place, after) in [(90_000, Some(225)), (119_000, Some(0)), (120_001, None)] {
        let mut scene = scene();
        let (at, base) = (NOW - 7200, NOW - 9000);
        scene.keys(&format!("C{base}\n@{at}\n"));
        answer(&mut scene, |line| match line {
            line if line.starts_with("get *[last@") => format!("a 1.0 {base}\nb 2.0 {base}\n"),
            _ => String::new(),
        });
        let from = at - 900;
        scene.press(KeyPress::ctrl('s'));
        let end_of = |after: i64| at + after;
        let counted = |line: &str| {
            let count = |after: i64, more: i64| {
                let asked = format!("get *[{from}:{}:all:count]", end_of(after));
                (line == asked).then_some(until_place + more)
            };
            let counts = [count(0, 0), count(56, 5000), count(225, 20_000), count(900, 200_000)];
            counts.into_iter().flatten().next()
        };
        let (asked, written) = answer(&mut scene, |line| match line {
            "get *[last:2]" => format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"),
            line if counted(line).is_some() => format!("a {} {from}\n", counted(line).unwrap()),
            line if line.contains("::all:count]") => format!("a 700000.0 {from}\nb 9 {from}\n"),
            _ => String::new(),
        });
        for time in [base, at] {
            assert!(asked.contains(&format!("get *[last:2@{time}]")), "{time}: {asked:?}");
        }
        let ranges = asked.iter().filter(|line| line.starts_with(&format!("get *[{from}:")));
        let ranges: Vec<_> = ranges.filter(|line| !line.contains(":all:")).collect();
        let expected = after.map(|after| format!("get *[{from}:{}]", end_of(after)));
        assert_eq!(ranges, expected.iter().collect::<Vec<_>>(), "{asked:?}");
        let (_, session, left_out) = written.expect("it is written");
        let coverage = session.recording.coverage().unwrap();
        assert_eq!(coverage.until, after.map_or(from - 1, end_of));
        assert_eq!((left_out.points_of, left_out.around_place), (1, after.is_some()));
        assert_eq!(coverage.known, [base, at, NOW].into());
        assert_eq!((coverage.is_whole("a"), coverage.is_whole("b")), (false, true));
    }
}

/// A replay of three keys, the first of which has all its points of 15 minutes, the others those of the
/// first five minutes.
fn replay(width: u16) -> Scene {
    let mut recording = Recording::default();
    for key in ["a", "b", "c"] {
        let point = shared::Point { timestamp: NOW - 1, value: 1.0 };
        recording.add(shared::Key::new(key).unwrap(), [point]);
    }
    recording.set_coverage(Coverage {
        until: NOW - 600,
        whole: ["a".to_owned()].into(),
        ..Coverage::all_from(NOW - 900)
    });
    let view = View { address: "palm:10001".to_owned(), saved_at: NOW, ..View::default() };
    let log = Log::new(1 << 20, false).snapshot();
    let replayed = Some(Arc::new(Session { view, recording, log }));
    let scene = Scene::with(width, 20, AppConfig { replayed, ..config() });
    let mut scene = scene.follow().then(Scene::begin);
    scene.ok("get *[last]", &format!("a 1 {}\nb 1 {}\nc 1 {}\n", NOW - 1, NOW - 1, NOW - 1));
    scene
}

/// Of a window that begins before the session its numbers are of what is there, for each key alike.
#[test]
fn a_window_that_a_session_has_in_part_says_from_when_on() {
    let coverage = Coverage {
        until: NOW - 600,
        whole: ["a".to_owned()].into(),
        ..Coverage::all_from(NOW - 900)
    };
    for (from, to, of_a, of_b) in [
        (NOW - 900, NOW - 600, true, true),
        (NOW - 1500, NOW - 600, true, true),
        (NOW - 1500, NOW - 599, true, false),
        (NOW - 1500, NOW - 900, true, false),
    ] {
        let has = |key| coverage.has_all_of(key, Some(from), to);
        assert_eq!((has("a"), has("b")), (of_a, of_b), "{from} {to}");
    }
    assert!(!coverage.has_all_of("b", None, NOW - 600));
    let mut scene = replay(200);
    scene.keys("@-12m\n");
    scene.ok(&format!("get *[last@{}]", NOW - 720), &format!("a 1 {}\n", NOW - 721));
    let text = draw(&scene, &scene.theme, 200, 20).to_string();
    assert!(text.contains("15m before, saved from 04:16:00 on"), "{text}");
}

#[test]
fn an_answer_in_a_replay_says_that_it_has_only_what_was_saved() {
    let of_15_minutes = "saved were the points from 04:16:00 on";
    for (selector, data, said) in [
        ("a", "a 1 7\n", of_15_minutes),
        ("a[-15m:]", "a 1 7\n", ""),
        ("a[-16m:]", "a 1 7\n", of_15_minutes),
        ("a[last:2]", "a 1 7\n", of_15_minutes),
        ("*[last]", "a 1 7\nb 1 7\n", ""),
        ("b[-15m:]", "b 1 7\n", "of 1 key only the newest points were saved"),
        ("b[-15m:-10m]", "b 1 7\n", ""),
        ("*", "a 1 7\nb 1 7\n", &format!("{of_15_minutes}, of 2 keys only the newest")),
    ] {
        let mut scene = replay(160);
        let line = format!("get {selector}");
        scene.enter(&line);
        scene.ok(&line, data);
        assert_eq!(scene.notice(), said, "{selector}");
        let title = scene.app.typed_answer().unwrap().title();
        assert_eq!(title.ends_with(" · only what was saved"), !said.is_empty(), "{title}");
        assert!(draw(&scene, &scene.theme, 160, 20).to_string().contains(&title));
    }
    let mut scene = replay(160);
    scene.enter("get nowhere");
    scene.ok("get nowhere", "");
    assert_eq!(scene.notice(), format!("no points for nowhere; {of_15_minutes}"));
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.enter("get palm.cpu");
    scene.ok("get palm.cpu", "palm.cpu 1 7\n");
    assert!(!scene.app.typed_answer().unwrap().title().contains("saved"), "a server has all");
}

/// Nothing is asked for: what is not in it is not known of a key without points either.
#[test]
fn a_session_that_is_saved_again_has_all_that_it_had() {
    let mut scene = replay(160);
    let before = scene.app.replayed().unwrap().recording().clone();
    let effects = scene.press(KeyPress::ctrl('s'));
    let (_, session, left_out) =
        effects.into_iter().find_map(self::session).expect("it is written");
    assert_eq!(session.recording, before);
    assert_eq!(left_out, LeftOut { keys: 0, points_of: 2, around_place: false });
}

#[test]
fn a_replay_calls_nothing_new_of_which_it_has_no_points() {
    let mut scene = replay(160);
    scene.to(Mode::Table);
    // Of `a` all points are there, of the others the newest ones.
    let at = NOW - 300;
    scene.keys(&format!("C{at}\n"));
    scene.ok(&format!("get *[last:2@{at}]"), "");
    let text = |scene: &Scene| draw(scene, &scene.theme, 160, 20).to_string();
    let row = |scene: &Scene, key: &str| {
        text(scene).lines().find(|line| line.contains(key)).unwrap().to_owned()
    };
    assert!(row(&scene, "│ a ").contains("new"), "{}", text(&scene));
    assert!(!row(&scene, "│ b ").contains("new"), "{}", text(&scene));
    scene.keys("C\nWb\n");
    scene.ok("get b[last:1024]", &format!("b 1 {}\n", NOW - 1));
    scene.keys(&format!("@{at}\n"));
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1 {at}\n"));
    assert!(text(&scene).contains("  b       not saved"), "{}", text(&scene));
    assert!(!text(&scene).contains("no points then"), "{}", text(&scene));
}

#[test]
fn the_chart_of_a_key_that_is_not_saved_says_so() {
    for (key, at, said) in [
        ("b", NOW - 300, "of 1 key only the newest points were saved"),
        ("b", NOW - 700, "no points here; "),
        ("a", NOW - 300, "no points here; "),
    ] {
        let mut scene = replay(160);
        scene.to(Mode::Table);
        scene.keys(&format!("W{key}\n"));
        answer(&mut scene, |line| match line {
            line if line.ends_with("[last:1024]") => format!("{key} 1 {}\n", NOW - 1),
            _ => String::new(),
        });
        scene.to(Mode::Watch);
        scene.keys(&format!("f@{at}\n1"));
        answer(&mut scene, |_| String::new());
        let text = draw(&scene, &scene.theme, 160, 20).to_string();
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_replay_says_what_it_does_not_know() {
    let mut scene = replay(160);
    scene.to(Mode::Table);
    let text = |scene: &Scene| draw(scene, &scene.theme, 160, 20).to_string();
    assert!(text(&scene).contains("3 keys, newest points only of 2 · "), "{}", text(&scene));
    // Of the others the newest points are not all.
    let row = |key: &str| text(&scene).lines().find(|line| line.contains(key)).unwrap().to_owned();
    assert!(row("│ b ").matches('–').count() > row("│ a ").matches('–').count());
    scene.keys("@-2h\n");
    assert_eq!(scene.notice(), "this session begins 04:16:00");
    assert_eq!(scene.app.place().at(), None);
    let at = NOW - 700;
    scene.keys(&format!("@{at}\n"));
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1 {at}\n"));
    assert!(!text(&scene).contains("newest points only"), "{}", text(&scene));
}

#[test]
fn the_time_before_that_of_the_table_is_saved_if_there_is_room() {
    for (earlier, seconds) in [(120_000, 1800), (120_001, 900)] {
        let mut scene = scene();
        scene.press(KeyPress::ctrl('s'));
        let count = format!("get *[{}::all:count]", NOW - 1800);
        let (asked, _) = answer(&mut scene, |line| {
            if line == count { format!("a {earlier} {NOW}\n") } else { String::new() }
        });
        assert_eq!(asked.last(), Some(&format!("get *[{}:]", NOW - seconds)));
    }
}

#[test]
fn of_too_many_keys_a_session_has_those_in_sight() {
    let mut scene = Scene::live(120, 40, &["a0"], &[]);
    let all: String = (0..20_001).map(|key| format!("a{key} 4.0 {NOW}\n")).collect();
    answer(&mut scene, |line| if line == "get *[last]" { all.clone() } else { String::new() });
    scene.to(Mode::Table);
    answer(&mut scene, |_| String::new());
    scene.press(KeyPress::ctrl('s'));
    let (asked, written) = answer(&mut scene, |_| String::new());
    assert!(asked.iter().all(|line| !line.starts_with("get *")), "{asked:?}");
    assert!(asked[0].starts_with("get {a0,a1,a2,"), "{asked:?}");
    let (.., left_out) = written.expect("it is written");
    assert!((19_900..20_001).contains(&left_out.keys), "{left_out:?}");
    is_saved(&mut scene, "/x", 9, left_out);
    assert!(
        scene.notice().contains(" keys that are out of sight: 1.2 kB in"),
        "{}",
        scene.notice()
    );
}

#[test]
fn a_long_chart_is_saved_as_the_extremes_of_its_buckets() {
    let first = NOW - 30 * DAY;
    let server = SeriesServer::of((0..=720).map(|hour| (first + hour * 3600, 5.0)));
    let mut scene = server.chart(120, 40);
    scene.keys("5");
    server.serve(&mut scene);
    for (count, expected) in [("20000.0", 1), ("20001.0", 2)] {
        scene.press(KeyPress::ctrl('s'));
        let (asked, written) = answer(&mut scene, |line| match line {
            line if line.contains(":count]") && line.starts_with("get a[") => {
                format!("a {count} {first}\n")
            }
            line if line.ends_with(":min]") => format!("a 1.0 {first}\n"),
            line if line.ends_with(":max]") => format!("a 9.0 {first}\n"),
            _ => String::new(),
        });
        let before = NOW - 901;
        let extremes = |how| format!("get a[{first}:{before}:2591s:{how}]");
        let all = match expected {
            1 => vec![format!("get a[{first}:{before}]")],
            _ => vec![extremes("min"), extremes("max")],
        };
        assert_eq!(asked[asked.len() - expected..], all, "{asked:?}");
        let (_, session, _) = written.expect("it is written");
        let points: Vec<_> = session.recording.iter().flat_map(|(_, points)| points).collect();
        let points: Vec<_> =
            points.iter().map(|point| (point.timestamp - first, point.value)).collect();
        let both = [(0, 1.0), (1295, 9.0)];
        assert_eq!(points, both[..2 * (expected - 1)]);
    }
}

#[test]
fn without_selectors_or_a_connection_a_session_has_what_is_known() {
    let mut scene = Scene::with_sample(120, 40, &["palm.cpu"]);
    scene.to(Mode::Table);
    for _ in 0..2 {
        let effects = scene.press(KeyPress::ctrl('s'));
        let (_, session, left_out) =
            effects.into_iter().find_map(self::session).expect("it is written");
        let keys: Vec<_> = counts(&session).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert!(session.recording.points() > 100);
        has_newest_only(&session, left_out);
        scene.tell(Event::Disconnected("gone".to_owned()));
    }
}

/// Numbers and earlier times of it are not taken for those of all points.
fn has_newest_only(session: &Session, left_out: LeftOut) {
    let keys = session.recording.len();
    assert_eq!(left_out, LeftOut { keys: 0, points_of: keys as u64, around_place: false });
    assert_eq!(session.recording.partial(), keys);
    let (coverage, at) = (session.recording.coverage().unwrap(), session.view.saved_at);
    let (key, _) = session.recording.iter().next().unwrap();
    assert_eq!(coverage.known_at(key.as_str(), at), 2);
    assert!(coverage.begins_after(at - 600));
    assert!(!coverage.has_all_of(key.as_str(), Some(at - 900), at));
}

#[test]
fn a_session_of_which_an_answer_was_refused_has_the_newest_points_alone() {
    let mut scene = scene();
    scene.press(KeyPress::ctrl('s'));
    let mut written = None;
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let (status, data) = match &line {
            line if line.contains(":]") => (Status::Error, "too much\n".to_owned()),
            line if line.contains(":count]") => (Status::Ok, format!("a 9.0 {}\n", NOW - 900)),
            _ => (Status::Ok, format!("a 4.0 {NOW}\n")),
        };
        let effects = scene.answer(&line, status, &data);
        written = effects.into_iter().find_map(session).or(written);
    }
    let (_, session, left_out) = written.expect("it is written");
    has_newest_only(&session, left_out);
}

#[test]
fn what_has_come_is_saved_when_the_connection_is_lost() {
    let mut scene = scene();
    scene.press(KeyPress::ctrl('s'));
    scene.ok("get *[last:2]", &format!("a 4.0 {NOW}\n"));
    let effects = scene.tell(Event::Disconnected("gone".to_owned()));
    let (_, session, left_out) =
        effects.into_iter().find_map(self::session).expect("it is written");
    let keys: Vec<_> = counts(&session).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "b"]);
    has_newest_only(&session, left_out);
    assert!(scene.log().iter().any(|line| line.contains("not all was answered")));
    // The next one is not in its way.
    assert!(!scene.press(KeyPress::ctrl('s')).is_empty());
}

#[test]
fn the_top_line_of_a_replay_says_what_it_is_and_when() {
    let place = Some(NOW - 600);
    let view = View {
        address: "palm:10001".to_owned(),
        saved_at: NOW,
        place,
        pane: Some(Focus::Table),
        focus: Some(Focus::Table),
        ..View::default()
    };
    let log = Log::new(1 << 20, false).snapshot();
    let session = Arc::new(Session { view, recording: Recording::default(), log });
    for (width, expected) in [
        (30, "▷ replay of palm:10… 10m ago"),
        (80, "▷ replay of palm:10001, saved 2006-06-21 04:31:00 10m ago"),
        (90, "▷ replay of palm:10001, saved 2006-06-21 04:31:00 at 2006-06-21 04:21:00, 10m ago"),
    ] {
        let replayed = Some(Arc::clone(&session));
        let config = AppConfig { address: "palm:10001".to_owned(), replayed, ..config() };
        let scene = Scene::with(width, 10, config);
        let screen = draw(&scene, &scene.theme, width, 10).to_string();
        let top = screen.lines().next().unwrap().trim_matches('"').split_whitespace();
        assert_eq!(top.collect::<Vec<_>>().join(" "), expected);
        assert_eq!(scene.app.mode(), Mode::Table);
    }
}

/// Where the room is short, they come before the address and the date.
#[test]
fn the_top_line_of_a_replay_says_by_how_much_runs_are_shifted() {
    let view = View {
        address: "palm.example:10001".to_owned(),
        saved_at: NOW,
        place: Some(NOW - 600),
        shifts: vec![("run1.".to_owned(), 200_000)],
        runs: ["run1.", "run2."].map(str::to_owned).into(),
        ..View::default()
    };
    let sources = view.sources();
    let log = Log::new(1 << 20, false).snapshot();
    let session = Arc::new(Session { view, recording: Recording::default(), log });
    for (width, expected) in [
        (40, "▷ replay run1. +2d7h · run2. 10m ago"),
        (80, "▷ replay, saved 2006-06-21 04:31:00 run1. +2d7h · run2. 10m ago"),
        (
            100,
            "▷ replay of palm.example:10001, saved 2006-06-21 04:31:00 run1. +2d7h · run2. 10m ago",
        ),
    ] {
        let (replayed, sources) = (Some(Arc::clone(&session)), sources.clone());
        let address = "palm.example:10001".to_owned();
        let scene = Scene::with(width, 10, AppConfig { address, sources, replayed, ..config() });
        let screen = draw(&scene, &scene.theme, width, 10).to_string();
        let top = screen.lines().next().unwrap().trim_matches('"').split_whitespace();
        assert_eq!(top.collect::<Vec<_>>().join(" "), expected);
    }
}

#[test]
fn a_session_that_can_not_be_saved_asks_for_another_name() {
    let mut scene = Scene::with_sample(100, 30, &[]);
    scene.to(Mode::Table);
    let reason = || "there is such a file already".to_owned();
    scene.tell(Event::SessionNotSaved { path: "x.session".to_owned(), reason: reason() });
    assert_eq!(scene.notice(), "x.session: not saved, there is such a file already");
    assert_eq!((scene.app.mode(), scene.input().text()), (Mode::LogInput, "x.session"));
    scene.press(KeyPress::ctrl('u'));
    scene.keys("y.session");
    let effects = scene.press(KeyPress::plain(tui_client::event::KeyCode::Enter));
    let (path, ..) = effects.into_iter().find_map(self::session).expect("it is written");
    assert_eq!(path, "y.session");
    // Where something is typed, it is not in the way.
    scene.to(Mode::Prompt);
    scene.keys("get a");
    scene.tell(Event::SessionNotSaved { path, reason: reason() });
    assert_eq!(scene.app.mode(), Mode::Prompt);
}
