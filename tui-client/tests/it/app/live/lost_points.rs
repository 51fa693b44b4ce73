//! A server that refuses what it has lost points of: other keys have their numbers all the same.

use shared::response::{LOST_POINTS, Status};

use tui_client::event::KeyCode;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use super::live;
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{draw, find};

/// Answers what is asked, but for requests that name `lost`, which are refused. The lines of those.
fn answer_but(scene: &mut Scene, lost: &str) -> Vec<String> {
    let mut refused = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let pattern = line.strip_prefix("get ").unwrap().split('[').next().unwrap();
        let keys: Vec<_> = pattern.trim_matches(['{', '}']).split(',').collect();
        if keys.contains(&lost) {
            scene.answer(&line, Status::Error, &format!("{LOST_POINTS}{lost} from 1 to 2\n"));
            refused.push(line);
        } else {
            let data: String = keys.iter().map(|key| format!("{key} 7.0 {NOW}\n")).collect();
            scene.ok(&line, &data);
        }
    }
    refused
}

fn counts(scene: &Scene) -> Vec<(String, Option<u64>)> {
    let rows = scene.app.table().visible(9);
    rows.map(|row| (row.key.to_string(), row.count())).collect()
}

#[test]
fn other_keys_have_their_numbers() {
    let newest: String = ["a", "b", "c", "d", "e"].map(|key| format!("{key} 7.0 {NOW}\n")).concat();
    for lost in ["a", "c", "e"] {
        let mut scene = live(&newest);
        let refused = answer_but(&mut scene, lost);
        assert!(refused.contains(&format!("get {lost}[last:16]")), "{refused:?}");
        let rows = counts(&scene);
        assert_eq!(rows.len(), 5);
        for (key, count) in rows {
            assert_eq!(count.is_some(), key != lost, "{key} without {lost}: {count:?}");
        }
        let said = format!("{LOST_POINTS}{lost} from 1 to 2: shown without them");
        assert_eq!(scene.notice(), said);
        // Not asked for all the time, and not said again.
        assert!(scene.sent.is_empty());
        scene.wait(std::time::Duration::from_secs(31));
        assert!(!answer_but(&mut scene, lost).is_empty(), "asked for again");
        assert_ne!(scene.notice(), said);
    }
}

/// The mark of a row, and whether the foot of the table says the reason.
fn shown(scene: &Scene, key: &str, reason: &str) -> (String, bool) {
    let screen = draw(scene, &Theme::colour(), 120, 30);
    let row = find(&screen, &format!("?{key} ")).is_some();
    let mark = if row { "?" } else { " " };
    // The log has it, too.
    (mark.to_owned(), find(&screen, &format!("─ {reason} ")).is_some())
}

#[test]
fn a_row_that_lacks_points_is_marked_and_says_why_when_it_is_selected() {
    let mut scene = live(&format!("a 7.0 {NOW}\nb 7.0 {NOW}\n"));
    answer_but(&mut scene, "b");
    let reason = format!("{LOST_POINTS}b from 1 to 2");
    // The notice of the reply goes away.
    scene.enter("get nothing");
    scene.ok("get nothing", "");
    scene.to(Mode::Table);
    assert_eq!(shown(&scene, "a", &reason), (" ".to_owned(), false));
    assert_eq!(shown(&scene, "b", &reason), ("?".to_owned(), false));
    scene.code(KeyCode::Down);
    assert_eq!(shown(&scene, "b", &reason), ("?".to_owned(), true));
    // The points are given up, or deleted.
    scene.wait(std::time::Duration::from_secs(31));
    answer_but(&mut scene, "none");
    scene.wait(std::time::Duration::from_secs(1));
    assert_eq!(shown(&scene, "b", &reason), (" ".to_owned(), false));
}
