//! What the table is compared with: marks by their names, times, and what is no surprise.

use std::time::Duration;

use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;

use super::{compare, rows, scene, screen};
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

/// Goes to a time, at which this was the state.
fn go_to(scene: &mut Scene, at: i64, state: &str) {
    scene.keys(&format!("@{at}\n"));
    scene.ok(&format!("get *[last@{at}]"), state);
}

/// The requests for how things stood at what the table is compared with.
fn asked(scene: &Scene) -> Vec<String> {
    let lines = scene.sent.iter().map(|sent| sent.line.clone());
    lines.filter(|line| line.starts_with("get *[last:2@")).collect()
}

/// The keys of the rows.
fn keys(scene: &Scene) -> String {
    rows(scene).into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_mark_that_is_later_than_the_place_is_offered_and_compared_with() {
    let mut scene = scene();
    let (first, second) = (NOW - 300, NOW - 200);
    let boot = NOW - 900;
    scene.told(&format!("mark.boot 1 {boot}\nmark.deploy 1 {first}\nmark.deploy 2 {second}\n"));
    let at = NOW - 600;
    go_to(&mut scene, at, &format!("a 1.0 {at}\n"));
    scene.keys("Cnever\n");
    let said = "no mark is called never (there is boot, deploy), and no time: ";
    assert!(scene.notice().starts_with(said), "{}", scene.notice());
    scene.code(KeyCode::Esc);
    scene.keys("C");
    let text = screen(&scene);
    assert!(text.contains("compare with: boot   deploy   -1h"), "{text}");
    scene.keys("d");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.input().text(), "deploy");
    scene.code(KeyCode::Enter);
    let line = format!("get *[last:2@{first}]");
    assert_eq!(asked(&scene), [&*line], "the next one");
    scene.ok(&line, &format!("a 1.0 {first}\nb 5.0 {first}\nmark.boot 1 {boot}\n"));
    let text = screen(&scene);
    let said = "compared with deploy, which is later, 1 not yet there ";
    assert!(text.contains(said), "{text}");
    // The newest one that is not later comes before all others.
    for (at, mark) in [(NOW - 240, first), (NOW - 60, second)] {
        go_to(&mut scene, at, &format!("a 1.0 {at}\n"));
        scene.keys("Cdeploy\n");
        let line = format!("get *[last:2@{mark}]");
        assert_eq!(asked(&scene), [&*line]);
        scene.ok(&line, &format!("a 1.0 {mark}\n"));
        assert!(screen(&scene).contains("moved since deploy "), "{}", screen(&scene));
    }
}

#[test]
fn a_span_counts_back_from_the_place_in_time() {
    let mut scene = scene();
    scene.keys("C-10m\n");
    assert_eq!(asked(&scene), [format!("get *[last:2@{}]", NOW - 600)]);
    let at = NOW - 3600;
    go_to(&mut scene, at, &format!("a 1.0 {at}\n"));
    scene.keys("C-10m\n");
    assert_eq!(asked(&scene).last(), Some(&format!("get *[last:2@{}]", at - 600)));
}

/// The first row was followed down to its place although it was not chosen.
#[test]
fn the_greatest_surprise_is_in_sight_at_another_place() {
    let mut scene = Scene::live(120, 20, &[], &[]);
    let (then, at) = (NOW - 1200, NOW - 600);
    let keys: Vec<_> = (0..60).map(|n| format!("k{n:02}")).collect();
    let state = |moved: usize, at: i64| -> String {
        let value = |n: usize| if n == moved { 500.0 } else { 10.0 };
        keys.iter().enumerate().map(|(n, key)| format!("{key} {:?} {at}\n", value(n))).collect()
    };
    scene.ok("get *[last]", &state(3, NOW));
    scene.to(Mode::Table);
    scene.keys(&format!("C{then}\n"));
    scene.ok(&format!("get *[last:2@{then}]"), &state(99, then));
    assert_eq!(rows(&scene)[0].0, "k03");
    go_to(&mut scene, at, &state(50, at));
    let text = screen(&scene);
    assert!(text.contains("k50 "), "{text}");
    assert_eq!(scene.app.table().held_key(), None);
}

