//! A theme from a file: TOML, a colour for each role of the screen.

use ratatui::style::{Color, Modifier, Style};

use super::Theme;
use super::colour::{self, Depth, Gradient};
use crate::settings::{Mistake, Setting, Settings};
use crate::themes::BUILT_IN;

/// What a theme begins with, before the colours of its file.
const BASE: &str = "base";

/// A role of the screen by the name of what it shows, and how its colours get into a theme.
struct Role {
    name: &'static str,
    put: Put,
}

/// How colours get into a theme.
enum Put {
    /// One, of text or lines: the style of the role.
    Style(fn(&mut Theme) -> &mut Style),
    /// One, of a role that looks as another one else.
    OwnStyle(fn(&mut Theme) -> &mut Option<Style>, fn(&Theme) -> Style),
    /// One, of a ground.
    Ground(fn(&mut Theme) -> &mut Option<Color>),
    /// One, of a line of charts.
    Line(usize),
    /// One or several from low to high.
    Gradient(fn(&mut Theme) -> &mut Gradient),
}

#[rustfmt::skip]
const ROLES: [Role; 26] = [
    Role { name: "background", put: Put::Ground(|theme| &mut theme.background) },
    Role { name: "selected", put: Put::Ground(|theme| &mut theme.selected_row) },
    Role { name: "text", put: Put::Style(|theme| &mut theme.text) },
    Role { name: "quiet", put: Put::Style(|theme| &mut theme.quiet) },
    Role { name: "title", put: Put::Style(|theme| &mut theme.title) },
    Role { name: "border", put: Put::Style(|theme| &mut theme.border) },
    Role { name: "focus", put: Put::Style(|theme| &mut theme.focus) },
    Role { name: "key", put: Put::OwnStyle(|theme| &mut theme.series_key, |theme| theme.text) },
    Role { name: "value", put: Put::OwnStyle(|theme| &mut theme.value, |theme| theme.title) },
    Role { name: "rising", put: Put::OwnStyle(|theme| &mut theme.rising, |theme| theme.text) },
    Role { name: "falling", put: Put::OwnStyle(|theme| &mut theme.falling, |theme| theme.text) },
    Role { name: "good", put: Put::Style(|theme| &mut theme.good) },
    Role { name: "alert", put: Put::Style(|theme| &mut theme.bad) },
    Role { name: "warning", put: Put::Style(|theme| &mut theme.alert) },
    Role { name: "sent", put: Put::Style(|theme| &mut theme.sent) },
    Role { name: "received", put: Put::Style(|theme| &mut theme.received) },
    Role { name: "hint", put: Put::Style(|theme| &mut theme.key) },
    Role { name: "grid", put: Put::OwnStyle(|theme| &mut theme.grid, |theme| theme.quiet) },
    Role { name: "chart", put: Put::Gradient(|theme| &mut theme.chart) },
    Role { name: "trend", put: Put::Gradient(|theme| &mut theme.trend) },
    Role { name: "line.1", put: Put::Line(0) },
    Role { name: "line.2", put: Put::Line(1) },
    Role { name: "line.3", put: Put::Line(2) },
    Role { name: "line.4", put: Put::Line(3) },
    Role { name: "line.5", put: Put::Line(4) },
    Role { name: "line.6", put: Put::Line(5) },
];

impl Theme {
    /// The theme of a file in a terminal with these colours: those of its base where the file says
    /// nothing.
    ///
    /// # Errors
    /// The first mistake.
    pub fn of_file(settings: &Settings, depth: Depth) -> Result<Self, Mistake> {
        let mut theme = base(settings)?;
        if depth >= Depth::Palette {
            theme = theme.with_greys();
        }
        for setting in settings.iter().filter(|setting| setting.name != BASE) {
            let Some(role) = ROLES.iter().find(|role| role.name == setting.name) else {
                let names = Self::roles().chain([BASE]);
                return Err(settings.unknown(setting, names));
            };
            let colours = colours(role, setting, settings)?;
            role.put.colour(&colours, depth, &mut theme);
        }
        Ok(theme)
    }

