//! What the chart asks a server with selectors for, and what it shows of it.

mod opening;

use std::time::Duration;

use tui_client::app::chart::viewport::TimeBounds;
use tui_client::event::{Event, FollowNews, KeyCode};
use tui_client::keymap::Mode;
use tui_client::metrics::rollups::plan::Part;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::series_server::{DAY, SeriesServer, month};
use crate::harness::server::TestServer;
use crate::harness::snapshot::{draw, find};

const SECOND: Duration = Duration::from_secs(1);

fn bounds(scene: &Scene) -> TimeBounds {
    scene.app.watch().chart_bounds().unwrap()
}

fn range(scene: &Scene) -> (i64, i64) {
    scene.app.watch().viewport().range(bounds(scene))
}

fn legend(scene: &Scene) -> String {
    let screen = draw(scene, &Theme::colour(), 200, 50).to_string();
    screen.lines().nth(2).unwrap().to_owned()
}

fn shows(scene: &Scene, text: &str) -> bool {
    find(&draw(scene, &Theme::colour(), 200, 50), text).is_some()
}

#[test]
fn the_chart_opens_on_the_last_15_minutes_of_a_long_series() {
    let server = month();
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    let (asked, lines) = server.serve(&mut scene);
    assert!(asked.iter().all(|line| line != "get a" && line != "get *"), "{asked:?}");
    assert!(lines < 1024 + 3000, "{lines} lines, those of the watched key among them");
    scene.to(Mode::Watch);
    scene.keys("f");
    server.serve(&mut scene);
    assert_eq!(range(&scene), (NOW - 900, NOW));
    assert!(legend(&scene).contains(" last 15m of 30d "), "{}", legend(&scene));
}

#[test]
fn a_month_in_one_picture_shows_both_spikes() {
    let server = month();
    let mut scene = server.chart(200, 50);
    scene.keys("5");
    let (asked, _) = server.serve(&mut scene);
    assert!(asked.len() <= 8, "{asked:?}");
    assert_eq!(range(&scene), (NOW - 30 * DAY, NOW));
    assert!(legend(&scene).contains(" 30d · min, max of "), "{}", legend(&scene));
    let chart = scene.app.chart(198, 46);
    let rows = chart.cells.chunks(chart.columns);
    let drawn: Vec<usize> = rows
        .enumerate()
        .filter(|(_, cells)| cells.iter().any(|cell| cell.dots > 0))
        .map(|(row, _)| row)
        .collect();
    assert_eq!((drawn.first(), drawn.last()), (Some(&0), Some(&42)), "from -500 to 1000");
    assert!(shows(&scene, " 1000┤") && shows(&scene, " -500┤"));
}

#[test]
fn zooming_and_panning_ask_for_what_is_missing() {
    let server = month();
    let mut scene = server.chart(200, 50);
    let mut seen = Vec::new();
    for key in ["3", "Z", "Z", "[", "[", "z", "z"] {
        scene.keys(key);
        let (asked, lines) = server.serve(&mut scene);
        assert!(asked.len() <= 12 && lines < 4000, "{key}: {lines} lines of {asked:?}");
        seen.push(range(&scene));
    }
    // Back and forth: only what is beside the window can be new, and nothing is asked for twice.
    for turn in 0..2 {
        for key in ["Z", "Z", "]", "[", "z", "z", "[", "]"] {
            scene.keys(key);
            let (asked, _) = server.serve(&mut scene);
            assert!(asked.len() <= if turn == 0 { 2 } else { 0 }, "{key}: {asked:?}");
        }
    }
    assert_eq!(Some(&range(&scene)), seen.last());
}

