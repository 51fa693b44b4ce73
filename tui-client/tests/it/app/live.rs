//! The screen of a server with selectors: it is told every put, and asks for what is in sight.

mod fallback;
mod model;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use shared::response::Status;
use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{Event, FollowNews, KeyCode};
use tui_client::keymap::Mode;
use tui_client::metrics::column::Column;
use tui_client::metrics::series::Series;
use tui_client::metrics::sort::{Sort, TableSpec};
use tui_client::metrics::window::Window;
use tui_client::request::pending::Channel;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{cell_of, draw, find};

const SECOND: Duration = Duration::from_secs(1);

/// Connected to a server with selectors, which has told the state of all keys.
fn live(state: &str) -> Scene {
    let mut scene = Scene::live(120, 30, &[], &[]);
    scene.ok("get *[last]", state);
    scene
}

/// The newest values of the rows, in their order.
fn rows(scene: &Scene) -> Vec<(String, f64)> {
    let rows = scene.app.table().visible(100);
    rows.map(|series| (series.key.to_string(), series.last.value)).collect()
}

/// What is asked for, without the answers.
fn asked(scene: &mut Scene) -> Vec<String> {
    scene.sent.drain(..).map(|request| request.line).collect()
}

fn row(key: &str, value: f64) -> (String, f64) {
    (key.to_owned(), value)
}

#[test]
fn the_state_is_asked_for_once_the_follow_has_begun() {
    let mut scene = Scene::new(120, 30, &[]).follow();
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]");
    assert!(scene.sent.is_empty(), "not before");
    assert_eq!(scene.app.feed().has_selectors(), None);
    scene.begin();
    assert_eq!(scene.app.feed().has_selectors(), Some(true));
    assert!(scene.sent.iter().all(|request| request.channel == Channel::Data));
    // Told before the answer comes: a point that is in it already, and one that is not.
    scene.told("b 2.0 2\na 5.0 3\n");
    scene.ok("get *[last]", "a 1.0 1\nb 2.0 2\n");
    assert_eq!(rows(&scene), [row("a", 5.0), row("b", 2.0)]);
    scene.told("c 7.0 1\nb 3.0 2\na 4.0 2\nnonsense\n");
    assert_eq!(rows(&scene), [row("a", 5.0), row("b", 3.0), row("c", 7.0)]);
    let a = scene.app.table().visible(1).next().unwrap();
    assert_eq!(a.before.map(|before| before.value), Some(4.0), "a late point stands before");
    assert_eq!(scene.app.table().answer().malformed, 1);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "live");
}

#[test]
fn no_poll_is_sent_while_the_screen_is_live() {
    let mut scene = live(&format!("a 1.0 {NOW}\n"));
    asked(&mut scene);
    scene.wait(9 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
}

#[test]
fn the_chart_asks_after_a_reconnect_while_paused() {
    let mut scene = Scene::live(120, 30, &["a"], &[]);
    let history: String = (0..1024).map(|n| format!("a {n}.0 {}\n", NOW - 1024 + n)).collect();
    answer_queries(&mut scene, |line| match line {
        _ if line.contains(":count]") => format!("a 90000.0 {}\n", NOW - 90_000),
        _ => history.clone(),
    });
    scene.code(KeyCode::F(6));
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    scene.wait(2 * SECOND);
    scene.tell(Event::Connected);
    scene.begin();
    asked(&mut scene);
    scene.to(Mode::Watch);
    scene.keys("Z");
    let lines = asked(&mut scene);
    assert!(lines.iter().any(|line| line.starts_with("get a[")), "the chart asks: {lines:?}");
}

#[test]
fn a_follow_that_is_cut_off_is_begun_anew_with_the_state() {
    let mut scene = live("a 1.0 1\n");
    let before = scene.followed.clone().unwrap();
    scene.news(FollowNews::Lost("the server closed the connection".to_owned()));
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "following again");
    scene.wait(SECOND);
    let after = scene.followed.clone().unwrap();
    assert_eq!((before.1, before.0 < after.0), (after.1, true));
    // What is left of the one before is not taken.
    scene.tell(Event::Follow { id: before.0, news: FollowNews::Lines("a 9.0 9\n".into()) });
    scene.begin();
    scene.told("a 3.0 3\n");
    asked_but(&mut scene, "get *[last]");
    scene.ok("get *[last]", "a 2.0 2\n");
    assert_eq!(rows(&scene), [row("a", 3.0)]);
}

