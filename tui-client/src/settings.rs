//! Files of settings that a hand can write: TOML, as names with values and the place of each, so that
//! a mistake is told with its line and column.

use std::fmt::{self, Write};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::text::escape::escape_untrusted;
use crate::text::nearest::nearest;

/// A longer file is none of settings.
pub const MAX_FILE: u64 = 1 << 20;

/// The settings of a file.
#[derive(Debug, Clone)]
pub struct Settings {
    file: String,
    text: String,
    all: Vec<Setting>,
}

/// A name with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name; that of a setting in a table stands behind the name of the table and a dot.
    pub name: String,
    /// Bytes of the file before the name.
    pub at: usize,
    /// The values.
    pub values: Vec<Value>,
    /// They stand in a list.
    pub is_list: bool,
}

/// A value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What the file says: of a string its characters.
    pub text: String,
    /// Bytes of the file before the value.
    pub at: usize,
    /// How it is written.
    pub kind: Kind,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string or a date.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag(bool),
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// Line and column, from 1 on; none where the mistake is of the whole file.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &str| escape_untrusted(text.as_bytes());
        write!(f, "{}:", escaped(&self.file))?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", escaped(&self.reason))
    }
}

impl std::error::Error for Mistake {}

impl Settings {
    /// Reads the text of a file with this name. The settings have the order of the file.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistake> {
        // An editor of Windows may have been at work.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut read = Self { file: file.to_owned(), text: text.to_owned(), all: Vec::new() };
        let table = DeTable::parse(text).map_err(|error| {
            let reason = error.message().trim().replace('\n', ", ");
            match error.span() {
                Some(span) => read.mistake(span.start, reason),
                None => Mistake { file: file.to_owned(), place: None, reason },
            }
        })?;
        let mut all = Vec::new();
        read.flatten("", table.get_ref(), &mut all)?;
        all.sort_by_key(|setting| setting.at);
        read.all = all;
        Ok(read)
    }

    fn flatten(
        &self,
        above: &str,
        table: &DeTable<'_>,
        into: &mut Vec<Setting>,
    ) -> Result<(), Mistake> {
        for (key, value) in table {
            let name = format!("{above}{}", key.get_ref());
            let at = key.span().start;
            match value.get_ref() {
                DeValue::Table(table) if !table.is_empty() => {
                    self.flatten(&format!("{name}."), table, into)?;
                }
                DeValue::Table(_) => {
                    into.push(Setting { name, at, values: Vec::new(), is_list: false });
                }
                DeValue::Array(array) => {
                    let values = array.iter().map(|value| self.value(value));
                    let values = values.collect::<Result<_, _>>()?;
                    into.push(Setting { name, at, values, is_list: true });
                }
                _ => {
                    let values = vec![self.value(value)?];
                    into.push(Setting { name, at, values, is_list: false });
                }
            }
        }
        Ok(())
    }

    fn value(&self, value: &Spanned<DeValue<'_>>) -> Result<Value, Mistake> {
        let Range { start: at, .. } = value.span();
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => {
                return Err(self.mistake(at, "a text or a number is expected here"));
            }
        };
        if text.contains(char::is_control) {
            return Err(self.mistake(at, "a value holds no ends of lines or control characters"));
        }
        let kind = match value.get_ref() {
            DeValue::Boolean(flag) => Kind::Flag(*flag),
            DeValue::Integer(_) | DeValue::Float(_) => Kind::Number,
            _ => Kind::Text,
        };
        Ok(Value { text, at, kind })
    }

    /// The settings in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.all.iter()
    }

    /// A mistake behind so many bytes of the file.
    pub fn mistake(&self, at: usize, reason: impl Into<String>) -> Mistake {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Mistake { file: self.file.clone(), place: Some((line, column)), reason: reason.into() }
    }

    /// A setting has none of the names that are known.
    pub fn unknown<'a>(
        &self,
        setting: &Setting,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Mistake {
        let names: Vec<&str> = known.into_iter().collect();
        let name = &setting.name;
        let hint = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("names are {}", names.join(", ")),
        };
        self.mistake(setting.at, format!("unknown name {name}; {hint}"))
    }

    /// The one value of a setting.
    ///
    /// # Errors
    /// When there are several, or none.
    pub fn only<'a>(&self, setting: &'a Setting) -> Result<&'a Value, Mistake> {
        match &setting.values[..] {
            [value] => Ok(value),
            _ => Err(self.mistake(setting.at, format!("{} takes one value", setting.name))),
        }
    }
}

