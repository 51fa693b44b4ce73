//! Every view as a scene with a name: how it looks is kept in a snapshot, and what must hold of
//! all views is asserted of each.

mod log;
mod prompt;
mod screen;
mod styles;
mod table;
mod watch;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ratatui::buffer::Cell;
use ratatui::style::Color;
use tui_client::event::KeyCode;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::Scene;
use crate::harness::snapshot::{Make, ONE_SIZE, SIZES, check, draw};

/// The scenes that are kept at every size, one for each mode and an answer; the others are at [`ONE_SIZE`].
const AT_EVERY_SIZE: [&str; 13] = [
    "newcomer",
    "table_sorted",
    "watch_alert",
    "chart_cursor",
    "table_filter_typed",
    "table_columns",
    "log_following",
    "help",
    "help_search",
    "recall",
    "confirm_wrong",
    "log_search",
    "answer_of_many_keys",
];

/// A screen with a name, in the folder of its snapshot.
#[derive(Clone, Copy)]
pub struct NamedScene {
    module: &'static str,
    group: &'static str,
    pub name: &'static str,
    pub make: Make,
}

impl NamedScene {
    fn sizes(&self) -> &'static [(u16, u16)] {
        if AT_EVERY_SIZE.contains(&self.name) { &SIZES } else { &[ONE_SIZE] }
    }

    /// Where the snapshot of a size is, in the folder of all.
    fn folder(&self, size: (u16, u16)) -> String {
        if size != ONE_SIZE {
            return format!("sizes/{}x{}", size.0, size.1);
        }
        let module = self.module.rsplit("::").next().unwrap_or_default();
        format!("{module}/{}", self.group)
    }

    fn check(&self) {
        for &size in self.sizes() {
            check(&self.folder(size), self.name, self.make, size);
        }
    }
}

/// A table of scenes in groups, and a test for each that it looks as it did.
macro_rules! scenes {
    ($([$group:ident] $($name:ident: $make:expr,)+)+) => {
        pub const SCENES: &[crate::scenes::NamedScene] = &[$($(crate::scenes::NamedScene {
            module: module_path!(),
            group: stringify!($group),
            name: stringify!($name),
            make: $make,
        }),+),+];

        $(mod $group {
            $(
                #[test]
                fn $name() {
                    crate::scenes::named(stringify!($name)).check();
                }
            )+
        })+
    };
}
use scenes;

fn all() -> impl Iterator<Item = NamedScene> {
    let parts = [screen::SCENES, prompt::SCENES, table::SCENES, watch::SCENES, log::SCENES];
    parts.into_iter().flatten().copied()
}

pub fn named(name: &str) -> NamedScene {
    let found = all().find(|scene| scene.name == name);
    found.unwrap_or_else(|| panic!("no scene {name}"))
}

/// Calls with the cells of every scene at every size, drawn with a theme.
pub fn each_screen(theme: &Theme, look: impl Fn(&str, &Scene, &[Cell])) {
    for NamedScene { name, make, .. } in all() {
        for (width, height) in SIZES {
            let scene = make(width, height);
            let screen = draw(&scene, theme, width, height);
            look(&format!("{name} at {width}x{height}"), &scene, screen.buffer().content());
        }
    }
}

#[test]
fn every_mode_is_kept_at_every_size() {
    let modes = AT_EVERY_SIZE.map(|name| (named(name).make)(80, 24).app.mode());
    let every = [
        Mode::Prompt,
        Mode::Table,
        Mode::Watch,
        Mode::Chart,
        Mode::SeriesInput,
        Mode::Columns,
        Mode::Log,
        Mode::Help,
        Mode::HistorySearch,
        Mode::Confirm,
        Mode::LogInput,
    ];
    assert_eq!(HashSet::from(modes), HashSet::from(every));
}

#[test]
fn every_snapshot_has_its_scene() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let path = |scene: NamedScene, size| {
        root.join(scene.folder(size)).join(scene.name).with_extension("snap")
    };
    let known: HashSet<PathBuf> =
        all().flat_map(|scene| scene.sizes().iter().map(move |&size| path(scene, size))).collect();
    let stale: Vec<PathBuf> =
        files(&root).into_iter().filter(|file| !known.contains(file)).collect();
    assert!(stale.is_empty(), "{stale:?}");
}

/// The snapshots in a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    inside
        .flat_map(files)
        .filter(|path| path.extension().is_some_and(|end| end == "snap"))
        .collect()
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
fn the_ascii_theme_draws_only_ascii_but_for_keys() {
    each_screen(&Theme { ascii: true, ..Theme::colour() }, |place, _, cells| {
        let foreign: String =
            cells.iter().map(Cell::symbol).filter(|symbol| !symbol.is_ascii()).collect();
        let letters = |c: char| c.is_alphabetic() || c == '😀';
        assert!(foreign.chars().all(letters), "{foreign:?} in {place}");
    });
}

#[test]
fn a_selected_row_has_a_mark_in_the_ascii_theme() {
    for mode in [Mode::Table, Mode::Log, Mode::Watch] {
        let mut scene = Scene::with_sample(80, 24, &["palm.cpu", "eardrum.cpu"]);
        scene.to(mode);
        scene.code(KeyCode::Up);
        let marks = |ascii| {
            let screen = draw(&scene, &Theme { ascii, ..Theme::plain() }, 80, 24);
            screen.buffer().content().chunks(80).filter(|row| row[0].symbol() == ">").count()
        };
        assert_eq!((marks(true), marks(false)), (1, 0), "{mode:?}");
    }
}

#[test]
fn every_screen_shows_a_way_out() {
    each_screen(&Theme::colour(), |place, scene, cells| {
        let typing =
            scene.app.mode() == Mode::Prompt && !scene.app.input().prompt.text().is_empty();
        let wrong = scene.app.input().line().is_some_and(|field| field.fault().is_some());
        // There the bottom line has something more urgent to say.
        if typing || wrong || scene.app.notice().is_some() {
            return;
        }
        let screen: String = cells.iter().map(Cell::symbol).collect();
        let ways = ["q quit", "ctrl-c quit", "esc back", "esc cancel", "esc discard", "esc stop"];
        let found = ways.iter().any(|way| screen.contains(way));
        assert!(found, "{place}");
    });
}