/// Drops every request but this one.
fn asked_but(scene: &mut Scene, line: &str) {
    scene.sent.retain(|request| request.line == line);
}

#[test]
fn a_state_that_is_lost_begins_the_follow_anew() {
    let mut scene = Scene::live(120, 30, &[], &[]);
    let ids = scene.sent.drain(..).map(|request| request.id).collect();
    scene.told("a 1.0 1\n");
    scene.tell(Event::DataLost { ids, reason: "the server closed the connection".to_owned() });
    scene.wait(SECOND);
    scene.begin();
    scene.ok("get *[last]", "a 1.0 1\n");
    assert_eq!(rows(&scene), [row("a", 1.0)]);
}

#[test]
fn after_a_time_without_a_loss_what_is_dropped_is_asked_for_as_soon_as_at_first() {
    let mut scene = Scene::live(120, 30, &[], &[]);
    let lines = format!("{} 2.0 2\n", "b".repeat(1000)).repeat(1000);
    let mut waits = Vec::new();
    for calm in [0, 0, 3600, 0] {
        scene.wait(calm * SECOND);
        scene.begin();
        let follow = scene.followed.clone();
        for _ in 0..40 {
            scene.told(&lines);
        }
        scene.ok("get *[last]", "a 1.0 1\n");
        let mut waited = 0;
        while scene.followed == follow && waited < 1000 {
            scene.wait(SECOND);
            waited += 1;
        }
        waits.push(waited);
    }
    assert_eq!(waits, [10, 20, 10, 20]);
}
/// A million keys that have a point a second tell as much in a second or two.
#[test]
fn a_state_that_is_late_is_shown_though_too_much_is_told_before_it() {
    let mut scene = Scene::live(120, 30, &[], &[]);
    let follow = scene.followed.clone();
    let lines = format!("{} 2.0 2\n", "b".repeat(1000)).repeat(1000);
    for _ in 0..70 {
        scene.told(&lines);
    }
    scene.told("c 3.0 3\n");
    assert_eq!(scene.followed, follow, "the follow goes on");
    scene.ok("get *[last]", "a 1.0 1\n");
    scene.wait(SECOND);
    let keys: Vec<_> = rows(&scene).into_iter().map(|(key, _)| key).collect();
    assert_eq!((&*keys[0], keys.contains(&"c".to_owned())), ("a", true));
    assert_eq!(scene.followed, follow, "not at once");
    assert!(scene.app.feed().is_behind());
    asked(&mut scene);
    scene.wait(10 * SECOND);
    assert_ne!(scene.followed, follow, "what was dropped is asked for");
    scene.begin();
    assert!(!scene.app.feed().is_behind());
    scene.ok("get *[last]", "a 1.0 1\nb 2.0 2\nc 3.0 3\n");
    assert_eq!(rows(&scene), [row("a", 1.0), row("b", 2.0), row("c", 3.0)]);
}

#[test]
fn rows_in_sight_are_asked_for_their_numbers() {
    let mut scene = live("a 1.0 1\nb 2.0 2\n");
    let lines = answer_queries(&mut scene, |_| String::new());
    for clause in ["last:16", "-15m:-0s:all:min", "-15m:-0s:all:count", "-15m:-0s:19:max"] {
        assert!(lines.contains(&format!("get {{a,b}}[{clause}]")), "{clause}: {lines:?}");
    }
}

/// Answers every query for rows from these points of each key, as if all were in the window.
fn answer_queries(scene: &mut Scene, of: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, &of(&line));
        lines.push(line);
    }
    lines
}

/// The bars of a trend, without gaps.
fn trend(series: &Series) -> Vec<f64> {
    series.trend().unwrap().columns(48).into_iter().flatten().collect()
}

