//! Alerts of the screen: set, fired, resolved.

mod of_all;
mod said;

use std::time::Duration;

use shared::response::Status;
use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{cell_of, draw, find};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_alert_rings_once_and_resolves() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5"]);
    scene.ok("get *", "");
    scene.ok("get a", "a 5.0 1\n");
    scene.wait(SECOND);
    let ring = |scene: &mut Scene, data: &str| {
        let request = scene.sent.remove(0);
        let status = shared::response::Status::Ok;
        let mut builder = tui_client::metrics::reply::ReplyBuilder::new(status, request.capture)
            .watching(request.watched);
        builder.add_lines(data.as_bytes());
        let took = Duration::from_millis(1);
        let reply = builder.finish(request.id, took, took);
        let effects = scene.tell(Event::Reply(Box::new(reply)));
        scene.wait(SECOND);
        effects.contains(&Effect::Terminal(TerminalOrder::Bell))
    };
    assert!(ring(&mut scene, "a 6.0 2\n"));
    assert!(!ring(&mut scene, "a 7.0 3\n"), "once");
    assert!(!ring(&mut scene, "a 1.0 4\n"));
    assert!(scene.log().contains(&"- resolved: a > 5: a is 1".to_owned()));
    assert!(ring(&mut scene, "a 9.0 5\n"));
}

/// The next reply for `a`; says whether the bell rang, and what the log says of alerts since then.
fn ring(scene: &mut Scene, data: &str) -> (bool, Vec<String>) {
    let before = scene.log();
    scene.wait(SECOND);
    let line = scene.sent[0].line.clone();
    let data = if line == "get a" && !data.starts_with("a ") { "" } else { data };
    let bell =
        scene.answer(&line, Status::Ok, data).contains(&Effect::Terminal(TerminalOrder::Bell));
    let news = scene.log().into_iter().filter(|line| line.starts_with('-'));
    (bell, news.filter(|line| !before.contains(line)).collect())
}

#[test]
fn a_second_alert_on_a_key_is_reported_too() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5", "a > 8"]);
    scene.ok("get *", "");
    scene.ok("get a", "a 6.0 1\n");
    assert_eq!(scene.notice(), "alert: a > 5: a is 6");
    let told = |text: &str| vec![format!("- {text}")];
    assert_eq!(ring(&mut scene, "a 9.0 2\n"), (true, told("alert: a > 8: a is 9")));
    assert_eq!(ring(&mut scene, "a 9.0 3\n"), (false, vec![]), "once");
    assert_eq!(ring(&mut scene, "a 7.0 4\n"), (false, told("resolved: a > 8: a is 7")));
    assert_eq!(scene.app.alarms(), 1, "the first one still fires");
    scene.to(Mode::Watch);
    scene.keys("xWa\n");
    scene.polled("a 7.0 4\n");
    assert_eq!(scene.notice(), "alert: a > 5: a is 7", "it is watched anew");
}

#[test]
fn a_point_between_two_polls_rings_too() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5"]);
    scene.ok("get *", "a 6.0 1\na 1.0 2\n");
    scene.ok("get a", "a 6.0 1\na 1.0 2\n");
    assert_eq!(scene.notice(), "", "what was before is over");
    let (rang, told) = ring(&mut scene, "a 6.0 1\na 1.0 2\na 7.0 3\na 2.0 4\n");
    assert!(rang && told[0].starts_with("- alert: a > 5: a was 7 (age "), "{told:?}");
    assert_eq!(told[1..], ["- resolved: a > 5: a is 2"]);
    assert!(scene.notice().starts_with("alert: a > 5: a was 7"), "{}", scene.notice());
    assert_eq!(scene.app.alarms(), 0);
}

