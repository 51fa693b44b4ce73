//! Watched keys.

use std::time::Duration;

use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use super::table::places;
use crate::harness::scene::{NOW, Scene, sample};
use crate::harness::snapshot::{cell_of, draw, find};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_reply_requested_before_a_watch_does_not_count_for_it() {
    let mut scene = Scene::alerted(80, 24, &["a*"], &[]);
    scene.polled("a1 1 1\n");
    scene.wait(SECOND);
    scene.to(Mode::Watch);
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("b* > 5\n");
    let said = scene.notice().to_owned();
    assert!(scene.sent.iter().any(|request| request.line == "get *"), "it is on its way");
    for _ in 0..3 {
        scene.polled("a1 1 1\nb1 9 1\nb1 1 2\n");
        assert_eq!(scene.app.alarms(), 0);
        assert!(!scene.log().iter().any(|line| line.starts_with("- alert:")), "that was before");
        scene.wait(SECOND);
    }
    assert_eq!((said.as_str(), scene.app.watch().keys().len()), ("alert on b* > 5", 2));
}

#[test]
fn an_exact_key_keeps_its_place_beside_globs() {
    let mut scene = Scene::alerted(80, 24, &["host.*"], &["zone.temp > 90"]);
    let hosts: String = (0..1200).map(|n| format!("host.{n} 1 1\n")).collect();
    scene.ok("get *", &format!("{hosts}zone.temp 99 1\n"));
    assert_eq!(scene.notice(), "alert: zone.temp > 90: zone.temp is 99");
    assert_eq!(scene.app.watch().keys().len(), 1001);
    let screen = draw(&scene, &Theme::colour(), 80, 24);
    cell_of(&screen, "the first 1,001 keys");
    assert!(find(&screen, "none for keys beyond").is_none(), "the alert is on a key");
}

#[test]
fn an_alert_on_a_glob_of_too_many_keys_says_so() {
    let mut scene = Scene::alerted(100, 24, &[], &["host.* > 90"]);
    let hosts: String = (0..1200).map(|n| format!("host.{n} 1 1\n")).collect();
    scene.ok("get *", &hosts);
    let screen = draw(&scene, &Theme::colour(), 100, 24);
    cell_of(&screen, "the first 1,000 keys · 1 alert · alerts on these alone");
}

#[test]
fn keys_of_an_alert_stand_as_those_of_the_table_do_first_those_that_fire() {
    let mut scene = Scene::alerted(100, 24, &[], &["host* > 90"]);
    scene.ok("get *", &format!("host10 1 {NOW}\nhost9 1 {NOW}\nhost2 1 {NOW}\n"));
    let keys = |scene: &Scene| {
        let keys = scene.app.watch().keys().iter().map(|key| key.key.clone());
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&scene), "host2 host9 host10");
    scene.wait(Duration::from_secs(1));
    scene.ok("get *", &format!("host10 99 {NOW}\nhost9 1 {NOW}\nhost2 1 {NOW}\n"));
    assert_eq!(keys(&scene), "host10 host2 host9");
}