#[test]
fn the_trend_of_a_fresh_key_has_a_column_for_each_point() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 10.0 {NOW}\n"));
    // A server that answers from 10 points, one a second.
    let points = || (1..=10).map(|n| format!("a {n}.0 {}\n", NOW - 10 + n)).collect::<String>();
    let answer = |line: &str| match line {
        _ if line.contains("last:") => points(),
        _ if line.contains(":19:max]") => {
            let start = |time: i64| time.div_euclid(19) * 19;
            let buckets = (1..=10).map(|n| (start(NOW - 10 + n), n));
            let buckets: BTreeMap<_, _> = buckets.collect();
            buckets.iter().map(|(start, n)| format!("a {n}.0 {start}\n")).collect()
        }
        _ => format!("a 10.0 {NOW}\n"),
    };
    answer_queries(&mut scene, answer);
    let bars = |scene: &Scene| trend(scene.app.table().visible(1).next().unwrap());
    assert_eq!(bars(&scene), (1..=10).map(f64::from).collect::<Vec<_>>());
    scene.told(&format!("a 11.0 {}\n", NOW + 1));
    scene.wait(31 * SECOND);
    assert!(!answer_queries(&mut scene, answer).is_empty(), "asked for again");
    assert_eq!(bars(&scene), (1..=11).map(f64::from).collect::<Vec<_>>());
    assert!(find(&draw(&scene, &Theme::colour(), 200, 50), "▁▂▂▃▄▅▅▆▇▇█").is_some());
}

/// The rest of a reply to a query of `a`.
fn of_a(line: &str) -> String {
    let value = match line {
        _ if line.contains(":min]") => "1.0",
        _ if line.contains("all:max]") => "9.0",
        // Without the two newest points, which are known.
        _ if line.contains("all:avg]") => "6.5",
        _ if line.contains(":count]") => "2.0",
        _ if line.contains("last:") => return format!("a 3.0 {}\na 4.0 {NOW}\n", NOW - 1),
        _ => return format!("a 2.0 {}\na 4.0 {}\n", NOW - 600, NOW - 300),
    };
    format!("a {value} {}\n", NOW - 900)
}

#[test]
fn told_points_keep_the_numbers_up_to_date() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\n"));
    answer_queries(&mut scene, of_a);
    let numbers = |scene: &Scene| {
        let a = scene.app.table().visible(1).next().unwrap();
        let change = a.change();
        (a.count(), a.min(), a.max(), a.mean(), change, trend(a))
    };
    let expected = (Some(4), Some(1.0), Some(9.0), Some(5.0), Some(1.0), vec![2.0, 4.0]);
    assert_eq!(numbers(&scene), expected);
    scene.told(&format!("a 10.0 {}\n", NOW + 1));
    let expected = (Some(5), Some(1.0), Some(10.0), Some(6.0), Some(6.0), vec![2.0, 4.0, 10.0]);
    assert_eq!(numbers(&scene), expected);
    scene.wait(29 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0], "not yet");
    scene.wait(2 * SECOND);
    let lines = asked(&mut scene);
    assert!(lines.contains(&"get a[-15m:-0s:all:max]".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"get a[last:16]".to_owned()), "the follow tells those: {lines:?}");
}

#[test]
fn points_that_are_told_before_an_answer_are_not_lost() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 1.0 {NOW}\n"));
    scene.told(&format!("a 500.0 {}\na 1.0 {}\n", NOW + 1, NOW + 2));
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("last:") => format!("a 1.0 {NOW}\n"),
        _ if line.contains(":19:max]") => format!("a 1.0 {}\n", NOW.div_euclid(19) * 19),
        // Without the newest points.
        _ if line.contains(&format!(":{}:all:", NOW - 5)) => String::new(),
        _ => format!("a 1.0 {NOW}\n"),
    });
    let a = scene.app.table().visible(1).next().unwrap();
    assert_eq!((a.count(), a.min(), a.max()), (Some(3), Some(1.0), Some(500.0)));
    assert!(a.mean().is_some_and(|mean| (mean - 502.0 / 3.0).abs() < 1e-9));
    assert!(trend(a).contains(&500.0));
}

