//! Lines of text with a checksum in the last one, as FILES, FILES-COPY and BACKUP are.

/// What stands before the checksum.
const CHECK_PREFIX: &str = "CRC32C of the lines before: ";

/// Appends the line with the checksum to whole lines.
pub fn seal(lines: &str) -> String {
    format!("{lines}{CHECK_PREFIX}{:08x}\n", crc32c::crc32c(lines.as_bytes()))
}

/// The lines without the checksum and without the first one, which is the `title`; `None` when anything is
/// damaged.
pub fn open<'t>(bytes: &'t [u8], title: &str) -> Option<&'t str> {
    let text = str::from_utf8(bytes).ok()?;
    let check = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let lines = &text[..check];
    let is_sound = seal(lines) == text;
    lines.strip_prefix(title)?.strip_prefix('\n').filter(|_| is_sound)
}