#[test]
fn what_is_still_to_come_is_not_compared_with() {
    let mut scene = scene();
    let ahead = NOW + 60;
    scene.told(&format!("mark.release 1 {ahead}\n"));
    for (text, said) in [
        (ahead.to_string(), "2006-06-21 04:32:00 is still to come"),
        ("release".to_owned(), "release is still to come: it is of 2006-06-21 04:32:00"),
    ] {
        scene.keys(&format!("C{text}\n"));
        assert_eq!(scene.notice(), said);
        assert_eq!(scene.input().text(), text, "to be corrected");
        assert_eq!(asked(&scene), [""; 0]);
        scene.code(KeyCode::Esc);
    }
    scene.keys("Cnow\n");
    assert_eq!(asked(&scene), [format!("get *[last:2@{NOW}]")]);
}

#[test]
fn marks_are_no_surprise() {
    let mut scene = scene();
    let then = NOW - 600;
    scene.told(&format!("mark.x 1 {NOW}\nmark.y 1 {}\nc 1.0 {NOW}\n", then - 60));
    let gone = format!("mark.z 1 {then}\n");
    compare(&mut scene, &format!("a 1.0 {then}\nb 5.5 {then}\nmark.y 2 {then}\n{gone}"));
    assert_eq!(keys(&scene), "c a b mark.x mark.y", "what is new, and what has moved");
    let text = screen(&scene);
    assert!(text.contains("moved since 2006-06-21 04:21:00 ") && !text.contains("gone"), "{text}");
    // Nor is one that is put meanwhile.
    scene.told(&format!("mark.late 1 {NOW}\nd 1.0 {NOW}\n"));
    scene.wait(Duration::from_secs(1));
    assert_eq!(keys(&scene), "c d a b mark.x mark.y mark.late");
    let is_mark = |key: &str| key.starts_with("mark.");
    for row in scene.app.table().visible(100) {
        assert_eq!(row.moved(NOW).is_none(), is_mark(row.key.as_str()), "{}", row.key);
    }
}

#[test]
fn before_all_points_those_are_counted_that_are_not_yet_there() {
    let mut scene = scene();
    let then = NOW - 600;
    let state = format!("a 1.0 {then}\nb 1.0 {then}\n");
    go_to(&mut scene, 978_307_200, "");
    compare(&mut scene, &state);
    let said = "compared with 2006-06-21 04:21:00, which is later, 2 not yet there ";
    assert!(screen(&scene).contains(said), "{}", screen(&scene));
    go_to(&mut scene, then, &state);
    let text = screen(&scene);
    assert!(text.contains("moved since 2006-06-21 04:21:00 "), "{text}");
    go_to(&mut scene, 978_393_600, "");
    assert!(screen(&scene).contains(said), "{}", screen(&scene));
}

