//! The table, the chart and the watched keys: what they do and how they look.

use std::time::Duration;

use ratatui::style::Color;
use shared::response::Status;
use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;
use tui_client::view::{PlotCache, theme::Theme};

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{cell_of, draw, draw_after, find};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn escape_drops_the_cursor_before_it_leaves_the_chart() {
    let mut scene = Scene::parked(120, 40, &["palm.cpu"], &[]).on(Mode::Watch, "fh");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart, "first the cursor goes");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Watch);
}

/// An hour of points a second apart, one of them a spike, in the chart all over the screen.
fn spiked(width: u16, height: u16) -> Scene {
    let value = |n: i64| if n == 1803 { 100_000.5 } else { 5.0 };
    let line = |n: i64| format!("a {:?} {}\n", value(n), NOW - 3600 + n);
    Scene::connected(width, height, &["a"]).then(|scene| {
        scene.ok("get a", &(0..3600).map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("f");
    })
}

#[test]
fn the_chart_cursor_reaches_every_spike() {
    for (width, height) in [(80, 24), (120, 30)] {
        let mut scene = spiked(width, height);
        let shows = |scene: &Scene, text: &str| {
            find(&draw(scene, &Theme::colour(), width, height), text).is_some()
        };
        let mut steps = 0..200;
        while steps.next().is_some() && !shows(&scene, " here, 5 to 100000.5") {
            scene.keys("h");
        }
        assert!(!steps.is_empty(), "one sees that it is there");
        assert!(shows(&scene, " a 5 "), "but not at the cursor");
        // Zoomed in, each point has a column of its own.
        scene.keys("zzzzzzz");
        scene.keys(&"h".repeat(60));
        steps = 0..200;
        while steps.next().is_some() && !shows(&scene, " a 100000.5") {
            scene.keys("l");
        }
        assert!(!steps.is_empty(), "and can read it");
    }
}

#[test]
fn a_low_chart_has_its_readout_on_the_bottom_line() {
    let mut scene = Scene::connected(40, 10, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 1 {}\na 20.0001 {NOW}\n", NOW - 60));
        scene.to(Mode::Watch);
    });
    scene.keys("h");
    assert!(scene.notice().ends_with("  20.0001"), "{}", scene.notice());
    scene.keys("h");
    assert!(scene.notice().ends_with("  1"), "{}", scene.notice());
    let mut tall = Scene::connected(40, 24, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 1 {NOW}\n"));
        scene.to(Mode::Watch);
    });
    tall.keys("h");
    assert_eq!(tall.notice(), "", "it has a legend");
}

#[test]
fn a_click_hits_its_column_whatever_the_label_width() {
    for base in [0, 81_235_000_000, 1 << 52] {
        let line = |n: i64| format!("a {} {}\n", base + n, NOW - 200 + n);
        let mut scene = Scene::connected(120, 30, &["a"]).then(|scene| {
            scene.ok("get a", &(0..200).map(line).collect::<String>());
            scene.to(Mode::Watch);
            scene.keys("f");
        });
        scene.tell(Event::Mouse(MouseEvent { kind: MouseKind::Click, column: 70, row: 12 }));
        let screen = draw(&scene, &Theme::colour(), 120, 30);
        let mark = |row: u16| screen.buffer().cell((70, row)).is_some_and(|c| c.symbol() == "●");
        assert!((2..29).any(mark), "{screen}");
    }
}

#[test]
fn the_chart_names_its_time_span_and_refuses_impossible_moves() {
    let mut scene = spiked(120, 30);
    let mut look = |keys: &str| {
        scene.keys(keys);
        let screen = draw(&scene, &Theme::colour(), 120, 30).to_string();
        (screen.lines().nth(2).unwrap().to_owned(), scene.notice().to_owned())
    };
    for (keys, window, notice) in [
        ("", " 59m59s ", ""),
        ("Z", " 59m59s ", "all of it is shown"),
        ("[", " 59m59s ", "all of it is shown"),
        ("z", " last 29m59s ", ""),
        ("]", " last 29m59s ", "there is nothing later"),
        ("[", " 2006-06-21 03:53:31 to 04:23:30 ", ""),
        ("[[[[[[", " 2006-06-21 03:31:00 to 04:00:59 ", "there is nothing earlier"),
        ("0hz", " last 29m59s ", ""),
        ("zzzzzzzzzz", " last 4s ", "no closer: a second has a place of its own"),
    ] {
        let (line, said) = look(keys);
        assert!(line.contains(window), "{keys}: {line}");
        assert_eq!(said, notice, "{keys}");
    }
}

