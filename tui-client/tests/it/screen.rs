//! What is drawn, at three sizes, and in which style.

use std::time::Duration;

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use shared::response::Status;
use tui_client::app::msg::{Code, Key, Msg};
use tui_client::view::{self, theme::Theme};

use crate::scene::{Scene, sample};

const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (120, 30)];

pub fn draw(scene: &Scene, theme: &Theme, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(&scene.app, theme, frame)).unwrap();
    terminal.backend().clone()
}

fn at_each_size(name: &str, watch: &[&str], act: impl Fn(&mut Scene)) {
    for (width, height) in SIZES {
        let mut scene = Scene::connected(width, height, watch);
        act(&mut scene);
        let screen = draw(&scene, &Theme::colour(), width, height);
        assert_snapshot!(format!("{name}_{width}x{height}"), screen);
    }
}

fn with_data(scene: &mut Scene) {
    scene.ok("get *", &sample());
    scene.enter("got *");
    scene.answer("got *", Status::Error, "wrong command\n");
    scene.wait(Duration::from_secs(1));
    scene.ok("get *", &sample());
}

#[test]
fn table() {
    at_each_size("table", &[], |scene| {
        with_data(scene);
        scene.code(Code::Tab);
    });
}

#[test]
fn prompt() {
    at_each_size("prompt", &[], |scene| {
        with_data(scene);
        scene.type_text("put 火.температура😀 1.5 115086426");
    });
}

#[test]
fn log() {
    at_each_size("log", &[], |scene| {
        with_data(scene);
        scene.enter("put palm.cpu 1");
        scene.code(Code::Tab);
        scene.code(Code::Tab);
        scene.code(Code::Up);
    });
}

#[test]
fn watch() {
    at_each_size("watch", &["palm.cpu", "nothing.yet"], |scene| {
        with_data(scene);
        scene.ok("get palm.cpu", &sample());
        scene.ok("get nothing.yet", "");
    });
}

#[test]
fn help() {
    at_each_size("help", &[], |scene| {
        scene.press(Key::char('?'));
        scene.code(Code::PageDown);
    });
}

#[test]
fn away() {
    at_each_size("away", &[], |scene| {
        scene.tell(Msg::Disconnected("the server closed the connection".to_owned()));
        scene.enter("get palm.cpu");
    });
}

pub fn cell_of<'a>(screen: &'a TestBackend, text: &str) -> &'a ratatui::buffer::Cell {
    let buffer = screen.buffer();
    let width = usize::from(buffer.area.width);
    let found = buffer.content().chunks(width).find_map(|row| {
        (0..width).find_map(|x| {
            let rest: String = row[x..].iter().map(ratatui::buffer::Cell::symbol).collect();
            rest.starts_with(text).then(|| &row[x])
        })
    });
    found.unwrap_or_else(|| panic!("no {text:?} on the screen\n{screen}"))
}

#[test]
fn colours_say_what_matters() {
    let mut scene = Scene::connected(120, 30, &[]);
    with_data(&mut scene);
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&screen, "●").fg, Color::Green);
    assert_eq!(cell_of(&screen, "got *").fg, Color::Cyan);
    assert_eq!(cell_of(&screen, "wrong command").fg, Color::Red);
    scene.code(Code::Tab);
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert!(cell_of(&screen, "palm.cpu").modifier.contains(Modifier::REVERSED));
    assert!(!cell_of(&screen, "eardrum").modifier.contains(Modifier::REVERSED));
    assert_eq!(cell_of(&screen, "╭ get").fg, Color::Cyan, "the pane with the keys");
    scene.tell(Msg::Disconnected("gone".to_owned()));
    let screen = draw(&scene, &Theme::colour(), 120, 30);
    assert_eq!(cell_of(&screen, "○").fg, Color::Red);
}

#[test]
fn the_plain_theme_sets_no_colour_anywhere() {
    for keys in 0..5 {
        let mut scene = Scene::connected(120, 40, &["palm.cpu"]);
        with_data(&mut scene);
        scene.ok("get palm.cpu", &sample());
        for _ in 0..keys {
            scene.code(Code::Tab);
        }
        if keys == 4 {
            scene.press(Key::char('?'));
        }
        let screen = draw(&scene, &Theme::plain(), 120, 40);
        let colours =
            |cell: &ratatui::buffer::Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!screen.buffer().content().iter().any(colours));
    }
}
