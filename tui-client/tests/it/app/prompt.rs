//! The command line: editing, history, completion, checking, pasting.

use shared::limits::MAX_LINE;
use shared::response::Status;
use tui_client::app::input::prompt::check::Verdict;
use tui_client::app::input::prompt::paste::Wrong;
use tui_client::effect::{Effect, FileJob, NetworkOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::import::{ImportEnd, ImportNews};
use tui_client::keymap::Mode;
use tui_client::request::explain::error_message_of_line;
use tui_client::view::theme::Theme;
use tui_client::wire_log::entry::Tone;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{cell_of, draw};

fn text(scene: &Scene) -> &str {
    scene.app.input().prompt.text()
}

#[test]
fn history_keeps_entered_lines_without_repetition() {
    let mut scene = Scene::connected(80, 24, &[]);
    let remembered = |effects: Vec<Effect>| {
        effects
            .into_iter()
            .any(|effect| effect == Effect::File(FileJob::AppendHistory("get a".to_owned())))
    };
    assert!(remembered(scene.enter("get a")));
    assert!(!remembered(scene.enter("get a")), "the same again");
    scene.tell(Event::History(vec!["get older".to_owned(), "put older 1".to_owned()]));
    scene.type_text("put");
    scene.code(KeyCode::Up);
    assert_eq!(text(&scene), "put older 1");
    scene.code(KeyCode::Up);
    assert_eq!(text(&scene), "put older 1", "nothing else begins so");
    scene.code(KeyCode::Down);
    assert_eq!(text(&scene), "put", "the draft");
    scene.type_text("ty");
    scene.code(KeyCode::Up);
    assert_eq!(text(&scene), "putty", "nothing begins so");
    assert_eq!(scene.notice(), "no older line begins like this");
}

#[test]
fn history_search_finds_lines_and_restores_the_draft() {
    let mut scene = Scene::used(80, 24);
    scene.enter("put palm.disk 1");
    scene.type_text("draft");
    scene.press(KeyPress::ctrl('r'));
    scene.type_text("palm");
    assert_eq!(scene.history_search().text(), "put palm.disk 1");
    scene.press(KeyPress::ctrl('r'));
    assert_eq!(scene.history_search().text(), "put palm.cpu 23.7");
    scene.press(KeyPress::ctrl('r'));
    assert!(scene.history_search().failed);
    scene.press(KeyPress::ctrl('s'));
    assert_eq!(scene.history_search().text(), "put palm.disk 1");
    scene.code(KeyCode::Esc);
    assert_eq!((text(&scene), scene.app.mode()), ("draft", Mode::Prompt));
    scene.press(KeyPress::ctrl('r'));
    scene.type_text("cpu");
    scene.code(KeyCode::Right);
    assert_eq!(text(&scene), "put palm.cpu 23.7", "to be edited");
    scene.press(KeyPress::ctrl('r'));
    scene.type_text("memory");
    scene.sent.clear();
    scene.code(KeyCode::Enter);
    assert_eq!(scene.sent[0].line, "get eardrum.memory_used", "sent at once");
}

#[test]
fn history_search_without_a_match_sends_nothing() {
    for pattern in ["", "zebra"] {
        let mut scene = Scene::used(80, 24);
        scene.type_text("put draft 1");
        scene.press(KeyPress::ctrl('r'));
        scene.type_text(pattern);
        scene.sent.clear();
        scene.code(KeyCode::Enter);
        assert!(scene.sent.is_empty(), "{:?}", scene.sent);
        assert_eq!((text(&scene), scene.app.mode()), ("put draft 1", Mode::Prompt));
        assert_eq!(scene.notice(), "no such line, nothing sent");
    }
}

#[test]
fn ctrl_moves_by_words_and_search_deletes_words() {
    let mut scene = Scene::used(80, 24);
    scene.type_text("put palm.cpu 1");
    for (code, cursor) in [(KeyCode::Left, 13), (KeyCode::Left, 9), (KeyCode::Right, 12)] {
        scene.press(KeyPress { ctrl: true, ..KeyPress::plain(code) });
        assert_eq!(scene.app.input().prompt.editor().cursor(), cursor, "{code:?}");
    }
    let pattern = |scene: &Scene| scene.input().text().to_owned();
    scene.press(KeyPress::ctrl('r'));
    scene.type_text("put palm.cpu");
    scene.press(KeyPress::alt(KeyCode::Backspace));
    assert_eq!(pattern(&scene), "put palm.");
    scene.press(KeyPress::ctrl('w'));
    assert_eq!(pattern(&scene), "put ");
    assert_eq!(scene.history_search().text(), "put palm.cpu 23.7", "found anew");
}

#[test]
fn tab_completes_and_cycles_commands_and_keys() {
    let mut scene = Scene::used(80, 24);
    scene.ok("put palm.cpu 23.7 1150864260", "");
    scene.type_text("p");
    scene.code(KeyCode::Tab);
    assert_eq!(text(&scene), "put ");
    scene.type_text("ea");
    scene.code(KeyCode::Tab);
    assert_eq!(text(&scene), "put eardrum.memory_used ", "the only one");
    scene.press(KeyPress::ctrl('w'));
    scene.code(KeyCode::Tab);
    assert_eq!(text(&scene), "put eardrum.memory_used ");
    scene.code(KeyCode::Tab);
    assert_eq!(text(&scene), "put palm.cpu ");
    scene.code(KeyCode::BackTab);
    assert_eq!(text(&scene), "put eardrum.memory_used ");
    assert_eq!(scene.notice(), "eardrum.memory_used  palm.cpu  火.температура😀");
    scene.press(KeyPress::ctrl('_'));
    scene.press(KeyPress::ctrl('u'));
    scene.type_text("get 火");
    scene.code(KeyCode::Tab);
    assert_eq!(text(&scene), "get 火.температура😀");
    scene.code(KeyCode::Tab);
    scene.type_text(" x");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.notice(), "nothing known completes this word");
    scene.code(KeyCode::Esc);
    scene.code(KeyCode::Tab);
    assert_eq!(scene.app.mode(), Mode::Table, "with nothing typed, Tab leaves");
    scene.code(KeyCode::BackTab);
    scene.type_text("draft");
    scene.code(KeyCode::BackTab);
    assert_eq!((scene.app.mode(), text(&scene)), (Mode::Log, "draft"), "a draft waits");
}