#[test]
fn alerts_evaluate_all_points_of_a_new_key_but_not_the_past_of_one_watched_later() {
    let mut scene = Scene::alerted(80, 24, &[], &["new.* > 5"]);
    let alerts = |scene: &mut Scene, data: &str| -> Vec<String> {
        let before = scene.log().len();
        scene.wait(SECOND);
        scene.polled(data);
        let news = scene.log().split_off(before);
        let told = news.iter().filter_map(|line| line.strip_prefix("- alert: "));
        told.map(|line| line.split(" (").next().unwrap().to_owned()).collect()
    };
    let old = "old.a 9 1\nold.a 1 2\n";
    assert_eq!(alerts(&mut scene, old), [""; 0]);
    let all = format!("{old}new.a 9 1\nnew.a 1 2\n");
    assert_eq!(alerts(&mut scene, &all), ["new.* > 5: new.a was 9"]);
    scene.to(Mode::Watch);
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("old.* > 5\n");
    assert_eq!(alerts(&mut scene, &all), [""; 0], "that was before");
    assert_eq!(alerts(&mut scene, &all), [""; 0]);
    let more = format!("{all}old.b 9 1\nold.b 1 2\n");
    assert_eq!(alerts(&mut scene, &more), ["old.* > 5: old.b was 9"], "that is new");
    scene.code(KeyCode::Home);
    scene.keys("xW");
    scene.keys("*\n");
    for _ in 0..3 {
        assert_eq!(alerts(&mut scene, &more), [""; 0], "nor what is watched again");
    }
    assert_eq!(scene.app.watch().keys().len(), 3);
}

#[test]
fn an_alert_ends_with_the_last_point_of_its_key() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5"]);
    scene.ok("get *", "");
    scene.ok("get a", "a 6.0 1\n");
    assert_eq!(scene.app.alarms(), 1);
    let told = "- no data: a > 5: a has no points any more".to_owned();
    assert_eq!(ring(&mut scene, "b 1.0 1\n"), (false, vec![told]));
    assert_eq!(scene.app.alarms(), 0);
    cell_of(&draw(&scene, &Theme::colour(), 80, 24), "no points any more");
    assert!(ring(&mut scene, "a 6.0 9\n").0, "a new alarm");
}

#[test]
fn an_alert_on_a_glob_watches_its_keys() {
    let mut scene = Scene::alerted(80, 24, &["a.temp"], &[]);
    scene.ok("get *", "");
    scene.ok("get a.temp", "a.temp 1 1\n");
    scene.to(Mode::Watch);
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("*.temp > 2\n");
    assert_eq!(scene.notice(), "alert on *.temp > 2");
    scene.wait(SECOND);
    scene.ok("get *", "a.temp 1 1\nb.temp 99 1\n");
    assert_eq!(scene.notice(), "alert: *.temp > 2: b.temp is 99");
}

#[test]
fn an_alert_can_be_set_and_dropped_by_hand() {
    let mut scene = Scene::parked(120, 30, &[], &[]);
    scene.to(Mode::Table);
    scene.keys("!");
    assert_eq!(scene.input().text(), "palm.cpu > ");
    scene.keys("5");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.alerts().alerts().len(), 1);
    scene.wait(SECOND);
    scene.answer_all();
    assert_eq!(scene.app.alarms(), 1);
    scene.to(Mode::Watch);
    scene.keys("D");
    assert_eq!((scene.app.alerts().alerts().len(), scene.app.alarms()), (0, 0));
}

/// It is gone for all its keys.
#[test]
fn a_dropped_alert_is_named() {
    let mut scene = Scene::alerted(120, 30, &["a.temp"], &["*.temp > 2", "a.* > 8"]);
    scene.ok("get *", "a.temp 1 1\nb.temp 1 1\n");
    scene.to(Mode::Watch);
    scene.keys("D");
    assert_eq!(
        scene.notice(),
        "2 alerts dropped: *.temp > 2 (on *.temp, 2 keys), a.* > 8 (on a.*, 1 key); D again \
         brings them back"
    );
    scene.keys("jD");
    assert_eq!(
        scene.notice(),
        "2 alerts are back: *.temp > 2, a.* > 8",
        "one of them is on this key"
    );
    let alerts: Vec<_> = scene.app.alerts().alerts().map(ToString::to_string).collect();
    assert_eq!(alerts, ["*.temp > 2", "a.* > 8"]);
    scene.keys("DkD");
    assert_eq!(
        scene.notice(),
        "alert dropped: a.* > 8 (on a.*, 1 key); D again brings it back",
        "b.temp has had the other one alone"
    );
    scene.keys("jD");
    assert_eq!(scene.notice(), "no alert on b.temp", "those that were dropped last come back");
}

