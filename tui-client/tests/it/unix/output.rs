//! Standard output: the same points on a terminal and in a pipe.

use crate::harness::client::{client, finish, first_line};
use crate::harness::pty::Shell;
use crate::harness::server::TestServer;

#[test]
fn output_is_the_same_on_a_terminal_and_in_a_pipe() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\nput 火 -1e300 2\n");
    for format in ["text", "json", "csv"] {
        let client = format!("\"$CLIENT\" --port {} --format {format}", server.port);
        let shell = Shell::run(&format!(
            "stty -opost; {client} get '*'; echo ---; {client} get '*' | cat; echo ---; \
             {client} --once; echo ---; stty opost; stty -a; echo over"
        ));
        shell.until_shown("over");
        shell.wait();
        let raw = String::from_utf8(shell.raw()).unwrap();
        let parts: Vec<_> = raw.split("---\n").collect();
        assert!(parts[0].contains("palm.cpu"), "{raw}");
        assert_eq!(parts[0], parts[1]);
        assert_eq!(parts[0], parts[2]);
    }
}

#[test]
fn a_watch_ends_when_its_output_is_closed() {
    let server = TestServer::start();
    server.send("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(server.port).args(args).spawn().unwrap();
    drop(first_line(child.stdout.take()));
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}
