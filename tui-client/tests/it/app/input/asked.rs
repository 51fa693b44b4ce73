//! Lines that are asked for: where they are seen, and which names they suggest.

use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

fn screen(scene: &Scene, (width, height): (u16, u16)) -> String {
    draw(scene, &scene.theme, width, height).to_string()
}

/// Connected to a server with selectors, of which a key is watched.
fn live(width: u16, height: u16) -> Scene {
    let mut scene = Scene::live(width, height, &["palm.cpu"], &[]);
    scene.ok("get palm.cpu[last:1024]", &format!("palm.cpu 5.0 {NOW}\n"));
    scene
}

/// Asks for a line in each way that there is from a mode: its name, and the scene with the line.
fn asked(mode: Mode, (width, height): (u16, u16)) -> Vec<(String, Scene)> {
    let in_mode = |mut scene: Scene| {
        match mode {
            Mode::Chart => {
                scene.to(Mode::Watch);
                scene.keys("f");
            }
            _ => scene.to(mode),
        }
        scene
    };
    let scene = || in_mode(Scene::with_sample(width, height, &["palm.cpu"]));
    let mut all = Vec::new();
    let keys: &[char] = match mode {
        Mode::Table => &['/', '!', 'W', '@', 'm', 'C', 'V'],
        Mode::Watch | Mode::Chart => &['!', 'W', '@', 'm', 'C', 'V'],
        Mode::Log => &['/', '&', 's', '@', 'm', 'C', 'V'],
        _ => &[],
    };
    for &key in keys {
        // Other servers can't say how things stood.
        let scene = if key == 'C' { in_mode(live(width, height)) } else { scene() };
        all.push((key.to_string(), scene.then(|scene| scene.keys(&key.to_string()))));
    }
    if mode == Mode::Prompt {
        let search = |scene: &mut Scene| drop(scene.press(KeyPress::ctrl('r')));
        all.push(("history".to_owned(), scene().then(search)));
        return all;
    }
    let (path, reason) = ("x".to_owned(), "the disk is full".to_owned());
    for event in [
        Event::PictureNotSaved { path: path.clone(), reason: reason.clone() },
        Event::SessionNotSaved { path: path.clone(), reason: reason.clone() },
        Event::ViewNotSaved { path: path.clone(), reason: reason.clone() },
        Event::ViewExists { path: path.clone() },
    ] {
        let name = format!("{event:?}");
        all.push((name, scene().then(|scene| drop(scene.tell(event.clone())))));
    }
    all
}

#[test]
fn what_is_typed_in_a_line_is_seen_in_every_mode_and_size() {
    let modes = [Mode::Prompt, Mode::Table, Mode::Watch, Mode::Chart, Mode::Log];
    for size in [(150, 45), (80, 24), (60, 18), (40, 10), (30, 6), (40, 5), (40, 3), (40, 1)] {
        for mode in modes {
            for (name, mut scene) in asked(mode, size) {
                assert!(scene.app.input().line().is_some(), "{name} in {mode:?}");
                scene.keys("q7z");
                let drawn = screen(&scene, size);
                assert!(drawn.contains("q7z"), "{name} in {mode:?} at {size:?}: {drawn}");
            }
        }
    }
}

#[test]
fn the_full_screen_chart_says_what_is_asked_for() {
    for size in [(150, 45), (80, 24), (40, 10)] {
        let mut scene = Scene::with_sample(size.0, size.1, &["palm.cpu"]);
        scene.to(Mode::Watch);
        scene.keys("fV");
        let drawn = screen(&scene, size);
        assert!(drawn.contains("save to tui-client-2006"), "{drawn}");
        scene.code(KeyCode::Esc);
        assert_eq!(scene.app.mode(), Mode::Chart);
    }
}

/// Connected to a server with selectors that has two marks.
fn marked() -> Scene {
    let mut scene = Scene::live(120, 40, &["oven.temp"], &[]);
    let points = format!(
        "mark.boot 1.0 {}\nmark.deploy-2 1.0 {}\noven.cpu 5.0 {NOW}\noven.temp 5.0 {NOW}\n",
        NOW - 90,
        NOW - 60
    );
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene
            .ok(&line, if line.contains("[last:") || line == "get *[last]" { &points } else { "" });
    }
    scene.told(&points);
    scene.to(Mode::Table);
    scene
}

