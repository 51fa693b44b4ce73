//! Several servers in one view, on a terminal.

use crate::harness::client::unix_now;
use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

#[test]
fn two_servers_are_one_view_while_one_comes_and_goes() {
    let mut servers = [TestServer::start(), TestServer::start()];
    let [web1, db] = servers.each_ref().map(|server| server.port);
    servers[0].send("put cpu 12.25 1150864247\n");
    servers[1].stop();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display();
    let shell = Shell::run(&format!(
        "cd {path} && \"$CLIENT\" --host web1=localhost:{web1} --host db=localhost:{db}; \
         echo code $?; stty -a; echo over"
    ));
    shell.until_shown("web1/cpu");
    shell.until_shown("db: no server there");
    servers[1].start_again();
    servers[1].send("put cpu 34.5 1150864247\n");
    shell.until_shown("db/cpu");
    shell.until_shown("34.5");
    shell.press("put db/mem 77.75 1150864247\r");
    shell.until_shown("stored db/mem 77.75");
    shell.press("put mem 1 1\r");
    shell.until_shown("begins with the name of its server: web1/ or db/");
    servers[1].stop();
    shell.until_shown("web1 live");
    shell.until("the server to be away", |screen| screen.contents().contains("db: "));
    servers[0].send("put cpu 88.125 1150864248\n");
    shell.until_shown("88.125");
    shell.until_shown("77.75");
    shell.press("\x1b[Z\x13");
    shell.until_shown(" log lines");
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
    // The session has the keys of the view.
    let shell = Shell::run(&format!(
        "cd {path} && \"$CLIENT\" --replay *.session; echo code $?; stty -a; echo over"
    ));
    shell.until_shown("▷ replay of web1, db");
    shell.until_shown("web1/cpu");
    shell.until_shown("88.125");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn two_runs_are_one_chart() {
    let server = TestServer::start();
    let now = unix_now();
    let (first, second) = (now - 200_100, now - 100);
    for (run, start) in [("run1", first), ("run2", second)] {
        for step in 0..10 {
            server.send(&format!("put {run}.loss {} {}\n", 100 - step, start + 10 * step));
        }
    }
    let shell = Shell::run(&script(server.port, "--prefix run1. --prefix run2. --watch run2.loss"));
    shell.until_shown("run1. +2d7h · run2.");
    // Both lines are in the legend, and the second point of both is at the same time.
    shell.until("both runs in the chart", |screen| {
        let text = screen.contents();
        text.contains("■ run2.loss 91") && text.contains("■ run1.loss 91")
    });
    shell.press(&format!(":get *.loss[:{}]\r", second + 10));
    shell.until_shown(&format!("run1.loss 99.0 {}", second + 10));
    shell.press("put run1.loss 1 1\r");
    shell.until_shown("the times of run1. are shifted by 2d7h");
    server.send(&format!("put run2.loss 7 {now}\n"));
    shell.until_shown("run2.loss            7");
    shell.press("\x03");
    shell.until_restored();
}
