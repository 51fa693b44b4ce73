//! The wire log: selection, search, filter, copy, save.

use std::time::Duration;

use shared::response::Status;
use tui_client::app::AppConfig;
use tui_client::effect::{Effect, FileJob, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::text::number::count;
use tui_client::view::theme::Theme;
use tui_client::wire_log::entry::{Direction, Remark};

use crate::harness::scene::{Scene, config};
use crate::harness::snapshot::{cell_of, draw};

/// A scene with the keys in the log.
pub fn in_log(width: u16, height: u16) -> Scene {
    let mut scene = Scene::used(width, height);
    scene.enter("got *");
    scene.answer("got *", Status::Error, "wrong command\n");
    scene.enter("get palm.cpu");
    scene.ok("get palm.cpu", "palm.cpu 23.5 1150864000\npalm.cpu 23.7 1150864001\n");
    scene.code(KeyCode::BackTab);
    assert_eq!(scene.app.mode(), Mode::Log);
    scene
}

fn selected(scene: &Scene) -> &str {
    scene.app.log().selected_entry().unwrap().text
}

#[test]
fn requests_and_replies_are_kept_as_data() {
    let scene = in_log(80, 24);
    let lines: Vec<_> = scene.app.log().visible(100).collect();
    let request = lines.iter().rfind(|line| line.text == "get palm.cpu").unwrap();
    assert_eq!(request.remark, Some(Remark::Request { bytes: 13, filled: false }));
    let of: Vec<_> = lines.iter().filter(|line| line.exchange == request.exchange).collect();
    assert_eq!(of.len(), 4);
    assert_eq!(of[1].direction, Direction::In);
    let Some(Remark::Reply(cost)) = of[1].remark else { panic!("what it cost: {:?}", of[1]) };
    assert_eq!((cost.points, cost.bytes, cost.took.as_micros()), (2, 54, 1200));
}

#[test]
fn an_error_says_which_request_it_answers_and_why() {
    let mut scene = in_log(80, 24);
    scene.code(KeyCode::Tab);
    for line in ["put a 12,7 1", "put b 1 1", "get c"] {
        scene.enter(line);
    }
    scene.answer("put a 12,7 1", Status::Error, "wrong command\n");
    scene.ok("put b 1 1", "");
    scene.answer("get c", Status::Error, "the disk is broken\n");
    let value = "error at \"12,7\" in put a 12,7 1: a value is a decimal number such as 23.7, -5 or \
                 1e-3";
    let disk = "error in get c: the disk is broken";
    let log = scene.log();
    let end = ["< error", "< wrong command", &format!("- {value}"), "< ok", "< error"];
    assert_eq!(log[log.len() - 7..log.len() - 2], end);
    assert_eq!(log[log.len() - 2..], ["< the disk is broken", &format!("- {disk}")]);
    assert_eq!(scene.notice(), disk, "in the same words");

    scene.code(KeyCode::BackTab);
    scene.keys("&12,7\n");
    assert_eq!(selected(&scene), value);
    let copied = format!("put a 12,7 1\nerror\nwrong command\n{value}");
    assert_eq!(
        scene.press(KeyPress::char('E')),
        [Effect::Terminal(TerminalOrder::Copy(copied))],
        "all of the exchange"
    );
}

#[test]
fn search_goes_up_and_n_repeats_it() {
    let mut scene = in_log(80, 24);
    scene.press(KeyPress::char('/'));
    scene.type_text("GET");
    assert_eq!(scene.app.mode(), Mode::LogInput);
    scene.press(KeyPress::ctrl('u'));
    scene.type_text("get ");
    assert_eq!(selected(&scene), "get palm.cpu", "while it is typed");
    scene.code(KeyCode::Enter);
    scene.press(KeyPress::char('n'));
    assert_eq!(selected(&scene), "get eardrum.memory_used");
    scene.press(KeyPress::char('n'));
    assert_eq!(selected(&scene), "get *");
    scene.press(KeyPress::char('n'));
    let wrapped = "none above: gone on from the newest line";
    assert_eq!((selected(&scene), scene.notice()), ("get palm.cpu", wrapped));
    scene.press(KeyPress::char('N'));
    let wrapped = "none below: gone on from the oldest line";
    assert_eq!((selected(&scene), scene.notice()), ("get *", wrapped));
    scene.press(KeyPress::char('N'));
    assert_eq!(selected(&scene), "get eardrum.memory_used");
    scene.press(KeyPress::char('/'));
    scene.type_text("wrong");
    scene.code(KeyCode::Esc);
    assert_eq!(selected(&scene), "get eardrum.memory_used", "back to where it began");
    assert_eq!(scene.app.log().search().unwrap().text(), "get ", "and to what was searched for");
    scene.keys("/zebra");
    assert_eq!(scene.notice(), "no match for zebra");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.notice(), "no match for zebra", "it stays");
    scene.keys("n");
    assert_eq!(scene.notice(), "no match for zebra", "and comes again");
}

