//! The fast decoder of books, compared with the general one.

use bitmart_types::dec;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

use super::*;
use crate::spot::{Depth, DepthUpdate};

const SAMPLE: &str = r#"{"data":[{"asks":[["23200","0.59959"],["23200.5","1"]],"bids":[],"ms_t":1698292358292,"symbol":"BTC_USDT","type":"update","version":5}],"table":"spot/depth/increase100"}"#;

const FULL_BOOK: &str = r#"{"table":"spot/depth5","data":[{"asks":[["161.96","7.37567"]],"bids":[["161.94","4.552355"]],"symbol":"ETH_USDT","ms_t":1542337219120}]}"#;

/// Values of members that the decoders do not know.
const UNKNOWN: [&str; 9] = [
    "5",
    "-5.5e3",
    "true",
    "null",
    r#""\t\"[""#,
    "[]",
    "[[5, {}] , \"]\"]",
    "{}",
    r#"{"asks" : [["1","2"]], "version":6}"#,
];

fn fast<T: FromParts>(text: &str) -> Option<T> {
    usual_frame(text).and_then(T::from_parts)
}

/// Decodes with the fast path and asserts that the general decoder agrees.
fn checked(text: &str) -> Option<DepthUpdate> {
    both_agree::<Depth>(text);
    both_agree(text)
}

fn both_agree<T: FromParts + PartialEq + std::fmt::Debug>(text: &str) -> Option<T> {
    let entry: T = fast(text)?;
    let mut general: Vec<T> = Vec::new();
    assert_eq!(decode_entries(text, &mut general), Ok(()), "{text}");
    assert_eq!(general, std::slice::from_ref(&entry), "{text}");
    Some(entry)
}

#[test]
fn accepts_the_usual_form() {
    let book = checked(SAMPLE).expect("read");
    assert_eq!(book.asks[1], Level { price: dec!(23200.5), size: dec!(1) });
    let reordered = r#"{"data":[{"version":0,"type":"snapshot","symbol":"Ä_USDT","bids":[["0.00000000000001","0"]],"asks":[]}],"table":""}"#;
    assert_eq!(checked(reordered).expect("read").bids.len(), 1);
    let book: Depth = both_agree(FULL_BOOK).expect("read");
    assert_eq!(book.asks, [Level { price: dec!(161.96), size: dec!(7.37567) }]);
}

#[test]
fn blanks_and_unknown_members_stay_on_the_fast_path() {
    let usual = fast::<DepthUpdate>(SAMPLE);
    let more =
        |text: &str| text.replacen("\"version\"", "\"new\":5,\"other\":\"x\",\"version\"", 1);
    for mark in ["{", "}", "[", "]", ",", ":", "\"data\"", "\"asks\"", "5}", "\"23200\""] {
        for blanks in [" ", "\t\r\n  "] {
            let before = SAMPLE.replace(mark, &format!("{blanks}{mark}"));
            let behind = SAMPLE.replace(mark, &format!("{mark}{blanks}"));
            for text in [before, behind] {
                assert_eq!(checked(&text), usual, "{text}");
                assert_eq!(checked(&more(&text)), usual, "{text}");
            }
        }
    }
}

#[test]
fn an_unknown_member_of_any_type_stays_on_the_fast_path() {
    let usual = fast::<DepthUpdate>(SAMPLE);
    for value in UNKNOWN {
        for place in ["\"asks\"", "\"version\"", "\"table\""] {
            let text = SAMPLE.replacen(place, &format!("\"new\":{value},{place}"), 1);
            assert_eq!(checked(&text), usual, "{text}");
        }
    }
}