#[test]
fn a_pause_does_not_age_points() {
    let mut scene = Scene::alerted(80, 24, &["a"], &["a age > 5s"]);
    let now = scene.now.unix();
    scene.polled(&format!("a 1 {now}\n"));
    scene.to(Mode::Watch);
    scene.keys("p");
    scene.wait(20 * SECOND);
    assert_eq!(scene.app.watch().alarms(), 0, "nobody has asked");
    scene.keys("p");
    scene.polled(&format!("a 1 {now}\n"));
    assert_eq!(scene.app.watch().alarms(), 1);
}

#[test]
fn a_refusal_among_pasted_lines_stays_visible() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.tell(Event::Paste("put a 1 1\nput a x 2\nput a 3 3\n".to_owned()));
    scene.code(KeyCode::Enter);
    scene.ok("put a 1 1", "");
    let why = "wrong command: a value is a decimal number";
    scene.answer("put a x 2", Status::Error, why);
    scene.ok("put a 3 3", "");
    let said = scene.notice();
    assert!(said.starts_with("3 pasted lines sent, 1 refused: error at \"x\""), "{said}");
}

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
    assert_eq!(scene.app.watch().alarms(), 1, "the first one still fires");
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
    assert_eq!(scene.app.watch().alarms(), 0);
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
    scene.keys("gxW");
    scene.keys("*\n");
    for _ in 0..3 {
        assert_eq!(alerts(&mut scene, &more), [""; 0], "nor what is watched again");
    }
    assert_eq!(scene.app.watch().keys().len(), 3);
}

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
        assert_eq!(scene.app.watch().alarms(), 0);
        assert!(!scene.log().iter().any(|line| line.starts_with("- alert:")), "that was before");
        scene.wait(SECOND);
    }
    assert_eq!((said.as_str(), scene.app.watch().keys().len()), ("alert on b* > 5", 2));
}

#[test]
fn an_alert_ends_with_the_last_point_of_its_key() {
    let mut scene = Scene::alerted(80, 24, &[], &["a > 5"]);
    scene.ok("get *", "");
    scene.ok("get a", "a 6.0 1\n");
    assert_eq!(scene.app.watch().alarms(), 1);
    let told = "- no data: a > 5: a has no points any more".to_owned();
    assert_eq!(ring(&mut scene, "b 1.0 1\n"), (false, vec![told]));
    assert_eq!(scene.app.watch().alarms(), 0);
    cell_of(&draw(&scene, &Theme::colour(), 80, 24), "no points any more");
    assert!(ring(&mut scene, "a 6.0 9\n").0, "a new alarm");
}