#[test]
fn an_empty_search_repeats_the_last_one() {
    let mut scene = in_log(80, 24);
    scene.keys("/\n");
    assert_eq!(scene.notice(), "nothing was searched for before");
    scene.keys("/get \n");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.log().search(), None);
    assert_eq!(selected(&scene), "get palm.cpu");
    scene.keys("/");
    cell_of(&draw(&scene, &Theme::colour(), 80, 24), "enter: get  again");
    scene.code(KeyCode::Enter);
    assert_eq!(selected(&scene), "get eardrum.memory_used");
    assert_eq!(scene.app.log().search().unwrap().text(), "get ");
}

#[test]
fn escape_goes_back_step_by_step_before_it_leaves_the_log() {
    let filter = |scene: &Scene| scene.app.log().filter().map(|it| it.text().to_owned());
    for (keys, steps) in [
        ("/palm\n", &["search dropped"][..]),
        ("&palm\n", &["filter dropped, & ↑ brings back palm"]),
        ("&palm\n/cpu\n", &["search dropped", "filter dropped, & ↑ brings back palm"]),
    ] {
        let mut scene = in_log(80, 24);
        scene.keys(keys);
        for step in steps {
            let before = filter(&scene);
            scene.code(KeyCode::Esc);
            assert_eq!((scene.app.mode(), scene.notice()), (Mode::Log, *step));
            assert!(filter(&scene) == before || step.starts_with("filter"), "{keys}: {step}");
        }
        assert_eq!((scene.app.log().search(), scene.app.log().filter()), (None, None));
        scene.press(KeyPress::char('n'));
        assert_eq!(scene.notice(), "nothing is searched for: press / first");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Prompt);
    }
}

#[test]
fn a_filter_that_was_dropped_comes_back_with_one_key() {
    let mut scene = in_log(80, 24);
    scene.keys("&");
    let hint = "↑ dropped";
    assert!(!draw(&scene, &Theme::colour(), 80, 24).to_string().contains(hint));
    scene.keys("palm\n");
    let shown = scene.app.log().shown();
    scene.code(KeyCode::Esc);
    assert!(scene.app.log().shown() > shown);
    scene.keys("&");
    assert!(draw(&scene, &Theme::colour(), 80, 24).to_string().contains(hint));
    scene.code(KeyCode::Up);
    assert_eq!(scene.app.log().shown(), shown, "in force at once");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.log().filter().unwrap().text(), "palm");
}

#[test]
fn a_filter_follows_what_is_typed() {
    let mut scene = in_log(80, 24);
    let all = scene.app.log().len();
    scene.press(KeyPress::char('&'));
    scene.type_text("palm");
    assert_eq!(scene.app.log().shown(), scene.log().len() as u64);
    assert!(scene.log().iter().all(|line| line.contains("palm")));
    scene.code(KeyCode::Enter);
    scene.code(KeyCode::Up);
    let line = selected(&scene).to_owned();
    let filtered = scene.log();
    scene.press(KeyPress::char('&'));
    scene.press(KeyPress::ctrl('u'));
    assert_eq!((scene.app.log().shown(), selected(&scene)), (all, &*line), "with context now");
    scene.keys("got");
    scene.code(KeyCode::Esc);
    scene.wait(Duration::ZERO);
    assert_eq!((scene.log(), selected(&scene)), (filtered, &*line), "back to how it was");
    scene.press(KeyPress::char('&'));
    scene.press(KeyPress::ctrl('u'));
    scene.code(KeyCode::Enter);
    assert_eq!((scene.app.log().filter(), selected(&scene)), (None, &*line), "no text, no filter");
}

#[test]
fn a_new_request_scrolls_the_log_to_its_reply() {
    let mut scene = in_log(80, 24);
    scene.code(KeyCode::Home);
    assert!(!scene.app.log().follows());
    scene.enter("get a");
    assert!(scene.app.log().follows());
    scene.code(KeyCode::BackTab);
    scene.code(KeyCode::Home);
    scene.tell(Event::Paste("get a\nget b\n".to_owned()));
    assert!(!scene.app.log().follows(), "nothing is sent yet");
    scene.code(KeyCode::Enter);
    assert!(scene.app.log().follows());
}