#[test]
fn an_alert_takes_no_place_of_what_is_watched() {
    // The keys of the alert come first.
    let others: String = (0..1200).map(|n| format!("a.{n} 1 {NOW}\n")).collect();
    let hosts: String = (0..900).map(|n| format!("host.{n} 1 {NOW}\n")).collect();
    let all = format!("{others}{hosts}z 1 {NOW}\n");
    let count = |scene: &Scene, start: &str| {
        let keys = scene.app.watch().keys().iter();
        keys.filter(|key| key.key.starts_with(start) && key.series.is_some()).count()
    };
    let (watch, alerts) = (&["z", "host.*"], &["a.* > 5", "* > 90"]);
    let mut polled = Scene::alerted(80, 24, watch, alerts);
    polled.ok("get *", &all);
    let mut live = Scene::live(80, 24, watch, alerts);
    for asked in live.sent.iter().map(|sent| sent.line.clone()).collect::<Vec<_>>() {
        if asked.starts_with("get ") && asked.contains("[last:") {
            live.ok(&asked, if asked.contains("get z") { "z 1 5\n" } else { &all });
        }
    }
    for scene in [&polled, &live] {
        assert_eq!([count(scene, "host."), count(scene, "z")], [900, 1]);
        assert_eq!(count(scene, "a."), 1000, "alerts have as many places of their own");
        assert_eq!(scene.app.watch().keys()[0].key, "z");
    }
    // A key that a glob of an alert matches stays one of its own.
    let own = live.app.watch().shown_patterns().into_iter().map(|pattern| pattern.to_string());
    assert_eq!(own.collect::<Vec<_>>(), ["z", "host.*", "a.*", "*"]);
    // Told keys as well.
    let new: String = (0..99).map(|n| format!("host.new{n} 1 {NOW}\n")).collect();
    live.told(&new);
    assert_eq!(count(&live, "host."), 999);
}

/// Keys that both globs match were admitted by the alert, and counted as those of the other one.
#[test]
fn told_keys_of_a_watched_glob_and_an_alert_have_an_end() {
    let mut scene = Scene::live(80, 24, &["host.*"], &["host.*.cpu > 90"]);
    let hosts = |name: &str, count: usize| -> String {
        (0..count).map(|n| format!("host.{name}{n}.cpu 1 {NOW}\n")).collect()
    };
    scene.ok("get {host.*,host.*.cpu}[last:64]", &hosts("a", 2100));
    assert_eq!(scene.app.watch().keys().len(), 2000, "1,000 for each of the two");
    scene.told(&hosts("b", 30));
    assert_eq!(scene.app.watch().keys().len(), 2000);
    // What is removed gives its place back.
    scene.to(Mode::Watch);
    scene.keys("x");
    scene.told(&hosts("c", 30));
    assert_eq!(scene.app.watch().keys().len(), 2000);
}

/// The glob brings the first 1,000 keys, and the alert was left to it.
#[test]
fn a_key_of_an_alert_is_watched_whatever_globs_match_it() {
    let palms: String = (0..1200).map(|n| format!("palm.{n} 1 {NOW}\n")).collect();
    let all = format!("{palms}palm.zzz 9 {NOW}\n");
    for (watch, alerts) in
        [(&["palm.*"][..], &["palm.zzz > 5"][..]), (&[], &["palm.* > 100", "palm.zzz > 5"])]
    {
        let mut polled = Scene::alerted(80, 24, watch, alerts);
        polled.ok("get *", &all);
        let mut live = Scene::live(80, 24, watch, alerts);
        live.ok("get palm.*[last:64]", &all);
        live.ok("get palm.zzz[last:1024]", &format!("palm.zzz 9 {NOW}\n"));
        for scene in [&polled, &live] {
            assert_eq!((scene.app.watch().keys().len(), scene.app.alarms()), (1001, 1));
        }
    }
    // Nor does a saved view lose a key that is watched besides.
    let mut scene = Scene::alerted(80, 24, &["palm.*"], &[]);
    scene.ok("get *", &all);
    scene.to(Mode::Watch);
    scene.keys("Wpalm.zzz\n");
    let shown = scene.app.watch().shown_patterns().into_iter().map(|pattern| pattern.to_string());
    assert_eq!(shown.collect::<Vec<_>>(), ["palm.*", "palm.zzz"]);
}

#[test]
fn globs_are_matched_by_the_client_if_the_server_cannot() {
    let mut scene = Scene::alerted(80, 24, &["palm.*"], &[]);
    scene.ok("get *", "palm.cpu 1.0 1\nother.cpu 2.0 1\npalm.mem 3.0 1\n");
    let keys: Vec<_> = scene.app.watch().keys().iter().map(|key| key.key.clone()).collect();
    assert_eq!(keys, ["palm.cpu", "palm.mem"]);
    scene.wait(SECOND);
    assert_eq!(scene.sent.len(), 1, "one request for the table and the glob");
    scene.ok("get *", "palm.cpu 5.0 2\n");
    scene.enter("get other.cpu");
    scene.ok("get other.cpu", "");
    scene.wait(SECOND);
    scene.ok("get *", "palm.cpu 6.0 3\n");
    let last = scene.app.watch().keys()[0].series.as_ref().map(|series| series.last.value);
    assert_eq!(last, Some(6.0));
}

