//! Every view as a scene with a name: how it looks is kept in a snapshot, and what must hold of
//! all views is asserted of each.

mod log;
mod meanings;
mod prompt;
mod screen;
mod table;
mod watch;

use std::collections::HashSet;

use ratatui::buffer::Cell;
use ratatui::style::Color;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::look::{Make, SIZES, draw};
use crate::scene::Scene;

/// A table of scenes, and a test for each that it looks as it did.
macro_rules! scenes {
    ($($name:ident: $make:expr,)+) => {
        pub const SCENES: &[(&str, crate::look::Make)] = &[$((stringify!($name), $make)),+];

        mod looks_the_same {
            $(
                #[test]
                fn $name() {
                    let name = stringify!($name);
                    crate::look::check(name, crate::scenes::named(name));
                }
            )+
        }
    };
}
use scenes;

fn all() -> impl Iterator<Item = (&'static str, Make)> {
    let parts = [screen::SCENES, prompt::SCENES, table::SCENES, watch::SCENES, log::SCENES];
    parts.into_iter().flatten().copied()
}

pub fn named(name: &str) -> Make {
    let found = all().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no scene {name}")).1
}

/// Calls with the cells of every scene at every size, drawn with a theme.
fn each_screen(theme: &Theme, look: impl Fn(&str, &Scene, &[Cell])) {
    for (name, make) in all() {
        for (width, height) in SIZES {
            let scene = make(width, height);
            let screen = draw(&scene, theme, width, height);
            look(&format!("{name} at {width}x{height}"), &scene, screen.buffer().content());
        }
    }
}

#[test]
fn every_mode_and_every_snapshot_has_its_scene() {
    let modes: HashSet<Mode> = all().map(|(_, make)| make(80, 24).app.mode()).collect();
    let every = [
        Mode::Prompt,
        Mode::Table,
        Mode::Watch,
        Mode::Chart,
        Mode::Field,
        Mode::Columns,
        Mode::Log,
        Mode::Help,
        Mode::HelpSearch,
        Mode::Recall,
        Mode::Confirm,
        Mode::Ask,
    ];
    assert_eq!(modes, HashSet::from(every));

    let names: HashSet<&str> = all().map(|(name, _)| name).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots");
    let kept = std::fs::read_dir(folder).unwrap();
    let kept = kept.map(|file| file.unwrap().file_name().into_string().unwrap());
    let unused =
        |file: &String| file.strip_suffix(".snap").is_some_and(|name| !names.contains(name));
    let stale: Vec<String> = kept.filter(unused).collect();
    assert!(stale.is_empty(), "{stale:?}");
}

#[test]
fn the_plain_theme_sets_no_colour_anywhere() {
    each_screen(&Theme::plain(), |place, _, cells| {
        let coloured = |cell: &Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!cells.iter().any(coloured), "{place}");
    });
}

#[test]
fn the_light_theme_uses_dark_colours() {
    each_screen(&Theme::light(), |place, scene, cells| {
        // A second line in the chart has to differ from the first.
        let lines = scene.app.watch().charted().count();
        let pale = [Color::Cyan, Color::Yellow, Color::White, Color::Gray];
        let seen = cells.iter().any(|cell| pale.contains(&cell.fg) || cell.bg != Color::Reset);
        assert!(!seen || lines > 2, "{place}");
    });
}

#[test]
fn ascii_draws_nothing_else_but_keys() {
    each_screen(&Theme { ascii: true, ..Theme::colour() }, |place, _, cells| {
        let foreign: String =
            cells.iter().map(Cell::symbol).filter(|symbol| !symbol.is_ascii()).collect();
        let letters = |c: char| c.is_alphabetic() || c == '😀';
        assert!(foreign.chars().all(letters), "{foreign:?} in {place}");
    });
}

#[test]
fn every_screen_says_how_to_leave_it() {
    each_screen(&Theme::colour(), |place, scene, cells| {
        let typing = scene.app.mode() == Mode::Prompt && !scene.app.prompt().text().is_empty();
        let wrong = scene.app.input().is_some_and(|field| field.fault().is_some());
        // There the bottom line has something more urgent to say.
        if typing || wrong || scene.app.notice().is_some() {
            return;
        }
        let screen: String = cells.iter().map(Cell::symbol).collect();
        let ways = [
            "q quit",
            "ctrl-c quit",
            "esc back",
            "esc cancel",
            "esc discard",
            "esc stop",
            "esc all",
        ];
        let found = ways.iter().any(|way| screen.contains(way));
        assert!(found, "{place}");
    });
}
