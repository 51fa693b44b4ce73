//! The real binary on a terminal that takes no output, as one behind a connection that hangs.

use rustix::process::Signal;

use crate::harness::job_shell::Tended;
use crate::harness::server::Served;

#[test]
fn who_waits_for_the_terminal_hears_that_it_is_to_end() {
    let served = Served::start();
    let start = |signal| {
        let tended = Tended::start(&format!("--port {} --theme dark", served.port));
        tended.shell.until_shown("no points yet");
        (tended, signal)
    };
    for (tended, signal) in [Signal::TERM, Signal::HUP, Signal::INT].map(start) {
        let code = tended.shell.unread(|| {
            tended.shell.fill();
            tended.signal(signal);
            tended.code()
        });
        assert_eq!((code, tended.said().as_str()), (0, ""));
        tended.assert_left_as_found();
    }
}
