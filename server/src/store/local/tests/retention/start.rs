//! What a start says of its retention, and of the one before.

use super::*;

#[tokio::test]
async fn a_start_says_its_retention_and_warns_when_it_is_shorter() {
    let said = |age: &str, hidden: u64| {
        let fate = "are hidden, and deleted after 1h of running time";
        format!("points older than {age} {fate} hidden_points={hidden}")
    };
    let (mut disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(1_000_000));
    let start = |disk: &SimDisk, retention: Option<u64>| -> Vec<String> {
        let retention = retention.map(Duration::from_secs);
        let config = LocalConfig { retention, log_limit: 1 << 30, ..clocks.config(HOUR) };
        let (state, log) = info_of(|| recovered(disk, config).unwrap().state);
        drop(state);
        let about = |line: &&str| line.contains("hidden_points=") || line.contains("OPTIONS");
        log.lines().filter(about).map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
    };
    assert_eq!(start(&disk, None), [""; 0]);
    assert!(!disk.visible().contains_key("OPTIONS"));
    assert_eq!(start(&disk, Some(WEEK)), [said("7d", 0)]);
    assert_eq!(disk.visible()["OPTIONS"], b"retention 604800\n");

    // Half of the points in a part, in one chunk, and half in the log.
    let points = |from| -> Vec<_> { (from..from + 50).map(|at| row("a", at)).collect() };
    let config = LocalConfig { log_limit: 1 << 30, ..clocks.config(WEEK) };
    let store = open(&disk, config.clone()).unwrap();
    assert_eq!(put(&store, &points(990_000)).await, Ok(vec![]));
    within(store.close()).await;
    let store = open(&disk, config).unwrap();
    assert_eq!(put(&store, &points(990_050)).await, Ok(vec![]));
    let killed = SimDisk::new(disk.visible());
    within(store.close()).await;
    disk = killed;

    let shorter = |age: &str, before: &str, hidden| {
        let fate = said(age, hidden);
        let (fate, count) = fate.rsplit_once(' ').unwrap();
        let advice = "to keep them, start with a longer --retention before that";
        format!("{before} at the last start: {fate}; {advice} {count}")
    };
    let (now, week) = (clocks.now().unsigned_abs(), "the retention was 7d");
    let hour = [shorter("1h", week, 100)];
    let cases = [
        (Some(WEEK), vec![said("7d", 0)]),
        (Some(now - 990_025), vec![shorter("2h46min15s", week, 25)]),
        (Some(now - 990_075), vec![shorter("2h45min25s", "the retention was 2h46min15s", 75)]),
        (None, vec![]),
        (Some(WEEK), vec![shorter("7d", "points were kept for ever", 0)]),
    ];
    for (retention, expected) in cases {
        assert_eq!(start(&disk, retention), expected, "{retention:?}");
    }
    let before = SimDisk::new(disk.visible());
    assert_eq!(start(&before, Some(HOUR)), hour);
    assert_eq!(start(&before, Some(HOUR)), [said("1h", 100)]);

    // What is not known is said, and a file that can't be written or read stops nothing.
    for bytes in [&b""[..], b"retention\n", b"retention -1\n", b"retention 7", b"\xff", &[7; 9999]]
    {
        let mut image = before.visible();
        image.insert("OPTIONS".to_owned(), bytes.to_vec());
        let damaged = SimDisk::new(image);
        let lines = start(&damaged, Some(HOUR)).join("\n");
        assert!(
            lines.contains("OPTIONS can't be read") && lines.contains("no retention is known"),
            "{lines}"
        );
        assert_eq!(start(&damaged, Some(HOUR)).len(), 1);
        let mut image = before.visible();
        image.insert("OPTIONS".to_owned(), bytes.to_vec());
        let damaged = SimDisk::new(image);
        assert_eq!((start(&damaged, None).len(), start(&damaged, None).len()), (1, 0));
    }
    for verb in [Verb::Create, Verb::Write, Verb::Sync, Verb::Rename] {
        let disk = SimDisk::new(disk.visible());
        disk.on_call(move |called, name| {
            (called == verb && name == "OPTIONS.tmp").then_some(io::ErrorKind::StorageFull)
        });
        for _ in 0..2 {
            let lines = start(&disk, Some(HOUR));
            assert_eq!((&lines[..1], lines.len()), (&hour[..], 2), "{verb:?}");
            assert!(lines[1].starts_with("can't write OPTIONS"), "{lines:?}");
        }
    }
    // After a power cut at any moment the old or the new retention is known.
    let disk = SimDisk::new(disk.visible());
    let known = [start(&disk, Some(HOUR)), vec![said("1h", 100)]];
    for moment in 0..=disk.operations() {
        for (seed, left) in [Left::Nothing, Left::Everything, Left::Some].into_iter().enumerate() {
            let random = Random(seed as u64);
            let image = disk.image(moment, &mut Survival { names: left, bytes: left, random });
            let again = start(&SimDisk::new(image), Some(HOUR));
            assert!(known.contains(&again), "{again:?}\n{}", disk.around(moment));
        }
    }
}
