//! Sessions that are saved at a place in time, where there is no room for all points.

use std::sync::Arc;

use tui_client::event::KeyPress;
use tui_client::session::{LeftOut, Session};

use super::{answer, scene};
use crate::harness::scene::{NOW, Scene};

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
