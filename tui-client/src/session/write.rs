//! A session as text.

use std::io::{self, Write};

use shared::Point;
use shared::point::encode_value;

use super::{END, MAGIC, MAX_LOG, Recording, Session, VERSION, View};
use crate::metrics::column::Column;
use crate::metrics::sort::Sort;
use crate::metrics::window::ChartWindow;
use crate::sources::{SEPARATOR, SourceLabel};
use crate::wire_log::entry::{Direction, LogEntry, Remark, Tone};

/// Points on a line, so that a file can be looked at.
const POINTS_A_LINE: usize = 60;

/// Writes a session; returns the number of lines of its log.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, session: &Session) -> io::Result<u64> {
    writeln!(out, "{MAGIC}{VERSION}")?;
    write_view(out, &session.view)?;
    writeln!(out, "[points]")?;
    write_points(out, &session.recording)?;
    writeln!(out, "[log]")?;
    let lines = write_log(out, session)?;
    writeln!(out, "{END}")?;
    Ok(lines)
}

fn write_view(out: &mut impl Write, view: &View) -> io::Result<()> {
    let View { address, saved_at, .. } = view;
    writeln!(out, "[view]\nhost {address}\nsaved {saved_at}")?;
    for SourceLabel { name, run, address } in &view.sources {
        writeln!(out, "source {address} {name}{SEPARATOR}{run}")?;
    }
    for pattern in &view.watch {
        writeln!(out, "watch {pattern}")?;
    }
    for alert in &view.alerts {
        writeln!(out, "alert {alert}")?;
    }
    if let Some(filter) = &view.table.filter {
        writeln!(out, "filter {}", filter.as_str())?;
    }
    if view.table.sort != Sort::default() {
        writeln!(out, "sort {}", view.table.sort)?;
    }
    if !view.table.columns.is_empty() {
        let words: Vec<_> = view.table.columns.iter().copied().map(Column::word).collect();
        writeln!(out, "columns {}", words.join(","))?;
    }
    writeln!(out, "window {}", view.table.window.name())?;
    if let Some(key) = &view.selected_row {
        writeln!(out, "row {key}")?;
    }
    if view.raw_log {
        writeln!(out, "raw-log on")?;
    }
    if let Some(at) = view.place {
        writeln!(out, "place {at}")?;
    }
    if let Some(base) = &view.compared {
        writeln!(out, "compared {} {}", base.at, base.mark)?;
    }
    if let Some(sort) = view.compared_sort {
        writeln!(out, "compared-sort {sort}")?;
    }
    match view.chart.window {
        ChartWindow::Opening => {}
        ChartWindow::All => writeln!(out, "chart all")?,
        ChartWindow::WithStrays => writeln!(out, "chart strays")?,
        ChartWindow::Last(seconds) => writeln!(out, "chart last {seconds}")?,
        ChartWindow::Fixed(from, to) => writeln!(out, "chart {from} {to}")?,
    }
    if view.chart.log {
        writeln!(out, "axis log")?;
    }
    if let Some(at) = view.chart.cursor {
        writeln!(out, "cursor {at}")?;
    }
    if let Some(key) = &view.chart.selected {
        writeln!(out, "selected {key}")?;
    }
    for key in &view.chart.marked {
        writeln!(out, "marked {key}")?;
    }
    writeln!(out, "pane {}\nfocus {}", view.pane.name(), view.focus.name())
}

/// The points of each key, behind a line with its name: `[STEP@]VALUE`, where the step is the time
/// since the point before, named where it changes, and `=` the value before.
fn write_points(out: &mut impl Write, recording: &Recording) -> io::Result<()> {
    let mut text = Vec::new();
    for (key, points) in recording.iter() {
        text.clear();
        let (mut before, mut step, mut value) = (0, None, None);
        for (number, point) in points.enumerate() {
            text.push(if number % POINTS_A_LINE == 0 { b'\n' } else { b' ' });
            let Point { timestamp, value: new } = point;
            let since = i128::from(timestamp) - i128::from(before);
            if step != Some(since) {
                write!(text, "{since}@")?;
            }
            // The step to the first point is that from 0.
            step = if number == 0 { Some(1) } else { Some(since) };
            if value == Some(new.to_bits()) {
                text.push(b'=');
            } else {
                let start = text.len();
                encode_value(new, &mut text);
                if text.get(start..).is_some_and(|text| text.ends_with(b".0")) {
                    text.truncate(text.len() - 2);
                }
            }
            (before, value) = (timestamp, Some(new.to_bits()));
        }
        write!(out, "key {key}")?;
        out.write_all(&text)?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_log(out: &mut impl Write, session: &Session) -> io::Result<u64> {
    // The text alone is counted: the rest of a line is short.
    let mut kept = 0;
    let all = session.log.entries().collect::<Vec<_>>();
    let lines = all.iter().rev().take_while(|line| {
        kept += line.text.len() + 32;
        kept <= MAX_LOG
    });
    let first = all.len() - lines.count();
    let mut before = 0;
    for line in all.iter().skip(first) {
        write_line(out, line, before)?;
        before = line.unix_ms;
    }
    Ok((all.len() - first) as u64)
}

/// A line of the log: the milliseconds since the line before, direction and tone, the exchange, the
/// repetitions, the remark, the text.
fn write_line(out: &mut impl Write, line: &LogEntry<'_>, before: i64) -> io::Result<()> {
    let since = i128::from(line.unix_ms) - i128::from(before);
    let direction = match line.direction {
        Direction::Out => '>',
        Direction::In => '<',
        Direction::Note => '-',
    };
    let tone = match line.tone {
        Tone::Plain => 'p',
        Tone::Quiet => 'q',
        Tone::Good => 'g',
        Tone::Bad => 'b',
    };
    write!(out, "{since} {direction}{tone} ")?;
    match line.exchange {
        Some(id) => write!(out, "{id} ")?,
        None => write!(out, "- ")?,
    }
    if line.times == 1 && line.until_ms == line.unix_ms {
        write!(out, "- ")?;
    } else {
        let until = i128::from(line.until_ms) - i128::from(line.unix_ms);
        write!(out, "{}:{until} ", line.times)?;
    }
    match line.remark {
        None => write!(out, "- ")?,
        Some(Remark::Request { bytes, filled: false }) => write!(out, "request:{bytes} ")?,
        Some(Remark::Request { bytes, filled: true }) => write!(out, "filled:{bytes} ")?,
        Some(Remark::Reply(cost)) => {
            let took = cost.took.as_nanos();
            write!(out, "reply:{}:{}:{took} ", cost.points, cost.bytes)?;
        }
    }
    writeln!(out, "{}", line.text)
}
