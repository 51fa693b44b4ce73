//! What comes from the terminal, the same on each system.

use crossterm::event::Event;

/// What a terminal sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalInput {
    /// A key, the mouse, a paste, a new size.
    Event(Event),
    /// More of a paste that has ended because nothing came for a while.
    PasteGoesOn(String),
    /// A paste was too long and is dropped.
    PasteDropped,
    /// The answer to a query, however late.
    Reply(TerminalReply),
}

/// An answer of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalReply {
    /// The lightness of text, in thousandths.
    Foreground(u32),
    /// The lightness of the background, in thousandths.
    Background(u32),
    /// Its name and version, as it writes them: `kitty(0.42.0)`.
    Version(String),
    /// What kind of terminal it is, which every terminal answers: the last answer.
    Attributes,
}
