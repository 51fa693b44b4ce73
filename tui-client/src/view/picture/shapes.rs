//! The shapes of a picture: paths by layer and ink, and the dots of braille, which are joined.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{CELL, FAINT, Ink, Rgb, Tenths};

/// What lies over what, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Ground,
    Filled,
    Stroked,
    Dotted,
}

/// The paths of each layer and ink, of which a picture has few, and the dots of braille.
pub(super) struct Shapes {
    paths: BTreeMap<(Layer, Ink), String>,
    dots: Dots,
}

/// The row and the column of a dot.
type DotPlace = (u32, u32);

/// The dots of braille.
#[derive(Default)]
struct Dots {
    /// Row by row; none where there is no dot.
    inks: Vec<Option<Ink>>,
    /// Dots in a row.
    columns: u32,
    /// The colours of the lines of a chart.
    lines: Vec<Rgb>,
}

impl Dots {
    fn index(&self, (row, column): DotPlace) -> Option<usize> {
        let is_place = column < self.columns;
        is_place.then(|| row as usize * self.columns as usize + column as usize)
    }

    fn ink(&self, place: DotPlace) -> Option<Ink> {
        *self.inks.get(self.index(place)?)?
    }

    /// All dots with their places, row by row.
    fn iter(&self) -> impl Iterator<Item = (DotPlace, Ink)> {
        let rows = (0..).zip(self.inks.chunks(self.columns.max(1) as usize));
        rows.flat_map(|(row, inks)| {
            let inks = (0..).zip(inks);
            inks.filter_map(move |(column, ink)| Some(((row, column), (*ink)?)))
        })
    }

    /// There are dots at both places, as far as colours tell of one line: those of a line that is alone
    /// have other ones by their height, and at the cursor.
    fn are_joined(&self, one: DotPlace, other: DotPlace) -> bool {
        let (Some(one), Some(other)) = (self.ink(one), self.ink(other)) else {
            return false;
        };
        let is_of_line = |ink: Ink| self.lines.contains(&ink.colour);
        one.colour == other.colour || !(is_of_line(one) && is_of_line(other))
    }

    /// The dots at both places are joined and have the same ink.
    fn are_alike(&self, one: DotPlace, other: DotPlace) -> bool {
        self.are_joined(one, other) && self.ink(one) == self.ink(other)
    }

    /// A dot is joined to that on the right and that below, and these to the one beside both.
    fn is_full(&self, place: DotPlace) -> bool {
        let (right, below, corner) = (right_of(place), below(place), below(right_of(place)));
        self.are_joined(place, right)
            && self.are_joined(place, below)
            && self.are_joined(right, corner)
            && self.are_joined(below, corner)
    }

    /// The end of the line from a place in steps: the last dot of its ink, or the first of another one.
    fn end_of_line(&self, from: DotPlace, step: fn(DotPlace) -> DotPlace) -> DotPlace {
        let mut end = from;
        while self.are_alike(end, step(end)) {
            end = step(end);
        }
        if self.are_joined(end, step(end)) { step(end) } else { end }
    }

    /// The last place from which on what lies on the right of and below it is full, in one ink.
    fn end_of_full(&self, from: DotPlace) -> DotPlace {
        let mut end = from;
        while self.are_alike(end, right_of(end)) && self.is_full(right_of(end)) {
            end = right_of(end);
        }
        end
    }
}

fn right_of((row, column): DotPlace) -> DotPlace {
    (row, column + 1)
}

fn below((row, column): DotPlace) -> DotPlace {
    (row + 1, column)
}

/// The place on the left; there is no dot on the left of the first column.
fn left_of((row, column): DotPlace) -> DotPlace {
    (row, column.wrapping_sub(1))
}

fn above((row, column): DotPlace) -> DotPlace {
    (row.wrapping_sub(1), column)
}

/// The centre of a dot.
fn centre((row, column): DotPlace) -> (Tenths, Tenths) {
    (Tenths((2 * column + 1) * CELL.0 / 4), Tenths((2 * row + 1) * CELL.1 / 8))
}

impl Shapes {
    /// No shapes yet, in so many columns and rows of cells; the dots of lines of different colours are not
    /// joined.
    pub(super) fn new((columns, rows): (u16, u16), lines: Vec<Rgb>) -> Self {
        let (columns, rows) = (u32::from(columns) * 2, usize::from(rows) * 4);
        let inks = vec![None; columns as usize * rows];
        Self { paths: BTreeMap::new(), dots: Dots { inks, columns, lines } }
    }

    pub(super) fn of(&mut self, layer: Layer, ink: Ink) -> &mut String {
        self.paths.entry((layer, ink)).or_default()
    }

    /// Adds a dot of braille.
    pub(super) fn add_dot(&mut self, row: u32, column: u32, ink: Ink) {
        if let Some(place) = self.dots.index((row, column))
            && let Some(dot) = self.dots.inks.get_mut(place)
        {
            *dot = Some(ink);
        }
    }

    /// Joins each dot to those beside it, so that dots in a row are a line as on a terminal, and fills
    /// what lies between four of them. Dots beside each other make one line.
    fn join_dots(&mut self) {
        let dots = std::mem::take(&mut self.dots);
        for (place, ink) in dots.iter() {
            let joins = |to| dots.are_joined(place, to);
            let (x, y) = centre(place);
            let path = self.of(Layer::Dotted, ink);
            // Writing to a string can't fail.
            if joins(right_of(place)) && !dots.are_alike(left_of(place), place) {
                let (end, _) = centre(dots.end_of_line(place, right_of));
                let _ = write!(path, "M{x} {y}H{end}");
            }
            if joins(below(place)) && !dots.are_alike(above(place), place) {
                let (_, end) = centre(dots.end_of_line(place, below));
                let _ = write!(path, "M{x} {y}V{end}");
            }
            let is_alike = |beside: fn(DotPlace) -> DotPlace| dots.are_alike(place, beside(place));
            let is_in_line = [right_of, left_of, below, above].into_iter().any(is_alike);
            if !is_in_line && !joins(right_of(place)) && !joins(below(place)) {
                // A line of no length is a dot.
                let _ = write!(path, "M{x} {y}h0");
            }
            for beside in [right_of, left_of] {
                let to = below(beside(place));
                if joins(to) && !joins(beside(place)) && !joins(below(place)) {
                    let (to_x, to_y) = centre(to);
                    let _ = write!(path, "M{x} {y}L{to_x} {to_y}");
                }
            }
            let left = left_of(place);
            if dots.is_full(place) && !(dots.are_alike(left, place) && dots.is_full(left)) {
                let (to_x, to_y) = centre(below(right_of(dots.end_of_full(place))));
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
