//! Which sources know an operating system: by a condition, or by what only some systems have.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::source::{self, Module, SourceToken};
use super::{MAX_IMPORT_STEPS, is_within};

/// What only some systems have or what says which one this is, with everything below it.
pub const SYSTEM_PATHS: &[&str] = &[
    "std::os",
    "core::os",
    "std::env::consts",
    "tokio::signal",
    "anstyle_query",
    "clipboard_win",
    "crossterm_winapi",
    "libc",
    "nix",
    "rustix",
    "winapi",
    "winconsole",
    "windows_sys",
];

/// Crates whose names are not imported bare or with a `*`, which would hide what is used.
const CRATES: &[&str] = &["std", "core", "tokio"];

/// What starts a condition.
const CONDITIONS: &[&str] = &["cfg", "cfg_attr", "cfg_select"];

/// What a condition asks for when it asks for a system.
const SYSTEMS: &[&str] =
    &["unix", "windows", "target_abi", "target_env", "target_family", "target_os", "target_vendor"];

/// What in a source, tests included, knows an operating system: conditions, as `cfg unix`, and
/// paths that are among [`SYSTEM_PATHS`] or below. Names are followed through the imports of the source
/// itself. Sorted, each once.
pub fn system_uses(text: &str) -> Vec<String> {
    let tokens = source::tokens(text);
    let mut found = conditions(&tokens);
    paths(&source::scan_tokens(&tokens, true), &mut found);
    found.sort();
    found.dedup();
    found
}

/// What knows an operating system in `src`, `tests` and `benches` of the crate in a directory, as
/// `FILE: USE`, apart from `allowed`: files such as `src/os.rs`, and `src/os` for that one and all in
/// the directory of this name. An entry of `allowed` that none needs is named, too.
///
/// # Errors
/// When a file can't be read.
pub fn system_uses_outside(directory: &Path, allowed: &[&str]) -> io::Result<Vec<String>> {
    let mut needed = vec![false; allowed.len()];
    let mut outside = Vec::new();
    let roots = ["src", "tests", "benches"].map(|root| directory.join(root));
    for file in files(roots.into_iter().filter(|root| root.is_dir()).collect())? {
        let name = file.strip_prefix(directory).unwrap_or(&file);
        let uses = system_uses(&fs::read_to_string(&file)?);
        let stem = name.with_extension("");
        let allows = |entry: &&str| name == Path::new(entry) || stem.starts_with(entry);
        match allowed.iter().position(allows) {
            Some(entry) => needed[entry] |= !uses.is_empty(),
            None => outside.extend(uses.iter().map(|used| format!("{}: {used}", name.display()))),
        }
    }
    let unneeded = allowed.iter().zip(needed).filter(|(_, needed)| !needed);
    outside.extend(unneeded.map(|(entry, _)| format!("{entry}: knows no system")));
    Ok(outside)
}

/// All sources below some directories.
fn files(mut directories: Vec<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn conditions(tokens: &[SourceToken]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let SourceToken::Word(start) = token else { continue };
        if !CONDITIONS.contains(&&**start) {
            continue;
        }
        let mut depth = 0;
        for token in tokens[at + 1..].iter().skip_while(|token| **token == SourceToken::Mark('!')) {
            match token {
                SourceToken::Mark('(' | '[' | '{') => depth += 1,
                SourceToken::Mark(')' | ']' | '}') => depth -= 1,
                SourceToken::Word(word) if depth > 0 && SYSTEMS.contains(&&**word) => {
                    found.push(format!("{start} {word}"));
                }
                _ => {}
            }
            if depth <= 0 {
                break;
            }
        }
    }
    found
}

