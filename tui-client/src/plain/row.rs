//! A series as a row of the table: its columns as data, exact where the screen rounds.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use shared::point::encode_value;

use crate::metrics::column::Column;
use crate::metrics::sparkline::sparkline;
use crate::metrics::summary::Series;

/// The newest values that a trend shows.
const TREND: usize = 16;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Word(String),
    Number(f64),
    Whole(i128),
    /// As the change of a series with one point.
    Missing,
}

impl Cell {
    fn of(series: &Series, column: Column, now: i64) -> Self {
        let time = i128::from(series.last.timestamp);
        match column {
            Column::Key => Self::Word(series.key.to_string()),
            Column::Spark => Self::Word(sparkline(series, TREND)),
            Column::Count => Self::Whole(series.count.into()),
            Column::Age => Self::Whole(i128::from(now) - time),
            Column::Time => Self::Whole(time),
            Column::Last
            | Column::Change
            | Column::Rate
            | Column::Min
            | Column::Max
            | Column::Avg => {
                let number = column.number().and_then(|field| field.of(series, now));
                // The difference of two values may be larger than any number.
                number.filter(|number| number.is_finite()).map_or(Self::Missing, Self::Number)
            }
        }
    }

    /// As text; `missing` stands for what there is not.
    fn text(&self, missing: &str) -> Vec<u8> {
        match self {
            Self::Word(word) => word.clone().into_bytes(),
            Self::Whole(number) => number.to_string().into_bytes(),
            Self::Missing => missing.as_bytes().to_vec(),
            Self::Number(number) => {
                let mut text = Vec::new();
                encode_value(*number, &mut text);
                text
            }
        }
    }
}

/// The columns of a series that are asked for.
pub(super) struct Row(Vec<(Column, Cell)>);

impl Row {
    pub(super) fn new(series: &Series, columns: &[Column], now: i64) -> Self {
        Self(columns.iter().map(|&column| (column, Cell::of(series, column, now))).collect())
    }

    /// Each column as text, where `missing` stands for what there is not.
    pub(super) fn texts(&self, missing: &str) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().map(move |(_, cell)| cell.text(missing))
    }
}

/// An object, its parts in the order of the columns.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (column, cell) in &self.0 {
            let name = column.word();
            match cell {
                Cell::Word(word) => object.serialize_entry(name, word),
                Cell::Number(number) => object.serialize_entry(name, number),
                Cell::Whole(number) => object.serialize_entry(name, number),
                Cell::Missing => object.serialize_entry(name, &()),
            }?;
        }
        object.end()
    }
}
