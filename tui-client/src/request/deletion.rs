//! What a `del` deletes.

use shared::Selector;
use shared::selector::{Clause, Time};

/// The server knows no `del`, or is started without it.
pub const NOT_ALLOWED: &str = "the server does not allow deletes; start it with --allow-delete";

/// The pattern and the range of a selector that a `del` may have: all points or those of a range, no
/// steps, not the last ones, no follow.
pub fn range_of(selector: &str) -> Option<(&str, Option<Time>, Option<Time>)> {
    let selector = Selector::from_bytes(selector.as_bytes()).ok()?;
    let pattern = selector.pattern().as_str();
    match selector.clause() {
        None => Some((pattern, None, None)),
        Some(Clause::Range { from, to, buckets: None }) => Some((pattern, from, to)),
        Some(_) => None,
    }
}

/// What a `del` deletes, by its request; the rest of the line if it is none.
pub fn selector_to_delete(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("del")?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// The first word of a request as it goes over the wire is `del`.
pub fn is_deletion(line: &[u8]) -> bool {
    let rest = line.trim_ascii_start().strip_prefix(b"del");
    rest.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_globs_and_ranges_can_be_deleted() {
        for selector in ["a", "palm.*", "a[-15m:]", "a[:7]", "{a,b}[1:7]", "*"] {
            assert!(range_of(selector).is_some(), "{selector}");
        }
        for selector in ["a[last]", "a[+]", "a[::1m]", "a[::all:count]", "a[", "", "a b"] {
            assert_eq!(range_of(selector), None, "{selector}");
        }
        assert_eq!(selector_to_delete(" del\ta "), Some("a"));
        assert_eq!(selector_to_delete("del"), Some(""));
        for (line, is) in [("del a", true), (" del\ta", true), ("del", true), ("delete a", false)] {
            assert_eq!((is_deletion(line.as_bytes()), is_deletion(b"get del")), (is, false));
        }
        assert_eq!((selector_to_delete("delete a"), selector_to_delete("get del")), (None, None));
    }
}
