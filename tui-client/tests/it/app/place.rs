//! One place in time over table, chart and log.

mod alerts;
mod comparison;
mod later_news;
mod polled;

use std::time::Duration;

use shared::response::Status;
use tui_client::event::{Event, KeyCode};
use tui_client::keymap::Mode;
use tui_client::text::time;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::series_server::month;
use crate::harness::snapshot::draw;

/// Connected to a server with selectors, on which `a` and `b` have points, and `a` is watched.
fn scene() -> Scene {
    let mut scene = Scene::live(240, 40, &["a"], &[]);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    scene.ok("get a[last:1024]", &format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 900));
    scene.to(Mode::Table);
    scene
}

/// The newest values of the rows, in their order.
fn rows(scene: &Scene) -> Vec<(String, f64)> {
    let rows = scene.app.table().visible(100);
    rows.map(|series| (series.key.to_string(), series.last.value)).collect()
}

fn row(key: &str, value: f64) -> (String, f64) {
    (key.to_owned(), value)
}

/// What was asked for to know how things stood.
fn asked(scene: &Scene) -> Vec<String> {
    let lines = scene.sent.iter().map(|sent| sent.line.clone());
    lines.filter(|line| line.starts_with("get *[last@")).collect()
}

fn screen(scene: &Scene) -> String {
    draw(scene, &scene.theme, 240, 40).to_string()
}

#[test]
fn a_typed_time_shows_how_things_stood_and_0_what_is_live() {
    let mut scene = scene();
    scene.keys("@-10m\n");
    let at = NOW - 600;
    assert_eq!(asked(&scene), [format!("get *[last@{at}]")]);
    assert_eq!(rows(&scene), [row("a", 4.0), row("b", 5.0)], "until the answer has come");
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1.0 {at}\n"));
    assert_eq!(rows(&scene), [row("a", 1.0)]);
    assert_eq!(scene.app.watch().viewport().cursor(), Some(at));
    let text = screen(&scene);
    assert!(text.contains("as of 2006-06-21 04:21:00, 15m before"), "{text}");
    assert!(text.contains("at 2006-06-21 04:21:00, 10m ago"), "{text}");
    let watched = text.lines().find(|line| line.contains("││  a ")).unwrap();
    let watched = watched.rsplit("││").next().unwrap();
    assert!(watched.contains("  a                 1 ") && watched.contains(" 0s ago"), "{watched}");
    // Nothing is missed meanwhile.
    scene.told(&format!("b 7.0 {}\n", NOW + 1));
    assert_eq!(rows(&scene), [row("a", 1.0)]);
    scene.keys("0");
    assert_eq!(rows(&scene), [row("a", 4.0), row("b", 7.0)]);
    assert_eq!(scene.app.watch().viewport().cursor(), None);
    assert!(!screen(&scene).contains("ago ·"));
}

#[test]
fn the_watched_keys_have_no_label_without_a_number_and_say_their_time() {
    let mut scene = scene();
    let watched = |scene: &Scene| {
        let text = screen(scene);
        text.lines()
            .map(|line| line.chars().skip(121).collect::<String>() + "\n")
            .collect::<String>()
    };
    assert!(watched(&scene).contains(" min "), "live: {}", watched(&scene));
    scene.keys("@-10m\n");
    let at = NOW - 600;
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1.0 {at}\n"));
    let then = watched(&scene);
    assert!(then.contains(" watch a · as of 2006-06-21 04:21:00 "), "{then}");
    for label in [" min ", " max ", " avg ", "min, max"] {
        assert!(!then.contains(label), "{label}: {then}");
    }
    scene.keys("0");
    assert!(watched(&scene).contains(" min ") && !watched(&scene).contains("as of"));
}

