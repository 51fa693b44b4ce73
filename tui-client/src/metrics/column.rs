//! The columns of the table: one row of data a column, which are chosen, which have room.

use shared::Point;
use shared::selector::Aggregate;

use crate::metrics::needs::Needs;
use crate::metrics::series::{Moved, Series, change, rate};

/// Cells of a number.
const NUMBER: usize = 11;

/// Cells that are enough for most keys.
const USUAL_KEY: usize = 19;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Column {
    Key,
    Last,
    Moved,
    MovedShare,
    Change,
    Rate,
    Min,
    Max,
    Avg,
    Count,
    Age,
    Time,
    Spark,
}

/// What a column holds: how its value is computed, and so how it is compared and printed.
#[derive(Debug, Clone, Copy)]
pub enum ColumnKind {
    /// The key of the series.
    Key,
    /// A value as it was put, so it is printed exactly.
    Stored(fn(&Series) -> Option<f64>),
    /// A number computed from the two newest points, the older one first.
    Difference(fn(Point, Point) -> Option<f64>),
    /// The difference to the value that the series is compared with.
    Moved,
    /// The same, in hundredths of that value.
    MovedShare,
    /// The mean of all values.
    Mean,
    /// The number of points.
    Count,
    /// Seconds since the newest point.
    Age,
    /// The timestamp of the newest point.
    Time,
    /// The recent values as bars.
    Trend,
}

/// A row of [`COLUMNS`].
struct ColumnSpec {
    column: Column,
    /// The heading on the screen.
    name: &'static str,
    /// The word on the command line, in filters and in exports.
    word: &'static str,
    about: &'static str,
    /// Cells, at least.
    width: usize,
    /// The column with the greatest rank is the first to go where there is little room.
    rank: u8,
    kind: ColumnKind,
}

/// From left to right, in the order of [`Column`].
#[rustfmt::skip]
const COLUMNS: [ColumnSpec; 13] = [
    ColumnSpec { column: Column::Key, name: "key", word: "key", about: "the name; always shown",
        width: 12, rank: 0, kind: ColumnKind::Key },
    ColumnSpec { column: Column::Last, name: "last", word: "last", about: "the newest value",
        width: NUMBER, rank: 1, kind: ColumnKind::Stored(|series| Some(series.last.value)) },
    ColumnSpec { column: Column::Moved, name: "moved", word: "moved", about: "difference to what C compares with",
        width: 10, rank: 3, kind: ColumnKind::Moved },
    ColumnSpec { column: Column::MovedShare, name: "moved %", word: "percent", about: "the same, in percent",
        width: 8, rank: 2, kind: ColumnKind::MovedShare },
    ColumnSpec { column: Column::Change, name: "change", word: "change", about: "difference to the value before",
        width: 10, rank: 6, kind: ColumnKind::Difference(|before, point| Some(change(before, point))) },
    ColumnSpec { column: Column::Rate, name: "rate/s", word: "rate", about: "the change per second",
        width: 10, rank: 7, kind: ColumnKind::Difference(rate) },
    ColumnSpec { column: Column::Min, name: "min", word: "min", about: "the minimum",
        width: NUMBER, rank: 9, kind: ColumnKind::Stored(Series::min) },
    ColumnSpec { column: Column::Max, name: "max", word: "max", about: "the maximum",
        width: NUMBER, rank: 10, kind: ColumnKind::Stored(Series::max) },
    ColumnSpec { column: Column::Avg, name: "avg", word: "avg", about: "the mean",
        width: NUMBER, rank: 11, kind: ColumnKind::Mean },
    ColumnSpec { column: Column::Count, name: "count", word: "count", about: "the number of points",
        width: 9, rank: 8, kind: ColumnKind::Count },
    ColumnSpec { column: Column::Age, name: "age", word: "age", about: "the time since the newest point",
        width: 6, rank: 4, kind: ColumnKind::Age },
    ColumnSpec { column: Column::Time, name: "time", word: "time", about: "the time of the newest point",
        width: 19, rank: 12, kind: ColumnKind::Time },
    ColumnSpec { column: Column::Spark, name: "trend", word: "trend", about: "the recent values as bars",
        width: 8, rank: 5, kind: ColumnKind::Trend },
];

impl Column {
    /// From left to right.
    pub const ALL: [Self; COLUMNS.len()] = {
        let mut all = [Self::Key; COLUMNS.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = COLUMNS[at].column;
            at += 1;
        }
        all
    };

