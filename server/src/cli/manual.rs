//! The manual page and the completions for shells.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};

use super::{AFTER_HELP, Cli};

/// The text that the command line asks for instead of a server.
pub fn asked_for(cli: &Cli) -> Option<Vec<u8>> {
    let page = || cli.man.then(page);
    cli.completions.map(completions).or_else(page)
}

/// The completions for a shell.
fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "server", &mut text);
    text
}

/// The manual page, the same for every target.
fn page() -> Vec<u8> {
    let page = clap_mangen::Man::new(Cli::command().long_version(None));
    let mut use_of_it = Roff::default();
    // Not filled, because of the columns in the text.
    use_of_it.control("SH", ["USE"]).control("nf", []).text([roman(AFTER_HELP)]).control("fi", []);
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = page.render_title(&mut text);
    let _ = page.render_name_section(&mut text);
    let _ = page.render_synopsis_section(&mut text);
    let _ = page.render_description_section(&mut text);
    let _ = page.render_options_section(&mut text);
    let _ = use_of_it.to_writer(&mut text);
    let _ = page.render_version_section(&mut text);
    text
}
