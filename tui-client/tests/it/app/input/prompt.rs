//! The command line: editing, history, completion, checking.

use shared::response::Status;
use std::time::Duration;
use tui_client::app::input::prompt::check::Verdict;

use tui_client::effect::{Effect, FileJob, NetworkOrder};
use tui_client::event::{Event, FollowNews, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

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
    let doubted = |news: FollowNews| {
        let mut scene = Scene::new(80, 24, &[]).follow();
        scene.type_text("get *.t");
        assert_eq!(scene.app.verdict(), Verdict::Accepted, "not known yet");
        scene.news(news);
        scene.app.verdict()
    };
    assert_eq!(doubted(FollowNews::Begun), Verdict::Accepted);
    let why = "this server takes a key or *; / filters the table".to_owned();
    for news in [FollowNews::Ended, FollowNews::Refused("wrong command".to_owned())] {
        assert_eq!(doubted(news), Verdict::Suspicious { at: 4..7, why: why.clone() });
    }
    let full = FollowNews::Refused("too many connections".to_owned());
    assert_eq!(doubted(full), Verdict::Accepted, "it may have them");
}

#[test]
fn a_glob_without_points_explains_that_the_server_may_know_none() {
    let entered = |news: Option<FollowNews>| {
        let mut scene = Scene::new(80, 24, &[]).follow();
        if let Some(news) = news {
            scene.news(news);
        }
        let asked = scene.sent.first().map(|request| request.line.clone());
        if let Some(line) = asked {
            scene.ok(&line, "palm.cpu 1.0 1\n");
        }
        // Out of the history it is sent at once.
        scene.tell(Event::History(vec!["get m.*".to_owned()]));
        scene.press(KeyPress::ctrl('r'));
        scene.type_text("m");
        scene.code(KeyCode::Enter);
        scene.ok("get m.*", "");
        scene
    };
    let scene = entered(Some(FollowNews::Ended));
    let why = "this server knows no globs; in the table W watches m.*, / filters";
    assert_eq!(scene.notice(), why);
    let mut scene = scene.on(Mode::Table, "Wm.*\n");
    scene.ok("get *", "m.x 1.0 1\n");
    assert_eq!(scene.app.watch().keys()[0].key, "m.x", "it does");
    assert_eq!(entered(Some(FollowNews::Begun)).notice(), "no points for m.*");
    let careful = "no points for m.*, or this server knows no globs";
    assert_eq!(entered(None).notice(), careful, "before the server has shown it");
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
fn refused_lines_do_not_become_keys() {
    let mut scene = Scene::used(80, 24);
    scene.enter("got zebra");
    scene.answer("got zebra", Status::Error, "wrong command\n");
    scene.type_text("get z");
    assert_eq!(scene.app.input().prompt.ghost(scene.app.now().unix()), None);
}

#[test]
fn a_typed_follow_ends_with_esc_or_the_next_request_and_holds_no_poll_back() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.answer_all();
    scene.sent.clear();
    scene.enter("get a[+]");
    assert_eq!(scene.notice(), "following; esc or the next request ends it");
    let follow = scene.sent.last().expect("it is sent").clone();
    assert!(follow.capture.raw, "its lines are logged as they come");
    scene.wait(Duration::from_secs(60));
    scene.ok("get *", "a 1.0 1\nb 1.0 1\n");
    let (id, status) = (follow.id, Status::Ok);
    scene.tell(Event::ReplyBegins { id, status });
    scene.tell(Event::Lines { id, status, lines: "a 1.0 1\na - 1\n".to_owned() });
    assert!(scene.log().iter().any(|line| line.ends_with("a - 1")), "{:?}", scene.log());
    let effects = scene.code(KeyCode::Esc);
    assert!(effects.contains(&Effect::Network(NetworkOrder::EndFollow)), "{effects:?}");
    scene.ok("get a[+]", "a 1.0 1\n");
    assert_eq!(scene.notice(), "the follow has ended");
    assert_ne!(scene.app.table().answer().series.len(), 1, "it is no answer for the table");
    scene.wait(Duration::from_secs(5));
    assert!(scene.sent.iter().any(|sent| sent.line == "get *"), "polls go on");
}

#[test]
fn del_is_sent_when_it_is_entered_twice() {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.sent.clear();
    scene.enter("del palm.*[:7]");
    assert_eq!((scene.sent.len(), text(&scene)), (0, "del palm.*[:7]"));
    assert_eq!(
        scene.notice(),
        "deletes points if the server has --allow-delete; Enter sends, esc clears"
    );
    scene.type_text(" ");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.sent[0].line, "del palm.*[:7]");
    scene.ok("del palm.*[:7]", "");
    assert_eq!(scene.notice(), "deleted palm.*[:7]");
    scene.enter("del palm.*[:7]");
    assert!(scene.sent.iter().all(|sent| sent.line == "get *"), "asked for each time");
    scene.code(KeyCode::Enter);
    scene.answer("del palm.*[:7]", Status::Error, "wrong command\n");
    let told = "error in del palm.*[:7]: the server does not allow deletes; start it with \
                --allow-delete";
    assert_eq!(scene.notice(), told);
}

#[test]
fn tab_completes_clauses_of_selectors() {
    let mut scene = Scene::used(80, 24);
    for (typed, completed) in [
        ("get palm.*[l", "get palm.*[last"),
        ("get palm.*[last:", "get palm.*[last:60]"),
        ("get palm.cpu[+", "get palm.cpu[+]"),
        ("del palm.*[-15", "del palm.*[-15m:]"),
        ("del eard", "del eardrum.memory_used"),
    ] {
        scene.press(KeyPress::ctrl('u'));
        scene.type_text(typed);
        scene.code(KeyCode::Tab);
        assert_eq!(text(&scene), completed, "{typed}");
    }
}

#[test]
fn a_long_request_or_path_does_not_hide_the_reason() {
    let long = "k".repeat(300);
    let mut scene = Scene::connected(80, 24, &[]);
    let bottom = |scene: &Scene| {
        let screen = draw(scene, &Theme::colour(), 80, 24).to_string();
        screen.lines().last().unwrap().to_owned()
    };
    for (line, reply, reason) in [
        (format!("put {long}"), "wrong command\n", ": a value is missing"),
        (format!("got {}", "a ".repeat(99)), "wrong command\n", "the commands are put,"),
        (format!("put {long} 1 1"), "the disk is full\n", ": the disk is full"),
    ] {
        scene.enter(&line);
        let sent = scene.sent.last().unwrap().line.clone();
        scene.answer(&sent, Status::Error, reply);
        assert!(bottom(&scene).contains(reason), "{}", bottom(&scene));
        scene.code(KeyCode::Esc);
    }
    let (path, reason) = (format!("/tmp/{long}"), "no such folder".to_owned());
    scene.tell(Event::PictureNotSaved { path, reason });
    assert!(bottom(&scene).contains("not saved, no such folder"), "{}", bottom(&scene));
}
