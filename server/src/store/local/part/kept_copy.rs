//! Copies of damaged parts, which are kept when these are written anew under their names.

use std::io;

use super::Part;
use crate::store::local::disk::{Disk, DiskFile, quarantine};
use crate::store::local::file_name::UNFINISHED;

/// Bytes that are copied at a time.
const COPY_SIZE: usize = 1 << 20;

impl Part {
    /// Keeps a copy of the file, which is damaged, unless there is one from an attempt before.
    ///
    /// # Errors
    /// When it can't be read or the copy can't be written.
    pub fn keep_copy(&self, disk: &dyn Disk) -> io::Result<()> {
        let own = self.to_string();
        for name in quarantine::kept_names(disk, &own)? {
            if self.is_same(&*disk.open(&name)?)? {
                return Ok(());
            }
        }
        self.copy_to(disk, &quarantine::free_name(disk, &own)?)
    }

    /// Whether another file has the same bytes.
    fn is_same(&self, other: &dyn DiskFile) -> io::Result<bool> {
        let size = self.file.length()?;
        if other.length()? != size {
            return Ok(false);
        }
        for (at, mut bytes) in pieces(size) {
            let mut others = bytes.clone();
            self.file.read_exact_at(&mut bytes, at)?;
            other.read_exact_at(&mut others, at)?;
            if bytes != others {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn copy_to(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let unfinished = format!("{name}{UNFINISHED}");
        self.copy(disk, &unfinished).inspect_err(|_| {
            // What stays behind is removed at the next start.
            let _ = disk.remove(&unfinished);
        })?;
        disk.rename(&unfinished, name)?;
        disk.sync_directory()
    }

    fn copy(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let copy = disk.create(name)?;
        for (at, mut bytes) in pieces(self.file.length()?) {
            self.file.read_exact_at(&mut bytes, at)?;
            copy.write_all_at(&bytes, at)?;
        }
        copy.sync()
    }
}

/// The pieces of a file of so many bytes: where each begins, and room for it.
fn pieces(size: u64) -> impl Iterator<Item = (u64, Vec<u8>)> {
    (0..size).step_by(COPY_SIZE).map(move |at| {
        let length = usize::try_from(size - at).unwrap_or(COPY_SIZE).min(COPY_SIZE);
        (at, vec![0; length])
    })
}
