//! The table: filter, columns, rows.

use std::time::Duration;

use proptest::prelude::*;
use tui_client::app::AppConfig;
use tui_client::effect::{ComputeJob, Effect};
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;
use tui_client::metrics::filter::Filter;
use tui_client::metrics::sort::{AT_ONCE, Sort, SortJob, TableSpec};
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene, config};
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
fn a_filter_with_a_mistake_leaves_the_one_before_in_force() {
    let mut scene = Scene::parked(120, 30, &[], &[]).on(Mode::Table, "/kettle\n");
    for text in ["palm value >", "palm and last > x", "(palm"] {
        scene.keys("/");
        scene.press(KeyPress::ctrl('u'));
        scene.keys(&format!("{text}\n"));
        assert_eq!(scene.app.mode(), Mode::SeriesInput, "to be corrected");
        assert!(scene.notice().starts_with("at character "), "{}", scene.notice());
        let filter = scene.app.table().filter().map(Filter::as_str);
        assert_eq!((filter, scene.app.table().rows()), (Some("kettle"), 2), "{text}");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.table().rows(), 2);
    }
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
fn columns_are_left_out_before_a_name_is_cut() {
    let key = "eardrum.disk.sda.read_bytes_total";
    for (width, gone) in [(80, "rate/s"), (60, "trend")] {
        let (mut scene, size) = (Scene::connected(width, 24, &[]), (width, 24));
        scene.ok("get *", &format!("a 1 {NOW}\n"));
        scene.to(Mode::Table);
        assert_eq!(places(&scene, size, &[gone]), [true], "{width}");
        scene.wait(Duration::from_secs(1));
        scene.polled(&format!("a 1 {NOW}\n{key} 2 {NOW}\n"));
        assert_eq!(places(&scene, size, &[key, "last", "age", gone]), [true, true, true, false]);
    }
}

/// How far on the left the values of the table stand.
fn place_of_last(scene: &Scene, size: (u16, u16)) -> Option<usize> {
    let text = draw(scene, &Theme::colour(), size.0, size.1).to_string();
    text.lines().find_map(|line| line.find(" last"))
}

/// A row with a key of so many cells.
fn row_of_width(cells: usize) -> String {
    format!("{}{cells} 1 {NOW}\n", "k".repeat(cells - 2))
}

#[test]
fn no_column_moves_while_rows_are_scrolled() {
    let size = (80, 12);
    let mut scene = Scene::connected(size.0, size.1, &[]);
    let row = |n: usize| match n {
        20 | 30 | 40 => row_of_width(n),
        n => format!("a{n} 1 {NOW}\n"),
    };
    scene.ok("get *", &(0..60).map(row).collect::<String>());
    scene.to(Mode::Table);
    let wide = place_of_last(&scene, size);
    for _ in 0..59 {
        scene.keys("j");
        assert_eq!(place_of_last(&scene, size), wide);
    }
    scene.keys("/a*\n");
    assert_eq!(scene.app.table().filter().unwrap().as_str(), "a*");
    assert!(place_of_last(&scene, size) < wide, "the filter lets no long one pass");
}

#[test]
fn columns_are_back_once_a_long_key_is_gone() {
    // All rows of the smaller table are measured, of the larger one those that were in sight.
    for rows in [20, 1100] {
        let (mut scene, size) = (Scene::connected(80, 30, &[]), (80, 30));
        let short: String = (0..rows).map(|n| format!("z{n} 1 {NOW}\n")).collect();
        let long = row_of_width(48);
        scene.ok("get *", &short);
        scene.to(Mode::Table);
        let narrow = (place_of_last(&scene, size), places(&scene, size, &["rate/s"]));
        for (answer, is_wide) in [(long + &short, true), (short, false)] {
            scene.wait(Duration::from_secs(1));
            scene.polled(&answer);
            let shown = (place_of_last(&scene, size), places(&scene, size, &["rate/s"]));
            assert_eq!(shown != narrow, is_wide, "{rows}: {shown:?}");
        }
    }
}

