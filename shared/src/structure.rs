//! The modules of a crate and what they use, read from its sources, so that import directions are
//! a test of every crate.
//!
//! ```no_run
//! let graph = shared::structure::ModuleGraph::read("src/lib.rs")?;
//! assert_eq!(graph.cycles(), [""; 0]);
//! assert_eq!(graph.uses("protocol", "crate::net"), [""; 0]);
//! assert_eq!(graph.uses_outside(&["clock"], "std::time::SystemTime"), [""; 0]);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Modules are named by their path in the crate, such as `net::listener`; the root is empty.
//! Test code (`#[cfg(test)]`) does not count.

mod source;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use source::Module;
pub use system::{SYSTEM_PATHS, system_uses, system_uses_outside};

/// Names that lead to other names, at most; more is a circle of imports.
const MAX_IMPORT_STEPS: usize = 16;

/// The modules of a crate and the paths that each of them uses.
#[derive(Debug, Default)]
pub struct ModuleGraph {
    modules: BTreeMap<String, Node>,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    paths: Vec<Vec<String>>,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// To a module of this crate, or to an item in it.
    Module { module: String, item: Vec<String> },
    /// To another crate.
    External(Vec<String>),
}

impl ModuleGraph {
    /// Reads a crate from its root file, such as `src/lib.rs`.
    ///
    /// # Errors
    /// When a file of it can't be read.
    pub fn read(root: impl AsRef<Path>) -> io::Result<Self> {
        Self::read_with(root.as_ref(), &|path| std::fs::read_to_string(path))
    }

    fn read_with(root: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> io::Result<Self> {
        let mut graph = Self::default();
        let directory = root.parent().unwrap_or(Path::new("")).to_owned();
        graph.add(String::new(), source::scan(&read(root)?), &directory, read)?;
        Ok(graph)
    }

    /// Adds a module whose children have their files in `directory`.
    fn add(
        &mut self,
        name: String,
        module: Module,
        directory: &Path,
        read: &dyn Fn(&Path) -> io::Result<String>,
    ) -> io::Result<()> {
        let Module { children, imports, paths } = module;
        let node = Node { children: children.keys().cloned().collect(), imports, paths };
        for (child, inline) in children {
            let below = directory.join(&child);
            let child_module = match inline {
                Some(module) => module,
                None => source::scan(&read_child(directory, &child, read)?),
            };
            self.add(join(&name, &child), child_module, &below, read)?;
        }
        self.modules.insert(name, node);
        Ok(())
    }

    /// The names of all modules.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Circles among the modules of one parent, each with everything below it: `a → b → a`.
    ///
    /// Between a module and its own child both directions are allowed: it owns the child and may
    /// re-export from it, and the child may use what its parent defines.
    pub fn cycles(&self) -> Vec<String> {
        let mut edges: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for module in self.modules() {
            for target in self.targets(module) {
                let Target::Module { module: used, .. } = target else { continue };
                if let Some((from, to)) = siblings(module, &used) {
                    edges
                        .entry(from)
                        .or_default()
                        .entry(to)
                        .or_insert(format!("{module} uses {used}"));
                }
            }
        }
        let mut found = Vec::new();
        for (from, next) in &edges {
            for to in next.keys().filter(|to| *to > from) {
                if let Some(back) = shortest_path(&edges, to, from) {
                    let mut circle = vec![from.clone()];
                    circle.extend(back);
                    if circle.iter().any(|module| module < from) {
                        // Found from there.
                        continue;
                    }
                    let steps: Vec<_> = circle
                        .windows(2)
                        .filter_map(|step| edges.get(&step[0])?.get(&step[1]).cloned())
                        .collect();
                    found.push(format!("{} ({})", circle.join(" → "), steps.join(", ")));
                }
            }
        }
        found
    }

    /// Uses of `path` in `module` and below it. A path names a module or an item of this crate
    /// (`crate::net`) or of another one (`tokio::net`), with everything below it.
    pub fn uses(&self, module: &str, path: &str) -> Vec<String> {
        self.uses_where(path, |user| is_within(user, module))
    }

    /// Uses of `path` in modules that are not among `allowed` and not below them. An empty name
    /// among them allows the root alone.
    pub fn uses_outside(&self, allowed: &[&str], path: &str) -> Vec<String> {
        let allows = |user: &str, module: &str| {
            if module.is_empty() { user.is_empty() } else { is_within(user, module) }
        };
        self.uses_where(path, |user| !allowed.iter().any(|module| allows(user, module)))
    }

    fn uses_where(&self, path: &str, counts: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = BTreeSet::new();
        for module in self.modules().filter(|module| counts(module)) {
            for target in self.targets(module) {
                let used = target.to_string();
                if is_within(&used, path) {
                    let module = if module.is_empty() { "the root" } else { module };
                    found.insert(format!("{module} uses {used}"));
                }
            }
        }
        found.into_iter().collect()
    }

    fn targets(&self, module: &str) -> impl Iterator<Item = Target> {
        let paths = self.modules.get(module).map_or(&[][..], |node| &node.paths);
        paths.iter().map(|path| self.resolve(module, path, MAX_IMPORT_STEPS))
    }

    /// Where `path` leads from `module`, through its imports and re-exports.
    fn resolve(&self, module: &str, path: &[String], steps: usize) -> Target {
        let (mut at, mut rest) = (module.to_owned(), path);
        match path.first().map(String::as_str) {
            Some("crate") => (at, rest) = (String::new(), &path[1..]),
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|word| word == "super") {
                    at.truncate(parent(&at).len());
                    rest = &rest[1..];
                }
            }
            Some(first) => {
                let node = self.modules.get(module);
                let is_local = node.is_some_and(|node| {
                    node.children.contains(first)
                        || node.imports.get(first).is_some_and(|import| import != path)
                });
                if !is_local {
                    return Target::External(path.to_vec());
                }
            }
            None => {}
        }
        while let Some((first, after)) = rest.split_first() {
            let Some(node) = self.modules.get(&at) else { break };
            if node.children.contains(first) {
                at = join(&at, first);
                rest = after;
                continue;
            }
            match node.imports.get(first) {
                Some(import) if steps > 0 && import != path => {
                    let path = [import, after].concat();
                    return self.resolve(&at, &path, steps - 1);
                }
                _ => break,
            }
        }
        Target::Module { module: at, item: rest.to_vec() }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::External(path) => f.write_str(&path.join("::")),
            Self::Module { module, item } => {
                f.write_str("crate")?;
                let words = module.split("::").filter(|word| !word.is_empty());
                words
                    .chain(item.iter().map(String::as_str))
                    .try_for_each(|word| write!(f, "::{word}"))
            }
        }
    }
}

