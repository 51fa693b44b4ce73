//! Messages in, state and effects out.

use std::time::Duration;

use shared::response::Status;
use tui_client::effect::{Effect, NetworkOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::HelpLine;
use tui_client::keymap::Mode;

use crate::harness::scene::{NOW, Scene, sample};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_first_screen_shows_live_data_without_a_key_press() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", "a 1.0 1\n");
    assert_eq!(scene.app.table().answer().points, 1);
    assert!(scene.sent.is_empty(), "one at a time");
    scene.wait(SECOND);
    scene.ok("get *", "a 1.0 1\na 2.0 2\n");
    assert_eq!(scene.app.table().answer().points, 2);
    assert_eq!(
        scene.log(),
        ["- connected to localhost:10001", "> get *", "< ok", "< a 1.0 1", "< get * → ok"],
        "the first poll shows the protocol, the others take one line"
    );
    scene.wait(SECOND);
    scene.ok("get *", "");
    assert_eq!(scene.log().len(), 5, "repetitions share it");
}

/// Whatever was asked for, one request after the other.
fn asked(scene: &mut Scene) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, "");
        asked.push(line);
    }
    asked
}

#[test]
fn help_search_finds_keys_by_common_words() {
    for (word, keys) in [
        ("filter", &["/", "&"][..]),
        ("history", &["ctrl-r", "↑ ctrl-p", "↓ ctrl-n"]),
        ("completion", &["tab", "shift-tab", "esc"]),
        ("complete", &["tab"]),
        ("threshold", &["!"]),
        ("alert", &["!", "d"]),
        ("zoom", &["z", "Z"]),
        ("stale", &["/"]),
        ("sort", &["> →", "< ←", "o"]),
        ("exchange", &["e"]),
    ] {
        let mut scene = Scene::connected(80, 24, &[]);
        scene.keys("?/");
        scene.type_text(word);
        let found = scene.help().lines();
        let listed = |key: &str| {
            found.iter().any(|line| match line {
                HelpLine::Keys(keys, help) => keys == key && help.contains(word),
                HelpLine::Heading(_) => false,
            })
        };
        for key in keys {
            assert!(listed(key), "{word}: {key} in {found:?}");
        }
    }
}

#[test]
fn a_pause_stops_all_polling_from_any_pane() {
    for mode in [Mode::Prompt, Mode::Table, Mode::Watch, Mode::Chart, Mode::Log] {
        let mut scene = Scene::connected(80, 24, &["a.b"]);
        asked(&mut scene);
        if mode == Mode::Chart {
            scene.keys("f");
        } else {
            scene.to(mode);
        }
        let keys: &[KeyPress] = match mode {
            Mode::Prompt => &[KeyPress::plain(KeyCode::F(6))],
            _ => &[KeyPress::plain(KeyCode::F(6)), KeyPress::char('p')],
        };
        for &key in keys {
            scene.press(key);
            assert_eq!(scene.notice(), "paused, F6 resumes, F5 polls once");
            scene.wait(10 * SECOND);
            assert!(scene.app.polling().is_paused() && scene.sent.is_empty(), "{mode:?}");
            assert_eq!(scene.app.next_wake(), None, "nothing to do, so no wake-ups");
            scene.press(key);
            assert!(!scene.app.polling().is_paused());
            assert_eq!(scene.notice(), "polling every 1s");
            let in_sight = scene.app.layout().table.is_some();
            let expected = if in_sight { "get *" } else { "get a.b" };
            assert_eq!(scene.sent[0].line, expected, "at once");
            asked(&mut scene);
        }
    }
}

#[test]
fn explicit_requests_are_sent_while_paused() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    asked(&mut scene);
    scene.to(Mode::Watch);
    for key in [KeyPress::char('p'), KeyPress::plain(KeyCode::F(5)), KeyPress::char('r')] {
        scene.press(key);
        let expected: &[&str] = if key == KeyPress::char('p') { &[] } else { &["get *"] };
        assert_eq!(asked(&mut scene), expected, "the table asks for the watched keys too");
        scene.wait(10 * SECOND);
        assert!(scene.sent.is_empty());
    }
    scene.enter("get x");
    assert_eq!(asked(&mut scene), ["get x"]);
    scene.code(KeyCode::F(5));
    assert_eq!(asked(&mut scene), ["get a.b", "get x"]);
    scene.wait(10 * SECOND);
    assert!(scene.sent.is_empty());
}

