//! The list of keys: what is typed is looked for, and what is chosen is performed where the focus
//! was.

use tui_client::app::input::overlay::help::Line;
use tui_client::effect::{Effect, Ending};
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;
use tui_client::metrics::column::Column;
use tui_client::metrics::sort::TableSpec;
use tui_client::view::theme::Theme;

use crate::harness::scene::Scene;
use crate::harness::snapshot::draw;

fn screen(scene: &Scene) -> String {
    draw(scene, &Theme::colour(), 80, 24).to_string()
}

/// The list is open, and this is typed.
fn looking_for(mut scene: Scene, text: &str) -> Scene {
    scene.code(KeyCode::F(1));
    scene.type_text(text);
    scene
}

/// The texts of what is found, the best first.
fn found(scene: &Scene) -> Vec<String> {
    let texts = scene.help().lines().map(|line| match line {
        Line::Entry(entry) => format!("{} {}", entry.keys, entry.text),
        Line::Note(subject, meaning) => format!("{subject}: {meaning}"),
        Line::Heading(text) => (*text).to_owned(),
    });
    texts.collect()
}

#[test]
fn what_is_typed_is_looked_for() {
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "UNWATCHx");
    assert!(screen(&scene).contains("nothing found"));
    scene.press(KeyPress::ctrl('u'));
    assert!(found(&scene).len() > 40, "the whole list");
    scene.type_text("watching stop");
    let text = screen(&scene);
    assert!(text.contains("keyboard: watching stop") && text.contains("x delete"), "{text}");
    assert_eq!(found(&scene), ["x delete stop watching the selected key"]);
    scene.code(KeyCode::Esc);
    assert!(found(&scene).len() > 40 && scene.app.mode() == Mode::Help, "cleared first");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn the_heart_of_an_action_is_found_before_what_explains_it() {
    for mode in [Mode::Prompt, Mode::Table, Mode::Watch, Mode::Log] {
        for (text, keys) in [
            ("columns", "c"),
            ("share", "ctrl-s"),
            ("send session", "ctrl-s"),
            ("theme", "v"),
            ("change the theme", "v"),
            ("dark", "v"),
            ("colour", "v"),
            ("log scale", "a"),
            ("y axis", "a"),
            ("overlay", "M"),
            ("two keys in one chart", "M"),
            ("compare runs", "M"),
            ("hide log", "--view FILE"),
            ("connect", "--host HOST"),
            ("server", "--host HOST"),
            ("host", "--host HOST"),
            ("localhost", "--host HOST"),
            ("second server", "--host HOST"),
            ("csv", "--once --format csv"),
            ("find host", "/"),
            ("zoom day", "3"),
            ("yesterday", "@"),
            ("picture", "S"),
        ] {
            let mut scene = Scene::with_sample(100, 30, &["palm.cpu"]);
            scene.to(mode);
            let scene = looking_for(scene, text);
            let chosen = scene.help().chosen().map(|entry| entry.keys);
            assert_eq!(chosen, Some(keys), "{text} in {mode:?}: {:?}", found(&scene));
        }
        let mut scene = Scene::with_sample(100, 30, &["palm.cpu"]);
        scene.to(mode);
        for (text, keys) in
            [("send", "ctrl-s "), ("overlay", "--prefix "), ("export", "--once --format csv ")]
        {
            let scene = looking_for(Scene::with_sample(100, 30, &["palm.cpu"]), text);
            let found = found(&scene);
            assert!(found.iter().any(|line| line.starts_with(keys)), "{text}: {found:?}");
        }
    }
}

#[test]
fn a_comparison_is_found_by_what_it_shows() {
    for text in ["compare", "unusual", "stopped", "surprise"] {
        let mut scene = Scene::live(100, 30, &["palm.cpu"], &[]);
        scene.answer_all();
        let scene = looking_for(scene, text);
        let chosen = scene.help().chosen().map(|entry| entry.keys);
        assert_eq!(chosen, Some("C"), "{text}: {:?}", found(&scene));
    }
}

#[test]
fn an_option_is_said_and_not_performed() {
    let mut scene = looking_for(Scene::with_sample(140, 30, &[]), "csv\n");
    assert_eq!(scene.app.mode(), Mode::Help);
    let said =
        "at the start, tui-client --once --format csv: print the newest points as CSV, or as JSON";
    assert_eq!(scene.notice(), said);
    scene.press(KeyPress::ctrl('u'));
    scene.type_text("zebra crossing");
    let text = draw(&scene, &Theme::colour(), 140, 30).to_string();
    assert!(text.contains("nothing found; tui-client --help has the options"), "{text}");
}