#[test]
fn escape_closes_the_list_of_completions_before_it_clears_the_line() {
    let mut scene = Scene::used(80, 24);
    scene.type_text("get ");
    scene.code(KeyCode::Tab);
    scene.code(KeyCode::Tab);
    let line = text(&scene).to_owned();
    assert!(scene.app.notice().is_some() && line.len() > 4);
    scene.code(KeyCode::Esc);
    assert_eq!((text(&scene), scene.app.notice()), (&*line, None));
    scene.code(KeyCode::Esc);
    assert_eq!(text(&scene), "");
}

#[test]
fn a_suggestion_is_accepted_whole_or_by_the_word() {
    let mut scene = Scene::used(80, 24);
    let ghost =
        |scene: &Scene| scene.app.input().prompt.ghost(scene.app.now().unix()).unwrap_or_default();
    assert_eq!(ghost(&scene), "");
    scene.type_text("pu");
    assert_eq!(ghost(&scene), "t palm.cpu 23.7", "entered before");
    scene.press(KeyPress::alt(KeyCode::Char('f')));
    assert_eq!(text(&scene), "put");
    scene.press(KeyPress::alt(KeyCode::Char('f')));
    assert_eq!(text(&scene), "put palm");
    scene.press(KeyPress::ctrl('e'));
    assert_eq!(text(&scene), "put palm.cpu 23.7");
    scene.type_text(" ");
    assert_eq!(ghost(&scene), NOW.to_string(), "the current time");
    scene.code(KeyCode::End);
    assert_eq!(text(&scene), format!("put palm.cpu 23.7 {NOW}"));
    assert_eq!(
        scene.app.input().prompt.date(scene.app.now(), scene.app.zone()).unwrap(),
        "2006-06-21 04:31:00, 0s ago"
    );
    scene.code(KeyCode::Esc);
    scene.type_text("get pa");
    assert_eq!(ghost(&scene), "lm.cpu", "a key of a reply");
    scene.code(KeyCode::Left);
    assert_eq!(ghost(&scene), "", "only behind the end");
    scene.code(KeyCode::Right);
    scene.code(KeyCode::Right);
    assert_eq!(text(&scene), "get palm.cpu");
}

#[test]
fn the_line_is_checked_by_the_parser_of_the_server() {
    let mut scene = Scene::used(80, 24);
    scene.type_text("put a 1,5 7");
    let Verdict::Wrong { at, why } = scene.app.verdict() else { panic!("wrong") };
    assert_eq!((at, &*why), (6..9, "a value is a decimal number such as 23.7, -5 or 1e-3"));
    scene.code(KeyCode::Esc);
    scene.type_text("put palm");
    assert!(matches!(scene.app.verdict(), Verdict::Unfinished(_)));
    scene.press(KeyPress::ctrl('e'));
    assert_eq!(scene.app.verdict(), Verdict::Accepted);
}

