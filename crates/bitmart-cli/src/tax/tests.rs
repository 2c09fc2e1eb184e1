//! Compares each kind of event in each format with reviewed files.

use bitmart::Decimal;

use super::format::{FORMATS, Settings, rows_of};
use super::line::lines;
use crate::ledger::{Entry, Kind, Movement, Wallet};
use crate::timezone;

/// Environment variable to write the files instead of comparing them.
const WRITE: &str = "BITMART_GOLDEN";

fn entry(number: i64, kind: Kind, movements: &[(Wallet, Kind, &str, &str)]) -> Entry {
    let movements = movements.iter().map(|(wallet, kind, coin, amount)| Movement {
        wallet: wallet.clone(),
        kind: *kind,
        coin: (*coin).to_owned(),
        amount: amount.parse().expect("a number"),
    });
    Entry {
        time: bitmart::Timestamp::from_millis(1_743_296_399_250 + number * 1_000),
        kind,
        movements: movements.collect(),
        dataset: "list".to_owned(),
        row: number.to_string(),
        symbol: None,
        order_id: None,
        trade_id: None,
        tx_hash: None,
        price: None,
        note: None,
        is_fee_unknown: false,
    }
}

fn entries() -> Vec<Entry> {
    use Kind::{
        Deposit, EarnInterest, Fee, Funding, Liquidation, Loan, LoanRepayment, MarginInterest,
        Other, RealisedProfit, Rebate, Trade, Transfer, Withdrawal,
    };
    use Wallet::{Earn, Futures, Spot};
    let margin = || Wallet::Margin("ETH_BTC".to_owned());
    let sub = || Wallet::SubAccount("a@b".to_owned());
    let mut entries = vec![
        entry(1, Deposit, &[(Spot, Deposit, "USDT", "1000.50")]),
        entry(
            2,
            Trade,
            &[
                (Spot, Trade, "BTC", "0.01"),
                (Spot, Trade, "USDT", "-600.1230"),
                (Spot, Fee, "BTC", "-0.00001"),
            ],
        ),
        entry(
            3,
            Trade,
            &[
                (margin(), Trade, "ETH", "-1.000000000000000001"),
                (margin(), Trade, "BTC", "0.05"),
                (margin(), Rebate, "BMX", "0.3"),
            ],
        ),
        entry(4, Withdrawal, &[(Spot, Withdrawal, "BTC", "-0.004"), (Spot, Fee, "BTC", "-0.0005")]),
        entry(5, Transfer, &[(Spot, Transfer, "USDT", "-50")]),
        entry(6, Transfer, &[(Futures, Transfer, "USDT", "50")]),
        entry(7, Transfer, &[(Spot, Transfer, "USDT", "-20"), (Earn, Transfer, "USDT", "20")]),
        entry(8, Transfer, &[(Spot, Transfer, "USDT", "-5"), (sub(), Transfer, "USDT", "5")]),
        entry(9, EarnInterest, &[(Spot, EarnInterest, "USDT", "0.00000001")]),
        entry(10, Loan, &[(margin(), Loan, "BTC", "0.1")]),
        entry(
            11,
            LoanRepayment,
            &[
                (margin(), LoanRepayment, "BTC", "-0.1"),
                (margin(), MarginInterest, "BTC", "-0.0001"),
            ],
        ),
        entry(12, RealisedProfit, &[(Futures, RealisedProfit, "USDT", "12.5")]),
        entry(13, RealisedProfit, &[(Futures, RealisedProfit, "USDT", "-3.25")]),
        entry(14, Funding, &[(Futures, Funding, "USDT", "0.02")]),
        entry(15, Funding, &[(Futures, Funding, "USDT", "-0.03")]),
        entry(16, Fee, &[(Futures, Fee, "USDT", "-0.6")]),
        entry(17, Rebate, &[(Futures, Rebate, "USDT", "0.1")]),
        entry(18, Liquidation, &[(Futures, Liquidation, "USDT", "-30")]),
        entry(19, Other, &[(Futures, Other, "USDT", "-1")]),
        entry(20, Transfer, &[(Spot, Transfer, "USDT", "4"), (sub(), Transfer, "USDT", "-4")]),
    ];
    (entries[0].tx_hash, entries[0].note) = (Some("0xabc".to_owned()), Some("TRC20".to_owned()));
    let market = |symbol: &str, price: &str| {
        (Some(symbol.to_owned()), Some(price.parse::<Decimal>().expect("a price")))
    };
    (entries[1].symbol, entries[1].price) = market("BTC_USDT", "60012.30");
    (entries[2].symbol, entries[2].price) = market("ETH_BTC", "0.05");
    // Foreign text must not break a line or begin a formula.
    entries[18].note = Some("=cmd|'\n\", a \"quoted\" name".to_owned());
    entries
}

#[test]
fn writes_every_kind_of_event_as_in_the_reviewed_files() {
    let zone = timezone::parse("Europe/Vienna").expect("a zone");
    let settings = Settings { zone, usdt_price: Some("0.92".parse().expect("a price")) };
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tax/golden");
    for format in &FORMATS {
        let mut writers: Vec<_> =
            format.tables.iter().map(|_| csv::Writer::from_writer(Vec::new())).collect();
        for (writer, table) in writers.iter_mut().zip(format.tables) {
            writer.write_record(table.columns).expect("a header");
        }
        for entry in entries() {
            for (table, row) in rows_of(format, &settings, &entry, &lines(&entry)) {
                // Fails unless there are as many cells as columns.
                writers[table].write_record(&row).expect("a row");
            }
        }
        for (writer, table) in writers.into_iter().zip(format.tables) {
            let text = String::from_utf8(writer.into_inner().expect("rows")).expect("text");
            let part =
                if table.part.is_empty() { String::new() } else { format!("-{}", table.part) };
            let path = folder.join(format!("{}{part}.csv", format.name));
            if std::env::var_os(WRITE).is_some() {
                std::fs::write(&path, &text).expect("written");
            }
            let wanted = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
            assert_eq!(text, wanted, "{}", path.display());
        }
    }
}

#[test]
fn a_side_that_moved_nothing_does_not_take_the_place_of_the_other() {
    use Kind::Trade;
    use Wallet::Spot;
    let bought = entry(1, Trade, &[(Spot, Trade, "BTC", "0.01"), (Spot, Trade, "USDT", "0")]);
    let line = lines(&bought).remove(0);
    assert_eq!(line.received, Some(("BTC".to_owned(), "0.01".parse().expect("a number"))));
    assert_eq!(line.sent, None);
}