#[test]
fn a_server_with_selectors_gets_one_request_for_all_watched_keys() {
    let mut scene = Scene::live(80, 24, &["a", "b.c", "d.*", "e*"], &[]);
    assert_eq!(scene.followed.as_ref().unwrap().1, "{a,b.c,d.*,e*,mark.*}[+]");
    scene.told(&format!("a 4.0 {NOW}\n"));
    scene.ok("get {a,b.c}[last:1024]", &format!("a 1.0 {0}\nb.c 5.0 {0}\n", NOW - 1));
    scene.ok("get {d.*,e*}[last:64]", "");
    let values: Vec<_> = scene
        .app
        .watch()
        .keys()
        .iter()
        .map(|key| key.series.as_ref().unwrap().last.value)
        .collect();
    assert_eq!(values, [4.0, 5.0]);
    assert!(scene.app.table().answer().series.is_empty(), "no other key is asked for");
    let count = format!("get {{a,b.c,d.*,e*}}[-15m:{}:all:count]", NOW - 6);
    scene.ok(&count, &format!("a 9000.0 {}\n", NOW - 900));
    let series = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!(series.count(), Some(9002), "without the newest points, which are known");
}

/// The minimum, maximum and mean of the first watched key.
fn numbers(scene: &Scene) -> [Option<f64>; 3] {
    let series = scene.app.watch().keys()[0].series.as_ref().unwrap();
    [series.min(), series.max(), series.mean()]
}

/// Answers what is asked for the numbers of the list, as if all were these.
fn answer_numbers(scene: &mut Scene, window: &str, value: f64) -> usize {
    let of_window = format!("get a[{window}");
    let is_number = |line: &str| line.starts_with(&of_window) && line.contains(":all:");
    let mut count = 0;
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let is_number = is_number(&line);
        let answer = if is_number { format!("a {value:?} {}\n", NOW - 60) } else { String::new() };
        scene.ok(&line, &answer);
        count += usize::from(is_number);
    }
    count
}

#[test]
fn the_numbers_of_the_list_are_those_of_the_window_of_the_table() {
    let size = (200, 50);
    let mut scene = Scene::live(size.0, size.1, &["a"], &[]);
    let title =
        |scene: &Scene, of: &str| places(scene, size, &[&format!("watch a · min of {of} ")])[0];
    // One point of years ago does not count.
    let recent = format!("a -77.0 {}\na 5.0 {NOW}\n", NOW - 631_152_000);
    scene.ok("get a[last:1024]", &recent);
    assert_eq!(answer_numbers(&mut scene, "-15m:", 4.0), 4);
    assert_eq!(numbers(&scene)[..2], [Some(4.0), Some(5.0)]);
    assert!(title(&scene, "the last 15m"));
    scene.wait(31 * SECOND);
    assert_eq!(answer_numbers(&mut scene, "-15m:", 4.5), 4, "the window has moved on");
    assert_eq!(numbers(&scene)[..2], [Some(4.5), Some(5.0)]);
    scene.to(Mode::Table);
    scene.keys("T");
    assert_eq!(answer_numbers(&mut scene, "-1m:", 4.75), 4);
    assert!(title(&scene, "the last 1m"));
    scene.keys("ttttt");
    assert!(answer_numbers(&mut scene, ":", -78.0) >= 4);
    assert_eq!(numbers(&scene)[0], Some(-78.0));
    assert!(title(&scene, "all time"));
    // A key whose last point is before the window has none.
    let mut scene = Scene::live(size.0, size.1, &["a"], &[]);
    scene.ok("get a[last:1024]", "a -77.0 1\n");
    assert!(!title(&scene, "the last 15m"), "not before they are known");
    answer_numbers(&mut scene, "none", 0.0);
    assert_eq!(numbers(&scene), [None; 3]);
    assert!(title(&scene, "the last 15m"));
}