fn paths(module: &Module, found: &mut Vec<String>) {
    for path in &module.paths {
        let mut path = path.clone();
        for _ in 0..MAX_IMPORT_STEPS {
            match path.first().and_then(|first| module.imports.get(first)) {
                Some(import) if !path.starts_with(import) => {
                    path.splice(..1, import.iter().cloned());
                }
                _ => break,
            }
        }
        let name = path.join("::");
        if CRATES.contains(&&*name) || SYSTEM_PATHS.iter().any(|system| is_within(&name, system)) {
            found.push(name);
        }
    }
    for child in module.children.values().flatten() {
        paths(child, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_knows_an_operating_system_is_found() {
        for (text, expected) in [
            ("#[cfg(unix)] mod a;", "cfg unix"),
            ("#![cfg(windows)]", "cfg windows"),
            ("#[cfg(\n    unix\n)]\nmod a;", "cfg unix"),
            ("#[cfg(any(\n    test,\n    all(not(miri), unix, feature = \"a\"),\n))]", "cfg unix"),
            ("#[cfg(all(test, not(windows)))]", "cfg windows"),
            ("#[cfg_attr(\n    windows,\n    path = \"a.rs\"\n)]", "cfg_attr windows"),
            ("#[cfg_attr(test, cfg(target_family = \"wasm\"))]", "cfg_attr target_family"),
            ("if cfg!(\n    target_os = \"linux\"\n) {}", "cfg target_os"),
            ("if cfg ! [target_env = \"gnu\"] {}", "cfg target_env"),
            ("const A: bool = cfg!(target_vendor = \"apple\");", "cfg target_vendor"),
            ("cfg_select! { test => {} windows => { f() } _ => {} }", "cfg_select windows"),
            ("cfg_if! { if #[cfg(unix)] {} }", "cfg unix"),
            ("f(\"http://a\"); #[cfg(unix)] g()", "cfg unix"),
            ("/* a // b */ #[cfg(/* \n */ unix)] g()", "cfg unix"),
            (r##"r#"""//"#; '"'; '\''; #[cfg(unix)] g()"##, "cfg unix"),
            ("#[cfg(test)] mod tests { #[cfg(unix)] fn f() {} }", "cfg unix"),
            ("use std::{fs, os::fd::AsFd};", "std::os::fd::AsFd"),
            ("use std::os as o; o::fd::f();", "std::os"),
            ("use ::std::{\n    io,\n    os,\n};", "std::os"),
            ("use tokio::{net, signal::unix};", "tokio::signal::unix"),
            ("fn f() { std::os::unix::fs::symlink(a, b) }", "std::os::unix::fs::symlink"),
            ("#[cfg(test)] mod tests { use std::os::fd; }", "std::os::fd"),
            ("if std::env::consts::OS == \"linux\" {}", "std::env::consts::OS"),
            ("use std::env; f(env::consts::FAMILY)", "std::env::consts::FAMILY"),
            ("use std::env as e; use e::consts as c; f(c::OS)", "std::env::consts::OS"),
            ("use std as s; s::os::fd::f()", "std"),
            ("use std::*;", "std"),
            ("rustix::io::Errno::IO", "rustix::io::Errno::IO"),
            ("fn f() { nix::unistd::getpid() }", "nix::unistd::getpid"),
        ] {
            let found = system_uses(text);
            assert!(found.iter().any(|used| used == expected), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_knows_no_operating_system_is_not_found() {
        for text in [
            "#[cfg(test)] mod windows;",
            "#[cfg(feature = \"unix\")] mod a;",
            "#[cfg(target_pointer_width = \"64\")] mod a;",
            "// as with cfg(unix)\n/// use std::os::fd;\n/* #[cfg(unix)] /* */ */ fn f() {}",
            "let a = \"#[cfg(unix)] std::os::fd\"; let b = r#\"cfg!(\"windows\")\"#;",
            "let windows = a.windows(3); let unix = cfg; f(unix);",
            "use crate::os::f; use std::{env, io}; env::args(); env!(\"OS\");",
            "use tokio::net; let signal = 3;",
        ] {
            assert_eq!(system_uses(text), [""; 0], "{text}");
        }
    }
}
