//! Which module may use which.

use std::path::Path;

use shared::structure::{ModuleGraph, SYSTEM_PATHS, system_uses_outside};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
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
    ("session", SCREEN),
    ("settings", SCREEN),
    ("themes", SCREEN),
    // A file of it may come from anywhere: it is bytes in, bytes out.
    ("session", &["crate::system", "tokio", "std::fs", "std::net"]),
    ("settings", &["crate::system", "tokio", "std::fs", "std::net"]),
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
    ("toml", &["settings"]),
    ("std::time::SystemTime", &["clock"]),
    // Runs before `main`.
    ("ctor", &["system::os::unix::streams"]),
    ("ratatui", &["view", "system::terminal"]),
    ("crossterm", &["system::terminal", "system::os", "runtime", "system::theme_detect"]),
    ("crate::runtime", &[""]),
    ("crate::system::theme_detect", &[""]),
];

/// The files and directories that know the operating system: the room of the program, the tests of
/// what Unix alone has and what runs them, and the benchmarks, which measure there.
const KNOW_THE_SYSTEM: &[&str] = &[
    "src/system/os",
    "tests/it/main.rs",
    "tests/it/terminal",
    "tests/it/unix",
    "tests/it/harness.rs",
    "tests/it/harness/terminals",
    "tests/it/harness/os.rs",
    "benches/pty",
    "benches/views.rs",
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

#[test]
fn only_the_rooms_for_it_know_the_operating_system() {
    let outside = system_uses_outside(Path::new(CRATE), KNOW_THE_SYSTEM).unwrap();
    assert_eq!(outside, [""; 0], "what differs between systems belongs to {KNOW_THE_SYSTEM:?}");
    for root in [LIBRARY, PROGRAM] {
        let graph = ModuleGraph::read(root).unwrap();
        for path in SYSTEM_PATHS {
            assert_eq!(graph.uses_outside(&["system::os"], path), [""; 0], "{path} belongs to os");
        }
    }
}
