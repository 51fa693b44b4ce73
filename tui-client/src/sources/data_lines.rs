//! Data lines of a source as they stand in the view.

use memchr::memchr_iter;
use shared::Glob;
use shared::limits::MAX_LINE;

/// What the data lines of one source become. A line that has no room for the name is cut to that, which
/// is no point and is counted as such.
#[derive(Debug, Clone)]
pub struct DataLines {
    prefix: String,
    /// The keys of the view that are meant, where the source was asked for more.
    filter: Option<Glob>,
}

impl DataLines {
    /// Of a source whose keys have this before them.
    pub fn new(prefix: String, filter: Option<Glob>) -> Self {
        Self { prefix, filter }
    }

    /// Appends whole lines, each with its `\n`.
    pub fn add(&self, lines: &[u8], out: &mut Vec<u8>) {
        out.reserve(lines.len() + lines.len() / 4);
        let mut begin = 0;
        for end in memchr_iter(b'\n', lines) {
            let line = lines.get(begin..=end).unwrap_or_default();
            begin = end + 1;
            let start = out.len();
            out.extend_from_slice(self.prefix.as_bytes());
            if self.prefix.len() + line.len() > MAX_LINE {
                out.push(b'\n');
                continue;
            }
            out.extend_from_slice(line);
            if let Some(filter) = &self.filter {
                let line = out.get(start..).unwrap_or_default();
                let key = line.split(|&byte| byte == b' ').next().unwrap_or_default();
                // What is no key is no point, and counted.
                if str::from_utf8(key).is_ok_and(|key| !filter.matches(key)) {
                    out.truncate(start);
                }
            }
        }
    }
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
}
