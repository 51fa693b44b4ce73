//! The table: filter, columns, rows.

use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{draw, find};

/// Columns of the screen in which these words begin; none for what is not there.
pub fn places(scene: &Scene, (width, height): (u16, u16), words: &[&str]) -> Vec<bool> {
    let screen = draw(scene, &Theme::colour(), width, height);
    words.iter().map(|word| find(&screen, word).is_some()).collect()
}

#[test]
fn a_filter_counts_while_it_is_typed_and_is_dropped_on_escape() {
    let mut scene = Scene::parked(120, 30, &[], &[]);
    scene.to(Mode::Table);
    scene.keys("/kettle");
    assert_eq!(scene.app.table().rows(), 2);
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.table().rows(), 8);
    scene.keys("/last >");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::SeriesInput, "what is wrong is not taken");
    assert_eq!(scene.notice(), "at character 7: a number is missing");
    scene.press(KeyPress::ctrl('u'));
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::Table);
}

#[test]
fn escape_drops_the_filter_before_it_leaves_the_table() {
    let mut scene = Scene::parked(120, 30, &[], &[]).on(Mode::Table, "/kettle\n");
    scene.code(KeyCode::Esc);
    assert_eq!((scene.app.mode(), scene.app.table().rows()), (Mode::Table, 8));
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn a_long_key_hides_no_column() {
    const NAMES: [&str; 10] =
        [" key", "last", "change", "rate/s", " min", " max", " avg", "count", " age", "trend"];
    for size in [(40, 10), (80, 24), (120, 30), (200, 60)] {
        for watch in [&[][..], &["a0"]] {
            let mut scene = Scene::connected(size.0, size.1, watch);
            let long = format!("z{}", "0123456789".repeat(20));
            let line = |key: &str| format!("{key} 1 {}\n{key} 2 {NOW}\n", NOW - 1);
            let short: String = (0..99).map(|n| line(&format!("a{n}"))).collect();
            scene.ok("get *", &(short + &line(&long)));
            scene.to(Mode::Table);
            let before = places(&scene, size, &NAMES);
            scene.keys("G");
            assert!(places(&scene, size, &["z01234567"])[0]);
            assert_eq!(places(&scene, size, &NAMES), before, "{size:?}");
        }
    }
    let scene = Scene::connected(200, 60, &[]).then(|scene| {
        scene.ok("get *", &format!("{} 1 {NOW}\n", "x".repeat(200)));
        scene.to(Mode::Table);
    });
    assert_eq!(places(&scene, (200, 60), &NAMES), [true; 10]);
}

#[test]
fn rows_are_stable_while_an_expression_is_typed() {
    let mut scene = Scene::parked(120, 30, &[], &[]);
    scene.to(Mode::Table);
    let mut seen = Vec::new();
    for c in "/last > 1G and max".chars() {
        scene.press(KeyPress::char(c));
        seen.push(scene.app.table().rows());
    }
    seen.dedup();
    assert_eq!(seen, [8, 3], "only complete expressions count");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("m");
    assert_eq!(scene.app.table().rows(), 8, "it may become min");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.table().filter().unwrap().as_str(), "m", "it has not");
    scene.keys("/");
    scene.press(KeyPress::ctrl('u'));
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.table().filter(), None, "no text, no filter");
}
