//! Places in time of a server without selectors: the table is of now, chart and log move.

use tui_client::app::line_input::LineInput;
use tui_client::event::{Event, KeyCode};
use tui_client::keymap::Mode;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

/// Connected to a server without selectors; the watched key has points of the last two minutes.
fn scene() -> Scene {
    Scene::with_sample(120, 40, &["palm.cpu"]).on(Mode::Watch, "")
}

fn cursor(scene: &Scene) -> Option<i64> {
    scene.app.watch().viewport().cursor()
}

#[test]
fn the_log_moves_with_the_cursor_and_to_a_typed_time_and_follows_again() {
    for back in [KeyCode::Char('0'), KeyCode::Esc] {
        let mut scene = scene();
        assert!(scene.app.log().follows());
        scene.code(KeyCode::Left);
        assert!(cursor(&scene).is_some() && !scene.app.log().follows(), "with the cursor");
        scene.code(back);
        assert!(cursor(&scene).is_none() && scene.app.log().follows(), "{back:?}");
        scene.keys("@-1m\n");
        assert_eq!((cursor(&scene), scene.app.place().at()), (Some(NOW - 60), None));
        assert!(!scene.app.log().follows(), "to a time");
        let text = draw(&scene, &scene.theme, 120, 40).to_string();
        for said in ["at 2006-06-21 04:30:00, 1m ago", "the log begins 04:31:00"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        scene.code(back);
        assert!(cursor(&scene).is_none() && scene.app.log().follows(), "{back:?}");
    }
}

#[test]
fn without_a_chart_the_log_alone_goes_to_a_time() {
    let mut scene = Scene::with_sample(120, 40, &[]);
    scene.to(Mode::Table);
    scene.keys("@-1m\n");
    assert!(!scene.app.log().follows());
    scene.keys("0");
    assert_eq!((scene.app.log().follows(), scene.notice()), (true, ""));
    scene.keys("0");
    assert_eq!(scene.notice(), "this is live; @ goes to a time");
}

#[test]
fn a_mark_is_at_the_cursor_of_the_chart() {
    let mut scene = scene();
    let is_put = |scene: &Scene, line: &str| scene.sent.iter().any(|sent| sent.line == line);
    for _ in 0..5 {
        scene.code(KeyCode::Left);
    }
    let at = cursor(&scene).unwrap();
    assert!(at < NOW);
    scene.keys("mboot\n");
    assert!(is_put(&scene, &format!("put mark.boot 1 {at}")), "{at}: {:?}", scene.sent);
    scene.keys("0mdeploy\n");
    assert!(is_put(&scene, &format!("put mark.deploy 1 {NOW}")), "{:?}", scene.sent);
}

#[test]
fn what_is_typed_in_vain_is_refused_and_no_letter_of_it_acts_as_a_key() {
    let mut scene = scene();
    let before = scene.app.mode();
    let refused = |scene: &mut Scene, key: &str, said: &str| {
        scene.keys(key);
        assert_eq!(scene.notice(), said, "at once");
        scene.keys("qPS0");
        assert_eq!(scene.app.input().line().map(LineInput::text), Some("qPS0"), "{key}");
        scene.keys("\n");
        assert_eq!(scene.notice(), said, "and in the end");
        assert!(scene.app.input().line().is_none() && scene.app.mode() == before, "{key}");
    };
    refused(&mut scene, "C", "not compared: this server can't say how things stood");
    scene.tell(Event::Disconnected("gone".to_owned()));
    refused(&mut scene, "C", "not compared: not connected");
    refused(&mut scene, "m", "not marked: not connected");
}

#[test]
fn a_span_with_a_plus_is_counted_from_the_place_in_time() {
    let mut scene = scene();
    scene.keys("@+5m\n");
    assert!(scene.notice().ends_with(" is still to come"), "{}", scene.notice());
    scene.keys("@-30m\n@+5m\n");
    assert_eq!(cursor(&scene), Some(NOW - 25 * 60));
    scene.keys("@last night\n");
    assert!(cursor(&scene).is_some_and(|at| at < NOW - 25 * 60));
}