#[test]
fn rows_are_filtered_by_the_columns_of_a_comparison() {
    let mut scene = Scene::live(120, 36, &[], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\nc 650126.0 {NOW}\nd 1.0 {NOW}\n"));
    scene.to(Mode::Table);
    let base = NOW - 600;
    scene.keys(&format!("C{base}\n"));
    let state = format!("a 0.0 {base}\nc 1.0 {base}\nd 2.0 {base}\n");
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    assert_eq!(keys(&scene), "a b c d");
    for (filter, found) in [
        ("moved > 50", "c"),
        ("moved < 0", "d"),
        ("moved != 0", "a c d"),
        ("percent > 50%", "a c"),
        ("moved % <= -50", "d"),
        ("moved%<0 or new", "b d"),
    ] {
        scene.keys(&format!("/{filter}\n"));
        assert_eq!(keys(&scene), found, "{filter}: {}", scene.notice());
    }
    // An alert compares with no earlier time.
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("a moved > 5\n");
    assert!(scene.notice().contains("no number is called moved; there are last, change,"));
}

/// Nothing is told that would bring the rows into order.
#[test]
fn a_row_that_stops_leaves_the_rows_that_have_moved() {
    let (mut scene, base) = (Scene::live(120, 36, &[], &[]), NOW - 600);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 90.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys(&format!("C{base}\n"));
    let state = format!("a 4.0 {base}\nb 1.0 {}\nb 1.0 {base}\n", base - 30);
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    // Its own order is one of time.
    scene.keys("1");
    for filter in ["moved > 50", "percent > 10"] {
        scene.keys(&format!("/{filter}\n"));
        assert_eq!(keys(&scene), "b", "{filter}");
    }
    scene.wait(Duration::from_secs(151));
    assert_eq!(keys(&scene), "", "{}", draw(&scene, &scene.theme, 120, 36));
    assert_eq!(scene.app.table().stopped(NOW + 151), 1);
}

#[test]
fn a_row_that_stops_comes_first_without_any_point() {
    let (mut scene, base) = (Scene::live(120, 36, &[], &[]), NOW - 600);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 90.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys(&format!("C{base}\n"));
    let state = format!("a 4.0 {}\na 4.0 {base}\nb 1.0 {base}\n", base - 30);
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    assert_eq!(keys(&scene), "b a");
    scene.wait(Duration::from_secs(151));
    assert_eq!(keys(&scene), "a b");
}

/// Whether it had stopped was decided when the comparison began.
#[test]
fn a_key_that_stops_again_has_stopped_since() {
    let mut scene = Scene::live(120, 36, &[], &[]);
    let (base, old) = (NOW - 600, NOW - 3600);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nx 1.0 {old}\n"));
    scene.to(Mode::Table);
    scene.keys(&format!("C{base}\n"));
    let state = format!("a 1.0 {base}\nx 1.0 {}\nx 1.0 {old}\n", old - 30);
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    assert_eq!(keys(&scene), "a x", "it had stopped before");
    scene.told(&format!("x 1.0 {}\n", base - 2000));
    scene.wait(Duration::from_secs(1));
    assert_eq!(keys(&scene), "a x", "by a late point as well");
    scene.told(&format!("x 1.0 {NOW}\n"));
    scene.wait(Duration::from_secs(151));
    assert_eq!(keys(&scene), "x a");
}

/// Of rows without a comparison the words of a filter looked at the keys.
#[test]
fn marks_and_keys_of_servers_away_are_not_found_as_new() {
    let mut scene = scene();
    let then = NOW - 600;
    scene.told(&format!("mark.new-deploy 1 {NOW}\nc 1.0 {NOW}\nnews.hits 1.0 {NOW}\n"));
    scene.keys("/new\n");
    assert_eq!(keys(&scene), "mark.new-deploy news.hits", "parts of keys");
    compare(&mut scene, &format!("a 1.0 {then}\nb 5.5 {then}\nnews.hits 1.0 {then}\n"));
    scene.wait(Duration::from_secs(1));
    assert_eq!(keys(&scene), "c");
}

/// They stayed in force, and left no row or all of them.
#[test]
fn filters_of_a_comparison_end_with_it() {
    let (mut scene, then) = (scene(), NOW - 600);
    scene.keys("/moved > 50\n");
    assert_eq!(scene.notice(), "nothing is compared: C compares with a mark or a time");
    let state = format!("a 1.0 {then}\nb 5.5 {then}\n");
    for at in [None, Some(NOW - 60)] {
        if let Some(at) = at {
            go_to(&mut scene, at, &format!("a 4.0 {at}\nb 5.0 {at}\n"));
        }
        for (filter, found) in [("moved > 2", "a"), ("not new and not percent > 0", "b")] {
            compare(&mut scene, &state);
            scene.keys(&format!("/{filter}\n"));
            assert_eq!(keys(&scene), found, "{filter}");
            scene.keys("C\n");
            assert_eq!(scene.notice(), format!("filter dropped, / ↑ brings back {filter}"));
            assert_eq!((scene.app.table().filter(), &*keys(&scene)), (None, "a b"));
        }
        compare(&mut scene, &state);
        scene.keys("/a\nC\n");
        assert_eq!(keys(&scene), "a", "any other filter stays");
    }
}

/// What the rows are and how many have stopped is said before all of the rest.
#[test]
fn a_narrow_title_has_the_filter_and_how_many_have_stopped() {
    let mut scene = Scene::live(120, 36, &["a"], &[]);
    let old = NOW - 3600;
    let keys: String = (0..20).map(|n| format!("shop.old{n} 1.0 {old}\n")).collect();
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nshop.new 5.0 {NOW}\n{keys}"));
    scene.ok("get a[last:1024]", &format!("a 0.0 {}\na 4.0 {NOW}\n", NOW - 900));
    scene.to(Mode::Table);
    let base = NOW - 3600;
    scene.keys(&format!("C{base}\n"));
    let points = (0..20).flat_map(|n| [base - 1, base].map(|at| format!("shop.old{n} 1.0 {at}\n")));
    let state: String = points.collect();
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    let title = |scene: &Scene| {
        let text = draw(scene, &scene.theme, 120, 36).to_string();
        text.lines().nth(1).unwrap().chars().take(61).collect::<String>()
    };
    assert!(title(&scene).contains("since 2006-06-21 03:31:00, 20 stopped "), "{}", title(&scene));
    scene.keys("/shop.*\n");
    let shown = title(&scene);
    assert!(shown.contains(" shop.* · ") && shown.contains(", 20 stopped "), "{shown}");
    scene.keys("/shop.* and last > 0 and not key = x\n");
    let shown = title(&scene);
    assert!(shown.contains(" shop.* and last > 0 and not key = x · "), "{shown}");
}

/// Where a watched key and its chart leave the table half of the screen.
#[test]
fn half_a_screen_says_what_is_compared_with_and_what_has_no_percentage() {
    let mut scene = Scene::live(120, 36, &["a"], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\nc 650126.0 {NOW}\n"));
    scene.ok("get a[last:1024]", &format!("a 0.0 {}\na 4.0 {NOW}\n", NOW - 900));
    scene.to(Mode::Table);
    let base = NOW - 600;
    scene.keys(&format!("C{base}\n"));
    let state = format!("a 0.0 {base}\nc 1.0 {base}\n");
    scene.ok(&format!("get *[last:2@{base}]"), &state);
    let draw_in = |scene: &Scene, width| draw(scene, &scene.theme, width, 36).to_string();
    let draw = |scene: &Scene| draw_in(scene, 120);
    let half = |text: &str| -> String {
        text.lines().map(|line| line.chars().take(61).collect::<String>() + "\n").collect()
    };
    let has = |text: &str, key: &str, said: &str| {
        let row = text.lines().find(|line| line.contains(&format!("│ {key} ")));
        assert!(row.is_some_and(|row| row.contains(said)), "{key}: {text}");
    };
    let text = half(&draw(&scene));
    assert!(text.contains(" moved moved %"), "{text}");
    for (key, said) in [("a", "+4"), ("b", "new"), ("c", "+6.50e7%")] {
        has(&text, key, said);
    }
    scene.tell(Event::Resize { width: 40, height: 36 });
    let text = draw_in(&scene, 40);
    assert!(!text.contains(" moved  "), "there is no room for that column: {text}");
    for (key, said) in [("a", "from 0"), ("b", "new"), ("c", "+6.50e7%")] {
        has(&text, key, said);
    }
    scene.tell(Event::Resize { width: 120, height: 36 });
    for (filter, since) in
        [("", "since 2006-06-21 04:21:00"), ("/not stale and last > 1\n", "since 04:21:00 ")]
    {
        scene.keys(filter);
        let text = half(&draw(&scene));
        assert!(text.contains(since), "{text}");
    }
    // The sign reads the other way round.
    let at = NOW - 1200;
    scene.keys(&format!("@{at}\n"));
    scene.ok(&format!("get *[last@{at}]"), &format!("a 2.0 {at}\nc 3.0 {at}\n"));
    let text = half(&draw(&scene));
    assert!(text.contains("vs 04:21:00, later "), "{text}");
}
