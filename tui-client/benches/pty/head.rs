//! The head of a benchmark that measures the real binary in a pseudo-terminal, which Windows does
//! not have in this form.

/// Makes a file the benchmark. Its `measure` gets the arguments after `--` and says whether all
/// bounds are held; its `prepare` may turn the process into another one that it starts itself.
macro_rules! in_pty {
    ($file:literal) => {
        #[cfg(unix)]
        #[path = $file]
        mod in_pty;

        fn main() -> std::process::ExitCode {
            #[cfg(unix)]
            {
                in_pty::harness::run(in_pty::measure)
            }
            #[cfg(windows)]
            {
                eprintln!("skipped: this needs a pseudo-terminal");
                std::process::ExitCode::SUCCESS
            }
        }
    };
}