#[test]
fn a_pasted_alert_replaces_an_unfinished_one() {
    let field = |keys: &str, pasted: &str| {
        let mut scene = Scene::parked(120, 30, &[], &[]).on(Mode::Table, keys);
        scene.tell(Event::Paste(pasted.to_owned()));
        scene.input().text().to_owned()
    };
    assert_eq!(field("!", "palm.load1 > 0.1\n"), "palm.load1 > 0.1");
    assert_eq!(field("!", "0.1"), "palm.cpu > 0.1");
    assert_eq!(field("/", "last > 0.1"), "last > 0.1");
}

#[test]
fn an_age_alert_fires_while_disconnected() {
    let mut scene = Scene::alerted(80, 24, &["a"], &["a age > 5s"]);
    scene.polled(&format!("a 1.0 {NOW}\n"));
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    scene.wait(4 * SECOND);
    assert_eq!(scene.app.alarms(), 0);
    scene.wait(2 * SECOND);
    assert_eq!(scene.app.alarms(), 1);
    assert_eq!(scene.notice(), "alert: a age > 5s: the age of a is 6s");
}

/// A live scene with keys that are watched by a glob, for two of which an alert fires.
fn firing() -> Scene {
    let mut scene = Scene::live(120, 30, &["x"], &["*.cpu > 90"]);
    let state =
        format!("x 1 {NOW}\na.cpu 1 {NOW}\nb.cpu 95 {NOW}\nc.cpu 1 {NOW}\nd.cpu 99 {NOW}\n");
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, if line.contains(":all:") { "" } else { &state });
    }
    scene
}

#[test]
fn one_key_leads_to_each_key_whose_alert_fires() {
    let mut scene = firing();
    scene.to(Mode::Table);
    let mut seen = Vec::new();
    for _ in 0..3 {
        scene.keys("A");
        assert_eq!(scene.app.mode(), Mode::Watch);
        seen.push(scene.app.watch().selected_key().unwrap().key.clone());
    }
    assert_eq!(seen, ["b.cpu", "d.cpu", "b.cpu"]);
    scene.told(&format!("b.cpu 1 {}\nd.cpu 1 {}\n", NOW + 1, NOW + 1));
    scene.keys("A");
    assert_eq!(scene.notice(), "no alert fires");
}

#[test]
fn what_goes_on_after_a_key_of_a_glob_is_left_is_said() {
    let mut scene = firing();
    scene.to(Mode::Watch);
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    cell_of(&screen, "!b.cpu");
    scene.keys("Ax");
    let said = "no longer watching b.cpu; other keys of *.cpu are; *.cpu > 90 no longer counts for \
                it, W b.cpu brings both back";
    assert_eq!(scene.notice(), said);
    scene.told(&format!("b.cpu 99 {}\n", NOW + 1));
    assert!(!scene.app.watch().has("b.cpu"));
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert!(find(&screen, "!b.cpu").is_none(), "the row has no mark of an alert");
    scene.keys("Wb.cpu\n");
    assert!(scene.app.watch().has("b.cpu"), "as was said");
    scene.keys("D");
    assert_eq!(
        scene.notice(),
        "alert dropped: *.cpu > 90 (on *.cpu, 4 keys); D again brings it back"
    );
}