#[test]
fn the_cursor_of_the_chart_takes_table_and_log_along() {
    let server = month();
    let mut scene = Scene::live(240, 40, &["a"], &[]);
    server.serve(&mut scene);
    scene.to(Mode::Watch);
    let cursor = |scene: &Scene| scene.app.watch().viewport().cursor().unwrap();
    scene.code(KeyCode::Left);
    server.serve(&mut scene);
    let newest = cursor(&scene);
    assert_eq!(rows(&scene), [row("a", server.points[&newest])]);
    assert!(!scene.app.log().follows());
    // One request at a time, whatever the steps.
    for _ in 0..5 {
        scene.code(KeyCode::Left);
    }
    let first_step = newest - 60;
    assert_eq!(asked(&scene), [format!("get *[last@{first_step}]")]);
    let (asked, _) = server.serve(&mut scene);
    let at = cursor(&scene);
    let last_step = format!("get *[last@{at}]");
    assert_eq!((at, asked.contains(&last_step)), (newest - 300, true), "{asked:?}");
    assert_eq!(rows(&scene), [row("a", server.points[&at])]);
    // The numbers are of the time before it.
    let (from, until) = (at - 900, at);
    assert!(asked.iter().any(|line| line.contains(&format!("[{from}:{until}:"))), "{asked:?}");
    scene.code(KeyCode::Esc);
    assert_eq!(rows(&scene), [row("a", server.points[&NOW])], "without the cursor it is live");
    assert!(scene.app.log().follows());
}

#[test]
fn the_chart_does_not_wait_for_the_table() {
    let server = month();
    let mut scene = Scene::live(240, 40, &["a"], &[]);
    server.serve(&mut scene);
    scene.to(Mode::Table);
    scene.keys("@-20d\n");
    let sent: Vec<_> = scene.sent.iter().map(|sent| sent.line.as_str()).collect();
    let table = sent.iter().position(|line| line.starts_with("get *[last@"));
    let of_chart = sent.iter().position(|line| line.starts_with("get a["));
    assert!(of_chart.is_some() && of_chart < table, "{sent:?}");
    server.serve(&mut scene);
    assert_eq!(rows(&scene), [row("a", server.points[&(NOW - 20 * 86_400)])]);
}

#[test]
fn a_frame_waits_for_the_numbers_of_then() {
    let mut scene = scene();
    scene.keys("@-10m\n");
    let at = NOW - 600;
    assert!(!scene.app.is_completing(), "the table is that of now until the answer has come");
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1.0 {at}\nb 2.0 {at}\n"));
    assert!(scene.app.is_completing());
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        scene.ok(&line, "");
    }
    assert!(!scene.app.is_completing());
}

#[test]
fn filter_and_order_of_the_past_stay() {
    let mut scene = scene();
    scene.keys("@-10m\n");
    let at = NOW - 600;
    scene.ok(&format!("get *[last@{at}]"), &format!("a 1.0 {at}\nb 2.0 {at}\n"));
    scene.keys("/b\n");
    assert_eq!(rows(&scene), [row("b", 2.0)]);
    scene.keys("0");
    assert_eq!(rows(&scene), [row("b", 5.0)]);
}

#[test]
fn a_time_ahead_or_none_at_all_moves_nothing() {
    let mut scene = scene();
    scene.keys(&format!("@{}\n", NOW + 60));
    assert_eq!(scene.notice(), "2006-06-21 04:32:00 is still to come");
    scene.keys("@someday\n");
    assert!(scene.notice().contains("yesterday 9:00"), "{}", scene.notice());
    scene.code(KeyCode::Esc);
    scene.keys("@\n");
    assert_eq!((asked(&scene), scene.app.place().at()), (Vec::new(), None));
    scene.keys("0");
    assert_eq!(scene.notice(), "this is live; @ goes to a time");
}

