//! No sequence of events at any size panics or makes the application restless.

use std::time::Duration;

use proptest::prelude::*;
use shared::response::Status;
use tui_client::app::msg::{Code, Key, Mouse, Msg, Pointer};
use tui_client::app::paste::{ImportEnd, ImportNews};
use tui_client::view::theme::Theme;

use crate::scene::Scene;
use crate::screen::draw;

#[derive(Debug, Clone)]
enum Step {
    Tell(Msg),
    Wait(u16),
    /// The oldest request gets this reply.
    Answer(Status, String),
}

fn key() -> impl Strategy<Value = Key> {
    let code = prop_oneof![
        proptest::char::any().prop_map(Code::Char),
        proptest::sample::select(vec![
            '?', 'q', 'a', 'r', 'w', 'x', '*', 'f', 'k', 'j', 'g', 'G', 'i', '/', '&', 'n', 'N',
            'y', 'e', 's', 'Y',
        ])
        .prop_map(Code::Char),
        proptest::sample::select(vec![
            Code::Enter,
            Code::Tab,
            Code::BackTab,
            Code::Esc,
            Code::Backspace,
            Code::Delete,
            Code::Up,
            Code::Down,
            Code::Left,
            Code::Right,
            Code::Home,
            Code::End,
            Code::PageUp,
            Code::PageDown,
            Code::F(1),
            Code::F(5),
            Code::F(6),
        ]),
    ];
    (code, proptest::bool::weighted(0.1), proptest::bool::weighted(0.1))
        .prop_map(|(code, ctrl, alt)| Key { code, ctrl, alt })
}

fn mouse() -> impl Strategy<Value = Mouse> {
    let what = vec![Pointer::Click, Pointer::WheelUp, Pointer::WheelDown];
    let place = prop_oneof![(0..200_u16, 0..60_u16), (any::<u16>(), any::<u16>())];
    (proptest::sample::select(what), place).prop_map(|(what, (column, row))| Mouse {
        what,
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
fn editing() -> impl Strategy<Value = Key> {
    let ctrl = proptest::sample::select(vec![
        'a', 'e', 'w', 'u', 'k', 'y', '_', 'r', 's', 'g', 'h', 'p', 'n', 'b', 'f', 'd',
    ]);
    let alt = prop_oneof![
        proptest::sample::select(vec!['b', 'f', 'd']).prop_map(Code::Char),
        Just(Code::Backspace)
    ];
    let text = proptest::sample::select(
        "put get a.b*\u{301}😀火 1e5-\u{200d}".chars().collect::<Vec<_>>(),
    );
    prop_oneof![ctrl.prop_map(Key::ctrl), alt.prop_map(Key::alt), text.prop_map(Key::char)]
}

fn news() -> impl Strategy<Value = ImportNews> {
    let end =
        proptest::sample::select(vec![None, None, Some(ImportEnd::Whole), Some(ImportEnd::Broken)]);
    (0..40_u64, any::<u64>(), any::<u64>(), ".{0,20}", end).prop_map(
        |(id, answered, refused, reason, end)| ImportNews {
            id,
            answered,
            refused,
            refusals: vec![(answered, reason)],
            bytes: refused,
            end,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let msg = prop_oneof![
        10 => key().prop_map(Msg::Key),
        6 => editing().prop_map(Msg::Key),
        1 => ".{0,60}".prop_map(Msg::Paste),
        2 => mouse().prop_map(Msg::Mouse),
        1 => "([a-z 0-9]{0,9}\n){0,99}".prop_map(Msg::Paste),
        1 => news().prop_map(Msg::Import),
        1 => proptest::collection::vec("[a-z 火😀]{0,9}", 0..9).prop_map(Msg::History),
        1 => (".{0,9}", any::<u64>()).prop_map(|(path, lines)| Msg::Saved { path, lines }),
        1 => ".{0,30}".prop_map(Msg::FileFailed),
        2 => (0..200_u16, 0..60_u16).prop_map(|(width, height)| Msg::Resize { width, height }),
        1 => (0..6_u16, 0..6_u16).prop_map(|(width, height)| Msg::Resize { width, height }),
        1 => Just(Msg::Connected),
        1 => ".{0,30}".prop_map(Msg::Disconnected),
        1 => (0..40_u64).prop_map(|id| Msg::NotSent { id }),
        1 => (0..40_u64, any::<u64>()).prop_map(|(id, points)| Msg::Progress { id, points }),
    ];
    let status = proptest::sample::select(vec![Status::Ok, Status::Ok, Status::Error]);
    prop_oneof![
        6 => msg.prop_map(Step::Tell),
        1 => (0..5000_u16).prop_map(Step::Wait),
        3 => (status, data()).prop_map(|(status, data)| Step::Answer(status, data)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(steps in proptest::collection::vec(step(), 1..60)) {
        let mut scene = Scene::new(80, 24, &["a", "😀.火"]);
        let (mut width, mut height) = (80, 24);
        for step in steps {
            match step {
                Step::Tell(msg) => {
                    if let Msg::Resize { width: w, height: h } = msg {
                        (width, height) = (w, h);
                    }
                    scene.tell(msg);
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
            draw(&scene, &Theme::colour(), width, height);
            draw(&scene, &Theme { ascii: true, ..Theme::plain() }, 33, 7);
        }
    }
}