#[test]
fn the_log_is_filtered_by_direction_and_by_time() {
    let mut scene = in_log(80, 24);
    let filtered = |scene: &mut Scene, filter: &str| {
        scene.press(KeyPress::char('&'));
        scene.press(KeyPress::ctrl('u'));
        scene.keys(filter);
        scene.code(KeyCode::Enter);
        scene.log()
    };
    let sent = ["> get *", "> put palm.cpu 23.7 1150864260", "> get eardrum.memory_used"];
    let asked = ["> got *", "> get palm.cpu"];
    assert_eq!(filtered(&mut scene, ">"), [&sent[..], &asked].concat());
    assert_eq!(filtered(&mut scene, "> get p"), ["> get palm.cpu"]);
    assert_eq!(filtered(&mut scene, "< wrong"), ["< wrong command"]);
    scene.wait(Duration::from_secs(60));
    scene.enter("get later");
    scene.code(KeyCode::BackTab);
    assert_eq!(filtered(&mut scene, "> 04:32"), ["> get later"]);
}

#[test]
fn the_log_can_be_enlarged_to_the_whole_screen() {
    let mut scene = in_log(80, 24);
    let small = scene.app.layout();
    let large = |scene: &Scene| {
        let layout = scene.app.layout();
        assert_eq!(layout.prompt, small.prompt);
        (layout.table, layout.log.unwrap().height)
    };
    scene.code(KeyCode::Home);
    scene.keys("f");
    assert_eq!(large(&scene), (None, 19));
    scene.sent.clear();
    scene.wait(Duration::from_secs(1));
    let polls: Vec<_> = scene.sent.iter().map(|request| &*request.line).collect();
    assert_eq!(polls, ["get *"], "they go on");
    let first = selected(&scene).to_owned();
    scene.enter("get a");
    assert_eq!(large(&scene), (None, 19), "a reply is seen in it");
    scene.code(KeyCode::BackTab);
    scene.code(KeyCode::Home);
    scene.keys("f");
    assert_eq!((scene.app.layout(), selected(&scene)), (small, &*first));
    assert_eq!(scene.app.log().visible(small.log_rows()).next().unwrap().text, first, "in sight");

    scene.keys("f/get\n");
    scene.code(KeyCode::Esc);
    assert_eq!((scene.notice(), large(&scene)), ("search dropped", (None, 19)));
    scene.code(KeyCode::Esc);
    assert_eq!((scene.app.mode(), scene.app.layout()), (Mode::Log, small));
    scene.keys("f");
    scene.code(KeyCode::Tab);
    scene.code(KeyCode::Tab);
    assert_eq!((scene.app.mode(), scene.app.layout()), (Mode::Table, small), "another pane");
}

#[test]
fn lines_and_exchanges_are_copied() {
    let mut scene = in_log(80, 24);
    let copied = |text: &str| [Effect::Terminal(TerminalOrder::Copy(text.to_owned()))];
    assert_eq!(scene.press(KeyPress::char('y')), copied("palm.cpu 23.7 1150864001"));
    assert_eq!(
        scene.press(KeyPress::char('E')),
        copied("get palm.cpu\nok\npalm.cpu 23.5 1150864000\npalm.cpu 23.7 1150864001")
    );
    assert_eq!(scene.notice(), "exchange copied");
}

/// The keys in the log, which is raw, and a poll under way.
fn raw() -> Scene {
    let mut scene = Scene::connected(80, 24, &[]);
    scene.ok("get *", "a.b 1.0 1\n");
    scene.code(KeyCode::BackTab);
    scene.press(KeyPress::char('R'));
    assert!(scene.app.log().is_raw());
    scene.wait(Duration::from_secs(1));
    scene
}

