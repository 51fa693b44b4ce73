//! What a style has to say: that something is wrong must be red wherever it is seen. A snapshot
//! alone would be accepted too easily with another colour.

use ratatui::buffer::Cell;
use ratatui::style::Color::{self, Cyan, Green, Magenta, Red, Reset, Yellow};
use ratatui::style::Modifier;
use tui_client::keymap::Mode;
use tui_client::view::theme::{Theme, colour::Depth};
use unicode_width::UnicodeWidthStr;

use super::{each_screen, named};
use crate::harness::scene::{NOW, Scene};
use crate::harness::series_server::month;
use crate::harness::snapshot::{SIZES, cell_of, draw, find};

const NONE: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const UNDERLINED: Modifier = Modifier::UNDERLINED;
const SELECTED: Modifier = Modifier::REVERSED;
const FOUND: Modifier = UNDERLINED.union(BOLD);

/// In this scene the first place with this text looks so, at each size that has room for it.
const MEANINGS: &[(&str, &str, Color, Modifier)] = &[
    ("connecting", "◌", Yellow, NONE),
    ("newcomer", "●", Green, NONE),
    ("away", "○", Red, NONE),
    ("away", "the server closed", Red, NONE),
    ("away", "not sent, the server closed", Red, NONE),
    ("slow_reply", "waiting", Yellow, NONE),
    ("refused", "error at \"got\" in", Red, NONE),
    ("stored", "stored palm.cpu", Green, NONE),
    ("prompt_wide", "> put", Cyan, NONE),
    ("accepted", "put palm.cpu 23.7  ", Green, NONE),
    ("unfinished", "put palm.disk", Reset, NONE),
    ("unfinished", "a value is missing", Reset, DIM),
    ("ghost", "put palm.cpu 23.7  ", Reset, NONE),
    ("ghost", "m.cpu 23.7  ", Reset, DIM),
    ("doubtful_time", "put palm.cpu 23.7 11508642470", Green, NONE),
    ("doubtful_time", "1150864247000", Yellow, UNDERLINED),
    ("doubtful_time", "in 36432y: milliseconds?", Yellow, NONE),
    ("doubtful_glob", "palm.*", Yellow, UNDERLINED),
    ("doubtful_glob", "this server takes", Yellow, NONE),
    ("mistake", "put palm.cpu 23,7", Reset, NONE),
    ("mistake", "23,7", Red, UNDERLINED),
    ("mistake", "a value is a decimal", Red, NONE),
    ("recall", "alm  → put", Cyan, NONE),
    ("recall", "alm.cpu 23.7  ", Yellow, UNDERLINED),
    ("recall_failed", "almx", Red, NONE),
    ("confirm", "2,000 lines", Yellow, NONE),
    ("confirm_wrong", "2 of them wrong", Red, NONE),
    ("import", "1 refused", Red, NONE),
    ("table", "╭ get", Cyan, NONE),
    ("table", "palm.cpu", Reset, SELECTED),
    ("table", "eardrum", Reset, NONE),
    ("table_without_focus", "╭ get", Reset, DIM),
    ("table_without_focus", "rack00.node0000", Reset, NONE),
    ("table_sorted", "last▼", Cyan, BOLD),
    ("table_sorted", "!palm.cpu", Red, NONE),
    ("table_sorted", "oven.temp", Reset, DIM),
    ("table_sorted", "2h", Yellow, NONE),
    ("table_filter_wrong", "last > 20x", Reset, NONE),
    ("table_filter_wrong", "20x and", Red, NONE),
    ("table_filter_wrong", "expected a number", Red, NONE),
    ("table_filter_unfinished", "a number is missing", Reset, DIM),
    ("table_filter_refused", "expected a number", Red, NONE),
    ("table_strange_lines", "skipped 2 malformed lines", Red, NONE),
    ("table_columns", "[ ] min", Reset, SELECTED),
    ("watch_alert", "! kettle.cpu", Red, NONE),
    ("watch_alert", "1 alert", Red, NONE),
    ("watch_fresh", "9.5  ▲", Yellow, BOLD),
    ("watch_stale", "2h ago", Yellow, NONE),
    ("watch_paused", "· paused", Yellow, NONE),
    ("watch_paused", "paused", Yellow, NONE),
    ("watch_stretched", "every 1s, slowed", Yellow, NONE),
    ("watch_cost", "req/s", Reset, DIM),
    ("chart_cursor", "╌", Red, NONE),
    ("chart_cursor", "■ palm.cpu", Cyan, NONE),
    ("chart_cursor", "■ eardrum.cpu", Magenta, NONE),
    ("log", "→ put palm.cpu", Cyan, NONE),
    ("log", "← error", Green, NONE),
    ("log", "error ", Red, NONE),
    ("log_following", "54 B", Reset, DIM),
    ("log_search", "palm.cpu 23.7 1150864001", Yellow, FOUND),
    ("log_search", "palm.cpu 23.5", Reset, FOUND.union(SELECTED)),
];

