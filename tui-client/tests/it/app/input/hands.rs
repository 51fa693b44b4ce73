//! What is typed by habit, wherever the keyboard is.

use std::time::Duration;

use tui_client::effect::{Effect, Ending};
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

const PANES: [Mode; 4] = [Mode::Table, Mode::Watch, Mode::Chart, Mode::Log];

/// A scene with the keyboard in this mode.
fn at(mode: Mode) -> Scene {
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
    match mode {
        Mode::Chart => {
            scene.to(Mode::Watch);
            scene.keys("f");
        }
        _ => scene.to(mode),
    }
    assert_eq!(scene.app.mode(), mode);
    scene
}

fn screen(scene: &Scene, width: u16, height: u16) -> String {
    draw(scene, &scene.theme, width, height).to_string()
}

#[test]
fn a_request_typed_in_a_pane_goes_to_the_command_line() {
    for mode in PANES {
        for line in ["put palm.cpu 23.7 7", "get palm.cpu", "del palm.cpu"] {
            let mut scene = at(mode);
            let selected = scene.app.table().selected();
            scene.sent.clear();
            scene.keys(line);
            assert_eq!(scene.app.input().prompt.text(), line, "{mode:?}");
            assert_eq!(scene.app.mode(), Mode::Prompt);
            assert!(!scene.app.polling().is_paused() && scene.sent.is_empty(), "{mode:?} {line}");
            assert_eq!(scene.app.table().selected(), selected);
            scene.code(KeyCode::Enter);
            if !line.starts_with("del") {
                assert!(scene.sent.iter().any(|sent| sent.line == line), "{mode:?} {line}");
            }
        }
    }
}

#[test]
fn a_letter_typed_by_mistake_costs_one_esc() {
    for mode in PANES {
        for letter in ['p', 'g', 'd'] {
            let mut scene = at(mode);
            scene.press(KeyPress::char(letter));
            assert_eq!(scene.app.mode(), Mode::Prompt);
            scene.code(KeyCode::Esc);
            assert_eq!((scene.app.mode(), scene.app.input().prompt.text()), (mode, ""));
        }
        let mut scene = at(mode);
        scene.keys("get a");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Prompt, "the line is cleared first");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), mode);
    }
}

#[test]
fn esc_on_an_empty_command_line_leads_to_the_pane_before_else_to_the_table() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    assert_eq!(scene.app.mode(), Mode::Prompt, "at the start");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Table);
    for (keys, mode) in [(KeyCode::Tab, Mode::Log), (KeyCode::BackTab, Mode::Table)] {
        let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
        scene.to(mode);
        scene.code(keys);
        assert_eq!(scene.app.mode(), Mode::Prompt);
        scene.keys("x");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Prompt, "the line is cleared first");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), mode);
    }
}

#[test]
fn the_full_screen_chart_stays_while_a_request_is_typed() {
    let mut scene = at(Mode::Chart);
    let is_full = |scene: &Scene| scene.app.layout().full && scene.app.layout().log.is_none();
    for (line, shown) in
        [("put palm.cpu 23.7 7", "stored palm.cpu"), ("get palm.cpu", "get palm.cpu · ")]
    {
        scene.keys(line);
        assert!(is_full(&scene) && screen(&scene, 80, 24).contains(line), "{line}");
        scene.code(KeyCode::Enter);
        scene.ok(line, if line.starts_with("get") { "palm.cpu 1.0 7\n" } else { "" });
        let drawn = screen(&scene, 80, 24);
        assert!(is_full(&scene) && drawn.contains(shown) && drawn.contains("┤"), "{drawn}");
        assert!(line.starts_with("put") || drawn.contains("esc back"), "{drawn}");
        if scene.app.typed_answer().is_some() {
            scene.code(KeyCode::Esc);
            assert_eq!(scene.app.mode(), Mode::Prompt, "the answer is closed first");
        }
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Chart, "{line}");
    }
    scene.keys("g");
    scene.code(KeyCode::Backspace);
    scene.code(KeyCode::Tab);
    assert!(!is_full(&scene), "another pane is chosen");
}

