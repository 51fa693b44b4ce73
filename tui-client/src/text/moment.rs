//! A moment as it is typed: `-2h`, `14:30`, `3:12am`, `yesterday 9:00`, `last night`, `2026-11-28 03:12`, a Unix time.

use std::borrow::Cow;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};
use shared::duration;

use super::time::YEAR;

/// What is said of a text that is no moment.
const FORMS: &str =
    "such as -2h, 14:30, 3:12am, yesterday 9:00, last night, 2026-11-28 03:12 or 1150864247";

/// The hour at which a night begins.
const NIGHTFALL: i8 = 22;

/// The Unix time in seconds that a text names, in any case; four digits that begin with 19 or 20 are a
/// year. A time of day without a date is the last one that is not ahead of `now`, and so is a day of the
/// week; one with `last` before it is before today. The last night begins at 22:00; no time of an afternoon
/// is one of a night. A span behind `+` counts on from `now`, which is ahead of it.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn parse(text: &str, now: i64, zone: &TimeZone) -> Result<i64, String> {
    let text = text.trim().trim_start_matches('@').trim_start().to_ascii_lowercase();
    if text == "now" {
        return Ok(now);
    }
    let unknown = || format!("no time: {FORMS}");
    if let Some(span) = text.strip_prefix('+') {
        return seconds(span).and_then(|span| now.checked_add(span)).ok_or_else(unknown);
    }
    let back = text.strip_prefix('-').or_else(|| text.strip_suffix("ago").map(str::trim_end));
    if let Some(span) = back {
        let seconds = seconds(span).ok_or_else(unknown)?;
        return now.checked_sub(seconds).ok_or_else(unknown);
    }
    let is_year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    if let Ok(unix) = text.parse()
        && !is_year
    {
        return Ok(unix);
    }
    let now = Timestamp::from_second(now).map_err(|_| unknown())?.to_zoned_datetime(zone.clone());
    let text = joined_half(&text);
    let before_today = text.strip_prefix("last ").map(str::trim_start);
    let text = before_today.unwrap_or(&text);
    let (day, time) = match text.split_once([' ', 't']).filter(|(day, _)| day.contains('-')) {
        Some((day, time)) => (day, Some(time)),
        None => match text.split_once(char::is_whitespace) {
            Some((day, time)) => (day, Some(time)),
            None if text.contains(':') || time_of_day(text).is_some() => {
                let at = last_at(text, &now).filter(|_| before_today.is_none());
                return at.ok_or_else(unknown);
            }
            None => (text, None),
        },
    };
    match before_today {
        Some(_) if day == "night" => return last_night(time, &now).ok_or_else(unknown),
        Some(_) if weekday(day).is_none() => return Err(unknown()),
        _ => {}
    }
    let time = time.map_or(Some(Time::midnight()), |time| time_of_day(time.trim()));
    let at = time.zip(date(day, &now)).and_then(|(time, date)| {
        let at = unix(date, time, &now)?;
        let is_today = before_today.is_some() && date == now.date();
        let is_ahead = at > now.timestamp().as_second() && weekday(day).is_some();
        if is_today || is_ahead {
            unix(date.checked_sub(Span::new().days(7)).ok()?, time, &now)
        } else {
            Some(at)
        }
    });
    at.ok_or_else(unknown)
}

/// The seconds of spans such as `1h30m`, and of years, in which ages are shown.
fn seconds(text: &str) -> Option<i64> {
    let span = |span: &str| match span.trim().strip_suffix('y') {
        Some(years) => years.parse::<u32>().ok().map(|years| i64::from(years) * i64::from(YEAR)),
        None => span.trim().parse::<duration::Duration>().ok().map(duration::Duration::seconds),
    };
    let mut spans = text.split_inclusive(|c: char| c.is_ascii_alphabetic()).map(span);
    let all = |all: i64, span: Option<i64>| all.checked_add(span?);
    if text.is_empty() { None } else { spans.try_fold(0, all) }
}

/// A text whose last word is `am` or `pm` with that joined to the word before it.
fn joined_half(text: &str) -> Cow<'_, str> {
    let half = ["am", "pm"].into_iter().find(|half| text.ends_with(half));
    let before = half.and_then(|half| text.strip_suffix(half)).map(|before| (before, half));
    match before {
        Some((before, Some(half))) if before.ends_with(char::is_whitespace) => {
            format!("{}{half}", before.trim_end()).into()
        }
        _ => text.into(),
    }
}

/// `14:30`, `14:30:05`, `3:12am` or `3am`.
fn time_of_day(text: &str) -> Option<Time> {
    let (clock, noon) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        _ => (text, None),
    };
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok());
    let mut hour = parts.next()??;
    let minute = match (parts.next(), noon) {
        (Some(minute), _) => minute?,
        (None, Some(_)) => 0,
        (None, None) => return None,
    };
    if let Some(noon) = noon {
        // After noon and midnight comes one.
        hour = Some(hour).filter(|hour| (1..=12).contains(hour))? % 12 + noon;
    }
    let second = parts.next().map_or(Some(0), |second| second)?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// A day of the week: `mon`, `monday`.
fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let named = |day: &&(&str, Weekday)| text.len() >= 3 && day.0.starts_with(text);
    DAYS.iter().find(named).map(|(_, day)| *day)
}

