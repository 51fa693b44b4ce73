//! The screen of a server with selectors: it is told every put, and asks for what is in sight.

mod deletions;
mod fallback;
mod first_rows;
mod lost_points;
mod model;
mod numbers;
mod watched_numbers;
mod window;

use std::time::Duration;

use shared::response::Status;
use tui_client::effect::{ComputeJob, Effect, TerminalOrder};
use tui_client::event::{Event, FollowNews, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::column::Column;
use tui_client::metrics::sort::{AT_ONCE, Sort, TableSpec};
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

/// The request is for a number in a window with a beginning.
fn is_number(line: &str) -> bool {
    line.starts_with("get a[-") && line.contains(":all:")
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

/// Two answers of a million keys do not fit into the memory that a screen may have.
#[test]
fn of_a_large_table_only_what_is_in_sight_stays_until_its_state_has_come_again() {
    let state = |value: u32| -> String {
        (0..200_001).map(|key| format!("k{key} {value}.0 {NOW}\n")).collect()
    };
    let shown = |scene: &Scene| {
        let selected = scene.app.table().selected_key().map(ToString::to_string);
        (scene.app.table().answer().series.len(), selected)
    };
    let mut scene = live(&state(1));
    asked(&mut scene);
    scene.to(Mode::Table);
    scene.keys("G");
    asked(&mut scene);
    let last = Some("k200000".to_owned());
    assert_eq!(shown(&scene), (200_001, last.clone()));
    scene.code(KeyCode::F(6));
    scene.code(KeyCode::F(5));
    let (few, selected) = shown(&scene);
    assert!(few < 30 && selected == last, "{few} {selected:?}");
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "200,001 keys, asking again …");
    scene.ok("get *[last]", &state(2));
    assert_eq!(shown(&scene), (200_001, last.clone()));
    assert_eq!(rows(&scene).last(), Some(&row("k200000", 2.0)));
    scene.code(KeyCode::F(6));
    scene.begin();
    assert!(shown(&scene).0 < 30, "also when all is followed again");
    scene.ok("get *[last]", "k200000 3.0 3\n");
    assert_eq!(shown(&scene), (1, last));
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

/// Answers every query for rows from these points of each key, as if all were in the window.
fn answer_queries(scene: &mut Scene, of: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, &of(&line));
        lines.push(line);
    }
    lines
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

/// The numbers of the first row.
fn numbers(scene: &Scene) -> (Option<u64>, Option<f64>, Option<f64>) {
    let a = scene.app.table().visible(1).next().unwrap();
    (a.count(), a.max(), a.trend().and(a.mean()))
}

#[test]
fn a_refresh_while_paused_brings_the_numbers_too() {
    let state = format!(
        "a 4.0 {NOW}
"
    );
    for is_paused in [true, false] {
        let mut scene = live(&state);
        answer_queries(&mut scene, of_a);
        let before = numbers(&scene);
        assert_eq!(before.0, Some(4));
        if is_paused {
            scene.code(KeyCode::F(6));
            scene.wait(60 * SECOND);
            assert_eq!(asked(&mut scene), [""; 0], "nothing grows old");
        }
        for _ in 0..2 {
            scene.code(KeyCode::F(5));
            if !is_paused {
                scene.begin();
            }
            scene.ok("get *[last]", &state);
            assert_eq!(numbers(&scene), before, "until newer ones have come");
            let lines = answer_queries(&mut scene, |line| match line {
                _ if line.contains("all:max]") => format!(
                    "a 11.0 {NOW}
"
                ),
                _ => of_a(line),
            });
            assert!(lines.len() > 3, "{lines:?}");
            assert_eq!(numbers(&scene), (before.0, Some(11.0), before.2));
            scene.wait(if is_paused { 60 * SECOND } else { SECOND });
            assert_eq!(asked(&mut scene), [""; 0], "once");
            scene.code(KeyCode::F(5));
            if !is_paused {
                scene.begin();
            }
            scene.ok("get *[last]", &state);
            answer_queries(&mut scene, of_a);
        }
    }
}

#[test]
fn a_refresh_keeps_rows_in_the_order_of_their_numbers() {
    let sort = Sort { column: Some(Column::Max), descending: true };
    let mut scene = Scene::live_table(120, 30, TableSpec { sort, ..TableSpec::default() });
    let points = |value: fn(i32) -> i32| -> String {
        (0..60).map(|n| format!("k{n} {}.0 {NOW}\n", value(n))).collect()
    };
    let state = points(|_| 1);
    scene.ok("get *[last]", &state);
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("all:max]") => points(|n| n * 7 % 60 + 2),
        _ => state.clone(),
    });
    scene.wait(SECOND);
    let before = rows(&scene);
    assert_eq!(before[0], row("k17", 1.0));
    scene.code(KeyCode::F(6));
    scene.code(KeyCode::F(5));
    scene.ok("get *[last]", &format!("new 1.0 {NOW}\n{state}"));
    assert_eq!(rows(&scene)[..60], before, "those out of sight, too");
}

