//! A put is acknowledged and seen when it is as durable as was promised, and not before.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Context, Waker};

use super::faults::{check, send};
use super::history::History;
use super::sim_disk::Verb;
use super::*;

/// Holds up the syncs of the log.
#[derive(Default)]
struct Gate {
    shut: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    fn wait<'g>(
        &'g self,
        guard: MutexGuard<'g, (bool, usize)>,
        until: impl Fn(&mut (bool, usize)) -> bool,
    ) -> MutexGuard<'g, (bool, usize)> {
        self.changed.wait_while(guard, |state| !until(state)).unwrap()
    }

    fn pass(&self) {
        let mut state = self.shut.lock().unwrap();
        state.1 += 1;
        self.changed.notify_all();
        drop(self.wait(state, |state| !state.0));
    }

    fn set(&self, shut: bool) {
        self.shut.lock().unwrap().0 = shut;
        self.changed.notify_all();
    }
}

#[tokio::test]
async fn a_put_is_neither_acknowledged_nor_seen_before_it_is_synced() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    let gate = Arc::new(Gate::default());
    gate.set(true);
    let keeper = Arc::clone(&gate);
    disk.on_call(move |verb, name| {
        if verb == Verb::Sync && name.starts_with("log-") {
            keeper.pass();
        }
        None
    });
    let row = [("a".to_owned(), 1, 1.0)];
    let mut put = Box::pin(super::put(&store, &row));
    let mut context = Context::from_waker(Waker::noop());
    assert!(put.as_mut().poll(&mut context).is_pending());
    let waiting = gate.shut.lock().unwrap();
    drop(gate.wait(waiting, |state| state.1 > 0));
    assert!(put.as_mut().poll(&mut context).is_pending(), "acknowledged before the sync");
    assert_eq!(read(&store.state).unwrap(), []);
    gate.set(false);
    assert_eq!(within(put).await, Ok(vec![]));
    assert_eq!(read(&store.state).unwrap(), row);
    within(store.close()).await;
}

#[tokio::test]
async fn with_an_interval_what_was_acknowledged_outlives_the_process() {
    let config = LocalConfig { durability: Durability::Interval, ..restless() };
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, config.clone()).unwrap();
    let mut history = History::default();
    for number in 0..40 {
        send(&store, &disk, &mut history, number).await.unwrap();
        settle(&store);
    }
    within(store.close()).await;
    for moment in 0..=disk.operations() {
        let found = recovered(&disk.killed_after(moment), config.clone()).unwrap();
        let fits = history.check(&read(&found.state).unwrap(), moment);
        assert_eq!(fits, Ok(()), "{}", disk.around(moment));
    }
    check(&disk, &history, "closed");
}