#[test]
fn styles_say_what_they_mean() {
    let mut wrong = Vec::new();
    for &(name, text, colour, modifier) in MEANINGS {
        let mut seen = false;
        for (width, height) in SIZES {
            let scene = (named(name).make)(width, height);
            let screen = draw(&scene, &scene.theme, width, height);
            let Some(cell) = find(&screen, text) else { continue };
            seen = true;
            let found = (cell.fg, cell.modifier);
            if found != (colour, modifier) {
                wrong.push(format!("{text:?} in {name} at {width}x{height} is {found:?}"));
            }
        }
        if !seen {
            wrong.push(format!("{text:?} is not in {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A mark stands above the grid and the lines of the chart, and takes the colour of none.
#[test]
fn a_mark_has_one_style_whatever_is_below() {
    const WIDTH: u16 = 120;
    let server = month();
    let mut scene = Scene::live(WIDTH, 40, &["a"], &[]);
    server.serve(&mut scene);
    let marks = (0..15).map(|n| format!("mark.deploy 1 {}\n", NOW - 60 * n));
    scene.told(&marks.collect::<String>());
    server.serve(&mut scene);
    let screen = draw(&scene, &scene.theme, WIDTH, 40);
    let rows = screen.buffer().content().chunks(WIDTH.into());
    let mut names = 0;
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if cell.symbol() == "┊" {
                assert_eq!(cell.fg, Reset, "{screen}");
            }
            let text = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>();
            if row.get(at..at + 6).is_some_and(|name| text(name) == "deploy") {
                assert!(row[at..at + 6].iter().all(|cell| cell.fg == Reset), "{screen}");
                names += 1;
            }
        }
    }
    assert!(names > 3, "{screen}");
}

/// A theme with a ground of its own leaves no cell to the terminal.
#[test]
fn a_theme_with_a_ground_colours_every_cell() {
    let theme = Theme::built_in("midnight", Depth::True).unwrap().unwrap();
    each_screen(&theme, |place, _, cells| {
        // Behind a wide character there is none.
        let mut is_behind = false;
        for cell in cells {
            let is_own = cell.bg != Reset && cell.fg != Reset;
            assert!(is_own || is_behind, "{place}: {cell:?}");
            is_behind = cell.symbol().width() > 1;
        }
    });
}

/// The colours of the cells of a chart that hold dots, from the top row to the bottom.
fn colours_of_lines(keys: &str) -> Vec<Color> {
    let theme = Theme::built_in("ember", Depth::True).unwrap().unwrap();
    let mut scene = Scene::parked(100, 30, &["palm.cpu", "kettle.cpu"], &[]);
    scene.to(Mode::Watch);
    scene.keys(keys);
    let screen = draw(&scene, &theme, 100, 30);
    let cells = screen.buffer().content().iter();
    let dots = cells.filter(|cell| cell.symbol().chars().any(|c| ('⠁'..='⣿').contains(&c)));
    let mut colours: Vec<Color> = dots.map(|cell| cell.fg).collect();
    colours.dedup();
    colours
}

#[test]
fn a_line_that_is_alone_is_coloured_by_height_and_several_by_line() {
    let theme = Theme::built_in("ember", Depth::True).unwrap().unwrap();
    let gradient = theme.chart.colours();
    let alone = colours_of_lines("f");
    assert!(alone.len() > 10, "{alone:?}");
    let places: Vec<_> = alone
        .iter()
        .map(|colour| gradient.iter().position(|known| known == colour).unwrap())
        .collect();
    assert!(places.is_sorted_by(|above, below| above > below), "the hottest on top: {places:?}");
    for colour in colours_of_lines("Mf") {
        assert!(theme.lines[..2].contains(&colour), "{colour}");
    }
}

#[test]
fn a_point_at_the_cursor_keeps_the_colour_of_its_line() {
    let theme = Theme::built_in("ember", Depth::True).unwrap().unwrap();
    let mut scene = Scene::parked(100, 30, &["palm.cpu", "kettle.cpu"], &[]);
    scene.to(Mode::Watch);
    scene.keys("Mfh");
    let screen = draw(&scene, &theme, 100, 30);
    let points = screen.buffer().content().iter().filter(|cell| cell.symbol() == "●");
    let colours: Vec<Color> = points.map(|cell| cell.fg).skip(1).collect();
    assert_eq!(colours.len(), 2);
    assert!(colours.iter().all(|colour| theme.lines[..2].contains(colour)), "{colours:?}");
}

#[test]
fn bars_of_trends_are_coloured_by_their_height() {
    let theme = Theme::built_in("ember", Depth::True).unwrap().unwrap();
    let scene = Scene::parked(200, 60, &[], &[]);
    let screen = draw(&scene, &theme, 200, 60);
    let of = |bar| cell_of(&screen, bar).fg;
    assert_eq!((of("▁"), of("▇")), (theme.trend.at(0, 7).unwrap(), theme.trend.at(6, 7).unwrap()));
}
