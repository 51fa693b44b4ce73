//! `repr.txt` was made once with Python: the bits of a float in hex, a blank, `repr(float)`.

use shared::point::{encode_value, parse_value};

#[test]
fn values_print_and_read_as_python_does() {
    let table = include_str!("../data/repr.txt");
    let mut rows = 0;
    for row in table.lines() {
        let (bits, text) = row.split_once(' ').unwrap();
        let value = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        let mut printed = Vec::new();
        encode_value(value, &mut printed);
        assert_eq!(String::from_utf8_lossy(&printed), text, "printing {bits}");
        assert_eq!(parse_value(text.as_bytes()).map(f64::to_bits), Ok(value.to_bits()), "{text}");
        rows += 1;
    }
    assert!(rows >= 10_000, "only {rows} rows");
}
