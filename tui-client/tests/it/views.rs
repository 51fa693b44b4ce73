//! The table, the chart and the watched keys: what they do and how they look.

use std::time::Duration;

use insta::assert_snapshot;
use ratatui::style::{Color, Modifier};
use tui_client::app::effect::Effect;
use tui_client::app::mode::Mode;
use tui_client::app::msg::{Code, Key, Msg};
use tui_client::view::theme::Theme;

use crate::scene::{NOW, Scene};
use crate::screen::{cell_of, draw};

const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 30), (200, 60)];
const SECOND: Duration = Duration::from_secs(1);

/// Ten minutes of a small park of machines: waves, a gap, a rise over decades, one that went silent.
fn park() -> String {
    let mut text = String::new();
    for (host, phase) in [("palm", 0.0), ("eardrum", 1.5), ("kettle", 3.0)] {
        for at in 0..600_i32 {
            let swing = (f64::from(at) / 60.0 + phase).sin();
            let gone = host == "eardrum" && (200..330).contains(&at);
            if !gone {
                let value = ((50.0 + 40.0 * swing) * 10.0).round() / 10.0;
                text.push_str(&format!("{host}.cpu {value:?} {}\n", NOW - 600 + i64::from(at)));
            }
        }
        let used = 1.5e9 + phase * 4e8;
        text.push_str(&format!("{host}.memory_used {:?} {}\n", used - 5e6, NOW - 61));
        text.push_str(&format!("{host}.memory_used {used:?} {}\n", NOW - 1));
    }
    for at in 0..200_i32 {
        let value = 10_f64.powf(f64::from(at) / 40.0 - 1.0);
        text.push_str(&format!("palm.errors {value:?} {}\n", NOW - 2000 + i64::from(at) * 10));
    }
    text.push_str(&format!("oven.temp 21.5 {}\noven.temp 21.0 {}\n", NOW - 7260, NOW - 7200));
    text
}

fn scene(width: u16, height: u16, watch: &[&str], alerts: &[&str]) -> Scene {
    let mut scene = Scene::alerted(width, height, watch, alerts);
    answer_all(&mut scene);
    scene.tell(Msg::Resize { width, height });
    scene
}

/// Whatever was asked is answered from the same data.
fn answer_all(scene: &mut Scene) {
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let word = line.trim_start_matches("get ").to_owned();
        let data = park();
        let lines =
            data.lines().filter(|line| word == "*" || line.starts_with(&format!("{word} ")));
        let data: String = lines.map(|line| format!("{line}\n")).collect();
        scene.ok(&line, &data);
    }
}

fn at_each_size(name: &str, watch: &[&str], alerts: &[&str], act: impl Fn(&mut Scene)) {
    for (width, height) in SIZES {
        let mut scene = scene(width, height, watch, alerts);
        act(&mut scene);
        let screen = draw(&scene, &Theme::colour(), width, height);
        assert_snapshot!(format!("{name}_{width}x{height}"), screen);
    }
}

fn to(scene: &mut Scene, mode: Mode) {
    for _ in 0..5 {
        if scene.app.mode() != mode {
            scene.code(Code::Tab);
        }
    }
    assert_eq!(scene.app.mode(), mode);
}

#[test]
fn table_sorted() {
    at_each_size("table_sorted", &[], &["palm.cpu > 20"], |scene| {
        to(scene, Mode::Table);
        scene.keys("2jj");
    });
}

#[test]
fn table_filtered() {
    at_each_size("table_filtered", &[], &[], |scene| {
        to(scene, Mode::Table);
        scene.keys("/*.cpu or last > 1G and age < 1m");
        scene.code(Code::Enter);
    });
}

#[test]
fn table_filter_wrong() {
    at_each_size("table_filter_wrong", &[], &[], |scene| {
        to(scene, Mode::Table);
        scene.keys("/last > 20x and age");
    });
}

#[test]
fn table_columns() {
    at_each_size("table_columns", &[], &[], |scene| {
        to(scene, Mode::Table);
        scene.keys("cjj jj ");
    });
}

#[test]
fn chart_cursor() {
    at_each_size("chart_cursor", &["palm.cpu", "eardrum.cpu"], &["palm.cpu > 85"], |scene| {
        to(scene, Mode::Watch);
        scene.keys("MfHHH");
    });
}

#[test]
fn chart_gap() {
    at_each_size("chart_gap", &["eardrum.cpu"], &[], |scene| {
        to(scene, Mode::Watch);
        scene.keys("f");
    });
}

