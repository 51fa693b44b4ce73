//! Standard output on a full disk.

use crate::harness::client::{client, finish};
use crate::harness::server::TestServer;

#[test]
fn a_full_disk_is_reported() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for args in [&["--help"][..], &["--man"], &["get", "a"], &["--once"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, _, err) = finish(client(server.port).args(args).stdout(full).spawn().unwrap());
        assert_eq!(code, 1, "{args:?}: {err}");
        assert!(err.contains("No space left on device"), "{args:?}: {err}");
    }
}