#[test]
fn a_key_watched_while_paused_is_requested_once() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", &sample());
    scene.to(Mode::Table);
    scene.keys("p\n");
    assert_eq!(asked(&mut scene), ["get palm.cpu"]);
    scene.wait(10 * SECOND);
    assert!(scene.sent.is_empty());
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
fn an_unbound_key_shows_a_notice() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    for (mode, key) in [(Mode::Table, "u"), (Mode::Watch, "u"), (Mode::Log, "u")] {
        scene.to(mode);
        scene.keys(key);
        assert_eq!(scene.notice(), "u does nothing here; ? lists what does");
    }
    scene.press(KeyPress::ctrl('x'));
    assert_eq!(scene.notice(), "ctrl-x does nothing here; ? lists what does");
    scene.to(Mode::Prompt);
    scene.press(KeyPress::ctrl('x'));
    assert_eq!(scene.notice(), "");
    scene.tell(Event::Paste("put a 1 1\nput b 1 1\n".to_owned()));
    scene.keys("u");
    assert_eq!(scene.notice(), "u does nothing here; F1 lists what does");
    assert_eq!(scene.app.mode(), Mode::Confirm);
}

#[test]
fn ctrl_c_clears_a_line_before_it_quits() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.type_text("put a 1");
    assert!(!scene.press(KeyPress::ctrl('c')).contains(&Effect::Quit));
    assert_eq!(scene.app.input().prompt.text(), "");
    assert_eq!(scene.notice(), "ctrl-c again leaves, ctrl-_ undoes");
    scene.press(KeyPress::ctrl('_'));
    assert_eq!(scene.app.input().prompt.text(), "put a 1");
    scene.press(KeyPress::ctrl('c'));
    assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit]);
    let mut scene = Scene::parked(80, 24, &[], &[]).on(Mode::Table, "!");
    scene.press(KeyPress::ctrl('c'));
    assert_eq!(scene.app.mode(), Mode::Table, "it leaves no half-typed alert behind");
}

#[test]
fn a_slow_server_is_polled_less_often_and_once_at_a_time() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.wait(5 * SECOND);
    assert_eq!(scene.sent.len(), 1);
}

#[test]
fn watched_keys_are_polled_before_a_long_table() {
    let mut scene = Scene::connected(120, 30, &["a"]);
    assert!(scene.app.layout().table.is_some());
    let slow = |scene: &mut Scene, took: Duration| {
        scene.ok("get a", "a 1.0 1\n");
        scene.took("get *", took, "a 1.0 1\n");
    };
    slow(&mut scene, 2 * SECOND);
    let hint = "- get * takes 2s: p pauses polling, get KEY asks for less";
    assert!(scene.log().iter().any(|line| line == hint), "{:?}", scene.log());
    assert_eq!(scene.app.polling().stretched(), Some(10 * SECOND));
    for _ in 0..7 {
        scene.wait(SECOND);
        scene.ok("get a", "a 1.0 1\n");
    }
    assert!(scene.sent.is_empty(), "the table has its turn later");
    scene.wait(SECOND);
    slow(&mut scene, 2 * SECOND);
    let told = scene.log().iter().filter(|line| **line == hint).count();
    assert_eq!(told, 1, "once is enough");
}

#[test]
fn a_hidden_table_is_requested_once() {
    let mut scene = Scene::connected(80, 24, &["a"]);
    assert_eq!(asked(&mut scene), ["get a", "get *"], "whose keys can be completed");
    for _ in 0..3 {
        scene.wait(SECOND);
        assert_eq!(asked(&mut scene), ["get a"]);
    }
    scene.to(Mode::Table);
    scene.wait(Duration::ZERO);
    assert_eq!(asked(&mut scene), ["get *"], "at once");
    scene.wait(SECOND);
    assert_eq!(asked(&mut scene), ["get *"], "which brings the watched keys");
}

#[test]
fn an_age_alert_fires_while_disconnected() {
    let mut scene = Scene::alerted(80, 24, &["a"], &["a age > 5s"]);
    scene.polled(&format!("a 1.0 {NOW}\n"));
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    scene.wait(4 * SECOND);
    assert_eq!(scene.app.watch().alarms(), 0);
    scene.wait(2 * SECOND);
    assert_eq!(scene.app.watch().alarms(), 1);
    assert_eq!(scene.notice(), "alert: a age > 5s: the age of a is 6s");
}

#[test]
fn entered_lines_are_normalized() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", "");
    scene.enter("> put palm.cpu 23.7\\n");
    let wire = format!("put palm.cpu 23.7 {NOW}");
    assert!(scene.log().contains(&format!("> {wire}")));
    scene.ok(&wire, "");
    assert_eq!(scene.notice(), format!("stored palm.cpu 23.7 {NOW}"));
    scene.enter("got *");
    scene.answer("got *", Status::Error, "wrong command\n");
    assert_eq!(
        scene.notice(),
        "error at \"got\" in got *: the commands are put and get, in lower case"
    );
    scene.enter("   ");
    assert!(scene.sent.iter().all(|request| request.line == "get *"), "blanks are no request");
}