#[test]
fn exact_points_are_shown_where_a_column_has_few() {
    let server = month();
    let mut scene = server.chart(200, 50);
    assert!(!legend(&scene).contains("min, max"), "15 points: {}", legend(&scene));
    scene.keys("3");
    server.serve(&mut scene);
    assert!(legend(&scene).contains("min, max of 2m8s"), "{}", legend(&scene));
    scene.keys("h");
    assert!(shows(&scene, " to "), "the cursor reads both: {}", legend(&scene));
    scene.keys("zzzzzzz");
    server.serve(&mut scene);
    let (from, to) = range(&scene);
    assert!(!legend(&scene).contains("min, max"), "{from} to {to}: {}", legend(&scene));
    scene.keys("H");
    server.serve(&mut scene);
    let time = scene.app.watch().viewport().cursor().unwrap();
    assert!(server.points.contains_key(&time), "the cursor is at a point");
}

#[test]
fn what_is_told_is_drawn_without_a_request() {
    let mut server = month();
    let mut scene = server.chart(200, 50);
    for keys in ["0", "3", "5"] {
        scene.keys(keys);
        server.serve(&mut scene);
        let last = bounds(&scene).last;
        for n in 1..10 {
            scene.wait(SECOND);
            server.put(&mut scene, last + n, 60.0);
            let (mut asked, _) = server.serve(&mut scene);
            // The numbers of the list are asked for from time to time.
            asked.retain(|line| !line.starts_with("get a[-15m:"));
            assert!(asked.is_empty(), "{keys}: {asked:?}");
            assert_eq!(range(&scene).1, last + n);
        }
        server.put(&mut scene, last + 10, 5000.0);
        assert!(shows(&scene, "5000┤") || shows(&scene, " 4000┤"), "{keys}: {}", legend(&scene));
        server.points.insert(last + 10, 60.0);
        scene.told(&format!("a 60.0 {}\n", last + 10));
        scene.wait(2 * SECOND);
        server.serve(&mut scene);
        assert!(!shows(&scene, " 4000┤"), "the peak is replaced: {keys}");
    }
}

#[test]
fn a_point_that_is_put_late_is_asked_about_once_a_second() {
    let mut server = month();
    let mut scene = server.chart(200, 50);
    scene.keys("5");
    server.serve(&mut scene);
    let mut asked = 0;
    for n in 0..100 {
        // The day before, which is known in steps alone.
        server.put(&mut scene, NOW - DAY + n, 90.0);
        asked += server.serve(&mut scene).0.len();
        scene.wait(SECOND / 10);
    }
    scene.wait(2 * SECOND);
    asked += server.serve(&mut scene).0.len();
    assert!((2..50).contains(&asked), "{asked} requests in 12 seconds");
    assert!(scene.sent.is_empty());
}

#[test]
fn zooming_out_goes_to_everything_whatever_it_is() {
    const OLD: i64 = NOW - 20 * 365 * DAY;
    let old = || (0..5000).map(|n| (OLD + n * 60, 1.0));
    let live = || (0..100).map(|n| (NOW - 100 + n, 2.0));
    for (what, points, most) in [
        ("years ago", old().collect(), 9),
        ("one point", vec![(OLD, 1.0)], 1),
        ("years ago and now", old().chain(live()).collect(), 12),
        ("the far future", live().chain([(NOW + 100 * 365 * DAY, 3.0)]).collect(), 3),
        ("the ends of time", live().chain([(i64::MIN, 0.0), (i64::MAX, 9.0)]).collect(), 3),
    ] {
        let server = SeriesServer::of(points);
        let mut scene = server.chart(200, 50);
        let ends = server.points.keys().next().zip(server.points.keys().next_back());
        let ends = ends.map(|(&first, &last)| (first, last)).unwrap();
        let (_, newest) = bounds(&scene).all();
        let mut presses = 0;
        while range(&scene) != ends {
            presses += 1;
            assert!(presses <= most, "{what}: {:?} of {ends:?}", range(&scene));
            scene.keys("Z");
            server.serve(&mut scene);
        }
        scene.keys("Z");
        assert_eq!(scene.notice(), "all of it is shown", "{what}");
        let chart = scene.app.chart(198, 46);
        assert!(chart.cells.iter().any(|cell| cell.dots > 0), "{what}");
        scene.keys("05");
        server.serve(&mut scene);
        assert_eq!(
            range(&scene),
            (ends.0, newest),
            "{what}: at once, but for strays of the future"
        );
    }
}

