//! No sequence of events at any size panics or makes the application restless.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use shared::response::Status;
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::import::{ImportEnd, ImportNews};
use tui_client::metrics::series::summary::Summarizer;
use tui_client::metrics::sort::{Order, Sorted};
use tui_client::view::{PlotCache, theme::Theme};

use crate::harness::scene::Scene;
use crate::harness::snapshot::{draw, draw_after};

/// The result of a sort job, whether or not one is under way.
fn arranged() -> impl Strategy<Value = Sorted> {
    let order = prop_oneof![
        (0..9_u32).prop_map(Order::Reply),
        proptest::collection::vec(0..9_u32, 0..9).prop_map(Order::Rows),
    ];
    (0..30_u64, data(), order).prop_map(|(id, data, order)| {
        let mut fold = Summarizer::new(8);
        fold.add_lines(data.as_bytes());
        Sorted { id, answer: Arc::new(fold.finish()), order }
    })
}

/// Text for the line inputs of the views, after the key that opens one.
fn line() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "/last > 1 and age < 5m\n",
        "/{a,b}*\n",
        "/not stale or\n",
        "!\n",
        "!*.temp rate > 0\n",
        "!a > -1\n",
        "Wa*\n",
        "Wb.c\n",
        "hhzz[y",
        "MfLL",
        "c jjj  c",
    ])
    .prop_map(str::to_owned)
}

#[derive(Debug, Clone)]
enum Step {
    Tell(Event),
    Wait(u16),
    /// To the next pane, then these keys.
    Keys(String),
    /// The oldest request gets this reply.
    Answer(Status, String),
}

fn key() -> impl Strategy<Value = KeyPress> {
    let code = prop_oneof![
        proptest::char::any().prop_map(KeyCode::Char),
        proptest::sample::select(vec![
            '?', 'q', 'a', 'r', 'w', 'x', '*', 'f', 'k', 'j', 'g', 'G', 'i', '/', '&', 'n', 'N',
            'y', 'e', 'E', 's', 'Y', '<', '>', 'o', 'c', 'h', 'l', 'H', 'L', 'z', 'Z', '[', ']',
            '0', '2', '9', 'm', 'M', '!', 'd', 'p', '+', '-', 'W', ' ', 't',
        ])
        .prop_map(KeyCode::Char),
        proptest::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Esc,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::F(1),
            KeyCode::F(5),
            KeyCode::F(6),
        ]),
    ];
    (code, proptest::bool::weighted(0.1), proptest::bool::weighted(0.1))
        .prop_map(|(code, ctrl, alt)| KeyPress { code, ctrl, alt })
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let what = vec![MouseKind::Click, MouseKind::WheelUp, MouseKind::WheelDown];
    let place = prop_oneof![(0..200_u16, 0..60_u16), (any::<u16>(), any::<u16>())];
    (proptest::sample::select(what), place).prop_map(|(what, (column, row))| MouseEvent {
        kind: what,
        column,
        row,
    })
}

fn data() -> impl Strategy<Value = String> {
    let timestamp = prop_oneof![any::<i64>(), 1_150_864_000..1_150_864_300_i64];
    let value = prop_oneof![any::<f64>().prop_filter("finite", |v| v.is_finite()), -10.0..10.0];
    let line = ("[a-c火😀.]{1,40}", value, timestamp)
        .prop_map(|(key, value, timestamp)| format!("{key} {value:?} {timestamp}\n"));
    prop_oneof![
        9 => proptest::collection::vec(line, 0..40).prop_map(|lines| lines.concat()),
        1 => ".{0,50}\n",
    ]
}

/// The keys of the command line, and the text around them.
fn editing() -> impl Strategy<Value = KeyPress> {
    let ctrl = proptest::sample::select(vec![
        'a', 'e', 'w', 'u', 'k', 'y', '_', 'r', 's', 'g', 'h', 'p', 'n', 'b', 'f', 'd',
    ]);
    let alt = prop_oneof![
        proptest::sample::select(vec!['b', 'f', 'd']).prop_map(KeyCode::Char),
        Just(KeyCode::Backspace)
    ];
    let text = proptest::sample::select(
        "put get a.b*\u{301}😀火 1e5-\u{200d}".chars().collect::<Vec<_>>(),
    );
    prop_oneof![
        ctrl.prop_map(KeyPress::ctrl),
        alt.prop_map(KeyPress::alt),
        text.prop_map(KeyPress::char)
    ]
}