#[test]
fn each_point_of_a_watched_key_counts_once() {
    let mut scene = Scene::live(120, 30, &["a"], &[]);
    assert!(!scene.sent.iter().any(|request| is_number(&request.line)), "not before the points");
    scene.ok("get a[last:1024]", &format!("a 1.0 {NOW}\n"));
    // A 3 is stored: it is in the answers that have no end, and told after them.
    let lines = answer_queries(&mut scene, |line| match line {
        _ if line.contains(&format!(":{}:all:", NOW - 5)) => String::new(),
        _ if line.contains("::all:count") || line.contains("::all:avg") => {
            format!("a 2.0 {NOW}\n")
        }
        _ if line.contains("all:max") => format!("a 3.0 {NOW}\n"),
        _ => format!("a 1.0 {NOW}\n"),
    });
    assert!(lines.iter().any(|line| is_number(line)), "{lines:?}");
    scene.told(&format!("a 3.0 {}\n", NOW + 1));
    let a = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!((a.count(), a.mean()), (Some(2), Some(2.0)));
}

/// A watched key with more points than are asked for, and its numbers in this window.
fn watched() -> Scene {
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    let history = (0..1024).map(|n| format!("a {n}.0 {}\n", NOW - 10 * (1024 - n)));
    scene.ok("get a[last:1024]", &history.collect::<String>());
    while let Some(request) = scene.sent.iter().find(|request| !is_number(&request.line)) {
        let line = request.line.clone();
        scene.ok(&line, "");
    }
    scene
}

/// The minimum of the first watched key as the list shows it, and the window that it names.
fn watched_minimum(scene: &Scene) -> (String, Option<String>) {
    let screen = draw(scene, &Theme::colour(), 200, 50).to_string();
    let row = screen.lines().skip_while(|line| !line.contains(" watch a ")).nth(1);
    let word = |text: &str, after: &str| {
        let word = text.rsplit_once(after)?.1.split_whitespace().next()?;
        Some(word.to_owned())
    };
    (row.and_then(|row| word(row, " min ")).unwrap_or_default(), word(&screen, " min of "))
}

/// The request is for a number in a window with a beginning.
fn is_number(line: &str) -> bool {
    line.starts_with("get a[-") && line.contains(":all:")
}

/// Answers the queries for numbers, some of which are refused, and others with nothing.
fn answer_numbers(scene: &mut Scene, of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(request) = scene.sent.first() {
        let line = request.line.clone();
        match of(&line) {
            _ if !is_number(&line) => scene.ok(&line, ""),
            Some(answer) => scene.ok(&line, &answer),
            None => drop(scene.answer(&line, Status::Error, "too much\n")),
        }
        lines.extend(Some(line).filter(|line| is_number(line)));
    }
    lines
}

#[test]
fn the_numbers_of_the_watch_list_are_those_of_the_window_that_it_names() {
    let unknown = || ("…".to_owned(), None);
    let mut scene = watched();
    assert_eq!(watched_minimum(&scene), unknown());
    assert_eq!(answer_numbers(&mut scene, |_| None).len(), 4);
    assert_eq!(watched_minimum(&scene), unknown(), "they are refused");
    scene.wait(4 * SECOND);
    assert!(answer_numbers(&mut scene, |_| None).is_empty(), "not at once");
    scene.wait(2 * SECOND);
    let answer = |line: &str| match line {
        _ if line.contains(":count]") => Some("a 90.0 1\n".to_owned()),
        _ if line.contains("-1h:") => Some("a 669.0 1\n".to_owned()),
        _ => Some("a 934.0 1\n".to_owned()),
    };
    assert_eq!(answer_numbers(&mut scene, answer).len(), 4, "asked for again");
    let known = |value: &str, window: &str| (value.to_owned(), Some(window.to_owned()));
    assert_eq!(watched_minimum(&scene), known("934", "15m"));
    // Refreshed without success, they are still those of the window.
    scene.wait(31 * SECOND);
    assert!(answer_numbers(&mut scene, |_| None).len() >= 4);
    assert_eq!(watched_minimum(&scene), known("934", "15m"));
    scene.to(Mode::Table);
    scene.keys("t");
    scene.to(Mode::Watch);
    assert_eq!(watched_minimum(&scene), unknown(), "asked for");
    answer_numbers(&mut scene, |line| answer(line).filter(|_| line.contains("min]")));
    assert_eq!(watched_minimum(&scene), unknown(), "some are refused");
    scene.wait(6 * SECOND);
    answer_numbers(&mut scene, answer);
    assert_eq!(watched_minimum(&scene), known("669", "1h"));
}