#[test]
fn chart_log() {
    at_each_size("chart_log", &["palm.errors"], &["palm.errors > 500"], |scene| {
        to(scene, Mode::Watch);
        scene.keys("fy");
    });
}

#[test]
fn watch_alert() {
    at_each_size("watch_alert", &["*.memory_used", "*.cpu"], &["kettle.cpu < 90"], |scene| {
        to(scene, Mode::Watch);
        scene.keys("jjjj");
    });
}

#[test]
fn styles_of_the_table() {
    let mut scene = scene(120, 30, &[], &["palm.cpu > 20"]);
    to(&mut scene, Mode::Table);
    scene.keys("2");
    let table = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&table, "▼last").fg, Color::Cyan, "the column of the order");
    assert_eq!(cell_of(&table, "oven.temp").modifier, Modifier::DIM, "stale");
    assert_eq!(cell_of(&table, "2h").fg, Color::Yellow, "the age tells why");
    let mut scene = crate::views::scene(120, 30, &["kettle.cpu"], &["palm.cpu > 20"]);
    scene.keys("");
    let watch = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&watch, "!palm.cpu").fg, Color::Red);
    assert_eq!(cell_of(&watch, "1 alert").fg, Color::Red);
}

#[test]
fn styles_of_the_chart() {
    let mut scene = scene(120, 40, &["palm.cpu", "eardrum.cpu"], &["palm.cpu > 95"]);
    to(&mut scene, Mode::Watch);
    scene.keys("Mfh");
    let chart = draw(&scene, &Theme::colour(), 120, 40);
    assert_eq!(cell_of(&chart, "╌").fg, Color::Red, "the threshold");
    assert_eq!(cell_of(&chart, "■ palm.cpu").fg, Color::Cyan);
    assert_eq!(cell_of(&chart, "■ eardrum.cpu").fg, Color::Magenta);
    scene.code(Code::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart, "first the cursor goes");
    scene.code(Code::Esc);
    assert_eq!(scene.app.mode(), Mode::Watch);
}

#[test]
fn the_plain_theme_sets_no_colour_in_any_view() {
    for keys in ["Mfhy", "f", "jj", "!x"] {
        let mut scene = scene(120, 40, &["palm.cpu", "*.memory_used"], &["palm.cpu > 5"]);
        to(&mut scene, Mode::Watch);
        scene.keys(keys);
        let screen = draw(&scene, &Theme::plain(), 120, 40);
        let colours =
            |cell: &ratatui::buffer::Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!screen.buffer().content().iter().any(colours));
    }
}

#[test]
fn an_alert_rings_once_and_is_well_again() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5"]);
    scene.ok("get *", "");
    scene.ok("get a", "a 5.0 1\n");
    scene.wait(SECOND);
    let ring = |scene: &mut Scene, data: &str| {
        let request = scene.sent.remove(0);
        let status = shared::response::Status::Ok;
        let mut builder = tui_client::app::reply::ReplyBuilder::new(status, request.detail)
            .watching(request.watched);
        builder.add_lines(data.as_bytes());
        let took = Duration::from_millis(1);
        let reply = builder.finish(request.id, took, took);
        let effects = scene.tell(Msg::Reply(Box::new(reply)));
        scene.wait(SECOND);
        effects.contains(&Effect::Bell)
    };
    assert!(ring(&mut scene, "a 6.0 2\n"));
    assert!(!ring(&mut scene, "a 7.0 3\n"), "once");
    assert!(!ring(&mut scene, "a 1.0 4\n"));
    assert!(scene.log().contains(&"- a is well again".to_owned()));
    assert!(ring(&mut scene, "a 9.0 5\n"));
}

#[test]
fn globs_are_matched_here_when_the_server_cannot() {
    let mut scene = Scene::alerted(80, 24, &["palm.*"], &[]);
    scene.ok("get *", "palm.cpu 1.0 1\nother.cpu 2.0 1\npalm.mem 3.0 1\n");
    let keys: Vec<_> = scene.app.watch().keys().iter().map(|key| key.key.clone()).collect();
    assert_eq!(keys, ["palm.cpu", "palm.mem"]);
    scene.ok("get palm.cpu[last]", "");
    scene.wait(SECOND);
    assert_eq!(scene.sent.len(), 1, "one request for the table and the glob");
    scene.ok("get *", "palm.cpu 5.0 2\n");
    scene.code(Code::F(6));
    scene.wait(SECOND);
    scene.ok("get *", "palm.cpu 6.0 3\n");
    let last = scene.app.watch().keys()[0].series.as_ref().map(|series| series.last.value);
    assert_eq!(last, Some(6.0));
}