/// Those of a table too large to be measured are as wide as what was in sight needs.
#[test]
fn columns_of_a_large_table_move_as_a_longer_key_comes_into_sight() {
    let size = (80, 12);
    let mut scene = Scene::connected(size.0, size.1, &[]);
    let row = |n: usize| if n == 30 { row_of_width(n) } else { format!("a{n} 1 {NOW}\n") };
    scene.ok("get *", &(0..1100).map(row).collect::<String>());
    scene.to(Mode::Table);
    let mut seen = vec![place_of_last(&scene, size)];
    for _ in 0..59 {
        scene.keys("j");
        seen.push(place_of_last(&scene, size));
    }
    seen.dedup();
    assert_eq!(seen.len(), 2, "wider once: {seen:?}");
    scene.code(KeyCode::Home);
    assert_eq!(place_of_last(&scene, size), seen[1], "and no longer narrow");
    scene.keys("o");
    assert!(place_of_last(&scene, size) < seen[1], "another order has other rows in sight");
}

#[test]
fn digits_count_the_columns_that_are_in_sight() {
    // At 38 cells change, rate, min, max, avg and count have no room.
    let mut scene = Scene::connected(44, 20, &[]);
    scene.ok("get *", &format!("a 1 {}\na 3 {NOW}\nb 2 {NOW}\n", NOW - 1));
    scene.to(Mode::Table);
    assert_eq!(places(&scene, (44, 20), &["last", "change", " age"]), [true, false, true]);
    scene.keys("3");
    assert_eq!(scene.app.table().sort().to_string(), "age");
    scene.keys("1");
    assert_eq!(scene.app.table().sort().to_string(), "key");
    scene.keys("9");
    assert_eq!(scene.app.table().sort().to_string(), "key", "there are not so many");
}