fn read_child(
    directory: &Path,
    name: &str,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> io::Result<String> {
    let file: PathBuf = directory.join(format!("{name}.rs"));
    read(&file).or_else(|error| read(&directory.join(name).join("mod.rs")).map_err(|_| error))
}

fn join(module: &str, child: &str) -> String {
    if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Whether `path` is `root` or below it.
fn is_within(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    root.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The two children of the nearest common parent that `from` and `to` belong to; none when one is
/// an ancestor of the other.
fn siblings(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to): (Vec<_>, Vec<_>) = (from.split("::").collect(), to.split("::").collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if common == from.len() || common == to.len() || from == [""] || to == [""] {
        return None;
    }
    Some((from[..=common].join("::"), to[..=common].join("::")))
}

/// The modules from `from` to `to`, both included.
fn shortest_path<T>(
    edges: &BTreeMap<String, BTreeMap<String, T>>,
    from: &str,
    to: &str,
) -> Option<Vec<String>> {
    let mut paths = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            let last = path.last()?;
            if last == to {
                return Some(path);
            }
            for next in edges.get(last).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next.clone()) {
                    longer.push([path.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        paths = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate made up of files.
    fn graph(files: &[(&str, &str)]) -> ModuleGraph {
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned()).ok_or(io::ErrorKind::NotFound.into())
        };
        ModuleGraph::read_with(Path::new("lib.rs"), &read).unwrap()
    }

    #[test]
    fn modules_are_found_in_files_of_both_layouts_and_inline() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod b; mod c { mod d; }"),
            ("a.rs", "mod x;"),
            ("a/x.rs", ""),
            ("b/mod.rs", "mod y;"),
            ("b/y.rs", ""),
            ("c/d.rs", ""),
        ]);
        assert_eq!(
            graph.modules().collect::<Vec<_>>(),
            ["", "a", "a::x", "b", "b::y", "c", "c::d"]
        );
        let missing = ModuleGraph::read_with(Path::new("lib.rs"), &|path| {
            if path == Path::new("lib.rs") {
                Ok("mod a;".to_owned())
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        });
        assert!(missing.is_err());
    }

    #[test]
    fn a_circle_is_found() {
        for files in [
            // Directly, also from below and by a path without `use`.
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use super::a::A;"),
            ][..],
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "mod x;"),
                ("a/x.rs", "use crate::b::B;"),
                ("b.rs", "fn f() { crate::a::f() }"),
            ],
            // Through a third module.
            &[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", "use crate::b;"),
                ("b.rs", "use crate::c::C;"),
                ("c.rs", "use crate::a::A;"),
            ],
            // Among the children of one module.
            &[
                ("lib.rs", "mod p;"),
                ("p.rs", "mod a; mod b;"),
                ("p/a.rs", "use super::b::B;"),
                ("p/b.rs", "use super::a::A;"),
            ],
            // Through a re-export of the parent.
            &[
                ("lib.rs", "mod p;"),
                ("p.rs", "mod a; mod b; pub use b::B;"),
                ("p/a.rs", "use super::B;"),
                ("p/b.rs", "use crate::p::a::A;"),
            ],
            // Through a module that was imported.
            &[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", "use crate::{b, c}; fn f() { b::f() }"),
                ("b.rs", "use super::*; fn f() { crate::a::f() }"),
                ("c.rs", ""),
            ],
        ] {
            let cycles = graph(files).cycles();
            assert_eq!(cycles.len(), 1, "{files:?}: {cycles:?}");
        }
        let named = graph(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::a::A;"),
        ]);
        assert_eq!(named.cycles(), ["a → b → a (a uses b, b uses a)"]);
    }

    #[test]
    fn what_is_no_circle_is_not_found() {
        for files in [
            &[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "")][..],
            // A module and its own child.
            &[
                ("lib.rs", "mod a; pub use a::A;"),
                ("a.rs", "mod x; pub use x::X; struct A(x::Y);"),
                ("a/x.rs", "use super::A;"),
            ],
            // In tests.
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
            ],
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "#[cfg(test)] mod tests;"),
            ],
            // Names of other crates.
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use ::a::A; use std::a;"),
            ],
        ] {
            assert_eq!(graph(files).cycles(), [""; 0], "{files:?}");
        }
    }

    #[test]
    fn uses_are_found_by_module_and_path() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod b; use std::fs;"),
            ("a.rs", "mod x; use tokio::{io, net::TcpStream};"),
            ("a/x.rs", "use crate::b::{self, inner::B}; fn f() { std::fs::read(b::f()) }"),
            ("b.rs", "mod inner; pub use inner::Deep; use std::io;"),
            ("b/inner.rs", "use std::netting;"),
        ]);
        for (module, path, expected) in [
            ("a", "tokio::net", &["a uses tokio::net::TcpStream"][..]),
            ("a", "tokio", &["a uses tokio::io", "a uses tokio::net::TcpStream"]),
            (
                "a",
                "crate::b",
                &["a::x uses crate::b", "a::x uses crate::b::f", "a::x uses crate::b::inner::B"],
            ),
            ("a", "crate::b::inner", &["a::x uses crate::b::inner::B"]),
            ("b", "std::net", &[]),
            ("b", "tokio", &[]),
        ] {
            assert_eq!(graph.uses(module, path), expected, "{path} in {module}");
        }
        assert_eq!(graph.uses_outside(&["a"], "std::fs"), ["the root uses std::fs"]);
        assert_eq!(graph.uses_outside(&[""], "std::fs"), ["a::x uses std::fs::read"]);
        assert_eq!(
            graph.uses_outside(&["b"], "std::fs"),
            ["a::x uses std::fs::read", "the root uses std::fs"]
        );
    }
}
