//! Files that are missing, emptied or can't be read cost only themselves, and are noticed.

use std::io;

use super::super::*;
use super::{
    Damage, damaged, logged, names, no_answer_looks_whole, parts_and_log, without_rotation,
};
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{DAMAGED, FILES, FILES_COPY, FileName};
use crate::store::local::maintenance::{FoundDamage, check_disk, repair_disk};
use crate::store::query::{KeySelection, Select};

fn row(key: &str, timestamp: i64) -> Row {
    (key.to_owned(), timestamp, 0.5)
}

fn points(keys: KeySelection, from: i64, to: i64) -> Query {
    Query { keys, select: Select::Points(Window { from, to }) }
}

fn one(key: &str) -> KeySelection {
    KeySelection::One(key.parse().unwrap())
}

fn is_answered(state: &Arc<StoreState>, query: Query) -> bool {
    answers(state, &[query])[0].is_ok()
}

/// Three parts with a series and times of their own, and one that is in all of them; then a log.
async fn store() -> (Image, Vec<Row>) {
    let own = |round| format!("own{round}");
    let rows = |round, at| [row("all", 1000 * round + at), row(&own(round), 1000 * round + at)];
    parts_and_log(4, 4, rows).await
}

fn parts(image: &Image) -> Vec<String> {
    names(image, |name| matches!(name, FileName::Part(_)))
}

#[tokio::test]
async fn a_part_that_is_missing_or_emptied_refuses_what_it_was_about() {
    let (image, sent) = store().await;
    let names = parts(&image);
    assert_eq!(names.len(), 3, "{names:?}");
    for (round, name) in (0..).zip(&names) {
        for damage in [Damage::Gone, Damage::Cut(0), Damage::Cut(10)] {
            let what = format!("{name} {damage:?}");
            let disk = SimDisk::new(damaged(&image, name, damage));
            for start in 0..2 {
                let (recovered, log) = logged(|| recovered(&disk, without_rotation()).unwrap());
                assert!(log.contains("ERROR") && log.contains(name), "{what}: {log}");
                let state = Arc::new(recovered.state);
                assert!(state.status().damages > 0, "{what}");
                let (from, to) = (1000 * round, 1000 * round + 999);
                assert!(
                    !is_answered(&state, points(one("all"), from, to)),
                    "{what}, start {start}"
                );
                assert!(!is_answered(&state, points(one(&format!("own{round}")), from, to)));
                assert!(!is_answered(&state, Query::all()));
                for other in (0..4).filter(|other| *other != round) {
                    let (from, to) = (1000 * other, 1000 * other + 999);
                    let others = [one("all"), one(&format!("own{other}")), KeySelection::All];
                    for keys in others {
                        assert!(is_answered(&state, points(keys, from, to)), "{what}, {other}");
                    }
                }
                no_answer_looks_whole(&state, &sent, &[], &what);
            }
            // It is there again, as from a copy.
            if matches!(damage, Damage::Gone) {
                let store = open(&disk, without_rotation()).unwrap();
                put(&store, &[row("new", 5)]).await.unwrap();
                within(store.close()).await;
                let mut image_again = disk.visible();
                image_again.insert(name.clone(), image[name].clone());
                let again = SimDisk::new(image_again);
                let recover = || recovered(&again, without_rotation()).unwrap().state;
                let state = Arc::new(logged(recover).0);
                no_answer_looks_whole(&state, &sent, &[], &what);
                // The log went on behind the last one: that is kept, but no longer in its place.
                let is_last = round == 2;
                assert_eq!(is_answered(&state, Query::all()), !is_last, "{what}");
                let kept = if is_last { format!("{DAMAGED}{name}") } else { name.clone() };
                assert_eq!(again.visible()[&kept], image[name], "{what}");
            }
        }
    }
}

