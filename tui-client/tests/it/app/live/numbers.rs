//! Numbers of the rows: asked for, kept up to date, and those of an order.

use std::collections::BTreeMap;

use tui_client::event::KeyCode;
use tui_client::metrics::column::Column;
use tui_client::metrics::series::Series;
use tui_client::metrics::sort::{Sort, TableSpec};
use tui_client::view::theme::Theme;

use super::{SECOND, answer_queries, asked, is_number, live, of_a, row, rows};
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{draw, find};

#[test]
fn rows_in_sight_are_asked_for_their_numbers() {
    let mut scene = live("a 1.0 1\nb 2.0 2\n");
    let lines = answer_queries(&mut scene, |_| String::new());
    for clause in ["last:16", "-15m:-0s:all:min", "-15m:-0s:all:count", "-15m:-0s:19:max"] {
        assert!(lines.contains(&format!("get {{a,b}}[{clause}]")), "{clause}: {lines:?}");
    }
}

/// The bars of a trend, without gaps.
fn trend(series: &Series) -> Vec<f64> {
    series.trend().unwrap().columns(48).into_iter().flatten().collect()
}

#[test]
fn the_trend_of_a_fresh_key_has_a_column_for_each_point() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 10.0 {NOW}\n"));
    // A server that answers from 10 points, one a second.
    let points = || (1..=10).map(|n| format!("a {n}.0 {}\n", NOW - 10 + n)).collect::<String>();
    let answer = |line: &str| match line {
        _ if line.contains("last:") => points(),
        _ if line.contains(":19:max]") => {
            let start = |time: i64| time.div_euclid(19) * 19;
            let buckets = (1..=10).map(|n| (start(NOW - 10 + n), n));
            let buckets: BTreeMap<_, _> = buckets.collect();
            buckets.iter().map(|(start, n)| format!("a {n}.0 {start}\n")).collect()
        }
        _ => format!("a 10.0 {NOW}\n"),
    };
    answer_queries(&mut scene, answer);
    let bars = |scene: &Scene| trend(scene.app.table().visible(1).next().unwrap());
    assert_eq!(bars(&scene), (1..=10).map(f64::from).collect::<Vec<_>>());
    scene.told(&format!("a 11.0 {}\n", NOW + 1));
    scene.wait(31 * SECOND);
    assert!(!answer_queries(&mut scene, answer).is_empty(), "asked for again");
    assert_eq!(bars(&scene), (1..=11).map(f64::from).collect::<Vec<_>>());
    assert!(find(&draw(&scene, &Theme::colour(), 200, 50), "▂▂▃▃▄▄▅▅▆▆▇").is_some());
}

/// In the steps of the window a minute would be three bars, where its newest points alone were more.
#[test]
fn the_course_of_a_young_feed_is_asked_for_in_shorter_steps() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    let points: Vec<_> = (0..57).map(|n| (NOW - 56 + n, n % 7)).collect();
    scene.ok("get *[last]", &format!("a 0.0 {NOW}\n"));
    let answer = |line: &str| {
        let step =
            line.strip_suffix(":max]").and_then(|line| line.rsplit(':').next()?.parse().ok());
        let lines = |points: &[(i64, i64)]| {
            points.iter().map(|(at, value)| format!("a {value}.0 {at}\n")).collect::<String>()
        };
        match step {
            _ if line.contains("last:") => lines(&points[points.len() - 16..]),
            Some(step) => {
                let step: i64 = step;
                let mut buckets = BTreeMap::new();
                for &(at, value) in &points {
                    let top = buckets.entry(at.div_euclid(step) * step).or_insert(value);
                    *top = value.max(*top);
                }
                lines(&buckets.into_iter().collect::<Vec<_>>())
            }
            None => format!("a 3.0 {NOW}\n"),
        }
    };
    let lines = answer_queries(&mut scene, answer);
    let finer = "get a[-15m:-0s:2:max]".to_owned();
    assert!(lines.contains(&"get a[-15m:-0s:19:max]".to_owned()), "{lines:?}");
    assert!(lines.contains(&finer), "{lines:?}");
    let bars = |scene: &Scene| trend(scene.app.table().visible(1).next().unwrap()).len();
    assert_eq!(bars(&scene), 29);
    // What is known goes on with what is told.
    scene.told(&format!("a 3.0 {}\na 4.0 {}\n", NOW + 1, NOW + 2));
    scene.wait(31 * SECOND);
    let lines = answer_queries(&mut scene, answer);
    assert!(!lines.is_empty() && !lines.contains(&finer), "{lines:?}");
    assert_eq!(bars(&scene), 30);
}