#[test]
fn letters_that_close_or_scroll_elsewhere_are_typed() {
    for text in ["quit", "jump", "Get", "/stale", "scale 0", "S"] {
        let mut scene = looking_for(Scene::with_sample(80, 24, &["palm.cpu"]), "");
        scene.type_text(text);
        assert_eq!((scene.app.mode(), scene.help().query()), (Mode::Help, text));
    }
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "?");
    assert_eq!(scene.app.mode(), Mode::Prompt, "it closes what it has opened");
    scene = looking_for(scene, "what?");
    assert_eq!(scene.help().query(), "what?");
    scene.code(KeyCode::F(1));
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn pasted_text_is_looked_for_but_several_lines_are_requests() {
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "");
    scene.tell(Event::Paste("zoom".to_owned()));
    assert_eq!(scene.help().query(), "zoom");
    scene.tell(Event::Paste("put a 1\nput b 2\n".to_owned()));
    assert_eq!(scene.app.mode(), Mode::Confirm);
}

#[test]
fn enter_without_a_choice_closes_the_list() {
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::Prompt);
    assert!(scene.notice().is_empty());
}

#[test]
fn enter_performs_what_is_chosen_as_its_key_would() {
    // In the pane in focus.
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
    scene.to(Mode::Table);
    let mut by_key = Scene::with_sample(80, 24, &["palm.cpu"]);
    by_key.to(Mode::Table);
    by_key.keys("o");
    scene = looking_for(scene, "reverse the sort\n");
    assert_eq!(scene.app.table().sort(), by_key.app.table().sort());
    assert_eq!(scene.app.mode(), Mode::Table);
    // What leads to another pane, with the focus there.
    for (text, mode) in [
        ("full screen chart", Mode::Chart),
        ("follow new lines", Mode::Log),
        ("search the history", Mode::HistorySearch),
        ("go to a time", Mode::SeriesInput),
        ("set a threshold", Mode::SeriesInput),
        ("select columns", Mode::Columns),
    ] {
        let mut scene = looking_for(Scene::with_sample(80, 24, &["palm.cpu"]), text);
        scene.code(KeyCode::Enter);
        assert_eq!(scene.app.mode(), mode, "{text}");
    }
    let mut scene = looking_for(Scene::with_sample(80, 24, &["palm.cpu"]), "quit the program");
    scene.type_text("");
    let is_quit = |effects: &[Effect]| matches!(effects, [Effect::Quit(_)]);
    assert!(is_quit(&scene.code(KeyCode::Enter)));
}

#[test]
fn the_words_of_requests_and_commands_are_found() {
    for (text, line) in [("put", "put "), ("get", "get "), ("del", "del "), ("type exit", "exit")] {
        for mode in [Mode::Prompt, Mode::Table, Mode::Log] {
            let mut scene = Scene::with_sample(80, 24, &[]);
            scene.to(mode);
            let mut scene = looking_for(scene, text);
            scene.code(KeyCode::Enter);
            let typed = (scene.app.mode(), scene.app.input().prompt.text());
            assert_eq!(typed, (Mode::Prompt, line), "{text} in {mode:?}");
        }
    }
    for word in ["quit", "exit", "leave"] {
        let mut scene = looking_for(Scene::with_sample(80, 24, &[]), word);
        while !scene.help().chosen().unwrap().text.contains("quit the program") {
            scene.code(KeyCode::Down);
        }
        assert!(matches!(scene.code(KeyCode::Enter)[..], [Effect::Quit(_)]), "{word}");
    }
}

#[test]
fn an_action_chosen_over_a_line_that_is_typed_acts_on_that_line() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.to(Mode::Table);
    scene.keys("/palm");
    let mut scene = looking_for(scene, "delete to the beginning");
    scene.code(KeyCode::Enter);
    assert_eq!((scene.app.mode(), scene.input().text()), (Mode::SeriesInput, ""));
    // What belongs to a pane is not for now.
    let mut scene = looking_for(scene, "reverse the sort");
    scene.code(KeyCode::Enter);
    assert_eq!(
        (scene.app.mode(), scene.notice()),
        (Mode::Help, "reverse the sort order: esc first")
    );
}