#[test]
fn lines_suggest_names_that_there_are() {
    for (key, example) in [
        ("m", ": deploy-2   boot"),
        ("C", "compare with: deploy-2   boot   -1h   yesterday 9:00"),
        ("W", "watch: oven.cpu   oven.*"),
        ("/", "filter: oven.*   last > 20"),
    ] {
        let mut scene = marked();
        while !scene.app.table().selected_key().unwrap().as_str().starts_with("oven.cpu") {
            scene.code(KeyCode::Down);
        }
        scene.keys(key);
        let drawn = screen(&scene, (120, 40));
        assert!(drawn.contains(example), "{key}: {drawn}");
    }
    // Where there is nothing yet, an example says that it is one.
    let mut scene = Scene::live(120, 40, &[], &[]);
    scene.to(Mode::Table);
    scene.keys("m");
    let drawn = screen(&scene, (120, 40));
    assert!(drawn.contains("mark: such as  deploy"), "{drawn}");
}

#[test]
fn tab_completes_marks_and_keys() {
    let typed = |scene: &Scene| scene.input().text().to_owned();
    for (key, word, first, second) in [
        ("C", "d", "deploy-2", "deploy-2"),
        ("m", "", "deploy-2", "boot"),
        ("W", "ov", "oven.", "oven.cpu"),
        ("!", "", "oven.cpu > ", "oven.cpu > "),
    ] {
        let mut scene = marked();
        while !scene.app.table().selected_key().unwrap().as_str().starts_with("oven.cpu") {
            scene.code(KeyCode::Down);
        }
        scene.keys(key);
        scene.keys(word);
        if key != "!" {
            scene.code(KeyCode::Tab);
        }
        assert_eq!(typed(&scene), first, "{key}");
        if key != "!" {
            scene.code(KeyCode::Tab);
        }
        assert_eq!(typed(&scene), second, "{key}");
    }
    let mut scene = marked();
    scene.keys("Woven.x");
    scene.code(KeyCode::Tab);
    assert_eq!(scene.notice(), "nothing known completes this");
    assert_eq!(typed(&scene), "oven.x");
}

#[test]
fn an_unknown_mark_is_answered_with_those_there_are() {
    let mut scene = marked();
    scene.keys("Cnope\n");
    let notice = scene.notice();
    assert!(
        notice.starts_with("no mark is called nope (there is deploy-2, boot), and "),
        "{notice}"
    );
    assert_eq!(scene.input().text(), "nope", "to be corrected");
}

#[test]
fn a_blank_in_the_name_of_a_mark_is_a_dash() {
    let mut scene = marked();
    scene.keys("mroll back \n");
    let sent = scene.sent.last().unwrap();
    assert_eq!(sent.line, format!("put mark.roll-back 1 {NOW}"));
    let mut scene = marked();
    scene.keys("Cdeploy 2\n");
    assert!(scene.sent.iter().any(|sent| sent.line == format!("get *[last:2@{}]", NOW - 60)));
}

#[test]
fn a_long_answer_says_what_it_keeps_and_how_to_get_all_of_it() {
    let key = "a_rather_long_name.of_a_disk.written";
    for (key, size, said) in [
        ("many", (120, 40), " the newest 1,000 of 1,500 lines; all: tui-client get many > FILE "),
        ("many", (80, 24), " 500 more; all: tui-client get many > FILE "),
        ("many.of.them", (80, 24), " all: tui-client get many.of.them > FILE "),
        ("-many", (120, 40), "; all: tui-client get -- -many > FILE "),
        (key, (80, 24), " 500 more; R in the log keeps all "),
        (key, (60, 24), " 500 more "),
        (key, (40, 24), " +500 "),
    ] {
        let mut scene = Scene::with_sample(size.0, size.1, &[]);
        let request = format!("get {key}");
        scene.enter(&request);
        let points: String = (0..1500).map(|at| format!("{key} {at}.0 {}\n", NOW - at)).collect();
        scene.ok(&request, &points);
        let text = screen(&scene, size);
        assert!(text.contains(said), "{said}: {text}");
        assert!(!key.starts_with("many") || text.contains(" of 1,000 "), "{text}");
    }
}
