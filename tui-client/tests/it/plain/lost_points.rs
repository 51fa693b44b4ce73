//! What is printed of a server that has lost points.

use crate::harness::client::run;
use crate::harness::server::TestServer;

const LOST: &str = "the disk has lost points of key.b from 10 to 20";

/// A server that has lost the older points of `key.b`.
fn server() -> TestServer {
    let mut server = TestServer::start();
    server.send("put key.a 1 5\nput key.a 2 15\nput key.a 3 30\n");
    server.send("put key.b 4 10\nput key.b 5 20\nput key.c 6 12\nput key.c 7 40\n");
    server.lose("key.b");
    server
}

#[test]
fn what_is_sound_is_printed_and_what_is_not_said() {
    let server = server();
    let get = |pattern: &str| run(server.port, &["get", pattern]);
    let unknown = "tui-client: keys that have points from 10 to 20 alone are not known\n";
    let outer = "key.a 1.0 5\nkey.a 3.0 30\nkey.c 7.0 40\n";
    for pattern in ["*", "key.*"] {
        let said = format!("tui-client: get {pattern}: {LOST}\n{unknown}");
        let expected = format!("{outer}key.a 2.0 15\nkey.c 6.0 12\n");
        assert_eq!(get(pattern), (1, expected, said));
    }
    let said = format!("tui-client: get key.b: {LOST}\n");
    assert_eq!(get("key.b"), (1, String::new(), said.clone()));
    // In these times it is one of the keys that are asked for.
    server.send("put key.b 8 50\n");
    assert_eq!(get("key.b"), (1, "key.b 8.0 50\n".to_owned(), said));
    let (code, out, _) = get("*");
    let expected = "key.a 1.0 5\nkey.a 3.0 30\nkey.b 8.0 50\nkey.c 7.0 40\n";
    assert_eq!((code, out), (1, format!("{expected}key.a 2.0 15\nkey.c 6.0 12\n")));
    assert_eq!(get("key.c"), (0, "key.c 6.0 12\nkey.c 7.0 40\n".to_owned(), String::new()));
}
