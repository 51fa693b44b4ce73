//! Which module may use which.

use std::path::Path;

use shared::structure::ModuleGraph;

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");

/// What draws, and what it draws.
const SCREEN: &[&str] =
    &["crate::app", "crate::view", "crate::system::terminal", "ratatui", "crossterm"];

/// A module, and what it must not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    // The domain knows no screen.
    ("metrics", SCREEN),
    ("request", SCREEN),
    ("text", SCREEN),
    ("import", SCREEN),
    ("wire_log", SCREEN),
    ("plain", SCREEN),
    // The application decides: what it wants done is data, and time comes with the events.
    (
        "app",
        &[
            "crate::view",
            "crate::system::net",
            "crate::system::files",
            "crate::runtime",
            "crate::system::terminal",
            "crate::system::os",
            "crate::cli",
            "tokio",
            "crossterm",
            "ratatui",
            "std::fs",
            "std::time::SystemTime",
            "std::time::Instant",
        ],
    ),
    (
        "view",
        &[
            "crate::runtime",
            "crate::system::terminal",
            "crate::system::net",
            "crate::system::files",
            "tokio",
            "crossterm",
        ],
    ),
    ("system::net", &["crate::view", "crate::runtime", "ratatui", "crossterm"]),
    ("system::files", &["crate::view", "crate::runtime", "ratatui", "crossterm"]),
    ("system::terminal", &["crate::app", "crate::view", "crate::runtime"]),
    (
        "system::os",
        &[
            "crate::app",
            "crate::view",
            "crate::runtime",
            "crate::plain",
            "crate::cli",
            "crate::system::terminal",
            "crate::system::files",
            "ratatui",
        ],
    ),
];

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("tui_input", &["app::line_input::editor"]),
    ("std::time::SystemTime", &["clock"]),
    ("ratatui", &["view", "system::terminal"]),
    ("crossterm", &["system::terminal", "system::os", "runtime", "system::theme_detect"]),
    ("rustix", &["system::os"]),
    ("std::os", &["system::os"]),
    ("tokio::signal", &["system::os"]),
    ("crossterm_winapi", &["system::os"]),
    ("clipboard_win", &["system::os"]),
    ("crate::runtime", &[""]),
    ("crate::system::theme_detect", &[""]),
];

/// What these modules use of this crate, and nothing else.
const ONLY: &[(&str, &[&str])] = &[("keymap", &["crate::event"])];

#[test]
fn there_are_no_circles() {
    for root in [LIBRARY, PROGRAM] {
        let graph = ModuleGraph::read(root).unwrap();
        assert_eq!(graph.cycles(), [""; 0], "{root}");
    }
}

#[test]
fn forbidden_directions_are_not_taken() {
    let graph = ModuleGraph::read(LIBRARY).unwrap();
    assert!(graph.modules().count() > 50, "{LIBRARY} is read");
    for (module, paths) in FORBIDDEN {
        assert!(graph.modules().any(|known| known == *module), "{module} is gone");
        for path in *paths {
            assert_eq!(graph.uses(module, path), [""; 0], "{module} must not use {path}");
        }
    }
    for (path, modules) in CONFINED {
        assert_eq!(graph.uses_outside(modules, path), [""; 0], "{path} belongs to {modules:?}");
    }
    for (module, paths) in ONLY {
        let own = format!("crate::{module}");
        let mut uses = graph.uses(module, "crate");
        uses.retain(|used| {
            let target = used.rsplit_once(" uses ").unwrap().1;
            !paths.iter().chain([&&*own]).any(|path| target.starts_with(path))
        });
        assert_eq!(uses, [""; 0], "{module} uses only {paths:?}");
    }
}

/// The room for what differs between operating systems.
const OS: &str = "system/os";

/// The places in a source that ask for the operating system.
fn os_conditions(source: &str) -> Vec<&str> {
    let words = ["unix", "windows", "target_os", "target_family", "target_env"];
    let asks = |line: &&str| {
        let condition = ["cfg(", "cfg!(", "cfg_attr("].iter().find_map(|at| line.split_once(at));
        condition.is_some_and(|(_, rest)| words.iter().any(|word| rest.contains(word)))
    };
    source.lines().map(str::trim).filter(|line| !line.starts_with("//")).filter(asks).collect()
}

#[test]
fn one_room_knows_the_operating_system() {
    assert_eq!(os_conditions("#[cfg(unix)]\nmod unix;\n// cfg(unix)\nfn f() {}"), ["#[cfg(unix)]"]);
    assert_eq!(os_conditions("if cfg!(any(test, target_os = \"macos\")) {").len(), 1);
    assert_eq!(os_conditions("#[cfg(test)]\nmod windows_of_time;"), [""; 0]);
    let sources = Path::new(LIBRARY).parent().unwrap();
    let (mut directories, mut conditions, mut read) = (vec![sources.to_owned()], 0, 0);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let found = os_conditions(&text);
            let name = path.strip_prefix(sources).unwrap();
            read += 1;
            if name.with_extension("") == Path::new(OS) {
                conditions = found.len();
            } else {
                assert_eq!(found, [""; 0], "{}", name.display());
            }
        }
    }
    assert!(read > 50 && conditions >= 4, "{read} sources are read, with {conditions} conditions");
}
