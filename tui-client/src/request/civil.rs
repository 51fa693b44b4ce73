//! Times of day and dates in requests, which take Unix seconds alone.

use shared::point::NumberError;
use shared::request::{BadRequest, BadRequestReason, Request};
use shared::selector::{Clause, SelectorErrorReason, Time};

/// What a refused line has in place of a time of the protocol, in words: none where that is not what is
/// wrong with it.
pub fn explain(line: &[u8], bad: &BadRequest) -> Option<String> {
    let is_time = matches!(
        bad.reason,
        BadRequestReason::Surplus
            | BadRequestReason::Number(NumberError::NotInteger)
            | BadRequestReason::Selector(
                SelectorErrorReason::Time(_)
                    | SelectorErrorReason::Step
                    | SelectorErrorReason::Aggregate
                    | SelectorErrorReason::UnknownClause
            )
    );
    let text = str::from_utf8(line).ok().filter(|_| is_time)?;
    // Of a selector a part is to blame that stands behind the time.
    let mut start = 0;
    let word = text.split([' ', '\t']).find(|word| {
        let places = start..=start + word.len();
        start += word.len() + 1;
        places.contains(&bad.at.start)
    })?;
    let is_put = matches!(bad.reason, BadRequestReason::Number(_));
    find(word).map(if is_put { said_of_put } else { said })
}

/// The range of a selector is one of Unix seconds of 1970 that reads like a time of day: `[3:12]`.
pub fn explain_range(line: &[u8]) -> Option<String> {
    let Ok(Request::Get(selector)) = Request::decode(line) else { return None };
    let Some(Clause::Range { from: Some(Time::At(_)), to: Some(Time::At(_)), buckets: None }) =
        selector.clause()
    else {
        return None;
    };
    find(str::from_utf8(line).ok()?).map(said)
}

fn said(time: &str) -> String {
    format!("a time is Unix seconds, or -2h back; @{time} goes there on the screen")
}

fn said_of_put(time: &str) -> String {
    format!("{time} is no timestamp: that is Unix seconds, and now where it is left out")
}

/// The first time of day or date in a word: `3:12`, `14:30:05`, `2026-11-28`.
fn find(word: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_digit() || c == ':' || c == '-';
    let runs = word.split(|c| !is_part(c));
    runs.map(|run| run.trim_matches([':', '-'])).find(|run| is_time_of_day(run) || is_date(run))
}

fn is_time_of_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &str, digits: &[usize], below: u8| {
        digits.contains(&part.len()) && part.parse::<u8>().is_ok_and(|number| number < below)
    };
    let is_minute = |part: &&str| is_number(part, &[2], 60);
    matches!(&parts[..], [hour, rest @ ..] if matches!(rest.len(), 1 | 2)
        && is_number(hour, &[1, 2], 24) && rest.iter().all(is_minute))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(&parts[..], [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_and_dates_are_named_where_seconds_belong() {
        for (line, time) in [
            ("get x [3:12:]", Some("3:12")),
            ("get x[3:12:]", Some("3:12")),
            ("get x[14:30:05:]", Some("14:30:05")),
            ("get x[2026-11-28:]", Some("2026-11-28")),
            ("get x[2026-11-28T03:12:00Z:]", Some("2026-11-28")),
            ("get x[last@3:12]", Some("3:12")),
            ("get x 3:12", Some("3:12")),
            ("del x[3:12:]", Some("3:12")),
            ("get x[10:20:0]", None),
            ("get x[25:12:]", None),
            ("get x[3:99:]", None),
            ("get x[-1d::1q]", None),
            ("put x 14:30 7", None),
            ("get x y", None),
            ("got 3:12", None),
        ] {
            let bad = Request::decode(line.as_bytes()).unwrap_err();
            assert_eq!(explain(line.as_bytes(), &bad), time.map(said), "{line}");
        }
        for (line, time) in
            [("put x 5 14:30", "14:30"), ("put x 5 2026-11-28T03:12:00Z", "2026-11-28")]
        {
            let bad = Request::decode(line.as_bytes()).unwrap_err();
            assert_eq!(explain(line.as_bytes(), &bad), Some(said_of_put(time)), "{line}");
        }
    }

    #[test]
    fn a_range_of_1970_may_be_meant_for_times_of_day() {
        for (line, time) in [
            ("get x[3:12]", Some("3:12")),
            ("get x[3:99]", None),
            ("get x[3:12:5m]", None),
            ("get x[1150864000:1150870000]", None),
            ("get x", None),
        ] {
            assert_eq!(explain_range(line.as_bytes()), time.map(said), "{line}");
        }
    }
}
