//! A view as a file that a hand can write: TOML, each part by its name. What has an option of the
//! command line is called as that option, has its values, and is checked as that.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fields::{self, FIELDS, Field, Form, MAX_TIME};
use super::view::View;
use crate::settings::{Kind, Mistake, Setting, Settings, Value, quoted};
use crate::text::{moment, time};
use crate::themes::is_path;

/// What a file says of a view.
#[derive(Debug, Clone)]
pub struct ViewFile {
    settings: Settings,
    options: Vec<OptionValue>,
    panes: View,
}

/// A value of an option of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValue {
    /// The name of the option.
    pub name: &'static str,
    /// Its value; none for an option that is there or not.
    pub value: Option<String>,
    /// Bytes of the file before it.
    pub at: usize,
}

impl ViewFile {
    /// Reads the text of a file with this name; times are those of a zone, now is a Unix time.
    ///
    /// # Errors
    /// The first mistake; that of a value of an option is for [`ViewFile::mistake`].
    pub fn parse(file: &str, text: &str, now: i64, zone: &TimeZone) -> Result<Self, Mistake> {
        let settings = Settings::parse(file, text)?;
        let (mut options, mut panes) = (Vec::new(), View::default());
        for setting in settings.iter() {
            if setting.name == "cursor" {
                let why = "the cursor of a chart is the place in time, which is called place";
                return Err(settings.mistake(setting.at, why));
            }
            let known = fields::named(&setting.name).filter(|field| field.kept.is_in_view_file());
            let Some(field) = known else {
                let names = FIELDS.iter().filter(|field| field.kept.is_in_view_file());
                return Err(settings.unknown(setting, names.map(|field| field.name)));
            };
            if field.form != Form::Texts {
                settings.only(setting)?;
            }
            if let Some(value) = setting.values.iter().find(|value| is_unquoted(field, value)) {
                let (name, quoted) = (field.name, quoted(&value.text));
                let why = format!("{name} takes a text, which stands in quotes: {quoted}");
                return Err(settings.mistake(value.at, why));
            }
            if field.kept.is_option() {
                options.extend(option_values(field, setting, &settings)?);
                continue;
            }
            for value in &setting.values {
                let read = text_of(field, value, now, zone);
                read.and_then(|text| (field.take)(&mut panes, &text))
                    .map_err(|why| settings.mistake(value.at, invalid(field, value, &why)))?;
            }
        }
        Ok(Self { settings, options, panes })
    }

    /// The path of a theme is one from the directory of the file, so that both can be sent together.
    #[must_use]
    pub fn beside(mut self, directory: &Path) -> Self {
        for option in self.options.iter_mut().filter(|option| option.name == "theme") {
            if let Some(theme) = &mut option.value
                && is_path(theme)
                && !theme.starts_with('~')
            {
                *theme = directory.join(&theme).to_string_lossy().into_owned();
            }
        }
        self
    }

    /// The values of options of the command line, in the order of the file.
    pub fn options(&self) -> &[OptionValue] {
        &self.options
    }

    /// The rest of the view.
    pub fn panes(&self) -> &View {
        &self.panes
    }

    /// A mistake behind so many bytes of the file; of the whole file without a place.
    pub fn mistake(&self, at: Option<usize>, reason: &str) -> Mistake {
        let mistake = self.settings.mistake(at.unwrap_or_default(), reason);
        Mistake { place: mistake.place.filter(|_| at.is_some()), ..mistake }
    }
}

/// A number or a flag stands where a text does, which may be any: it would be taken for a key.
fn is_unquoted(field: &Field, value: &Value) -> bool {
    let is_text = matches!(field.form, Form::Text | Form::Texts);
    match value.kind {
        Kind::Text => false,
        // That of a time.
        Kind::Number => is_text && field.name != "compared",
        Kind::Flag(_) => {
            field.form == Form::Texts || ["filter", "row", "selected"].contains(&field.name)
        }
    }
}

/// The values of an option.
fn option_values(
    field: &Field,
    setting: &Setting,
    settings: &Settings,
) -> Result<Vec<OptionValue>, Mistake> {
    let name = field.name;
    let option =
        |value: &Value, text: String| OptionValue { name, value: Some(text), at: value.at };
    if field.form == Form::Flag {
        let value = settings.only(setting)?;
        let Kind::Flag(flag) = value.kind else {
            return Err(settings.mistake(value.at, invalid(field, value, "true or false")));
        };
        let on = OptionValue { name, value: None, at: value.at };
        return Ok(if flag { vec![on] } else { Vec::new() });
    }
    let text = |value: &Value| match (name, value.kind) {
        // As the option without a word.
        ("ascii", Kind::Flag(flag)) => if flag { "always" } else { "never" }.to_owned(),
        _ => value.text.clone(),
    };
    Ok(setting.values.iter().map(|value| option(value, text(value))).collect())
}

/// A value as the table of names has it. A number is a Unix time, also where behind `@` it would be a
/// year or a span.
fn text_of(field: &Field, value: &Value, now: i64, zone: &TimeZone) -> Result<String, String> {
    match field.form {
        Form::Time if value.kind != Kind::Number => {
            let at = match value.text.parse::<Timestamp>() {
                Ok(at) => at.as_second(),
                Err(_) => moment::parse(&value.text, now, zone)?,
            };
            Ok(at.to_string())
        }
        _ => Ok(value.text.clone()),
    }
}

/// As the library that reads the command line says it.
fn invalid(field: &Field, value: &Value, why: &str) -> String {
    format!("invalid value '{}' for {}: {why}", value.text, field.name)
}

/// A time as a date with its offset, which is the same moment in any zone; as a Unix time where a date
/// is not exact.
fn written(at: i64, zone: &TimeZone) -> String {
    let date = time::formatted(at, zone, "%Y-%m-%d %H:%M:%S%:z");
    // An offset with seconds is none of TOML, nor is a year before the first.
    let is_exact = date.len() == "2026-11-28 03:12:00+01:00".len()
        && date.starts_with(|first: char| first.is_ascii_digit())
        && date.parse::<Timestamp>().is_ok_and(|read| read.as_second() == at);
    if is_exact { date } else { at.to_string() }
}

/// A view as the text of a file; dates are those of a zone.
pub fn write(view: &View, zone: &TimeZone) -> String {
    let date = |at: i64| time::date(at, zone);
    // The cursor of a chart is the place in time.
    let place = view.place.or(view.chart.cursor.filter(|at| at.unsigned_abs() <= MAX_TIME));
    let view = &View { place, ..view.clone() };
    let saved = date(view.saved_at);
    let mut text =
        format!("# A view of tui-client, saved {saved}: tui-client --view FILE opens it.\n");
    for field in FIELDS.iter().filter(|field| field.kept.is_in_view_file()) {
        let values = field.lines(view);
        let Some(first) = values.first() else { continue };
        let value = match field.form {
            Form::Flag => "true".to_owned(),
            Form::Number => first.clone(),
            Form::Time => match first.parse() {
                Ok(at) => written(at, zone),
                Err(_) => quoted(first),
            },
            Form::Text if field.name == "compared" => {
                // A Unix time tells one mark from others of its name.
                let at = first.split(' ').next().and_then(|at| at.parse().ok());
                at.map_or(quoted(first), |at| format!("{} # {}", quoted(first), date(at)))
            }
            Form::Text | Form::Texts => match &values[..] {
                [value] => quoted(value),
                values => {
                    let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                    format!("[{}]", values.join(", "))
                }
            },
        };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} = {value}", field.name);
    }
    text
}
