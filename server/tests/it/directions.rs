//! Which module may use which.

use shared::structure::ModuleGraph;

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");

/// What a module that only decides and computes must not use.
const DECIDES: &[&str] = &[
    "crate::clock",
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
    ("shutdown", &["crate"]),
];

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("std::time::SystemTime", &["clock"]),
    ("std::time::UNIX_EPOCH", &["clock"]),
    ("tokio::net", &["net"]),
    ("std::fs", &["store::local::disk"]),
];

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