    /// The names of the roles that a file has colours for.
    pub fn roles() -> impl Iterator<Item = &'static str> {
        ROLES.iter().map(|role| role.name)
    }

    /// The built-in theme of this name.
    pub fn built_in(name: &str, depth: Depth) -> Option<Result<Self, Mistake>> {
        let known = BUILT_IN.iter().find(|known| known.name == name)?;
        let settings = Settings::parse(name, known.text);
        Some(settings.and_then(|settings| Self::of_file(&settings, depth)))
    }
}

/// The theme that a file begins with.
fn base(settings: &Settings) -> Result<Theme, Mistake> {
    let Some(setting) = settings.iter().find(|setting| setting.name == BASE) else {
        return Ok(Theme::colour());
    };
    let value = settings.only(setting)?;
    match &*value.text {
        "dark" => Ok(Theme::colour()),
        "light" => Ok(Theme::light()),
        other => {
            let why = format!("invalid value '{other}' for {BASE}: one of dark, light");
            Err(settings.mistake(value.at, why))
        }
    }
}

/// The colours of a role.
fn colours(role: &Role, setting: &Setting, settings: &Settings) -> Result<Vec<Color>, Mistake> {
    let is_gradient = matches!(role.put, Put::Gradient(_));
    if !is_gradient || setting.values.is_empty() {
        settings.only(setting)?;
    }
    let colours = setting.values.iter().map(|value| {
        colour::parse(&value.text).map_err(|why| {
            let why = format!("invalid value '{}' for {}: {why}", value.text, setting.name);
            settings.mistake(value.at, why)
        })
    });
    colours.collect()
}

impl Put {
    fn colour(&self, colours: &[Color], depth: Depth, theme: &mut Theme) {
        if let Self::Gradient(of) = self {
            *of(theme) = Gradient::new(colours, depth);
            return;
        }
        // Where a terminal has no such colour, that of the base stays.
        let fitting = colours.first().and_then(|&colour| colour::fitting(colour, depth));
        let Some(colour) = fitting else { return };
        match self {
            Self::Style(of) => *of(theme) = coloured(*of(theme), colour),
            Self::OwnStyle(of, usual) => {
                let style = coloured(usual(theme), colour);
                *of(theme) = Some(style);
            }
            // In a terminal of sixteen colours a ground would leave some of them illegible.
            Self::Ground(_) if depth == Depth::Sixteen => {}
            Self::Ground(of) => *of(theme) = Some(colour),
            Self::Line(at) => {
                if let Some(line) = theme.lines.get_mut(*at) {
                    *line = colour;
                }
                if *at == 0 {
                    theme.plot = Style::new().fg(colour);
                }
            }
            Self::Gradient(_) => {}
        }
    }
}

