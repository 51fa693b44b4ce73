//! Text as programs and people write it: files from Windows.

use crate::harness::client::{pipe, pipe_to, run};
use crate::harness::server::TestServer;

#[test]
fn files_from_windows_are_read() {
    let server = TestServer::start();
    let one = "\u{feff}put a 1 1\r\nput a 2 2\r\n";
    // As `type one.txt two.txt` puts them together.
    let input = format!("{one}\u{feff}put b 3 3\r\n\u{feff}\r\nget *");
    let expected = "a 1.0 1\na 2.0 2\nb 3.0 3\n";
    assert_eq!(pipe(server.port, input), (0, expected.to_owned(), String::new()));
    let data = "\u{feff}a 4 4\r\n\u{feff}b 5 5\r\n";
    assert_eq!(pipe_to(server.port, &["--put"], data).0, 0);
    let expected = format!("{}a 4.0 4\nb 3.0 3\nb 5.0 5\n", &expected[..16]);
    assert_eq!(run(server.port, &["get", "*"]).1, expected);
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
