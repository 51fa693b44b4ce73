//! The text behind the options in `--help`, the manual page and the completions for shells.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};

use super::Args;

/// The sections behind the options, in `--help` and in the manual page: heading and text.
const SECTIONS: [(&str, &str); 5] = [
    ("Modes", include_str!("manual/modes.txt")),
    ("Formats", include_str!("manual/formats.txt")),
    ("Examples", include_str!("manual/examples.txt")),
    ("Environment", include_str!("manual/environment.txt")),
    ("Exit codes", include_str!("manual/exit_codes.txt")),
];

/// The sections as text for `--help`.
pub(super) fn after_options() -> String {
    SECTIONS.map(|(heading, text)| format!("{heading}:\n{}", text.trim_end())).join("\n\n")
}

/// The completions for a shell.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "tui-client", &mut text);
    text
}

/// The manual page.
pub(super) fn manual() -> Vec<u8> {
    // The page is the same for every target.
    let page = clap_mangen::Man::new(Args::command().long_version(None));
    let mut sections = Roff::default();
    for (heading, text) in SECTIONS {
        sections.control("SH", [heading.to_uppercase().as_str()]);
        // Not filled, because of the columns in the text.
        sections.control("nf", []).text([roman(text.trim_end())]).control("fi", []);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal of 80 columns would wrap a longer line once more, with a word or two on the rest.
    #[test]
    fn lines_fit_a_terminal_of_80_columns() {
        for (heading, text) in SECTIONS {
            // A command that is copied stays whole.
            let is_text = |line: &&str| !line.trim_start().starts_with("tui-client");
            for line in text.lines().filter(is_text) {
                assert!(line.chars().count() <= 80, "{heading}: {line}");
            }
        }
    }
}
