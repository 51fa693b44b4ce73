//! Ages and spans as options take them: `30d`, `12h`, `90min`, `1d12h`.

use std::time::Duration;

/// Reads an age of at least a second: numbers with a unit each, `s`, `min`, `h`, `d`, `w` or `y`.
///
/// # Errors
/// One line that says what to type instead. `m` is refused, which may be months or minutes, and zero,
/// which means "keep" in other tools.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let age = match text.parse::<u64>() {
        Ok(0) => Duration::ZERO,
        Ok(_) => {
            return Err(format!("a unit is missing; say {text}s, {text}min, {text}h or {text}d"));
        }
        Err(_) => with_units(text)?,
    };
    if age < Duration::from_secs(1) {
        return Err("must be at least 1s; omit the option for no limit".to_owned());
    }
    Ok(age)
}

const EXAMPLES: &str = "30d, 12h or 90min";

fn with_units(text: &str) -> Result<Duration, String> {
    for unit in text.split(|letter: char| !letter.is_alphabetic()) {
        match unit.to_ascii_lowercase().as_str() {
            "m" => return Err(format!("{unit} is months or minutes; say {EXAMPLES}")),
            "mo" | "mon" | "month" | "months" => {
                return Err(format!("a month has 28 to 31 days; say days, such as {EXAMPLES}"));
            }
            _ => {}
        }
    }
    humantime::parse_duration(text)
        .map_err(|_| format!("not a number and a unit (s, min, h, d, w, y) such as {EXAMPLES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_sums_of_numbers_with_units() {
        for (text, seconds) in [
            ("1s", 1),
            ("90min", 90 * 60),
            ("12h", 12 * 3600),
            ("30d", 30 * 86_400),
            ("2w", 14 * 86_400),
            ("1y", 31_557_600),
            ("1d12h", 36 * 3600),
            ("1.5d", 36 * 3600),
            (" 1d 12h ", 36 * 3600),
            ("30 days", 30 * 86_400),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_refused_is_told_with_what_to_type() {
        for (text, told) in [
            ("30", "a unit is missing; say 30s, 30min, 30h or 30d"),
            ("0", "must be at least 1s; omit the option"),
            ("1m", "m is months or minutes; say 30d, 12h or 90min"),
            ("6M", "M is months or minutes"),
            ("1h30m", "m is months or minutes"),
            ("1month", "a month has 28 to 31 days; say days, such as 30d"),
            ("3 months", "a month has 28 to 31 days"),
            ("0s", "must be at least 1s; omit the option"),
            ("0d", "must be at least 1s"),
            ("10ms", "must be at least 1s"),
            ("", "not a number and a unit"),
            ("soon", "not a number and a unit (s, min, h, d, w, y) such as 30d, 12h or 90min"),
            ("-1d", "not a number"),
            ("99999999999999999999d", "not a number"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
