//! A disk that fills up.

use std::sync::atomic::Ordering;

use super::faults::{FULL, check, fail_at, resumes, send};
use super::history::History;
use super::random::Random;
use super::sim_disk::Verb;
use super::sim_disk::power_cut::{Left, Survival};
use super::*;

/// What was written of a refused put is not there after a power cut.
fn check_refused_stay_absent(disk: &SimDisk, history: &History) {
    let now = disk.operations();
    for seed in 0..8 {
        let (names, bytes) = (Left::Everything, Left::Some);
        let image = disk.image(now, &mut Survival { names, bytes, random: Random(seed) });
        let found = recovered(&SimDisk::new(image), restless()).unwrap();
        let fits = history.check(&read(&found.state).unwrap(), now);
        assert_eq!(fits, Ok(()), "seed {seed}\n{}", disk.around(now));
    }
}

fn takes_room(verb: Verb, _: &str) -> bool {
    matches!(verb, Verb::Create | Verb::Write)
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_moment_refuses_puts_for_a_moment() {
    for times in [1, 4] {
        let mut first = 0;
        loop {
            let disk = SimDisk::new(Image::new());
            let store = open(&disk, restless()).unwrap();
            let seen = fail_at(&disk, (first, times), FULL, takes_room);
            let mut history = History::default();
            for number in 0..40 {
                match send(&store, &disk, &mut history, number).await {
                    Ok(())
                    | Err(PutError::Unavailable(Unavailable::DiskFull | Unavailable::Stalled)) => {}
                    Err(error) => panic!("{error} at {:?}", seen.1),
                }
                let now = disk.operations();
                let fits = history.check(&read(&store.state).unwrap(), now);
                assert_eq!(fits, Ok(()), "full at {:?}\n{}", seen.1, disk.around(now));
                settle(&store);
            }
            resumes(&store, &disk, &mut history).await;
            within(store.close()).await;
            check(&disk, &history, &format!("full at {:?}", seen.1));
            if seen.0.load(Ordering::SeqCst) < first {
                break;
            }
            first += 1;
        }
        assert!(first > 80, "only {first} calls were tried");
    }
}

#[tokio::test]
async fn a_disk_without_room_refuses_puts_until_there_is_room_again() {
    for room in (0..4000).step_by(37) {
        let disk = SimDisk::new(Image::new());
        let store = open(&disk, restless()).unwrap();
        let mut history = History::default();
        disk.set_room(Some(room));
        let mut refused = 0;
        let mut number = 0;
        while refused < 5 {
            match send(&store, &disk, &mut history, number).await {
                Ok(()) => {}
                Err(PutError::Unavailable(Unavailable::DiskFull | Unavailable::Stalled)) => {
                    refused += 1;
                    check_refused_stay_absent(&disk, &history);
                }
                Err(error) => panic!("{error} with room for {room}"),
            }
            number += 1;
            let fits = history.check(&read(&store.state).unwrap(), disk.operations());
            assert_eq!(fits, Ok(()), "with room for {room}");
            assert!(number < 5000, "never full with room for {room}");
        }
        check(&disk, &history, &format!("with room for {room}"));
        disk.set_room(None);
        resumes(&store, &disk, &mut history).await;
        check(&disk, &history, &format!("after room for {room}"));
        within(store.close()).await;
        check(&disk, &history, &format!("closed after room for {room}"));
    }
}

#[tokio::test]
async fn without_new_files_memory_stays_bounded() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let mut history = History::default();
    disk.on_call(|verb, _| (verb == Verb::Create).then_some(FULL));
    let mut number = 0;
    while send(&store, &disk, &mut history, number).await != Err(Unavailable::DiskFull.into()) {
        number += 1;
        assert!(number < 100, "the heads grow and grow");
    }
    disk.no_faults();
    resumes(&store, &disk, &mut history).await;
    within(store.close()).await;
    check(&disk, &history, "closed");
}
