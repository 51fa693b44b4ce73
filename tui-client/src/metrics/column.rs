//! The columns of the table: which there are, which are chosen, which have room.

use crate::metrics::expression::Field;

/// Columns of a number.
const NUMBER: usize = 11;

/// Columns that are enough for most keys.
const USUAL_KEY: usize = 19;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Column {
    Key,
    Last,
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

impl Column {
    /// From left to right.
    pub const ALL: [Self; 11] = [
        Self::Key,
        Self::Last,
        Self::Change,
        Self::Rate,
        Self::Min,
        Self::Max,
        Self::Avg,
        Self::Count,
        Self::Age,
        Self::Time,
        Self::Spark,
    ];

    /// From the most important on: where there is little room the others go first.
    const IMPORTANCE: [Self; 11] = [
        Self::Key,
        Self::Last,
        Self::Age,
        Self::Spark,
        Self::Change,
        Self::Rate,
        Self::Count,
        Self::Min,
        Self::Max,
        Self::Avg,
        Self::Time,
    ];

    /// Its heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Last => "last",
            Self::Change => "change",
            Self::Rate => "rate/s",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Age => "age",
            Self::Time => "time",
            Self::Spark => "trend",
        }
    }

    /// Its name on the command line: a word, and the one that filters use where they have one.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            _ => self.name(),
        }
    }

    /// The column of this name on the command line.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.word() == word)
    }

    /// What it shows, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Key => "the name; always shown",
            Self::Last => "the newest value",
            Self::Change => "its difference to the value before",
            Self::Rate => "the same for each second between",
            Self::Min => "the least value",
            Self::Max => "the greatest value",
            Self::Avg => "the mean of all values",
            Self::Count => "how many points",
            Self::Age => "since the newest point",
            Self::Time => "date of the newest point",
            Self::Spark => "the recent values as bars",
        }
    }

    /// The least width.
    pub fn width(self) -> usize {
        match self {
            Self::Key => 12,
            Self::Count => 9,
            Self::Age => 6,
            Self::Time => 19,
            Self::Spark => 8,
            Self::Change | Self::Rate => 10,
            Self::Last | Self::Min | Self::Max | Self::Avg => NUMBER,
        }
    }

    /// The number that it is ordered by; none for the key.
    pub fn number(self) -> Option<Field> {
        Some(match self {
            Self::Key => return None,
            Self::Last => Field::Last,
            Self::Change | Self::Spark => Field::Change,
            Self::Rate => Field::Rate,
            Self::Min => Field::Min,
            Self::Max => Field::Max,
            Self::Avg => Field::Avg,
            Self::Count => Field::Count,
            Self::Age | Self::Time => Field::Age,
        })
    }

    /// Numbers stand at the right of their column.
    pub fn is_number(self) -> bool {
        !matches!(self, Self::Key | Self::Spark)
    }
}

/// The columns that a person wants to see, and the line of the list in which they are chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    hidden: Vec<Column>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { hidden: vec![Column::Time] }
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

    /// It is wanted.
    pub fn shows(&self, column: Column) -> bool {
        !self.hidden.contains(&column)
    }

    /// Shows or hides a column. The key stays.
    pub fn toggle(&mut self, column: Column) {
        if column == Column::Key {
            return;
        }
        if self.shows(column) {
            self.hidden.push(column);
        } else {
            self.hidden.retain(|&hidden| hidden != column);
        }
    }

    /// The wanted columns that fit into this many cells, with a blank after each, from left to
    /// right. `sorted` is shown before all others, so that one sees what the order is about. The
    /// key has as much as most keys need; a longer one is cut rather than a column left out.
    pub fn fitting(&self, room: usize, sorted: Option<Column>) -> Vec<(Column, usize)> {
        let key = (room / 3).clamp(Column::Key.width(), USUAL_KEY);
        let width = |column: Column| if column == Column::Key { key } else { column.width() };
        let first = [Some(Column::Key), sorted.filter(|&column| self.shows(column))];
        let mut wanted: Vec<_> = first.into_iter().flatten().collect();
        let rest = Column::IMPORTANCE.into_iter().filter(|&column| self.shows(column));
        wanted.extend(rest);
        let mut used = 0;
        let mut fitting: Vec<Column> = Vec::new();
        for column in wanted {
            if fitting.contains(&column) {
                continue;
            }
            let wide = width(column) + 1;
            if used + wide > room && !fitting.is_empty() {
                break;
            }
            used += wide;
            fitting.push(column);
        }
        let shown = Column::ALL.into_iter().filter(|column| fitting.contains(column));
        shown.map(|column| (column, width(column))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_the_order_is_seen() {
        let mut chosen = Chosen::default();
        chosen.toggle(Column::Key);
        assert!(chosen.shows(Column::Key));
        let names = |chosen: &Chosen, room, sorted| {
            let fitting = chosen.fitting(room, sorted).into_iter();
            fitting.map(|(column, _)| column.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&chosen, 5, None), "key");
        assert_eq!(names(&chosen, 38, None), "key last age");
        assert_eq!(names(&chosen, 38, Some(Column::Max)), "key last max");
        chosen.toggle(Column::Last);
        assert_eq!(names(&chosen, 38, None), "key age trend");
        chosen.toggle(Column::Last);
        assert_eq!(names(&chosen, 400, None), "key last change rate/s min max avg count age trend");
        let only = Chosen::only(&[Column::Time, Column::Last]);
        assert_eq!(only.shown().collect::<Vec<_>>(), [Column::Key, Column::Last, Column::Time]);
    }
}