#[tokio::test]
async fn the_newest_file_is_missed_whatever_it_is() {
    let (image, sent) = store().await;
    let log = names(&image, |name| matches!(name, FileName::Segment(_))).pop().unwrap();
    let disk = SimDisk::new(image.clone());
    within(open(&disk, without_rotation()).unwrap().close()).await;
    let closed = disk.visible();
    let newest = parts(&closed).pop().unwrap();
    for (image, name) in [(&image, &log), (&closed, &newest)] {
        for damage in [Damage::Gone, Damage::Cut(0), Damage::Cut(100)] {
            let what = format!("{name} {damage:?}");
            let disk = SimDisk::new(damaged(image, name, damage));
            // Also after a part was written over the gap, and merged.
            for start in 0..3 {
                let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
                assert!(start > 0 || log.contains("ERROR") && log.contains(name), "{what}: {log}");
                no_answer_looks_whole(&store.state, &sent, &[], &format!("{what}, start {start}"));
                put(&store, &[row("new", start)]).await.unwrap();
                within(store.close()).await;
            }
        }
    }
}

#[tokio::test]
async fn a_part_that_cannot_be_opened_is_as_good_as_ever_when_it_can() {
    let (image, sent) = store().await;
    for name in parts(&image) {
        for with_list in [true, false] {
            let mut image = image.clone();
            if !with_list {
                image.retain(|name, _| !FileList::NAMES.contains(&&**name));
            }
            let disk = SimDisk::new(image);
            let refused = name.clone();
            disk.on_call(move |verb, name| {
                (verb == Verb::Open && name == refused).then_some(io::ErrorKind::PermissionDenied)
            });
            let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
            assert!(log.contains(&format!("{name} can't be opened: permission denied")), "{log}");
            no_answer_looks_whole(&store.state, &sent, &[], &name);
            for at in 0..3 {
                put(&store, &[row("new", at), row(&format!("new{at}"), 1)]).await.unwrap();
            }
            settle(&store);
            within(store.close()).await;
            disk.no_faults();
            let (state, log) = logged(|| recovered(&disk, without_rotation()).unwrap().state);
            assert!(!log.contains("another key"), "{log}");
            let state = Arc::new(state);
            let found = answers(&state, &[Query::all()]).remove(0).unwrap();
            assert_eq!(found.len(), sent.len() + 6, "{name}");
            no_answer_looks_whole(&state, &sent, &[], &name);
        }
    }
}

/// The client goes on with a key that nothing else names.
#[tokio::test]
async fn a_key_that_was_begun_again_is_refused_when_its_part_is_back() {
    let (image, mut sent) = store().await;
    let name = parts(&image).remove(1);
    let disk = SimDisk::new(image);
    let refused = name.clone();
    disk.on_call(move |verb, name| {
        (verb == Verb::Open && name == refused).then_some(io::ErrorKind::PermissionDenied)
    });
    let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
    let news = row("own1", 5000);
    put(&store, std::slice::from_ref(&news)).await.unwrap();
    sent.push(news);
    settle(&store);
    within(store.close()).await;
    disk.no_faults();
    for start in 0..3 {
        let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
        assert!(log.contains("own1 has points of before a file was missing"), "{start}: {log}");
        let what = format!("start {start}");
        logged(|| no_answer_looks_whole(&store.state, &sent, &[], &what));
        assert!(!is_answered(&store.state, Query::points(one("own1"))), "{what}");
        assert!(is_answered(&store.state, Query::points(one("own2"))), "{what}");
        // A merge keeps the older points.
        let inputs = Arc::clone(&store.state.memory().parts);
        logged(|| compaction::merge(&store.state, &inputs, NOTHING_EXPIRED).unwrap());
        let left = read_what_is_left(&store.state);
        let is_of_key = |row: &&Row| row.0 == "own1";
        let expected = sent.iter().filter(is_of_key).count();
        assert_eq!(left.iter().filter(is_of_key).count(), expected, "{what}");
        within(store.close()).await;
    }
    // Nothing of it is damaged, so a repair gives nothing up.
    let said = |found: Vec<FoundDamage>| {
        found.iter().map(ToString::to_string).find(|line| line.starts_with("own1: ")).unwrap()
    };
    let checked = || check_disk(Arc::new(disk.clone()), without_rotation()).unwrap();
    assert!(said(logged(checked).0).contains("are apart; server repair joins them"));
    let repaired = logged(|| repair_disk(Arc::new(disk.clone())).unwrap()).0;
    assert!(said(repaired).contains("are together again"));
    let (left, log) = logged(|| {
        let state = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
        answers(&state, &[Query::all()]).remove(0).unwrap()
    });
    assert!(!log.contains("own1"), "{log}");
    let mut expected = sent.clone();
    expected.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut left = left;
    left.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    assert_eq!(left, expected);
    assert_eq!(logged(checked).0, []);
}

