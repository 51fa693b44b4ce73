//! What table, chart, alerts and log say of a place in time when more becomes known, and of what is
//! not known.

use std::time::Duration;

use tui_client::app::AppConfig;
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::window::ChartWindow;
use tui_client::session::{ChartView, View};

use crate::harness::scene::{NOW, Scene, config};
use crate::harness::series_server::month;
use crate::harness::snapshot::draw;

/// Connected to a server with selectors, on which `a` and `b` have points; the table is in focus.
fn scene(alerts: &[&str]) -> Scene {
    let mut scene = Scene::live(240, 40, &["a"], alerts);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    scene.ok("get a[last:1024]", &format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 900));
    scene.to(Mode::Table);
    scene
}

fn screen(scene: &Scene) -> String {
    draw(scene, &scene.theme, 240, 40).to_string()
}

/// The requests for how things stood.
fn asked(scene: &Scene) -> Vec<String> {
    let lines = scene.sent.iter().map(|sent| sent.line.clone());
    lines.filter(|line| line.starts_with("get *[last@")).collect()
}

/// Answers what is asked for until nothing more is; how things stood with `state`.
fn answer(scene: &mut Scene, state: &str) {
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        let is_state = line.starts_with("get *[last@");
        scene.ok(&line, if is_state { state } else { "" });
    }
}

/// The keys of the rows.
fn keys(scene: &Scene) -> String {
    let rows = scene.app.table().visible(100);
    rows.map(|series| series.key.to_string()).collect::<Vec<_>>().join(" ")
}

/// The first and the last time in the chart.
fn range(scene: &Scene) -> (i64, i64) {
    scene.app.watch().viewport().range(scene.app.watch().chart_bounds().unwrap())
}

#[test]
fn a_point_from_before_the_place_is_asked_for() {
    let mut scene = scene(&[]);
    let at = NOW - 600;
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 1.0 {at}\n"));
    scene.wait(Duration::from_secs(2));
    scene.told(&format!("a 6.0 {NOW}\n"));
    assert_eq!(asked(&scene), [""; 0], "what is later changes nothing");
    scene.told(&format!("c 2.0 {}\n", at - 15));
    assert_eq!(asked(&scene), [format!("get *[last@{at}]")]);
    answer(&mut scene, &format!("a 1.0 {at}\nc 2.0 {}\n", at - 15));
    assert_eq!(keys(&scene), "a c");
    // Not for each of many.
    scene.told(&format!("d 2.0 {at}\n"));
    assert_eq!(asked(&scene), [""; 0]);
    assert!(
        scene.app.next_wake().is_some_and(|at| at <= scene.now.elapsed + Duration::from_secs(2))
    );
    scene.wait(Duration::from_secs(2));
    assert_eq!(asked(&scene).len(), 1);
    answer(&mut scene, &format!("a 1.0 {at}\n"));
    assert_eq!(keys(&scene), "a");
    // What is taken back is another state, too, and a key asks at once.
    scene.press(KeyPress::plain(KeyCode::F(5)));
    assert_eq!(asked(&scene).len(), 1);
}

#[test]
fn a_mark_at_the_place_is_not_gone() {
    let mut scene = scene(&[]);
    let at = NOW - 600;
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 1.0 {at}\nb 1.0 {at}\n"));
    scene.wait(Duration::from_secs(2));
    scene.told(&format!("mark.x 1.0 {at}\n"));
    let state = format!("a 1.0 {at}\nb 1.0 {at}\nmark.x 1.0 {at}\n");
    answer(&mut scene, &state);
    scene.keys("Cx\n");
    scene.ok(&format!("get *[last:2@{at}]"), &state);
    let text = screen(&scene);
    assert!(text.contains("moved since x ") && !text.contains("gone"), "{text}");
}

