use proptest::prelude::*;

use super::*;
use crate::system::os::terminal_input::TerminalReply;

/// What the pieces mean, in words; `…` in place of a piece is a wait without anything.
fn decoded(pieces: &[&[u8]]) -> String {
    let mut decoder = Decoder::default();
    for piece in pieces {
        if *piece == "…".as_bytes() {
            decoder.give_up();
        } else {
            decoder.feed(piece);
        }
    }
    let mut words = Vec::new();
    while let Some(input) = decoder.next() {
        words.push(word(&input));
    }
    if decoder.patience().is_some() {
        words.push("…".to_owned());
    }
    words.join(" ")
}

fn word(input: &TerminalInput) -> String {
    match input {
        TerminalInput::Event(Event::Key(key)) => {
            let held = [
                (KeyModifiers::CONTROL, "ctrl-"),
                (KeyModifiers::ALT, "alt-"),
                (KeyModifiers::SHIFT, "shift-"),
            ];
            let held = held.iter().filter(|(held, _)| key.modifiers.contains(*held));
            let held: String = held.map(|(_, name)| *name).collect();
            match key.code {
                KeyCode::Char(c) => format!("{held}{c}"),
                code => format!("{held}{code:?}"),
            }
        }
        TerminalInput::Event(Event::Paste(text)) => format!("paste({text})"),
        TerminalInput::Event(Event::Mouse(mouse)) => {
            format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row)
        }
        TerminalInput::Event(other) => format!("{other:?}"),
        TerminalInput::PasteGoesOn(text) => format!("more({text})"),
        TerminalInput::PasteDropped => "dropped".to_owned(),
        TerminalInput::Reply(TerminalReply::Foreground(light)) => format!("text={light}"),
        TerminalInput::Reply(TerminalReply::Background(light)) => format!("ground={light}"),
        TerminalInput::Reply(TerminalReply::Version(name)) => format!("name={name}"),
        TerminalInput::Reply(TerminalReply::Attributes) => "attributes".to_owned(),
    }
}

/// Keys as terminals send them.
const KEYS: &[(&str, &str)] = &[
    ("ab é火😀", "a b   é 火 😀"),
    ("\r\n\t\x7f\x08", "Enter Enter Tab Backspace ctrl-h"),
    ("\x01\x1a\x00\x1c\x1f", "ctrl-a ctrl-z ctrl-  ctrl-4 ctrl-_"),
    ("\x1bb\x1b\x7f\x1b\ré", "alt-b alt-Backspace alt-Enter é"),
    ("\x1bé", "alt-é"),
    ("\x1b[A\x1bOA\x1b[1;3D\x1b[1;5C\x1b[1;2B", "Up Up alt-Left ctrl-Right shift-Down"),
    ("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", "Home End Home End Home End"),
    ("\x1b[2~\x1b[3~\x1b[5~\x1b[6~\x1b[3;5~", "Insert Delete PageUp PageDown ctrl-Delete"),
    ("\x1bOP\x1b[15~\x1b[17~\x1b[24~\x1b[[A\x1b[[E\x1b[P", "F(1) F(5) F(6) F(12) F(1) F(5) F(1)"),
    ("\x1b[Z\x1b[9;2u\x1b[97;5u\x1b[27;5;98~", "shift-BackTab shift-BackTab ctrl-a ctrl-b"),
    // Of rxvt.
    (
        "\x1b[a\x1bOd\x1b[5^\x1b[3$\x1b[7@",
        "shift-Up ctrl-Left ctrl-PageUp shift-Delete ctrl-shift-Home",
    ),
    // Of a keypad.
    ("\x1bOM\x1bOq\x1bOk\x1bO5A", "Enter 1 + ctrl-Up"),
    // Of PuTTY, rxvt and Terminal.app.
    ("\x1b\x1b[D\x1b\x1bOC\x1b\x1b[3~\x1b\x1b[1;5A", "alt-Left alt-Right alt-Delete ctrl-alt-Up"),
    ("\x1b\x1b\x1b[D\x1b\x1bf", "Esc alt-Left Esc alt-f"),
    (
        "\x1b[<0;4;5M\x1b[<0;4;5m\x1b[<64;1;1M\x1b[<65;1;1M",
        "Down(Left)@3,4 Up(Left)@3,4 ScrollUp@0,0 ScrollDown@0,0",
    ),
    ("\x1b[M !!\x1b[M`\"#\x1b[32;2;3M", "Down(Left)@0,0 ScrollUp@1,2 Down(Left)@1,2"),
    ("\x1b[200~a\x1b[D\nb\x1b[201~c", "paste(a\x1b[D\nb) c"),
    ("\x1b[200~\x1b[201~\x1b[200~x\x1b[201~", "paste() paste(x)"),
];