fn news() -> impl Strategy<Value = ImportNews> {
    let ends = [ImportEnd::Whole, ImportEnd::Broken, ImportEnd::Stopped].map(Some);
    let end = prop_oneof![Just(None), proptest::sample::select(ends.to_vec())];
    (0..40_u64, any::<u64>(), any::<u64>(), ".{0,20}", end).prop_map(
        |(id, answered, refused, reason, end)| ImportNews {
            id,
            answered,
            sent: refused,
            refused,
            refusals: vec![reason],
            end,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let msg = prop_oneof![
        10 => key().prop_map(Event::Key),
        6 => editing().prop_map(Event::Key),
        1 => ".{0,60}".prop_map(Event::Paste),
        2 => mouse().prop_map(Event::Mouse),
        1 => "([a-z 0-9]{0,9}\n){0,99}".prop_map(Event::Paste),
        1 => news().prop_map(Event::Import),
        1 => proptest::collection::vec("[a-z 火😀]{0,9}", 0..9).prop_map(Event::History),
        1 => (".{0,9}", any::<u64>()).prop_map(|(path, lines)| Event::Saved { path, lines }),
        1 => (".{0,9}", ".{0,9}").prop_map(|(path, reason)| Event::NotSaved { path, reason }),
        1 => ".{0,9}".prop_map(|path| Event::PictureSaved { path }),
        1 => (".{0,9}", ".{0,9}").prop_map(|(path, typed)| Event::ViewSaved { path, typed }),
        1 => (".{0,9}", ".{0,9}")
            .prop_map(|(path, reason)| Event::ViewNotSaved { path, reason }),
        1 => (".{0,9}", ".{0,9}")
            .prop_map(|(path, reason)| Event::PictureNotSaved { path, reason }),
        1 => ".{0,30}".prop_map(Event::FileFailed),
        2 => (0..200_u16, 0..60_u16).prop_map(|(width, height)| Event::Resize { width, height }),
        1 => (0..6_u16, 0..6_u16).prop_map(|(width, height)| Event::Resize { width, height }),
        1 => Just(Event::Connected),
        1 => ".{0,30}".prop_map(Event::Disconnected),
        1 => (0..40_u64).prop_map(|id| Event::NotSent { id }),
        1 => arranged().prop_map(Event::Sorted),
        1 => (0..40_u64, any::<(u64, u64)>())
            .prop_map(|(id, (points, bytes))| Event::Progress { id, points, bytes }),
        1 => (0..40_u64).prop_map(|id| Event::ReplyBegins { id, status: Status::Ok }),
        1 => (0..40_u64, data()).prop_map(|(id, lines)| Event::Lines { id, status: Status::Ok, lines }),
    ];
    let status = proptest::sample::select(vec![Status::Ok, Status::Ok, Status::Error]);
    prop_oneof![
        6 => msg.prop_map(Step::Tell),
        1 => (0..5000_u16).prop_map(Step::Wait),
        2 => line().prop_map(Step::Keys),
        3 => (status, data()).prop_map(|(status, data)| Step::Answer(status, data)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn random_events_never_panic(steps in proptest::collection::vec(step(), 1..60)) {
        let mut scene = Scene::alerted(80, 24, &["a", "😀.火", "b*"], &["a > 0", "c* age > 1m"]);
        let (mut width, mut height) = (80, 24);
        let mut plots = PlotCache::default();
        for step in steps {
            match step {
                Step::Tell(msg) => {
                    if let Event::Resize { width: w, height: h } = msg {
                        (width, height) = (w, h);
                    }
                    scene.tell(msg);
                }
                Step::Keys(keys) => {
                    scene.code(KeyCode::Tab);
                    for c in keys.chars() {
                        scene.press(match c {
                            '\n' => KeyPress::plain(KeyCode::Enter),
                            c => KeyPress::char(c),
                        });
                    }
                }
                Step::Wait(millis) => scene.wait(Duration::from_millis(millis.into())),
                Step::Answer(status, data) => {
                    if let Some(request) = scene.sent.first() {
                        let line = request.line.clone();
                        scene.answer(&line, status, &data);
                    }
                }
            }
            // The terminal may lag behind the application, and the other way round.
            let fresh = draw(&scene, &Theme::colour(), width, height);
            let drawn = draw_after(&scene, &Theme::colour(), &mut plots, width, height);
            prop_assert_eq!(fresh.buffer(), drawn.buffer(), "nothing of an earlier frame is left");
            draw(&scene, &Theme { ascii: true, ..Theme::plain() }, 33, 7);
        }
    }
}