    fn row(self) -> &'static ColumnSpec {
        let rows: &'static [ColumnSpec] = &COLUMNS;
        &rows[self as usize]
    }

    /// Its heading.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its name on the command line, in filters and in exports: one word.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The column of this name on the command line.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.word() == word)
    }

    /// The content of the column, in a few words.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Those that mean something without a screen, on which rows are compared with an earlier time.
    pub fn printed() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|column| !column.is_of_comparison())
    }

    /// It says how far a value has moved from the one that it is compared with.
    pub fn is_of_comparison(self) -> bool {
        matches!(self, Self::Moved | Self::MovedShare)
    }

    /// It is computed of the points of a window, where the server tells them.
    pub fn is_of_window(self) -> bool {
        matches!(self, Self::Min | Self::Max | Self::Avg | Self::Count | Self::Spark)
    }

    /// The least width.
    pub fn width(self) -> usize {
        self.row().width
    }

    /// The kind of its values.
    pub fn kind(self) -> ColumnKind {
        self.row().kind
    }

    /// Numbers stand at the right of their column.
    pub fn is_number(self) -> bool {
        !matches!(self.kind(), ColumnKind::Key | ColumnKind::Trend)
    }

    /// Its numbers may have digits behind the point.
    pub fn has_decimals(self) -> bool {
        matches!(
            self.kind(),
            ColumnKind::Stored(_)
                | ColumnKind::Difference(_)
                | ColumnKind::Moved
                | ColumnKind::Mean
        )
    }

    /// The columns that filters and alerts compare with a number.
    pub fn compared() -> impl Iterator<Item = Self> {
        Self::printed().filter(|column| column.is_number() && *column != Self::Time)
    }

    /// The columns that filters compare with a number: also those of a comparison, which alerts know
    /// nothing of.
    pub fn filtered() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|column| column.is_number() && *column != Self::Time)
    }

    /// The points from which it is computed.
    pub fn needs(self) -> Needs {
        match self.kind() {
            _ if self == Self::Min => Needs::of_all(Aggregate::Min),
            _ if self == Self::Max => Needs::of_all(Aggregate::Max),
            ColumnKind::Mean => Needs::of_all(Aggregate::Avg),
            ColumnKind::Count => Needs::of_all(Aggregate::Count),
            ColumnKind::Difference(_) => Needs::TWO,
            ColumnKind::Trend => Needs::RECENT,
            ColumnKind::Key
            | ColumnKind::Stored(_)
            | ColumnKind::Moved
            | ColumnKind::MovedShare
            | ColumnKind::Age
            | ColumnKind::Time => Needs::LAST,
        }
    }

    /// The number that filters and alerts compare: as it is shown, where a word alone is no number. From zero
    /// a percentage is infinite.
    pub fn compared_number(self, series: &Series, now: i64) -> Option<f64> {
        match (self.kind(), series.moved(now)) {
            (
                ColumnKind::Moved | ColumnKind::MovedShare,
                Some(Moved::New | Moved::Stopped { .. }),
            ) => None,
            (ColumnKind::MovedShare, Some(moved)) => Some(moved.percent().unwrap_or_else(|| {
                if moved.by() == 0.0 { 0.0 } else { f64::INFINITY.copysign(moved.by()) }
            })),
            _ => self.number(series, now),
        }
    }

    /// The number that it is ordered by, if the series has one: in seconds where it is a time or an age. What is said by
    /// a word, a key or a trend, has none.
    #[expect(clippy::cast_precision_loss, reason = "compared with a typed limit")]
    pub fn number(self, series: &Series, now: i64) -> Option<f64> {
        let timestamp = series.last.timestamp;
        Some(match self.kind() {
            ColumnKind::Key | ColumnKind::Trend => return None,
            ColumnKind::Stored(of) => of(series)?,
            ColumnKind::Difference(of) => of(series.before?, series.last)?,
            ColumnKind::Moved => series.moved(now)?.by(),
            ColumnKind::MovedShare => series.moved(now)?.surprise(),
            ColumnKind::Mean => series.mean()?,
            ColumnKind::Count => series.count()? as f64,
            ColumnKind::Age => (i128::from(now) - i128::from(timestamp)) as f64,
            ColumnKind::Time => timestamp as f64,
        })
    }
}

/// The columns that are wanted, the key always among them.
#[derive(Debug, Clone)]
pub struct Chosen {
    hidden: Vec<Column>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { hidden: vec![Column::Time, Column::Moved, Column::MovedShare] }
    }
}

