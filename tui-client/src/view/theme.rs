//! The styles of the screen: the sixteen colours of the terminal, so that its own palette decides,
//! and a grey behind the selected row where there are more; those of a file; or no colours at all.

pub mod colour;
mod file;
pub mod terminals;

use ratatui::style::{Color, Modifier, Style};

use crate::app::chart::MAX_LINES;
use crate::wire_log::entry::Tone;
use colour::{Depth, Gradient};

/// The grey #303030 of the palette of 256 colours.
const DARK_GREY: u8 = 236;

/// The grey #e4e4e4 of that palette.
const LIGHT_GREY: u8 = 254;

/// The style of everything on the screen, by its role.
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
    /// The border of the focused pane.
    pub focus: Style,
    /// Lines sent to the server.
    pub sent: Style,
    /// Lines received from the server.
    pub received: Style,
    /// Success.
    pub good: Style,
    /// Failures and firing alerts.
    pub bad: Style,
    /// Warnings and fresh values.
    pub alert: Style,
    /// Sparklines and charts.
    pub plot: Style,
    /// The selected row, put over the style of its text.
    pub selection: Style,
    /// The background of the selected row, which keeps its colours then.
    pub selected_row: Option<Color>,
    /// The name of a key of the keyboard.
    pub key: Style,
    /// The background of the screen; that of the terminal without it.
    pub background: Option<Color>,
    /// The key of a series, where it is not as other text.
    pub series_key: Option<Style>,
    /// A newest value, where it is not as a title.
    pub value: Option<Style>,
    /// What has risen, where it is not as other numbers and arrows.
    pub rising: Option<Style>,
    /// What has fallen, as that.
    pub falling: Option<Style>,
    /// The grid of charts, where it is not as less important text.
    pub grid: Option<Style>,
    /// The colours of the lines of a chart.
    pub lines: [Color; MAX_LINES],
    /// The colours of a line that is alone in its chart, by its height.
    pub chart: Gradient,
    /// The colours of the bars of sparklines, by their height.
    pub trend: Gradient,
    /// It is for a light background.
    pub light: bool,
    /// Lines, bars and dots are drawn with ASCII characters.
    pub ascii: bool,
    /// The characters of charts and sparklines.
    pub glyphs: Glyphs,
}

/// What the cells of charts and the bars of sparklines are drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks of eight parts a cell, which few fonts have.
    Octant,
    /// Eight dots a cell.
    #[default]
    Braille,
    /// Blocks of four parts a cell.
    Block,
    /// One of a few ASCII characters a cell, by height and slope.
    Ascii,
}

/// The theme in use. Until a terminal that is asked tells its background, it is the one for a dark
/// background: that is more usual, and its colours are legible on most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeChoice {
    theme: Theme,
    /// The themes for a dark and a light background.
    by_background: Option<(Theme, Theme)>,
    /// The lightness of text, in thousandths.
    text: Option<u32>,
    /// The answers to the query are still to come.
    awaited: bool,
    /// The built-in theme that was chosen since the start.
    chosen: Option<Theme>,
    /// The colours of the terminal.
    depth: Depth,
    /// The terminal decides about the glyphs.
    has_glyphs_by_version: bool,
}

impl ThemeChoice {
    /// A theme that no terminal is asked for.
    pub fn known(theme: Theme) -> Self {
        let (by_background, text, awaited) = (None, None, false);
        let (chosen, depth, has_glyphs_by_version) = (None, Depth::Sixteen, false);
        Self { theme, by_background, text, awaited, chosen, depth, has_glyphs_by_version }
    }

    /// The terminal decides between these.
    pub fn by_background(dark: Theme, light: Theme) -> Self {
        let (theme, by_background) = (dark.clone(), Some((dark, light)));
        Self { by_background, awaited: true, ..Self::known(theme) }
    }

    /// In a terminal with these colours.
    #[must_use]
    pub fn in_depth(self, depth: Depth) -> Self {
        Self { depth, ..self }
    }

