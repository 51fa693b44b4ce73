//! The help of keys, marks and the mouse.

use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::{HelpLine, Mode};
use tui_client::view::theme::Theme;

use crate::harness::scene::Scene;
use crate::harness::snapshot::draw;

#[test]
fn help_can_be_searched() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.press(KeyPress::char('?'));
    scene.type_text("/UNWATCHx");
    assert!(draw(&scene, &Theme::colour(), 80, 24).to_string().contains("nothing found"));
    scene.press(KeyPress::ctrl('h'));
    for _ in 0.."unwatch".len() {
        scene.code(KeyCode::Backspace);
    }
    scene.type_text("stop watching");
    let screen = draw(&scene, &Theme::colour(), 80, 24).to_string();
    assert!(screen.contains("keyboard /stop watching_"), "{screen}");
    assert!(screen.contains("Watched keys") && screen.contains("x delete"), "{screen}");
    assert!(!screen.contains("Command line"), "{screen}");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::Help);
    assert_eq!(scene.help().lines().len(), 2, "what was found stays");
    scene.type_text("/");
    scene.code(KeyCode::Esc);
    assert!(scene.help().lines().len() > 40);
    scene.tell(Event::Paste("x".to_owned()));
    assert_eq!(scene.app.mode(), Mode::Prompt);
    scene.code(KeyCode::F(1));
    assert_eq!(scene.app.mode(), Mode::Help);
}

#[test]
fn help_explains_mouse_marks_and_copying() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    scene.press(KeyPress::char('?'));
    scene.keys("/");
    for (query, found) in [
        ("no-mouse", "the terminal has the mouse for itself"),
        ("stale", "no point for 5 times as long as usual"),
        ("tmux", "set -s set-clipboard on"),
        ("f6", "pause: the screen stands still; again: resume"),
    ] {
        scene.type_text(query);
        let screen = draw(&scene, &Theme::colour(), 80, 24).to_string();
        assert!(screen.contains(found), "{query}: {screen}");
        query.chars().for_each(|_| drop(scene.code(KeyCode::Backspace)));
    }
}

#[test]
fn help_begins_with_the_current_pane_and_keeps_the_chart_visible() {
    let mut scene = Scene::with_sample(200, 60, &["palm.cpu"]);
    scene.keys("f?");
    assert_eq!(scene.help().lines()[0], HelpLine::Heading("Full-screen chart"));
    assert!(scene.app.layout().full, "the chart stays");
    scene.code(KeyCode::Esc);
    scene.keys("!");
    assert!(scene.app.layout().full, "for a line at its foot, too");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart);
}

#[test]
fn help_search_finds_keys_by_common_words() {
    for (word, keys) in [
        ("filter", &["/", "&"][..]),
        ("history", &["ctrl-r", "↑ ctrl-p", "↓ ctrl-n"]),
        ("completion", &["tab", "shift-tab", "esc"]),
        ("complete", &["tab"]),
        ("threshold", &["!"]),
        ("alert", &["!", "D"]),
        ("zoom", &["z", "Z"]),
        ("stale", &["/"]),
        ("sort", &["> →", "< ←", "o"]),
        ("exchange", &["E"]),
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
