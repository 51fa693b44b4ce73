//! The application from its start to its end: focus, requests, connection, quit.

use std::time::Duration;

use shared::response::Status;
use tui_client::app::AppConfig;
use tui_client::effect::{Effect, Ending, NetworkOrder, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::{Abilities, Mode};
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene, config};
use crate::harness::snapshot::{cell_of, draw};

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
        ["- connected to localhost:10001", "> get *", "< ok", "< a 1.0 1", "= get * ← ok"],
        "the first poll shows the protocol, the others take one line"
    );
    scene.wait(SECOND);
    scene.ok("get *", "");
    assert_eq!(scene.log().len(), 5, "repetitions share it");
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
    assert!(!scene.press(KeyPress::ctrl('c')).contains(&Effect::Quit(Ending::Complete)));
    assert_eq!(scene.app.input().prompt.text(), "");
    assert_eq!(scene.notice(), "ctrl-c again leaves, ctrl-_ undoes");
    scene.press(KeyPress::ctrl('_'));
    assert_eq!(scene.app.input().prompt.text(), "put a 1");
    scene.press(KeyPress::ctrl('c'));
    assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit(Ending::Complete)]);
    let mut scene = Scene::parked(80, 24, &[], &[]).on(Mode::Table, "!");
    scene.press(KeyPress::ctrl('c'));
    assert_eq!(scene.app.mode(), Mode::Table, "it leaves no half-typed alert behind");
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
        "error at \"got\" in got *: the commands are put, del and get, in lower case"
    );
    scene.enter("   ");
    assert!(scene.sent.iter().all(|request| request.line == "get *"), "blanks are no request");
}

#[test]
fn an_entered_get_is_answered_beside_the_table() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.enter("get palm.cpu");
    scene.ok("get *", "a 1.0 1\npalm.cpu 1.0 1\n");
    let rows = scene.app.layout().table_rows();
    scene.ok("get palm.cpu", "palm.cpu 1.0 1\npalm.cpu 2.0 2\n");
    assert_eq!(scene.app.table().request(), "get *", "the table stays");
    let answer = scene.app.typed_answer().unwrap();
    assert_eq!(answer.title(), "get palm.cpu · 1 key · 2 points");
    let times: Vec<_> = answer.lines().iter().map(|line| line.point.timestamp).collect();
    assert_eq!(times, [2, 1], "the newest first");
    assert_eq!(scene.app.layout().table_rows(), rows - 4);
    scene.enter("get *");
    scene.ok("get *", "a 1.0 1\npalm.cpu 1.0 1\npalm.cpu 2.0 2\n");
    let answer = scene.app.typed_answer().unwrap();
    assert_eq!(
        answer.title(),
        "get * · newest of each of 2 keys · 3 points",
        "the newest answer alone"
    );
    scene.enter("get palm.*");
    scene.ok("get palm.*", "palm.cpu 1.0 1\n");
    let answer = scene.app.typed_answer().unwrap();
    assert_eq!(answer.title(), "get palm.* · palm.cpu · 1 point", "the key that was found");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.layout().table_rows(), rows, "closed");
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn without_room_for_it_an_answer_is_said_in_one_line() {
    let mut scene = Scene::connected(40, 4, &[]);
    scene.enter("get palm.cpu");
    scene.ok("get palm.cpu", "palm.cpu 1.0 1\npalm.cpu 2.0 2\n");
    assert_eq!(scene.app.layout().answer, None);
    assert_eq!(scene.notice(), "2.0 2 · get palm.cpu · 1 key · 2 points; the log has it");
}