    /// The glyphs are those that the terminal is known to draw, once it has said its name; it is asked for
    /// that alone where it `may` draw more than usual.
    #[must_use]
    pub fn with_glyphs_by_version(self, may: bool) -> Self {
        Self { has_glyphs_by_version: true, awaited: self.awaited || may, ..self }
    }

    /// Chooses a built-in theme by its name, or none in place of that of the start.
    pub fn choose(&mut self, name: Option<&str>) {
        let Theme { ascii, glyphs, .. } = self.theme;
        let theme = name.and_then(|name| Theme::built_in(name, self.depth)).and_then(Result::ok);
        self.chosen = theme.map(|theme| Theme { ascii, glyphs, ..theme });
    }

    /// The theme to draw in.
    pub fn theme(&self) -> &Theme {
        self.chosen.as_ref().unwrap_or(&self.theme)
    }

    /// The terminal is asked, and its last answer is still to come.
    pub fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// Takes the lightness of text, in thousandths.
    pub fn on_text(&mut self, lightness: u32) {
        self.text = Some(lightness);
    }

    /// Takes the lightness of the background, in thousandths, at any time.
    pub fn on_background(&mut self, lightness: u32) {
        let Some((dark, light)) = &self.by_background else { return };
        let is_light = match self.text {
            Some(text) if text != lightness => lightness > text,
            _ => lightness > 500,
        };
        self.theme = if is_light { light.clone() } else { dark.clone() };
    }

    /// Takes the name and version of the terminal, at any time.
    pub fn on_version(&mut self, name: &str) {
        if !self.has_glyphs_by_version || !terminals::draws_octants(name) {
            return;
        }
        let pair = self.by_background.as_mut().map(|(dark, light)| [dark, light]);
        let all = [&mut self.theme].into_iter().chain(pair.into_iter().flatten());
        for theme in all.chain(self.chosen.as_mut()) {
            theme.glyphs = Glyphs::Octant;
        }
    }

    /// Takes the last answer. Some terminals give those before it later.
    pub fn on_last_answer(&mut self) {
        self.awaited = false;
    }
}

impl Theme {
    /// Colours for a dark background.
    pub fn colour() -> Self {
        Self::coloured(Color::Cyan, Color::Yellow)
    }

    /// Colours for a light background, where cyan and yellow are illegible.
    pub fn light() -> Self {
        Self { light: true, ..Self::coloured(Color::Blue, Color::Magenta) }
    }

    /// Whether it is for a light background.
    pub fn is_light(&self) -> bool {
        self.light
    }

    /// The theme in a terminal with the palette of 256 colours. Of its greys only one is far enough
    /// from the background to be seen, and near enough to leave all colours legible.
    #[must_use]
    pub fn with_greys(self) -> Self {
        let grey = if self.is_light() { LIGHT_GREY } else { DARK_GREY };
        Self { selected_row: self.plot.fg.map(|_| Color::Indexed(grey)), ..self }
    }

    fn coloured(accent: Color, alert: Color) -> Self {
        let fg = |colour| Style::new().fg(colour);
        Self {
            focus: fg(accent),
            sent: fg(accent),
            received: fg(Color::Green),
            good: fg(Color::Green),
            bad: fg(Color::Red),
            alert: fg(alert),
            plot: fg(accent),
            key: fg(accent),
            lines: [
                accent,
                Color::Magenta,
                Color::Yellow,
                Color::Green,
                Color::Blue,
                Color::LightRed,
            ],
            ..Self::plain()
        }
    }

    /// No colours: no style sets one, because even "no colour" is a command that some back-ends
    /// answer by resetting everything else.
    pub fn plain() -> Self {
        let normal = Style::new();
        let (dim, bold) = (normal.add_modifier(Modifier::DIM), normal.add_modifier(Modifier::BOLD));
        Self {
            text: normal,
            quiet: dim,
            title: bold,
            border: dim,
            focus: bold,
            sent: bold,
            received: normal,
            good: normal,
            bad: bold,
            alert: bold,
            plot: normal,
            selection: normal.add_modifier(Modifier::REVERSED),
            selected_row: None,
            key: bold,
            background: None,
            series_key: None,
            value: None,
            rising: None,
            falling: None,
            grid: None,
            lines: [Color::Reset; MAX_LINES],
            chart: Gradient::default(),
            trend: Gradient::default(),
            light: false,
            ascii: false,
            glyphs: Glyphs::default(),
        }
    }

