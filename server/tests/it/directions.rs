//! Which module may use which.

use std::fs;
use std::path::{Path, PathBuf};

use shared::structure::ModuleGraph;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");

/// What a module that only decides and computes must not use.
const DECIDES: &[&str] = &[
    "crate::clock",
    "crate::os",
    "crate::store::local::disk",
    "crate::store::local::state",
    "crate::store::local::part",
    "rustix",
    "std::fs",
    "std::io",
    "std::sync",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];

/// A module, and what it must not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    // A listener and a connection know no protocol; the store is out of their reach.
    (
        "net",
        &["crate::protocol::text", "crate::ingest", "crate::query", "crate::store", "crate::clock"],
    ),
    // A protocol knows no sockets, and reaches the store through `ingest` and `query`.
    ("protocol", &["crate::net", "crate::shutdown", "tokio::net", "std::net", "std::fs"]),
    ("ingest", &["crate::net", "crate::protocol", "crate::query", "tokio"]),
    ("query", &["crate::net", "crate::protocol", "crate::ingest", "tokio"]),
    ("store", &["crate::net", "crate::protocol", "crate::ingest", "crate::query", "tokio::net"]),
    // These decide and compute: no I/O, no locks, no clock.
    ("store::local::series::head", DECIDES),
    ("store::local::series::chunk", DECIDES),
    ("store::local::series::merge", DECIDES),
    ("store::local::series::retention", DECIDES),
    ("store::local::wal::rotation", DECIDES),
    ("store::local::background::compaction_policy", DECIDES),
    ("clock", &["crate"]),
    ("os", &["crate::net", "crate::protocol", "crate::ingest", "crate::query", "crate::store"]),
    ("shutdown", &["crate"]),
];

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("std::time::SystemTime", &["clock"]),
    ("std::time::UNIX_EPOCH", &["clock"]),
    ("tokio::net", &["net"]),
    // `os` has the calls that differ, for the disk alone.
    ("std::fs", &["store::local::disk", "os"]),
];

/// What a text of one operating system names.
const OF_ONE_SYSTEM: &[&str] = &[
    "std::os::",
    "rustix",
    "libc",
    "nix::",
    "tokio::signal",
    "windows_sys",
    "winapi",
    "winconsole",
    "anstyle_query",
];

/// The conditions that ask for an operating system.
const SYSTEMS: &[&str] = &["unix", "windows", "target_os", "target_family", "target_env"];

#[test]
fn there_are_no_circles() {
    for root in [LIBRARY, PROGRAM] {
        let graph = ModuleGraph::read(root).unwrap();
        assert!(graph.modules().count() > 3, "{root} is read");
        assert_eq!(graph.cycles(), [""; 0], "{root}");
    }
}

#[test]
fn forbidden_directions_are_not_taken() {
    let graph = ModuleGraph::read(LIBRARY).unwrap();
    for (module, paths) in FORBIDDEN {
        assert!(graph.modules().any(|known| known == *module), "{module} is gone");
        for path in *paths {
            let own = format!("crate::{module}");
            let mut uses = graph.uses(module, path);
            uses.retain(|used| !used.contains(&format!(" uses {own}")));
            assert_eq!(uses, [""; 0], "{module} must not use {path}");
        }
    }
    // A protocol names the store as the bound of its type only; `ingest` and `query` call it.
    let mut uses = graph.uses("protocol", "crate::store");
    uses.retain(|used| !used.ends_with(" uses crate::store::Store"));
    assert_eq!(uses, [""; 0], "protocol reaches the store through ingest and query");
    for (path, modules) in CONFINED {
        assert_eq!(graph.uses_outside(modules, path), [""; 0], "{path} belongs to {modules:?}");
    }
}

/// The lines of a source file, comments apart, that know an operating system.
fn lines_of_one_system(text: &str) -> Vec<&str> {
    let knows = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        let words: Vec<_> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let is_condition = ["cfg", "cfg_attr"].iter().any(|word| words.contains(word));
        OF_ONE_SYSTEM.iter().any(|name| code.contains(name))
            || is_condition && SYSTEMS.iter().any(|word| words.contains(word))
    };
    text.lines().filter(knows).collect()
}

/// All sources below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn only_the_rooms_for_it_know_the_operating_system() {
    let rooms = [
        ["src", "os.rs"].iter().collect::<PathBuf>(),
        ["src", "os"].iter().collect(),
        ["tests", "it", "main.rs"].iter().collect(),
        ["tests", "it", "directions.rs"].iter().collect(),
        ["tests", "it", "harness", "os.rs"].iter().collect(),
        ["tests", "it", "harness", "os"].iter().collect(),
    ];
    let root = Path::new(SOURCES).parent().unwrap();
    let (mut outside, mut inside) = (Vec::new(), 0);
    for path in [SOURCES, TESTS].iter().flat_map(|directory| sources(Path::new(directory))) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = lines_of_one_system(&text);
        if rooms.iter().any(|room| path.starts_with(root.join(room))) {
            inside += lines.len();
        } else {
            outside.extend(lines.iter().map(|line| format!("{}: {line}", path.display())));
        }
    }
    assert_eq!(outside, [""; 0], "what differs between operating systems belongs to {rooms:?}");
    assert!(inside > 20, "only {inside} lines were found in {rooms:?}");
}

#[test]
fn a_line_that_knows_the_operating_system_is_found() {
    for line in [
        "#[cfg(unix)]",
        "    #[cfg(all(test, not(windows)))]",
        "if cfg!(target_os = \"linux\") {",
        "#[cfg_attr(windows, path = \"a.rs\")]",
        "use std::os::fd::OwnedFd;",
        "rustix::io::Errno::IO",
    ] {
        assert_eq!(lines_of_one_system(line), [line]);
    }
    for line in ["#[cfg(test)]", "// as with cfg(unix)", "let windows = 3;", "use crate::os;"] {
        assert_eq!(lines_of_one_system(line), [""; 0]);
    }
}
