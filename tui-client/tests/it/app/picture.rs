//! Pictures of the screen.

use tui_client::effect::Effect;
use tui_client::event::{Event, FILE_EXISTS, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view;
use tui_client::view::theme::{Glyphs, Theme};

use crate::harness::scene::{Scene, typed};
use crate::harness::snapshot::draw;

/// The effects of the last of these keys.
fn keys_of(scene: &mut Scene, keys: &str) -> Vec<Effect> {
    typed(keys).map(|key| scene.press(key)).last().unwrap_or_default()
}

#[test]
fn a_picture_is_saved_at_once_under_the_name_of_its_time() {
    let mut scene = Scene::with_sample(100, 30, &[]);
    scene.code(KeyCode::BackTab);
    // Another one each time.
    for (keys, number) in [("S", ""), ("?save a picture\n", "-2"), ("S", "-3")] {
        let effects = keys_of(&mut scene, keys);
        let [Effect::Picture(path)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(*path, format!("tui-client-20060621-043100{number}.svg"));
    }
    scene.tell(Event::PictureSaved { path: "/tmp/x.svg".to_owned() });
    assert_eq!(scene.notice(), "the picture is in /tmp/x.svg");
}

#[test]
fn a_name_of_the_time_that_is_taken_gives_way_to_the_next_one() {
    let mut scene = Scene::with_sample(100, 30, &[]);
    scene.code(KeyCode::BackTab);
    scene.press(KeyPress::char('S'));
    for (taken, next) in [("", "-2"), ("-2", "-3")] {
        let path = format!("tui-client-20060621-043100{taken}.svg");
        let effects = scene.tell(Event::PictureNotSaved { path, reason: FILE_EXISTS.to_owned() });
        let [Effect::Picture(path)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(*path, format!("tui-client-20060621-043100{next}.svg"));
    }
    let path = "tui-client-20060621-043100-3.svg".to_owned();
    scene.tell(Event::PictureNotSaved { path, reason: "the disk is full".to_owned() });
    assert_eq!(scene.app.mode(), Mode::LogInput);
}

#[test]
fn a_picture_that_can_not_be_saved_asks_for_another_name() {
    let mut scene = Scene::with_sample(100, 30, &[]);
    scene.code(KeyCode::BackTab);
    scene.press(KeyPress::char('S'));
    let (path, reason) = ("x.svg".to_owned(), "there is such a file already".to_owned());
    scene.tell(Event::PictureNotSaved { path, reason });
    assert_eq!(scene.notice(), "x.svg: not saved, there is such a file already");
    assert_eq!((scene.app.mode(), scene.input().text()), (Mode::LogInput, "x.svg"));
    scene.press(KeyPress::ctrl('u'));
    scene.keys("y.svg");
    let effects = scene.code(KeyCode::Enter);
    assert_eq!(effects, [Effect::Picture("y.svg".to_owned())]);
    // A key that is typed into a line is a letter of it.
    scene.keys("get a");
    let (path, reason) = ("y.svg".to_owned(), "the disk is full".to_owned());
    scene.tell(Event::PictureNotSaved { path, reason });
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn a_picture_shows_what_the_screen_shows() {
    let scene = Scene::with_sample(100, 30, &[]);
    for theme in [Theme::colour(), Theme::light(), Theme::plain()] {
        let svg = view::picture(&scene.app, &theme);
        for text in ["palm.cpu", "localhost:10001", "log"] {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}: {svg}");
        }
        let is_light = svg.contains("rx=\"6\" fill=\"#ffffff\"");
        assert_eq!(is_light, theme == Theme::light());
    }
}

/// Whatever a terminal draws them with.
#[test]
fn the_lines_of_a_chart_in_a_picture_are_lines() {
    let scene = Scene::with_sample(100, 30, &["palm.cpu"]).on(Mode::Watch, "f");
    let of = |glyphs| view::picture(&scene.app, &Theme { glyphs, ..Theme::colour() });
    let braille = of(Glyphs::Braille);
    assert!(braille.contains("stroke-linecap=\"round\""), "{braille}");
    for glyphs in [Glyphs::Octant, Glyphs::Block] {
        assert!(of(glyphs) == braille, "{glyphs:?}");
    }
    assert!(of(Glyphs::Ascii) != braille);
}

#[test]
fn the_end_of_a_long_name_is_shown() {
    for (width, shown) in [
        (40, "the picture is in /home/palm…043100.svg"),
        (80, "the picture is in /home/palm/pictures/tui-client-1.043100.svg"),
    ] {
        let mut scene = Scene::with_sample(width, 10, &[]);
        scene.code(KeyCode::BackTab);
        let path = "/home/palm/pictures/tui-client-1.043100.svg".to_owned();
        scene.tell(Event::PictureSaved { path });
        let drawn = draw(&scene, &Theme::colour(), width, 10).to_string();
        assert!(drawn.contains(shown), "{drawn}");
    }
    let scene = Scene::with_sample(80, 10, &[]).on(Mode::Table, "/not stale and last > 1\nY");
    let drawn = draw(&scene, &Theme::colour(), 80, 10).to_string();
    assert!(drawn.contains(" copied: tui-client ") && drawn.contains(",trend"), "{drawn}");
}
