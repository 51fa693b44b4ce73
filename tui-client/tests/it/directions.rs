//! Which module may use which.

use shared::structure::ModuleGraph;

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");

/// What draws, and what it draws.
const SCREEN: &[&str] = &["crate::app", "crate::view", "crate::terminal", "ratatui", "crossterm"];

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
            "crate::net",
            "crate::files",
            "crate::runtime",
            "crate::terminal",
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
        &["crate::runtime", "crate::terminal", "crate::net", "crate::files", "tokio", "crossterm"],
    ),
    ("net", &["crate::view", "crate::runtime", "ratatui", "crossterm"]),
    ("files", &["crate::view", "crate::runtime", "ratatui", "crossterm"]),
    ("terminal", &["crate::app", "crate::view", "crate::runtime"]),
];

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("tui_input", &["app::line_input::editor"]),
    ("std::time::SystemTime", &["clock"]),
    ("ratatui", &["view", "terminal"]),
    ("crossterm", &["terminal", "runtime", "theme_detect"]),
    ("crate::runtime", &[""]),
    ("crate::theme_detect", &[""]),
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