#[test]
fn an_exact_key_keeps_its_place_beside_globs() {
    let mut scene = Scene::alerted(80, 24, &["host.*"], &["zone.temp > 90"]);
    let hosts: String = (0..1200).map(|n| format!("host.{n} 1 1\n")).collect();
    scene.ok("get *", &format!("{hosts}zone.temp 99 1\n"));
    assert_eq!(scene.notice(), "alert: zone.temp > 90: zone.temp is 99");
    assert_eq!(scene.app.watch().keys().len(), 1001);
    cell_of(&draw(&scene, &Theme::colour(), 80, 24), "the first 1,001 keys");
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
fn globs_are_matched_by_the_client_if_the_server_cannot() {
    let mut scene = Scene::alerted(80, 24, &["palm.*"], &[]);
    scene.ok("get *", "palm.cpu 1.0 1\nother.cpu 2.0 1\npalm.mem 3.0 1\n");
    let keys: Vec<_> = scene.app.watch().keys().iter().map(|key| key.key.clone()).collect();
    assert_eq!(keys, ["palm.cpu", "palm.mem"]);
    scene.ok("get palm.cpu[last]", "");
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
fn pause_and_interval_changes_take_effect_at_once() {
    let mut scene = Scene::alerted(80, 24, &["a"], &[]);
    scene.ok("get *", "");
    scene.ok("get a", "a 1.0 1\n");
    scene.keys("p");
    scene.wait(60 * SECOND);
    assert!(scene.sent.is_empty());
    scene.keys("p");
    scene.ok("get a", "a 1.0 1\n");
    scene.keys("+");
    assert_eq!(scene.app.polling().interval(), 2 * SECOND);
    scene.keys("--");
    assert_eq!(scene.app.polling().interval(), SECOND / 2);
    scene.keys("---------------");
    assert_eq!(scene.app.polling().interval(), SECOND / 10);
}

#[test]
fn a_slow_server_stretches_the_interval_and_gets_one_poll_at_a_time() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    scene.wait(5 * SECOND);
    assert_eq!(scene.sent.len(), 2, "one for the table, one for the watched key");
    let request = scene.sent.remove(0);
    let builder = tui_client::metrics::reply::ReplyBuilder::new(
        shared::response::Status::Ok,
        request.capture,
    );
    let reply = builder.finish(request.id, 5 * SECOND, 5 * SECOND);
    scene.tell(Event::Reply(Box::new(reply)));
    assert_eq!(scene.app.polling().stretched(), Some(10 * SECOND));
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&screen, "every 1s, slowed to 10s").fg, Color::Yellow);
    scene.wait(4 * SECOND);
    assert_eq!(scene.sent.len(), 1);
}

#[test]
fn the_cost_of_polling_is_shown() {
    let mut scene = Scene::alerted(120, 30, &["a"], &[]);
    for _ in 0..8 {
        scene.answer_all();
        scene.wait(SECOND);
    }
    scene.answer_all();
    let cost = scene.app.polling().cost(scene.app.now().elapsed).unwrap();
    assert!((0.9..1.6).contains(&cost.requests), "{cost:?}");
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    cell_of(&screen, "req/s");
    cell_of(&screen, "kB/s");
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
fn escape_drops_the_filter_before_it_leaves_the_table() {
    let mut scene = Scene::parked(120, 30, &[], &[]).on(Mode::Table, "/kettle\n");
    scene.code(KeyCode::Esc);
    assert_eq!((scene.app.mode(), scene.app.table().rows()), (Mode::Table, 8));
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

/// Columns of the screen in which these words begin; none for what is not there.
fn places(scene: &Scene, (width, height): (u16, u16), words: &[&str]) -> Vec<bool> {
    let screen = draw(scene, &Theme::colour(), width, height);
    words.iter().map(|word| find(&screen, word).is_some()).collect()
}

#[test]
fn a_long_key_hides_no_column() {
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
            assert!(places(&scene, size, &["z01234567"])[0]);
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
    assert_eq!(scene.app.watch().alarms(), 1);
    scene.to(Mode::Watch);
    scene.keys("d");
    assert_eq!((scene.app.alerts().alerts().len(), scene.app.watch().alarms()), (0, 0));
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
fn a_cached_chart_is_drawn_only_while_unchanged() {
    let mut scene = Scene::connected(80, 24, &["a.b", "c.d"]);
    let mut plots = PlotCache::default();
    let mut looks = Vec::new();
    let mut look = |scene: &Scene| {
        let drawn = draw_after(scene, &Theme::colour(), &mut plots, 80, 24);
        assert_eq!(drawn.buffer(), draw(scene, &Theme::colour(), 80, 24).buffer());
        looks.push(drawn.to_string());
    };
    scene.ok("get *", "");
    scene.ok("get a.b", "a.b 1 1\na.b 2 2\na.b 3 3\n");
    scene.ok("get c.d", "c.d 7 1\nc.d 7 2\nc.d 1 3\n");
    look(&scene);
    scene.wait(Duration::from_secs(1));
    scene.polled("a.b 1 1\na.b 9 2\na.b 3 3\nc.d 7 1\nc.d 7 2\nc.d 1 3\n");
    look(&scene);
    for key in ['j', 'M', 'y', 'y', 'h', 'z', 'k', 'x'] {
        scene.press(KeyPress::char(key));
        look(&scene);
    }
    looks.dedup();
    assert!(looks.len() > 6, "they differ");
}
