//! Whole lines to a stream that may take only a part of one, or none for a while.

use std::io::{self, ErrorKind};
use std::time::SystemTime;

use super::queue::Taken;

/// Writes lines, and tells how many are missing as soon as one can be written again.
#[derive(Debug, Default)]
pub struct LineWriter {
    /// Lines that were lost and are not told of.
    untold: u64,
    /// The last line was cut.
    is_cut: bool,
}

impl LineWriter {
    /// Writes with `write`, which takes a part of a line, or none and is asked again. Answers how
    /// many lines could not be written.
    pub fn write(
        &mut self,
        taken: &Taken,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> u64 {
        let mut lost = 0;
        for line in taken.text.split_inclusive(|&byte| byte == b'\n') {
            if self
                .tell_untold(&mut write)
                .and_then(|()| self.write_line(line, &mut write))
                .is_err()
            {
                lost += 1;
                self.untold += 1;
            }
        }
        self.untold += taken.dropped;
        // Told with the next line where that fails.
        let _ = self.tell_untold(&mut write);
        lost
    }

    fn tell_untold(
        &mut self,
        write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        if self.untold == 0 {
            return Ok(());
        }
        let now = humantime::format_rfc3339_micros(SystemTime::now());
        let lines = self.untold;
        let said =
            format!("{now}  WARN {lines} lines of the log are missing here: nothing took them\n");
        self.write_line(said.as_bytes(), write)?;
        self.untold = 0;
        Ok(())
    }

    fn write_line(
        &mut self,
        line: &[u8],
        write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let line = if self.is_cut { &[b"\n", line].concat() } else { line };
        let mut rest = line;
        while !rest.is_empty() {
            match write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_cut |= rest.len() < line.len();
                    return Err(error);
                }
            }
        }
        self.is_cut = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream with so much room, as a file on a full disk.
    #[derive(Default)]
    struct Disk {
        room: usize,
        text: String,
    }

    impl Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let size = bytes.len().min(self.room).min(3);
            self.room -= size;
            self.text.push_str(str::from_utf8(&bytes[..size]).unwrap());
            if size == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(size) }
        }
    }

    fn taken(text: &str, dropped: u64) -> Taken {
        Taken { text: text.as_bytes().to_vec(), dropped }
    }

    #[test]
    fn lines_that_can_not_be_written_are_told_when_one_can_again() {
        let (mut writer, mut disk) = (LineWriter::default(), Disk { room: 10, ..Disk::default() });
        assert_eq!(writer.write(&taken("first\nsecond\nthird\n", 0), |line| disk.write(line)), 2);
        assert_eq!(disk.text, "first\nseco");
        assert_eq!(writer.write(&taken("fourth\n", 4), |line| disk.write(line)), 1);
        disk.room = 1000;
        assert_eq!(writer.write(&taken("fifth\nsixth\n", 0), |line| disk.write(line)), 0);
        let lines: Vec<_> = disk.text.lines().collect();
        assert_eq!((lines.len(), lines[1], &lines[3..]), (5, "seco", &["fifth", "sixth"][..]));
        assert!(lines[2].ends_with("WARN 7 lines of the log are missing here: nothing took them"));
    }

    #[test]
    fn lines_that_found_no_room_are_told_behind_those_before_them() {
        let (mut writer, mut disk) =
            (LineWriter::default(), Disk { room: 1000, ..Disk::default() });
        assert_eq!(writer.write(&taken("first\n", 2), |line| disk.write(line)), 0);
        assert_eq!(writer.write(&taken("last\n", 0), |line| disk.write(line)), 0);
        let lines: Vec<_> = disk.text.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (3, "first", "last"));
        assert!(lines[1].contains(" WARN 2 lines "), "{}", lines[1]);
    }
}
