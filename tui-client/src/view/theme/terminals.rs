//! Which terminals draw octants by themselves: hardly any font has these characters of Unicode 16.

/// The terminals, as each calls itself, with the first version that does.
const WITH_OCTANTS: [(&str, [u32; 2]); 5] = [
    ("kitty", [0, 40]),
    ("foot", [1, 20]),
    ("ghostty", [1, 2]),
    ("VTE", [7800, 0]),
    // A nightly build; no release has them.
    ("WezTerm", [20_250_701, 0]),
];

/// A terminal draws octants, of which this is its name and version: `kitty(0.42.0)`, `ghostty 1.2.0`,
/// `VTE(7802)`, `WezTerm 20250801-…`.
pub fn draws_octants(name: &str) -> bool {
    let end = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (before, version) = name.split_at(end);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    let version = [next(), next()];
    let called = before.trim_end_matches(['(', ' ', '-']);
    WITH_OCTANTS
        .iter()
        .any(|(known, first)| called.eq_ignore_ascii_case(known) && version >= *first)
}

/// The environment names a terminal that may draw octants: `term` is the value of `TERM`, `program` that of
/// `TERM_PROGRAM`, `vte` that of `VTE_VERSION`.
pub fn may_draw_octants(term: &str, program: &str, vte: &str) -> bool {
    let names = |text: &str| {
        let text = text.to_ascii_lowercase();
        WITH_OCTANTS.iter().any(|(known, _)| text.contains(&known.to_ascii_lowercase()))
    };
    !vte.is_empty() || names(term) || names(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octants_are_drawn_from_a_version_on() {
        for (name, draws) in [
            ("kitty(0.40.0)", true),
            ("kitty(0.39.1)", false),
            ("kitty(1.0)", true),
            ("foot(1.20.0)", true),
            ("foot(1.3.0)", false),
            ("ghostty 1.2.3", true),
            ("ghostty 1.1.3", false),
            ("VTE(7802)", true),
            ("VTE(7600)", false),
            ("WezTerm 20240203-110809-5046fc22", false),
            ("WezTerm 20250801-000000-abcdef01", true),
            ("tmux 3.5a", false),
            ("XTerm(390)", false),
            ("kitty", false),
            ("", false),
            ("9999999999999", false),
        ] {
            assert_eq!(draws_octants(name), draws, "{name}");
        }
    }

    #[test]
    fn the_environment_names_the_terminals_that_are_asked() {
        assert!(may_draw_octants("xterm-kitty", "", ""));
        assert!(may_draw_octants("foot-extra", "", ""));
        assert!(may_draw_octants("xterm-256color", "ghostty", ""));
        assert!(may_draw_octants("xterm-256color", "", "7802"));
        assert!(!may_draw_octants("xterm-256color", "Apple_Terminal", ""));
        assert!(!may_draw_octants("tmux-256color", "tmux", ""));
    }
}
