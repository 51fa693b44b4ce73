//! Text of any origin: files from Windows, and characters that can't be seen.

use crate::harness::client::{pipe, pipe_to, run};
use crate::harness::server::TestServer;

#[test]
fn files_from_windows_are_read() {
    let server = TestServer::start();
    let one = "\u{feff}put a 1 1\r\nput a 2 2\r\n";
    // As `type one.txt two.txt` puts them together.
    let input = format!("{one}\u{feff}put b 3 3\r\n\u{feff}\r\nget *\r\n\u{1a}");
    let expected = "a 1.0 1\na 2.0 2\nb 3.0 3\n";
    assert_eq!(pipe(server.port, input), (0, expected.to_owned(), String::new()));
    let data = "\u{feff}a 4 4\r\nb 5 5\r\n";
    assert_eq!(pipe_to(server.port, &["--put"], data).0, 0);
    let expected = format!("{}a 4.0 4\nb 3.0 3\nb 5.0 5\n", &expected[..16]);
    assert_eq!(run(server.port, &["get", "*"]).1, expected);
    // What was printed is read back as it was.
    let backup = "a 4.0 4\n\u{feff}b 6.0 6\n";
    assert_eq!(pipe_to(server.port, &["--put"], backup).0, 0);
    assert_eq!(run(server.port, &["get", "\u{feff}b"]).1, "\u{feff}b 6.0 6\n");
}

#[test]
fn utf_16_is_named() {
    let server = TestServer::start();
    let text = "put a 1 1\r\nget a\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [b"\xff\xfe", &little[..]].concat();
    for input in [marked, [b"\xfe\xff", &big[..]].concat(), little, big] {
        for args in [&[][..], &["--put"]] {
            let (code, out, err) = pipe_to(server.port, args, input.clone());
            assert_eq!((code, &*out), (1, ""), "{err}");
            assert!(
                err.starts_with("tui-client: standard input is UTF-16: save it as UTF-8"),
                "{err}"
            );
        }
    }
    assert_eq!(server.send("get *\n"), "ok\n\n");
}

#[test]
fn what_can_not_be_seen_is_escaped_and_named_in_messages() {
    let server = TestServer::start();
    let key = "palm.c\u{200b}pu";
    let shown = "palm.c\\u{200b}pu";
    let told = |message: &str| format!("tui-client: {message}\n");
    let none = format!("no points for {shown}, which holds a zero width space (U+200B)");
    assert_eq!(run(server.port, &["get", key]), (0, String::new(), told(&none)));
    assert_eq!(run(server.port, &["--once", key]), (1, String::new(), told(&none)));
    let (code, _, err) = run(server.port, &["put", key, "1", "1"]);
    assert_eq!((code, err), (0, told("the key holds a zero width space (U+200B)")));
    // Data is what is stored, byte for byte.
    assert_eq!(run(server.port, &["get", key]), (0, format!("{key} 1.0 1\n"), String::new()));
    for (line, word, rule) in [
        ("put palm.cpu\u{a0}1 5 6", "put palm.cpu\\u{a0}1 5 6", "a key holds no '\\u{a0}'"),
        (
            "get\u{a0}palm.cpu",
            "get\\u{a0}palm.cpu",
            "the commands are put, del and get, in lower case",
        ),
    ] {
        let reason = format!("{word}: {rule}; the word holds a no-break space (U+00A0)");
        let (code, _, err) = run(server.port, &[line]);
        assert!(code == 2 && err.ends_with(&format!(" in {reason}\n")), "{err}");
        let (code, _, err) = pipe(server.port, line);
        assert_eq!(code, 1);
        assert!(err.starts_with(&told(&format!("line 1, {reason}"))), "{err}");
    }
    let (code, _, err) = run(server.port, &["get", "palm.\u{202e}{a"]);
    assert_eq!(code, 2);
    assert!(err.contains("palm.\\u{202e}{a") && !err.contains('\u{202e}'), "{err}");
    for args in
        [&["--once", "a\u{202e}["][..], &["--alert", "a\u{202e}", "--once"], &["--x\u{202e}"]]
    {
        let (code, _, err) = run(server.port, args);
        assert_eq!(code, 2);
        assert!(!err.contains('\u{202e}'), "{err}");
    }
}