#[test]
fn a_long_key_leaves_the_watch_columns_visible() {
    let long = format!("z{}", "0123456789".repeat(20));
    let words = ["  ▲ ", "+1", "s ago", "min 1", "max 2", "avg 1.5"];
    let shown = |key: &str, size: (u16, u16)| {
        let scene = Scene::connected(size.0, size.1, &[key]).then(|scene| {
            scene.ok(&format!("get {key}"), &format!("{key} 1 {}\n{key} 2 {NOW}\n", NOW - 1));
            scene.to(Mode::Watch);
        });
        assert!(places(&scene, size, &[&key[..1]])[0]);
        places(&scene, size, &words)
    };
    for size in [(40, 10), (80, 24), (120, 30), (200, 60)] {
        let usual = shown("z", size);
        assert_eq!(shown(&long, size), usual, "{size:?}");
        assert!(usual[0] && usual[2], "{size:?}");
    }
}

#[test]
fn the_watch_pane_has_the_focus_at_the_start() {
    assert_eq!(Scene::connected(80, 24, &[]).app.mode(), Mode::Prompt);
    assert_eq!(Scene::alerted(80, 24, &[], &["a > 5"]).app.mode(), Mode::Watch);
    for key in ['i', ':'] {
        let mut scene = Scene::connected(80, 24, &["a.b"]);
        scene.press(KeyPress::char(key));
        assert_eq!((scene.app.mode(), scene.app.input().prompt.text()), (Mode::Prompt, ""));
        scene.to(Mode::Watch);
        scene.keys("f");
        scene.press(KeyPress::char(key));
        assert_eq!(scene.app.mode(), Mode::Prompt, "from the full-screen chart, too");
    }
}

#[test]
fn a_watched_key_shows_value_change_and_freshness() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    scene.ok("get *", "");
    scene.ok("get a.b", "a.b 1.0 1\n");
    scene.wait(SECOND);
    assert_eq!(scene.sent.len(), 1, "there is no table in sight");
    scene.ok("get a.b", "a.b 1.0 1\na.b 3.5 2\n");
    let watched = scene.app.watch().selected_key().unwrap();
    assert_eq!(watched.series.as_ref().unwrap().change(), Some(2.5));
    assert!(watched.is_fresh(scene.now.elapsed));
    assert!(!watched.is_fresh(scene.now.elapsed + 3 * SECOND));
}

#[test]
fn a_replaced_older_point_does_not_mark_the_value_as_changed() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    scene.ok("get *", "");
    scene.ok("get a.b", "a.b 1.0 1\na.b 2.0 2\na.b 3.0 3\n");
    let mut next = |data: &str| {
        scene.wait(3 * SECOND);
        scene.polled(data);
        let watched = scene.app.watch().selected_key().unwrap();
        let series = watched.series.as_ref().unwrap();
        let values: Vec<f64> = series.recent().iter().map(|point| point.value).collect();
        (values, series.max().unwrap(), watched.is_fresh(scene.now.elapsed))
    };
    let replaced = next("a.b 1.0 1\na.b 9.0 2\na.b 3.0 3\n");
    assert_eq!(replaced, (vec![1.0, 9.0, 3.0], 9.0, false));
    let expired = next("a.b 9.0 2\na.b 3.0 3\n");
    assert_eq!(expired, (vec![9.0, 3.0], 9.0, false), "no point came");
    let late = next("a.b 5.0 1\na.b 9.0 2\na.b 3.0 3\n");
    assert_eq!(late, (vec![5.0, 9.0, 3.0], 9.0, true), "one came, though an old one");
    let newest = next("a.b 5.0 1\na.b 9.0 2\na.b 4.0 3\n");
    assert_eq!(newest, (vec![5.0, 9.0, 4.0], 9.0, true));
}