#[test]
fn what_is_not_possible_says_why() {
    for (text, reason) in [
        ("zoom in", "needs a chart"),
        ("stop watching", "needs a watched key"),
        ("match above", "needs a search"),
        ("alert fires", "no alert fires"),
        ("log axis", "needs a chart"),
        ("show or hide the column", "in the list of columns"),
        ("delete the word before", "while a line is typed"),
    ] {
        let mut scene = Scene::with_sample(80, 24, &[]);
        scene.to(Mode::Table);
        let mut scene = looking_for(scene, text);
        assert!(screen(&scene).contains(reason), "{text}: {}", screen(&scene));
        let sent = scene.sent.len();
        assert!(scene.code(KeyCode::Enter).is_empty(), "{text}");
        assert!(scene.notice().ends_with(reason), "{text}: {}", scene.notice());
        assert_eq!((scene.app.mode(), scene.sent.len()), (Mode::Help, sent), "the list stays open");
    }
}

#[test]
fn arrows_choose_actions_and_pages_scroll() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.to(Mode::Table);
    let mut scene = looking_for(scene, "");
    assert!(scene.help().chosen().is_none(), "nothing is performed by chance");
    scene.code(KeyCode::Down);
    assert_eq!(scene.help().chosen().unwrap().keys, "enter w");
    scene.code(KeyCode::Down);
    assert_eq!(scene.help().chosen().unwrap().keys, "f");
    for _ in 0..200 {
        scene.code(KeyCode::Down);
        let visible = scene.help().visible().take(22).filter(|(_, chosen)| *chosen).count();
        assert_eq!(visible, 1, "the choice is in sight");
    }
    let (top, all) = scene.help().position();
    assert_eq!(top + 22, all, "to the end, across headings and notes");
    scene.code(KeyCode::Home);
    assert_eq!(scene.help().position().0, 0);
    assert_eq!(scene.help().visible().take(22).filter(|(_, chosen)| *chosen).count(), 1);
    scene.code(KeyCode::PageDown);
    assert_eq!(scene.help().position().0, 21);
}

#[test]
fn a_click_performs_and_beside_the_list_closes_it() {
    let click = |column, row| Event::Mouse(MouseEvent { kind: MouseKind::Click, column, row });
    for width in [80, 200] {
        let mut scene = Scene::with_sample(width, 24, &["palm.cpu"]);
        scene.to(Mode::Table);
        let mut scene = looking_for(scene, "sort");
        let text = draw(&scene, &Theme::colour(), width, 24).to_string();
        let row = text.lines().position(|line| line.contains("reverse the sort order")).unwrap();
        let line = text.lines().nth(row).unwrap();
        let column = line.chars().collect::<String>().find("reverse").unwrap();
        let column = line[..column].chars().count();
        let before = scene.app.table().sort().descending;
        scene.tell(click(u16::try_from(column).unwrap(), u16::try_from(row).unwrap()));
        assert_eq!(scene.app.mode(), Mode::Table, "at {width}");
        assert_ne!(scene.app.table().sort().descending, before);
        let mut scene = looking_for(scene, "");
        let area = scene.help().area((width, 24));
        scene.tell(click(area.x + 3, area.y));
        assert_eq!(scene.app.mode(), Mode::Help, "the border does nothing");
        if area.x > 0 {
            scene.tell(click(area.x - 1, 3));
            assert_eq!(scene.app.mode(), Mode::Table);
        }
    }
}

#[test]
fn columns_are_shown_and_hidden_by_name() {
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "column time");
    assert_eq!(found(&scene)[0], "c show the column time of the table");
    scene.code(KeyCode::Enter);
    assert!(scene.app.table().chosen().shows(Column::Time));
    let mut scene = looking_for(scene, "column time");
    assert_eq!(found(&scene)[0], "c hide the column time of the table");
    scene.code(KeyCode::Enter);
    let mut scene = looking_for(scene, "sort by age");
    assert_eq!(found(&scene)[0], "5 sort by age; again: reverse");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::Table);
    assert_eq!(scene.app.table().sort().column.unwrap().name(), "age");
}

#[test]
fn an_action_with_several_keys_is_found_once() {
    for (mode, text, keys) in [
        (Mode::Prompt, "pause", "F6"),
        (Mode::Table, "pause", "P"),
        (Mode::Table, "refresh now", "r"),
        (Mode::Log, "refresh now", "F5"),
    ] {
        let mut scene = Scene::with_sample(80, 24, &[]);
        scene.to(mode);
        let scene = looking_for(scene, text);
        assert_eq!(scene.help().chosen().unwrap().keys, keys, "{text} in {mode:?}");
        let text = &scene.help().chosen().unwrap().text;
        let again = found(&scene).iter().filter(|line| line.ends_with(&**text)).count();
        assert_eq!(again, 1, "{:?}", found(&scene));
    }
}

