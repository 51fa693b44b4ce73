//! Files that are written: what is said of them.

use crate::app::App;
use crate::app::line_input::InputPurpose;
use crate::effect::Effect;
use crate::event::{Event, FILE_EXISTS};
use crate::keymap::Mode;
use crate::text::number;
use crate::wire_log::entry::Tone;

impl App {
    /// Says that a file is written, or why it is not.
    pub(in crate::app) fn on_file(&mut self, event: Event) {
        match event {
            Event::Saved { path, lines } => {
                let lines = number::plural(lines, "line", "lines");
                self.cx.say_name(Tone::Good, &format!("{lines} saved in "), &path);
            }
            Event::PictureSaved { path } => {
                self.cx.say_name(Tone::Good, "the picture is in ", &path);
            }
            Event::ViewSaved { path, typed } => self.on_view_saved(&path, &typed),
            Event::SessionSaved(file) => self.on_session_saved(&file),
            // The log may have lost the keys meanwhile, and is out of sight then.
            Event::NotSaved { path, reason } => {
                let asks = self.mode() == Mode::Log;
                self.on_not_saved(asks.then_some(InputPurpose::SaveLog), &path, &reason);
            }
            Event::PictureNotSaved { path, reason } if self.is_name_taken(&path, &reason) => {
                let path = self.cx.file_name("svg");
                self.cx.push(Effect::Picture(path));
            }
            Event::SessionNotSaved { path, reason } if self.is_name_taken(&path, &reason) => {
                self.save_session_of_now();
            }
            Event::PictureNotSaved { path, reason } => {
                self.on_not_saved(Some(InputPurpose::SavePicture), &path, &reason);
            }
            Event::ViewNotSaved { path, reason } => {
                self.on_not_saved(Some(InputPurpose::SaveView), &path, &reason);
            }
            Event::ViewExists { path } => self.on_view_exists(path),
            Event::SessionNotSaved { path, reason } => {
                self.on_not_saved(Some(InputPurpose::SaveSession), &path, &reason);
            }
            _ => {}
        }
    }

    /// A name that was not typed is taken: the next one is tried.
    fn is_name_taken(&self, path: &str, reason: &str) -> bool {
        reason == FILE_EXISTS && self.cx.has_given(path)
    }

    /// Says why a file is not written, and asks for another name unless something is typed.
    fn on_not_saved(&mut self, asks: Option<InputPurpose>, path: &str, reason: &str) {
        if let Some(purpose) = asks.filter(|_| self.mode().pane().is_some()) {
            self.input.ask(purpose, path);
        }
        self.log.report(format!("{path}: not saved, {reason}"), &mut self.cx);
    }
}
