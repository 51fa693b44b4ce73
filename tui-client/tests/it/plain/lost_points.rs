//! What is printed of a server that has lost points.

use crate::harness::client::run;
use crate::harness::server::TestServer;

const LOST: &str = "the disk has lost points of key.b from 10 to 20";

/// A server that is going to lose the points of `key.b`.
fn server() -> TestServer {
    let server = TestServer::start();
    server.send("put key.a 1 5\nput key.a 2 15\nput key.a 3 30\n");
    server.send("put key.b 4 10\nput key.b 5 20\nput key.c 6 12\nput key.c 7 40\n");
    server
}

#[test]
fn keys_that_have_points_beside_a_loss_alone_are_printed() {
    let mut server = server();
    server.send("put other 9 11\n");
    server.lose("key.b");
    let (code, out, said) = run(server.port, &["get", "*"]);
    let expected =
        "key.a 1.0 5\nkey.a 3.0 30\nkey.c 7.0 40\nkey.a 2.0 15\nkey.c 6.0 12\nother 9.0 11\n";
    assert_eq!((code, &*out), (1, expected));
    assert_eq!(said, format!("tui-client: get *: {LOST}\n"));
}

#[test]
fn keys_of_which_nothing_tells_any_more_are_said_to_be_unknown() {
    let mut server = server();
    server.lose_with_indexes("key.b");
    let (code, out, said) = run(server.port, &["get", "*"]);
    let expected = "key.a 1.0 5\nkey.a 3.0 30\nkey.c 7.0 40\nkey.a 2.0 15\nkey.c 6.0 12\n";
    assert_eq!((code, &*out), (1, expected));
    let lost = "tui-client: get *: the disk has lost points of unknown keys from 10 to 20\n";
    let unknown = "tui-client: keys that have points from 10 to 20 alone are not known\n";
    assert_eq!(said, format!("{lost}{unknown}"));
}

#[test]
fn what_is_sound_is_printed_and_what_is_not_said() {
    let mut server = server();
    server.lose("key.b");
    let get = |pattern: &str| run(server.port, &["get", pattern]);
    let outer = "key.a 1.0 5\nkey.a 3.0 30\nkey.c 7.0 40\n";
    for pattern in ["*", "key.*"] {
        let said = format!("tui-client: get {pattern}: {LOST}\n");
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
