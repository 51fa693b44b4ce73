//! What differs between operating systems: the same few functions for each, and the only place
//! with `cfg`, system calls and signals. The other modules know no operating system.
//!
//! - `input`: what comes from the terminal.
//! - `terminal`: output, size and keys of the terminal, job control, the clipboard.
//! - `signals`: the ends that a system asks for, and a closed standard output.
//! - `processes`: the shell that runs a command of the user.
//! - `streams`: standard input, output and error of any kind.
//! - `files`: directories of the user, private files, the size of standard input.
//!
//! | | Linux, macOS | Windows |
//! | --- | --- | --- |
//! | paste | marked by the terminal | several keys at once, see [`terminal::PASTES_AS_KEYS`] |
//! | new size | SIGWINCH | an event among the keys |
//! | ctrl-z | stops the job | no job control, see [`terminal::HAS_JOB_CONTROL`] |
//! | the terminal goes away | SIGHUP; Linux also by `poll` | an event of the console |
//! | reader of a pipe goes away | at once | at the next write |
//! | a closed stream | is noted before `main` | has no handle |
//! | copied text | through the terminal | to the clipboard, but over SSH through the terminal |
//! | a copied command | for a shell of Unix | for cmd.exe and PowerShell, see [`terminal::HAS_POSIX_SHELL`] |
//! | a command of the user | `sh -c` | `cmd /C` |
//! | private files | mode 0600 and 0700 | the access list of the directory above |

pub mod terminal_input;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{files, input, processes, signals, streams, terminal};
#[cfg(windows)]
pub use windows::{files, input, processes, signals, streams, terminal};