#[test]
fn the_full_screen_chart_leads_back_to_where_it_was_opened() {
    for opened in [Mode::Table, Mode::Watch] {
        for back in [KeyCode::Char('f'), KeyCode::Enter, KeyCode::Esc] {
            let mut scene = at(opened);
            scene.keys("f");
            assert_eq!(scene.app.mode(), Mode::Chart);
            scene.keys("put");
            scene.code(KeyCode::Esc);
            scene.code(KeyCode::Esc);
            assert_eq!(scene.app.mode(), Mode::Chart, "after a visit to the command line");
            scene.code(back);
            assert_eq!(scene.app.mode(), opened, "{back:?}");
            assert!(opened == Mode::Watch || scene.app.layout().table.is_some());
        }
    }
}

#[test]
fn what_was_typed_before_in_the_command_line_is_not_lost() {
    let mut scene = at(Mode::Table);
    scene.keys(":put palm.cpu 2");
    scene.code(KeyCode::BackTab);
    scene.keys("g");
    assert_eq!(scene.notice(), "ctrl-y brings back what was typed here before");
    scene.code(KeyCode::Backspace);
    scene.press(KeyPress::ctrl('y'));
    assert_eq!(scene.app.input().prompt.text(), "put palm.cpu 2");
}

#[test]
fn no_hint_invites_to_type_what_is_not_taken() {
    let paste = "put a 1\nput b 2\n".to_owned();
    let open = |scene: &mut Scene, way: &str| match way {
        "chart" => scene.keys("f"),
        "paste" => drop(scene.tell(Event::Paste(paste.clone()))),
        "history" => drop(scene.press(KeyPress::ctrl('r'))),
        keys => scene.keys(keys),
    };
    for (mode, way) in [
        (Mode::Prompt, ""),
        (Mode::Table, ""),
        (Mode::Watch, ""),
        (Mode::Watch, "chart"),
        (Mode::Log, ""),
        (Mode::Table, "/"),
        (Mode::Table, "!"),
        (Mode::Table, "c"),
        (Mode::Log, "/"),
        (Mode::Log, "&"),
        (Mode::Log, "s"),
        (Mode::Table, "?"),
        (Mode::Prompt, "paste"),
        (Mode::Prompt, "history"),
    ] {
        for (width, height) in [(80, 24), (120, 40), (40, 10)] {
            let mut scene = Scene::connected(width, height, &["palm.cpu"]);
            scene.ok("get *", "");
            scene.to(mode);
            open(&mut scene, way);
            let shown = screen(&scene, width, height);
            let invites = ["such as  get *", "Type a request"];
            let invites = invites.iter().any(|invites| shown.contains(invites));
            scene.keys("put a 1 1");
            let taken = scene.app.input().prompt.text() == "put a 1 1";
            assert!(taken || !invites, "{mode:?} {way}: {shown}");
        }
    }
}

#[test]
fn words_of_other_programs_leave_and_help() {
    for word in ["quit", "exit", ":q", "\\q", "QUIT", "exit()", "q", ":wq"] {
        let mut scene = at(Mode::Prompt);
        scene.sent.clear();
        scene.keys(word);
        assert_eq!(scene.code(KeyCode::Enter), [Effect::Quit(Ending::Complete)], "{word}");
    }
    for word in ["help", ":help", "\\?", "\\h", "h"] {
        let mut scene = at(Mode::Prompt);
        scene.sent.clear();
        scene.keys(word);
        assert!(screen(&scene, 80, 24).contains("Enter opens the list of keys"), "{word}");
        scene.code(KeyCode::Enter);
        assert_eq!(scene.app.mode(), Mode::Help, "{word}");
        assert!(scene.sent.is_empty());
        scene.code(KeyCode::Esc);
        assert_eq!((scene.app.mode(), scene.app.input().prompt.text()), (Mode::Prompt, ""));
    }
    let mut scene = at(Mode::Prompt);
    scene.keys("qui");
    assert!(!screen(&scene, 80, 24).contains("qui: "), "not marked as wrong before it is whole");
}

