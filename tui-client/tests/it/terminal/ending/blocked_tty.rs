//! A terminal that takes no output, such as one behind a connection that hangs.

use rustix::process::Signal;

use crate::harness::job_shell::JobShell;
use crate::harness::server::TestServer;

#[test]
fn a_signal_ends_a_client_whose_terminal_takes_no_output() {
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
