//! Numbers of the watched keys, in the window that the list names.

use shared::response::Status;
use tui_client::event::KeyCode;
use tui_client::keymap::Mode;
use tui_client::metrics::window::Window;
use tui_client::view::theme::Theme;

use super::{SECOND, answer_queries, is_number};
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

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
    (row.and_then(|row| word(row, " min ")).unwrap_or_default(), word(&screen, " min of the last "))
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

/// The window ends now, and not with the last point.
#[test]
fn a_watched_key_that_has_ended_has_no_points_in_the_window() {
    for (last, is_said) in [(NOW - 901, true), (NOW - 800, false)] {
        for (width, said) in [(200, " none in 15m "), (300, " no points in the last 15m ")] {
            let mut scene = Scene::live(width, 50, &["a"], &[]);
            scene.ok("get a[last:1024]", &format!("a 1.0 {}\na 2.0 {last}\n", last - 1));
            answer_numbers(&mut scene, |_| Some(String::new()));
            let screen = draw(&scene, &Theme::colour(), width, 50).to_string();
            assert_eq!(screen.contains(said), is_said, "{screen}");
        }
    }
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
fn numbers_stay_until_a_refresh_has_brought_others() {
    for is_paused in [false, true] {
        let mut scene = watched();
        answer_numbers(&mut scene, |_| Some("a 934.0 1\n".to_owned()));
        let known = |value: &str| (value.to_owned(), Some("15m".to_owned()));
        if is_paused {
            scene.code(KeyCode::F(6));
        }
        scene.code(KeyCode::F(5));
        if !is_paused {
            scene.begin();
        }
        scene.ok("get a[last:1024]", &format!("a 3.0 {}\na 4.0 {NOW}\n", NOW - 9));
        assert_eq!(watched_minimum(&scene), known("934"), "paused: {is_paused}");
        answer_numbers(&mut scene, |_| Some("a 2.0 1\n".to_owned()));
        assert_eq!(watched_minimum(&scene), known("2"), "paused: {is_paused}");
    }
}

/// The table is out of sight there, whose numbers the list of watched keys shows.
#[test]
fn at_a_place_in_time_watched_keys_have_their_numbers_without_the_table() {
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    scene.ok("get a[last:1024]", &format!("a 3.0 {}\na 4.0 {NOW}\n", NOW - 60));
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, "");
    }
    scene.to(Mode::Watch);
    let at = NOW - 600;
    scene.keys(&format!("@{at}\n"));
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1.0 {at}\nb 2.0 {at}\n"));
    let asked: Vec<_> = scene.sent.iter().map(|sent| sent.line.as_str()).collect();
    let is_of_then =
        |line: &&str| line.starts_with("get a[") && line.contains(&format!("{at}:all:"));
    assert!(asked.iter().any(is_of_then), "{asked:?}");
}