#[test]
fn a_late_answer_of_a_window_that_is_left_is_dropped() {
    let mut scene = watched();
    let late: Vec<_> = scene.sent.clone();
    let late = late.into_iter().filter(|request| request.line.contains("[-15m:"));
    let late: Vec<_> = late.map(|request| request.line).collect();
    assert!(!late.is_empty());
    scene.to(Mode::Table);
    scene.keys("t");
    for line in &late {
        scene.ok(line, "a 15.0 1\n");
    }
    assert_eq!(scene.app.watch().numbers_window(), None);
    answer_numbers(&mut scene, |_| Some("a 60.0 1\n".to_owned()));
    let a = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!((a.min(), scene.app.watch().numbers_window()), (Some(60.0), Some(Window::Hour)));
}

#[test]
fn a_watched_key_without_older_points_in_the_window_has_its_numbers() {
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    // Nothing but the newest point is in the window, and counts leave that out.
    scene.ok("get a[last:1024]", &format!("a 5.0 {}\na 7.0 {NOW}\n", NOW - 9000));
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("all:min]") || line.contains("all:max]") => format!("a 7.0 {NOW}\n"),
        _ => String::new(),
    });
    let a = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!((a.count(), a.min(), a.mean()), (Some(1), Some(7.0), Some(7.0)));
    // A key that is told for the first time has no other points.
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    scene.ok("get a[last:1024]", "");
    answer_queries(&mut scene, |_| String::new());
    scene.told(&format!("a 3.0 {NOW}\n"));
    assert_eq!(watched_minimum(&scene), ("3".to_owned(), Some("15m".to_owned())));
}

#[test]
fn a_watched_key_that_is_left_out_of_an_answer_has_no_numbers() {
    let mut scene = watched();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.points_left_out = u64::from(is_number(&line));
        scene.ok(&line, "");
    }
    assert_eq!(watched_minimum(&scene), ("…".to_owned(), None));
}

#[test]
fn answers_to_queries_from_before_a_new_state_are_dropped() {
    let mut scene = watched();
    let numbers = scene.sent.iter().filter(|request| is_number(&request.line)).count();
    scene.code(KeyCode::F(5));
    scene.begin();
    let history = "get a[last:1024]";
    assert!(scene.sent.iter().any(|request| request.line == history), "{:?}", scene.sent);
    scene.ok(history, &format!("a 3.0 {}\na 4.0 {NOW}\n", NOW - 9));
    for _ in 0..numbers {
        let line = scene.sent.iter().find(|request| is_number(&request.line)).unwrap().line.clone();
        scene.ok(&line, &format!("a 1.0 {NOW}\n"));
    }
    assert_eq!(watched_minimum(&scene), ("…".to_owned(), None));
    answer_numbers(&mut scene, |_| Some(format!("a 2.0 {NOW}\n")));
    assert_eq!(watched_minimum(&scene), ("2".to_owned(), Some("15m".to_owned())));
}