impl Chosen {
    /// These, and the key, which is always there; the usual ones when none is named.
    pub fn only(columns: &[Column]) -> Self {
        if columns.is_empty() {
            return Self::default();
        }
        let mut hidden = Column::ALL.to_vec();
        hidden.retain(|column| *column != Column::Key && !columns.contains(column));
        Self { hidden }
    }

    /// The wanted columns from left to right.
    pub fn shown(&self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(|&column| self.shows(column))
    }

    /// Whether a column is shown.
    pub fn shows(&self, column: Column) -> bool {
        !self.hidden.contains(&column)
    }

    /// Shows a column, or hides it.
    pub fn set(&mut self, column: Column, is_shown: bool) {
        if self.shows(column) != is_shown {
            self.toggle(column);
        }
    }

    /// Shows or hides a column. The key stays.
    pub fn toggle(&mut self, column: Column) {
        if !self.shows(column) {
            self.hidden.retain(|&hidden| hidden != column);
        } else if column != Column::Key {
            self.hidden.push(column);
        }
    }

    /// The wanted columns that fit into this many cells, with a blank after each, from left to
    /// right. `sorted` comes before all others but the key, so that the sorted column is seen. The key has
    /// as much as most keys need, and as many cells as are `wanted` for it, before any column but the
    /// newest value and the sorted one.
    pub fn fitting(
        &self,
        room: usize,
        sorted: Option<Column>,
        wanted: usize,
    ) -> Vec<(Column, usize)> {
        let usual = (room / 3).clamp(Column::Key.width(), USUAL_KEY);
        let stays = |column: &Column| *column == Column::Last || Some(*column) == sorted;
        let others = self.shown().filter(|&column| column != Column::Key).filter(stays);
        let others: usize = others.map(|column| column.width() + 1).sum();
        let key = usual.max(wanted.min(room.saturating_sub(others + 1)));
        let width = |column: Column| if column == Column::Key { key } else { column.width() };
        let mut fitting: Vec<Column> = self.shown().collect();
        fitting.sort_by_key(|&column| {
            (column != Column::Key, Some(column) != sorted, column.row().rank)
        });
        let mut used = 0;
        let fits = fitting.iter().take_while(|&&column| {
            used += width(column) + 1;
            used <= room || column == Column::Key
        });
        fitting.truncate(fits.count());
        let shown = self.shown().filter(|column| fitting.contains(column));
        shown.map(|column| (column, width(column))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_column_and_each_rank_once() {
        let mut ranks = COLUMNS.map(|row| row.rank);
        for (at, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!((column as usize, column.row().column), (at, column));
            assert_eq!(Column::named(column.word()), Some(column));
        }
        ranks.sort_unstable();
        assert!((0..).zip(ranks).all(|(at, rank)| at == rank));
    }

    #[test]
    fn the_key_stays_and_the_order_is_seen() {
        let mut chosen = Chosen::default();
        chosen.toggle(Column::Key);
        assert!(chosen.shows(Column::Key));
        let names = |chosen: &Chosen, room, sorted| {
            let fitting = chosen.fitting(room, sorted, 0).into_iter();
            fitting.map(|(column, _)| column.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&chosen, 5, None), "key");
        assert_eq!(names(&chosen, 38, None), "key last age");
        assert_eq!(names(&chosen, 38, Some(Column::Max)), "key last max");
        chosen.toggle(Column::Last);
        assert_eq!(names(&chosen, 38, None), "key age trend");
        chosen.toggle(Column::Last);
        assert_eq!(names(&chosen, 400, None), "key last change rate/s min max avg count age trend");
        let of_long = |room, wanted| {
            let fitting = chosen.fitting(room, Some(Column::Max), wanted).into_iter();
            let fitting = fitting.map(|(column, wide)| format!("{} {wide}", column.name()));
            fitting.collect::<Vec<_>>().join(", ")
        };
        // Names come first.
        assert_eq!(of_long(60, 19), "key 19, last 11, max 11, age 6, trend 8");
        assert_eq!(of_long(60, 28), "key 28, last 11, max 11, age 6");
        assert_eq!(of_long(60, 90), "key 35, last 11, max 11");
        let only = Chosen::only(&[Column::Time, Column::Last]);
        assert_eq!(only.shown().collect::<Vec<_>>(), [Column::Key, Column::Last, Column::Time]);
    }
}
