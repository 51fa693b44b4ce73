//! Polling: pauses, intervals, slow servers, what comes first.

use std::time::Duration;

use ratatui::style::Color;
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene, sample};
use crate::harness::snapshot::{cell_of, draw};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_pause_does_not_age_points() {
    let mut scene = Scene::alerted(80, 24, &["a"], &["a age > 5s"]);
    let now = scene.now.unix();
    scene.polled(&format!("a 1 {now}\n"));
    scene.to(Mode::Watch);
    scene.keys("P");
    scene.wait(20 * SECOND);
    assert_eq!(scene.app.alarms(), 0, "nobody has asked");
    scene.keys("P");
    scene.polled(&format!("a 1 {now}\n"));
    assert_eq!(scene.app.alarms(), 1);
}

#[test]
fn pause_and_interval_changes_take_effect_at_once() {
    let mut scene = Scene::alerted(80, 24, &["a"], &[]);
    scene.ok("get *", "");
    scene.ok("get a", "a 1.0 1\n");
    scene.keys("P");
    scene.wait(60 * SECOND);
    assert!(scene.sent.is_empty());
    scene.keys("P");
    scene.ok("get a", "a 1.0 1\n");
    scene.keys("+");
    assert_eq!(scene.app.polling().interval(), 2 * SECOND);
    scene.keys("--");
    assert_eq!(scene.app.polling().interval(), SECOND / 2);
    scene.keys("---------------");
    assert_eq!(scene.app.polling().interval(), SECOND / 10);
}

#[test]
fn a_slow_server_stretches_the_interval_and_gets_one_poll_at_a_time() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    scene.wait(5 * SECOND);
    assert_eq!(scene.sent.len(), 2, "one for the table, one for the watched key");
    let request = scene.sent.remove(0);
    let builder = tui_client::metrics::reply::ReplyBuilder::new(
        shared::response::Status::Ok,
        request.capture,
    );
    let reply = builder.finish(request.id, 5 * SECOND, 5 * SECOND);
    scene.tell(Event::Reply(Box::new(reply)));
    assert_eq!(scene.app.polling().stretched(), Some(10 * SECOND));
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&screen, "every 1s, slowed to 10s").fg, Color::Yellow);
    scene.wait(4 * SECOND);
    assert_eq!(scene.sent.len(), 1);
}

#[test]
fn the_cost_of_polling_is_shown() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    for _ in 0..8 {
        scene.answer_all();
        scene.wait(SECOND);
    }
    scene.answer_all();
    let cost = scene.app.polling().cost(scene.app.now().elapsed).unwrap();
    assert!((0.9..1.6).contains(&cost.requests), "{cost:?}");
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    cell_of(&screen, "req/s");
    cell_of(&screen, "kB/s");
}

/// Whatever was asked for, one request after the other.
fn asked(scene: &mut Scene) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, "");
        asked.push(line);
    }
    asked
}

#[test]
fn a_pause_stops_all_polling_from_any_pane() {
    for mode in [Mode::Prompt, Mode::Table, Mode::Watch, Mode::Chart, Mode::Log] {
        let mut scene = Scene::connected(80, 24, &["a.b"]);
        asked(&mut scene);
        if mode == Mode::Chart {
            scene.keys("f");
        } else {
            scene.to(mode);
        }
        let keys: &[KeyPress] = match mode {
            Mode::Prompt => &[KeyPress::plain(KeyCode::F(6))],
            _ => &[KeyPress::plain(KeyCode::F(6)), KeyPress::char('P')],
        };
        for &key in keys {
            scene.press(key);
            let other = if mode == Mode::Log { "F5" } else { "r" };
            let (resumes, polls) =
                if key == KeyPress::char('P') { ("P", other) } else { ("F6", "F5") };
            assert_eq!(scene.notice(), format!("paused, {resumes} resumes, {polls} polls once"));
            scene.wait(10 * SECOND);
            assert!(scene.app.polling().is_paused() && scene.sent.is_empty(), "{mode:?}");
            assert_eq!(scene.app.next_wake(), None, "nothing to do, so no wake-ups");
            scene.press(key);
            assert!(!scene.app.polling().is_paused());
            assert_eq!(scene.notice(), "polling every 1s");
            let in_sight = scene.app.layout().table.is_some();
            let expected = if in_sight { "get *" } else { "get a.b" };
            assert_eq!(scene.sent[0].line, expected, "at once");
            asked(&mut scene);
        }
    }
}