#[test]
fn a_suspicious_timestamp_is_marked_and_still_sent() {
    let mut scene = Scene::used(80, 24);
    scene.type_text(&format!("put palm.far 1 {NOW}797"));
    let why = "in 36432y: milliseconds?".to_owned();
    assert_eq!(scene.app.verdict(), Verdict::Suspicious { at: 15..28, why });
    scene.press(KeyPress::ctrl('w'));
    scene.type_text(&(NOW + 100_000_000).to_string());
    let why = "2009-08-21 14:17:40, in 3y: is that meant?".to_owned();
    assert_eq!(scene.app.verdict(), Verdict::Suspicious { at: 15..25, why });
    scene.press(KeyPress::ctrl('w'));
    scene.type_text(&format!("{NOW}797"));
    scene.sent.clear();
    scene.code(KeyCode::Enter);
    assert_eq!(scene.sent[0].line, format!("put palm.far 1 {NOW}797"));
}

#[test]
fn a_glob_is_marked_if_the_server_has_no_globs() {
    let doubted = |data: &str| {
        let mut scene = Scene::used(80, 24);
        scene.type_text("get *");
        assert!(scene.sent.iter().all(|request| !request.line.ends_with("[last]")), "not yet");
        scene.type_text(".t");
        assert_eq!(scene.app.verdict(), Verdict::Accepted, "not known yet");
        let log = scene.log();
        scene.ok("get palm.cpu[last]", data);
        assert_eq!(scene.log(), log, "nobody sent that");
        scene.app.verdict()
    };
    assert_eq!(doubted("palm.cpu 1.0 1\n"), Verdict::Accepted);
    let why = "this server takes a key or *; / filters the table".to_owned();
    assert_eq!(doubted(""), Verdict::Suspicious { at: 4..7, why });
}

#[test]
fn a_glob_without_points_explains_that_the_server_may_know_none() {
    let entered = |known: Option<&str>| {
        let mut scene = Scene::connected(80, 24, &[]);
        scene.ok("get *", if known.is_some() { "palm.cpu 1.0 1\n" } else { "" });
        // Out of the history it is sent at once.
        scene.tell(Event::History(vec!["get m.*".to_owned()]));
        scene.press(KeyPress::ctrl('r'));
        scene.type_text("m");
        scene.code(KeyCode::Enter);
        if let Some(data) = known {
            scene.ok("get palm.cpu[last]", data);
        }
        scene.ok("get m.*", "");
        scene
    };
    let scene = entered(Some(""));
    let why = "this server knows no globs; in the table W watches m.*, * shows all keys";
    assert_eq!(scene.notice(), why);
    let mut scene = scene.on(Mode::Table, "Wm.*\n");
    scene.ok("get *", "m.x 1.0 1\n");
    assert_eq!(scene.app.watch().keys()[0].key, "m.x", "it does");
    assert_eq!(entered(Some("palm.cpu 1.0 1\n")).notice(), "no points for m.*");
    let careful = "no points for m.*, or this server knows no globs";
    assert_eq!(entered(None).notice(), careful, "there is no key to find that out with");
}

#[test]
fn refused_lines_are_not_suggested() {
    let mut scene = Scene::used(80, 24);
    let wrong = ["get good", "got bad", "get b c", "put a x 1", "get"];
    scene.tell(Event::History(wrong.map(str::to_owned).to_vec()));
    let ghost = |scene: &mut Scene, text: &str| {
        scene.code(KeyCode::Esc);
        scene.type_text(text);
        scene.app.input().prompt.ghost(scene.app.now().unix()).unwrap_or_default()
    };
    assert_eq!(ghost(&mut scene, "get g"), "ood");
    assert_eq!(ghost(&mut scene, "get b"), "", "it is no request");
    assert_eq!(ghost(&mut scene, "got"), "");
    scene.code(KeyCode::Up);
    assert_eq!(text(&scene), "got bad", "it can be mended all the same");
    let mut enter = |status, data: &str| {
        scene.code(KeyCode::Esc);
        scene.enter("put full 1");
        scene.answer(&format!("put full 1 {NOW}"), status, data);
        ghost(&mut scene, "put full ")
    };
    assert_eq!(enter(Status::Error, "the disk is full\n"), "");
    assert_eq!(enter(Status::Ok, ""), "1");
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
    assert_eq!((import.lines, import.answered, import.refused), (50_000, 20_000, 1));
    let refusal = "- error at \"b\" in line 17: put a b 16: a value is a decimal number such as";
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
fn refused_lines_do_not_become_keys() {
    let mut scene = Scene::used(80, 24);
    scene.enter("got zebra");
    scene.answer("got zebra", Status::Error, "wrong command\n");
    scene.type_text("get z");
    assert_eq!(scene.app.input().prompt.ghost(scene.app.now().unix()), None);
}