/// A repair does not bring back what a `del` was answered `ok` for when it was refused.
#[tokio::test]
async fn what_is_deleted_of_a_key_that_was_begun_again_stays_deleted() {
    let (image, sent) = store().await;
    let name = parts(&image).remove(1);
    let of_key = |row: &&Row| row.0 == "own1";
    let last = sent.iter().filter(of_key).map(|row| row.1).max().unwrap();
    for to in [last - 1, i64::MAX] {
        let disk = SimDisk::new(image.clone());
        let refused = name.clone();
        disk.on_call(move |verb, name| {
            (verb == Verb::Open && name == refused).then_some(io::ErrorKind::PermissionDenied)
        });
        let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
        put(&store, &[row("own1", 5000)]).await.unwrap();
        within(store.close()).await;
        disk.no_faults();
        let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
        let window = Window { from: i64::MIN, to };
        within(store.delete(Deletion { keys: one("own1"), window })).await.unwrap();
        within(store.close()).await;
        logged(|| repair_disk(Arc::new(disk.clone())).unwrap());
        let state = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
        let left = answers(&state, &[Query::points(one("own1"))]).remove(0).unwrap();
        let times: Vec<_> = left.iter().map(|row| row.1).collect();
        assert_eq!(times, if to == i64::MAX { vec![] } else { vec![last, 5000] });
    }
}

#[tokio::test]
async fn the_newest_log_is_missed_without_a_checkpoint() {
    let config = LocalConfig { log_limit: 1 << 30, segment_size: 2000, ..LocalConfig::default() };
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, config.clone()).unwrap();
    let mut sent = Vec::new();
    for at in 0..60 {
        let rows = [row("a", at), row("b", at)];
        put(&store, &rows).await.unwrap();
        sent.extend(rows);
    }
    let newest = || FileList::read(&disk).unwrap().newest_segment;
    let segments = || names(&disk.visible(), |name| matches!(name, FileName::Segment(_)));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while newest() != segments().len() as u64 {
        assert!(std::time::Instant::now() < end, "{} of {:?}", newest(), segments());
        std::thread::yield_now();
    }
    assert!(newest() > 3, "{:?}", segments());
    let (mut image, last) = (disk.visible(), segments().pop().unwrap());
    within(store.close()).await;
    image.remove(&last).unwrap();
    let (state, log) = logged(|| recovered(&SimDisk::new(image), config).unwrap().state);
    assert!(log.contains("ERROR"), "{log}");
    no_answer_looks_whole(&Arc::new(state), &sent, &[], "without the newest log");
}

/// A read that fails each time for the bytes at a place, such as in a bad sector.
pub fn bad_sector(disk: &SimDisk, name: &str, place: usize) {
    let bad = name.to_owned();
    disk.on_read(move |name, from, to| name == bad && (from..to).contains(&place));
}

#[tokio::test]
async fn a_bad_sector_costs_what_is_in_it() {
    let (image, sent) = store().await;
    for (name, bytes) in &image {
        let kind = FileName::parse(name);
        if !matches!(kind, FileName::Part(_) | FileName::Segment(_)) {
            continue;
        }
        for place in (0..bytes.len()).step_by(23).chain([bytes.len() - 1]) {
            let what = format!("{name} at {place}");
            let disk = SimDisk::new(image.clone());
            bad_sector(&disk, name, place);
            let (state, _) = logged(|| recovered(&disk, without_rotation()).unwrap().state);
            let state = Arc::new(state);
            logged(|| no_answer_looks_whole(&state, &sent, &sent[sent.len() - 2..], &what));
            let left = logged(|| read_what_is_left(&state)).0;
            assert!(left.len() >= sent.len() - 200, "{what}: {} of {}", left.len(), sent.len());
        }
    }
}

