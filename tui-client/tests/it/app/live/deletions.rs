//! Keys of which points are taken back.

use super::{SECOND, answer_queries, asked, live, row, rows};
use crate::harness::scene::{NOW, Scene};

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
