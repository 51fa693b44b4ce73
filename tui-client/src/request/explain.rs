//! Why a request is refused, in one sentence, for the bottom line, the log and plain mode; typed and
//! pasted lines are checked by the same rules before they are sent.

use shared::limits::MAX_LINE;
use shared::request::{BadRequest, BadRequestReason, Request};
use shared::response::WRONG_COMMAND;

use crate::request::civil;
use crate::request::deletion::NOT_ALLOWED;
use crate::request::normalize::without_filled;
use crate::text::escape::{escape_untrusted, name_invisible};
use crate::text::width::cut_in_the_middle;

/// Characters that are shown of a request, and of the word in it that is to blame.
const MAX_REQUEST: usize = 80;
const MAX_WORD: usize = 24;

/// Columns for a request on the screen, where the reason behind it is to be in sight.
const MAX_BRIEF: usize = 32;

/// What is wrong with a request as it goes over the wire.
pub fn validate(line: &[u8]) -> Option<BadRequest> {
    // The server does not look at what is in such a line.
    if line.len() > MAX_LINE {
        return Some(BadRequest { reason: BadRequestReason::TooLong, at: 0..line.len() });
    }
    Request::decode(line).err()
}

/// What is wrong in words; a data line that is sent as it was printed lacks only its command.
pub fn explain(line: &[u8]) -> Option<String> {
    let bad = validate(line)?;
    let is_data = bad.reason == BadRequestReason::UnknownCommand
        && validate(&[b"put ", line].concat()).is_none();
    let why = reason(line, &bad);
    Some(if is_data { format!("{why}; before a point goes put") } else { why })
}

/// What is wrong with a line in words, with the name of what can't be seen in the word to blame, or in
/// the line where a word is missing.
pub fn reason(line: &[u8], bad: &BadRequest) -> String {
    if let Some(why) = civil::explain(line, bad) {
        return why;
    }
    let (what, place) =
        if bad.at.is_empty() { ("line", 0..line.len()) } else { ("word", bad.at.clone()) };
    let text = line.get(place).and_then(|text| str::from_utf8(text).ok());
    match text.and_then(name_invisible) {
        Some(name) => format!("{bad}; the {what} holds {name}"),
        None => bad.to_string(),
    }
}

/// The request and why it was refused: our own words where we know what is wrong with it, else
/// the reason of the server.
pub fn error_message(line: &[u8], reason: &str) -> String {
    message_of("", line, line, reason)
}

/// The message of a request that was typed so, perhaps without its time.
pub fn error_message_as_typed(typed: &str, request: &str, reason: &str) -> String {
    let shown = without_filled(typed, request);
    message_of("", shown.as_bytes(), request.as_bytes(), reason)
}

/// Why a request was refused in few words, for a narrow screen on which the request itself is in
/// sight: the word to blame and the rule.
pub fn brief_message(line: &[u8], reason: &str) -> String {
    let (Some(bad), Some(why)) = (validate(line), explain(line)) else {
        return escape_untrusted(reason.as_bytes()).into();
    };
    let word = &line[bad.at.clone()];
    if word.is_empty() || word.len() == line.len() {
        return why;
    }
    format!("\"{}\": {why}", quoted(word, MAX_WORD))
}

/// The error message for one line of many, with its number.
pub fn error_message_of_line(number: u64, line: &[u8], reason: &str) -> String {
    message_of(&format!("line {number}, "), line, line, reason)
}

/// The request and why it is not sent, with the place of the mistake counted in characters.
pub fn error_with_place(line: &[u8], bad: &BadRequest) -> String {
    let before = String::from_utf8_lossy(&line[..bad.at.start]).chars().count();
    let word = quoted(&line[bad.at.clone()], MAX_WORD);
    let shown = quoted(line, MAX_REQUEST);
    let word = if word.is_empty() { word } else { format!(", \"{word}\"") };
    format!("error at character {}{word} in {shown}: {}", before + 1, reason(line, bad))
}

