//! What a `get` asks for, as it was typed.

use shared::Key;
use shared::request::{BadRequest, BadRequestReason, Request};
use shared::selector::Clause;

/// The selector of a `get`; it need not parse, because the server decides about that.
pub fn selector_of(line: &[u8]) -> Option<&str> {
    if !line.trim_ascii_start().starts_with(b"get") {
        return None;
    }
    match Request::decode(line) {
        Ok(Request::Get(_)) | Err(BadRequest { reason: BadRequestReason::Selector(_), .. }) => {
            let mut words = str::from_utf8(line).ok()?.split([' ', '\t']);
            words.rfind(|word| !word.is_empty())
        }
        Ok(Request::Put(..) | Request::Del(_)) | Err(_) => None,
    }
}

/// The request is a follow, whose reply ends only when more is sent.
pub fn is_follow(line: &str) -> bool {
    let Ok(Request::Get(selector)) = Request::decode(line.as_bytes()) else { return false };
    matches!(selector.clause(), Some(Clause::Follow { .. }))
}

/// Only a server with the selector extension of the protocol knows what it means.
pub fn needs_extension(selector: &str) -> bool {
    selector != "*" && Key::new(selector).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_found_whether_it_parses_or_not() {
        for (line, selector, extended) in [
            ("get a", Some("a"), false),
            (" get\t * ", Some("*"), false),
            ("get a[-5m:]", Some("a[-5m:]"), true),
            ("get {a,b{c}", Some("{a,b{c}"), true),
            ("get a{ b", None, false),
            ("del a[", None, false),
            ("get", None, false),
            ("put a 1 1", None, false),
        ] {
            assert_eq!(selector_of(line.as_bytes()), selector, "{line}");
            assert_eq!(selector.is_some_and(needs_extension), extended, "{line}");
        }
    }
}
