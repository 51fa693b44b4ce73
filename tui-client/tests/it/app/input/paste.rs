//! Pasted lines.

use shared::limits::MAX_LINE;
use shared::response::Status;
use tui_client::app::input::prompt::check::Verdict;
use tui_client::app::input::prompt::paste::Wrong;
use tui_client::effect::{Effect, NetworkOrder};
use tui_client::event::{Event, KeyCode};
use tui_client::import::{ImportEnd, ImportNews};
use tui_client::keymap::Mode;
use tui_client::request::explain::error_message_of_line;
use tui_client::view::theme::Theme;
use tui_client::wire_log::entry::Tone;

use crate::harness::scene::Scene;
use crate::harness::snapshot::{cell_of, draw};

fn text(scene: &Scene) -> &str {
    scene.app.input().prompt.text()
}

#[test]
fn one_pasted_line_is_typed_and_several_need_confirmation() {
    let mut scene = Scene::used(80, 24);
    scene.sent.clear();
    scene.tell(Event::Paste("put a 1 1\n".to_owned()));
    assert_eq!((text(&scene), scene.sent.len()), ("put a 1 1", 0), "Enter sends it");
    scene.code(KeyCode::Esc);
    scene.type_text("draft");
    scene.tell(Event::Paste("put a 1 1\r\n\r\n> put a 2 2\nget a".to_owned()));
    assert_eq!((scene.app.mode(), scene.pasted().lines), (Mode::Confirm, 3));
    scene.code(KeyCode::Esc);
    assert_eq!((scene.sent.len(), scene.notice()), (0, "3 lines not sent"));
    scene.tell(Event::Paste("put a 1 1\r\n\r\n> put a 2 2\nget a".to_owned()));
    scene.code(KeyCode::Enter);
    let lines: Vec<_> = scene.sent.iter().map(|request| &*request.line).collect();
    assert_eq!(lines, ["put a 1 1", "put a 2 2", "get a"]);
    assert_eq!((text(&scene), scene.app.mode()), ("draft", Mode::Prompt));
}

#[test]
fn a_tab_in_a_pasted_line_is_a_blank() {
    let mut scene = Scene::used(80, 24);
    scene.tell(Event::Paste("put\ttab.w 5\t1150864247\x07\n".to_owned()));
    assert_eq!(text(&scene), "put tab.w 5 1150864247");
    scene.code(KeyCode::Esc);
    // Where the terminal does not say what is pasted, a tab is a key.
    for part in ["put", "tab.w", "5", "1150864247"] {
        scene.type_text(part);
        scene.code(KeyCode::Tab);
    }
    assert_eq!(text(&scene), "put tab.w 5 1150864247 ");
}

#[test]
fn a_line_that_is_too_long_is_shown_whole_and_not_sent() {
    let mut scene = Scene::used(80, 24);
    scene.sent.clear();
    let long = format!("get a{}b", " ".repeat(MAX_LINE));
    scene.tell(Event::Paste(long.clone()));
    assert_eq!(text(&scene), long);
    let why = "a request has at most 4096 bytes";
    assert_eq!(scene.app.verdict(), Verdict::Wrong { at: 0..long.len(), why: why.to_owned() });
    scene.code(KeyCode::Enter);
    assert_eq!(scene.notice(), format!("not sent: {why}, this one has 4,102"));
    assert_eq!((text(&scene), scene.sent.len()), (&*long, 0), "to be mended");

    scene.tell(Event::Paste("x".repeat(1_000_000)));
    assert_eq!(scene.notice(), "not taken: the line would be longer than 16.3 kB");
    assert_eq!(text(&scene), long, "nothing is cut");
}

#[test]
fn pasted_lines_are_checked_before_they_are_sent() {
    let wrong = |text: String| {
        let mut scene = Scene::used(80, 24);
        scene.tell(Event::Paste(text));
        scene.pasted().wrong
    };
    let none = Wrong { lines: 0, first: 0, at_least: false };
    assert_eq!(wrong("put a 1\n>\n> get a\\n\n".to_owned()), none, "as they would be sent");
    let two = Wrong { lines: 2, first: 3, at_least: false };
    assert_eq!(wrong("put a 1 1\n\nget a\nput a 1,5 1\nput b 1 1\ngot b\n".to_owned()), two);
    let many = format!("put a 1\nput x\n{}", "get a\n".repeat(100_000));
    assert_eq!(wrong(many), Wrong { lines: 1, first: 2, at_least: true });
}

#[test]
fn the_first_invalid_pasted_line_has_its_reason() {
    let mut scene = Scene::used(80, 24);
    scene.tell(Event::Paste("put a 1 1\nput a 1,5 1\ngot b\n".to_owned()));
    let screen = draw(&scene, &Theme::colour(), 80, 24);
    cell_of(&screen, "line 2: a value is a decimal number such as 23.7, -5 or 1e-3");
}