#[test]
fn a_very_long_key_hides_no_column() {
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
            assert_eq!(places(&scene, size, &["z0123", "6789 "]), [true; 2]);
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

/// A live table with this filter and order, whose server has so many keys; their values are 0.
fn live_table(filter: &str, sort: &str, keys: usize) -> (Scene, Vec<SortJob>) {
    let (filter, sort) = (Some(filter.parse().unwrap()), Sort::named(sort).unwrap());
    let table = TableSpec { filter, sort, ..TableSpec::default() };
    let mut scene = Scene::with(120, 30, AppConfig { table, ..config() });
    scene.has_selectors = true;
    scene.tell(Event::Connected);
    scene.begin();
    let state: String = (0..keys).map(|n| format!("k{n} 0 {NOW}\n")).collect();
    let effects = scene.answer("get *[last]", shared::response::Status::Ok, &state);
    (scene, jobs(effects))
}

fn jobs(effects: Vec<Effect>) -> Vec<SortJob> {
    let job = |effect| match effect {
        Effect::Compute(ComputeJob::Sort(job)) => Some(job),
        _ => None,
    };
    effects.into_iter().filter_map(job).collect()
}

/// The rows on the screen, whatever is known beyond.
fn in_sight(scene: &Scene) -> Vec<(String, f64)> {
    let rows = scene.app.table().visible(scene.app.layout().table_rows());
    rows.map(|series| (series.key.to_string(), series.last.value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is told when, with the rows arranged at once or beside the loop, and whether a result
    /// comes soon or late: what is seen keeps to filter and order, and the selection to its key.
    #[test]
    fn rows_in_sight_always_keep_to_filter_and_order(
        steps in proptest::collection::vec(
            (proptest::collection::vec((0..60_usize, 0..20_u8), 1..90), 0..400_u64, 0..4_u8, any::<bool>()),
            1..12,
        ),
        is_large in any::<bool>(),
    ) {
        let keys = if is_large { AT_ONCE + 60 } else { 60 };
        let (mut scene, mut waiting) = live_table("last > 10", "-last", keys);
        scene.to(Mode::Table);
        for (told, wait, moves, arrives) in steps {
            let lines: String =
                told.iter().map(|(key, value)| format!("k{key} {value} {NOW}\n")).collect();
            let before = scene.app.table().selected_key().cloned();
            waiting.extend(jobs(scene.told(&lines)));
            let is_kept = before.as_ref().is_some_and(|key| {
                in_sight(&scene).iter().any(|(name, _)| name == key.as_str())
            });
            // The first row is selected whatever its key until the selection is moved.
            if is_kept && scene.app.table().selected() > 0 {
                prop_assert_eq!(scene.app.table().selected_key(), before.as_ref());
            }
            for _ in 0..=1 {
                let values: Vec<f64> = in_sight(&scene).iter().map(|(_, value)| *value).collect();
                prop_assert!(values.iter().all(|&value| value > 10.0), "{:?}", values);
                prop_assert!(values.is_sorted_by(|a, b| a >= b), "{:?}", values);
                for _ in 0..moves {
                    scene.code(KeyCode::Down);
                }
                scene.code(KeyCode::PageDown);
                if let Some(job) = waiting.pop().filter(|_| arrives) {
                    waiting.extend(jobs(scene.tell(Event::Sorted(job.run()))));
                }
            }
            scene.wait(Duration::from_millis(wait));
        }
    }
}

#[test]
fn all_rows_are_arranged_again_right_after_a_burst() {
    let (mut scene, _) = live_table("last > 10", "-last", 100);
    let burst = |range: std::ops::Range<usize>, value: usize| -> String {
        range.map(|n| format!("k{n} {} {NOW}\n", value + n)).collect()
    };
    scene.told(&burst(0..50, 100));
    assert_eq!(scene.app.table().rows(), 50, "at once");
    scene.told(&burst(50..100, 100));
    scene.wait(Duration::from_millis(250));
    assert_eq!((scene.app.table().rows(), &*in_sight(&scene)[0].0), (100, "k99"));
    scene.told(&burst(0..99, 0));
    scene.wait(Duration::from_millis(250));
    assert_eq!(scene.app.table().rows(), 89, "those above 10, and k99");
}

#[test]
fn a_filter_of_ages_counts_without_any_point() {
    let (mut scene, _) = live_table("age < 10", "reply", 3);
    scene.wait(Duration::from_secs(8));
    scene.told(&format!("k1 1 {}\n", NOW + 8));
    assert_eq!(scene.app.table().rows(), 3);
    scene.wait(Duration::from_secs(4));
    assert_eq!(in_sight(&scene), [("k1".to_owned(), 1.0)], "nothing was told meanwhile");
}

#[test]
fn a_narrow_screen_shows_the_filter_whole() {
    for (size, columns) in [((30, 8), "palm and last > 10"), ((40, 10), "palm and last > 10")] {
        let mut scene = Scene::live(size.0, size.1, &[], &[]);
        let state: String = (0..2000).map(|n| format!("palm{n} {n} {NOW}\n")).collect();
        scene.ok("get *[last]", &state);
        scene.to(Mode::Table);
        assert_eq!(places(&scene, size, &["2,000 keys · last 15m"]), [true], "{size:?}");
        scene.keys(&format!("/{columns}\n"));
        assert_eq!(places(&scene, size, &[columns]), [true], "{size:?}");
    }
}

#[test]
fn a_filter_that_was_dropped_can_be_brought_back() {
    let mut scene = Scene::with_sample(120, 24, &[]).on(Mode::Table, "/palm.*\n");
    assert_eq!(scene.app.table().rows(), 1);
    scene.code(KeyCode::Esc);
    assert_eq!(scene.notice(), "filter dropped, / ↑ brings back palm.*");
    assert_eq!(scene.app.table().rows(), 3);
    scene.keys("/k");
    scene.code(KeyCode::Up);
    assert_eq!((scene.input().text(), scene.app.table().rows()), ("palm.*", 1), "as a preview");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.table().filter().unwrap().as_str(), "palm.*");
    scene.keys("!");
    let before = scene.input().text().to_owned();
    scene.code(KeyCode::Up);
    assert_eq!(scene.input().text(), before, "no filter is typed");
}

#[test]
fn a_table_of_one_row_shows_a_key_and_not_its_heading() {
    let mut scene = Scene::with_sample(30, 6, &[]);
    scene.to(Mode::Table);
    let drawn = draw(&scene, &Theme::colour(), 30, 6).to_string();
    assert!(drawn.contains("palm.cpu") && !drawn.contains("key "), "{drawn}");
    scene.code(KeyCode::Down);
    let drawn = draw(&scene, &Theme::colour(), 30, 6).to_string();
    assert!(drawn.contains("eardrum") && drawn.contains("2/3"), "{drawn}");
    let click = MouseEvent { kind: MouseKind::Click, column: 5, row: 2 };
    scene.tell(Event::Mouse(click));
    assert_eq!(scene.app.table().selected_key().unwrap().as_str(), "eardrum.memory_used");
    assert_eq!(scene.app.table().sort(), Sort::default(), "no heading");
}
