use std::path::Path;

use super::{Alias, Described};
use crate::codegen::models::Models;

const SOURCE: &str = r#"
    #[derive(Deserialize)]
    pub struct Order {
        pub id: OrderId,
        #[serde(default, rename = "avgPrice", alias = "avg_price", with = "codec::decimal_opt")]
        pub price: Option<Decimal>,
        #[serde(default)]
        pub fills: Rows<Fill>,
    }
    positional! {
        /// A fill.
        pub struct Fill {
            /// Price.
            pub price: Decimal as codec::decimal,
            /// Fee.
            pub fee: Option<Decimal> as codec::decimal_opt,
        }
    }
"#;

/// What is wrong with the model of a list of orders.
fn differences(source: &str, essential: &[&str], alias: Option<(&str, &str)>) -> Vec<String> {
    let mut models = Models::empty();
    models.source(Path::new("spot/order.rs"), source).expect("Rust");
    let alias = alias.map(|(path, was)| Alias {
        path: path.to_owned(),
        was: was.to_owned(),
        source: "a capture".to_owned(),
    });
    let described = Described {
        essential: &essential.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>(),
        aliases: alias.as_slice(),
        fields: &[],
        is_hand_written: false,
        is_receipt: false,
    };
    described.compare(&models, "Rows<spot::Order>").expect("a type")
}

const ESSENTIAL: [&str; 2] = ["[].id", "[].fills[][0]"];
const ALIAS: Option<(&str, &str)> = Some(("[].avgPrice", "avg_price"));

#[test]
fn a_model_that_is_as_described_passes() {
    assert_eq!(differences(SOURCE, &ESSENTIAL, ALIAS), [""; 0]);
}

#[test]
fn a_member_that_is_stricter_than_described_is_named() {
    let strict = [
        ("pub id: OrderId", "pub id: OrderId, pub side: Side", "Order::side"),
        ("Option<Decimal> as codec::decimal_opt", "Decimal as codec::decimal", "Fill::fee"),
        ("#[serde(default)]", "", "Order::fills"),
        ("serde(default, ", "serde(", "Order::price"),
        (r#", with = "codec::decimal_opt""#, "", "Order::price"),
    ];
    for (from, to, name) in strict {
        let source = SOURCE.replacen(from, to, 1);
        // A list with something essential in it may be needed.
        let essential = if name == "Order::fills" { &ESSENTIAL[..1] } else { &ESSENTIAL[..] };
        let found = differences(&source, essential, ALIAS);
        assert!(found.iter().any(|fault| fault.contains(name)), "{name}: {found:?}");
    }
}

#[test]
fn a_member_that_is_laxer_than_described_is_named() {
    for (path, name) in [("[].avgPrice", "Order::price"), ("[].fills[][1]", "Fill::fee")] {
        let found = differences(SOURCE, &["[].id", "[].fills[][0]", path], ALIAS);
        assert!(matches!(&found[..], [one] if one.contains(name)), "{found:?}");
    }
    let found = differences(SOURCE, &["[].id", "[].fills[][0]", "[].state"], ALIAS);
    assert!(matches!(&found[..], [one] if one.contains("in no model")), "{found:?}");
}

#[test]
fn other_spellings_are_those_of_the_model() {
    let found = differences(SOURCE, &ESSENTIAL, None);
    assert!(matches!(&found[..], [one] if one.contains("avg_price")), "{found:?}");
    let found = differences(SOURCE, &ESSENTIAL, Some(("[].avgPrice", "priceAvg")));
    assert_eq!(found.len(), 2, "one is not described, one is not in the model: {found:?}");
}
