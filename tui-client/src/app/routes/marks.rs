//! Marks: they are put on the servers of the view.

use crate::app::App;
use crate::request::pending::Purpose;
use crate::wire_log::entry::Tone;

impl App {
    /// Puts a mark at a Unix time: one of each server in the view, because it is of all that is seen.
    pub(in crate::app) fn mark(&mut self, name: &str, at: i64) {
        if self.replayed.is_some() {
            return self.cx.say(Tone::Plain, "not marked: this is a replay");
        }
        if !self.link.is_connected() {
            return self.cx.say(Tone::Bad, "not marked: not connected");
        }
        for key in self.marks.keys(name) {
            match self.sources.of_server(&key) {
                Some(source) if !source.state.is_here() => continue,
                // A mark of the run that keeps its times is one of all.
                Some(source)
                    if key.starts_with(&source.label.prefix()) && source.state.shift() > 0 =>
                {
                    continue;
                }
                _ => {}
            }
            let line = format!("put {key} 1 {at}");
            let due = (line.clone(), Purpose::Typed(line));
            let (log, cx) = (&mut self.log, &mut self.cx);
            self.link.send(due, false, self.watch.patterns(), log, cx);
        }
        let without = self.not_marked(name);
        if let Some(text) = without.strip_prefix("; ") {
            self.log.note(self.cx.now(), Tone::Bad, text);
        }
    }

    /// The servers that a mark of this name does not reach; nothing where it reaches all.
    pub(in crate::app) fn not_marked(&self, name: &str) -> String {
        let sources = self.marks.keys(name).filter_map(|key| self.sources.of_server(&key));
        let away = sources.filter(|source| !source.state.is_here());
        let names: Vec<_> = away.map(|source| source.label.server()).collect();
        match &names[..] {
            [] => String::new(),
            [one] => format!("; not on {one}, which is away"),
            more => format!("; not on {}, which are away", more.join(", ")),
        }
    }
}
