//! Data directories of every released format are read, and FORMAT.md describes them to the byte.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::files::{copy_files, file_names, snapshot};
use crate::harness::process::ServerProcess;

mod make;

const FORMAT_MD: &str = include_str!("../../FORMAT.md");

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

#[test]
fn every_released_format_is_read() {
    let mut read = 0;
    for format in file_names(&data("")).iter().filter(|name| name.starts_with("format-")) {
        let format = data(format);
        for name in file_names(&format).iter().filter(|name| format.join(name).is_dir()) {
            let kept = format.join(name);
            let before = snapshot(&kept);
            let directory = tempfile::tempdir().unwrap();
            copy_files(&kept, directory.path());
            let expected = fs::read_to_string(kept.with_extension("txt")).unwrap();
            // As it was released, after `kill -9`, and after a clean shutdown.
            for end in [ServerProcess::kill, ServerProcess::kill, |program: ServerProcess| {
                drop(program.stop());
            }] {
                let mut program = ServerProcess::open(directory.path());
                assert_eq!(program.request("get *\n"), expected, "{}", kept.display());
                assert!(!program.log().contains("ERROR"), "{}", program.log());
                end(program);
            }
            let mut program = ServerProcess::open(directory.path());
            assert_eq!(program.request("get *\n"), expected, "{} as a part", kept.display());
            assert_eq!(snapshot(&kept), before);
            read += 1;
        }
    }
    assert!(read >= 11, "{read} directories");
}

/// Files that a crash left are reported and removed.
#[test]
fn leftovers_are_reported_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    copy_files(&data("format-1/crash"), directory.path());
    let mut program = ServerProcess::open(directory.path());
    program
        .wait_until_logged("log-000000000003 ends in 31 bytes at 130 of a write that was cut off");
    assert!(program.request("get *\n").starts_with("ok\n"));
    program.kill();
    let mut kept = file_names(&data("format-1/crash"));
    kept.retain(|name| !name.contains(".tmp") && !name.contains("log-"));
    kept.extend(
        ["CONTROL", "FILES", "FILES-COPY", "RESERVE", "log-000000000003", "log-000000000004"]
            .map(str::to_owned),
    );
    kept.sort();
    assert_eq!(file_names(directory.path()), kept);
}

/// Lines of an offset, two spaces and hexadecimal bytes; what follows two more spaces is prose.
fn bytes(block: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in block.lines() {
        let (offset, rest) = line.split_once("  ").expect("an offset");
        assert_eq!(usize::from_str_radix(offset, 16), Ok(bytes.len()), "{line}");
        let hex = rest.split("  ").next().unwrap_or_default();
        bytes.extend(hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("a byte")));
    }
    bytes
}

#[test]
fn the_examples_in_format_md_are_what_is_on_the_disk() {
    let blocks = FORMAT_MD.split("\n```hex ").skip(1);
    let mut checked = 0;
    for block in blocks {
        let (path, rest) = block.split_once('\n').unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert_eq!(bytes(block), fs::read(&path).unwrap(), "{}", path.display());
        checked += 1;
    }
    assert_eq!(checked, 5);
}