#[test]
fn words_that_leave_do_so_from_every_pane() {
    for mode in PANES {
        for word in ["quit", "exit", ":q", ":quit", ":exit"] {
            let mut scene = at(mode);
            scene.sent.clear();
            let mut effects = Vec::new();
            for key in word.chars().map(KeyPress::char).chain([KeyPress::plain(KeyCode::Enter)]) {
                effects = scene.press(key);
                if !effects.is_empty() {
                    break;
                }
            }
            let ending = if word == "quit" { Ending::FirstLetter } else { Ending::Complete };
            assert_eq!(effects, [Effect::Quit(ending)], "{word} in {mode:?}");
            assert!(scene.app.watch().has("palm.cpu"), "{word} in {mode:?}");
        }
    }
}

#[test]
fn words_that_leave_do_so_from_every_overlay_and_leave_nothing_below() {
    for below in PANES {
        for open in ["c", "?", "paste"] {
            for word in ["quit", "exit"] {
                let mut scene = at(if open == "c" { Mode::Table } else { below });
                if open == "paste" {
                    scene.tell(Event::Paste("put a 1\nput b 2\n".to_owned()));
                } else {
                    scene.keys(open);
                }
                scene.sent.clear();
                let mut effects = Vec::new();
                for key in word.chars().map(KeyPress::char).chain([KeyPress::plain(KeyCode::Enter)])
                {
                    effects = scene.press(key);
                    if !effects.is_empty() {
                        break;
                    }
                }
                let place = format!("{word} in {open} over {below:?}");
                if open == "?" && word == "exit" {
                    // Typed for its second Enter.
                    effects = scene.code(KeyCode::Enter);
                }
                assert!(matches!(effects[..], [Effect::Quit(_)]), "{place}: {effects:?}");
                assert!(scene.sent.is_empty(), "{place}");
                let typed = scene.app.input().prompt.text();
                assert!(["", "exit"].contains(&typed), "{place}: {typed}");
            }
        }
    }
}

/// A live scene whose server has answered whatever was asked with this.
fn live(state: &str) -> Scene {
    let mut scene = Scene::live(120, 40, &[], &[]);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, if line == "get *[last]" { state } else { "" });
    }
    scene
}

#[test]
fn an_answer_is_read_to_its_end() {
    let mut scene = live("");
    scene.enter("get a");
    let points: String = (0..100).map(|n| format!("a {n}.5 {}\n", NOW - 100 + n)).collect();
    scene.ok("get a", &points);
    let shown = screen(&scene, 120, 40);
    assert!(
        shown.contains("a · 1 key · 100 points · lines 1-") && shown.contains("99.5"),
        "{shown}"
    );
    for _ in 0..50 {
        scene.code(KeyCode::PageDown);
    }
    let shown = screen(&scene, 120, 40);
    assert!(shown.contains("-100 of 100 ") && shown.contains(" 0.5 "), "{shown}");
    scene.code(KeyCode::PageUp);
    assert!(!screen(&scene, 120, 40).contains("-100 of 100 "));
    let area = scene.app.layout().answer.unwrap();
    let (column, row) = (area.x + 3, area.y + 1);
    for _ in 0..50 {
        scene.tell(Event::Mouse(MouseEvent { kind: MouseKind::WheelUp, column, row }));
    }
    assert!(screen(&scene, 120, 40).contains("lines 1-"), "the wheel");
}

