//! How much memory this process may take.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, getrlimit};

use crate::os::MemoryLimit;

/// A limit of a control group of version 1 that is none: the largest page-aligned number.
const NO_LIMIT: u64 = 1 << 62;

/// How many heaps the allocator of glibc has. Each keeps 64 MiB of the address space for itself, and
/// there is one for each of the first threads, up to eight a processor.
const MAX_HEAPS: &str = "MALLOC_ARENA_MAX";

/// Address space from which on the heaps of all threads fit.
const AMPLE_ADDRESS_SPACE: u64 = 8 << 30;

/// The least of what the control group, `ulimit -v` and the machine allow; `None` where none of
/// them is known.
pub fn memory_limit() -> Option<MemoryLimit> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let proc = |name: &str| read(&Path::new("/proc").join(name)).unwrap_or_default();
    let groups = control_group_limit(&proc("self/cgroup"), &proc("self/mountinfo"), read);
    let machine = total_memory(&proc("meminfo"));
    let limits = [
        (groups, "the control group"),
        (address_space_limit(), "ulimit -v"),
        (machine, "the memory of the machine"),
    ];
    let known = limits.into_iter().filter_map(|(bytes, source)| Some((bytes?, source)));
    known.min_by_key(|(bytes, _)| *bytes).map(|(bytes, source)| MemoryLimit { bytes, source })
}

/// Starts this program anew, once, with one heap for all threads when its address space is limited.
/// Returns when there is no need, or when that fails.
pub fn fit_into_address_space() {
    let is_small = address_space_limit().is_some_and(|limit| limit < AMPLE_ADDRESS_SPACE);
    if !is_small || !cfg!(target_env = "gnu") || std::env::var_os(MAX_HEAPS).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from(&program));
    // Without this process would only have less room.
    let _ = Command::new(program).arg0(name).args(arguments).env(MAX_HEAPS, "1").exec();
}

fn address_space_limit() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The least limit of the control groups that a process is in. `cgroup` and `mountinfo` are what
/// `/proc/self` says of them, `read` reads a file.
fn control_group_limit(
    cgroup: &str,
    mountinfo: &str,
    read: impl Fn(&Path) -> Option<String>,
) -> Option<u64> {
    let mut least = None;
    for mount in mountinfo.lines() {
        let Some((place, kind)) = mount.split_once(" - ") else { continue };
        let place: Vec<_> = place.split(' ').collect();
        let (Some(root), Some(mount_point)) = (place.get(3), place.get(4)) else { continue };
        let kind: Vec<_> = kind.split(' ').collect();
        let (controllers, file) = match kind[..] {
            ["cgroup2", ..] => ("", "memory.max"),
            ["cgroup", _, options] if options.split(',').any(|option| option == "memory") => {
                ("memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = cgroup.lines().find_map(|line| {
            let (_, line) = line.split_once(':')?;
            let (names, group) = line.split_once(':')?;
            names.split(',').any(|name| name == controllers).then_some(group)
        });
        // A container sees its own group as the root of what is mounted.
        let group = group.unwrap_or_default();
        let group = Path::new(group.strip_prefix(root).unwrap_or(group).trim_start_matches('/'));
        let above =
            group.ancestors().map(|group| PathBuf::from(mount_point).join(group).join(file));
        let limits = above.filter_map(|path| read(&path)?.trim().parse::<u64>().ok());
        least = limits.filter(|&limit| limit < NO_LIMIT).chain(least).min();
    }
    least
}

/// The memory of the machine in bytes, as `/proc/meminfo` says it.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
23 0 254:0 / / rw - ext4 /dev/vda rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    fn limit(cgroup: &str, mounts: &str, files: &[(&str, &str)]) -> Option<u64> {
        control_group_limit(cgroup, mounts, |path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let groups = "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/c/d\n";
        let (one, two) = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified");
        for (files, expected) in [
            (vec![], None),
            (vec![(format!("{one}/a/b/memory.limit_in_bytes"), "9223372036854771712\n")], None),
            (vec![(format!("{one}/a/b/memory.limit_in_bytes"), "536870912\n")], Some(512 << 20)),
            // Of the groups above it, and of the other version.
            (
                vec![
                    (format!("{one}/a/b/memory.limit_in_bytes"), "9223372036854771712\n"),
                    (format!("{one}/a/memory.limit_in_bytes"), "2000\n"),
                    (format!("{two}/c/d/memory.max"), "max\n"),
                    (format!("{two}/memory.max"), "3000\n"),
                ],
                Some(2000),
            ),
            (vec![(format!("{two}/c/d/memory.max"), "1000\n")], Some(1000)),
            (vec![("/sys/fs/cgroup/cpu/memory.max".to_owned(), "1000\n")], None),
        ] {
            let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            assert_eq!(limit(groups, MOUNTS, &files), expected, "{files:?}");
        }
    }

    #[test]
    fn a_container_sees_its_own_group() {
        let mounts = "30 20 0:26 /docker/12 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        let files = [("/sys/fs/cgroup/memory.max", "1000\n")];
        assert_eq!(limit("0::/docker/12\n", mounts, &files), Some(1000));
        // With a namespace, or without any word of its group.
        assert_eq!(limit("0::/\n", &mounts.replace("/docker/12", "/"), &files), Some(1000));
        assert_eq!(limit("", mounts, &files), Some(1000));
    }

    #[test]
    fn the_memory_of_a_machine_is_read() {
        assert_eq!(
            total_memory("MemTotal:       24683520 kB\nMemFree: 1 kB\n"),
            Some(25_275_924_480)
        );
        assert_eq!(total_memory("MemFree: 1 kB\n"), None);
    }
}