fn message_of(which: &str, shown: &[u8], line: &[u8], reason: &str) -> String {
    let text = escape_untrusted(shown);
    let shown = cut_in_the_middle(&text, MAX_BRIEF);
    let (Some(bad), Some(why)) = (validate(line), explain(line)) else {
        let is_del = matches!(Request::decode(line), Ok(Request::Del(_)));
        let reason = if is_del && reason == WRONG_COMMAND { NOT_ALLOWED } else { reason };
        return format!("error in {which}{shown}: {}", escape_untrusted(reason.as_bytes()));
    };
    let word = &line[bad.at.clone()];
    // What is all of the request needs no second look.
    if word.is_empty() || word.len() == line.len() {
        return format!("error in {which}{shown}: {why}");
    }
    format!("error at \"{}\" in {which}{shown}: {why}", quoted(word, MAX_WORD))
}

/// A line made safe to show, cut behind so many characters.
pub fn quoted(line: &[u8], most: usize) -> String {
    let line = escape_untrusted(line);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_request_the_word_and_the_rule() {
        assert_eq!(brief_message(b"get a b", ""), "\"b\": nothing may follow here");
        assert_eq!(brief_message(b"put a", ""), "a value is missing");
        assert_eq!(brief_message(b"get a", "disk full"), "disk full");
        let long = format!("put {} 1", "k".repeat(2000));
        let cut =
            format!("error in put {}…{} 1: a timestamp is missing", "k".repeat(12), "k".repeat(13));
        for (line, reason, expected) in [
            (
                "put a 12,7 1",
                "wrong command",
                "error at \"12,7\" in put a 12,7 1: a value is a decimal number such as 23.7, -5 or \
                 1e-3",
            ),
            ("get a b", "", "error at \"b\" in get a b: nothing may follow here"),
            (
                "get a [3:12:]",
                "",
                "error at \"[3:12:]\" in get a [3:12:]: a time is Unix seconds, or -2h back; @3:12 goes there \
                 on the screen",
            ),
            ("put a* 1 1", "", "error at \"a*\" in put a* 1 1: a key holds no '*'"),
            ("put a", "", "error in put a: a value is missing"),
            ("got", "", "error in got: the commands are put, del and get, in lower case"),
            (
                "a 1.5 7",
                "",
                "error at \"a\" in a 1.5 7: the commands are put, del and get, in lower case; before a \
                 point goes put",
            ),
            ("del a", "wrong command", &format!("error in del a: {NOT_ALLOWED}")),
            ("get a", "the disk is full\u{1b}", "error in get a: the disk is full\\u{1b}"),
            (&long, "", &cut),
        ] {
            assert_eq!(error_message(line.as_bytes(), reason), expected);
        }
        let line = "get é[-15m::1q:max]";
        let bad = validate(line.as_bytes()).unwrap();
        assert_eq!(
            error_with_place(line.as_bytes(), &bad),
            format!("error at character 13, \"1q\" in {line}: {bad}")
        );
        let sixth = error_message_of_line(6, b"get a b", "wrong command");
        let blank = error_message("put a 5\u{a0}000 1".as_bytes(), "");
        assert!(blank.ends_with("1e-3; the word holds a no-break space (U+00A0)"), "{blank}");
        let missing = error_message("put a\u{200b}".as_bytes(), "");
        assert_eq!(
            missing,
            "error in put a\\u{200b}: a value is missing; the line holds a zero width space (U+200B)"
        );
        assert_eq!(sixth, "error at \"b\" in line 6, get a b: nothing may follow here");
    }

    #[test]
    fn a_line_that_is_too_long_is_wrong_though_it_reads_well() {
        let line = format!("get a{}", " ".repeat(MAX_LINE));
        assert_eq!(validate(line.as_bytes()).unwrap().reason, BadRequestReason::TooLong);
        let line = "x".repeat(MAX_LINE + 1);
        assert_eq!(validate(line.as_bytes()).unwrap().reason, BadRequestReason::TooLong);
        assert_eq!(validate(b"get a"), None);
        assert_eq!(validate(b"get a{b").unwrap().at, 5..6);
    }
}