#[test]
fn a_follow_that_is_begun_anew_asks_for_the_window_again() {
    let mut server = month();
    let mut scene = server.chart(200, 50);
    // Put while nothing was told.
    server.points.insert(NOW - 5, 7000.0);
    scene.news(FollowNews::Lost("cut off".to_owned()));
    scene.wait(SECOND);
    assert!(shows(&scene, " last 15m "), "the old picture stands meanwhile");
    scene.begin();
    server.serve(&mut scene);
    assert!(shows(&scene, "7000┤") || shows(&scene, "6000┤"), "{}", legend(&scene));
    server.put(&mut scene, NOW + 1, 9000.0);
    assert!(shows(&scene, "8000┤") || shows(&scene, "7500┤"));
}

#[test]
fn a_refused_request_is_not_repeated_at_once() {
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    let server = month();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        if line.contains("last:") {
            scene.ok(&line, &server.answer(&line));
        } else {
            scene.answer(&line, shared::response::Status::Error, "too much\n");
        }
    }
    scene.wait(2 * SECOND);
    assert!(scene.sent.is_empty(), "{:?}", scene.sent);
    scene.wait(5 * SECOND);
    server.serve(&mut scene);
    assert_eq!(range(&scene), (NOW - 900, NOW));
}

#[test]
fn a_lost_connection_leaves_the_picture_until_it_can_be_asked_for_again() {
    let mut server = month();
    let mut scene = server.chart(200, 50);
    scene.keys("3");
    server.serve(&mut scene);
    let before = draw(&scene, &Theme::colour(), 198, 40).to_string();
    scene.tell(Event::Disconnected("gone".to_owned()));
    let chart = |screen: &str| screen.lines().skip(3).take(30).collect::<Vec<_>>().join("\n");
    let lost = draw(&scene, &Theme::colour(), 198, 40).to_string();
    assert_eq!(chart(&lost), chart(&before));
    server.points.insert(NOW - 5, 7000.0);
    scene.wait(SECOND);
    scene.tell(Event::Connected);
    scene.begin();
    server.serve(&mut scene);
    assert!(shows(&scene, " 6000┤"), "{}", legend(&scene));
}

#[test]
fn without_a_connection_nothing_is_asked_for() {
    let server = month();
    let mut scene = server.chart(200, 50);
    scene.tell(Event::Disconnected("gone".to_owned()));
    scene.keys("3zz[[");
    scene.wait(30 * SECOND);
    assert!(scene.sent.is_empty());
}

#[test]
fn the_answers_for_a_key_that_was_watched_before_are_not_taken() {
    let server = month();
    let mut scene = server.chart(200, 50);
    scene.keys("3");
    let old = scene.sent.clone();
    assert!(old.iter().any(|request| request.line.ends_with(":max]")), "{old:?}");
    scene.keys("xWa\n");
    scene.ok("get a[last:1024]", &server.answer("get a[last:1024]"));
    assert!(scene.sent.iter().any(|request| request.line.ends_with(":all:count]")));
    for request in old {
        scene.ok(&request.line, "a -77777.0 1150864000\n");
    }
    server.serve(&mut scene);
    assert!(!shows(&scene, "-77777") && !shows(&scene, "-80000┤"), "{}", legend(&scene));
}

