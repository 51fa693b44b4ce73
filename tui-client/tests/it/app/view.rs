//! Views: the present one is saved, and one is opened.

use jiff::tz::TimeZone;
use tui_client::app::AppConfig;
use tui_client::effect::{Effect, FileJob};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::{Abilities, Mode};
use tui_client::session::{Comparison, Focus, LogRoom, Look, View};

use crate::harness::scene::{NOW, Scene, sample};
use crate::harness::snapshot::draw;

/// A screen that opens a view.
fn opened(width: u16, height: u16, view: View) -> Scene {
    let view = View { address: "localhost:10001".to_owned(), ..view };
    let zone = TimeZone::UTC;
    Scene::with(width, height, AppConfig { zone, ..AppConfig::of(view) })
}

/// The path and the text of a view that is saved.
fn saved(effects: &[Effect]) -> (&str, &str) {
    match effects {
        [Effect::File(FileJob::SaveView { path, text, .. })] => (path, text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_view_is_saved_under_a_name_and_the_command_that_opens_it_is_said() {
    let mut scene = Scene::with_sample(100, 30, &["palm.cpu"]);
    scene.to(Mode::Watch);
    scene.keys("V");
    assert_eq!(scene.input().text(), "tui-client-20060621-043100.toml");
    assert!(
        draw(&scene, &scene.theme, 100, 30).to_string().contains("save the view, for --view FILE")
    );
    scene.press(KeyPress::ctrl('u'));
    scene.keys("my palm.toml");
    let effects = scene.code(KeyCode::Enter);
    let (path, text) = saved(&effects);
    assert_eq!(path, "my palm.toml");
    let expected = "\
        # A view of tui-client, saved 2006-06-21 04:31:00: tui-client --view FILE opens it.\n\
        host = \"localhost:10001\"\n\
        watch = \"palm.cpu\"\n\
        window = \"15m\"\n\
        selected = \"palm.cpu\"\n\
        pane = \"watch\"\n\
        focus = \"watch\"\n";
    assert_eq!(text, expected);
    for (typed, said) in [
        ("palm.toml", "palm.toml"),
        ("my palm.toml", "'my palm.toml'"),
        ("~/palm.toml", "/home/x/palm.toml"),
    ] {
        let path = "/home/x/palm.toml".to_owned();
        scene.tell(Event::ViewSaved { path, typed: typed.to_owned() });
        let said = format!("the view is in /home/x/palm.toml; tui-client --view {said} opens it");
        assert_eq!(scene.notice(), said);
    }
}

#[test]
fn a_view_that_can_not_be_saved_asks_for_another_name() {
    let mut scene = Scene::with_sample(100, 30, &[]);
    scene.to(Mode::Table);
    let (path, reason) = ("x.toml".to_owned(), "there is such a file already".to_owned());
    scene.tell(Event::ViewNotSaved { path, reason });
    assert_eq!(scene.notice(), "x.toml: not saved, there is such a file already");
    assert_eq!((scene.app.mode(), scene.input().text()), (Mode::LogInput, "x.toml"));
    scene.press(KeyPress::ctrl('u'));
    assert_eq!(scene.code(KeyCode::Enter), []);
    assert_eq!(scene.notice(), "not saved: no name");
    // A key that is typed into a line is a letter of it.
    scene.to(Mode::Prompt);
    scene.keys("get a");
    let (path, reason) = ("y.toml".to_owned(), "the disk is full".to_owned());
    scene.tell(Event::ViewNotSaved { path, reason });
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn a_log_that_is_off_has_no_room_but_with_the_keys() {
    for (width, height) in [(200, 50), (100, 40), (80, 24), (40, 10)] {
        let view = View { log: LogRoom::Off, focus: Some(Focus::Table), ..View::default() };
        let mut scene = opened(width, height, view);
        scene.tell(Event::Connected);
        scene.ok("get *", &sample());
        let layout = scene.app.layout();
        assert_eq!(layout.log, None);
        let table = layout.table.unwrap();
        assert_eq!(table.y + table.height, layout.prompt.y, "{width}x{height}");
        // An answer has its room all the same.
        if height > 20 {
            scene.enter("get palm.cpu");
            scene.ok("get palm.cpu", "palm.cpu 1.5 1150864200\n");
            let answer = scene.app.layout().answer.unwrap();
            assert_eq!(answer.y + answer.height, layout.prompt.y);
        }
        scene.to(Mode::Log);
        assert!(scene.app.layout().log.is_some());
        let effects = {
            scene.keys("V");
            scene.code(KeyCode::Enter)
        };
        assert!(saved(&effects).1.contains("\nlog = \"off\"\n"));
        scene.to(Mode::Table);
        assert_eq!(scene.app.layout().log, None);
    }
}

#[test]
fn a_log_in_the_room_of_all_panes_is_opened_so() {
    for focus in [Focus::Log, Focus::Prompt] {
        let pane = Some(Focus::Log);
        let view = View { log: LogRoom::Full, pane, focus: Some(focus), ..View::default() };
        let scene = opened(120, 40, view);
        assert_eq!((scene.app.layout().table, scene.app.layout().watch), (None, None));
    }
}

#[test]
fn without_a_word_about_the_panes_they_are_as_at_the_start() {
    let watch = vec!["a".parse().unwrap()];
    for (watch, mode) in [(Vec::new(), Mode::Prompt), (watch, Mode::Watch)] {
        let scene = opened(80, 24, View { watch, ..View::default() });
        assert_eq!(scene.app.mode(), mode);
    }
    let focus = Some(Focus::Chart);
    let scene = opened(80, 24, View { focus, ..View::default() });
    assert_eq!(scene.app.mode(), Mode::Prompt, "there is no chart");
}

/// A view that is compared in words, on a server with selectors that has a mark; and what it asked for.
fn compared_with(text: &str) -> (Scene, Vec<String>) {
    let mut asked = Vec::new();
    let compared = Some(Comparison::Typed(text.to_owned()));
    let mut scene = opened(120, 40, View { compared, ..View::default() }).follow();
    scene.begin();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let data = match &*line {
            "get *[last]" => format!("a 4.0 {NOW}\n"),
            "get mark.*[last:1000]" => format!("mark.deploy 1 {}\n", NOW - 300),
            line if line.contains("*[last@") || line.contains("*[last:2@") => {
                format!("a 1.0 {}\n", NOW - 9000)
            }
            _ => String::new(),
        };
        scene.ok(&line, &data);
        asked.push(line);
    }
    (scene, asked)
}

#[test]
fn the_table_is_compared_with_a_mark_or_a_time_in_words() {
    for (text, ago, name) in [
        ("deploy", 300, "deploy"),
        ("mark.deploy", 300, "deploy"),
        ("-1h", 3600, "2006-06-21 03:31:00"),
    ] {
        let (scene, asked) = compared_with(text);
        assert!(asked.contains(&format!("get *[last:2@{}]", NOW - ago)), "{asked:?}");
        let shown = draw(&scene, &scene.theme, 120, 40).to_string();
        assert!(shown.contains(&format!("moved since {name}")), "{shown}");
    }
    let (scene, _) = compared_with("reboot");
    let why = "not compared: no mark is called reboot (there is deploy), and no time: such as -2h";
    assert!(scene.notice().starts_with(why), "{}", scene.notice());
}

#[test]
fn what_a_polled_server_can_not_say_is_left_out_of_a_view() {
    let compared = Some(Comparison::Typed("-1h".to_owned()));
    let mut scene = opened(120, 40, View { compared, ..View::default() });
    scene.tell(Event::Connected);
    assert_eq!(scene.notice(), "not compared: this server can't say how things stood");
    let mut scene = opened(120, 40, View { place: Some(NOW - 600), ..View::default() });
    assert_eq!(scene.app.place().at(), Some(NOW - 600));
    scene.tell(Event::Connected);
    assert_eq!(scene.app.place().at(), None);
    assert_eq!(scene.notice(), "this server can't say how things stood: the table is of now");
    let scene = opened(120, 40, View { place: Some(NOW + 60), ..View::default() });
    assert_eq!(
        (scene.app.place().at(), scene.notice()),
        (None, "2006-06-21 04:32:00 is still to come")
    );
}

#[test]
fn themes_are_gone_through_and_saved_with_the_view() {
    for (start, names) in [
        (None, [Some("midnight"), Some("ember"), Some("paper"), None]),
        (Some("ember"), [Some("midnight"), Some("paper"), None, Some("midnight")]),
    ] {
        let look = Look { theme: start.map(str::to_owned), ..Look::default() };
        let mut scene = opened(80, 24, View { focus: Some(Focus::Table), look, ..View::default() });
        for name in names {
            assert_eq!(scene.press(KeyPress::char('v')), [Effect::Theme(name)]);
            let shown = name.or(start).unwrap_or("auto");
            assert_eq!(scene.notice(), format!("theme {shown}; --theme {shown} begins with it"));
            scene.keys("V");
            let effects = scene.code(KeyCode::Enter);
            let is_saved = saved(&effects).1.contains(&format!("\ntheme = \"{shown}\"\n"));
            assert_eq!(is_saved, name.or(start).is_some());
        }
    }
    let abilities = Abilities { colours: false, ..Abilities::default() };
    let view = View { focus: Some(Focus::Table), ..View::default() };
    let mut scene = Scene::with(80, 24, AppConfig { abilities, ..AppConfig::of(view) });
    assert_eq!(scene.press(KeyPress::char('v')), []);
    assert!(scene.notice().starts_with("no colours: "));
}

#[test]
fn row_and_marked_keys_of_a_polled_server_are_as_saved() {
    let view = View {
        watch: vec!["palm.cpu".parse().unwrap(), "eardrum.*".parse().unwrap()],
        selected_row: Some("eardrum.memory_used".to_owned()),
        chart: tui_client::session::ChartView {
            selected: Some("eardrum.memory_used".to_owned()),
            marked: vec!["palm.cpu".to_owned()],
            ..Default::default()
        },
        ..View::default()
    };
    let mut scene = opened(120, 40, view);
    scene.tell(Event::Connected);
    scene.polled(&sample());
    let row = scene.app.table().selected_series().map(|series| series.key.to_string());
    assert_eq!(row.as_deref(), Some("eardrum.memory_used"));
    let selected = scene.app.watch().selected_key().map(|key| key.key.as_str());
    assert_eq!(selected, Some("eardrum.memory_used"));
    let kept: Vec<_> = scene.app.watch().keys().iter().filter(|key| key.kept).collect();
    assert_eq!(kept.len(), 1);
}

#[test]
fn a_view_of_a_file_goes_back_there_once_that_is_confirmed() {
    let view = View { address: "localhost:10001".to_owned(), ..View::default() };
    let view_file = Some("three.toml".to_owned());
    let mut scene = Scene::with(100, 30, AppConfig { view_file, ..AppConfig::of(view) });
    scene.to(Mode::Table);
    let replaces = |effects: &[Effect]| match effects {
        [Effect::File(FileJob::SaveView { path, replaces, .. })] => (path.clone(), *replaces),
        other => panic!("{other:?}"),
    };
    let path = "three.toml".to_owned();
    scene.keys("V");
    assert_eq!(scene.input().text(), path);
    assert_eq!(replaces(&scene.code(KeyCode::Enter)), (path.clone(), false));
    scene.tell(Event::ViewExists { path: path.clone() });
    assert_eq!(scene.notice(), "three.toml is there already: Enter overwrites it, esc does not");
    assert_eq!(replaces(&scene.code(KeyCode::Enter)), (path.clone(), true));
    // Another name is asked about anew, and so is the same one later.
    scene.tell(Event::ViewExists { path: path.clone() });
    scene.keys("2");
    assert_eq!(replaces(&scene.code(KeyCode::Enter)), ("three.toml2".to_owned(), false));
    scene.keys("V");
    assert_eq!(replaces(&scene.code(KeyCode::Enter)), (path.clone(), false));
    scene.tell(Event::ViewExists { path: path.clone() });
    scene.code(KeyCode::Esc);
    scene.keys("V");
    assert_eq!(replaces(&scene.code(KeyCode::Enter)), (path, false));
}
