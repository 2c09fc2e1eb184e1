//! Rows of the formats of one line for each event. The columns are those that the tools publish: see
//! `docs/tax.md` for where and when.

use super::format::{Format, Row, Table, Terms, seconds, sides};
use super::line::{Line, What, plain};
use crate::ledger::{Entry, Kind};

/// What tools call this account.
const ACCOUNT: &str = "BitMart";

pub(super) const BITTYTAX: Format = Format {
    name: "bittytax",
    tables: &[Table {
        part: "",
        // As in `TransactionRow.HEADER` of BittyTax 0.6.0.
        columns: &[
            "Type",
            "Buy Quantity",
            "Buy Asset",
            "Buy Value",
            "Sell Quantity",
            "Sell Asset",
            "Sell Value",
            "Fee Quantity",
            "Fee Asset",
            "Fee Value",
            "Wallet",
            "Timestamp",
            "Note",
        ],
    }],
    verified: true,
    rows: bittytax,
    lacks: &[],
};

fn bittytax(_: &Terms, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.what {
        What::Trade => "Trade",
        What::Deposit | What::FromSub => "Deposit",
        What::Withdrawal | What::ToSub => "Withdrawal",
        What::Interest => "Interest",
        What::Rebate => "Fee-Rebate",
        What::Loan => "Loan",
        What::LoanRepayment => "Loan-Repayment",
        What::MarginInterest => "Loan-Interest",
        What::Profit | What::FundingIn => "Margin-Gain",
        What::Loss => "Margin-Loss",
        What::FundingOut | What::FuturesFee => "Margin-Fee",
        What::FuturesRebate => "Margin-Fee-Rebate",
        What::Fee | What::OtherOut => "Spend",
        What::OtherIn => "Income",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, note] = sides(entry, line);
    let (none, kind, wallet) = (String::new, kind.to_owned(), ACCOUNT.to_owned());
    let time = entry.time.to_string();
    let row = [
        kind,
        received,
        received_coin,
        none(),
        sent,
        sent_coin,
        none(),
        fee,
        fee_coin,
        none(),
        wallet,
        time,
        note,
    ];
    vec![(0, row.into())]
}

pub(super) const KOINLY: Format = Format {
    name: "koinly",
    tables: &[Table {
        part: "",
        columns: &[
            "Koinly Date",
            "Sent Amount",
            "Sent Currency",
            "Received Amount",
            "Received Currency",
            "Fee Amount",
            "Fee Currency",
            "Net Worth Amount",
            "Net Worth Currency",
            "Label",
            "Description",
            "TxHash",
        ],
    }],
    verified: false,
    rows: koinly,
    lacks: &[],
};

