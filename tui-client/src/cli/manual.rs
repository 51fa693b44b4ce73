//! What `--help` says behind the options, the manual page and the completions for shells.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};

use super::Args;

/// What stands behind the options, in `--help` and in the manual page: heading and text.
const SECTIONS: [(&str, &str); 5] = [
    (
        "Modes",
        "\
Without a REQUEST, on a terminal, the client opens its screen; press ? there for help.
With a REQUEST, --format or --once, or when input or output is a pipe or a file, it is plain: data
goes to standard output, the same bytes on a terminal and in a pipe, everything else to standard
error.

A `put` without a timestamp gets the current time. A prompt such as `> ` before a request and a
literal \\n after it are ignored. A wrong line is answered by the server, reported with its number,
and the rest goes on; so is a comment, which the protocol does not have. An import says at its end
how many points are stored, if it took long enough to be watched on a terminal or a line was
refused; else it is silent.

The lines typed on the screen are kept in $XDG_STATE_HOME/tui-client/history, which is
~/.local/state/tui-client/history unless that is set. Several lines pasted there are counted and
sent when Enter says so. Its log keeps the newest lines in the memory that --log-memory grants,
some 20,000 a MiB. What is copied goes through the terminal (OSC 52; tmux passes it on after
`set -s set-clipboard on`).

With --watch in plain mode, the last point of each key is printed first, then every point that is
newer, and the last one again when its value changes. The server has to be there at the beginning;
when it goes away later, the client reconnects.

An alert on a value, a change or a rate is evaluated for all points since the answer before, also
those between two polls, but not for late points with an older time. Of a key that brings more than
1,024 points at once the newest count, of very many keys those that there is memory for, at least
15 each. Other columns are evaluated for each answer, and age also between answers. With --once an
alert adds its keys to those that are printed. On the screen a glob, to watch or to alert, brings
the first 1,000 keys that match.

With --once, --filter, --sort and --columns print what the table of the screen shows; Y there
copies the command that does. Without --columns, what is printed are points. On the screen they are
what the table begins with; its columns have an order of their own, and the key is always there.",
    ),
    (
        "Formats",
        "  \
  text  the lines of the protocol, byte for byte: KEY VALUE TIMESTAMP
  json  an object a line: {\"key\":\"palm.cpu\",\"value\":23.7,\"timestamp\":1150864247}
  csv   a line key,value,timestamp, then one for each point

With --columns, rows of the table: text has blanks between the columns and a dash for what there is
not, as the change of a key with one point; JSON has null there, CSV nothing. Numbers are exact, age
is in seconds, time in Unix seconds; trend is the last 16 values as bars.",
    ),
    (
        "Examples",
        "  \
  tui-client                                   the screen, with live data
  tui-client --watch palm.cpu                  the screen, with the chart of a key
  tui-client put palm.cpu 23.7                 store a point, now
  tui-client get '*' > backup.txt              every point of every key
  sed 's/^/put /' backup.txt | tui-client      the way back
  tui-client --once                            the last point of every key
  tui-client --once 'palm.*' eardrum.cpu       the last point of some
  tui-client --once --filter 'age < 1m and not *.test'
                                               of those that are alive
  tui-client --once --sort -rate --columns key,rate,last | head
                                               what grows fastest
  tui-client --filter 'palm.*' --sort -last    the screen, with its table so arranged
  tui-client --format csv get palm.cpu         for a spreadsheet
  tui-client < requests.txt                    one request a line, streamed
  while sleep 1; do
    echo put $(hostname).load $(cut -d' ' -f1 /proc/loadavg)
  done | tui-client --retry                    feed a value every second
  tui-client --watch palm.cpu | tee new.txt    new points as they come
  tui-client --format json --watch palm.cpu    the same as JSON, on a terminal too
  tui-client --watch 'palm.*' --alert 'palm.cpu > 90'
                                               all keys of palm, with an alert
  tui-client --once --alert 'palm.cpu > 90' || echo too hot
  timeout --preserve-status 60 tui-client --format text --alert 'palm.cpu > 90'
                                               watch for a minute; 4 if it was too hot
  tui-client --completions bash > ~/.local/share/bash-completion/completions/tui-client
  tui-client --man | man -l -                  this as a manual page",
    ),
    (
        "Environment",
        "  \
  NO_COLOR   when set and not empty, no colours, unless --theme says otherwise
  COLORFGBG  the colours of the terminal, as some terminals tell them",
    ),
    (
        "Exit codes",
        "  \
  0    all is well
  1    the server answered at least one request with an error, or input or output failed, or
       an alert had no data
  2    the command line is wrong
  3    no connection, or it was lost or stalled before all replies had come
  4    an alert has fired in plain mode: with --once at once, else when a watch ends, as on Ctrl-C,
       SIGTERM or a hang-up
  129, 130, 143
       a hang-up, Ctrl-C or SIGTERM ended an import, which says what it left without an answer, or
       a watch without alerts",
    ),
];

/// The sections as text.
pub(super) fn behind_options() -> String {
    SECTIONS.map(|(heading, text)| format!("{heading}:\n{text}")).join("\n\n")
}

/// The completions for a shell.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "tui-client", &mut text);
    text
}

/// The manual page.
pub(super) fn manual() -> Vec<u8> {
    let page = clap_mangen::Man::new(Args::command());
    let mut sections = Roff::default();
    for (heading, text) in SECTIONS {
        sections.control("SH", [heading.to_uppercase().as_str()]);
        // As it stands, because of its columns.
        sections.control("nf", []).text([roman(text)]).control("fi", []);
    }
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = page.render_title(&mut text);
    let _ = page.render_name_section(&mut text);
    let _ = page.render_synopsis_section(&mut text);
    let _ = page.render_description_section(&mut text);
    let _ = page.render_options_section(&mut text);
    let _ = sections.to_writer(&mut text);
    let _ = page.render_version_section(&mut text);
    text
}
