//! Tells the code what it is built from and for: `BUILD_COMMIT` and `BUILD_TARGET`.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BUILD_COMMIT");
    let variable = |name| env::var(name).unwrap_or_default();
    let commit = match (env::var("BUILD_COMMIT"), variable("PROFILE").as_str()) {
        (Ok(given), _) => format!("commit {given}"),
        // Of the last commit, whatever was changed since.
        (Err(_), "release") => match git(&["rev-parse", "--short=12", "HEAD"]) {
            Some(commit) => {
                watch_head();
                format!("commit {commit}")
            }
            None => "unknown commit".to_owned(),
        },
        // Not asked for, so that a commit alone is no reason to build everything again.
        (Err(_), _) => "debug build".to_owned(),
    };
    println!("cargo:rustc-env=BUILD_COMMIT={commit}");
    println!("cargo:rustc-env=BUILD_TARGET={}", variable("TARGET"));
}

/// Builds again after a commit. A file that is not there would mean to build each time.
fn watch_head() {
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    if let Some(log) = log.filter(|log| Path::new(log).exists()) {
        println!("cargo:rerun-if-changed={log}");
    }
}

/// The first line that git prints, if it is there and knows this directory.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.lines().next().map(str::to_owned)
}
