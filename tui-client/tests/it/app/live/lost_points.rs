//! A server that refuses what it has lost points of: other keys have their numbers all the same.

use shared::response::{LOST_POINTS, Status};

use super::live;
use crate::harness::scene::{NOW, Scene};

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