#[test]
fn a_server_with_selectors_is_asked_once_for_all_watched_keys() {
    let mut scene = Scene::alerted(80, 24, &["a", "b.*"], &[]);
    scene.ok("get *", "a 1.0 1\nb.c 2.0 1\n");
    scene.ok("get a[last]", "a 1.0 1\n");
    scene.wait(SECOND);
    scene.ok("get {a,b.*}", "a 4.0 2\nb.c 5.0 2\n");
    let values: Vec<_> = scene
        .app
        .watch()
        .keys()
        .iter()
        .map(|key| key.series.as_ref().unwrap().last.value)
        .collect();
    assert_eq!(values, [4.0, 5.0]);
}

#[test]
fn a_pause_is_a_pause_and_intervals_change_at_once() {
    let mut scene = Scene::alerted(80, 24, &["a"], &[]);
    scene.ok("get *", "");
    scene.ok("get a", "a 1.0 1\n");
    scene.code(Code::F(6));
    to(&mut scene, Mode::Watch);
    scene.keys("p");
    scene.wait(60 * SECOND);
    assert!(scene.sent.is_empty());
    scene.keys("p");
    scene.ok("get a", "a 1.0 1\n");
    scene.keys("+");
    assert_eq!(scene.app.interval(), 2 * SECOND);
    scene.keys("--");
    assert_eq!(scene.app.interval(), SECOND / 2);
    scene.keys("---------------");
    assert_eq!(scene.app.interval(), SECOND / 10);
}

#[test]
fn a_slow_server_stretches_the_interval_and_gets_one_poll_at_a_time() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    scene.wait(5 * SECOND);
    assert_eq!(scene.sent.len(), 2, "one for the table, one for the watched key");
    let request = scene.sent.remove(0);
    let builder =
        tui_client::app::reply::ReplyBuilder::new(shared::response::Status::Ok, request.detail);
    let reply = builder.finish(request.id, 5 * SECOND, 5 * SECOND);
    scene.tell(Msg::Reply(Box::new(reply)));
    assert_eq!(scene.app.stretched(), Some(10 * SECOND));
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&screen, "every 1s, slowed to 10.0 s").fg, Color::Yellow);
    scene.wait(4 * SECOND);
    assert_eq!(scene.sent.len(), 1);
}

#[test]
fn the_cost_of_polling_is_shown() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    for _ in 0..8 {
        answer_all(&mut scene);
        scene.wait(SECOND);
    }
    answer_all(&mut scene);
    let cost = scene.app.cost().unwrap();
    assert!((0.9..1.6).contains(&cost.requests), "{cost:?}");
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    cell_of(&screen, "req/s");
    cell_of(&screen, "kB/s");
}

#[test]
fn a_filter_counts_while_it_is_typed_and_goes_when_one_leaves() {
    let mut scene = scene(120, 30, &[], &[]);
    to(&mut scene, Mode::Table);
    scene.keys("/kettle");
    assert_eq!(scene.app.table().rows(), 2);
    scene.code(Code::Esc);
    assert_eq!(scene.app.table().rows(), 8);
    scene.keys("/last >");
    scene.code(Code::Enter);
    assert_eq!(scene.app.mode(), Mode::Field, "what is wrong is not taken");
    assert_eq!(scene.notice(), "a number is missing at character 7");
    scene.press(Key::ctrl('u'));
    scene.code(Code::Enter);
    assert_eq!(scene.app.mode(), Mode::Table);
}

#[test]
fn an_alert_can_be_set_and_dropped_by_hand() {
    let mut scene = scene(120, 30, &[], &[]);
    to(&mut scene, Mode::Table);
    scene.keys("!");
    assert_eq!(scene.app.field().unwrap().text(), "palm.cpu > ");
    scene.keys("5");
    scene.code(Code::Enter);
    assert_eq!(scene.app.alerts().len(), 1);
    scene.wait(SECOND);
    answer_all(&mut scene);
    assert_eq!(scene.app.watch().alarms(), 1);
    to(&mut scene, Mode::Watch);
    scene.keys("d");
    assert_eq!((scene.app.alerts().len(), scene.app.watch().alarms()), (0, 0));
}