#[test]
fn the_points_of_the_numbers_in_an_answer_stand_below_each_other() {
    let mut scene = Scene::live(80, 40, &[], &[]);
    scene.enter("get a");
    scene.ok("get a", "a 1.5 1\na 10 2\na 0.125 3\na -7.25 4\n");
    let drawn = screen(&scene, 80, 40);
    let point = |number: &str| {
        let found = drawn.lines().find_map(|line| line.find(&format!(" {number} ")));
        found.unwrap_or_else(|| panic!("{number} in {drawn}"))
            + number.find('.').unwrap_or(number.len())
    };
    let points = ["1.5", "10", "0.125", "-7.25"].map(point);
    assert_eq!(points, [points[0]; 4], "{drawn}");
}

#[test]
fn no_digit_of_a_number_in_an_answer_is_cut_off() {
    for (width, shown) in [(80, "0.016666666666666666  "), (60, " 0.0166666666666667  ")] {
        let mut scene = Scene::live(width, 40, &[], &[]);
        scene.enter("get a[::all:avg]");
        scene.ok("get a[::all:avg]", "a 0.016666666666666666 1\n");
        let drawn = screen(&scene, width, 40);
        assert!(drawn.contains(shown), "{drawn}");
    }
    let mut scene = Scene::live(50, 40, &[], &[]);
    scene.enter("get a[::all:avg]");
    scene.ok("get a[::all:avg]", "a 0.016666666666666666 1\n");
    let drawn = screen(&scene, 50, 40);
    assert!(drawn.contains("0.016666666666666666  1970-01-01 00:00:01"), "{drawn}");
    let mut scene = live("");
    scene.enter("get {a.memory_used,b}");
    scene
        .ok("get {a.memory_used,b}", "a.memory_used 81235000123 1\nb -1.2345678901234567e-300 1\n");
    let drawn = screen(&scene, 120, 40);
    assert!(drawn.contains(" 81235000123 (81.235 GB)  "), "{drawn}");
    assert!(drawn.contains(" -1.2345678901234568e-300  "), "{drawn}");
}

#[test]
fn the_only_key_of_a_glob_is_named_however_short() {
    for (request, named) in [("get a*", true), ("get a[last]", false), ("get a", false)] {
        let mut scene = live("");
        scene.enter(request);
        scene.ok(request, "a 1 1\n");
        let title = scene.app.typed_answer().unwrap().title();
        assert_eq!(title.contains("· a ·"), named, "{title}");
    }
}

#[test]
fn names_for_completion_are_no_request_of_the_log() {
    let mut scene = Scene::live(120, 40, &["palm.cpu"], &[]);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, "");
    }
    // The table is not in sight of a narrow screen, so that only the watched key is followed.
    let mut scene = Scene::live(80, 24, &["palm.cpu"], &[]).then(|scene| scene.sent.clear());
    let before = scene.log();
    scene.keys("g");
    assert_eq!(scene.sent.iter().filter(|request| request.line == "get *[last]").count(), 1);
    scene.ok("get *[last]", &format!("kettle.temp 1 {NOW}\n"));
    assert_eq!(scene.log(), before);
    scene.keys("et k");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.app.input().prompt.text(), "get kettle.temp");
}

#[test]
fn a_glob_without_a_key_is_said_to_have_none() {
    for pattern in ["nix*", "palm*"] {
        let mut scene = live(&format!("palm.cpu 1 {NOW}\n"));
        scene.to(Mode::Table);
        scene.keys(&format!("W{pattern}\n"));
        scene.wait(Duration::from_millis(10));
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            scene.ok(&line, if pattern == "palm*" { "palm.cpu 1 1\n" } else { "" });
        }
        let said = format!("no key matches {pattern} yet; one that comes is watched, x ends it");
        assert_eq!(scene.notice() == said, pattern == "nix*", "{}", scene.notice());
    }
}

