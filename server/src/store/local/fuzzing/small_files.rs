//! The files FORMAT, FILES, FILES-COPY, OPTIONS and BACKUP, and names of files.

use std::sync::Arc;
use std::time::Duration;

use super::input::Input;
use super::start::config;
use crate::store::local::disk::Disk;
use crate::store::local::file_list::FileList;
use crate::store::local::file_list::backup_manifest::FoundManifest;
use crate::store::local::file_name::{BACKUP, FILES, FILES_COPY, FORMAT, FileName, OPTIONS};
use crate::store::local::recovery::{recover, sound_format};
use crate::store::local::sim_disk::{Image, SimDisk};

/// What stands before the checksum of FORMAT, FILES and BACKUP, in the last line.
const CHECK: &str = "before: ";

/// Makes the checksum in the last line right: that of all lines before it.
pub fn mend_text(bytes: &mut Vec<u8>) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Some(check) = text.rfind(CHECK) else { return };
    let lines = text[..check].rfind('\n').map_or(0, |end| end + 1);
    let checksum = crc32c::crc32c(&text.as_bytes()[..lines]);
    bytes.truncate(check + CHECK.len());
    bytes.extend_from_slice(format!("{checksum:08x}\n").as_bytes());
}

/// Reads a byte of choices and a file, as each of those and as a name: what is read is written as something
/// that reads the same.
///
/// # Panics
/// When it does not.
pub fn read_small_files(input: &[u8]) {
    let mut input = Input::new(input);
    let [mends, has_retention, ..] = input.bits();
    let mut bytes = input.rest().to_vec();
    if let Ok(name) = str::from_utf8(&bytes) {
        let parsed = FileName::parse(name);
        if matches!(parsed, FileName::Segment(_) | FileName::Part(_)) {
            assert_eq!(parsed.to_string(), name);
        }
    }
    if mends {
        mend_text(&mut bytes);
    }
    for name in [FORMAT, FILES, FILES_COPY, OPTIONS, BACKUP] {
        let mut image = Image::from([(name.to_owned(), bytes.clone())]);
        if name != FORMAT {
            image.insert(FORMAT.to_owned(), format_file());
        }
        let disk = SimDisk::new(image);
        let names = disk.list().unwrap_or_default();
        drop(sound_format(&disk, &names));
        if let Some(list) = FileList::read(&disk) {
            assert!(FileList::NAMES.contains(&name));
            assert!(list.write(&disk).is_ok(), "the disk has no faults");
            assert_eq!(FileList::read(&disk), Some(list));
        }
        if let Ok(FoundManifest::Backup(manifest)) = FoundManifest::read(&disk) {
            assert_eq!(name, BACKUP);
            assert!(manifest.write(&disk).is_ok(), "the disk has no faults");
            assert_eq!(FoundManifest::read(&disk).ok(), Some(FoundManifest::Backup(manifest)));
        }
        let retention = has_retention.then(|| Duration::from_secs(86_400));
        if recover(Arc::new(disk.clone()), config(retention)).is_ok() {
            let names = disk.list().unwrap_or_default();
            assert!(matches!(sound_format(&disk, &names), Ok(Some(_))), "FORMAT is sound then");
        }
    }
}

/// The file FORMAT of a new directory.
fn format_file() -> Vec<u8> {
    static NEW: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let make = || {
        let disk = SimDisk::new(Image::new());
        drop(recover(Arc::new(disk.clone()), config(None)));
        disk.visible().remove(FORMAT).unwrap_or_default()
    };
    NEW.get_or_init(make).clone()
}