#[test]
fn what_begins_after_the_place_is_not_gone() {
    let mut scene = scene(&[]);
    let at = NOW - 600;
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 1.0 {at}\n"));
    scene.keys(&format!("C{}\n", NOW - 300));
    let then = NOW - 300;
    scene.ok(&format!("get *[last:2@{then}]"), &format!("a 1.0 {then}\nb 5.0 {then}\n"));
    let text = screen(&scene);
    let said = "compared with 2006-06-21 04:26:00, which is later, 1 not yet there ";
    assert!(text.contains(said), "{text}");
    // In the live table nothing is later.
    scene.keys("0");
    assert!(screen(&scene).contains("moved since 2006-06-21 04:26:00 "), "{}", screen(&scene));
}

#[test]
fn a_key_that_has_stopped_comes_first_is_counted_and_found() {
    let mut scene = scene(&[]);
    let (at, then) = (NOW - 600, NOW - 1200);
    scene.keys(&format!("@{at}\n"));
    let stopped = at - 240;
    let gone = then - 3600;
    answer(
        &mut scene,
        &format!("a 900.0 {at}\nb 5.0 {stopped}\nc 1.0 {stopped}\nd 1.0 {at}\ne 1.0 {gone}\n"),
    );
    scene.keys(&format!("C{then}\n"));
    // `b` had a point each 30 seconds; `c` one an hour; `e` had stopped before.
    let state = format!(
        "a 1.0 {}\na 1.0 {then}\nb 5.0 {}\nb 5.0 {then}\nc 1.0 {}\nc 1.0 {then}\ne 1.0 {}\ne 1.0 {gone}\n",
        then - 30,
        then - 30,
        then - 3600,
        gone - 30
    );
    scene.ok(&format!("get *[last:2@{then}]"), &state);
    assert_eq!(keys(&scene), "b d a e c");
    let text = screen(&scene);
    let row = |key: &str| text.lines().find(|line| line.contains(key)).unwrap_or_default();
    assert!(row("│ b ").contains("stopped") && row("│ d ").contains("new"), "{text}");
    assert!(!row("│ c ").contains("stopped"), "{text}");
    assert!(row("│·e ").contains("stopped"), "{text}");
    assert!(text.contains("moved since 2006-06-21 04:11:00, 2 stopped "), "{text}");
    for (filter, found) in [("stopped", "b e"), ("new", "d"), ("not stopped and not new", "a c")] {
        scene.keys(&format!("/{filter}\n"));
        assert_eq!(keys(&scene), found, "{filter}");
    }
    // Where nothing is compared they are parts of keys.
    scene.keys("C\n/new\n");
    assert_eq!(keys(&scene), "");
}

#[test]
fn a_glob_that_comes_later_is_charted_at_the_place() {
    let server = month();
    let mut scene = Scene::live(120, 40, &[], &[]);
    server.serve(&mut scene);
    scene.to(Mode::Table);
    let at = NOW - 3 * 3600;
    scene.keys(&format!("@{at}\n"));
    server.serve(&mut scene);
    scene.keys("Wa*\n");
    server.serve(&mut scene);
    let (from, to) = range(&scene);
    assert!((from..=to).contains(&at), "{from} to {to}: {}", at - from);
    assert_eq!(scene.app.watch().viewport().cursor(), Some(at));
}

#[test]
fn the_window_of_a_view_is_around_its_place() {
    let server = month();
    let at = NOW - 3 * 3600;
    let chart = ChartView { window: ChartWindow::Last(3600), ..ChartView::default() };
    let view = View { place: Some(at), chart, ..View::default() };
    let watch = vec!["a*".parse().unwrap()];
    let config = AppConfig { watch, view, ..config() };
    let mut scene = Scene::with(120, 40, config).follow().then(Scene::begin);
    server.serve(&mut scene);
    let (from, to) = range(&scene);
    assert!((from..=to).contains(&at) && to - from == 3600, "{from} to {to}");
}