#[test]
fn pasted_lines_wait_for_the_connection() {
    let mut scene = Scene::used(80, 24);
    scene.tell(Event::Disconnected("gone".to_owned()));
    scene.tell(Event::Paste("put a 1 1\nput a 2 2\n".to_owned()));
    scene.sent.clear();
    scene.code(KeyCode::Enter);
    assert!(scene.sent.is_empty());
    assert_eq!(scene.app.mode(), Mode::Confirm);
    scene.tell(Event::Connected);
    scene.code(KeyCode::Enter);
    assert!(scene.sent.iter().any(|request| request.line == "put a 2 2"));
}

pub fn paste_many(scene: &mut Scene) -> u64 {
    let text: String = (0..50_000).map(|n| format!("put a {n} {n}\n")).collect();
    scene.tell(Event::Paste(text));
    let effects = scene.code(KeyCode::Enter);
    let [Effect::Network(NetworkOrder::Import { id, text })] = &effects[..] else {
        panic!("one stream: {effects:?}")
    };
    assert!(text.len() > 700_000);
    *id
}

pub fn news(id: u64, answered: u64, end: Option<ImportEnd>) -> Event {
    let refusals = vec![error_message_of_line(17, b"put a b 16", "wrong command")];
    Event::Import(ImportNews { id, answered, sent: answered + 12_000, refused: 1, refusals, end })
}

#[test]
fn a_large_paste_is_a_stream_with_progress() {
    let mut scene = Scene::used(80, 24);
    let id = paste_many(&mut scene);
    scene.tell(news(id, 20_000, None));
    let import = scene.app.input().paste.import().unwrap();
    assert_eq!((import.lines, import.news.answered, import.news.refused), (50_000, 20_000, 1));
    let refusal = "- error at \"b\" in line 17, put a b 16: a value is a decimal number such as";
    assert!(scene.log().iter().any(|line| line.starts_with(refusal)), "{:?}", scene.log());
    scene.type_text("get a");
    assert_eq!(text(&scene), "get a", "typing goes on meanwhile");
    scene.tell(news(id, 50_000, Some(ImportEnd::Whole)));
    assert!(scene.app.input().paste.import().is_none());
    assert_eq!(scene.notice(), "50,000 lines sent, 1 refused in 0s");
    assert_eq!(scene.log().last().unwrap(), "- 50,000 lines sent, 1 refused in 0s");
    assert_eq!(scene.app.notice().unwrap().tone, Tone::Bad);
    scene.tell(news(id, 1, None));
    assert!(scene.app.input().paste.import().is_none(), "late news are no news");
}

#[test]
fn a_large_paste_ends_by_a_stop_or_a_lost_connection() {
    let mut scene = Scene::used(80, 24);
    let id = paste_many(&mut scene);
    assert_eq!(scene.code(KeyCode::Esc), [Effect::Network(NetworkOrder::StopImport)]);
    scene.tell(news(id, 7000, Some(ImportEnd::Stopped)));
    let stopped = "stopped: 7,000 of 50,000 lines answered, 12,000 more sent, perhaps stored";
    assert_eq!(scene.notice(), stopped);
    assert!(scene.app.input().paste.import().is_none());
    paste_many(&mut scene);
    scene.tell(Event::Disconnected("gone".to_owned()));
    assert!(scene.app.input().paste.import().is_none());
    assert!(scene.notice().starts_with("connection lost"), "{}", scene.notice());
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
    assert!(said.starts_with("3 pasted lines sent, 1 refused; error at \"x\""), "{said}");
    let screen = draw(&scene, &Theme::colour(), 80, 24);
    cell_of(&screen, "1 of 3 refused; \"x\": a value is a decimal number such as 23.7, -5 or 1e-3");
}

#[test]
fn what_comes_after_a_pause_belongs_to_the_paste_before() {
    for (pieces, lines) in [
        (&["put a 1 1\nput b 2 2\n", "put c 3 3\n"][..], 3),
        (&["put a 1 1\nput b", " 2 2\nput c 3 3"], 3),
        (&["put a", " 1 1\nput b 2 2\n"], 2),
        (&["put a 1 1\n", "put b 2 2\n", "put c 3 3\n"], 3),
    ] {
        let mut scene = Scene::connected(80, 24, &[]);
        scene.tell(Event::Paste(pieces[0].to_owned()));
        for piece in &pieces[1..] {
            scene.tell(Event::PasteGoesOn((*piece).to_owned()));
        }
        let pasted = scene.pasted();
        assert_eq!((pasted.lines, pasted.wrong.lines), (lines, 0), "{pieces:?}: {}", pasted.text);
        assert_eq!(scene.app.input().prompt.text(), "", "{pieces:?}");
    }
    let mut scene = Scene::connected(80, 24, &[]);
    scene.tell(Event::Paste("put a".to_owned()));
    scene.tell(Event::PasteGoesOn(" 1 1\n".to_owned()));
    assert_eq!(scene.app.input().prompt.text(), "put a 1 1");
}

#[test]
fn a_paste_that_is_too_long_changes_nothing() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.type_text("put a");
    scene.tell(Event::PasteDropped);
    assert_eq!(scene.app.input().prompt.text(), "put a");
    assert_eq!(scene.notice(), "not taken: too long to paste; tui-client < FILE sends it");
}