/// Replies, of which those that are asked for mean something, and the others nothing.
const REPLIES: &[(&str, &str)] = &[
    ("\x1b]11;rgb:ffff/ffff/ffff\x07", "ground=1000"),
    ("\x1b]10;rgb:0000/0000/0000\x1b\\", "text=0"),
    ("\x1b[?62;22c", "attributes"),
    ("\x1b[?1;2c\x1b]11;rgb:00/00/00\x1b\\", "attributes ground=0"),
    ("\x1b]4;1;rgb:cd/00/00\x07", ""),
    ("\x1b]52;c;cHV0IGEgMQ==\x07", ""),
    ("\x1b]99999;whatever; this is\x1b\\", ""),
    ("\x1b[>41;354;0c\x1b[=0c\x1b[?2026;2$y\x1b[4;2$y\x1b[?0u", ""),
    ("\x1b[24;80R\x1b[?24;80R\x1b[0n\x1b[8;24;80t\x1b[I\x1b[O", ""),
    ("\x1bP>|XTerm(380)\x1b\\\x1bP1+r524742=38\x1b\\\x1bP!|00000000\x1b\\", "name=XTerm(380)"),
    ("\x1b_Gi=31;OK\x1b\\", ""),
];

#[test]
fn keys_are_decoded() {
    for (bytes, expected) in KEYS {
        assert_eq!(decoded(&[bytes.as_bytes()]), *expected, "{bytes:?}");
    }
}

#[test]
fn replies_are_no_keys_and_take_none_away() {
    for (reply, expected) in REPLIES {
        assert_eq!(decoded(&[reply.as_bytes()]), *expected, "{reply:?}");
        let among = format!("a\x1b[A{reply}b\x1b[B");
        let expected = format!("a Up {expected} b Down").replace("  ", " ");
        assert_eq!(decoded(&[among.as_bytes()]), expected, "{reply:?}");
    }
}

#[test]
fn an_esc_typed_before_a_reply_is_not_lost() {
    for (reply, expected) in REPLIES {
        let typed = format!("\x1b{reply}x");
        let expected = format!("Esc {expected} x").replace("  ", " ");
        assert_eq!(decoded(&[typed.as_bytes()]), expected, "{reply:?}");
    }
}

#[test]
fn everything_may_come_in_pieces() {
    for (bytes, expected) in KEYS.iter().chain(REPLIES) {
        let single: Vec<_> = bytes.as_bytes().chunks(1).collect();
        assert_eq!(decoded(&single), *expected, "{bytes:?}");
        for at in 0..bytes.len() {
            let (one, other) = bytes.as_bytes().split_at(at);
            assert_eq!(decoded(&[one, other]), *expected, "{bytes:?} at {at}");
        }
    }
}

#[test]
fn what_is_given_up_is_a_key_or_nothing() {
    for (pieces, expected) in [
        (&["\x1b", "…"][..], "Esc"),
        (&["\x1b"], "…"),
        (&["\x1b\x1b", "…"], "Esc Esc"),
        (&["\x1b", "…", "[D"], "Esc [ D"),
        (&["\x1b[", "…", "q"], "alt-[ q"),
        (&["\x1bO", "…"], "alt-O"),
        (&["\x1b]", "…", "1"], "alt-] 1"),
        (&["\x1b\x1b[", "…"], "Esc alt-["),
        (&["\x1b[1;", "…", "q"], "q"),
        (&["\x1bP", "…", "x"], "alt-P x"),
    ] {
        let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        assert_eq!(decoded(&pieces), expected, "{pieces:?}");
    }
    assert_eq!(decoded(&[b"\xe7\x81", "…".as_bytes(), b"a"]), "a");
}

#[test]
fn alt_with_a_letter_that_begins_strings_is_a_key() {
    assert_eq!(
        decoded(&[b"\x1b]get\x1bPut\x1b_a\x1bX\x1b^"]),
        "alt-] g e t alt-P u t alt-_ a alt-X alt-^"
    );
}

#[test]
fn the_rest_of_a_reply_that_was_given_up_is_no_key() {
    for (pieces, expected) in [
        (&["\x1b]11;rgb:ff", "…", "ff/0000/0000\x07q"][..], "q"),
        (&["\x1b]11;rgb:ff", "…", "ff/0/0\x1b\\q"], "q"),
        (&["\x1b]11;rgb:ff", "…", "q"], "q"),
        (&["\x1b]11;rgb:ffff/0/0\x1b", "…", "\\"], "ground=299 \\"),
        (&["\x1b[?62;", "…", "22cq"], "q"),
        (&["\x1b[?62;", "…", "\r"], "Enter"),
    ] {
        let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        assert_eq!(decoded(&pieces), expected, "{pieces:?}");
    }
}