#[test]
fn watched_keys_are_not_asked_for_numbers_of_a_window_that_is_left() {
    let mut scene = watched();
    answer_queries(&mut scene, |_| format!("a 1.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys(&"tT".repeat(50));
    let lines = answer_numbers(&mut scene, |_| Some(format!("a 1.0 {NOW}\n")));
    // Those under way when a window was left, and those of the last one: of the list and the row.
    assert!(lines.len() <= 4 + 8, "{}: {lines:?}", lines.len());
}

#[test]
fn another_window_is_asked_for_and_said() {
    let mut scene = live(&format!("a 4.0 {NOW}\n"));
    answer_queries(&mut scene, of_a);
    scene.to(Mode::Table);
    for (key, window, title) in
        [("t", Window::Hour, "last 1h"), ("T", Window::Minutes15, "last 15m")]
    {
        scene.keys(key);
        assert_eq!(scene.app.table().window(), window);
        let lines = answer_queries(&mut scene, of_a);
        let max = format!("get a[{}{}:all:max]", window.range(), window.end());
        assert!(lines.contains(&max), "{lines:?}");
        cell_of(&draw(&scene, &Theme::colour(), 120, 30), title);
    }
    scene.keys("ttttt");
    assert_eq!(scene.notice(), "there is no window beyond");
    let lines = answer_queries(&mut scene, of_a);
    let course = format!("get a[::{}:max]", (900 + 47) / 48);
    assert!(lines.contains(&course), "as far back as the first point: {lines:?}");
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "all time");
}

#[test]
fn queries_of_a_window_that_is_left_are_not_sent() {
    let mut scene = live(&format!("a 4.0 {NOW}\n"));
    answer_queries(&mut scene, of_a);
    scene.to(Mode::Table);
    scene.keys(&"tT".repeat(50));
    scene.keys("t");
    let before = scene.sent.len();
    assert!(before <= 4, "as many as are under way at once: {before}");
    let lines = answer_queries(&mut scene, of_a);
    let is_new = |line: &String| line.contains("-1h:") || line.contains("last:");
    assert!(lines[before..].iter().all(is_new), "{lines:?}");
    assert!(lines.len() <= 2 * before + 4, "{lines:?}");
    let a = scene.app.table().visible(1).next().unwrap();
    assert_eq!((a.max(), a.count()), (Some(9.0), Some(4)));
}

#[test]
fn refreshes_do_not_pile_up() {
    let mut scene = Scene::live(120, 30, &["a"], &[]);
    let before = scene.sent.len();
    for _ in 0..50 {
        let follow = scene.followed.clone();
        scene.code(KeyCode::F(5));
        if scene.followed != follow {
            scene.begin();
        }
    }
    assert_eq!(scene.sent.len(), before, "the state is under way");
    let follow = scene.followed.clone();
    for line in ["get *[last]", "get a[last:1024]"] {
        scene.ok(line, &format!("a 1.0 {NOW}\n"));
    }
    assert_ne!(scene.followed, follow, "once more, with the state of now");
    scene.begin();
    let states = scene.sent.iter().filter(|request| request.line == "get *[last]");
    assert_eq!(states.count(), 1);
    let lines = answer_queries(&mut scene, |_| format!("a 1.0 {NOW}\n"));
    assert!(lines.len() < 40, "{}: {lines:?}", lines.len());
    scene.wait(10 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
}

#[test]
fn an_order_by_a_number_asks_for_that_of_all_keys() {
    let sort = Sort::named("-max").unwrap();
    let table = TableSpec { sort, ..TableSpec::default() };
    let mut scene = Scene::live_table(120, 30, table);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    let of_all = "get *[-15m:-0s:all:max]";
    let lines = answer_queries(&mut scene, |line| match line {
        _ if line == of_all => format!("a 90.0 {NOW}\nb 50.0 {NOW}\n"),
        _ => String::new(),
    });
    assert!(lines.iter().any(|line| line == of_all), "{lines:?}");
    scene.wait(2 * SECOND);
    assert_eq!(rows(&scene), [row("a", 4.0), row("b", 5.0)]);
    scene.told(&format!("b 95.0 {}\n", NOW + 2));
    scene.wait(2 * SECOND);
    assert_eq!(rows(&scene), [row("b", 95.0), row("a", 4.0)]);
}

#[test]
fn an_order_that_knows_some_keys_only_says_so() {
    let sort = Sort::named("-change").unwrap();
    let table = TableSpec { sort, ..TableSpec::default() };
    let mut scene = Scene::live_table(120, 30, table);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.points_left_out = if line == "get *[last:2]" { 12_345 } else { 0 };
        scene.ok(&line, &format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 1));
    }
    let said = "order and filter are of some keys only: 12,345 points left out of get *[last:2]";
    assert!(scene.log().contains(&format!("- {said}")), "{:?}", scene.log());
    assert_eq!(scene.notice(), said);
}

