//! Files that are written: what is said of them.

use crate::app::App;
use crate::app::line_input::InputPurpose;
use crate::event::Event;
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

    /// Says why a file is not written, and asks for another name unless something is typed.
    fn on_not_saved(&mut self, asks: Option<InputPurpose>, path: &str, reason: &str) {
        if let Some(purpose) = asks.filter(|_| self.mode().pane().is_some()) {
            self.input.ask(purpose, path);
        }
        self.log.report(format!("{path}: not saved, {reason}"), &mut self.cx);
    }
}