/// It had the long steps of a window without points, until the window was asked for again.
#[test]
fn the_course_of_a_feed_that_begins_again_has_short_steps() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    let old = format!("a 0.0 {}\n", NOW - 90_000);
    scene.ok("get *[last]", &old);
    answer_queries(
        &mut scene,
        |line| {
            if line.contains("last:") { old.clone() } else { String::new() }
        },
    );
    for second in 1..=9 {
        scene.told(&format!("a {second}.0 {}\n", NOW + second));
    }
    let told: Vec<_> = (1..=9).map(f64::from).collect();
    assert_eq!(trend(scene.app.table().visible(1).next().unwrap()), told);
}

/// Its value was in some of the numbers until they were asked for again, where it is in none.
#[test]
fn a_told_point_of_the_far_future_is_in_no_number() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\n"));
    let numbers = |scene: &Scene| {
        let a = scene.app.table().visible(1).next().unwrap();
        (a.count(), a.min(), a.max(), a.mean(), trend(a))
    };
    // While answers are under way, and when they have come.
    scene.told("a 500.0 1150864247000\n");
    answer_queries(&mut scene, of_a);
    let expected = (Some(4), Some(1.0), Some(9.0), Some(5.0), vec![2.0, 4.0]);
    assert_eq!(numbers(&scene), expected);
    for value in [100, -100] {
        scene.told(&format!("a {value}.0 1150864247000\na {value}.0 {}\n", NOW + 100_000));
        assert_eq!(numbers(&scene), expected);
    }
}

#[test]
fn told_points_keep_the_numbers_up_to_date() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\n"));
    answer_queries(&mut scene, of_a);
    let numbers = |scene: &Scene| {
        let a = scene.app.table().visible(1).next().unwrap();
        let change = a.change();
        (a.count(), a.min(), a.max(), a.mean(), change, trend(a))
    };
    let expected = (Some(4), Some(1.0), Some(9.0), Some(5.0), Some(1.0), vec![2.0, 4.0]);
    assert_eq!(numbers(&scene), expected);
    scene.told(&format!("a 10.0 {}\n", NOW + 1));
    let expected = (Some(5), Some(1.0), Some(10.0), Some(6.0), Some(6.0), vec![2.0, 4.0, 10.0]);
    assert_eq!(numbers(&scene), expected);
    scene.wait(29 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0], "not yet");
    scene.wait(2 * SECOND);
    let lines = asked(&mut scene);
    assert!(lines.contains(&"get a[-15m:-0s:all:max]".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"get a[last:16]".to_owned()), "the follow tells those: {lines:?}");
}

#[test]
fn points_that_are_told_before_an_answer_are_not_lost() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 1.0 {NOW}\n"));
    scene.told(&format!("a 500.0 {}\na 1.0 {}\n", NOW + 1, NOW + 2));
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("last:") => format!("a 1.0 {NOW}\n"),
        _ if line.contains(":19:max]") => format!("a 1.0 {}\n", NOW.div_euclid(19) * 19),
        // Without the newest points.
        _ if line.contains(&format!(":{}:all:", NOW - 5)) => String::new(),
        _ => format!("a 1.0 {NOW}\n"),
    });
    let a = scene.app.table().visible(1).next().unwrap();
    assert_eq!((a.count(), a.min(), a.max()), (Some(3), Some(1.0), Some(500.0)));
    assert!(a.mean().is_some_and(|mean| (mean - 502.0 / 3.0).abs() < 1e-9));
    assert!(trend(a).contains(&500.0));
}

