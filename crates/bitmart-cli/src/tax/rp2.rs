//! The files for `dali-rp2`, which creates the input of `rp2`, as its plugin `dali.plugin.input.csv.manual` reads them.
//!
//! A trade is a purchase of the received coin and a sale of the sent one; a fee is a separate row. Deposits and
//! withdrawals have one side: dali finds the other one by their id, the hash of the transaction, in the data of the
//! other wallet.

use bitmart::Decimal;

use super::format::{Format, Row, Settings, Table, seconds};
use super::line::{Amount, Line, LineKind, description, plain};
use crate::ledger::Entry;

const EXCHANGE: &str = "BitMart";
const HOLDER: &str = "account";
/// dali looks up prices with this value.
const UNKNOWN: &str = "__unknown";
/// The only coin whose price the user may set, with `--usdt-price`.
const PRICED_COIN: &str = "USDT";

pub(super) const FORMAT: Format = Format {
    name: "rp2",
    // As of dali-rp2 0.6.11.
    tables: &[
        Table {
            part: "in",
            columns: &[
                "unique_id",
                "timestamp",
                "asset",
                "exchange",
                "holder",
                "transaction_type",
                "spot_price",
                "crypto_in",
                "crypto_fee",
                "fiat_in_no_fee",
                "fiat_in_with_fee",
                "fiat_fee",
                "notes",
            ],
        },
        Table {
            part: "out",
            columns: &[
                "unique_id",
                "timestamp",
                "asset",
                "exchange",
                "holder",
                "transaction_type",
                "spot_price",
                "crypto_out_no_fee",
                "crypto_fee",
                "crypto_out_with_fee",
                "fiat_out_no_fee",
                "fiat_fee",
                "notes",
            ],
        },
        Table {
            part: "intra",
            columns: &[
                "unique_id",
                "timestamp",
                "asset",
                "from_exchange",
                "from_holder",
                "to_exchange",
                "to_holder",
                "spot_price",
                "crypto_sent",
                "crypto_received",
                "notes",
            ],
        },
    ],
    verified: true,
    rows,
    unsupported: &[LineKind::Loan, LineKind::LoanRepayment],
};

const IN: usize = 0;
const OUT: usize = 1;
const INTRA: usize = 2;

fn rows(settings: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    let row = RowBuilder { settings, entry, line };
    let mut rows = Vec::new();
    match line.kind {
        LineKind::Deposit | LineKind::Withdrawal | LineKind::FromSub | LineKind::ToSub => {
            rows.push(row.transfer());
            return rows;
        }
        _ => {}
    }
    if let Some(received) = &line.received {
        let kind = match line.kind {
            LineKind::Trade => "Buy",
            LineKind::Interest => "Interest",
            _ => "Income",
        };
        rows.push(row.bought(kind, received));
    }
    if let Some(sent) = &line.sent {
        // The tool has no type for losses and paid interest: what is not sold is a fee.
        rows.push(if line.kind == LineKind::Trade { row.sold(sent) } else { row.fee("", sent) });
    }
    if let Some(fee) = &line.fee {
        rows.push(row.fee("/fee", fee));
    }
    rows
}

struct RowBuilder<'a> {
    settings: &'a Settings,
    entry: &'a Entry,
    line: &'a Line,
}

impl RowBuilder<'_> {
    /// The first cells of every row. Each row has its own id: two rows of one id and coin would be read as the two
    /// sides of a transfer.
    fn head(&self, side: &str, coin: &str) -> [String; 5] {
        let id = format!("{}{side}", self.entry.id());
        let [exchange, holder] = [EXCHANGE, HOLDER].map(str::to_owned);
        [id, self.time(), coin.to_owned(), exchange, holder]
    }

    fn time(&self) -> String {
        let millis = self.entry.time.as_millis().rem_euclid(1_000);
        format!("{}.{millis:03}+00:00", seconds(self.entry.time))
    }

    fn notes(&self) -> String {
        let text = description(self.entry, self.line);
        self.entry.price.map_or(text.clone(), |price| format!("{text}, price {}", plain(price)))
    }

    fn bought(&self, kind: &str, (coin, amount): &Amount) -> Row {
        let none = String::new;
        let price = price(self.settings, self.entry, coin);
        let rest =
            [kind.to_owned(), price, plain(*amount), none(), none(), none(), none(), self.notes()];
        (IN, [&self.head("/in", coin)[..], &rest].concat())
    }

    fn sold(&self, (coin, amount): &Amount) -> Row {
        self.out("/out", "Sell", coin, plain(*amount), "0".to_owned())
    }

    fn fee(&self, side: &str, (coin, amount): &Amount) -> Row {
        self.out(side, "Fee", coin, "0".to_owned(), plain(*amount))
    }

    fn out(&self, side: &str, kind: &str, coin: &str, amount: String, fee: String) -> Row {
        let none = String::new;
        let price = price(self.settings, self.entry, coin);
        let rest = [kind.to_owned(), price, amount, fee, none(), none(), none(), self.notes()];
        (OUT, [&self.head(side, coin)[..], &rest].concat())
    }

    fn transfer(&self) -> Row {
        let Line { sent, received, fee, .. } = self.line;
        let (coin, amount) = sent.as_ref().or(received.as_ref()).cloned().unwrap_or_default();
        let [id, time, coin, exchange, holder] = self.head("", &coin);
        // Other wallets report the hash as well.
        let id = self.entry.tx_hash.clone().unwrap_or(id);
        let none = String::new;
        let price = price(self.settings, self.entry, &coin);
        let rest = if sent.is_some() {
            // The fee is the part that does not arrive.
            let fee = fee.as_ref().map_or(Decimal::ZERO, |(_, fee)| *fee);
            [exchange, holder, none(), none(), price, plain(amount + fee), none(), self.notes()]
        } else {
            [none(), none(), exchange, holder, price, none(), plain(amount), self.notes()]
        };
        (INTRA, [&[id, time, coin][..], &rest].concat())
    }
}

/// Price of a coin in the currency of the USDT price: known for USDT and for what was traded against it. dali looks up
/// all others.
fn price(settings: &Settings, entry: &Entry, coin: &str) -> String {
    known_price(settings, entry, coin).map_or(UNKNOWN.to_owned(), plain)
}

/// Like [`price`]; `None` if dali has to look it up.
pub(super) fn known_price(settings: &Settings, entry: &Entry, coin: &str) -> Option<Decimal> {
    let usdt_price = settings.usdt_price?;
    if coin == PRICED_COIN {
        return Some(usdt_price);
    }
    let (base, quote) = entry.symbol.as_deref()?.split_once('_')?;
    if quote != PRICED_COIN || base != coin {
        return None;
    }
    usdt_price.checked_mul(entry.price?).filter(|price| !price.is_zero())
}
