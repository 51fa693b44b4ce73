//! The window that a chart opens on, and what moves it later.

use std::time::Duration;

use tui_client::event::KeyCode;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use super::{SECOND, legend, range, shows};
use crate::harness::scene::{NOW, Scene};
use crate::harness::series_server::{DAY, SeriesServer, month};
use crate::harness::snapshot::draw;

/// A chart after a point a second from a time on, which is told as it is put.
fn begun(mut server: SeriesServer, from: i64, seconds: i64) -> (SeriesServer, Scene) {
    let mut scene = server.chart(200, 50);
    for n in 0..seconds {
        server.put(&mut scene, from + n, 1.0);
        if n < 10 || n % 50 == 0 {
            server.serve(&mut scene);
        }
    }
    scene.wait(2 * SECOND);
    server.serve(&mut scene);
    (server, scene)
}

#[test]
fn the_chart_opens_where_points_are_and_grows_with_them() {
    let past = |count, step| (0..count).map(move |n| (NOW - 631_152_000 + n * step, 2.0));
    let years = || (0..5000).map(|n| (NOW - 631_152_000 + n * 60, 1.0));
    for (what, points, of) in [
        ("empty", vec![], "all "),
        ("one point of the past", vec![(NOW - 631_152_000, 2.0)], "last "),
        ("two points of the past", past(2, 1).collect(), "last "),
        ("rare points of the past", past(9, DAY).collect(), "last "),
        ("points of the past", years().collect(), "last "),
    ] {
        for (seconds, span, title) in
            [(2, 4, "4s"), (3, 4, "4s"), (10, 9, "9s"), (100, 99, "1m39s"), (1000, 900, "15m")]
        {
            let (server, scene) =
                begun(SeriesServer::of(points.clone()), NOW + 1 - seconds, seconds);
            // It was opened on the last points before.
            let (was, title) = if points.len() > 9 { (900, "15m") } else { (span, title) };
            assert_eq!(range(&scene), (NOW - was, NOW), "{what}, {seconds}s");
            if of == "last " || span == 900 {
                let of = if of == "last " { " of 20y" } else { " of 16m39s" };
                let title = format!(" last {title}{of} ");
                assert!(legend(&scene).contains(&title), "{what}: {}", legend(&scene));
            }
            // Opened now, it is the same.
            let scene = server.chart(200, 50);
            let (from, to) = range(&scene);
            // Steps of 2 seconds are known.
            assert!(to == NOW && (-1..=0).contains(&(from - (NOW - span))), "{what}, {seconds}s");
        }
    }
    // Points that come seldom are no beginning.
    let seldom = SeriesServer::of((0..100).map(|n| (NOW - n * 305, 1.0)));
    assert_eq!(range(&seldom.chart(200, 50)), (NOW - 900, NOW));
}

/// A chart that has been open for so long that only its key is followed.
fn long_open(server: &SeriesServer) -> Scene {
    let mut scene = server.chart(200, 50);
    scene.wait(61 * SECOND);
    scene.begin();
    server.serve(&mut scene);
    scene
}

/// A cron job every quarter of an hour: whether its last two points are within the last 15 minutes
/// depends on a second.
#[test]
fn a_chart_never_jumps_by_itself() {
    let jitter = |n: i64| if n % 2 == 0 { 0 } else { n.rem_euclid(4) - 2 };
    for opened in 0..4 {
        let time = |n: i64| NOW + (n - opened) * 900 + jitter(n);
        let mut server = SeriesServer::of((-200..=opened).map(|n| (time(n), 1.0)));
        let mut scene = long_open(&server);
        let first = legend(&scene);
        let opens_on_all = first.contains(" all ");
        assert_eq!(opens_on_all, time(opened) - time(opened - 1) > 900, "{first}");
        for n in opened + 1..opened + 9 {
            scene.wait(Duration::from_secs((time(n) - time(n - 1)).unsigned_abs()));
            server.put(&mut scene, time(n), 1.0);
            server.serve(&mut scene);
            assert_eq!(legend(&scene).contains(" all "), opens_on_all, "{}", legend(&scene));
            let span = if opens_on_all { time(n) - time(-200) } else { 900 };
            assert_eq!(range(&scene), (time(n) - span, time(n)));
        }
    }
}

#[test]
fn a_chart_that_is_open_stays_wide_after_a_silence() {
    let mut server = month();
    let mut scene = long_open(&server);
    scene.wait(4000 * SECOND);
    for n in 0..4 {
        server.put(&mut scene, NOW + 4000 + n, 1.0);
        server.serve(&mut scene);
        assert_eq!(range(&scene), (NOW + 3100 + n, NOW + 4000 + n));
    }
    scene.keys("0");
    server.serve(&mut scene);
    assert_eq!(range(&scene), (NOW + 3999, NOW + 4003), "opened anew");
}