#[test]
fn a_live_server_is_not_said_to_be_polled() {
    let mut scene = live("a 1 1\n");
    scene.to(Mode::Table);
    let interval = scene.app.polling().interval();
    scene.keys("+");
    assert_eq!(scene.notice(), "live: every put is shown as it is stored; there is no interval");
    assert_eq!(scene.app.polling().interval(), interval);
    scene.keys("P");
    assert_eq!(scene.notice(), "paused, P resumes, r asks once");
    scene.keys("P");
    scene.code(KeyCode::F(6));
    assert_eq!(scene.notice(), "paused, F6 resumes, F5 asks once");
    scene.to(Mode::Log);
    scene.keys("PP");
    assert_eq!(scene.notice(), "paused, P resumes, F5 asks once");
    scene.to(Mode::Table);
    scene.keys("P");
    scene.code(KeyCode::Esc);
    scene.to(Mode::Table);
    scene.wait(Duration::from_secs(10));
    let wide = screen(&scene, 400, 40);
    assert!(wide.contains("pause") && !wide.contains("slower"), "{wide}");
    let mut polled = Scene::with_sample(400, 40, &[]);
    polled.to(Mode::Table);
    assert!(screen(&polled, 400, 40).contains("slower"));
}

#[test]
fn a_key_of_another_pane_names_that_pane() {
    for (mode, key, said) in [
        (Mode::Watch, '/', "/ is for the table and the log; tab leads there"),
        (Mode::Chart, '/', "/ is for the table and the log; f, then tab leads there"),
        (Mode::Chart, 'x', "x is for the watched keys; f leads there"),
        (Mode::Watch, 'c', "c is for the table; tab leads there"),
        (Mode::Table, 'n', "n is for the log; tab leads there"),
        (Mode::Watch, '%', "% does nothing here; ? lists what does"),
    ] {
        let mut scene = at(mode);
        scene.press(KeyPress::char(key));
        assert_eq!((scene.notice(), scene.app.mode()), (said, mode));
    }
    let mut scene = at(Mode::Table);
    scene.keys("fc");
    assert_eq!(scene.notice(), "c is for the table; f leads there", "where it was opened");
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.to(Mode::Table);
    scene.keys("z");
    assert_eq!(scene.notice(), "z does nothing here; ? lists what does", "nothing is watched");
}

#[test]
fn esc_leads_away_from_no_chart_unnoticed() {
    let mut scene = at(Mode::Chart);
    scene.code(KeyCode::Left);
    for mode in [Mode::Chart, Mode::Watch, Mode::Watch] {
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), mode);
    }
    let said = "no cursor to remove; i leads to the command line, tab to the next pane";
    assert_eq!(scene.notice(), said);
    scene.keys("z");
    assert_eq!(scene.app.input().prompt.text(), "");
    let hint = "esc live";
    let mut scene = Scene::with_sample(300, 40, &["palm.cpu"]);
    scene.to(Mode::Watch);
    assert!(!screen(&scene, 300, 40).contains(hint));
    scene.code(KeyCode::Left);
    assert!(screen(&scene, 300, 40).contains(hint));
    for mode in [Mode::Table, Mode::Log] {
        let mut scene = at(mode);
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Prompt);
        assert!(screen(&scene, 80, 24).contains("esc back"), "{mode:?}");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), mode);
    }
}