#[test]
fn help_explains_mouse_marks_and_copying() {
    for (query, text) in [
        ("no-mouse", "the terminal has the mouse for itself"),
        ("stale", "no point for 5 times as long as usual"),
        ("tmux", "set -s set-clipboard on"),
        ("f6", "pause: the screen stands still; again: resume"),
        ("time", "yesterday 9:00"),
        ("time", "3:12am"),
        ("yesterday", "last night or last monday 14:30"),
        ("last night", "yesterday 9:00"),
    ] {
        let scene = looking_for(Scene::with_sample(80, 24, &[]), query);
        assert!(screen(&scene).contains(text), "{query}: {}", screen(&scene));
    }
}

#[test]
fn help_begins_with_the_current_pane_and_keeps_the_chart_visible() {
    let mut scene = Scene::with_sample(200, 60, &["palm.cpu"]);
    scene.keys("f?");
    assert_eq!(found(&scene)[0], "Full-screen chart");
    assert!(scene.app.layout().full, "the chart stays");
    scene.code(KeyCode::Esc);
    scene.keys("!");
    assert!(scene.app.layout().full, "for a line at its foot, too");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart);
}

#[test]
fn what_is_meant_is_found_by_common_words() {
    for (word, keys) in [
        ("filter", &["/", "&"][..]),
        ("history", &["ctrl-r", "↑ ctrl-p", "↓ ctrl-n"]),
        ("completion", &["tab", "shift-tab"]),
        ("complete", &["tab"]),
        ("threshold", &["!"]),
        ("alert", &["!", "D"]),
        ("zoom", &["z", "Z"]),
        ("stale", &["/"]),
        ("sort", &["> →", "< ←", "o"]),
        ("exchange", &["E"]),
        ("save", &["s", "S", "ctrl-s"]),
        ("screenshot", &["S"]),
        ("export", &["s", "ctrl-s"]),
        ("quit", &["q"]),
        ("exit", &["q"]),
        ("graph", &["f"]),
        ("log save", &["s"]),
        ("f6", &["F6"]),
        ("hour", &["2"]),
        ("zoom day", &["3"]),
        ("find key", &["/"]),
        ("stopped", &["/"]),
        ("unusual", &["C"]),
        ("difference", &["C"]),
        ("yesterday", &["@"]),
        ("picture", &["S"]),
        ("share", &["S", "V", "ctrl-s"]),
    ] {
        let scene = looking_for(Scene::connected(80, 24, &["a"]), word);
        let listed = |key: &str| {
            scene.help().lines().any(|line| matches!(line, Line::Entry(entry) if entry.keys == key))
        };
        for key in keys {
            assert!(listed(key), "{word}: {key} in {:?}", found(&scene));
        }
    }
}

#[test]
fn a_letter_is_found_before_the_words_with_it() {
    for (key, mode) in [("z", Mode::Watch), ("Z", Mode::Watch), ("o", Mode::Table)] {
        let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
        scene.to(mode);
        let scene = looking_for(scene, key);
        assert_eq!(scene.help().chosen().unwrap().keys, key);
    }
}

#[test]
fn no_column_is_chosen_that_is_not_there() {
    let table = TableSpec { columns: vec![Column::Age], ..TableSpec::default() };
    let mut scene = Scene::live_table(80, 24, table);
    scene.to(Mode::Table);
    let mut scene = looking_for(scene, "sort by column 9");
    scene.code(KeyCode::Enter);
    assert!(scene.notice().ends_with("no such column"), "{}", scene.notice());
    scene.code(KeyCode::Esc);
    scene.code(KeyCode::Esc);
    scene.to(Mode::Table);
    scene.keys("9");
    assert_eq!(scene.notice(), "not sorted: no such column");
}

#[test]
fn the_program_ends_as_by_its_key() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.to(Mode::Table);
    let mut scene = looking_for(scene, "quit the program");
    assert_eq!(scene.code(KeyCode::Enter), [Effect::Quit(Ending::Complete)]);
}

/// The list covers the bottom line, on which it would be said.
#[test]
fn how_an_option_is_typed_is_said_on_the_list() {
    let mut scene = looking_for(Scene::with_sample(80, 24, &[]), "csv");
    assert!(!screen(&scene).contains("tui-client --once"));
    scene.code(KeyCode::Enter);
    let text = screen(&scene);
    assert!(text.contains("tui-client --once --format csv"), "{text}");
}
