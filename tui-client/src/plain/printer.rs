//! Points and rows of the table as text, JSON or CSV. Stored numbers are exact, computed ones in JSON
//! and CSV; text is for people, and has them in six digits.

use std::io::{self, Write};

use memchr::memchr_iter;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use shared::point::encode_value;
use shared::response::{News, decode_news};
use shared::{Key, Point};

use super::Failure;
use crate::cli::Format;
use crate::metrics::column::{Column, ColumnKind};
use crate::metrics::series::Series;
use crate::metrics::sparkline::sparkline;
use crate::text::number;

/// The newest values that a trend shows.
const TREND: usize = 16;

/// A value of a record.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum FieldValue<'a> {
    Word(&'a str),
    Bars(String),
    Number(f64),
    /// A difference or a mean, which text rounds.
    Computed(f64),
    Whole(i128),
    /// As the change of a series with one point.
    Missing,
}

impl<'a> FieldValue<'a> {
    fn of(series: &'a Series, column: Column, now: i64) -> Self {
        let time = i128::from(series.last.timestamp);
        match column.kind() {
            ColumnKind::Key => Self::Word(series.key.as_str()),
            // A field has no blanks.
            ColumnKind::Trend => Self::Bars(sparkline(series, TREND).replace(' ', "·")),
            ColumnKind::Count => {
                series.count().map_or(Self::Missing, |count| Self::Whole(count.into()))
            }
            ColumnKind::Age => Self::Whole(i128::from(now) - time),
            ColumnKind::Time => Self::Whole(time),
            ColumnKind::Moved | ColumnKind::MovedShare => Self::Missing,
            kind @ (ColumnKind::Stored(_) | ColumnKind::Difference(_) | ColumnKind::Mean) => {
                let number = column.number(series, now);
                match number.filter(|number| !number.is_nan()).map(Self::number) {
                    None => Self::Missing,
                    Some(Self::Number(number)) if !matches!(kind, ColumnKind::Stored(_)) => {
                        Self::Computed(number)
                    }
                    Some(stored) => stored,
                }
            }
        }
    }

    /// A number, which may be beyond all floats, as the sum of a bucket and the difference of two
    /// values can be. JSON has no form for that, and `null` is what there is not.
    fn number(number: f64) -> Self {
        match number {
            f64::INFINITY => Self::Word("inf"),
            f64::NEG_INFINITY => Self::Word("-inf"),
            number => Self::Number(number),
        }
    }

    /// Appends it to a line of text, for people: what is computed is rounded.
    fn encode_rounded(&self, out: &mut Vec<u8>) {
        match self {
            Self::Computed(number) => encode_value(number::significant(*number), out),
            other => other.encode("-", out),
        }
    }

    /// Appends it exactly; `missing` stands for no value.
    fn encode(&self, missing: &str, out: &mut Vec<u8>) {
        match self {
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Bars(bars) => out.extend_from_slice(bars.as_bytes()),
            Self::Number(number) | Self::Computed(number) => encode_value(*number, out),
            Self::Whole(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Missing => out.extend_from_slice(missing.as_bytes()),
        }
    }
}

/// Writes records in one format.
pub(super) struct Printer<W: Write> {
    output: Encoding<W>,
    columns: Vec<Column>,
    header: Vec<&'static str>,
    /// Reused for every record.
    line: Vec<u8>,
    /// Lines that were no points.
    malformed: u64,
}

enum Encoding<W: Write> {
    Text(W),
    Json(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Printer<W> {
    /// Writes points, or rows of the table where there are columns, to `out`; nothing is written
    /// yet.
    pub(super) fn new(format: Format, columns: &[Column], out: W) -> Self {
        let output = match format {
            Format::Text => Encoding::Text(out),
            Format::Json => Encoding::Json(out),
            Format::Csv => Encoding::Csv(Box::new(csv::Writer::from_writer(out))),
        };
        let mut header: Vec<_> = columns.iter().map(|column| column.word()).collect();
        if header.is_empty() {
            header = vec!["key", "value", "timestamp"];
        }
        Self { output, columns: columns.to_vec(), header, line: Vec::new(), malformed: 0 }
    }

    /// Writes the header of CSV.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        if let Encoding::Csv(out) = &mut self.output {
            out.write_record(&self.header).map_err(csv_error)?;
        }
        Ok(())
    }

    /// Writes whole data lines of a reply, as text byte for byte. Lines that are neither points nor
    /// points taken back are skipped and counted.
    pub(super) fn data(&mut self, data: &[u8]) -> Result<(), Failure> {
        if let Encoding::Text(out) = &mut self.output {
            let (mut begin, mut rest) = (0, 0);
            for end in memchr_iter(b'\n', data).map(|end| end + 1) {
                if is_malformed(&data[rest..end]) {
                    self.malformed += 1;
                    out.write_all(&data[begin..rest])?;
                    begin = end;
                }
                rest = end;
            }
            return Ok(out.write_all(&data[begin..rest])?);
        }
        for news in decode_news(data) {
            match news {
                Ok(News::Point(key, point)) => self.point(key, point)?,
                Ok(News::TakenBack(key, timestamp)) => self.taken_back(key, timestamp)?,
                Err(_) => self.malformed += 1,
            }
        }
        Ok(())
    }

    /// Counts lines that were skipped before they came here.
    pub(super) fn add_malformed(&mut self, lines: u64) {
        self.malformed += lines;
    }