#[test]
fn a_new_order_is_seen_from_its_top() {
    type Sort = fn(&mut Scene);
    let ways: [(&str, Sort); 4] = [
        ("next column", |scene| scene.keys(">>")),
        ("column", |scene| scene.keys("2")),
        ("reverse", |scene| scene.keys("o")),
        ("click", |scene| {
            let kind = MouseKind::Click;
            scene.tell(Event::Mouse(MouseEvent { kind, column: 5, row: 2 }));
        }),
    ];
    for (way, sort) in ways {
        let mut scene = Scene::with_sample(80, 24, &[]);
        let state: String = (0..100).map(|key| format!("k{key} {key} 1\n")).collect();
        scene.enter("get *");
        scene.wait(Duration::from_secs(1));
        scene.polled(&state);
        scene.to(Mode::Table);
        for _ in 0..30 {
            scene.code(KeyCode::Down);
        }
        let before = scene.app.table().sort();
        sort(&mut scene);
        assert_ne!(scene.app.table().sort(), before, "{way}");
        let rows = scene.app.layout().table_rows();
        assert_eq!((scene.app.table().selected(), scene.app.table().first(rows)), (0, 0), "{way}");
        scene.code(KeyCode::Down);
        let selected = scene.app.table().selected_series().unwrap().key.to_string();
        scene.wait(Duration::from_secs(1));
        scene.polled(&format!("k100 -1 2\nk101 1000 2\n{state}"));
        let after = scene.app.table().selected_series().unwrap().key.to_string();
        assert_eq!(after, selected, "a row chosen in the new order stays selected: {way}");
    }
}

#[test]
fn a_small_screen_says_what_is_most_needed() {
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
    scene.to(Mode::Watch);
    let drawn = screen(&scene, 80, 24);
    assert!(drawn.contains("shift-tab table") && drawn.contains("z Z zoom"), "{drawn}");
    scene.code(KeyCode::BackTab);
    assert_eq!(scene.app.mode(), Mode::Table, "as the hint says");
    let mut scene = Scene::with_sample(120, 40, &["palm.cpu"]);
    scene.to(Mode::Watch);
    assert!(!screen(&scene, 120, 40).contains("shift-tab"), "the table is in sight");
    let mut scene = Scene::live(40, 10, &["palm.cpu"], &[]);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, "");
    }
    assert!(screen(&scene, 40, 10).contains("0.4ms          live "), "{}", screen(&scene, 40, 10));
    scene.code(KeyCode::F(6));
    scene.press(KeyPress::plain(KeyCode::Home));
    let drawn = screen(&scene, 40, 10);
    assert!(drawn.contains(" paused") && drawn.contains("P resume"), "{drawn}");
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    assert!(screen(&scene, 40, 10).contains(" the server clos"), "{}", screen(&scene, 40, 10));
}

#[test]
fn hints_fit_the_state() {
    let mut scene = live("a 1 1\n");
    assert!(screen(&scene, 300, 40).contains("F6 pause"));
    scene.code(KeyCode::F(6));
    scene.press(KeyPress::ctrl('l'));
    assert!(screen(&scene, 300, 40).contains("F6 resume"));
    scene.to(Mode::Table);
    scene.press(KeyPress::plain(KeyCode::Home));
    assert!(screen(&scene, 300, 40).contains("P resume"));
    let mut scene = Scene::with_sample(300, 40, &[]);
    scene.to(Mode::Table);
    assert!(screen(&scene, 300, 40).contains("+ slower"));
    assert!(screen(&scene, 300, 40).contains("r refresh"));
    scene.tell(Event::Disconnected("gone".to_owned()));
    scene.press(KeyPress::plain(KeyCode::Home));
    let drawn = screen(&scene, 300, 40);
    assert!(!drawn.contains("slower") && !drawn.contains("refresh"), "{drawn}");
}

#[test]
fn a_glob_that_no_whole_key_matches_is_said_to_be_for_whole_keys() {
    for (filter, said) in [
        ("cpu*", "no key passes cpu*: a glob is for the whole key; *cpu* passes 2."),
        ("key = cpu", "no key passes key = cpu: a glob is for the whole key; *cpu* passes 2."),
        ("x*", "no key passes the filter."),
        ("*x*", "no key passes the filter."),
        ("cpu* and last > 3", "no key passes the filter."),
    ] {
        let mut scene = live("palm.cpu 1 1\nkettle.cpu 1 1\noven.temp 1 1\n");
        scene.to(Mode::Table);
        scene.keys(&format!("/{filter}"));
        let drawn = screen(&scene, 120, 40);
        assert!(drawn.contains(said), "{drawn}");
    }
}