#[test]
fn another_window_is_asked_for_while_paused() {
    let mut scene = live(&format!(
        "a 4.0 {NOW}
"
    ));
    answer_queries(&mut scene, of_a);
    let before = numbers(&scene);
    scene.code(KeyCode::F(6));
    scene.wait(60 * SECOND);
    scene.to(Mode::Table);
    scene.keys("t");
    assert_eq!(numbers(&scene), before, "with the title of their window");
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "last 15m");
    let lines = answer_queries(&mut scene, |line| match line {
        _ if line.contains("all:max]") => format!(
            "a 11.0 {NOW}
"
        ),
        _ => of_a(line),
    });
    assert!(lines.contains(&"get a[-1h:-0s:all:max]".to_owned()), "{lines:?}");
    assert_eq!(numbers(&scene), (before.0, Some(11.0), before.2));
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "last 1h");
    scene.wait(60 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0], "once");
}

#[test]
fn lines_that_wait_for_a_sort_wake_nothing() {
    let table = TableSpec {
        sort: Sort { column: Some(Column::Last), descending: true },
        ..TableSpec::default()
    };
    let mut scene = Scene::live_table(120, 30, table);
    let state: String = (0..=AT_ONCE).map(|n| format!("k{n} 1.0 {NOW}\n")).collect();
    let jobs = |effects: Vec<Effect>| {
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Compute(ComputeJob::Sort(job)) => Some(job),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let mut under_way = jobs(scene.answer("get *[last]", Status::Ok, &state));
    scene.to(Mode::Table);
    for (press, value) in ["", "<", "o", "0"].into_iter().zip([5.0_f64, 6.0, 7.0, 8.0]) {
        let at = scene.now.elapsed;
        assert_eq!(under_way.len(), 1, "{press}");
        scene.told(&format!("k7 {value:?} {NOW}\n"));
        for key in press.chars() {
            under_way.extend(jobs(scene.press(KeyPress::char(key))));
        }
        let mut ticks = 0;
        while scene.app.next_wake().is_some_and(|wake| wake < at + SECOND) {
            let wait = scene.next_wait();
            scene.now.elapsed += wait.max(Duration::from_millis(1));
            scene.tell(Event::Tick);
            ticks += 1;
        }
        assert!(ticks < 20, "{ticks} ticks while {press:?} is sorted");
        while let Some(job) = under_way.pop() {
            under_way.extend(jobs(scene.tell(Event::Sorted(job.run()))));
        }
        let k7 = scene.app.table().answer().series.iter().find(|it| it.key.as_str() == "k7");
        assert_eq!(k7.map(|k7| k7.last.value), Some(value), "{press}");
        scene.now.elapsed += SECOND;
        under_way.extend(jobs(scene.told(&format!("k8 {value:?} {NOW}\n"))));
    }
}

#[test]
fn a_window_without_any_row_is_said_at_once() {
    let mut scene = live("");
    scene.to(Mode::Table);
    scene.keys("t");
    assert_eq!(asked(&mut scene), [""; 0]);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "last 1h");
}

#[test]
fn a_watch_follows_its_keys_alone_until_the_table_is_seen() {
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    assert_eq!(scene.followed.as_ref().unwrap().1, "{a,mark.*}[+]");
    let lines = asked(&mut scene);
    assert_eq!(lines[0], "get a[last:1024]");
    assert!(lines.iter().all(|line| line.starts_with("get a[")), "{lines:?}");
    scene.to(Mode::Table);
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]");
    scene.to(Mode::Watch);
    scene.wait(59 * SECOND);
    assert_eq!(scene.followed.as_ref().unwrap().1, "*[+]", "it may be back in a moment");
    scene.wait(2 * SECOND);
    assert_eq!(scene.followed.as_ref().unwrap().1, "{a,mark.*}[+]");
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
    assert_eq!((scene.notice(), scene.app.alarms()), ("alert: a > 5: a is 6", 1));
    assert!(!rings(&mut scene, "a 7.0 4\n"), "once");
    assert!(rings(&mut scene, "a 1.0 5\nnew.cpu 95.0 5\n"), "a key that nobody knew");
    assert_eq!((scene.notice(), scene.app.alarms()), ("alert: *.cpu > 90: new.cpu is 95", 1));
    scene.wait(3 * SECOND);
    assert!(
        rings(&mut scene, "new.cpu 1.0 6\nnew.cpu 96.0 7\nnew.cpu 1.0 8\n"),
        "between two frames"
    );
    assert_eq!(scene.app.alarms(), 0);
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
fn a_frame_is_in_order_however_the_points_come() {
    let sort = Sort::named("-last").unwrap();
    let table = TableSpec { sort, ..TableSpec::default() };
    let mut scene = Scene::live_table(120, 30, table);
    let state = |from: i64| (0..100).map(move |n| format!("k{n} {}.0 {NOW}\n", (from + n) % 100));
    scene.ok("get *[last]", &state(0).collect::<String>());
    let values = |scene: &Scene| {
        let rows = scene.app.table().visible(10);
        rows.map(|series| series.last.value).collect::<Vec<_>>()
    };
    let highest: Vec<f64> = (90..100).rev().map(f64::from).collect();
    assert_eq!(values(&scene), highest);
    // Those that were the greatest are told before the others.
    let lines: Vec<_> = state(50).collect();
    let (first, rest) = lines.split_at(50);
    scene.told(&rest.concat());
    scene.told(&first.concat());
    assert_ne!(values(&scene), highest, "not with each event");
    scene.app.prepare_frame();
    assert_eq!(values(&scene), highest);
    scene.told("k0 500.0 9\n");
    scene.app.prepare_frame();
    assert_eq!(values(&scene)[..2], [99.0, 98.0], "it is older");
}