#[test]
fn explicit_requests_are_sent_while_paused() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    asked(&mut scene);
    scene.to(Mode::Watch);
    for key in [KeyPress::char('P'), KeyPress::plain(KeyCode::F(5)), KeyPress::char('r')] {
        scene.press(key);
        let expected: &[&str] = if key == KeyPress::char('P') { &[] } else { &["get *"] };
        assert_eq!(asked(&mut scene), expected, "the table asks for the watched keys too");
        scene.wait(10 * SECOND);
        assert!(scene.sent.is_empty());
    }
    scene.enter("get x");
    assert_eq!(asked(&mut scene), ["get x"]);
    scene.code(KeyCode::F(5));
    assert_eq!(asked(&mut scene), ["get *"], "the table is that of all keys");
    scene.wait(10 * SECOND);
    assert!(scene.sent.is_empty());
}

#[test]
fn a_key_watched_while_paused_is_requested_once() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", &sample());
    scene.to(Mode::Table);
    scene.keys("P\n");
    assert_eq!(asked(&mut scene), ["get palm.cpu"]);
    scene.wait(10 * SECOND);
    assert!(scene.sent.is_empty());
}

#[test]
fn a_slow_server_is_polled_less_often_and_once_at_a_time() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.wait(5 * SECOND);
    assert_eq!(scene.sent.len(), 1);
}

#[test]
fn watched_keys_are_polled_before_a_long_table() {
    let mut scene = Scene::connected(120, 30, &["a"]);
    assert!(scene.app.layout().table.is_some());
    let slow = |scene: &mut Scene, took: Duration| {
        scene.ok("get a", "a 1.0 1\n");
        scene.took("get *", took, "a 1.0 1\n");
    };
    slow(&mut scene, 2 * SECOND);
    let hint = "- get * takes 2s: P pauses polling, get KEY asks for less";
    assert!(scene.log().iter().any(|line| line == hint), "{:?}", scene.log());
    assert_eq!(scene.app.polling().stretched(), Some(10 * SECOND));
    for _ in 0..7 {
        scene.wait(SECOND);
        scene.ok("get a", "a 1.0 1\n");
    }
    assert!(scene.sent.is_empty(), "the table has its turn later");
    scene.wait(SECOND);
    slow(&mut scene, 2 * SECOND);
    let told = scene.log().iter().filter(|line| **line == hint).count();
    assert_eq!(told, 1, "once is enough");
}

#[test]
fn a_hidden_table_is_requested_once() {
    let mut scene = Scene::connected(80, 24, &["a"]);
    assert_eq!(asked(&mut scene), ["get a", "get *"], "whose keys can be completed");
    for _ in 0..3 {
        scene.wait(SECOND);
        assert_eq!(asked(&mut scene), ["get a"]);
    }
    scene.to(Mode::Table);
    scene.wait(Duration::ZERO);
    assert_eq!(asked(&mut scene), ["get *"], "at once");
    scene.wait(SECOND);
    assert_eq!(asked(&mut scene), ["get *"], "which brings the watched keys");
}

#[test]
fn ages_advance_without_polling() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.code(KeyCode::F(6));
    scene.ok("get *", &format!("a 1.0 {}\n", NOW - 3));
    assert_eq!(scene.next_wait(), SECOND);
    scene.wait(60 * SECOND);
    assert!(scene.next_wait() > SECOND, "older than a minute: no need to hurry");
}
