//! Which module may use which.

use std::path::Path;

use shared::structure::{ModuleGraph, SYSTEM_PATHS, system_uses_outside};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");

/// What only these modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("tokio", &["client"]),
    ("std::net", &["client"]),
    ("std::time::SystemTime", &[]),
    ("std::time::Instant", &["client"]),
    ("std::fs", &["structure", "client::tls"]),
    ("rustls", &["client::tls"]),
    ("tokio_rustls", &["client::tls", "client::stream"]),
    ("rcgen", &["certificates"]),
    ("crate::client", &["client", ""]),
];

/// A module, and what it must not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    // Where a line ends does not depend on what it means.
    ("frame", &["crate::request", "crate::response", "crate::key", "crate::point"]),
    ("request", &["crate::response"]),
    ("response", &["crate::request", "crate::selector"]),
    ("selector", &["crate::request", "crate::response"]),
    ("pattern", &["crate::selector", "crate::request"]),
    ("duration", &["crate"]),
    ("limits", &["crate"]),
];

#[test]
fn there_are_no_circles() {
    let graph = ModuleGraph::read(LIBRARY).unwrap();
    assert!(graph.modules().count() > 10);
    assert_eq!(graph.cycles(), [""; 0]);
}

#[test]
fn forbidden_directions_are_not_taken() {
    let graph = ModuleGraph::read(LIBRARY).unwrap();
    for (path, modules) in CONFINED {
        assert_eq!(graph.uses_outside(modules, path), [""; 0], "{path} belongs to {modules:?}");
    }
    for (module, paths) in FORBIDDEN {
        assert!(graph.modules().any(|known| known == *module), "{module} is gone");
        for path in *paths {
            assert_eq!(graph.uses(module, path), [""; 0], "{module} must not use {path}");
        }
    }
}

#[test]
fn no_source_knows_the_operating_system() {
    assert_eq!(system_uses_outside(Path::new(CRATE), &[]).unwrap(), [""; 0]);
    let unneeded = system_uses_outside(Path::new(CRATE), &["src/structure"]).unwrap();
    assert_eq!(unneeded, ["src/structure: knows no system"]);
    let graph = ModuleGraph::read(LIBRARY).unwrap();
    for path in SYSTEM_PATHS {
        assert_eq!(graph.uses_outside(&[], path), [""; 0]);
    }
}
