//! The page about the screen has every key, in the words of the list of keys.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use jiff::tz::TimeZone;
use tui_client::cli::Plan;
use tui_client::keymap::{Abilities, HelpLine, Mode, help_lines};
use tui_client::session::{Focus, view_file::ViewFile};
use tui_client::settings::Settings;
use tui_client::view::theme::{Theme, colour::Depth};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/SCREEN.md");
const BEFORE: &str =
    "<!-- Made by INSTA_UPDATE=always cargo test -p tui-client --test it screen_page -->\n";
const BEHIND: &str = "\n## ";

/// The sections of the list that are not about keys: a subject is one text, not several keys.
const NOTES: [&str; 6] = [
    "Mouse",
    "Marks in the table and in the list of watched keys",
    "Chart",
    "Search and filter of the log",
    "Times",
    "Copying",
];

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// The list of keys as tables in Markdown, a section each.
fn tables() -> String {
    let mut page = String::new();
    let mut is_note = false;
    for line in help_lines(Mode::Table, Abilities::default()) {
        match line {
            HelpLine::Heading("") => {}
            HelpLine::Heading(heading) => {
                is_note = NOTES.contains(&heading);
                write!(page, "\n### {heading}\n\n| | |\n| --- | --- |\n").unwrap();
            }
            // The meaning of the line above goes on.
            HelpLine::Keys(subject, meaning) if subject.is_empty() => {
                let row = page.trim_end_matches(" |\n").len();
                page.truncate(row);
                writeln!(page, " {} |", meaning.replace('|', "\\|")).unwrap();
            }
            HelpLine::Keys(subject, meaning) => {
                let keys: Vec<_> = if is_note {
                    vec![code(&subject)]
                } else {
                    subject.split(' ').map(code).collect()
                };
                writeln!(page, "| {} | {} |", keys.join(" "), meaning.replace('|', "\\|")).unwrap();
            }
        }
    }
    page
}

#[test]
fn the_page_about_the_screen_has_the_list_of_keys() {
    let page = fs::read_to_string(PAGE).unwrap().replace("\r\n", "\n");
    let (head, rest) = page.split_once(BEFORE).unwrap();
    let (is, tail) = rest.split_once(BEHIND).unwrap();
    let tables = tables();
    if is != tables && env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(PAGE, [head, BEFORE, &tables, BEHIND, tail].concat()).unwrap();
        return;
    }
    assert!(
        is == tables,
        "the keys in .github/SCREEN.md are not those of the program: \
         INSTA_UPDATE=always cargo test -p tui-client --test it screen_page renews them"
    );
}

#[test]
fn the_view_on_the_page_opens() {
    let page = fs::read_to_string(PAGE).unwrap().replace("\r\n", "\n");
    let text = toml(&page, 0);
    let plan = |text: &str| {
        let open = |_: &Path| {
            ViewFile::parse("shop.toml", text, 0, &TimeZone::UTC).map_err(|why| why.to_string())
        };
        Plan::parse_with(["tui-client", "--view", "shop.toml"], true, open)
    };
    let view = plan(text).unwrap().view;
    assert_eq!((view.watch.len(), view.alerts.len(), view.table.columns.len()), (2, 2, 5));
    assert_eq!(view.focus, Some(Focus::Chart));
    let why = plan(&text.replace("-last", "errs")).unwrap_err().to_string();
    let told = "shop.toml:6:8: invalid value 'errs' for sort";
    assert!(why.contains(told) && page.contains(told), "{why}");
}

/// A file on the page.
fn toml(page: &str, number: usize) -> &str {
    page.split("```toml\n").nth(number + 1).and_then(|rest| rest.split("```").next()).unwrap()
}

#[test]
fn the_theme_on_the_page_is_one() {
    let page = fs::read_to_string(PAGE).unwrap().replace("\r\n", "\n");
    let settings = Settings::parse("mine.toml", toml(&page, 1)).unwrap();
    let theme = Theme::of_file(&settings, Depth::True).unwrap();
    assert!(theme.background.is_some() && !theme.chart.is_empty() && theme.rising.is_some());
    // Each role is in the table.
    for role in Theme::roles() {
        let (name, number) = role.split_once('.').unwrap_or((role, ""));
        let is_line = ["2", "3", "4", "5"].contains(&number);
        assert!(is_line || page.contains(&format!("`{role}`")), "{name}");
    }
}

/// The pictures and pages that a page links to.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The anchor of a heading, as the host of the repository makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading.chars().filter(kept).collect::<String>().replace(' ', "-").to_lowercase()
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for page in ["README.md", ".github/SCREEN.md", ".github/CONTRIBUTING.md"] {
        let path = root.join(page);
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{page}: {link}");
            if !section.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                let found = headings
                    .any(|heading| anchor(heading.trim_start_matches('#').trim()) == section);
                assert!(found, "{page}: {link}");
            }
        }
    }
}