#[test]
fn a_pause_stands_still_and_goes_on_with_the_state() {
    let mut scene = live("a 1.0 1\n");
    asked(&mut scene);
    scene.code(KeyCode::F(6));
    assert!(scene.followed.is_none(), "nothing is told");
    scene.wait(60 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
    scene.code(KeyCode::F(5));
    scene.ok("get *[last]", "a 2.0 2\n");
    assert_eq!(rows(&scene), [row("a", 2.0)], "asked for once");
    scene.code(KeyCode::F(6));
    assert_eq!(scene.notice(), "live: every put is shown as it is stored");
    scene.begin();
    scene.ok("get *[last]", "a 3.0 3\n");
    assert_eq!(rows(&scene), [row("a", 3.0)]);
}

#[test]
fn a_key_of_which_a_point_is_taken_back_is_asked_for_alone() {
    let mut scene = live(&format!("a 1.0 1\nb 1.0 1\nc 9.0 {NOW}\n"));
    scene.told("a 2.0 2\n");
    answer_queries(&mut scene, |_| String::new());
    let before = scene.followed.clone();
    scene.told("a - 2\nb - 1\n");
    scene.told("a 0.5 0\n");
    scene.wait(SECOND);
    assert_eq!(scene.followed, before, "the follow goes on");
    let lines: Vec<_> = scene.sent.iter().map(|request| request.line.clone()).collect();
    assert_eq!(lines, ["get {a,b}[last:2]"]);
    // Told meanwhile: what is in the answer already, and what is not.
    scene.told("a 0.5 0\nc 7.0 8\n");
    scene.told(&format!("c 8.0 {}\n", NOW + 1));
    scene.ok("get {a,b}[last:2]", "a 0.5 0\na 1.0 1\n");
    assert_eq!(rows(&scene), [row("a", 1.0), row("c", 8.0)], "b has no points left");
    let a = scene.app.table().visible(1).next().unwrap();
    assert_eq!(a.before.map(|before| before.value), Some(0.5));
    let lines = answer_queries(&mut scene, |_| String::new());
    assert!(lines.iter().all(|line| line.starts_with("get a[")), "its numbers: {lines:?}");
    assert!(lines.len() > 3, "{lines:?}");
    scene.told("b 5.0 5\n");
    assert_eq!(rows(&scene), [row("a", 1.0), row("c", 8.0), row("b", 5.0)]);
    answer_queries(&mut scene, |_| String::new());
    scene.told("a - -5\n");
    scene.wait(2 * SECOND);
    assert_eq!(scene.followed, before);
    assert_eq!(asked(&mut scene), [""; 0], "it does not matter to what is shown");
}

#[test]
fn a_watched_key_of_which_a_point_is_taken_back_is_asked_for_alone() {
    let mut scene = Scene::live(120, 30, &["a", "b", "c*"], &[]);
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("last:") => format!("a 2.0 2\nb 1.0 {NOW}\nc1 1.0 {NOW}\n"),
        _ => String::new(),
    });
    let before = scene.followed.clone();
    scene.told("a - 2\n");
    scene.wait(SECOND);
    let lines = answer_queries(&mut scene, |_| String::new());
    assert!(lines.iter().all(|line| line.starts_with("get a[")), "{lines:?}");
    assert!(lines.contains(&"get a[last:1024]".to_owned()), "{lines:?}");
    assert!(scene.app.watch().keys()[0].series.is_none());
    assert!(scene.app.watch().keys()[1].series.is_some());
    assert_eq!(scene.followed, before);
}

#[test]
fn many_keys_that_are_taken_back_begin_the_follow_anew() {
    let keys = |clause: &str| -> String { (0..300).map(|n| format!("k{n} {clause}\n")).collect() };
    let mut scene = live(&keys("1 5"));
    let before = scene.followed.clone();
    scene.told(&keys("- 5"));
    scene.wait(SECOND);
    assert_ne!(scene.followed, before);
}

#[test]
fn a_watch_follows_its_keys_alone_until_the_table_is_seen() {
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    assert_eq!(scene.followed.as_ref().unwrap().1, "a[+]");
    let lines = asked(&mut scene);
    assert_eq!(lines[0], "get a[last:1024]");
    assert!(lines.iter().all(|line| line.starts_with("get a[")), "{lines:?}");
    scene.to(Mode::Table);
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]");
    scene.to(Mode::Watch);
    scene.wait(59 * SECOND);
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]", "it may be back in a moment");
    scene.wait(2 * SECOND);
    assert_eq!(scene.followed.as_ref().unwrap().1, "a[+]");
}