#[tokio::test]
async fn a_list_that_is_damaged_or_missing_is_said_and_written_anew() {
    let (image, _) = store().await;
    for damage in [Damage::Gone, Damage::Cut(0), Damage::Flip(40)] {
        let image = damaged(&image, FILES, damage);
        let disk = SimDisk::new(damaged(&image, FILES_COPY, damage));
        let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
        assert!(log.contains("FILES and FILES-COPY are missing or damaged"), "{log}");
        assert!(is_answered(&store.state, Query::all()));
        within(store.close()).await;
        let list = FileList::read(&disk).unwrap();
        let names = parts(&disk.visible());
        let listed: Vec<_> =
            list.parts.iter().map(|(part, _)| FileName::Part(part.clone()).to_string()).collect();
        assert_eq!(listed, names);
    }
}

/// What is removed by hand may be both.
#[tokio::test]
async fn the_newest_part_is_missed_although_one_of_the_lists_is_gone() {
    let (image, sent) = store().await;
    let disk = SimDisk::new(image);
    let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
    within(store.close()).await;
    let newest = parts(&disk.visible()).pop().unwrap();
    for (lost, other) in [(FILES, FILES_COPY), (FILES_COPY, FILES)] {
        for damage in [Damage::Gone, Damage::Cut(0), Damage::Flip(40)] {
            let mut image = damaged(&disk.visible(), lost, damage);
            image.remove(&newest);
            let disk = SimDisk::new(image);
            for start in 0..2 {
                let what = format!("without {lost}, {damage:?}, start {start}");
                let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
                let is_said =
                    log.contains(&format!("{lost} is damaged or missing; its copy is not"));
                let is_usual = lost == FILES_COPY && matches!(damage, Damage::Gone);
                assert_eq!(is_said, start == 0 && !is_usual, "{what}: {log}");
                assert!(!log.contains(&format!("{other} is damaged")), "{what}: {log}");
                no_answer_looks_whole(&store.state, &sent, &[], &what);
                within(store.close()).await;
            }
        }
    }
}

/// Nothing between the newest file and a number that no start has given can be missing.
#[tokio::test]
async fn a_file_with_a_number_that_nothing_explains_is_a_stranger() {
    let (image, sent) = store().await;
    let log = names(&image, |name| matches!(name, FileName::Segment(_))).remove(0);
    let contents = [vec![], b"notes".to_vec(), image[&log].clone()];
    for name in ["log-999999999999", "part-999999999990-999999999999"] {
        for content in contents.clone() {
            let what = format!("{name} of {} bytes", content.len());
            let mut image = image.clone();
            image.insert(name.to_owned(), content.clone());
            image.insert("log-999999999998".to_owned(), vec![]);
            let disk = SimDisk::new(image);
            for start in 0..2 {
                let is_named = |damage: &FoundDamage| damage.to_string().starts_with(name);
                let checked = check_disk(Arc::new(disk.clone()), without_rotation()).unwrap();
                assert_eq!(checked.iter().any(is_named), start == 0, "{what}: {checked:?}");
                let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
                let is_said = log.contains(&format!("{name} is kept as damaged-{name}: its"));
                assert_eq!(is_said, start == 0, "{what}: {log}");
                let found = answers(&store.state, &[Query::all()]).remove(0);
                assert_eq!(found.map(|rows| rows.len()), Ok(sent.len() + start), "{what}");
                put(&store, &[row("new", i64::try_from(start).unwrap())]).await.unwrap();
                within(store.close()).await;
            }
            assert_eq!(disk.visible()[&format!("damaged-{name}")], content, "{what}");
        }
    }
    // Near the newest one a file may be what is left of several.
    let mut near = image.clone();
    near.insert("log-000000000009".to_owned(), vec![]);
    let (state, _) = logged(|| recovered(&SimDisk::new(near), without_rotation()).unwrap().state);
    assert!(!is_answered(&Arc::new(state), Query::all()));
    // So may any file without a list.
    let mut unlisted = image;
    unlisted.insert("log-999999999999".to_owned(), vec![]);
    unlisted.retain(|name, _| !FileList::NAMES.contains(&&**name));
    let disk = SimDisk::new(unlisted);
    let (state, _) = logged(|| recovered(&disk, without_rotation()).unwrap().state);
    assert!(!is_answered(&Arc::new(state), Query::all()));
}