#[test]
fn a_window_is_chosen_around_the_place() {
    let server = month();
    let mut scene = server.chart(120, 40);
    let at = NOW - 3 * 86_400;
    scene.keys(&format!("@{at}\n"));
    server.serve(&mut scene);
    for (key, length) in [("2", 3600), ("3", 86_400), ("4", 604_800), ("1", 60)] {
        scene.keys(key);
        server.serve(&mut scene);
        let (from, to) = range(&scene);
        assert!((from..=to).contains(&at) && to - from == length, "{key}: {from} to {to}");
        assert_eq!(scene.app.watch().viewport().cursor(), Some(at), "{key}");
        assert!(scene.app.place().at().is_some(), "{key}");
    }
}

#[test]
fn alerts_at_a_place_are_those_of_then() {
    let mut scene = scene(&["a > 3"]);
    let at = NOW - 600;
    assert!(screen(&scene).contains("· 1 alert, 1 key firing "), "{}", screen(&scene));
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 1.0 {at}\nb 1.0 {at}\n"));
    assert!(screen(&scene).contains("· 1 alert, none firing then "), "{}", screen(&scene));
    assert!(!screen(&scene).contains("!a"), "{}", screen(&scene));
    scene.keys("A");
    assert_eq!(scene.notice(), "no alert fires at 04:21:00");
    let at = NOW - 660;
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 7.0 {at}\nb 1.0 {at}\n"));
    scene.told(&format!("a 1.0 {}\n", NOW + 1));
    let text = screen(&scene);
    assert!(text.contains("· 1 alert, 1 key firing then "), "{text}");
    assert!(text.lines().filter(|line| line.contains("│!")).count() > 0, "{text}");
    scene.keys("A");
    assert_eq!(scene.app.mode(), Mode::Watch);
}

#[test]
fn the_command_of_a_place_prints_how_things_stood() {
    let mut scene = scene(&[]);
    let at = NOW - 600;
    scene.keys(&format!("@{at}\n"));
    answer(&mut scene, &format!("a 1.0 {at}\nb 1.0 {at}\n"));
    let copied = |scene: &mut Scene| {
        scene.keys("Y");
        scene.notice().to_owned()
    };
    assert_eq!(copied(&mut scene), format!("copied: tui-client get '*[last@{at}]'"));
    // A filter that is a glob selects the same keys.
    scene.keys("/b*\no");
    let without = "copied, at a place plain mode has no order: ";
    assert_eq!(copied(&mut scene), format!("{without}tui-client get 'b*[last@{at}]'"));
    scene.keys("/last > 0\n");
    let without = "copied, at a place plain mode has no filter or order: tui-client get '*[";
    assert!(copied(&mut scene).starts_with(without), "{}", scene.notice());
    scene.to(Mode::Watch);
    assert_eq!(copied(&mut scene), format!("copied: tui-client get 'a[last@{at}]'"));
    // The chart on the full screen has its cursor there.
    scene.keys("f");
    assert_eq!(copied(&mut scene), format!("copied: tui-client get 'a[last@{at}]'"));
    scene.keys("0");
    assert!(copied(&mut scene).starts_with("copied: tui-client get a"), "{}", scene.notice());
    assert!(!scene.notice().contains("[last@"), "{}", scene.notice());
}

#[test]
fn the_log_points_to_the_line_of_the_place() {
    let mut scene = scene(&[]);
    scene.wait(Duration::from_secs(120));
    let pointed = |scene: &Scene| screen(scene).lines().filter(|line| line.contains('▸')).count();
    let before = pointed(&scene);
    scene.keys(&format!("@{}\n", NOW + 60));
    assert_eq!(pointed(&scene), before + 1, "{}", screen(&scene));
    scene.keys(&format!("@{}\n", NOW - 60));
    assert_eq!(pointed(&scene), before);
    assert!(screen(&scene).contains(" log · the log begins 04:31:00 "), "{}", screen(&scene));
    scene.keys("0");
    assert!(!screen(&scene).contains("the log begins"), "{}", screen(&scene));
}