/// A live scene with a key, whose server has answered whatever was asked.
fn with_key(key: &str) -> Scene {
    let mut scene = Scene::live(120, 30, &[], &[]);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let data = format!("{key} 1 {NOW}\n");
        scene.ok(&line, if line == "get *[last]" { &data } else { "" });
    }
    scene.to(Mode::Table);
    scene
}

#[test]
fn a_condition_without_a_key_is_no_alert_on_a_key_of_its_name() {
    for condition in ["> 5", "rate > 5", "last>5", "AGE > 1m"] {
        let mut scene = with_key("palm.cpu");
        scene.keys("!");
        scene.press(KeyPress::ctrl('u'));
        scene.keys(&format!("{condition}\n"));
        let said =
            format!("at character 1: a key is missing before this, as in palm.cpu {condition}");
        assert_eq!(scene.notice(), said);
        assert_eq!(scene.app.alerts().alerts().len(), 0);
    }
    let mut scene = with_key("palm.cpu");
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("\"rate\" > 5\n");
    assert_eq!(scene.app.alerts().alerts().len(), 1, "in quotes it is a key");
}

#[test]
fn an_alert_on_a_key_that_is_not_there_yet_is_taken_and_that_is_said() {
    for (alert, said) in [
        ("palm.cpu > 5", "alert on palm.cpu > 5"),
        ("plam.cpu > 5", "alert on plam.cpu > 5; no key is called plam.cpu yet"),
        ("*.tmp > 5", "alert on *.tmp > 5; no key matches *.tmp yet"),
    ] {
        let mut scene = with_key("palm.cpu");
        scene.keys("!");
        scene.press(KeyPress::ctrl('u'));
        scene.keys(&format!("{alert}\n"));
        scene.wait(Duration::from_millis(10));
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            let data = format!("palm.cpu 1 {NOW}\n");
            let is_known = line.contains("palm") || line == "get *[last]";
            scene.ok(&line, if is_known && !line.contains(":all:") { &data } else { "" });
        }
        assert_eq!(scene.notice(), said);
        assert_eq!(scene.app.alerts().alerts().len(), 1);
    }
}

#[test]
fn what_is_said_of_several_alerts_on_a_key_names_no_single_one() {
    let alerts = ["a > 90", "a > 99", "b > 90"];
    let mut scene = Scene::live(120, 30, &["a", "b", "c"], &alerts);
    scene.ok("get {a,b,c}[last:1024]", &format!("a 1 {NOW}\nb 1 {NOW}\nc 1 {NOW}\n"));
    scene.to(Mode::Watch);
    scene.code(KeyCode::Home);
    scene.keys("x");
    assert_eq!(
        scene.notice(),
        "no longer watching a; nor do 2 alerts count for it any more, W a brings all back"
    );
    scene.keys("x");
    let said = "no longer watching b; b > 90 no longer counts for it, W b brings both back";
    assert_eq!(scene.notice(), said);
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert!(
        find(&screen, " watch c ").is_some() && find(&screen, "alerts").is_none(),
        "c has none"
    );
}

#[test]
fn alerts_that_are_back_are_said_though_one_fires_at_once() {
    let mut scene = Scene::live(120, 30, &["a"], &["a > 5"]);
    scene.ok("get a[last:1024]", &format!("a 9 {NOW}\n"));
    scene.to(Mode::Watch);
    scene.keys("DD");
    assert_eq!(scene.notice(), "1 alert is back: a > 5");
    assert!(scene.app.alerts().fires("a") && scene.log().last().unwrap().contains("a is 9"));
}

#[test]
fn that_the_selected_key_alone_fires_is_said() {
    for (b, selected, said) in [(1, "a", true), (8, "b", false)] {
        let mut scene = Scene::live(120, 30, &["a", "b"], &["a > 5", "b > 5"]);
        scene.ok("get {a,b}[last:1024]", &format!("a 9 {NOW}\nb {b} {NOW}\n"));
        scene.keys("A");
        let is_said = scene.notice() == "no alert fires but for a, which is selected";
        assert_eq!(scene.app.watch().selected_key().unwrap().key, selected);
        assert_eq!(is_said, said, "{}", scene.notice());
    }
}