/// Another file, given up later, explained their numbers: two that contradict each other stopped every start.
#[tokio::test]
async fn a_stranger_does_not_count_once_a_greater_number_is_known() {
    let (image, sent) = store().await;
    let mut strange = image.clone();
    strange.insert("part-000000000001-999999999998".to_owned(), vec![]);
    strange.insert("log-999999999990".to_owned(), b"notes".to_vec());
    strange.insert("part-000000000004-999999999999".to_owned(), vec![]);
    strange.insert("log-999999999999".to_owned(), image[&parts(&image)[0]].clone());
    let disk = SimDisk::new(strange);
    repair_disk(Arc::new(disk.clone())).unwrap();
    for _ in 0..2 {
        let (state, _) = logged(|| recovered(&disk, without_rotation()).unwrap().state);
        let found = answers(&Arc::new(state), &[Query::all()]).remove(0);
        assert_eq!(found.map(|rows| rows.len()), Ok(sent.len()));
    }
}

/// What a store leaves that puts keys of a directory in a part, and then in a log.
async fn part_and_log(own: &str, value: f64) -> (Image, Image) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let row = |key: &str, at| (key.to_owned(), at, value);
    put(&store, &[row(own, 10), row("all", 10)]).await.unwrap();
    within(store.close()).await;
    let closed = disk.visible();
    let store = open(&disk, without_rotation()).unwrap();
    put(&store, &[row(own, 20), row("all", 20), row(&format!("{own}.new"), 20)]).await.unwrap();
    let killed = disk.visible();
    within(store.close()).await;
    (closed, killed)
}

/// The files of two directories come together.
#[tokio::test]
async fn what_has_the_id_of_another_key_is_of_neither() {
    let (first, _) = part_and_log("ours", 1.0).await;
    for is_log in [true, false] {
        let (second, killed) = part_and_log("theirs", 2.0).await;
        let mut image = first.clone();
        if is_log {
            image.extend(killed.into_iter().filter(|(name, _)| name.starts_with("log-")));
        } else {
            image.insert(
                "part-000000000002-000000000002".to_owned(),
                second[&parts(&second)[0]].clone(),
            );
        }
        let at = if is_log { 20 } else { 10 };
        let disk = SimDisk::new(image);
        let is_refused = |state: &Arc<StoreState>| {
            let queries = [
                points(one("ours"), at, at),
                points(one("theirs"), at, at),
                Query::all(),
                points(one("ours"), 0, 9),
                points(one("all"), 0, 99),
                points(KeySelection::All, 21, 99),
            ];
            answers(state, &queries).iter().map(Result::is_err).collect::<Vec<_>>()
        };
        // Also after a part was written, and parts were merged.
        for start in 0..3 {
            let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
            if start == 0 {
                assert!(log.contains("series 0 is theirs here"), "{log}");
            }
            let what = format!("log {is_log}, start {start}");
            assert_eq!(is_refused(&store.state), [true, true, true, false, false, false], "{what}");
            let left = read_what_is_left(&store.state);
            let is_right = |row: &Row| match row.0.as_str() {
                "ours" => row.2 < 1.5,
                "theirs" => false,
                _ => true,
            };
            assert!(left.iter().all(is_right), "{what}: {left:?}");
            put(&store, &[row("later", 100 + start)]).await.unwrap();
            within(store.close()).await;
        }
        let store = open(&disk, without_rotation()).unwrap();
        for key in ["ours", "theirs"] {
            let deletion = Deletion { keys: one(key), window: Window::ALL };
            within(store.delete(deletion)).await.unwrap();
        }
        assert_eq!(is_refused(&store.state), [false; 6]);
        within(store.close()).await;
    }
}

