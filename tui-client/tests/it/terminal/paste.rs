//! Long pastes.

use crate::harness::client::run;
use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;
use crate::harness::throttle::Throttle;

fn pasted(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

#[test]
fn a_pasted_megabyte_is_counted_sent_and_stored() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    let mut lines: Vec<_> = (0..50_000).map(|at| format!("put pasted {at} {at}")).collect();
    for (at, wrong) in [(7, "got x"), (41_000, "put pasted much 1"), (49_999, "put pasted")] {
        wrong.clone_into(&mut lines[at]);
    }
    let text = lines.join("\n");
    assert!(text.len() > 1_000_000);
    shell.press(&pasted(&text));
    shell.until_shown("50,000 lines");
    shell.look_for(" of 50,000");
    shell.press("\r");
    shell.until_seen();
    shell.until_shown("50,000 lines sent, 3 refused");
    for line in ["line 8, ", "line 41001, ", "line 50000, "] {
        shell.until_shown(line);
    }
    // As one line it is refused.
    shell.press(&pasted(&"x".repeat(1_000_000)));
    shell.until_shown("not taken: the line would be longer than 16.3 kB");
    shell.press("put after.paste 7 60000\r");
    shell.until_shown("stored after.paste 7.0 60000");
    shell.press("\x03");
    shell.until_restored();
    let points = (0..50_000).filter(|at| ![7, 41_000, 49_999].contains(at));
    let mut expected: String = points.map(|at| format!("pasted {at}.0 {at}\n")).collect();
    expected += "after.paste 7.0 60000\n";
    let (code, stored, _) = run(server.port, &["get", "*"]);
    assert_eq!(code, 0);
    assert!(stored == expected, "{} of 49,998 points", stored.lines().count());
}

#[test]
fn a_running_paste_shows_progress_and_can_be_stopped() {
    let server = TestServer::start();
    let throttle = Throttle::before(server.port);
    let shell = Shell::run(&script(throttle.port, ""));
    shell.until_shown("no points yet");
    shell.press(&pasted("put discarded 1 1\nput discarded 2 2\n"));
    shell.until_shown("2 lines");
    shell.press("\x1b");
    shell.until_shown("2 lines not sent");
    // More lines than may be in flight.
    let lines: String = (0..30_000).map(|at| format!("put pasted {at} {at}\n")).collect();
    shell.press(&pasted(&lines));
    shell.until_shown("30,000 lines");
    throttle.let_through(0);
    shell.press("\r");
    shell.until_shown(" 0 of 30,000");
    throttle.let_through(200_000);
    shell.until("some lines to be done", |screen| {
        let shown = screen.contents();
        shown.contains(" of 30,000") && !shown.contains(" 0 of 30,000")
    });
    shell.press("\x1b");
    shell.until_shown(" of 30,000 lines answered, ");
    shell.until_shown(" more sent, perhaps stored");
    throttle.let_through(usize::MAX);
    shell.press("put after.stop 7 1\r");
    shell.until_shown("stored after.stop 7.0 1");
    shell.press("\x03");
    shell.until_restored();
    // The lines in flight were stored in their order, and none after them.
    let replies = server.send("get *\n");
    let stored: Vec<_> = replies.lines().filter_map(|line| line.strip_prefix("pasted ")).collect();
    assert!((1..30_000).contains(&stored.len()), "{}", stored.len());
    let expected: Vec<_> = (0..stored.len()).map(|at| format!("{at}.0 {at}")).collect();
    assert_eq!(stored, expected);
    assert!(!replies.contains("discarded"));
}