#[test]
fn a_reply_that_is_cut_off_takes_no_key_away() {
    for (bytes, expected) in [
        // An Esc without its backslash, as some versions of urxvt end a reply.
        ("\x1b]11;rgb:ffff/ffff/ffff\x1b\x1b[A", "ground=1000 Up"),
        ("\x1b]11;rgb:ff\rget", "Enter g e t"),
        ("\x1b[?62\x03", "ctrl-c"),
        ("\x1b[1;\x1b[A", "Up"),
        ("\x1b[1é", "é"),
        ("\x1bO\r", "Enter"),
    ] {
        assert_eq!(decoded(&[bytes.as_bytes()]), expected, "{bytes:?}");
    }
}

#[test]
fn bytes_that_are_no_character_take_none_away() {
    assert_eq!(decoded(&[b"\xffa\xe7\x81b\xc3(\x80c\xf5\x90"]), "a b ( c");
}

#[test]
fn strings_and_sequences_without_an_end_are_bounded() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b]11;");
    for _ in 0..1000 {
        decoder.feed(&[b'x'; 1000]);
        assert!(decoder.pending.len() <= MAX_STRING, "{}", decoder.pending.len());
    }
    decoder.feed(b"\x07q");
    assert_eq!(decoder.next().map(|input| word(&input)).as_deref(), Some("q"));
    decoder.feed(b"\x1b[");
    for _ in 0..100 {
        decoder.feed(&[b'1'; 100]);
        assert!(decoder.pending.len() <= 2 * MAX_SEQUENCE + 100, "{}", decoder.pending.len());
    }
}

#[test]
fn a_paste_without_its_end_gives_the_keyboard_back() {
    for (pieces, expected) in [
        (&["\x1b[200~put a 1", "…"][..], "paste(put a 1)"),
        (&["\x1b[200~put a 1", "…", "\x1b[A", "…", "q"], "paste(put a 1) Up q"),
        // The mark comes later, alone or in pieces.
        (&["\x1b[200~put a 1", "…", "\x1b[201~q"], "paste(put a 1) q"),
        (&["\x1b[200~put a 1\x1b[2", "…", "01~q"], "paste(put a 1) q"),
        (&["\x1b[200~put a 1\x1b[2", "…", "q", "…"], "paste(put a 1) q"),
        // A key that is held down, and the letters of a slow line.
        (&["\x1b[200~put a 1", "…", "q", "q", "q", "…", "x"], "paste(put a 1) q q q x"),
        (
            &["\x1b[200~put a 1\n", "…", "put b", " 2\npu", "t c 3 4\n", "put d 1 1", "\x1b[201~q"],
            "paste(put a 1\n) more(put b 2\nput c 3 4\nput d 1 1) q",
        ),
        // More than a key is the rest of it.
        (
            &["\x1b[200~put a 1\n", "…", "put b 2\nput c 3 1\n", "\x1b[201~q"],
            "paste(put a 1\n) more(put b 2\nput c 3 1\n) q",
        ),
        (&["\x1b[200~", "…", "x", "…", "\x1b[201~"], "x"),
    ] {
        let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        assert_eq!(decoded(&pieces), expected, "{pieces:?}");
    }
}

#[test]
fn a_paste_that_never_ends_is_dropped_and_the_keyboard_comes_back() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~");
    let line = b"put a 1 1\n".repeat(100_000);
    for _ in 0..80 {
        decoder.feed(&line);
    }
    assert_eq!(decoder.next(), None);
    decoder.give_up();
    assert_eq!(decoder.next(), Some(TerminalInput::PasteDropped));
    assert_eq!(decoder.patience(), None, "the rest may never come");
    decoder.feed(b"q");
    decoder.give_up();
    assert_eq!(decoder.next().map(|input| word(&input)).as_deref(), Some("q"));
}

/// Bytes as terminals send them, cut and mixed with others.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let known = KEYS.iter().chain(REPLIES).map(|(bytes, _)| bytes.as_bytes().to_vec());
    let known = proptest::sample::select(known.collect::<Vec<_>>());
    let piece = prop_oneof![
        3 => known.clone(),
        2 => (known, 0..12_usize).prop_map(|(bytes, end)| bytes[..end.min(bytes.len())].to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
        1 => "[ -~\x1b]{0,4}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cuts_make_no_difference(bytes in input(), cuts in proptest::collection::vec(1..9_usize, 1..40)) {
        let whole = decoded(&[&bytes]);
        let (mut rest, mut pieces) = (&bytes[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(decoded(&pieces), whole);
    }

    #[test]
    fn nothing_is_waited_for_twice(bytes in input()) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes);
        decoder.give_up();
        decoder.give_up();
        prop_assert_eq!(decoder.patience(), None);
        prop_assert!(decoder.pending.is_empty());
    }
}
