//! Standard streams that are closed when the client is started.

use crate::harness::client::{finish, piped};
use crate::harness::peer::free_port;
use crate::harness::server::TestServer;

/// Runs the client in a shell with redirections: its exit code, and what it wrote.
fn run(server: &TestServer, arguments: &str, redirections: &str) -> (i32, String, String) {
    let port = server.port;
    let script = format!("exec \"$CLIENT\" --port {port} {arguments} {redirections}");
    let client = env!("CARGO_BIN_EXE_tui-client");
    finish(piped("sh").args(["-c", &script]).env("CLIENT", client).spawn().unwrap())
}

fn server() -> TestServer {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    server
}

#[test]
fn what_is_written_to_a_closed_output_is_an_error() {
    let server = server();
    let message = "tui-client: standard output is closed\n";
    for arguments in [
        "get a",
        "'get a[:+]'",
        "--once",
        "--watch a",
        "--format csv",
        "--help",
        "-h",
        "--version",
        "--man",
        "--completions bash",
    ] {
        let expected = (1, String::new(), message.to_owned());
        assert_eq!(run(&server, arguments, ">&-"), expected, "{arguments}");
    }
    // Each file that is opened gets the first free descriptor.
    let all = run(&server, "get a", ">&- 2>&- <&-");
    assert_eq!(all, (1, String::new(), String::new()));
}

#[test]
fn what_is_discarded_is_no_error() {
    let server = server();
    for redirections in [">/dev/null", "1<>/dev/null", "<&-", "2>&-"] {
        for arguments in ["get a", "--help"] {
            let (code, _, err) = run(&server, arguments, redirections);
            assert_eq!((code, &*err), (0, ""), "{arguments} {redirections}");
        }
    }
    // Nothing is to be printed.
    assert_eq!(run(&server, "put b 1 1", ">&- 2>&-").0, 0);
    assert_eq!(server.send("get b\n"), "ok\nb 1.0 1\n\n");
}

#[test]
fn an_import_from_a_closed_input_is_an_error() {
    let server = server();
    for arguments in ["", "--put", "--retry"] {
        let expected = (1, String::new(), "tui-client: standard input is closed\n".to_owned());
        assert_eq!(run(&server, arguments, "<&-"), expected, "{arguments}");
    }
}

/// Such as a program that runs next and has the rest of it.
#[test]
fn without_a_server_the_input_is_left_to_others() {
    let port = free_port();
    let script = format!("(\"$CLIENT\" --port {port}; echo $?; cat) <<END\nput a 1 1\nEND");
    let client = env!("CARGO_BIN_EXE_tui-client");
    let child = piped("sh").args(["-c", &script]).env("CLIENT", client).spawn().unwrap();
    assert_eq!(finish(child).1, "3\nput a 1 1\n");
}

#[test]
fn an_input_that_can_not_be_read_is_named() {
    let (code, _, err) = run(&server(), "", "</");
    assert_eq!(code, 1);
    assert!(err.starts_with("tui-client: standard input: Is a directory"), "{err}");
}

#[test]
fn a_message_to_a_closed_error_output_is_an_error() {
    let server = server();
    let message = "tui-client: no points for nothing\n";
    assert_eq!(run(&server, "get nothing", ""), (0, String::new(), message.to_owned()));
    assert_eq!(run(&server, "get nothing", "2>&-"), (1, String::new(), String::new()));
    assert_eq!(run(&server, "--nonsense", "2>&-"), (2, String::new(), String::new()));
}