#[test]
fn a_time_may_be_typed_in_the_command_line() {
    let mut scene = scene();
    scene.to(Mode::Prompt);
    scene.keys("@04:26\n");
    assert_eq!(asked(&scene), [format!("get *[last@{}]", NOW - 300)]);
    assert_eq!(scene.app.input().prompt.text(), "");
    assert!(scene.notice().starts_with("0 and Enter"), "{}", scene.notice());
    scene.keys("0\n");
    assert_eq!((scene.app.place().at(), scene.app.input().prompt.text()), (None, ""));
    scene.keys("@never\n");
    assert_eq!(scene.app.input().prompt.text(), "@never", "to be corrected");
}

#[test]
fn a_server_without_selectors_says_so() {
    let mut scene = Scene::with_sample(120, 40, &[]);
    scene.to(Mode::Table);
    scene.keys("@-10m\n");
    assert_eq!(scene.notice(), "this server can't say how things stood: the table is of now");
}

#[test]
fn a_mark_is_a_point_at_the_place_in_time() {
    let mut scene = scene();
    scene.keys("mdeploy\n");
    let line = format!("put mark.deploy 1 {NOW}");
    assert!(scene.sent.iter().any(|request| request.line == line), "{:?}", scene.sent);
    scene.ok(&line, "");
    assert_eq!(scene.notice(), "marked deploy at 04:31:00");
    scene.keys("@-10m\nm");
    assert!(screen(&scene).contains(" mark at 04:21:00: "));
    scene.keys("boot\n");
    let line = format!("put mark.boot 1 {}", NOW - 600);
    assert_eq!(scene.app.marks().within((0, NOW - 1)).count(), 0, "not before it is stored");
    scene.ok(&line, "");
    // Scripts put some, too.
    scene.told(&format!("mark.release 3 {}\n", NOW - 60));
    let names = scene.app.marks().within((0, NOW)).map(|mark| mark.name.clone());
    assert_eq!(names.collect::<Vec<_>>(), ["boot", "release", "deploy"]);
    scene.keys("mno blanks\n");
    assert_eq!(scene.sent.last().unwrap().line, format!("put mark.no-blanks 1 {}", NOW - 600));
    scene.keys("mno[\n");
    assert_eq!(scene.notice(), "at character 3: a name holds no '['");
    assert_eq!(scene.input().text(), "no[", "to be corrected");
}

#[test]
fn marks_are_lines_in_every_chart() {
    let server = month();
    let mut scene = Scene::live(120, 40, &["a"], &[]);
    server.serve(&mut scene);
    let lines = |scene: &Scene| {
        let screen = draw(scene, &scene.theme, 120, 40).to_string();
        screen.lines().filter(|line| line.contains('┊')).count()
    };
    assert_eq!(lines(&scene), 0);
    scene.told(&format!("mark.deploy 1 {}\nmark.boot 1 {}\n", NOW - 600, NOW - 300));
    server.serve(&mut scene);
    assert!(lines(&scene) > 5);
    let screen = draw(&scene, &scene.theme, 120, 40).to_string();
    let names = screen.lines().find(|line| line.contains("deploy")).unwrap();
    assert!(names.contains("boot"), "{names}");
    scene.told(&format!("mark.deploy - {}\nmark.boot - {}\n", NOW - 600, NOW - 300));
    assert_eq!(lines(&scene), 0, "what is taken back is gone");
}

/// Compares the table with how things stood ten minutes ago.
fn compare(scene: &mut Scene, state: &str) {
    scene.keys(&format!("C{}\n", NOW - 600));
    scene.ok(&format!("get *[last:2@{}]", NOW - 600), state);
}