/// A text as a string of TOML.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Writing to a string can't fail.
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn settings_have_their_order_and_place() {
        let text = "\u{feff}b = 'x'\n# of it\na = [1, true, 2.5]\n[t]\nz = 2026-11-28 03:12:00\n";
        let settings = Settings::parse("f", text).unwrap();
        let shown: Vec<_> = settings
            .iter()
            .map(|it| {
                let values: Vec<_> = it.values.iter().map(|value| value.text.as_str()).collect();
                (it.name.as_str(), values.join("|"), it.is_list)
            })
            .collect();
        let expected = [
            ("b", "x".to_owned(), false),
            ("a", "1|true|2.5".to_owned(), true),
            ("t.z", "2026-11-28T03:12:00".to_owned(), false),
        ];
        assert_eq!(shown, expected);
        let second = settings.iter().nth(1).unwrap();
        assert_eq!(settings.mistake(second.at, "no").to_string(), "f:3:1: no");
        assert_eq!(settings.mistake(second.values[1].at, "no").to_string(), "f:3:9: no");
        assert_eq!(second.values[1].kind, Kind::Flag(true));
    }

    #[test]
    fn a_mistake_has_its_file_line_and_column() {
        for (text, expected) in [
            ("a = \n", "f:1:5: string values must be quoted, expected literal string"),
            ("a = 1\nb = x\n", "f:2:5: string values must be quoted, expected literal string"),
            ("a = 1\na = 2\n", "f:2:1: duplicate key"),
            ("a = {b = [[1]]}\n", "f:1:11: a text or a number is expected here"),
            ("火 = 1\n", "f:1:1: "),
            (
                "x = \"\"\"a\nb\"\"\"\n",
                "f:1:5: a value holds no ends of lines or control characters",
            ),
            ("x = \"\\u001b[2J\"\n", "f:1:5: a value holds no ends of lines or control characters"),
        ] {
            let mistake = Settings::parse("f", text).unwrap_err().to_string();
            assert!(mistake.starts_with(expected), "{mistake}");
            assert!(!mistake.contains(char::is_control), "{mistake}");
        }
        let settings = Settings::parse("f\u{1b}", "colums = 1\nzzzzzz = 2\nw = []").unwrap();
        let of = |at| settings.unknown(settings.iter().nth(at).unwrap(), ["columns", "window"]);
        assert_eq!(of(0).to_string(), "f\\u{1b}:1:1: unknown name colums; did you mean columns?");
        assert_eq!(of(1).reason, "unknown name zzzzzz; names are columns, window");
        let none = settings.iter().nth(2).unwrap();
        assert_eq!(settings.only(none).unwrap_err().to_string(), "f\\u{1b}:3:1: w takes one value");
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_quoted(text in "\\PC{0,40}|[ -~]{0,40}") {
            let file = format!("x = {}\n", quoted(&text));
            let settings = Settings::parse("f", &file).unwrap();
            let value = settings.iter().next().map(|it| it.values[0].text.clone());
            prop_assert_eq!(value, Some(text));
        }

        #[test]
        fn no_file_is_too_strange(text in "[\\[\\]{}a.=\"'#\\n 1-]{0,60}|\\PC{0,60}") {
            let read = Settings::parse("f", &text);
            if let Err(mistake) = read {
                prop_assert!(!mistake.to_string().contains('\n'));
            }
        }
    }
}
