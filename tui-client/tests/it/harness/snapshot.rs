//! How a scene looks: its text and its styles at one size, as a snapshot.

use std::fmt::Write;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use tui_client::view::{self, PlotCache, theme::Theme};
use unicode_width::UnicodeWidthStr;

use crate::harness::scene::Scene;

/// Every view is drawn in these sizes, columns and rows.
pub const SIZES: [(u16, u16); 4] = [(40, 10), ONE_SIZE, (120, 30), (200, 60)];

/// The size of a view of which one snapshot is enough.
pub const ONE_SIZE: (u16, u16) = (80, 24);

/// Builds a scene for a screen of this size.
pub type Make = fn(u16, u16) -> Scene;

pub fn draw(scene: &Scene, theme: &Theme, width: u16, height: u16) -> TestBackend {
    draw_after(scene, theme, &mut PlotCache::default(), width, height)
}

/// Draws with the caches of earlier frames.
pub fn draw_after(
    scene: &Scene,
    theme: &Theme,
    plots: &mut PlotCache,
    width: u16,
    height: u16,
) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(&scene.app, theme, plots, frame)).unwrap();
    terminal.backend().clone()
}

/// The first cell of the first place where the screen shows `text`.
pub fn cell_of<'a>(screen: &'a TestBackend, text: &str) -> &'a Cell {
    find(screen, text).unwrap_or_else(|| panic!("no {text:?} on the screen\n{screen}"))
}

pub fn find<'a>(screen: &'a TestBackend, text: &str) -> Option<&'a Cell> {
    rows(screen).find_map(|row| {
        (0..row.len()).find_map(|x| {
            let rest: String = row[x..].iter().map(Cell::symbol).collect();
            rest.starts_with(text).then(|| &row[x])
        })
    })
}

fn rows(screen: &TestBackend) -> impl Iterator<Item = &[Cell]> {
    let width = usize::from(screen.buffer().area.width);
    screen.buffer().content().chunks(width)
}

/// Compares a scene at one size with its snapshot in a folder of `snapshots`.
pub fn check(folder: &str, name: &str, make: Make, (width, height): (u16, u16)) {
    let scene = make(width, height);
    let screen = draw(&scene, &scene.theme, width, height);
    let cursor = screen.cursor_position();
    let cursor = if screen.cursor_visible() {
        format!("cursor in row {}, column {}", cursor.y + 1, cursor.x + 1)
    } else {
        "no cursor".to_owned()
    };
    let mut styles = Styles::default();
    let mut sheet = format!("{width}x{height}, {cursor}\n");
    write_rows(&mut sheet, rows(&screen).map(text));
    writeln!(sheet, "--- styles").unwrap();
    write_rows(&mut sheet, rows(&screen).map(|row| styles.map(row)));
    writeln!(sheet, "--- legend\n{}", styles.legend()).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../snapshots/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, sheet));
}

/// Writes rows, many equal ones as the first and a count.
fn write_rows(sheet: &mut String, rows: impl Iterator<Item = String>) {
    const MANY: usize = 4;
    let rows: Vec<String> = rows.collect();
    for same in rows.chunk_by(|a, b| a == b) {
        let shown = if same.len() < MANY { same.len() } else { 1 };
        for row in &same[..shown] {
            writeln!(sheet, "{}", row.trim_end()).unwrap();
        }
        if shown < same.len() {
            writeln!(sheet, "⋮ {} more like this", same.len() - shown).unwrap();
        }
    }
}

/// The text of a row; the cell behind a wide character is left out.
fn text(row: &[Cell]) -> String {
    let mut covered = 0;
    let mut text = String::new();
    for cell in row {
        if covered == 0 {
            text.push_str(cell.symbol());
            covered = cell.symbol().width();
        }
        covered = covered.saturating_sub(1);
    }
    text
}

/// Foreground, background and modifiers.
type Style = (Color, Color, Modifier);

fn style(cell: &Cell) -> Style {
    (cell.fg, cell.bg, cell.modifier)
}

/// The letters that stand for styles in a snapshot.
#[derive(Default)]
struct Styles {
    used: Vec<(char, Style)>,
}

impl Styles {
    /// A letter for each column; a blank is the default style.
    fn map(&mut self, row: &[Cell]) -> String {
        row.iter().map(|cell| self.letter(style(cell))).collect()
    }

    fn letter(&mut self, style: Style) -> char {
        if let Some((letter, _)) = self.used.iter().find(|(_, known)| *known == style) {
            return *letter;
        }
        let free = |letter: &char| self.used.iter().all(|(used, _)| used != letter);
        let letter = Self::natural(style).into_iter().chain('0'..='9').chain('a'..='z').find(free);
        self.used.push((letter.unwrap(), style));
        letter.unwrap()
    }

    /// The letter of a common style, equal in all snapshots.
    fn natural((fg, bg, modifier): Style) -> Option<char> {
        const USUAL: [(Color, Modifier, char); 9] = [
            (Color::Reset, Modifier::empty(), ' '),
            (Color::Reset, Modifier::DIM, '.'),
            (Color::Reset, Modifier::BOLD, '*'),
            (Color::Reset, Modifier::BOLD.union(Modifier::DIM), ':'),
            (Color::Reset, Modifier::REVERSED, 'S'),
            (Color::Reset, Modifier::REVERSED.union(Modifier::DIM), 's'),
            (Color::Reset, Modifier::REVERSED.union(Modifier::BOLD), '#'),
            (Color::Cyan, Modifier::REVERSED, '~'),
            (Color::Yellow, Modifier::REVERSED, '^'),
        ];
        if bg != Color::Reset {
            return None;
        }
        let usual = USUAL.iter().find(|usual| (usual.0, usual.1) == (fg, modifier));
        let initial = || format!("{fg:?}").to_lowercase().chars().next();
        match (usual, modifier) {
            (Some(&(_, _, letter)), _) => Some(letter),
            (None, Modifier::BOLD) => initial().map(|letter| letter.to_ascii_uppercase()),
            (None, modifier) if modifier.is_empty() => initial(),
            _ => None,
        }
    }

    fn legend(&self) -> String {
        let mut legend: Vec<String> = Vec::new();
        for &(letter, (fg, bg, modifier)) in self.used.iter().filter(|(letter, _)| *letter != ' ') {
            let mut parts = Vec::new();
            parts.extend((fg != Color::Reset).then(|| format!("{fg:?}")));
            parts.extend((bg != Color::Reset).then(|| format!("on {bg:?}")));
            parts.extend(modifier.iter_names().map(|(name, _)| name.to_owned()));
            legend.push(format!("{letter} {}", parts.join(" ").to_lowercase()));
        }
        legend.sort_unstable();
        legend.join("\n")
    }
}