/// A day: `today`, `yesterday`, `mon`, `monday`, `2026-11-28`; the first of a month or a year.
fn date(text: &str, now: &ZonedDateTime) -> Option<Date> {
    match text {
        "today" => Some(now.date()),
        "yesterday" => now.date().yesterday().ok(),
        _ => {
            if let Some(day) = weekday(text) {
                let since = day.until(now.weekday());
                return now.date().checked_sub(Span::new().days(since)).ok();
            }
            let mut parts = text.split('-');
            let year = parts.next()?;
            let (month, day) = (parts.next().unwrap_or("1"), parts.next().unwrap_or("1"));
            let is_date = parts.next().is_none() && year.len() == 4;
            let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
            date.filter(|_| is_date)
        }
    }
}

/// The last time of day of this name.
fn last_at(text: &str, now: &ZonedDateTime) -> Option<i64> {
    let time = time_of_day(text)?;
    let today = unix(now.date(), time, now)?;
    if today <= now.timestamp().as_second() {
        return Some(today);
    }
    unix(now.date().yesterday().ok()?, time, now)
}

/// The beginning of the last night, or a time of day in it.
fn last_night(time: Option<&str>, now: &ZonedDateTime) -> Option<i64> {
    const NOON: i8 = 12;
    const EVENING: i8 = 18;
    let time = match time {
        None => Time::new(NIGHTFALL, 0, 0, 0).ok()?,
        Some(time) => time_of_day(time.trim())?,
    };
    if (NOON..EVENING).contains(&time.hour()) {
        return None;
    }
    let date = if time.hour() < NOON { now.date() } else { now.date().yesterday().ok()? };
    let at = unix(date, time, now)?;
    if at <= now.timestamp().as_second() {
        return Some(at);
    }
    unix(date.yesterday().ok()?, time, now)
}

fn unix(date: Date, time: Time, now: &ZonedDateTime) -> Option<i64> {
    let zoned = date.to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()?;
    Some(zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Sunday, 06:00:00 in Berlin.
    const NOW: i64 = 1_795_928_400;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_moment_is_named_in_many_ways() {
        let zone = berlin();
        for (text, expected) in [
            ("now", "2026-11-29 06:00:00"),
            ("-2h", "2026-11-29 04:00:00"),
            ("@-1h30m", "2026-11-29 04:30:00"),
            ("90s ago", "2026-11-29 05:58:30"),
            ("-1y", "2025-11-29 00:00:00"),
            ("20y161d ago", "2006-06-21 07:00:00"),
            ("03:12", "2026-11-29 03:12:00"),
            ("3:12:05", "2026-11-29 03:12:05"),
            ("14:30", "2026-11-28 14:30:00"),
            ("today 14:30", "2026-11-29 14:30:00"),
            ("today", "2026-11-29 00:00:00"),
            ("3:12am", "2026-11-29 03:12:00"),
            ("3:12 am", "2026-11-29 03:12:00"),
            ("9PM", "2026-11-28 21:00:00"),
            ("12:05 am", "2026-11-29 00:05:00"),
            ("12:05pm", "2026-11-28 12:05:00"),
            ("yesterday 3:12 pm", "2026-11-28 15:12:00"),
            ("2026-11-28 3:12am", "2026-11-28 03:12:00"),
            ("last night", "2026-11-28 22:00:00"),
            ("last night 3:12", "2026-11-29 03:12:00"),
            ("last night 11:30 pm", "2026-11-28 23:30:00"),
            ("last night 7am", "2026-11-28 07:00:00"),
            ("last monday 9:00", "2026-11-23 09:00:00"),
            ("last night 6pm", "2026-11-28 18:00:00"),
            ("last sunday", "2026-11-22 00:00:00"),
            ("last sun 5:00", "2026-11-22 05:00:00"),
            ("last sunday 14:30", "2026-11-22 14:30:00"),
            ("last sat 23:00", "2026-11-28 23:00:00"),
            ("+5m", "2026-11-29 06:05:00"),
            ("Yesterday 9:00", "2026-11-28 09:00:00"),
            ("yesterday", "2026-11-28 00:00:00"),
            ("mon 9:00", "2026-11-23 09:00:00"),
            ("sunday 5:00", "2026-11-29 05:00:00"),
            ("sunday 14:30", "2026-11-22 14:30:00"),
            ("2026-11-28 03:12", "2026-11-28 03:12:00"),
            ("2026-11-28T03:12:07", "2026-11-28 03:12:07"),
            ("2026-03-29 02:30", "2026-03-29 03:30:00"),
            ("2006", "2006-01-01 00:00:00"),
            ("2006-06", "2006-06-01 00:00:00"),
            ("1150864247", "2006-06-21 06:30:47"),
        ] {
            let at = parse(text, NOW, &zone).map(|at| super::super::time::date(at, &zone));
            assert_eq!(at.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "-2",
            "-",
            "-2x",
            "-h",
            "25:00",
            "14:60",
            "",
            "14:30:00:00",
            "someday",
            "mo",
            "ago",
            "2026-13-01",
            "2026-1-1-1",
            "26-11-28",
            "yesterday yesterday",
            "-9223372036854775807w",
            "14:",
            ":30",
            "a b c",
            "+",
            "+5",
            "13:00pm",
            "0am",
            "am",
            "last",
            "last night night",
            "last night 13:00",
            "last night 12pm",
            "last night3:12",
            "last 14:30",
            "last 3am",
            "last now",
            "last 2h ago",
            "last today",
            "last yesterday",
            "last yesterday 9:00",
            "last 2026-11-28",
            "last 2026-11-28 9:00",
            "last last monday",
            "night",
            "night 3:12",
        ] {
            let refused = parse(text, NOW, &berlin());
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
    }
}