#[test]
fn each_point_of_a_watched_key_counts_once() {
    let mut scene = Scene::live(120, 30, &["a"], &[]);
    assert!(!scene.sent.iter().any(|request| is_number(&request.line)), "not before the points");
    scene.ok("get a[last:1024]", &format!("a 1.0 {NOW}\n"));
    // A 3 is stored: it is in the answers that have no end, and told after them.
    let lines = answer_queries(&mut scene, |line| match line {
        _ if line.contains(&format!(":{}:all:", NOW - 5)) => String::new(),
        _ if line.contains("::all:count") || line.contains("::all:avg") => {
            format!("a 2.0 {NOW}\n")
        }
        _ if line.contains("all:max") => format!("a 3.0 {NOW}\n"),
        _ => format!("a 1.0 {NOW}\n"),
    });
    assert!(lines.iter().any(|line| is_number(line)), "{lines:?}");
    scene.told(&format!("a 3.0 {}\n", NOW + 1));
    let a = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!((a.count(), a.mean()), (Some(2), Some(2.0)));
}

#[test]
fn refreshes_do_not_pile_up() {
    let mut scene = Scene::live(120, 30, &["a"], &[]);
    let before = scene.sent.len();
    for _ in 0..50 {
        let follow = scene.followed.clone();
        scene.code(KeyCode::F(5));
        if scene.followed != follow {
            scene.begin();
        }
    }
    assert_eq!(scene.sent.len(), before, "the state is under way");
    let follow = scene.followed.clone();
    for line in ["get *[last]", "get a[last:1024]"] {
        scene.ok(line, &format!("a 1.0 {NOW}\n"));
    }
    assert_ne!(scene.followed, follow, "once more, with the state of now");
    scene.begin();
    let states = scene.sent.iter().filter(|request| request.line == "get *[last]");
    assert_eq!(states.count(), 1);
    let lines = answer_queries(&mut scene, |_| format!("a 1.0 {NOW}\n"));
    assert!(lines.len() < 40, "{}: {lines:?}", lines.len());
    scene.wait(10 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
}

#[test]
fn an_order_by_a_number_asks_for_that_of_all_keys() {
    let sort = Sort::named("-max").unwrap();
    let table = TableSpec { sort, ..TableSpec::default() };
    let mut scene = Scene::live_table(120, 30, table);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    let of_all = "get *[-15m:-0s:all:max]";
    let lines = answer_queries(&mut scene, |line| match line {
        _ if line == of_all => format!("a 90.0 {NOW}\nb 50.0 {NOW}\n"),
        _ => String::new(),
    });
    assert!(lines.iter().any(|line| line == of_all), "{lines:?}");
    scene.wait(2 * SECOND);
    assert_eq!(rows(&scene), [row("a", 4.0), row("b", 5.0)]);
    scene.told(&format!("b 95.0 {}\n", NOW + 2));
    scene.wait(2 * SECOND);
    assert_eq!(rows(&scene), [row("b", 95.0), row("a", 4.0)]);
}

#[test]
fn an_order_that_knows_some_keys_only_says_so() {
    let sort = Sort::named("-change").unwrap();
    let table = TableSpec { sort, ..TableSpec::default() };
    let mut scene = Scene::live_table(120, 30, table);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.points_left_out = if line == "get *[last:2]" { 12_345 } else { 0 };
        scene.ok(&line, &format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 1));
    }
    let said = "order and filter are of some keys only: 12,345 points left out of get *[last:2]";
    assert!(scene.log().contains(&format!("- {said}")), "{:?}", scene.log());
    assert_eq!(scene.notice(), said);
}

