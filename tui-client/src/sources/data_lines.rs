//! Data lines of a source as they stand in the view.

use std::num::NonZeroU64;

use memchr::{memchr_iter, memrchr};
use shared::Glob;
use shared::limits::MAX_LINE;
use shared::point::{encode_timestamp, parse_timestamp};

/// What the data lines of one source become. A line that has no room for the name is cut to that, which
/// is no point and is counted as such. A point whose shifted time does not fit 64 bits is left out.
#[derive(Debug, Clone)]
pub struct DataLines {
    /// What stands before the keys.
    before: String,
    /// Seconds by which the times are shifted.
    shift: u64,
    /// Shifted times are multiples of so many seconds, rounded down: the beginnings of buckets.
    step: Option<NonZeroU64>,
    /// The keys of the view that are meant, where the source was asked for more.
    filter: Option<Glob>,
}

impl DataLines {
    /// Of a source whose keys have this before them.
    pub fn new(before: String, filter: Option<Glob>) -> Self {
        Self { before, shift: 0, step: None, filter }
    }

    /// Shifts the times by so many seconds, those of buckets to multiples of their step.
    #[must_use]
    pub fn shifted(self, shift: u64, step: Option<NonZeroU64>) -> Self {
        Self { shift, step, ..self }
    }

    /// Appends whole lines, each with its `\n`.
    pub fn add(&self, lines: &[u8], out: &mut Vec<u8>) {
        self.add_until(i64::MAX, lines, out);
    }

    /// As [`DataLines::add`], but leaves out points whose shifted time is later; returns the last time of
    /// those.
    pub fn add_until(&self, until: i64, lines: &[u8], out: &mut Vec<u8>) -> Option<i64> {
        let mut left_out = None;
        out.reserve(lines.len() + lines.len() / 4);
        let mut begin = 0;
        for end in memchr_iter(b'\n', lines) {
            let line = lines.get(begin..=end).unwrap_or_default();
            begin = end + 1;
            let start = out.len();
            out.extend_from_slice(self.before.as_bytes());
            if self.before.len() + line.len() > MAX_LINE {
                out.push(b'\n');
                continue;
            }
            let is_meant = match self.shift {
                0 => {
                    out.extend_from_slice(line);
                    true
                }
                _ => match self.add_shifted(line, until, out) {
                    Shifted::Added => true,
                    Shifted::BeyondTime => false,
                    Shifted::Later(time) => {
                        left_out = left_out.max(Some(time));
                        false
                    }
                },
            };
            if !is_meant || !self.passes(out.get(start..).unwrap_or_default()) {
                out.truncate(start);
            }
        }
        left_out
    }

    /// A line is of a key that is meant, or no point, which is counted.
    fn passes(&self, line: &[u8]) -> bool {
        let Some(filter) = &self.filter else { return true };
        let key = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        str::from_utf8(key).map_or(true, |key| filter.matches(key))
    }

    /// Appends a line with its time shifted, if that is no later than `until`.
    fn add_shifted(&self, line: &[u8], until: i64, out: &mut Vec<u8>) -> Shifted {
        let text = line.trim_ascii_end();
        let behind = memrchr(b' ', text).map_or(0, |blank| blank + 1);
        let Ok(time) = parse_timestamp(text.get(behind..).unwrap_or_default()) else {
            out.extend_from_slice(line);
            return Shifted::Added;
        };
        let mut time = i128::from(time) + i128::from(self.shift);
        if let Some(step) = self.step {
            time -= time.rem_euclid(step.get().into());
        }
        let Ok(time) = i64::try_from(time) else { return Shifted::BeyondTime };
        let before = line.get(..behind).unwrap_or_default();
        // What is taken back may have been shown.
        if time > until && !before.ends_with(b" - ") {
            return Shifted::Later(time);
        }
        out.extend_from_slice(before);
        encode_timestamp(time, out);
        out.push(b'\n');
        Shifted::Added
    }
}

/// What becomes of a line whose time is shifted.
enum Shifted {
    /// It is appended.
    Added,
    /// Its time does not fit 64 bits.
    BeyondTime,
    /// Its time is later than what is wanted.
    Later(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(filter: Option<&str>, lines: &str) -> String {
        let filter = filter.map(|glob| glob.parse().unwrap());
        let mut out = b"before\n".to_vec();
        DataLines::new("web1/".to_owned(), filter).add(lines.as_bytes(), &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before\n").unwrap().to_owned()
    }

    #[test]
    fn each_line_gets_the_name_and_what_is_not_meant_is_left_out() {
        assert_eq!(added(None, ""), "");
        assert_eq!(added(None, "a 1.0 1\nb - 2\n"), "web1/a 1.0 1\nweb1/b - 2\n");
        assert_eq!(added(None, "no point\r\n"), "web1/no point\r\n");
        assert_eq!(added(Some("*/a"), "a 1.0 1\nb - 2\na - 1\n"), "web1/a 1.0 1\nweb1/a - 1\n");
    }

    #[test]
    fn a_line_is_no_longer_than_a_line_may_be() {
        let digits = "0".repeat(MAX_LINE - 6);
        let (fits, over) =
            (format!("a 1 {}\n", &digits[..MAX_LINE - 10]), format!("a 1 {digits}\n"));
        assert_eq!(added(None, &fits), format!("web1/{fits}"));
        // Cut elsewhere it would be another point.
        assert_eq!(added(None, &format!("{over}b 1 1\n")), "web1/\nweb1/b 1 1\n");
    }

    #[test]
    fn times_are_shifted_and_those_of_buckets_stay_multiples_of_the_step() {
        let shifted = |shift, step, lines: &str| {
            let lines_of = DataLines::new(String::new(), None);
            let lines_of = lines_of.shifted(shift, NonZeroU64::new(step));
            let mut out = Vec::new();
            lines_of.add(lines.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shifted(5, 0, "a 1.0 7\na - -9\r\n"), "a 1.0 12\na - -4\n");
        assert_eq!(shifted(5, 0, "a 1.0 x\n\u{fffd}\n"), "a 1.0 x\n\u{fffd}\n");
        assert_eq!(shifted(7, 10, "a 1.0 -20\na 2.0 -10\n"), "a 1.0 -20\na 2.0 -10\n");
        assert_eq!(shifted(13, 10, "a 1.0 -20\na 2.0 0\n"), "a 1.0 -10\na 2.0 10\n");
        // What would lie behind the end of time is left out.
        let ends = format!("a 1 {}\na 2 {}\na 3 {}\n", i64::MIN, i64::MAX - 1, i64::MAX);
        assert_eq!(shifted(1, 0, &ends), format!("a 1 {}\na 2 {}\n", i64::MIN + 1, i64::MAX));
        assert_eq!(shifted(u64::MAX, 0, &ends), format!("a 1 {}\n", i64::MAX));
    }

    #[test]
    fn what_is_still_to_come_is_left_out_but_not_what_is_taken_back() {
        let lines_of = DataLines::new("x/".to_owned(), None).shifted(10, None);
        let mut out = Vec::new();
        let left_out = lines_of.add_until(15, b"a 1.0 5\na 2.0 6\nb 3.0 9\na - 7\n", &mut out);
        assert_eq!(str::from_utf8(&out), Ok("x/a 1.0 15\nx/a - 17\n"));
        assert_eq!(left_out, Some(19));
        assert_eq!(lines_of.add_until(15, b"a 1.0 5\n", &mut out), None);
    }
}
