//! The screen before servers that are not ours.

use crate::harness::pty::{Shell, find, script};
use crate::harness::quirky_server::{Quirk, QuirkyServer};

#[test]
fn watches_and_requests_work_with_servers_of_all_quirks() {
    for quirk in Quirk::ALL {
        let server = QuirkyServer::start(quirk);
        for (key, value) in [("a", "12.25"), ("b", "34.5")] {
            server.put(key, value, 1_150_864_247);
        }
        let options = "--watch a --watch b --interval 0.1";
        let shell = Shell::run(&script(server.port, options));
        shell.until_shown("12.25");
        shell.until_shown("34.5");
        shell.press(":put c 5 1150864247\r");
        shell.until_shown("stored c 5.0");
        server.put("a", "77.75", 1_150_864_248);
        shell.until_shown("77.75");
        server.put("b", "88.125", 1_150_864_248);
        shell.until_shown("88.125");
        shell.press("\x15\x03");
        shell.until_restored();
        let raw = shell.raw();
        assert_eq!(find(&raw, "trying again"), None, "{quirk:?}");
        assert_eq!(find(&raw, "connected again"), None, "{quirk:?}");
        assert!(server.stored().contains(&"c 5 1150864247".to_owned()), "{quirk:?}");
    }
}