#[test]
fn another_key_opens_as_suits_it() {
    let mut watch = Scene::live(200, 50, &["a", "b"], &[]);
    let seldom: String = (0..9).map(|n| format!("b {n}.0 {}\n", NOW - DAY * (9 - n))).collect();
    let often: String = (0..1024).map(|n| format!("a {n}.0 {}\n", NOW - 1023 + n)).collect();
    watch.ok("get {a,b}[last:1024]", &format!("{often}{seldom}"));
    watch.sent.clear();
    watch.to(Mode::Watch);
    assert_eq!(range(&watch), (NOW - 900, NOW));
    watch.code(KeyCode::Down);
    assert_eq!(range(&watch), (NOW - 9 * DAY, NOW - DAY));
    watch.code(KeyCode::Up);
    assert_eq!(range(&watch), (NOW - 900, NOW));
}

#[test]
fn the_axis_of_the_first_points_spans_what_they_span() {
    let mut server = SeriesServer::default();
    let mut scene = long_open(&server);
    let begin = scene.app.now().unix();
    for n in 0..80 {
        server.put(&mut scene, begin + n, 1.0);
        scene.wait(SECOND);
        server.serve(&mut scene);
        let (from, to) = range(&scene);
        assert_eq!(
            (from, to),
            if n == 0 { (begin, begin) } else { (begin.min(begin + n - 4), begin + n) }
        );
        let span = match to - from {
            0 => "one point in time".to_owned(),
            60.. => {
                format!("all 1m{}", if n == 60 { String::new() } else { format!("{}s", n - 60) })
            }
            span => format!("all {span}s"),
        };
        assert!(legend(&scene).contains(&format!(" {span} ")), "{n}: {}", legend(&scene));
    }
}

#[test]
fn a_series_that_has_ended_opens_on_its_last_points() {
    let server = SeriesServer::of((0..100_000).map(|n| (1_000_000_000 + n, 1.0)));
    let scene = server.chart(200, 50);
    assert_eq!(range(&scene), (1_000_099_099, 1_000_099_999));
    assert!(
        legend(&scene).contains(" 15m of 1d3h to the last point, 2001-09-10 05:33:19 "),
        "{}",
        legend(&scene)
    );
    let daily = SeriesServer::of((0..100_000).map(|n| (NOW - n * DAY, 1.0)));
    let scene = daily.chart(200, 50);
    assert_eq!(range(&scene), (NOW - 99_999 * DAY, NOW), "15 minutes would have one point");
}

#[test]
fn a_window_that_ends_with_the_last_point_is_not_called_the_last_one() {
    for (ended, said) in [
        (301, " 1m of 9m59s to the last point, 2006-06-21 04:25:59 "),
        (61, " 1m of 9m59s to the last point, 2006-06-21 04:29:59 "),
        (30, " last 1m of 9m59s "),
    ] {
        let server = SeriesServer::of((0..600).map(|n| (NOW - ended - 599 + n, 1.0)));
        let mut scene = server.chart(200, 50);
        scene.keys("1");
        server.serve(&mut scene);
        assert!(legend(&scene).contains(said), "{ended}: {}", legend(&scene));
    }
}

#[test]
fn a_key_without_points_is_charted_with_the_first_one() {
    let mut server = SeriesServer::default();
    let mut scene = server.chart(200, 50);
    assert!(shows(&scene, "no points yet"));
    for n in 0..5 {
        server.put(&mut scene, NOW + n, 1.0);
        server.serve(&mut scene);
    }
    assert_eq!(range(&scene), (NOW, NOW + 4));
    assert!(!shows(&scene, "no points yet"));
}

#[test]
fn the_way_back_to_live_points_is_hinted_beside_the_table_too() {
    let server = month();
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    server.serve(&mut scene);
    scene.to(Mode::Watch);
    let hints = |scene: &Scene| {
        let screen = draw(scene, &Theme::colour(), 80, 24).to_string();
        screen.lines().last().unwrap().to_owned()
    };
    assert!(!hints(&scene).contains("0 live"), "{}", hints(&scene));
    for key in ["z", "[", "5"] {
        scene.keys(key);
        server.serve(&mut scene);
        scene.wait(9 * SECOND);
        assert!(hints(&scene).contains("0 live"), "{key}: {}", hints(&scene));
        scene.keys("0");
        server.serve(&mut scene);
        assert!(!hints(&scene).contains("0 live"), "{key}: {}", hints(&scene));
    }
}