#[test]
fn that_only_the_first_keys_are_judged_is_said_once() {
    let mut scene = Scene::live(120, 30, &[], &["key* > 990"]);
    let keys: String = (0..1002).map(|n| format!("key{n} 1 {NOW}\n")).collect();
    scene.ok("get key*[last:64]", &keys);
    scene.ok("get *[last]", &keys);
    let said = "only the first 1,000 of 1,002 keys are judged: set alerts on narrower globs";
    scene.tell(Event::Tick);
    assert_eq!(scene.notice(), said);
    let count = |scene: &Scene| scene.log().iter().filter(|line| line.contains(said)).count();
    assert_eq!(count(&scene), 1);
    scene.wait(SECOND);
    scene.tell(Event::Tick);
    assert_eq!(count(&scene), 1, "once");
    scene.to(Mode::Table);
    scene.keys("!");
    scene.press(KeyPress::ctrl('u'));
    scene.keys("key* > 5\n");
    assert_eq!((scene.notice(), count(&scene)), (said, 2), "for each that is set");
}

#[test]
fn keys_of_an_alert_stand_below_what_is_watched_the_firing_ones_first() {
    let mut scene = Scene::live(120, 40, &["z", "b.*"], &["*.c > 5"]);
    let points =
        format!("a.c 1.0 {NOW}\nb.c 1.0 {NOW}\nc.c 1.0 {NOW}\nd.c 9.0 {NOW}\nz 3.0 {NOW}\n");
    scene.ok("get *[last]", &points);
    let asked: Vec<_> = scene.sent.iter().map(|sent| sent.line.clone()).collect();
    for line in asked.iter().filter(|line| line.contains("[last:")) {
        let all = points.split_inclusive('\n');
        let data: String = match line {
            line if line.contains("get z") => all.filter(|point| point.starts_with('z')).collect(),
            _ => all.filter(|point| !point.starts_with('z')).collect(),
        };
        scene.ok(line, &data);
    }
    let keys = |scene: &Scene| {
        let keys = scene.app.watch().keys().iter().map(|key| key.key.clone());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&scene), ["z", "b.c", "d.c", "a.c", "c.c"]);
    assert_eq!(scene.app.watch().selected_key().unwrap().key, "z");
    scene.told(&format!("c.c 8.0 {0}\nd.c 1.0 {0}\n", NOW + 1));
    assert_eq!(keys(&scene), ["z", "b.c", "c.c", "a.c", "d.c"]);
    // One that is watched by hand as well is none of an alert alone.
    scene.to(Mode::Table);
    scene.keys("W*.c\n");
    scene.told(&format!("d.c 9.0 {}\n", NOW + 2));
    assert_eq!(keys(&scene), ["z", "b.c", "c.c", "a.c", "d.c"], "no row jumps");
}

/// The dot of a stale row stands before its age where the mark of its alert has its place.
#[test]
fn a_row_that_fires_and_is_stale_says_both() {
    let mut scene = Scene::live(160, 40, &["a"], &["a > 5"]);
    let points: String = (6..16).map(|n| format!("a 9.0 {}\n", NOW - 10 * n)).collect();
    scene.ok("get *[last]", &format!("a 9.0 {}\nb 1.0 {NOW}\n", NOW - 60));
    scene.ok("get a[last:1024]", &points);
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        let is_course = line.starts_with("get {a,b}[last") || line.starts_with("get a[");
        scene.ok(&line, if is_course { &points } else { "" });
    }
    let screen = draw(&scene, &scene.theme, 160, 40).to_string();
    let row = screen.lines().find(|line| line.contains("│!a ")).unwrap();
    assert!(row.contains(" ·1m ") && screen.contains(" ·1m ago "), "{screen}");
}