#[test]
fn a_paused_chart_stands_still_and_is_refreshed_on_demand() {
    let mut server = month();
    let mut scene = server.chart(200, 50);
    scene.code(KeyCode::F(6));
    scene.wait(5 * SECOND);
    server.points.insert(NOW + 5, 50.0);
    server.serve(&mut scene);
    assert_eq!(range(&scene).1, NOW);
    scene.keys("3");
    let (asked, _) = server.serve(&mut scene);
    assert!(!asked.is_empty(), "other windows can be looked at");
    assert_eq!(range(&scene), (NOW - DAY, NOW));
    scene.code(KeyCode::F(5));
    server.serve(&mut scene);
    assert_eq!(range(&scene), (NOW + 5 - DAY, NOW + 5));
}

#[test]
fn a_time_without_points_is_named_and_passed_over() {
    let hour = |from: i64| (from..from + 3600).map(|time| (time, 1.0));
    let server = SeriesServer::of(hour(NOW - 9 * DAY).chain(hour(NOW - 3600)));
    let mut scene = server.chart(200, 50);
    let mut presses = 0;
    while range(&scene).0 > NOW - 8 * DAY {
        scene.keys("[");
        server.serve(&mut scene);
        presses += 1;
        assert!(presses < 24, "an hour, then over the days without points");
    }
    assert!(!shows(&scene, "no points here"), "to those before");
    scene.keys("zzz");
    server.serve(&mut scene);
    assert!(shows(&scene, "no points here; 5 shows everything, 8d23h"), "{}", legend(&scene));
    assert!(legend(&scene).contains("Z earlier: 2006-06-12 05:30:59"), "{}", legend(&scene));
}

#[test]
fn a_time_without_points_is_passed_over_to_later_points() {
    let minutes = |from: i64| (from..from + 1200).map(|time| (time, 1.0));
    let server = SeriesServer::of(minutes(NOW - 9 * DAY).chain(minutes(NOW - 1199)));
    let mut scene = server.chart(200, 50);
    for key in ['[', ']'] {
        let is_there = |scene: &Scene| match key {
            '[' => range(scene).0 < NOW - 8 * DAY,
            _ => range(scene).1 > NOW - 1200,
        };
        let mut presses = 0;
        while !is_there(&scene) {
            scene.keys(key.encode_utf8(&mut [0; 4]));
            server.serve(&mut scene);
            assert!(!shows(&scene, "no points here"), "{key} after {presses}");
            presses += 1;
            assert!(presses < 12, "{key}: some minutes, then over the days without points");
        }
    }
}

#[test]
fn a_window_that_is_on_its_way_is_not_called_empty() {
    let server = month();
    let mut scene = Scene::live(200, 50, &["a"], &[]);
    scene.to(Mode::Watch);
    scene.keys("f");
    // Everything but the overview.
    while let Some(line) = scene.sent.first().map(|request| request.line.clone())
        && !line.contains(":4096:")
    {
        scene.ok(&line, &server.answer(&line));
    }
    scene.keys(&"[".repeat(40));
    assert!(!shows(&scene, "no points here") && shows(&scene, "  … "), "{}", legend(&scene));
    server.serve(&mut scene);
    assert!(!shows(&scene, "  … "));
}

#[test]
fn the_command_of_the_chart_asks_for_its_range() {
    let server = month();
    let mut scene = server.chart(200, 50);
    let copied = |scene: &mut Scene| {
        scene.keys("Y");
        scene.notice().to_owned()
    };
    let range = format!("[{}:{}]", NOW - 900, NOW);
    assert_eq!(copied(&mut scene), format!("copied: tui-client get 'a{range}'"));
    scene.keys("5");
    assert_eq!(copied(&mut scene), "copied: tui-client get a");
}

