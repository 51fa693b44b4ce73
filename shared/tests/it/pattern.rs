//! Globs against their definition, however slow that is.

use proptest::prelude::*;
use shared::Glob;
use shared::pattern::Pattern;

/// Every glob without braces that a glob with braces stands for.
fn expand(glob: &str) -> Vec<String> {
    let Some(open) = glob.find('{') else { return vec![glob.to_owned()] };
    let (mut depth, mut cuts) = (0, vec![open]);
    for (at, c) in glob.char_indices().skip_while(|&(at, _)| at < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => cuts.push(at),
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            cuts.push(at);
            break;
        }
    }
    let behind = &glob[cuts[cuts.len() - 1] + 1..];
    let choices = cuts.windows(2).map(|ends| &glob[ends[0] + 1..ends[1]]);
    choices.flat_map(|choice| expand(&format!("{}{choice}{behind}", &glob[..open]))).collect()
}

fn fits(glob: &[char], text: &[char]) -> bool {
    match (glob.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some(('*', rest)), _) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        (Some(('?', rest)), Some((_, tail))) => fits(rest, tail),
        (Some((wanted, rest)), Some((c, tail))) => wanted == c && fits(rest, tail),
        (Some(_), None) => false,
    }
}

#[test]
fn the_definition_expands_braces() {
    assert_eq!(expand("a{b,{c,d}e}{,f}"), ["ab", "abf", "ace", "acef", "ade", "adef"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_glob_agrees_with_its_definition(
        glob in "[ab*?{},火]{1,10}|([ab*?]{0,2}\\{[ab*?,]{0,4}(\\{[a*,]{0,3}\\})?[ab*]?\\}){1,3}[a*]?",
        text in "[ab,火]{0,8}",
    ) {
        if let Ok(compiled) = glob.parse::<Glob>() {
            let text_chars: Vec<_> = text.chars().collect();
            let expected = expand(&glob)
                .iter()
                .any(|glob| fits(&glob.chars().collect::<Vec<_>>(), &text_chars));
            prop_assert_eq!(compiled.matches(&text), expected);
            // The same far behind in a long text.
            let (glob, text) = ("?".repeat(70) + &glob, "火".repeat(70) + &text);
            prop_assert_eq!(glob.parse::<Glob>().unwrap().matches(&text), expected);
        }
    }

    #[test]
    fn any_text_is_a_glob_or_has_a_mistake_within(text in "[a-b*?{},. \\[火]{0,20}") {
        match text.parse::<Glob>() {
            Ok(glob) => { glob.matches("ab.火"); }
            Err(bad) => {
                prop_assert!(text.get(bad.at.clone()).is_some());
                prop_assert_eq!(text[..bad.at.start].chars().count(), bad.character);
            }
        }
    }

    #[test]
    fn a_pattern_is_a_glob_without_braces_in_braces(text in "[ab*?{},]{1,10}") {
        match (Pattern::new(&text), text.parse::<Glob>()) {
            (Ok(pattern), Ok(glob)) => prop_assert_eq!(Glob::from(pattern), glob),
            (Ok(_), Err(bad)) => prop_assert!(false, "{}", bad),
            (Err(_), _) => {}
        }
    }
}
