//! The few styles there are. The sixteen colours of the terminal only, so that its own palette
//! decides; and a theme without any colour.

use ratatui::style::{Color, Modifier, Style};

use crate::app::log::entry::Tone;

/// How things look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// Less important text.
    pub quiet: Style,
    /// Headings and titles.
    pub title: Style,
    /// The border of a pane.
    pub border: Style,
    /// The border of the pane that has the keys.
    pub focus: Style,
    /// What went out.
    pub sent: Style,
    /// What came back.
    pub received: Style,
    /// Good news.
    pub good: Style,
    /// Bad news.
    pub bad: Style,
    /// A state in between, a fresh value.
    pub alert: Style,
    /// Sparklines and charts.
    pub plot: Style,
    /// What marks the selected row, besides the colour of its text.
    pub selection: Style,
    /// The name of a key on the bottom line.
    pub key: Style,
    /// Lines, bars and dots are drawn with ASCII characters.
    pub ascii: bool,
}

impl Theme {
    /// With colours.
    pub fn colour() -> Self {
        let fg = |colour| Style::new().fg(colour);
        Self {
            text: Style::new(),
            quiet: Style::new().add_modifier(Modifier::DIM),
            title: Style::new().add_modifier(Modifier::BOLD),
            border: Style::new().add_modifier(Modifier::DIM),
            focus: fg(Color::Cyan),
            sent: fg(Color::Cyan),
            received: fg(Color::Green),
            good: fg(Color::Green),
            bad: fg(Color::Red),
            alert: fg(Color::Yellow),
            plot: fg(Color::Cyan),
            selection: Style::new().add_modifier(Modifier::REVERSED),
            key: fg(Color::Cyan),
            ascii: false,
        }
    }

    /// With colours that can be read on a light background, where cyan and yellow can't.
    pub fn light() -> Self {
        let fg = |colour| Style::new().fg(colour);
        Self {
            focus: fg(Color::Blue),
            sent: fg(Color::Blue),
            alert: fg(Color::Magenta),
            plot: fg(Color::Blue),
            key: fg(Color::Blue),
            ..Self::colour()
        }
    }

    /// Without: no style sets a colour, because even "no colour" is a command that some
    /// back-ends answer by resetting everything else.
    pub fn plain() -> Self {
        let with = |modifier| Style::new().add_modifier(modifier);
        Self {
            text: Style::new(),
            quiet: with(Modifier::DIM),
            title: with(Modifier::BOLD),
            border: with(Modifier::DIM),
            focus: with(Modifier::BOLD),
            sent: with(Modifier::BOLD),
            received: Style::new(),
            good: Style::new(),
            bad: with(Modifier::BOLD),
            alert: with(Modifier::BOLD),
            plot: Style::new(),
            selection: with(Modifier::REVERSED),
            key: with(Modifier::BOLD),
            ascii: false,
        }
    }

    /// What is put over the selected row: one bar, in which bad news alone keep their colour.
    pub fn selected(&self, bad: bool) -> Style {
        match self.plot.fg {
            None => self.selection,
            Some(_) if bad => self.selection.patch(self.bad),
            Some(_) => self.selection.fg(Color::Reset),
        }
    }

    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.text,
            Tone::Quiet => self.quiet,
            Tone::Good => self.good,
            Tone::Bad => self.bad,
        }
    }
}
