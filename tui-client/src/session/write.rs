//! A session as text.

use std::io::{self, Write};

use shared::Point;
use shared::point::encode_value;

use super::coverage::Coverage;
use super::fields::FIELDS;
use super::{END, MAGIC, MAX_LOG, Recording, Session, VERSION, View};
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
    if let Some(coverage) = session.recording.coverage() {
        write_coverage(out, coverage)?;
    }
    writeln!(out, "[points]")?;
    write_points(out, &session.recording)?;
    writeln!(out, "[log]")?;
    let lines = write_log(out, session)?;
    writeln!(out, "{END}")?;
    Ok(lines)
}

fn write_view(out: &mut impl Write, view: &View) -> io::Result<()> {
    writeln!(out, "[view]")?;
    for field in FIELDS.iter().filter(|field| field.kept.is_in_session()) {
        for value in field.lines(view) {
            writeln!(out, "{} {value}", field.name)?;
        }
    }
    Ok(())
}

fn write_coverage(out: &mut impl Write, coverage: &Coverage) -> io::Result<()> {
    writeln!(out, "[coverage]")?;
    writeln!(out, "from {}", coverage.from)?;
    if coverage.until < i64::MAX {
        writeln!(out, "until {}", coverage.until)?;
    }
    for at in &coverage.known {
        writeln!(out, "known {at}")?;
    }
    let mut whole: Vec<_> = coverage.whole.iter().collect();
    whole.sort_unstable();
    for key in whole {
        writeln!(out, "whole {key}")?;
    }
    for (key, since) in &coverage.since {
        writeln!(out, "since {since} {key}")?;
    }
    Ok(())
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
        Direction::Exchange => '=',
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
