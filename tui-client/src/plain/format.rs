//! Points as text, JSON or CSV.

use std::io::{self, Write};

use serde::Serialize;
use shared::point::encode_value;
use shared::response::{decode_points, encode_point};
use shared::{Key, Point};

use super::Failure;
use super::row::Row;
use crate::cli::Format;
use crate::metrics::column::Column;

/// A point as JSON, its parts in this order.
#[derive(Serialize)]
struct Record<'a> {
    key: &'a str,
    value: f64,
    timestamp: i64,
}

/// Writes points, or rows of a table, in one format.
pub(super) struct Printer<W: Write> {
    format: Inner<W>,
    header: Vec<&'static str>,
    /// Reused for every point.
    line: Vec<u8>,
}

enum Inner<W: Write> {
    Text(W),
    Json(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Printer<W> {
    /// Writes to `out`; nothing is written yet.
    pub(super) fn new(format: Format, out: W) -> Self {
        let format = match format {
            Format::Text => Inner::Text(out),
            Format::Json => Inner::Json(out),
            Format::Csv => Inner::Csv(Box::new(csv::Writer::from_writer(out))),
        };
        Self { format, header: vec!["key", "value", "timestamp"], line: Vec::new() }
    }

    /// What is written are rows of these columns, if there are any.
    pub(super) fn show(&mut self, columns: &[Column]) {
        if !columns.is_empty() {
            self.header = columns.iter().map(|column| column.word()).collect();
        }
    }

    /// Writes what comes before the first point: the header of CSV.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        if let Inner::Csv(out) = &mut self.format {
            out.write_record(&self.header).map_err(written)?;
        }
        Ok(())
    }

    /// Writes whole data lines of a reply: as text byte for byte, else each of them must be a
    /// point.
    pub(super) fn data(&mut self, data: &[u8]) -> Result<(), Failure> {
        if let Inner::Text(out) = &mut self.format {
            return Ok(out.write_all(data)?);
        }
        for point in decode_points(data) {
            let (key, point) =
                point.map_err(|bad| Failure::Connection(format!("a line is no point: {bad}")))?;
            self.point(key, point)?;
        }
        Ok(())
    }

    /// Writes one point.
    pub(super) fn point(&mut self, key: Key<'_>, point: Point) -> Result<(), Failure> {
        let Point { timestamp, value } = point;
        self.line.clear();
        match &mut self.format {
            Inner::Text(out) => {
                encode_point(key, point, &mut self.line);
                out.write_all(&self.line)?;
            }
            Inner::Json(out) => {
                let record = Record { key: key.as_str(), value, timestamp };
                serde_json::to_writer(&mut self.line, &record).map_err(io::Error::from)?;
                self.line.push(b'\n');
                out.write_all(&self.line)?;
            }
            Inner::Csv(out) => {
                encode_value(value, &mut self.line);
                let time = timestamp.to_string();
                out.write_record([key.as_str().as_bytes(), &self.line, time.as_bytes()])
                    .map_err(written)?;
            }
        }
        Ok(())
    }

    /// Writes one row: blanks between its columns in text, where no column holds any.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), Failure> {
        self.line.clear();
        match &mut self.format {
            Inner::Text(out) => {
                for text in row.texts("-") {
                    self.line.extend_from_slice(&text);
                    self.line.push(b' ');
                }
                self.line.pop();
                self.line.push(b'\n');
                out.write_all(&self.line)?;
            }
            Inner::Json(out) => {
                serde_json::to_writer(&mut self.line, row).map_err(io::Error::from)?;
                self.line.push(b'\n');
                out.write_all(&self.line)?;
            }
            Inner::Csv(out) => out.write_record(row.texts("")).map_err(written)?,
        }
        Ok(())
    }

    /// Hands everything on.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.format {
            Inner::Text(out) | Inner::Json(out) => out.flush(),
            Inner::Csv(out) => out.flush(),
        }
    }
}

/// What kept CSV from being written, which may be that nobody reads it.
fn written(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, data: &str) -> (String, bool) {
        let mut out = Vec::new();
        let mut printer = Printer::new(format, &mut out);
        printer.begin().unwrap();
        let good = printer.data(data.as_bytes()).is_ok();
        printer.flush().unwrap();
        drop(printer);
        (String::from_utf8(out).unwrap(), good)
    }

    #[test]
    fn each_format_says_the_same() {
        let data = "a,\"b 23.7 -5\n火😀 1e+300 9223372036854775807\n";
        assert_eq!(printed(Format::Text, data), (data.to_owned(), true));
        let json = "{\"key\":\"a,\\\"b\",\"value\":23.7,\"timestamp\":-5}\n\
                    {\"key\":\"火😀\",\"value\":1e+300,\"timestamp\":9223372036854775807}\n";
        assert_eq!(printed(Format::Json, data), (json.to_owned(), true));
        let csv = "key,value,timestamp\n\"a,\"\"b\",23.7,-5\n火😀,1e+300,9223372036854775807\n";
        assert_eq!(printed(Format::Csv, data), (csv.to_owned(), true));
    }

    #[test]
    fn a_line_that_is_no_point_is_passed_on_only_as_text() {
        assert_eq!(printed(Format::Text, "nonsense\n"), ("nonsense\n".to_owned(), true));
        assert!(!printed(Format::Json, "a 1.0 1\nnonsense\n").1);
        assert_eq!(printed(Format::Csv, ""), ("key,value,timestamp\n".to_owned(), true));
    }
}
