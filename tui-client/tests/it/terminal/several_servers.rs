//! Several servers in one view, on a terminal.

use crate::harness::pty::Shell;
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
    shell.until_shown("log lines: ");
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