#[test]
fn the_raw_log_has_every_line_of_every_reply() {
    let mut scene = raw();
    let lines: Vec<_> = (0..500).map(|n| format!("a.b {n}.0 {n}\n")).collect();
    scene.ok("get *", &lines.concat());
    let log = scene.log();
    let poll = &log[log.len() - 503..];
    assert_eq!(poll[..3], ["> get *", "< ok", "< a.b 0.0 0"]);
    assert_eq!(poll[501..], ["< a.b 499.0 499", "< "]);
    let ok = scene.app.log().visible(502).next().unwrap();
    let Some(Remark::Reply(cost)) = ok.remark else { panic!("what it cost: {ok:?}") };
    assert_eq!((ok.text, cost.points), ("ok", 500));

    scene.wait(Duration::from_secs(1));
    scene.answer("get *", Status::Error, "no disk\n");
    let log = scene.log();
    assert_eq!(log[log.len() - 4..], ["< error", "< no disk", "< ", "- error in get *: no disk"]);

    scene.press(KeyPress::char('R'));
    scene.wait(Duration::from_secs(1));
    scene.ok("get *", "a.b 1.0 1\n");
    assert_eq!(scene.log().last().unwrap(), "= get * ← ok", "in one line again");
}

#[test]
fn the_title_counts_lines_dropped_for_the_memory_limit() {
    let config = AppConfig { log_memory: 0, raw_log: true, ..config() };
    let mut scene = Scene::with(80, 24, config);
    scene.tell(Event::Connected);
    let lines: String = (0..10_000).map(|n| format!("a.b {n}.0 {n}\n")).collect();
    scene.ok("get *", &lines);
    let dropped = scene.app.log().dropped();
    assert!((1..10_000).contains(&dropped), "{dropped}");
    let title = format!(" raw log · {} older dropped", count(dropped));
    cell_of(&draw(&scene, &Theme::colour(), 80, 24), &title);
    scene.to(Mode::Log);
    scene.keys("RR");
    let told = "from now on every line, of polls too; raw fills the memory of --log-memory";
    assert_eq!(scene.notice(), told);
}

#[test]
fn the_raw_log_has_requests_of_the_client_itself() {
    let mut scene = Scene::with(80, 24, AppConfig { raw_log: true, ..config() });
    scene.tell(Event::Connected);
    assert!(scene.log().contains(&"= get *[+] ← error: wrong command".to_owned()));
    let mut scene = Scene::with(80, 24, AppConfig { raw_log: true, ..config() });
    scene.has_selectors = true;
    scene.tell(Event::Connected);
    scene.begin();
    scene.ok("get *[last]", "a 1.0 1\n");
    scene.told("a 2.0 2\na - 1\n");
    let log = scene.log();
    assert!(log.contains(&"= get *[+] ← ok".to_owned()));
    assert_eq!(log[log.len() - 2..], ["< a 2.0 2", "< a - 1"]);
}

#[test]
fn the_raw_log_keeps_a_partial_reply() {
    let mut scene = raw();
    let id = scene.sent[0].id;
    let lines = |value: &str| {
        let (status, lines) = (Status::Ok, format!("a.b {value} 1\n"));
        Event::Lines { id, status, lines }
    };
    scene.tell(Event::ReplyBegins { id, status: Status::Ok });
    scene.tell(lines("2.0"));
    scene.tell(Event::Disconnected("the reply stalled".to_owned()));
    let log = scene.log();
    let end = ["< ok", "< a.b 2.0 1", "- the reply stalled; trying again until it works"];
    assert_eq!(log[log.len() - 3..], end);
    scene.tell(lines("3.0"));
    assert_eq!(scene.log(), log, "what comes late belongs to nothing");
}

#[test]
fn long_lines_scroll_sideways() {
    let mut scene = in_log(40, 10);
    scene.code(KeyCode::Right);
    let screen = draw(&scene, &Theme::colour(), 40, 10);
    assert_eq!(scene.app.log().shift(), 20, "by half the width");
    cell_of(&screen, "← 4001");
    scene.press(KeyPress::char('h'));
    assert_eq!(scene.app.log().shift(), 0);
}

