//! The real binary on a terminal that takes no output, as one behind a connection that hangs.

use rustix::process::Signal;

use crate::harness::job_shell::JobShell;
use crate::harness::server::TestServer;

#[test]
fn who_waits_for_the_terminal_hears_that_it_is_to_end() {
    let server = TestServer::start();
    let start = |signal| {
        let job = JobShell::start(&format!("--port {} --theme dark", server.port));
        job.shell.until_shown("no points yet");
        (job, signal)
    };
    for (job, signal) in [Signal::TERM, Signal::HUP, Signal::INT].map(start) {
        let code = job.shell.unread(|| {
            job.shell.fill();
            job.signal(signal);
            job.code()
        });
        assert_eq!((code, job.stderr().as_str()), (0, ""));
        job.assert_restored();
    }
}
