//! The screen while the server is killed or stopped, and restarted.

use crate::harness::pty::{Shell, script};
use crate::harness::server::{TestServer, send};
use crate::harness::server_process::ServerProcess;

#[test]
fn acknowledged_points_survive_a_killed_server() {
    let mut server = ServerProcess::start();
    let shell = Shell::run(&script(server.port, "--watch palm.cpu --interval 0.1"));
    shell.until_shown("no points yet");
    shell.press(":put palm.cpu 1.25 1150864247\r");
    shell.until_shown("stored palm.cpu 1.25");
    shell.press("put palm.disk 512 1150864247\r");
    shell.until_shown("stored palm.disk 512.0");
    server.kill();
    shell.until_shown("○ localhost");
    shell.press("put palm.cpu 9 9\r");
    shell.until_shown("not sent");
    server.start_again();
    shell.until_shown("● localhost");
    // The line that was not sent is still there; it goes.
    shell.press("\x15get palm.disk\r");
    shell.until_shown("← palm.disk 512.0 1150864247");
    assert_eq!(send(server.port, "get palm.cpu\n"), "ok\npalm.cpu 1.25 1150864247\n\n");
    // The watch goes on from the value that it had.
    send(server.port, "put palm.cpu 77.75 1150864248\n");
    shell.until_shown("▲ +76.5");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn a_watch_continues_across_a_server_restart() {
    let mut server = TestServer::start();
    let shell = Shell::run(&script(server.port, "--watch palm.cpu --interval 0.1"));
    shell.until_shown("no points yet");
    server.send("put palm.cpu 1.25 1150864247\n");
    shell.until_shown("1.25");
    server.stop();
    shell.until_shown("○ localhost");
    shell.press("iget x\r");
    shell.until_shown("not sent");
    server.start_again();
    shell.until_shown("● localhost");
    server.send("put palm.cpu 77.75 1150864248\n");
    shell.until_shown("▲ +76.5");
    // The line that was not sent is still there.
    shell.press("\x03");
    shell.until_shown("ctrl-c again leaves");
    shell.press("\x03");
    shell.until_restored();
}
