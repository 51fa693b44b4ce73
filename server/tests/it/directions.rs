//! Which module may use which.

use std::path::Path;

use shared::structure::{ModuleGraph, SYSTEM_PATHS, system_uses_outside};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
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
        &[
            "crate::protocol::text",
            "crate::ingest",
            "crate::query",
            "crate::follow",
            "crate::store",
            "crate::clock",
        ],
    ),
    // A protocol knows no sockets, and reaches the store through `ingest`, `query` and `follow`.
    ("protocol", &["crate::net", "crate::shutdown", "tokio::net", "std::net", "std::fs"]),
    ("ingest", &["crate::net", "crate::protocol", "crate::query", "crate::follow", "tokio"]),
    ("query", &["crate::net", "crate::protocol", "crate::ingest", "crate::follow", "tokio"]),
    ("follow", &["crate::net", "crate::protocol", "crate::ingest", "tokio"]),
    (
        "store",
        &[
            "crate::net",
            "crate::protocol",
            "crate::ingest",
            "crate::query",
            "crate::follow",
            "tokio::net",
        ],
    ),
    // These decide and compute: no I/O, no locks, no clock.
    ("store::local::series::head", DECIDES),
    ("store::local::series::chunk", DECIDES),
    ("store::local::series::merge", DECIDES),
    ("store::local::series::retention", DECIDES),
    ("store::local::series::summary", DECIDES),
    ("store::local::wal::rotation", DECIDES),
    ("store::local::follow::watches", DECIDES),
    ("store::local::follow::series_set", DECIDES),
    ("store::local::follow::retired_keys", DECIDES),
    ("store::local::follow::snapshots", DECIDES),
    ("store::local::background::compaction_policy", DECIDES),
    ("clock", &["crate"]),
    ("memory", &["crate", "std::fs", "std::sync"]),
    ("os", &["crate::net", "crate::protocol", "crate::ingest", "crate::query", "crate::store"]),
    ("shutdown", &["crate"]),
    (
        "low_priority",
        &[
            "crate::net",
            "crate::protocol",
            "crate::ingest",
            "crate::query",
            "crate::follow",
            "crate::store",
        ],
    ),
];

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("std::time::SystemTime", &["clock"]),
    ("std::time::UNIX_EPOCH", &["clock"]),
    ("tokio::net", &["net"]),
    ("socket2", &["net", "os"]),
    ("rustls", &["net::tls"]),
    ("tokio_rustls", &["net::tls"]),
    ("x509_parser", &["net::tls::certificate"]),
    // `os` has the calls that differ, for the disk alone. Certificates are no data.
    ("std::fs", &["store::local::disk", "os", "net::tls::files"]),
    // Runs before `main`.
    ("ctor", &["os::unix::streams"]),
];

/// The files and directories that know the operating system: the room of the program, that of its
/// tests, what is compiled for some systems alone, the tests of the streams that Unix has, and how a
/// file's size on the disk is measured.
const KNOW_THE_SYSTEM: &[&str] = &[
    "src/os",
    "tests/it/harness/os",
    "tests/it/limits.rs",
    "tests/it/main.rs",
    "tests/it/streams.rs",
    "tests/it/tls.rs",
    "benches/load/process.rs",
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
    // A protocol names the store as the bound of its type only, and what it is told of points and
    // changes; `ingest`, `query` and `follow` call it.
    let mut uses = graph.uses("protocol", "crate::store");
    let names = ["Store", "Block", "Change", "FollowProgress"]
        .map(|name| format!(" uses crate::store::{name}"));
    uses.retain(|used| {
        let is_named = |name: &String| used.ends_with(name) || used.contains(&format!("{name}::"));
        !names.iter().any(is_named)
    });
    assert_eq!(uses, [""; 0], "protocol reaches the store through ingest, query and follow");
    for (path, modules) in CONFINED {
        assert_eq!(graph.uses_outside(modules, path), [""; 0], "{path} belongs to {modules:?}");
    }
}

#[test]
fn only_the_rooms_for_it_know_the_operating_system() {
    let outside = system_uses_outside(Path::new(CRATE), KNOW_THE_SYSTEM).unwrap();
    assert_eq!(outside, [""; 0], "what differs between systems belongs to {KNOW_THE_SYSTEM:?}");
    let inside = system_uses_outside(Path::new(CRATE), &[]).unwrap();
    assert!(inside.iter().any(|used| used.ends_with("os.rs: cfg unix")), "{inside:?}");
    for root in [LIBRARY, PROGRAM] {
        let graph = ModuleGraph::read(root).unwrap();
        for path in SYSTEM_PATHS {
            assert_eq!(graph.uses_outside(&["os"], path), [""; 0], "{path} belongs to os");
        }
    }
}
