//! Points far ahead of the clock.

use super::*;

/// The chunks of a store: series, number of points, last timestamp.
fn chunks(state: &StoreState) -> Vec<(u32, u32, i64)> {
    let chunk = |entry: ChunkEntry| (entry.series, entry.count, entry.last);
    parts(state)
        .iter()
        .flat_map(|part| part.table().iter().map(chunk).collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn strays_get_chunks_of_their_own() {
    let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(1_000_000));
    let store = clocks.open(&disk, HOUR);
    let now = clocks.now();
    let rows = [row("a", now - 1), row("a", now + 60), far("a", 1), far("b", 2), row("b", now)];
    assert_eq!(put(&store, &rows).await, Ok(vec![]));
    within(store.close()).await;
    let own = [(0, 2, now + 60), (0, 1, FAR + 1), (1, 1, now), (1, 1, FAR + 2)];
    assert_eq!(chunks(&store.state), own);
    // A merge keeps them so.
    let state = recovered(&disk, clocks.config(HOUR)).unwrap().state;
    let all = parts(&state);
    compaction::merge(&state, &all, state.expiry()).unwrap();
    assert_eq!(chunks(&state), own);
    assert_eq!(sorted(read(&state).unwrap()), sorted(rows.into()));
}

/// Chunks of a time at which nothing was a stray.
#[tokio::test]
async fn strays_keep_no_expired_points_on_the_disk() {
    for strays in [1, 30] {
        let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(FAR + 1000));
        let config = LocalConfig { log_limit: 1 << 30, ..clocks.config(1 << 40) };
        // Two, which are not merged for the sake of their size.
        for part in 0..2 {
            let store = open(&disk, config.clone()).unwrap();
            let old = (0..10).map(|at| row(&format!("key{}", at % 2), part * 10 + at));
            let strays = (0..strays).map(|at| far(&format!("key{}", at % 2), part * 100 + at));
            let rows: Vec<_> = old.chain(strays).collect();
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            within(store.close()).await;
        }
        clocks.now.store(1_000_000, Ordering::SeqCst);
        let store = clocks.open(&disk, HOUR);
        let is_mixed = |entry: ChunkEntry| entry.first < 100 && entry.last >= FAR;
        let any_mixed = |part: &Arc<Part>| part.table().iter().any(is_mixed);
        assert!(parts(&store.state).iter().all(any_mixed));
        for _ in 0..60 {
            assert!(parts(&store.state).iter().all(any_mixed));
            clocks.pass_minute(&store);
        }
        let points = || parts(&store.state).iter().map(|part| part.points()).sum::<u64>();
        until(|| points() == 2 * u64::try_from(strays).unwrap());
        within(store.close()).await;
    }
}

#[tokio::test]
async fn few_chunks_are_read_for_strays_at_a_time_and_each_once() {
    let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(FAR + 1000));
    let store = clocks.open(&disk, 1 << 40);
    let keys = 0..600_i64;
    let rows: Vec<_> = keys
        .flat_map(|key| {
            let key = format!("key{key}");
            [row(&key, 1), row(&key, 2), far(&key, 3)]
        })
        .collect();
    assert_eq!(put(&store, &rows).await, Ok(vec![]));
    within(store.close()).await;
    drop(store);
    let state = recovered(&disk, clocks.config(HOUR)).unwrap().state;
    let all = parts(&state);
    let reads = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&reads);
    disk.on_call(move |verb, _| {
        counter.fetch_add(u64::from(verb == Verb::Read), Ordering::SeqCst);
        None
    });
    let expiry = Expiry { cutoff: 3, newest: 1_000_000 };
    let mut present = PresentPoints::default();
    let mut shares = Vec::new();
    for read in [256, 512, 600, 600] {
        present.read(&all, expiry);
        assert_eq!(reads.load(Ordering::SeqCst), read);
        shares.push(
            compaction::candidate(&all[0], &HiddenTimes::default(), expiry, &present, false)
                .expired,
        );
    }
    assert!(shares[0] < 0.5 && shares[1] > 0.5, "{shares:?}");
    assert!((shares[3] - 1.0).abs() < 1e-9);
}