/// What the tests above answer for the server is what the server answers.
#[test]
fn the_server_understands_what_the_chart_asks() {
    let points = (-50..50).map(|n| (n * 7, f64::from(i32::try_from(n * n % 23).unwrap())));
    let ends = [(i64::MIN, 1.0), (i64::MAX, 2.0), (NOW, 3.0)];
    let model = SeriesServer::of(points.chain(ends));
    let server = TestServer::start();
    let put = |(time, value): (&i64, &f64)| format!("put a {value:?} {time}\n");
    server.send(&model.points.iter().map(put).collect::<String>());
    let parts = [
        Part::Total,
        Part::Until(i64::MAX),
        Part::Until(-1),
        Part::Until(i64::MIN),
        Part::Count((-100, 99)),
        Part::Count((1_000_000, 2_000_000)),
        Part::Points((i64::MIN, i64::MAX)),
        Part::Points((-21, 14)),
        Part::Min((-128, 127), 5),
        Part::Max((-128, 127), 5),
        Part::Min((i64::MIN, i64::MAX), 55),
        Part::Max((i64::MIN, i64::MAX), 62),
    ];
    for part in parts {
        let line = format!("get a{}", part.clause());
        let reply = server.send(&format!("{line}\n"));
        assert_eq!(reply, format!("ok\n{}\n", model.answer(&line)), "{line}");
    }
}

#[test]
fn a_late_answer_is_not_that_of_a_key_that_is_watched_again() {
    let server = month();
    let mut scene = server.chart(200, 50);
    scene.keys("3");
    let late = scene.sent.len();
    assert!(late > 0, "the chart asks");
    scene.code(KeyCode::Esc);
    scene.keys("xWa\n");
    scene.to(Mode::Watch);
    scene.keys("f3");
    let newest = "get a[last:1024]";
    scene.ok(newest, &server.answer(newest));
    for _ in 0..late {
        let line = scene.sent[0].line.clone();
        scene.ok(&line, &format!("a 777777.0 {}\n", NOW - 60));
    }
    server.serve(&mut scene);
    scene.wait(SECOND);
    server.serve(&mut scene);
    assert!(!shows(&scene, "777") && !shows(&scene, "800k") && !shows(&scene, "M┤"));
    assert!(shows(&scene, " 80.0┤") || shows(&scene, " 80┤"), "{}", legend(&scene));
}

#[test]
fn keys_lead_to_the_first_and_the_last_point() {
    let server = month();
    let first = NOW - 30 * DAY;
    let mut scene = server.chart(200, 50);
    let cursor = |scene: &Scene| scene.app.watch().viewport().cursor();
    scene.keys("5{");
    server.serve(&mut scene);
    assert_eq!((range(&scene), cursor(&scene)), ((first, NOW), Some(first)));
    for _ in 0..8 {
        scene.keys("z");
        server.serve(&mut scene);
    }
    assert_eq!(range(&scene), (first, first + 3600), "around the first point");
    assert!(legend(&scene).contains(" ■ a "), "{}", legend(&scene));
    scene.keys("}");
    server.serve(&mut scene);
    assert_eq!((range(&scene), cursor(&scene)), ((NOW - 3600, NOW), Some(NOW)));
    assert!(scene.app.watch().viewport().follows());
    scene.keys("}");
    assert!(shows(&scene, "this is the last point"));
    scene.code(KeyCode::Home);
    server.serve(&mut scene);
    assert_eq!((range(&scene), cursor(&scene)), ((first, first + 3600), Some(first)));
    scene.code(KeyCode::End);
    assert_eq!(cursor(&scene), Some(NOW));
}

#[test]
fn the_first_point_is_asked_for_in_words_where_there_is_no_legend() {
    let server = month();
    let mut scene = Scene::live(40, 10, &["a"], &[]);
    scene.to(Mode::Watch);
    for key in ["{", "h", "z", "[", "1", "a"] {
        scene.keys(key);
        assert_eq!(scene.notice(), "no points in the chart yet", "{key}");
    }
    for line in ["get a[last:1024]", "get a[::all:count]"] {
        scene.ok(line, &server.answer(line));
    }
    scene.keys("{");
    assert_eq!(scene.notice(), "2006-05-22 04:31:00  asking …");
    server.serve(&mut scene);
    scene.keys("lh");
    assert_eq!(scene.notice(), "2006-05-22 04:31:00  20");
}