#[test]
fn a_key_of_the_table_can_be_watched_and_unwatched() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", &sample());
    scene.code(KeyCode::Tab);
    scene.code(KeyCode::Down);
    scene.code(KeyCode::Enter);
    assert_eq!((scene.app.mode(), scene.notice()), (Mode::Watch, ""), "the title says it");
    scene.polled(&sample());
    assert_eq!(
        scene.app.watch().selected_key().unwrap().series.as_ref().unwrap().count(),
        Some(120)
    );
    scene.press(KeyPress::char('x'));
    assert!(scene.app.watch().is_empty());
    assert_eq!(scene.app.mode(), Mode::Table);
}

#[test]
fn one_key_has_no_others_to_chart() {
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
    scene.to(Mode::Watch);
    let before = format!("{:?}", scene.app.watch().keys());
    scene.keys("M");
    assert_eq!(scene.notice(), "palm.cpu alone is watched; W watches another key, too");
    assert_eq!(format!("{:?}", scene.app.watch().keys()), before);
    scene.keys("Weardrum.memory_used\nM");
    assert_eq!((scene.notice(), scene.app.watch().charted().count()), ("", 2));
    let mut scene = Scene::connected(80, 24, &["no.*"]);
    scene.polled("");
    scene.to(Mode::Watch);
    scene.keys("M");
    assert_eq!(scene.notice(), "no key is watched yet; W watches one");
}

#[test]
fn a_title_without_room_for_its_name_begins_with_what_is_said_besides() {
    let alerts = ["palm.cpu > 1", "eardrum.cpu > 1"];
    let scene = Scene::parked(40, 10, &["*"], &alerts).on(Mode::Watch, "M");
    let drawn = draw(&scene, &Theme::colour(), 40, 10).to_string();
    assert!(drawn.contains("╭ 2 alerts, 2 keys firing · 6 of 8 in …╮"), "{drawn}");
}

#[test]
fn the_first_key_of_a_glob_that_is_watched_by_hand_is_selected() {
    let mut scene = Scene::live(120, 40, &["z"], &[]);
    let points = format!("a.x 1.0 {NOW}\na.y 2.0 {NOW}\nz 3.0 {NOW}\n");
    scene.ok("get *[last]", &points);
    scene.ok("get z[last:1024]", &format!("z 3.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("Wa.*\n");
    let selected = |scene: &Scene| scene.app.watch().selected_key().map(|key| key.key.clone());
    assert_eq!(selected(&scene).as_deref(), Some("z"), "no other key is known yet");
    scene.ok("get a.*[last:64]", &format!("a.x 1.0 {NOW}\na.y 2.0 {NOW}\n"));
    assert_eq!(selected(&scene).as_deref(), Some("a.x"));
    // A selection by hand meanwhile stays.
    scene.keys("Wb.*\n");
    scene.code(KeyCode::Down);
    let by_hand = selected(&scene);
    scene.told(&format!("b.x 1.0 {NOW}\n"));
    assert_eq!(selected(&scene), by_hand);
}

/// Marks a second or a minute apart: each name stands behind its own line, on a row of its own.
#[test]
fn the_names_of_marks_close_together_read_right() {
    let mut scene = Scene::live(120, 40, &["a"], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\n"));
    let points: String = (0..16).map(|n| format!("a 1.0 {}\n", NOW - 900 + 60 * n)).collect();
    scene.ok("get a[last:1024]", &points);
    let at = NOW - 450;
    scene.told(&format!("mark.deploy 1 {at}\nmark.spike 1 {}\nmark.end 1 {NOW}\n", at + 8));
    let screen = draw(&scene, &scene.theme, 120, 40).to_string();
    for shown in ["┊ spike", "┊ deploy", "end┊"] {
        assert!(screen.contains(shown), "{shown}\n{screen}");
    }
    assert!(!screen.contains("deploy┊") && !screen.contains("┊┊ deploy"), "{screen}");
}
