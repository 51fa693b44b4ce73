//! The files that a backup copies.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::store::local::disk::{Disk, check_readable, is_of_one_file};
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::FileName;
use crate::store::local::recovery::open_error::{OpenError, io};

/// The parts and segments of a store, none of which grows or is removed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFiles {
    /// Their names.
    pub names: Vec<String>,
    /// Which files the copy is to have; `None` for what the file FILES says.
    pub list: Option<FileList>,
}

impl SourceFiles {
    /// The files of a directory that no server uses.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be read.
    pub fn of_stopped(disk: &dyn Disk) -> Result<Self, OpenError> {
        let mut names = disk.list().map_err(io("it can't be read"))?;
        names.retain(|name| is_of_store(name) && is_file(disk, name));
        names.sort_unstable();
        Ok(Self { names, list: None })
    }

    /// As a server tells it: a line for each name, an empty line, and the list.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for name in &self.names {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{name}");
        }
        text.push('\n');
        text.push_str(&self.list.as_ref().map(FileList::encode).unwrap_or_default());
        text
    }

    /// What a server told; `None` when it is something else.
    pub fn decode(text: &str) -> Option<Self> {
        // Without any name the empty line comes first.
        let (names, list) =
            text.split_once("\n\n").or_else(|| Some(("", text.strip_prefix('\n')?)))?;
        let names: Vec<_> = names.lines().map(str::to_owned).collect();
        let list = FileList::decode(list.as_bytes())?;
        names.iter().all(|name| is_of_store(name)).then_some(Self { names, list: Some(list) })
    }

    /// How many parts are missing although they are to be there.
    pub fn missing(&self) -> u64 {
        let names: BTreeSet<_> = self.names.iter().map(String::as_str).collect();
        let parts = self.list.iter().flat_map(|list| &list.parts);
        let parts = parts.map(|(segments, _)| FileName::Part(segments.clone()).to_string());
        parts.filter(|part| !names.contains(part.as_str())).count() as u64
    }
}

fn is_of_store(name: &str) -> bool {
    matches!(FileName::parse(name), FileName::Part(_) | FileName::Segment(_))
}

/// Whether a name is that of a file, and not of a directory or of another owner's.
fn is_file(disk: &dyn Disk, name: &str) -> bool {
    let open = || -> std::io::Result<()> {
        let file = disk.open(name)?;
        check_readable(&*file, file.length()?)
    };
    !open().is_err_and(|error| is_of_one_file(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::series::loss::Extent;

    #[test]
    fn what_a_server_tells_reads_back() {
        let part = Extent { first_series: 0, last_series: 3, from: -5, to: 7 };
        let parts = vec![(1..=3, part), (4..=4, Extent::EMPTY)];
        let list = Some(FileList { newest_segment: 6, series_end: 4, parts });
        let all = ["part-000000000001-000000000003", "log-000000000005", "log-000000000006"];
        for names in [&all[..], &all[..1], &[]] {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let files = SourceFiles { names, list: list.clone() };
            assert_eq!(SourceFiles::decode(&files.encode()), Some(files.clone()));
            assert_eq!(files.missing(), if files.names.is_empty() { 2 } else { 1 });
        }
        let files = SourceFiles { names: vec!["../secret".to_owned()], list };
        assert_eq!(SourceFiles::decode(&files.encode()), None);
        for wrong in ["", "\n", "\n\n", "log-000000000005\n", "error\n\nno\n"] {
            assert_eq!(SourceFiles::decode(wrong), None, "{wrong:?}");
        }
    }
}
