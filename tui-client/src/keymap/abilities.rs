//! What the system and the terminal can do, as far as keys are about it.

/// The shells that a copied command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Those of Unix, with its commands.
    Posix,
    /// Both `cmd.exe` and PowerShell, which have few rules of quoting in common, and no command that
    /// both know to filter lines.
    Windows,
}

/// What the system and the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// A shell can stop and continue the program.
    pub suspend: bool,
    /// Copied text goes to the clipboard of the system, not through the terminal.
    pub clipboard: bool,
    /// The terminal is tmux, which passes copied text on only if `set-clipboard` is on.
    pub in_tmux: bool,
    /// Copied commands are for these.
    pub shell: Shell,
}

impl Default for Abilities {
    /// Those of a terminal on Linux.
    fn default() -> Self {
        Self { suspend: true, clipboard: false, in_tmux: false, shell: Shell::Posix }
    }
}
