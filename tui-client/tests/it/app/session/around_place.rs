//! Sessions that are saved at a place in time, where there is no room for all points.

use std::sync::Arc;

use tui_client::app::AppConfig;
use tui_client::event::{Event, KeyPress};
use tui_client::session::{LeftOut, Session};

use super::{answer, has_newest_only, scene, session};
use crate::harness::scene::{NOW, Scene, config};

/// At a place in time two hours ago; the rows in sight are `a`, which is watched, and `b`.
fn scene_at_a_place() -> (Scene, i64) {
    let (mut scene, at) = (scene(), NOW - 7200);
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, |line| match line {
        line if line.starts_with("get *[last@") => format!("a 1.0 {at}\nb 2.0 {at}\n"),
        _ => String::new(),
    });
    (scene, at)
}

/// The session that is saved at a place in time, with what it does not have, where the points of `a` and
/// of all others are so many up to seconds after the place, and in the end.
fn saved_at_a_place(counts: [(i64, u64, u64); 4], ends: (u64, u64)) -> (Arc<Session>, LeftOut) {
    let (mut scene, at) = scene_at_a_place();
    let from = at - 900;
    scene.press(KeyPress::ctrl('s'));
    let lines = |(a, b): (u64, u64)| {
        let line = |key, count| {
            if count == 0 { String::new() } else { format!("{key} {count}.0 {from}\n") }
        };
        line("a", a) + &line("b", b)
    };
    let (_, written) = answer(&mut scene, |line| {
        let is_of = |&(after, ..): &(i64, u64, u64)| {
            line == format!("get *[{from}:{}:all:count]", at + after)
        };
        match counts.into_iter().find(is_of) {
            Some((_, a, b)) => lines((a, b)),
            None if line == format!("get *[{from}::all:count]") => lines(ends),
            None => String::new(),
        }
    });
    let (_, session, left_out) = written.expect("it is written");
    (session, left_out)
}

#[test]
fn a_session_at_a_place_without_points_has_how_things_stood_then() {
    let (at, many) = (NOW - 7200, 130_000);
    for (counts, until) in [
        ([(0, 0, 0), (56, 0, 0), (225, 0, 0), (900, 0, 0)], at + 900),
        ([(0, 0, 0), (56, 0, 0), (225, 0, many), (900, 0, many)], at + 56),
        ([(0, 0, 0), (56, 0, many), (225, 0, many), (900, 0, many)], at),
    ] {
        let (session, left_out) = saved_at_a_place(counts, (many, many));
        assert_eq!(session.recording.coverage().unwrap().until, until, "{counts:?}");
        assert!(left_out.around_place, "{counts:?}");
    }
}

/// A hundred keys with a point a second, from a quarter of an hour before the place on.
#[test]
fn a_key_in_the_chart_has_its_points_before_keys_that_are_not_seen() {
    let counts = [0_i64, 56, 225, 900].map(|after| {
        let seconds = 900 + after.unsigned_abs();
        (after, seconds, 99 * seconds)
    });
    for (of_a, is_whole, after) in [
        // What is left is enough for some seconds of the others.
        (8100, true, 225),
        (11_700, true, 56),
        // It takes all there is beside the place itself.
        (30_900, true, 0),
        (30_901, false, 225),
    ] {
        let (session, left_out) = saved_at_a_place(counts, (of_a, 99 * 8100));
        let coverage = session.recording.coverage().unwrap();
        let has = (coverage.is_whole("a"), coverage.until - (NOW - 7200));
        assert_eq!(has, (is_whole, after), "{of_a}");
        assert_eq!(left_out.points_of, if is_whole { 1 } else { 2 });
    }
}

#[test]
fn a_session_without_its_last_points_has_none_around_the_place() {
    let (mut scene, at) = scene_at_a_place();
    scene.press(KeyPress::ctrl('s'));
    scene.ok("get *[last:2]", &format!("a 4.0 {NOW}\n"));
    let effects = scene.tell(Event::Disconnected("gone".to_owned()));
    let (_, saved, _) = effects.into_iter().find_map(session).expect("it is written");
    assert_eq!(saved.view.place, Some(at));
    // Nor is it said when it is saved again.
    let replayed = Some(saved);
    let mut scene = Scene::with(120, 40, AppConfig { replayed, ..config() });
    let effects = scene.press(KeyPress::ctrl('s'));
    let (_, saved, left_out) = effects.into_iter().find_map(session).expect("it is written");
    has_newest_only(&saved, left_out);
}