#[test]
fn the_table_shows_first_what_has_moved_most_since() {
    let mut scene = scene();
    scene.told(&format!("c 1.0 {NOW}\nd 7.0 {NOW}\n"));
    let then = NOW - 600;
    compare(&mut scene, &format!("a 1.0 {then}\nb 5.5 {then}\nd 7.0 {then}\n"));
    let keys = |scene: &Scene| rows(scene).into_iter().map(|(key, _)| key).collect::<String>();
    assert_eq!(keys(&scene), "cabd", "what is new, from 1 to 4, from 5.5 to 5, nothing");
    let text = screen(&scene);
    for part in ["moved since 2006-06-21 04:21:00", " new ", "+300%", "-9.1%", "moved %▼"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What is told moves on.
    scene.wait(Duration::from_secs(1));
    scene.told(&format!("d 700.0 {}\ne 1.0 {}\n", NOW + 1, NOW + 1));
    scene.wait(Duration::from_secs(1));
    assert_eq!(keys(&scene), "cedab");
    scene.keys("C\n");
    assert!(!screen(&scene).contains("moved"));
    assert_eq!(keys(&scene), "abcde");
}

#[test]
fn a_time_before_all_points_and_a_server_that_is_away_are_said() {
    let mut scene = scene();
    scene.keys("@2001-01-01\n");
    scene.ok("get *[last@978307200]", "");
    let text = screen(&scene);
    assert!(text.contains("no key had a point yet at 2001-01-01 00:00:00."), "{text}");
    scene.tell(Event::Disconnected("gone".to_owned()));
    scene.keys("C");
    assert_eq!(scene.notice(), "not compared: not connected");
    scene.code(KeyCode::Esc);
    scene.keys("@-1h\n");
    let said = "the table goes there once the server is back; 0 is live again";
    assert_eq!(scene.notice(), said);
}

#[test]
fn a_chart_that_begins_later_says_so() {
    let server = month();
    let mut scene = Scene::live(120, 40, &["a"], &[]);
    server.serve(&mut scene);
    scene.keys("@2001\n");
    let said = "the chart begins later: its first point is of 2006-05-22 04:31:00";
    assert_eq!(scene.notice(), said);
}

#[test]
fn also_on_a_small_screen_the_past_is_said() {
    for (width, height) in [(40, 10), (80, 24)] {
        let mut scene = Scene::live(width, height, &[], &[]);
        scene.ok("get *[last]", &format!("a 4.0 {NOW}\n"));
        scene.to(Mode::Table);
        scene.keys("@-2h\n");
        scene.ok(&format!("get *[last@{}]", NOW - 7200), &format!("a 1.0 {}\n", NOW - 7201));
        scene.keys("/a\n");
        let text = draw(&scene, &scene.theme, width, height).to_string();
        let mut lines = text.lines();
        let top = lines.next().unwrap();
        assert!(top.contains("2h ago") && !top.contains("live"), "{top}");
        assert!(lines.next().unwrap().contains("02:31:00"), "{text}");
    }
}

#[test]
fn a_mark_is_compared_with_by_its_name() {
    let mut scene = scene();
    scene.told(&format!("mark.deploy 1 {}\n", NOW - 300));
    scene.keys("Cdeploy\n");
    scene.ok(&format!("get *[last:2@{}]", NOW - 300), &format!("a 2.0 {}\n", NOW - 400));
    assert!(screen(&scene).contains("moved since deploy"));
    scene.keys("Cnever\n");
    assert!(scene.notice().starts_with("no mark is called never (there is deploy), and no time: "));
    assert_eq!(scene.input().text(), "never", "to be corrected");
    scene.code(KeyCode::Esc);
    // Also at another place in time.
    scene.keys("@-1m\n");
    scene.ok(&format!("get *[last@{}]", NOW - 60), &format!("a 3.0 {}\n", NOW - 70));
    let text = screen(&scene);
    assert!(text.contains("moved since deploy") && text.contains("+50.0%"), "{text}");
}

#[test]
fn a_chart_that_opens_later_is_of_the_place_in_time() {
    let server = month();
    let mut scene = Scene::live(120, 40, &[], &[]);
    server.serve(&mut scene);
    scene.to(Mode::Table);
    scene.keys("@-3h\n");
    server.serve(&mut scene);
    scene.keys("\n");
    server.serve(&mut scene);
    let at = NOW - 3 * 3600;
    assert_eq!(scene.app.watch().viewport().cursor(), Some(at));
    let bounds = scene.app.watch().chart_bounds().unwrap();
    let (from, to) = scene.app.watch().viewport().range(bounds);
    assert!((from..=to).contains(&at), "{from} to {to}");
    assert_eq!(scene.app.place().at(), Some(at));
    let text = draw(&scene, &scene.theme, 120, 40).to_string();
    let value = format!("■ a {}", server.points[&at]);
    assert!(text.contains(&value), "{value}: {text}");
}

#[test]
fn in_steps_the_table_is_of_the_end_of_the_step_under_the_cursor() {
    let server = month();
    let mut scene = server.chart(120, 40);
    scene.keys("f5");
    server.serve(&mut scene);
    scene.code(KeyCode::Left);
    for _ in 0..20 {
        scene.code(KeyCode::Left);
        server.serve(&mut scene);
        let area = scene.app.layout().watch.unwrap();
        let chart = scene.app.chart(area.width - 2, area.height - 2);
        let (start, step) = (scene.app.watch().viewport().cursor().unwrap(), chart.step.unwrap());
        assert_eq!(scene.app.place().at(), Some(start + i64::try_from(step).unwrap() - 1));
        let read = chart.reading.unwrap();
        let value = rows(&scene)[0].1;
        assert!((read.least..=read.greatest).contains(&value), "{value} of {read:?}");
        let told = scene.app.place().at().map(|at| time::date(at, scene.app.zone())).unwrap();
        let text = draw(&scene, &scene.theme, 120, 40).to_string();
        let minute = told.trim_end_matches(|digit| digit != ':').trim_end_matches(':');
        assert!(text.contains(&format!(" {minute} ■ a ")), "{told}: {text}");
    }
}

/// The chart had shorter steps than the one whose end the table was of.
#[test]
fn the_table_is_of_the_end_of_the_step_that_a_zoomed_chart_has() {
    let server = month();
    for key in ["z", "3", "Z"] {
        let mut scene = server.chart(120, 40);
        scene.keys("f5");
        server.serve(&mut scene);
        for _ in 0..7 {
            scene.code(KeyCode::Left);
            server.serve(&mut scene);
        }
        for _ in 0..7 {
            scene.keys(key);
            server.serve(&mut scene);
            let area = scene.app.layout().watch.unwrap();
            let chart = scene.app.chart(area.width - 2, area.height - 2);
            let cursor = scene.app.watch().viewport().cursor().unwrap();
            let step = i64::try_from(chart.step.unwrap_or(1)).unwrap();
            assert_eq!(scene.app.place().at(), Some(cursor + step - 1), "{key}");
            let (read, value) = (chart.reading.unwrap(), rows(&scene)[0].1);
            assert!((read.least..=read.greatest).contains(&value), "{key}: {value} of {read:?}");
        }
    }
}

/// A time that was typed stays, whatever the steps are.
#[test]
fn zooming_leaves_the_time_that_was_typed() {
    let server = month();
    let mut scene = server.chart(120, 40);
    scene.keys("f5");
    server.serve(&mut scene);
    scene.keys("@-3d\n");
    server.serve(&mut scene);
    let at = scene.app.place().at();
    for _ in 0..7 {
        scene.keys("z");
        server.serve(&mut scene);
        assert_eq!(scene.app.place().at(), at);
    }
}

#[test]
fn the_top_line_says_the_place_while_the_server_is_away() {
    let mut scene = scene();
    scene.keys("@-10m\n");
    scene.tell(Event::Disconnected("no server there".to_owned()));
    let at = time::date(NOW - 600, scene.app.zone());
    let screen = draw(&scene, &Theme::colour(), 240, 40).to_string();
    assert!(screen.lines().next().unwrap().contains(&format!("at {at}, ")), "{screen}");
}

/// The numbers of a list have a time of their own; a chart alone has it in its legend.
#[test]
fn the_title_of_a_chart_alone_has_no_older_time() {
    let mut scene = scene();
    scene.to(Mode::Watch);
    scene.keys("@-10m\n");
    scene.ok(&format!("get *[last@{}]", NOW - 600), &format!("a 4.0 {}\n", NOW - 600));
    let is_titled = |scene: &Scene| {
        let screen = draw(scene, &Theme::colour(), 240, 40).to_string();
        screen.lines().any(|line| line.contains("watch a · as of "))
    };
    assert!(is_titled(&scene));
    scene.keys("f");
    assert!(!is_titled(&scene));
}

#[test]
fn what_the_server_does_not_say_is_not_asked_for_without_end() {
    let mut scene = scene();
    scene.keys("@-10m\n");
    let line = format!("get *[last@{}]", NOW - 600);
    scene.answer(&line, Status::Error, "points of a from 3 to 9 are damaged");
    let said = "the table stays as it was: points of a from 3 to 9 are damaged";
    assert_eq!((scene.notice(), asked(&scene).len()), (said, 0));
    let title = |scene: &Scene| draw(scene, &Theme::colour(), 120, 40).to_string();
    assert!(title(&scene).contains("╭ of now, no answer · get * · "), "{}", title(&scene));
    scene.wait(Duration::from_secs(5));
    assert_eq!(asked(&scene), [""; 0]);
    scene.keys("@-11m\n");
    assert_eq!(asked(&scene), [format!("get *[last@{}]", NOW - 655)]);
}

#[test]
fn a_table_that_is_too_large_for_another_time_says_that_it_is_of_now() {
    let mut scene = Scene::live(80, 24, &[], &[]);
    let keys: String = (0..200_001).map(|key| format!("k{key} 1 {NOW}\n")).collect();
    scene.ok("get *[last]", &keys);
    let title = |scene: &Scene, wide| draw(scene, &Theme::colour(), wide, 24).to_string();
    assert!(!title(&scene, 80).contains("of now"));
    scene.enter("@-10m");
    assert!(scene.notice().starts_with("with more than 200,000 keys"), "{}", scene.notice());
    scene.wait(Duration::from_secs(20));
    assert_eq!(scene.notice(), "");
    assert!(
        title(&scene, 80).contains("╭ of now, too many keys · get * · 200,001 keys · last 15m ")
    );
    assert!(title(&scene, 50).contains("╭ of now, too many keys · 200,001 keys ─"));
    scene.enter("0");
    assert!(!title(&scene, 80).contains("of now"));
    scene.to(Mode::Table);
    scene.keys("C");
    assert_eq!(scene.notice(), "not compared: too many keys");
}

#[test]
fn what_fires_now_does_not_fire_then() {
    let mut scene = Scene::live(240, 40, &[], &["a > 3"]);
    let state = format!("a 4.0 {NOW}\n");
    for line in ["get a[last:1024]", "get *[last]"] {
        scene.ok(line, &state);
    }
    scene.to(Mode::Table);
    let is_marked = |scene: &Scene| screen(scene).lines().any(|line| line.starts_with("\"│!a"));
    assert!(is_marked(&scene), "{}", screen(&scene));
    scene.keys("@-10m\n");
    scene.ok(&format!("get *[last@{}]", NOW - 600), &format!("a 1.0 {}\n", NOW - 600));
    assert!(!is_marked(&scene), "{}", screen(&scene));
}

#[test]
fn a_key_that_is_gone_is_counted() {
    let mut scene = scene();
    let then = NOW - 600;
    compare(&mut scene, &format!("a 1.0 {then}\nb 5.5 {then}\nx 1.0 {then}\ny 1.0 {then}\n"));
    assert!(screen(&scene).contains("moved since 2006-06-21 04:21:00, 2 gone "));
}
