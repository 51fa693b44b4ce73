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

/// What is between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// Nothing.
    None,
    /// tmux, which passes copied text on only if `set-clipboard` is on.
    Tmux,
    /// GNU screen, which passes on what is wrapped for it, to terminals that may not take it.
    Screen,
}

/// What the system and the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// A shell can stop and continue the program.
    pub suspend: bool,
    /// Copied text goes to the clipboard of the system, not through the terminal.
    pub clipboard: bool,
    /// Copied text has to get through this.
    pub multiplexer: Multiplexer,
    /// Copied commands are for these.
    pub shell: Shell,
    /// The screen has colours.
    pub colours: bool,
}

impl Default for Abilities {
    /// Those of a terminal on Linux.
    fn default() -> Self {
        let (suspend, clipboard) = (true, false);
        let (multiplexer, shell) = (Multiplexer::None, Shell::Posix);
        Self { suspend, clipboard, multiplexer, shell, colours: true }
    }
}
