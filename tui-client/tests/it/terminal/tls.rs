//! The screen through TLS.

use crate::harness::certificates::Certificates;
use crate::harness::client::unix_now;
use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

#[test]
fn the_screen_goes_through_tls_and_says_what_is_wrong() {
    let certificates = Certificates::new();
    let mut server = TestServer::start_with(certificates.tls(true, unix_now()));
    let options = certificates.options(Some("client")).join(" ");
    let shell = Shell::run(&script(server.port, &options));
    shell.until_shown("no points yet");
    shell.press("put palm.cpu 12.25\r");
    shell.until_shown("stored palm.cpu 12.25");
    shell.press("put palm.cpu 23.5\r");
    shell.until_shown("stored palm.cpu 23.5");
    server.stop();
    shell.until_shown("○ localhost");
    server.start_again();
    shell.until_shown("● localhost");
    shell.press("put palm.cpu 34.5\r");
    shell.until_shown("stored palm.cpu 34.5");
    shell.press("\x03");
    shell.until_restored();
    let shell = Shell::run(&script(server.port, &certificates.options(None).join(" ")));
    shell.until_shown("the server wants a certificate");
    shell.press("\x03");
    shell.until_restored();
}
