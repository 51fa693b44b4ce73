//! Many sizes in a row: no key is lost or late, and the last size is drawn.

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

/// Letters that fit into the narrowest prompt of the storm.
const LETTERS: &str = "abcdefghijklmnopqrst";

#[test]
fn keys_between_resizes_are_drawn_at_once() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("no points yet");
    for round in 0..15_u16 {
        for at in 0..LETTERS.len() {
            for step in 0..4 {
                shell.resize(20 + step, 60 + round * 4 + step);
                if step == 1 {
                    shell.press(&LETTERS[at..=at]);
                }
            }
            shell.until_shown(&format!("> {}", &LETTERS[..=at]));
        }
        shell.press("\x15");
        shell.until("an empty line", |screen| !screen.contents().contains("> a"));
    }
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn the_last_of_many_sizes_is_drawn() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let shell = Shell::run(&script(server.port, "--watch palm.cpu --interval 0.02"));
    shell.until_shown("23.5");
    for size in [(1, 1), (2, 3), (60, 200), (5, 5), (3, 80)] {
        shell.resize(size.0, size.1);
    }
    for step in 0..300_u16 {
        shell.resize(1 + step * 7 % 60, 1 + step * 13 % 200);
    }
    shell.resize(10, 40);
    shell.until("the small screen", |screen| {
        screen.size().1.get() == 40 && screen.contents().contains("watch palm.cpu")
    });
    shell.press("\x03");
    shell.until_restored();
}