#[test]
fn on_a_small_screen_an_answer_has_the_room_of_the_pane() {
    let lines: String = (0..20).map(|at| format!("palm.cpu {at}.5 {at}\n")).collect();
    for watch in [&[][..], &["palm.cpu"]] {
        let mut scene = Scene::with_sample(40, 10, watch);
        let panes = |scene: &Scene| {
            let layout = scene.app.layout();
            (layout.table.or(layout.watch).or(layout.log), layout.answer)
        };
        let (pane, _) = panes(&scene);
        scene.enter("get palm.cpu");
        scene.ok("get palm.cpu", &lines);
        assert_eq!(panes(&scene), (None, pane), "all of it");
        let drawn = draw(&scene, &Theme::colour(), 40, 10).to_string();
        assert!(drawn.contains("19.5") && drawn.contains("15.5"), "{drawn}");
        scene.code(KeyCode::PageDown);
        assert!(draw(&scene, &Theme::colour(), 40, 10).to_string().contains("14.5"));
        scene.code(KeyCode::Tab);
        assert!(panes(&scene).0.is_some() && panes(&scene).1.is_none(), "what has the focus");
        scene.to(Mode::Prompt);
        assert_eq!(panes(&scene).1, pane);
        scene.code(KeyCode::Esc);
        assert_eq!(panes(&scene), (pane, None));
    }
    // A short one leaves room.
    let mut scene = Scene::with_sample(40, 14, &[]);
    scene.enter("get palm.cpu");
    scene.ok("get palm.cpu", "palm.cpu 1.0 1\n");
    let layout = scene.app.layout();
    assert_eq!((layout.table.unwrap().height, layout.answer.unwrap().height), (8, 3));
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
fn a_word_that_is_no_command_is_answered_with_what_helps() {
    for (typed, help) in [
        ("palm.cpu", "; get palm.cpu reads it"),
        ("watch palm.cpu", "; ? finds what the screen does"),
        ("list", "; ? finds what the screen does"),
        ("help me", "; ? finds what the screen does"),
        ("geet a", "in lower case"),
        ("put a", "a value is missing"),
    ] {
        let mut scene = Scene::with_sample(160, 30, &[]);
        scene.enter(typed);
        scene.answer(typed, Status::Error, "wrong command\n");
        assert!(scene.notice().ends_with(help), "{}", scene.notice());
        let brief = scene.app.notice().unwrap().brief.clone().unwrap();
        assert!(brief.ends_with(help), "{brief}");
    }
}

#[test]
fn what_is_said_of_a_request_is_what_was_typed() {
    let is_clean = |scene: &Scene| {
        let notes = scene.log().into_iter().filter(|line| line.starts_with('-'));
        let said: String = notes.chain([scene.notice().to_owned()]).collect();
        assert!(said.contains("put a") && !said.contains(&NOW.to_string()), "{said}");
    };
    // The time is filled in.
    for (typed, reason, said) in [
        ("put a x", "wrong command", "error at \"x\" in put a x: a value is a decimal number"),
        ("> put a 1", "disk full", "error in put a 1: disk full"),
    ] {
        let mut scene = Scene::with_sample(120, 30, &[]);
        scene.enter(typed);
        let line = scene.sent.last().unwrap().line.clone();
        assert!(line.ends_with(&format!(" {NOW}")));
        scene.answer(&line, Status::Error, &format!("{reason}\n"));
        assert!(scene.notice().starts_with(said), "{}", scene.notice());
        is_clean(&scene);
    }
    let mut scene = Scene::with_sample(120, 30, &[]);
    scene.enter("put a 1");
    scene.tell(Event::Disconnected("gone".to_owned()));
    assert_eq!(scene.notice(), "no reply to: put a 1");
    let mut scene = Scene::with_sample(120, 30, &[]);
    scene.enter("put a 1");
    let id = scene.sent.last().unwrap().id;
    scene.tell(Event::NotSent { id });
    is_clean(&scene);
    // A time that was typed is a part of it.
    let mut scene = Scene::with_sample(120, 30, &[]);
    scene.enter("put a 1 7");
    scene.answer("put a 1 7", Status::Error, "disk full\n");
    assert_eq!(scene.notice(), "error in put a 1 7: disk full");
}

#[test]
fn a_mistake_is_said_although_there_is_no_server() {
    let mut scene = Scene::new(80, 24, &[]);
    scene.tell(Event::Disconnected("no server there".to_owned()));
    scene.enter("put palm.cpu x");
    assert!(scene.sent.is_empty());
    let why =
        "error at \"x\" in put palm.cpu x: a value is a decimal number such as 23.7, -5 or 1e-3";
    assert_eq!(scene.notice(), format!("{why}; not sent, no server there"));
    assert_eq!(scene.app.input().prompt.text(), "put palm.cpu x");
    let screen = draw(&scene, &Theme::colour(), 80, 24);
    cell_of(&screen, " \"x\": a value is a decimal number such as 23.7, -5 or 1e-3");
}

#[test]
fn what_is_said_of_a_line_leaves_room_for_the_line() {
    let mut scene = Scene::live(40, 10, &["a"], &[]);
    scene.to(Mode::Watch);
    scene.keys("Wrack12.palm.cpu b");
    let screen = draw(&scene, &Theme::colour(), 40, 10);
    cell_of(&screen, " watch: rack12.palm.cpu b  no key has a");
    scene.code(KeyCode::Enter);
    assert_eq!(
        scene.notice(),
        "at character 16: no key has a blank in it; one key or glob at a time"
    );
}

#[test]
fn a_follow_that_is_lost_has_ended() {
    let mut scene = Scene::connected(80, 24, &["a.b"]);
    scene.enter("get x[+]");
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    assert_eq!(scene.notice(), "the follow has ended: get x[+]");
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
        assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit(Ending::Complete)]);
        scene.code(KeyCode::Tab);
    }
    // Where a line is typed, it ends that first.
    scene.press(KeyPress::char('?'));
    assert_eq!(scene.press(KeyPress::ctrl('c')), []);
    assert_eq!(scene.press(KeyPress::ctrl('c')), [Effect::Quit(Ending::Complete)]);
    assert_eq!(scene.tell(Event::Terminate), [Effect::Quit(Ending::Complete)]);
}

#[test]
fn control_z_stops_in_every_mode() {
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
    for _ in 0..4 {
        assert_eq!(scene.press(KeyPress::ctrl('z')), [Effect::Terminal(TerminalOrder::Suspend)]);
        scene.code(KeyCode::Tab);
    }
    scene.press(KeyPress::char('?'));
    assert_eq!(scene.press(KeyPress::ctrl('z')), [Effect::Terminal(TerminalOrder::Suspend)]);
}

#[test]
fn what_the_system_cannot_do_is_said_and_not_listed() {
    let abilities = Abilities { suspend: false, clipboard: true, ..Abilities::default() };
    let mut scene = Scene::with(80, 24, AppConfig { abilities, ..config() });
    assert_eq!(scene.press(KeyPress::ctrl('z')), []);
    assert_eq!(scene.notice(), "this system can't suspend a program; ctrl-c leaves");
    scene.code(KeyCode::F(1));
    let lines = format!("{:?}", scene.help().lines().collect::<Vec<_>>());
    assert!(!lines.contains("suspend") && !lines.contains("tmux"), "{lines}");
    assert!(lines.contains("to the clipboard"), "{lines}");
    scene.code(KeyCode::F(1));
    scene.tell(Event::NotCopied("access is denied".to_owned()));
    assert_eq!(scene.notice(), "not copied: access is denied");
}
