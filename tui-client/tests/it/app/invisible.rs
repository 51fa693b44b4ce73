//! Characters that can't be seen: two keys must not look the same, wherever they stand.

use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::Scene;
use crate::harness::snapshot::{draw, find};

/// One of each kind, with its name: no-break space is none, because no key holds it.
const INVISIBLE: [(char, &str); 9] = [
    ('\u{ad}', "a soft hyphen"),
    ('\u{61c}', "a control of the writing direction"),
    ('\u{200b}', "a zero width space"),
    ('\u{200d}', "a zero width joiner"),
    ('\u{202e}', "a control of the writing direction"),
    ('\u{2060}', "a word joiner"),
    ('\u{3164}', "an invisible character"),
    ('\u{feff}', "a byte order mark"),
    ('\u{e0041}', "a tag character"),
];

/// The text of all cells.
fn shown(scene: &Scene) -> String {
    let screen = draw(scene, &Theme::colour(), 120, 30);
    screen.buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect()
}

#[test]
fn they_are_escaped_in_table_watch_chart_log_and_prompt() {
    for (c, _) in INVISIBLE {
        let (key, escaped) = (format!("palm.c{c}pu"), format!("palm.c\\u{{{:x}}}pu", u32::from(c)));
        let mut scene = Scene::connected(120, 30, &["palm.*"]);
        scene.polled(&format!("palm.cpu 1.0 1\n{key} 2.0 2\n"));
        let rows = shown(&scene);
        assert!(rows.matches(&escaped).count() > 1, "in the watch and its chart: {rows}");
        scene.enter(&format!("get {key}"));
        assert!(scene.log().iter().any(|line| line.ends_with(&format!("get {escaped}"))));

        let mut scene = Scene::connected(120, 30, &[]);
        scene.polled(&format!("palm.cpu 1.0 1\n{key} 2.0 2\n"));
        assert!(shown(&scene).contains(&format!("·{escaped} ")), "in the table: {}", shown(&scene));
        scene.to(Mode::Prompt);
        scene.type_text(&format!("put {key} 1"));
        let rows = shown(&scene);
        assert!(rows.contains(&format!("> put {escaped} 1")), "in the prompt: {rows}");
        assert!(!rows.contains(c), "{rows}");
        let screen = draw(&scene, &Theme::colour(), 120, 30);
        let width = "│> put  1".chars().count() + escaped.len();
        assert_eq!(usize::from(screen.cursor_position().x), width, "{escaped}");
    }
}

#[test]
fn a_line_that_holds_one_is_told_its_name() {
    for (c, name) in INVISIBLE {
        let mut scene = Scene::connected(120, 30, &[]);
        scene.polled("");
        scene.to(Mode::Prompt);
        scene.type_text(&format!("put palm.c{c}pu 1 1"));
        let told = format!(" the key holds {name} (U+{:04X}) ", u32::from(c));
        let screen = draw(&scene, &Theme::colour(), 120, 30);
        assert!(find(&screen, &told).is_some(), "{told}: {screen}");
    }
    for line in ["put palm.cpu\u{a0}1 1", "get\u{a0}palm.cpu", "put a 1\u{a0}000 1"] {
        let mut scene = Scene::connected(120, 30, &[]);
        scene.polled("");
        scene.to(Mode::Prompt);
        scene.type_text(line);
        let screen = draw(&scene, &Theme::colour(), 120, 30);
        let told = "; the word holds a no-break space (U+00A0) ";
        assert!(find(&screen, told).is_some(), "{line:?}: {screen}");
    }
}

#[test]
fn a_line_longer_than_its_field_scrolls_by_what_is_shown() {
    let mut scene = Scene::connected(40, 20, &[]);
    scene.polled("");
    scene.to(Mode::Prompt);
    scene.type_text(&format!("get {}x", "\u{200b}".repeat(30)));
    let screen = draw(&scene, &Theme::colour(), 40, 20);
    assert!(find(&screen, "\\u{200b}\\u{200b}x ").is_some(), "{screen}");
    assert!(screen.cursor_position().x < 39, "{screen}");
}
