use super::*;
use crate::metrics::series::summary::Summarizer;

fn globs(texts: &[&str]) -> Vec<Glob> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn answer(watch: &Watch, data: &str) -> Answer {
    let mut summarizer = Summarizer::new(4).watching(watch.patterns().clone());
    summarizer.add_lines(data.as_bytes());
    summarizer.finish()
}

fn take(watch: &mut Watch, selector: &str, data: &str) {
    let answer = answer(watch, data);
    watch.take(&selector.parse().unwrap(), &answer, Duration::ZERO);
}

fn keys(watch: &Watch) -> Vec<&str> {
    watch.keys().iter().map(|watched| &*watched.key).collect()
}

#[test]
fn globs_become_the_keys_that_they_match() {
    let mut watch = Watch::new(globs(&["x", "palm.*"]));
    take(&mut watch, "*", "palm.cpu 1 1\nother 1 1\nx 1 1\npalm.mem 2 1\n");
    assert_eq!(keys(&watch), ["x", "palm.cpu", "palm.mem"]);
    take(&mut watch, "x", "");
    assert!(watch.keys()[0].series.is_none() && watch.keys()[1].series.is_some());
    watch.move_by(1);
    assert_eq!(watch.remove_selected().as_deref(), Some("palm.cpu"));
    take(&mut watch, "*", "palm.cpu 1 1\npalm.mem 2 1\n");
    assert_eq!(keys(&watch), ["x", "palm.mem"], "what was removed stays away");
    assert_eq!(watch.remove_selected().as_deref(), Some("palm.mem"));
    assert_eq!(watch.patterns().len(), 1, "the glob has no key left");
    watch.add("palm.*".parse().unwrap());
    take(&mut watch, "*", "palm.cpu 1 1\n");
    assert_eq!(keys(&watch), ["x", "palm.cpu"], "asked for again");
}

#[test]
fn keys_stand_as_they_were_asked_for() {
    let mut watch = Watch::new(globs(&["palm.*", "a"]));
    take(&mut watch, "*", "a 1 1\npalm.mem 2 1\npalm.cpu 1 1\n");
    assert_eq!(keys(&watch), ["palm.mem", "palm.cpu", "a"]);
    watch.move_by(2);
    take(&mut watch, "*", "a 1 1\npalm.mem 2 1\npalm.cpu 1 1\npalm.new 1 1\n");
    assert_eq!(keys(&watch), ["palm.mem", "palm.cpu", "palm.new", "a"]);
    assert_eq!(watch.selected_key().unwrap().key, "a", "what was selected stays so");
}

#[test]
fn a_glob_without_keys_can_be_left() {
    let mut watch = Watch::new(globs(&["nothing.*"]));
    assert!(!watch.is_empty());
    assert_eq!(watch.remove_selected().as_deref(), Some("nothing.*"));
    assert!(watch.is_empty());
    assert_eq!(watch.remove_selected(), None);
}

/// It was taken for current, so that an alert could find that there is no data of keys beyond its bound.
#[test]
fn an_answer_to_a_glob_of_an_alert_is_not_one_to_a_glob_that_is_watched() {
    let mut watch = Watch::default();
    let glob: Glob = "a.*".parse().unwrap();
    watch.cover(&glob);
    let asked_before = answer(&watch, "a.1 1 1\n");
    watch.add(glob.clone());
    watch.take(&glob, &asked_before, Duration::ZERO);
    assert!(!watch.has_heard_of(&glob));
    take(&mut watch, "a.*", "a.1 1 1\n");
    assert!(watch.has_heard_of(&glob));
}
