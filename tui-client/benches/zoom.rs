//! From a key press to a new picture of a chart, in a pseudo-terminal, which Windows does not have in this form.

#[cfg(unix)]
#[path = "pty/zoom.rs"]
mod in_pty;

fn main() -> std::process::ExitCode {
    #[cfg(unix)]
    return in_pty::main();
    #[cfg(windows)]
    {
        eprintln!("skipped: this needs a pseudo-terminal");
        std::process::ExitCode::SUCCESS
    }
}
