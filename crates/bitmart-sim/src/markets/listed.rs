//! The default markets. The rules of BTC are those of the documented samples; other markets follow in proportion, at
//! plausible prices.

use rust_decimal::Decimal;

use super::{Contract, SpotPair};

/// A pair with USDT: base, decimals of price and size, start price as units and decimals, and starting balance of the
/// base.
type Row = (&'static str, u32, u32, (i64, u32), i64);

// Rule: BTC_USDT has the lot and the coarsest tick of the sample; other pairs follow in proportion. Source:
// documented (a sample, endpoint spot_symbol_details); simplified (the sample accepts up to 6 decimals of a
// price); invented (the other pairs)
const PAIRS: [Row; 20] = [
    ("BTC", 2, 5, (60_000, 0), 100_000),
    ("ETH", 2, 4, (3_000, 0), 50),
    ("SOL", 2, 3, (150, 0), 500),
    ("XRP", 4, 1, (6_000, 4), 50_000),
    ("BMX", 4, 1, (3_500, 4), 100_000),
    ("BNB", 2, 3, (550, 0), 50),
    ("DOGE", 5, 0, (12_500, 5), 200_000),
    ("ADA", 4, 1, (4_500, 4), 50_000),
    ("TRX", 5, 0, (15_000, 5), 200_000),
    ("AVAX", 3, 2, (28, 0), 1_000),
    ("LINK", 3, 2, (14, 0), 2_000),
    ("DOT", 3, 2, (65, 1), 5_000),
    ("LTC", 2, 3, (75, 0), 400),
    ("BCH", 2, 3, (380, 0), 80),
    ("UNI", 3, 2, (9, 0), 3_000),
    ("ATOM", 3, 2, (75, 1), 4_000),
    ("NEAR", 3, 2, (5, 0), 6_000),
    ("APT", 3, 2, (8, 0), 4_000),
    ("ARB", 4, 1, (7_500, 4), 40_000),
    ("SHIB", 8, 0, (1_750, 8), 2_000_000_000),
];

type ContractRow = (&'static str, (i64, u32), u32, (i64, u32));

/// Contracts with USDT: base, size of a contract, decimals of a price, start price. Size and start price are units and
/// decimals.
// Rule: BTCUSDT has the size and tick of the sample; other contracts follow in proportion. Source: documented
// (a sample, endpoint futures_contracts); invented (the other contracts)
const CONTRACTS: [ContractRow; 10] = [
    ("BTC", (1, 3), 1, (60_000, 0)),
    ("ETH", (1, 2), 2, (3_000, 0)),
    ("SOL", (1, 0), 3, (150, 0)),
    ("XRP", (10, 0), 4, (6_000, 4)),
    ("BNB", (1, 2), 2, (550, 0)),
    ("DOGE", (100, 0), 5, (12_500, 5)),
    ("ADA", (10, 0), 4, (4_500, 4)),
    ("AVAX", (1, 0), 3, (28, 0)),
    ("LINK", (1, 0), 3, (14, 0)),
    ("LTC", (1, 1), 2, (75, 0)),
];

pub(crate) fn pairs() -> Vec<SpotPair> {
    let pair = |(base, price_decimals, size_decimals, (units, decimals), _): Row| {
        SpotPair::new(base, "USDT", price_decimals, size_decimals, Decimal::new(units, decimals))
    };
    PAIRS.map(pair).to_vec()
}

pub(crate) fn contracts() -> Vec<Contract> {
    CONTRACTS
        .map(|(base, size, price_decimals, price)| {
            let (size, price) = (Decimal::new(size.0, size.1), Decimal::new(price.0, price.1));
            Contract::new(base, "USDT", size, price_decimals, price)
        })
        .to_vec()
}

// Rule: A new account holds enough to run the quick start of every language several times. Source: invented (a
// sandbox needs money)
/// Returns the default spot balances. The quick start of BitMart's documents sells 100 BTC in nearly every language,
/// and 10,000 in one.
pub(crate) fn spot_funds() -> Vec<(String, Decimal)> {
    let coins = PAIRS.map(|row| (row.0.to_owned(), Decimal::from(row.4)));
    [("USDT".to_owned(), Decimal::from(100_000))].into_iter().chain(coins).collect()
}