#[test]
fn leaves_other_forms_to_the_general_decoder() {
    let odd = [
        ("\"23200\"", "23200"),
        ("\"23200\"", "\"-23200\""),
        ("\"23200\"", "\" 23200\""),
        ("\"23200\"", "\"23200.\""),
        ("\"23200\"", "\".5\""),
        ("\"23200\"", "\"2.3.2\""),
        ("\"23200\"", "\"\""),
        ("\"23200\"", "\"1e3\""),
        ("\"23200\"", "\"1234567890123456789\""),
        ("\"0.59959\"]", "\"0.59959\",\"4\"]"),
        (",\"0.59959\"", ""),
        ("\"version\":5", "\"version\":\"5\""),
        ("\"version\":5", "\"version\":05"),
        ("\"version\":5", "\"version\":5,\"version\":5"),
        ("\"version\":5", "\"new\":5"),
        ("\"version\":5", "\"version\":5,\"new\":[5"),
        ("\"version\":5", "\"version\":5,\"new\":05"),
        ("\"version\":5", "\"version\":5,\"new\":\"\\x\""),
        ("\"version\":5", "\"version\":5,\"new\":,"),
        ("\"version\":5", "\"version\":5,\"n\\u0065w\":5"),
        ("1698292358292", "0"),
        ("\"update\"", "\"other\""),
        ("BTC_USDT", "BTC\\u005fUSDT"),
        (",\"bids\"", ",\u{c}\"bids\""),
        ("}]", "},{}]"),
        ("increase100\"}", "increase100\"}}"),
    ];
    for (usual, odd) in odd {
        assert!(SAMPLE.contains(usual), "{usual}");
        assert_eq!(fast::<DepthUpdate>(&SAMPLE.replacen(usual, odd, 1)), None, "{odd}");
    }
}

/// Prices and sizes, mostly in the usual form.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "\"[0-9]{1,9}(\\.[0-9]{1,8})?\"",
        1 => "\"[-+ ]?[0-9.]{0,24}(e[0-9])?\"",
        1 => "[1-9][0-9]{0,4}(\\.[0-9]{1,4})?",
    ]
}

fn levels() -> impl Strategy<Value = String> {
    let row = prop_oneof![
        9 => prop::collection::vec(value(), 2),
        1 => prop::collection::vec(value(), 0..4),
    ];
    prop::collection::vec(row, 0..4).prop_map(|rows| {
        let rows: Vec<_> = rows.into_iter().map(|row| format!("[{}]", row.join(","))).collect();
        format!("[{}]", rows.join(","))
    })
}

fn members() -> impl Strategy<Value = Vec<String>> {
    let all = (levels(), levels(), any::<u64>(), "[ -~äß]{0,6}", 0..4_u8).prop_map(
        |(asks, bids, number, symbol, odd)| {
            let kind = if odd == 0 { "other" } else { "snapshot" };
            vec![
                format!(r#""asks":{asks}"#),
                format!(r#""bids":{bids}"#),
                format!(r#""ms_t":{}"#, number >> (odd * 8)),
                format!(r#""symbol":"{symbol}""#),
                format!(r#""type":"{kind}""#),
                format!(r#""version":{number}"#),
            ]
        },
    );
    let some = (all, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut all, at, cut)| {
        if cut {
            all.remove(at.index(6));
        }
        all
    });
    some.prop_shuffle()
}

proptest! {
    #[test]
    fn digits_stop_at_the_first_other_character(front in "[0-9]{0,18}", behind in "[^0-9].{0,9}|") {
        let text = format!("{front}{behind}");
        let mut value = 0;
        assert_eq!(digits(text.as_bytes(), &mut value), behind.as_bytes());
        assert_eq!(value, front.parse().unwrap_or(0));
    }

    #[test]
    fn agrees_with_the_general_decoder(
        members in members(),
        comma in prop_oneof![
            4 => Just(",".to_owned()),
            1 => Just(", ".to_owned()),
            1 => prop::sample::select(&UNKNOWN[..]).prop_map(|value| format!(",\n\"new\" : {value},")),
        ],
        blanks in prop_oneof![Just(""), Just(" "), Just("\t")],
    ) {
        let entry = members.join(&comma).replace('[', &format!("{blanks}[{blanks}"));
        checked(&format!(r#"{{"data":[{{{entry}}}],"table":"spot/depth/increase100"}}"#));
        checked(&format!(r#"{{"table":"spot/depth5","data":[{{{entry}}}]}}"#));
    }

    #[test]
    fn agrees_with_the_general_decoder_on_damaged_frames(
        place in any::<prop::sample::Index>(),
        put in prop::collection::vec(0x20_u8..0x7f, 0..3),
    ) {
        for sample in [SAMPLE, FULL_BOOK] {
            let mut bytes = sample.as_bytes().to_vec();
            let place = place.index(bytes.len());
            bytes.splice(place..=place, put.iter().copied());
            checked(&String::from_utf8(bytes).expect("ASCII"));
        }
    }
}