fn koinly(_: &Terms, entry: &Entry, line: &Line) -> Vec<Row> {
    let label = match line.what {
        What::Trade | What::Deposit | What::Withdrawal | What::FromSub | What::ToSub => "",
        What::Interest => "lending interest",
        What::Rebate | What::FuturesRebate => "fee refund",
        What::Loan => "margin loan",
        What::LoanRepayment => "margin repayment",
        What::MarginInterest | What::FundingOut | What::FuturesFee => "margin fee",
        What::Profit | What::Loss | What::FundingIn => "realized gain",
        What::Fee | What::OtherOut => "cost",
        What::OtherIn => "other income",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = sides(entry, line);
    let (none, time, label) =
        (String::new, format!("{} UTC", seconds(entry.time)), label.to_owned());
    let hash = entry.tx_hash.clone().unwrap_or_default();
    let row = [
        time,
        sent,
        sent_coin,
        received,
        received_coin,
        fee,
        fee_coin,
        none(),
        none(),
        label,
        text,
        hash,
    ];
    vec![(0, row.into())]
}

pub(super) const COINTRACKING: Format = Format {
    name: "cointracking",
    tables: &[Table {
        part: "",
        columns: &[
            "Type",
            "Buy Amount",
            "Buy Currency",
            "Sell Amount",
            "Sell Currency",
            "Fee",
            "Fee Currency",
            "Exchange",
            "Trade-Group",
            "Comment",
            "Date",
            "Tx-ID",
        ],
    }],
    verified: false,
    rows: cointracking,
    lacks: &[],
};

/// Fees stand in rows of their own: whether the tool takes a fee off by itself depends on the coin that it
/// is in, and here nothing depends on it.
fn cointracking(_: &Terms, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.what {
        What::Trade => "Trade",
        What::Deposit | What::FromSub => "Deposit",
        What::Withdrawal | What::ToSub => "Withdrawal",
        What::Interest => "Interest Income",
        What::Rebate | What::FuturesRebate => "Reward / Bonus",
        What::Loan => "Receive Loan",
        What::LoanRepayment => "Repay Loan",
        What::MarginInterest => "Borrowing Fee",
        What::Profit | What::FundingIn => "Derivatives / Futures Profit",
        What::Loss => "Derivatives / Futures Loss",
        What::FundingOut | What::FuturesFee => "Margin Fee",
        What::Fee => "Other Fee",
        What::OtherIn => "Other Income",
        What::OtherOut => "Other Expense",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = sides(entry, line);
    let row = |kind: &str, buy: [String; 2], sell: [String; 2], id: String| {
        let ([buy, buy_coin], [sell, sell_coin]) = (buy, sell);
        let none = String::new;
        let date = seconds(entry.time);
        let (kind, exchange, text) = (kind.to_owned(), ACCOUNT.to_owned(), text.clone());
        let row = [
            kind,
            buy,
            buy_coin,
            sell,
            sell_coin,
            none(),
            none(),
            exchange,
            none(),
            text,
            date,
            id,
        ];
        (0, row.into())
    };
    let mut rows = vec![row(kind, [received, received_coin], [sent, sent_coin], entry.id())];
    if line.fee.is_some() {
        let id = format!("{}/fee", entry.id());
        rows.push(row("Other Fee", <[String; 2]>::default(), [fee, fee_coin], id));
    }
    rows
}

pub(super) const ROTKI: Format = Format {
    name: "rotki",
    tables: &[
        Table {
            part: "trades",
            columns: &[
                "Location",
                "Spend Currency",
                "Receive Currency",
                "Receive Amount",
                "Spend Amount",
                "Fee",
                "Fee Currency",
                "Description",
                "Timestamp",
            ],
        },
        Table {
            part: "events",
            columns: &[
                "Type",
                "Location",
                "Currency",
                "Amount",
                "Fee",
                "Fee Currency",
                "Description",
                "Timestamp",
            ],
        },
    ],
    verified: false,
    rows: rotki,
    lacks: &[],
};

fn rotki(_: &Terms, entry: &Entry, line: &Line) -> Vec<Row> {
    // rotki does not know this exchange; its importer takes such a one for external.
    let location = "external".to_owned();
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = sides(entry, line);
    let time = entry.time.as_millis().to_string();
    let kind = match line.what {
        What::Trade => {
            let row =
                [location, sent_coin, received_coin, received, sent, fee, fee_coin, text, time];
            return vec![(0, row.into())];
        }
        // What is borrowed is no income, and its repayment no loss.
        What::Deposit | What::FromSub | What::Loan => "Deposit",
        What::Withdrawal | What::ToSub | What::LoanRepayment => "Withdrawal",
        What::Interest
        | What::Rebate
        | What::FuturesRebate
        | What::Profit
        | What::FundingIn
        | What::OtherIn => "Income",
        What::Loss => "Loss",
        What::MarginInterest | What::FundingOut | What::FuturesFee | What::Fee | What::OtherOut => {
            "Spend"
        }
    };
    let (amount, coin) =
        if line.sent.is_some() { (sent, sent_coin) } else { (received, received_coin) };
    vec![(1, [kind.to_owned(), location, coin, amount, fee, fee_coin, text, time].into())]
}

pub(super) const COINLEDGER: Format = Format {
    name: "coinledger",
    tables: &[Table {
        part: "",
        columns: &[
            "Date (UTC)",
            "Platform (Optional)",
            "Asset Sent",
            "Amount Sent",
            "Asset Received",
            "Amount Received",
            "Fee Currency (Optional)",
            "Fee Amount (Optional)",
            "Type",
            "Description (Optional)",
            "TxHash (Optional)",
        ],
    }],
    verified: false,
    rows: coinledger,
    lacks: &[],
};

fn coinledger(_: &Terms, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.what {
        What::Trade => "Trade",
        What::Deposit | What::FromSub | What::Loan => "Deposit",
        What::Withdrawal | What::ToSub | What::LoanRepayment => "Withdrawal",
        What::Interest => "Interest",
        What::Rebate | What::FuturesRebate | What::Profit | What::FundingIn | What::OtherIn => {
            "Income"
        }
        What::Loss => "Investment Loss",
        What::MarginInterest | What::FundingOut | What::FuturesFee | What::Fee | What::OtherOut => {
            "Merchant Payment"
        }
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = sides(entry, line);
    // The tool reads month, day and year.
    let utc = seconds(entry.time);
    let (date, time) = utc.split_once(' ').unwrap_or((&utc, ""));
    let mut parts = date.split('-');
    let mut part = || parts.next().unwrap_or_default();
    let (year, month, day) = (part(), part(), part());
    let row = [
        format!("{month}/{day}/{year} {time}"),
        ACCOUNT.to_owned(),
        sent_coin,
        sent,
        received_coin,
        received,
        fee_coin,
        fee,
        kind.to_owned(),
        text,
        entry.tx_hash.clone().unwrap_or_default(),
    ];
    vec![(0, row.into())]
}

/// A row for each movement.
pub(super) fn generic(terms: &Terms, entry: &Entry) -> Vec<Row> {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    // Money of one's own that only changes its place.
    let is_own = |kind| {
        use Kind::{Deposit, Loan, LoanRepayment, Transfer, Withdrawal};
        matches!(kind, Deposit | Loan | LoanRepayment | Transfer | Withdrawal)
    };
    let row = |movement: &crate::ledger::Movement| {
        let row = [
            entry.time.to_string(),
            terms.zone.local(entry.time),
            entry.id(),
            entry.kind.word().to_owned(),
            movement.kind.word().to_owned(),
            movement.wallet.to_string(),
            movement.coin.clone(),
            plain(movement.amount),
            if is_own(movement.kind) { "no" } else { "yes" }.to_owned(),
            said(&entry.symbol),
            entry.price.map(plain).unwrap_or_default(),
            said(&entry.order_id),
            said(&entry.trade_id),
            said(&entry.tx_hash),
            entry.dataset.clone(),
            entry.row.clone(),
            said(&entry.note),
        ];
        (0, row.into())
    };
    entry.movements.iter().map(row).collect()
}