    /// Lines that were no points.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Writes one point.
    pub(super) fn point(&mut self, key: Key<'_>, point: Point) -> Result<(), Failure> {
        let Point { timestamp, value } = point;
        self.record(&[
            FieldValue::Word(key.as_str()),
            FieldValue::number(value),
            FieldValue::Whole(timestamp.into()),
        ])
    }

    /// Writes that a point is taken back: a value is missing.
    pub(super) fn taken_back(&mut self, key: Key<'_>, timestamp: i64) -> Result<(), Failure> {
        self.record(&[
            FieldValue::Word(key.as_str()),
            FieldValue::Missing,
            FieldValue::Whole(timestamp.into()),
        ])
    }

    /// Writes the last point of a series, or its row where there are columns.
    pub(super) fn series(&mut self, series: &Series, now: i64) -> Result<(), Failure> {
        if self.columns.is_empty() {
            return self.point(series.key.as_key(), series.last);
        }
        let columns = self.columns.iter();
        let cells: Vec<_> = columns.map(|&column| FieldValue::of(series, column, now)).collect();
        self.record(&cells)
    }

    /// Writes one record: in text with blanks between its cells, none of which holds any.
    fn record(&mut self, cells: &[FieldValue<'_>]) -> Result<(), Failure> {
        let line = &mut self.line;
        line.clear();
        match &mut self.output {
            Encoding::Text(out) => {
                for (at, cell) in cells.iter().enumerate() {
                    line.extend_from_slice(if at > 0 { b" " } else { b"" });
                    cell.encode_rounded(line);
                }
                line.push(b'\n');
                out.write_all(line)?;
            }
            Encoding::Json(out) => {
                let mut json = serde_json::Serializer::new(&mut *line);
                let object = json.serialize_map(Some(cells.len()));
                let object = object.and_then(|mut object| {
                    for (name, cell) in self.header.iter().zip(cells) {
                        object.serialize_entry(name, cell)?;
                    }
                    object.end()
                });
                object.map_err(io::Error::from)?;
                line.push(b'\n');
                out.write_all(line)?;
            }
            Encoding::Csv(out) => {
                for cell in cells {
                    line.clear();
                    cell.encode("", line);
                    out.write_field(&line).map_err(csv_error)?;
                }
                out.write_record(None::<&[u8]>).map_err(csv_error)?;
            }
        }
        Ok(())
    }

    /// Hands everything on.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.output {
            Encoding::Text(out) | Encoding::Json(out) => out.flush(),
            Encoding::Csv(out) => out.flush(),
        }
    }
}

fn is_malformed(line: &[u8]) -> bool {
    decode_news(line).any(|news| news.is_err())
}

/// A failure of the output, such as a closed pipe.
fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, data: &str) -> (String, u64) {
        let mut out = Vec::new();
        let mut printer = Printer::new(format, &[], &mut out);
        printer.begin().unwrap();
        printer.data(data.as_bytes()).unwrap();
        printer.flush().unwrap();
        let malformed = printer.malformed();
        drop(printer);
        (String::from_utf8(out).unwrap(), malformed)
    }

    #[test]
    fn each_format_says_the_same() {
        let data = "a,\"b 23.7 -5\n火😀 1e+300 9223372036854775807\n";
        assert_eq!(printed(Format::Text, data), (data.to_owned(), 0));
        let json = "{\"key\":\"a,\\\"b\",\"value\":23.7,\"timestamp\":-5}\n\
                    {\"key\":\"火😀\",\"value\":1e+300,\"timestamp\":9223372036854775807}\n";
        assert_eq!(printed(Format::Json, data), (json.to_owned(), 0));
        let csv = "key,value,timestamp\n\"a,\"\"b\",23.7,-5\n火😀,1e+300,9223372036854775807\n";
        assert_eq!(printed(Format::Csv, data), (csv.to_owned(), 0));
        assert_eq!(printed(Format::Csv, ""), ("key,value,timestamp\n".to_owned(), 0));
    }

    #[test]
    fn numbers_beyond_all_floats_have_a_form_of_their_own() {
        let data = "a -inf 1\n";
        assert_eq!(printed(Format::Text, data).0, data);
        let json = "{\"key\":\"a\",\"value\":\"-inf\",\"timestamp\":1}\n";
        assert_eq!(printed(Format::Json, data).0, json);
        assert_eq!(printed(Format::Csv, data).0, "key,value,timestamp\na,-inf,1\n");
    }

    #[test]
    fn lines_that_are_no_points_are_skipped_and_counted_in_each_format() {
        for data in ["x\na 1.0 1\na - 2\n\na nan 3\n", "a 1.0 1\nx\n\u{7}\na - 2\nx\n"] {
            assert_eq!(printed(Format::Text, data), ("a 1.0 1\na - 2\n".to_owned(), 3));
            let json = "{\"key\":\"a\",\"value\":1.0,\"timestamp\":1}\n\
                        {\"key\":\"a\",\"value\":null,\"timestamp\":2}\n";
            assert_eq!(printed(Format::Json, data), (json.to_owned(), 3));
            let csv = "key,value,timestamp\na,1.0,1\na,,2\n";
            assert_eq!(printed(Format::Csv, data), (csv.to_owned(), 3));
        }
        let exact = "a  1 1\n";
        assert_eq!(printed(Format::Text, exact).1, printed(Format::Json, exact).1);
        assert_eq!(printed(Format::Text, "a 1 007\r\n"), ("a 1 007\r\n".to_owned(), 0));
    }
}