#[test]
fn each_told_point_of_an_alert_is_judged() {
    let mut scene = Scene::live(120, 30, &[], &["a > 5", "*.cpu > 90"]);
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]", "the table is in sight");
    scene.ok("get a[last:1024]", "a 1.0 1\n");
    scene.ok("get *.cpu[last:64]", "");
    scene.ok("get *[last]", "a 1.0 1\n");
    let rings = |scene: &mut Scene, lines: &str| {
        scene.told(lines).contains(&Effect::Terminal(TerminalOrder::Bell))
    };
    assert!(!rings(&mut scene, "a 2.0 2\nb 99.0 2\n"));
    assert!(rings(&mut scene, "a 6.0 3\n"));
    assert_eq!((scene.notice(), scene.app.watch().alarms()), ("alert: a > 5: a is 6", 1));
    assert!(!rings(&mut scene, "a 7.0 4\n"), "once");
    assert!(rings(&mut scene, "a 1.0 5\nnew.cpu 95.0 5\n"), "a key that nobody knew");
    assert_eq!(
        (scene.notice(), scene.app.watch().alarms()),
        ("alert: *.cpu > 90: new.cpu is 95", 1)
    );
    scene.wait(3 * SECOND);
    assert!(
        rings(&mut scene, "new.cpu 1.0 6\nnew.cpu 96.0 7\nnew.cpu 1.0 8\n"),
        "between two frames"
    );
    assert_eq!(scene.app.watch().alarms(), 0);
}

#[test]
fn the_connection_of_the_prompt_ends_with_everything() {
    let mut scene = live("a 1.0 1\n");
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    assert!(scene.followed.is_none());
    asked(&mut scene);
    scene.tell(Event::Connected);
    scene.begin();
    scene.ok("get *[last]", "a 2.0 2\n");
    assert_eq!(rows(&scene), [row("a", 2.0)]);
}

#[test]
fn a_typed_get_leaves_the_table_live() {
    let mut scene = live("a 1.0 1\nb 1.0 1\n");
    asked(&mut scene);
    scene.enter("get a");
    scene.answer("get a", Status::Ok, "a 1.0 1\n");
    scene.told("a 9.0 9\n");
    assert_eq!(rows(&scene), [row("a", 9.0), row("b", 1.0)]);
}

#[test]
fn the_interval_is_no_pace_of_a_live_screen() {
    let scene = live("a 1.0 1\n").on(Mode::Table, "+");
    assert_eq!(scene.notice(), "live: every put is shown as it is stored; there is no interval");
    assert!(find(&draw(&scene, &Theme::colour(), 120, 30), "every 2s").is_none());
}

#[test]
fn what_moves_is_counted_while_it_moves() {
    let mut scene = live("a 1.0 1\n");
    let id = scene.sent[0].id;
    for second in 1..=6 {
        scene.wait(SECOND);
        scene.tell(Event::Progress { id, points: second, bytes: second * 50_000 });
        scene.told(&format!("a {second}.0 {second}\n").repeat(5000));
    }
    scene.wait(SECOND);
    let cost = scene.app.polling().cost(scene.app.now().elapsed).unwrap();
    assert!((60_000.0..110_000.0).contains(&cost.bytes), "{cost:?}");
}

#[test]
fn keys_can_be_completed_though_only_some_are_watched() {
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    asked(&mut scene);
    scene.to(Mode::Prompt);
    scene.wait(5 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
    scene.type_text("get pal");
    scene.ok("get *[last]", "palm.cpu 1.0 1\n");
    assert!(scene.sent.is_empty(), "once");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.app.input().prompt.text().trim_end(), "get palm.cpu");
    let mut scene = live("a 1.0 1\n");
    scene.told("palm.mem 1.0 1\n");
    scene.type_text("get pal");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.app.input().prompt.text().trim_end(), "get palm.mem", "it is new");
}

#[test]
fn columns_that_points_alone_fill_are_asked_for_once() {
    for columns in ["key,last", "key,last,change", "key,last,max"] {
        let columns = columns.split(',').filter_map(Column::named).collect();
        let table = TableSpec { columns, ..TableSpec::default() };
        let mut scene = Scene::live_table(120, 30, table.clone());
        scene.ok("get *[last]", &format!("a 4.0 {}\n", NOW - 9000));
        answer_queries(&mut scene, of_a);
        // It is woken for the age, and for nothing else.
        scene.wait(300 * SECOND);
        let is_number = table.columns.contains(&Column::Max);
        let expected = if is_number { vec!["get a[-15m:-0s:all:max]"] } else { vec![] };
        assert_eq!(asked(&mut scene), expected);
    }
}