#[test]
fn columns_that_points_alone_fill_are_asked_for_once() {
    for columns in ["key,last", "key,last,change", "key,last,max"] {
        let columns = columns.split(',').filter_map(Column::named).collect();
        let table = TableSpec { columns, ..TableSpec::default() };
        let mut scene = Scene::live_table(120, 30, table.clone());
        scene.ok("get *[last]", &format!("a 4.0 {}\n", NOW - 9000));
        answer_queries(&mut scene, of_a);
        // It is woken for the age, and for nothing else.
        scene.wait(300 * SECOND);
        let is_number = table.columns.contains(&Column::Max);
        let expected = if is_number { vec!["get a[-15m:-0s:all:max]"] } else { vec![] };
        assert_eq!(asked(&mut scene), expected);
    }
}

#[test]
fn trends_in_sight_have_one_time_axis() {
    let columns = ["key", "last", "trend"].into_iter().filter_map(Column::named).collect();
    let mut scene = Scene::live_table(120, 30, TableSpec { columns, ..TableSpec::default() });
    scene.ok("get *[last]", &format!("a 1.0 {NOW}\nb 1.0 {NOW}\n"));
    let end = NOW.div_euclid(19);
    // One begins 20 buckets before now, the other one 10.
    let course = |key: &str, from: i64| {
        let bucket = move |n| format!("{key} {}.0 {}\n", n % 2 + 1, (end - from + n) * 19);
        (0..=from).map(bucket).collect::<String>()
    };
    answer_queries(&mut scene, |line| match line {
        _ if line.contains(":19:max]") => course("a", 20) + &course("b", 10),
        _ if line.contains("last:") => (0..16)
            .flat_map(|n| ["a", "b"].map(|key| format!("{key} 1.0 {}\n", NOW - 15 + n)))
            .collect(),
        _ => String::new(),
    });
    let screen = draw(&scene, &Theme::colour(), 120, 30).to_string();
    let row = |key: &str| {
        let row = screen.lines().find(|line| line.contains(&format!("│ {key} "))).unwrap();
        let ends = row.char_indices().filter(|(_, c)| "▁▂▃▄▅▆▇─".contains(*c));
        let places: Vec<_> = ends.map(|(at, _)| row[..at].chars().count()).collect();
        (*places.first().unwrap(), *places.last().unwrap())
    };
    let (a, b) = (row("a"), row("b"));
    assert_eq!((b.0 - a.0, b.1), (10, a.1), "{screen}");
}

/// A feed with a point every other second, soon after its beginning.
#[test]
fn the_course_of_a_young_feed_has_shorter_steps_at_each_place_in_time() {
    let mut scene = Scene::live(200, 50, &[], &[]);
    scene.ok("get *[last]", &format!("a 0.0 {NOW}\n"));
    answer_queries(&mut scene, |_| format!("a 0.0 {NOW}\n"));
    let first = NOW - 3000;
    for after in [60, 80, 50, 90_usize] {
        let at = first + i64::try_from(after).unwrap();
        let points = || (first..=at).step_by(2).map(|time| (time, (time - first) % 7));
        let lines = |points: &mut dyn Iterator<Item = (i64, i64)>| {
            points.map(|(time, value)| format!("a {value}.0 {time}\n")).collect::<String>()
        };
        scene.keys(&format!("@{at}\n"));
        answer_queries(&mut scene, |line| {
            let step = line.strip_suffix(":max]").and_then(|line| line.rsplit(':').next());
            match step.and_then(|step| step.parse::<i64>().ok()) {
                Some(step) => {
                    let buckets =
                        points().map(|(time, value)| (time.div_euclid(step) * step, value));
                    lines(&mut buckets.collect::<BTreeMap<_, _>>().into_iter())
                }
                None if line.contains("last:") => lines(&mut points().skip(after / 2 - 15)),
                None => format!("a 3.0 {at}\n"),
            }
        });
        let bars = trend(scene.app.table().visible(1).next().unwrap()).len();
        assert!(bars > 20, "{after}: {bars}");
    }
}