/// A part that was merged into one that can't be opened still has its points.
#[tokio::test]
async fn a_part_in_place_of_others_that_cannot_be_opened_replaces_none() {
    let (image, sent) = store().await;
    let mut image = image;
    image.insert("part-000000000001-000000000009".to_owned(), vec![]);
    let disk = SimDisk::new(image);
    disk.on_call(|verb, name| {
        let is_it = name == "part-000000000001-000000000009";
        (is_it && verb == Verb::Open).then_some(io::ErrorKind::PermissionDenied)
    });
    let (state, log) = logged(|| recovered(&disk, without_rotation()).unwrap().state);
    assert!(log.contains("part-000000000001-000000000009 is left alone"), "{log}");
    let found = answers(&Arc::new(state), &[Query::all()]).remove(0).unwrap();
    assert_eq!(found.len(), sent.len());
}

/// Nothing else tells that there were more, after an orderly end and without a list.
#[tokio::test]
async fn a_part_in_place_of_others_counts_when_the_newest_of_them_is_gone() {
    let (image, sent) = store().await;
    let disk = SimDisk::new(image);
    let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
    within(store.close()).await;
    let mut image = disk.visible();
    let newest = parts(&image).pop().unwrap();
    let FileName::Part(segments) = FileName::parse(&newest) else { panic!("{newest}") };
    image.remove(&newest);
    image.retain(|name, _| !FileList::NAMES.contains(&&**name));
    image.insert(FileName::Part(1..=*segments.end()).to_string(), vec![]);
    let disk = SimDisk::new(image);
    for start in 0..2 {
        let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
        no_answer_looks_whole(&store.state, &sent, &[], &format!("start {start}: {log}"));
        within(store.close()).await;
    }
}

/// Also one in which nothing is left.
#[tokio::test]
async fn a_part_in_place_of_others_in_which_there_is_nothing_replaces_none() {
    let (image, sent) = store().await;
    let names = parts(&image);
    let (FileName::Part(first), FileName::Part(last)) =
        (FileName::parse(&names[0]), FileName::parse(names.last().unwrap()))
    else {
        panic!("{names:?}");
    };
    let larger = FileName::Part(*first.start()..=*last.end()).to_string();
    assert!(names.len() > 1 && !names.contains(&larger), "{names:?}");
    let far = "part-000000000001-999999999999".to_owned();
    let contents = [vec![], vec![0; 4096], b"notes".repeat(100)];
    for (content, larger) in
        contents.iter().flat_map(|content| [(content, &larger), (content, &far)])
    {
        let mut with_larger = image.clone();
        with_larger.insert(larger.clone(), content.clone());
        let disk = SimDisk::new(with_larger.clone());
        let (checked, _) =
            logged(|| check_disk(Arc::new(disk.clone()), without_rotation()).unwrap());
        assert!(checked[0].to_string().starts_with(larger), "{checked:?}");
        for start in 0..2 {
            let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
            assert_eq!(log.contains(&format!("{larger} is kept as damaged")), start == 0, "{log}");
            let found = answers(&store.state, &[Query::all()]).remove(0).unwrap();
            assert_eq!(found.len(), sent.len(), "{start}");
            within(store.close()).await;
        }
        assert_eq!(disk.visible()[&format!("damaged-{larger}")], *content);
        // Some of what it had is nowhere else.
        for gone in &names {
            let mut image = with_larger.clone();
            image.remove(gone);
            image.retain(|name, _| !FileList::NAMES.contains(&&**name));
            let disk = SimDisk::new(image);
            let (store, log) = logged(|| open(&disk, without_rotation()).unwrap());
            no_answer_looks_whole(&store.state, &sent, &[], &format!("without {gone}: {log}"));
            within(store.close()).await;
        }
    }
}
