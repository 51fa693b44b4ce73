//! The shapes of a picture: paths by layer and ink, and the dots of braille, which are joined.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{CELL, FAINT, Ink, Tenths};

/// What lies over what, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Ground,
    Filled,
    Stroked,
    Dotted,
}

/// The paths of each layer and ink, of which a picture has few, and the dots of braille.
#[derive(Default)]
pub(super) struct Shapes {
    paths: BTreeMap<(Layer, Ink), String>,
    /// By row and column of the dots.
    dots: BTreeMap<(u32, u32), Ink>,
}

impl Shapes {
    pub(super) fn of(&mut self, layer: Layer, ink: Ink) -> &mut String {
        self.paths.entry((layer, ink)).or_default()
    }

    /// Adds a dot of braille.
    pub(super) fn add_dot(&mut self, row: u32, column: u32, ink: Ink) {
        self.dots.insert((row, column), ink);
    }

    /// Joins each dot to those beside it, so that dots in a row are a line as on a terminal, and fills
    /// what lies between four of them.
    fn join_dots(&mut self) {
        let dots = std::mem::take(&mut self.dots);
        let centre = |(row, column): (u32, u32)| {
            let (x, y) = ((2 * column + 1) * CELL.0 / 4, (2 * row + 1) * CELL.1 / 8);
            (Tenths(x), Tenths(y))
        };
        for (&(row, column), &ink) in &dots {
            let has = |place: (u32, u32)| dots.contains_key(&place);
            let (right, below) = (has((row, column + 1)), has((row + 1, column)));
            let left = column.checked_sub(1);
            let is_left = left.is_some_and(|left| has((row, left)));
            let corner = has((row + 1, column + 1));
            let (x, y) = centre((row, column));
            let path = self.of(Layer::Dotted, ink);
            // A line of no length is a dot.
            let _ = write!(path, "M{x} {y}h0");
            let mut join = |to: (u32, u32)| {
                let (to_x, to_y) = centre(to);
                let _ = write!(path, "M{x} {y}L{to_x} {to_y}");
            };
            if right {
                join((row, column + 1));
            }
            if below {
                join((row + 1, column));
            }
            if corner && !right && !below {
                join((row + 1, column + 1));
            }
            let lower_left = left.filter(|&left| has((row + 1, left)));
            if let Some(left) = lower_left.filter(|_| !is_left && !below) {
                join((row + 1, left));
            }
            if right && below && corner {
                let (to_x, to_y) = centre((row + 1, column + 1));
                let path = self.of(Layer::Filled, ink);
                let _ = write!(path, "M{x} {y}H{to_x}V{to_y}H{x}z");
            }
        }
    }

    pub(super) fn write(&mut self, out: &mut String) {
        self.join_dots();
        for ((layer, Ink { colour, is_faint }), path) in &self.paths {
            let opacity = if *is_faint { FAINT } else { "" };
            let _ = match layer {
                Layer::Stroked => writeln!(
                    out,
                    "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"{opacity} d=\"{path}\"/>"
                ),
                Layer::Dotted => writeln!(
                    out,
                    "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
                     stroke-linecap=\"round\"{opacity} d=\"{path}\"/>"
                ),
                _ => writeln!(out, "<path fill=\"{colour}\"{opacity} d=\"{path}\"/>"),
            };
        }
    }
}