#[test]
fn an_entered_get_stays_in_the_table_and_is_refreshed() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.enter("get palm.cpu");
    scene.ok("get *", "a 1.0 1\npalm.cpu 1.0 1\n");
    scene.ok("get palm.cpu", "palm.cpu 1.0 1\n");
    assert_eq!(scene.app.table().request(), "get palm.cpu");
    scene.wait(SECOND);
    scene.ok("get palm.cpu", "palm.cpu 1.0 1\npalm.cpu 2.0 2\n");
    assert_eq!(scene.app.table().answer().points, 2);
    scene.code(KeyCode::Tab);
    scene.press(KeyPress::char('*'));
    scene.ok("get *", "a 1.0 1\n");
    assert_eq!(scene.app.table().request(), "get *");
}

#[test]
fn a_line_entered_while_disconnected_is_kept() {
    let mut scene = Scene::new(80, 24, &[]);
    scene.tell(Event::Disconnected("no server there".to_owned()));
    scene.enter("get palm.cpu");
    assert!(scene.sent.is_empty());
    assert!(scene.notice().starts_with("not sent, no server there"), "{}", scene.notice());
    assert_eq!(scene.app.input().prompt.text(), "get palm.cpu");
    scene.tell(Event::Connected);
    scene.code(KeyCode::Enter);
    scene.ok("get palm.cpu", "");
}

#[test]
fn reconnect_backs_off_and_is_logged_once() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    scene.enter("get x");
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    assert_eq!(scene.notice(), "no reply to: get x");
    scene.code(KeyCode::Esc);
    scene.sent.clear();
    for longest in [100, 200, 400, 800, 1600, 2000, 2000] {
        let (wait, longest) = (scene.next_wait(), Duration::from_millis(longest));
        assert!(longest / 2 < wait && wait <= longest, "{wait:?} of {longest:?}");
        scene.now.elapsed += wait;
        assert_eq!(scene.tell(Event::Tick), [Effect::Network(NetworkOrder::Connect)]);
        assert_eq!(scene.app.next_wake(), None, "one try at a time");
        scene.tell(Event::Disconnected("no server there".to_owned()));
    }
    let failures = scene.log().iter().filter(|line| line.contains("trying again")).count();
    assert_eq!(failures, 1);
    scene.tell(Event::Connected);
    scene.ok("get *", "");
    scene.ok("get a.b", "a.b 1.0 1\n");
    assert_eq!(scene.notice(), "connected again");
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
        let values: Vec<f64> = series.recent.iter().map(|point| point.value).collect();
        (values, series.max, watched.is_fresh(scene.now.elapsed))
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
    assert_eq!(scene.app.watch().selected_key().unwrap().series.as_ref().unwrap().count, 120);
    scene.press(KeyPress::char('x'));
    assert!(scene.app.watch().is_empty());
    assert_eq!(scene.app.mode(), Mode::Table);
}

#[test]
fn history_and_words_are_edited_with_the_usual_keys() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.enter("get one");
    scene.enter("get two");
    scene.type_text("ge");
    scene.code(KeyCode::Up);
    scene.code(KeyCode::Up);
    assert_eq!(scene.app.input().prompt.text(), "get one");
    scene.code(KeyCode::Down);
    scene.code(KeyCode::Down);
    assert_eq!(scene.app.input().prompt.text(), "ge");
    scene.press(KeyPress::ctrl('u'));
    scene.type_text("put a.b 5");
    scene.press(KeyPress::alt(KeyCode::Char('b')));
    scene.press(KeyPress::ctrl('w'));
    scene.press(KeyPress::ctrl('a'));
    scene.press(KeyPress::alt(KeyCode::Char('d')));
    assert_eq!(scene.app.input().prompt.text(), " 5");
}

#[test]
fn quit_works_in_every_mode() {
    let mut scene = Scene::new(80, 24, &["a"]);
    for _ in 0..5 {
        assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit]);
        scene.code(KeyCode::Tab);
    }
    scene.press(KeyPress::char('?'));
    assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit]);
    assert_eq!(scene.tell(Event::Terminate), [Effect::Quit]);
}

#[test]
fn ages_advance_without_polling() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.code(KeyCode::F(6));
    scene.ok("get *", &format!("a 1.0 {}\n", NOW - 3));
    assert_eq!(scene.next_wait(), SECOND);
    scene.wait(60 * SECOND);
    assert!(scene.next_wait() > SECOND, "older than a minute: no need to hurry");
}