/// A style in a colour, which it needs no dimming for.
fn coloured(style: Style, colour: Color) -> Style {
    let modifiers = style.add_modifier.difference(Modifier::DIM);
    Style::new().fg(colour).add_modifier(modifiers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::themes::BuiltIn;

    fn theme(text: &str) -> Result<Theme, String> {
        let settings = Settings::parse("t.toml", text).map_err(|why| why.to_string())?;
        Theme::of_file(&settings, Depth::True).map_err(|why| why.to_string())
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, expected) in [
            (
                "key = '#zz0000'",
                "t.toml:1:7: invalid value '#zz0000' for key: a colour is #rrggbb, 0 to 255, or black,",
            ),
            ("\nkey = 256", "t.toml:2:7: invalid value '256' for key: "),
            ("kye = 1", "t.toml:1:1: unknown name kye; did you mean key?"),
            ("[line]\n7 = 'red'", "t.toml:2:1: unknown name line.7; did you mean line.1?"),
            ("base = 'drak'", "t.toml:1:8: invalid value 'drak' for base: one of dark, light"),
            ("key = ['red', 'blue']", "t.toml:1:1: key takes one value"),
            ("chart = []", "t.toml:1:1: chart takes one value"),
            ("chart = ['red', 'rde']", "t.toml:1:17: invalid value 'rde' for chart: "),
            ("key = red", "t.toml:1:7: string values must be quoted"),
        ] {
            let why = theme(text).unwrap_err();
            assert!(why.starts_with(expected), "{text}: {why}");
        }
    }

    #[test]
    fn each_role_has_its_colour() {
        let usual = theme("").unwrap();
        assert_eq!(usual, Theme::colour().with_greys());
        assert_eq!(theme("base = 'light'").unwrap(), Theme::light().with_greys());
        let mut seen = vec![usual];
        for role in &ROLES {
            let changed = theme(&format!("{} = '#123456'", role.name)).unwrap();
            assert!(!seen.contains(&changed), "{}", role.name);
            seen.push(changed);
        }
        let theme = theme("quiet = '#123456'\nline.2 = 7\ntitle = 'red'").unwrap();
        assert_eq!(theme.quiet, Style::new().fg(Color::Rgb(0x12, 0x34, 0x56)), "not dimmed");
        assert_eq!(theme.title, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(theme.lines[1], Color::Indexed(7));
        let value = self::theme("value = 'red'").unwrap().value();
        assert_eq!(value, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD), "as a title");
    }

    /// The share of the light of a colour, as the WCAG define it.
    fn luminance(colour: Color) -> f64 {
        let share = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = colour::rgb(colour).unwrap().map(share);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Text is legible at 4.5, and lines are seen at 3, on the ground of the screen and of the selected
    /// row.
    #[test]
    fn built_in_themes_are_legible() {
        for BuiltIn { name, .. } in BUILT_IN {
            for depth in [Depth::True, Depth::Palette] {
                let theme = Theme::built_in(name, depth).unwrap().unwrap();
                let grounds = [theme.background.unwrap(), theme.selected_row.unwrap()];
                let styles = |styles: &[Style]| {
                    styles.iter().map(|style| style.fg.unwrap()).collect::<Vec<_>>()
                };
                let own = [theme.series_key, theme.value, theme.rising, theme.falling];
                let mut texts = styles(&own.map(Option::unwrap));
                texts.extend(styles(&[
                    theme.text,
                    theme.quiet,
                    theme.title,
                    theme.focus,
                    theme.sent,
                    theme.received,
                    theme.good,
                    theme.bad,
                    theme.alert,
                    theme.key,
                ]));
                for (at, &ground) in grounds.iter().enumerate() {
                    for &text in &texts {
                        let contrast = contrast(text, ground);
                        assert!(
                            contrast >= 4.5,
                            "{name} {depth:?}: {text} on {ground}: {contrast:.1}"
                        );
                    }
                    let gradients = [&theme.chart, &theme.trend].map(Gradient::colours);
                    let mut lines = [&theme.lines[..], gradients[0], gradients[1]].concat();
                    if at == 0 {
                        lines.extend(styles(&[theme.border, theme.grid.unwrap()]));
                    }
                    for line in lines {
                        let contrast = contrast(line, ground);
                        assert!(
                            contrast >= 3.0,
                            "{name} {depth:?}: {line} on {ground}: {contrast:.1}"
                        );
                    }
                }
                assert!(
                    contrast(grounds[0], grounds[1]) > 1.15,
                    "{name}: the selected row is seen"
                );
            }
        }
    }

    #[test]
    fn sixteen_colours_keep_the_grounds_and_greys_of_the_terminal() {
        let theme = Theme::built_in("midnight", Depth::Sixteen).unwrap().unwrap();
        assert_eq!((theme.background, theme.selected_row), (None, None));
        assert_eq!(theme.text, Theme::colour().text);
        let is_of_terminal =
            |style: Style| !matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_)));
        let styles = [theme.quiet, theme.bad, theme.good, theme.alert, theme.key, theme.plot];
        assert!(styles.into_iter().all(is_of_terminal));
    }
}