#[test]
fn the_log_is_saved_to_the_path_entered() {
    let mut scene = in_log(80, 24);
    scene.press(KeyPress::char('&'));
    scene.type_text("palm");
    scene.code(KeyCode::Enter);
    scene.press(KeyPress::char('s'));
    assert_eq!(scene.input().text(), "tui-client-20060621-043100.log");
    scene.press(KeyPress::ctrl('u'));
    scene.type_text("/tmp/x");
    let effects = scene.code(KeyCode::Enter);
    let [Effect::File(FileJob::SaveLog { path, log })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(path, "/tmp/x");
    assert_eq!(log.entries().count() as u64, scene.app.log().shown());
    scene.tell(Event::Saved { path: "/tmp/x".to_owned(), lines: 4 });
    assert_eq!(scene.notice(), "4 lines saved in /tmp/x");
}

/// The log could not be saved.
pub fn not_saved(scene: &mut Scene) {
    scene.press(KeyPress::char('s'));
    scene.press(KeyPress::ctrl('u'));
    scene.keys("/nowhere/x\n");
    let (path, reason) = ("/nowhere/x".to_owned(), "there is no such directory".to_owned());
    scene.tell(Event::NotSaved { path, reason });
}

#[test]
fn a_failed_save_asks_again_with_the_same_path() {
    let mut scene = in_log(80, 24);
    not_saved(&mut scene);
    let why = "/nowhere/x: not saved, there is no such directory";
    assert_eq!((scene.app.mode(), scene.notice()), (Mode::LogInput, why));
    assert_eq!(scene.input().text(), "/nowhere/x");
    let effects = scene.code(KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::File(FileJob::SaveLog { path, .. })] if path == "/nowhere/x")
    );

    scene.code(KeyCode::Esc);
    scene.keys("get a");
    let (path, reason) = ("/nowhere/x".to_owned(), "the disk is full".to_owned());
    scene.tell(Event::NotSaved { path, reason });
    assert_eq!(scene.app.mode(), Mode::Prompt, "a person who types is left in peace");
    assert_eq!(scene.notice(), "/nowhere/x: not saved, the disk is full");
    scene.code(KeyCode::BackTab);
    scene.keys("&disk\n");
    let later = ["- /nowhere/x: not saved, the disk is full"];
    assert_eq!(scene.log(), later, "it can be read later, too");
    scene.tell(Event::FileFailed("the history can't be kept: no disk".to_owned()));
    assert_eq!(scene.notice(), "the history can't be kept: no disk");
}

#[test]
fn a_log_with_nothing_but_polls_gives_its_room_to_the_table() {
    for (width, height, lines) in [(80, 24, 1), (200, 50, 2)] {
        let mut scene = Scene::used(width, height);
        let rows = |scene: &Scene| {
            let layout = scene.app.layout();
            (layout.log_rows(), layout.table_rows())
        };
        let full = rows(&scene);
        scene.wait(Duration::from_secs(59));
        assert_eq!(rows(&scene), full);
        scene.wait(Duration::from_secs(2));
        assert_eq!(rows(&scene), (lines, full.0 + full.1 - lines), "the rows of old lines");
        scene.enter("put palm.cpu 1 1");
        assert_eq!(rows(&scene), full, "a typed request");
        scene.ok("put palm.cpu 1 1", "");
        scene.wait(Duration::from_secs(61));
        assert_eq!(rows(&scene).0, lines);
        let (sent, layout) = (scene.sent.len(), scene.app.layout());
        scene.to(Mode::Log);
        assert_eq!(rows(&scene), full, "the focus");
        scene.keys("k");
        scene.to(Mode::Table);
        assert_eq!(rows(&scene), full, "it does not follow");
        scene.to(Mode::Log);
        scene.keys("F");
        scene.to(Mode::Table);
        assert_eq!((scene.sent.len(), scene.app.layout()), (sent, layout));
    }
}

#[test]
fn the_selected_row_stays_in_sight_where_the_log_takes_its_room_again() {
    let mut scene = Scene::connected(80, 24, &[]);
    let keys: String = (0..100).map(|n| format!("k{n} 1.0 1\n")).collect();
    scene.ok("get *", &keys);
    scene.wait(Duration::from_secs(61));
    scene.to(Mode::Table);
    for _ in 1..scene.app.layout().table_rows() {
        scene.code(KeyCode::Down);
    }
    let selected = scene.app.table().selected();
    scene.to(Mode::Log);
    let (table, rows) = (scene.app.table(), scene.app.layout().table_rows());
    assert_eq!(table.selected(), selected);
    assert!((table.first(rows)..table.first(rows) + rows).contains(&selected));
}

#[test]
fn raw_shows_the_queries_for_the_numbers_of_the_table() {
    let mut scene = Scene::live(120, 40, &["a"], &[]);
    scene.answer_all();
    scene.to(Mode::Log);
    scene.keys("R");
    scene.to(Mode::Table);
    scene.keys("t");
    let asked: Vec<String> = scene.sent.iter().map(|request| request.line.clone()).collect();
    assert!(!asked.is_empty(), "numbers of a longer time");
    scene.answer_all();
    let logged: Vec<String> =
        scene.app.log().visible(usize::MAX).map(|line| line.text.to_string()).collect();
    for line in asked {
        assert!(logged.contains(&line), "{line}: {logged:?}");
    }
}