    /// The style put over the selected row: a background of its own, or else one bar, in which only
    /// failures keep their colour.
    pub fn selected(&self, bad: bool) -> Style {
        if let Some(ground) = self.selected_row {
            let style = Style::new().bg(ground);
            return style.remove_modifier(Modifier::DIM).add_modifier(Modifier::BOLD);
        }
        match self.plot.fg {
            None => self.selection,
            Some(_) if bad => self.selection.patch(self.bad),
            Some(_) => self.selection.fg(Color::Reset),
        }
    }

    /// The mark of a series for which an alert fires or which is stale, the style of its texts and
    /// that of its age.
    pub fn series(&self, firing: bool, stale: bool) -> (&'static str, Style, Style) {
        match (firing, stale) {
            (true, _) => ("!", self.bad, self.bad),
            (false, true) => ("·", self.quiet, self.alert),
            (false, false) => (" ", self.text, self.text),
        }
    }

    /// The style of a newest value.
    pub fn value(&self) -> Style {
        self.value.unwrap_or(self.title)
    }

    /// The style of what has risen or fallen, `usual` where the theme has none.
    pub fn moved(&self, by: f64, usual: Style) -> Style {
        (if by > 0.0 { self.rising } else { self.falling }).unwrap_or(usual)
    }

    /// The style of what is looked for in a text.
    pub fn found(&self) -> Style {
        self.alert.add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_chosen_and_that_of_the_start_comes_back() {
        let ascii = Theme { ascii: true, ..Theme::colour() };
        let mut choice = ThemeChoice::by_background(ascii.clone(), Theme::light());
        let mut choice_in_true = choice.clone().in_depth(Depth::True);
        for choice in [&mut choice, &mut choice_in_true] {
            choice.choose(Some("ember"));
            assert!(choice.theme().ascii && *choice.theme() != ascii);
        }
        assert!(choice_in_true.theme().background.is_some());
        // What the terminal answers meanwhile is for the theme of the start.
        choice.on_background(900);
        choice.choose(None);
        assert_eq!(*choice.theme(), Theme::light());
    }

    #[test]
    fn a_terminal_that_draws_octants_gets_them_whatever_the_theme() {
        let of = || ThemeChoice::by_background(Theme::colour(), Theme::light());
        let mut choice = of().with_glyphs_by_version(false);
        choice.on_version("foot(1.19.0)");
        assert_eq!(choice.theme().glyphs, Glyphs::Braille);
        choice.on_version("foot(1.20.0)");
        assert_eq!(choice.theme().glyphs, Glyphs::Octant);
        choice.on_background(900);
        assert_eq!((choice.theme().glyphs, choice.theme().light), (Glyphs::Octant, true));
        choice.choose(Some("ember"));
        assert_eq!(choice.theme().glyphs, Glyphs::Octant);
        // What was asked for by name stays.
        let mut choice = of();
        choice.on_version("foot(1.20.0)");
        assert_eq!(choice.theme().glyphs, Glyphs::Braille);
        let known = ThemeChoice::known(Theme::colour());
        assert!(!known.clone().with_glyphs_by_version(false).is_awaited());
        assert!(known.with_glyphs_by_version(true).is_awaited());
    }

    #[test]
    fn the_selected_row_keeps_its_colours_where_the_terminal_has_greys() {
        for (theme, grey) in [(Theme::colour(), 236), (Theme::light(), 254)] {
            let row = theme.alert.patch(theme.clone().with_greys().selected(false));
            assert_eq!((row.fg, row.bg), (theme.alert.fg, Some(Color::Indexed(grey))));
            assert!(theme.selected(false).add_modifier.contains(Modifier::REVERSED), "without");
        }
        let plain = Theme::plain().with_greys();
        assert_eq!(plain, Theme::plain(), "no colours");
    }
}
