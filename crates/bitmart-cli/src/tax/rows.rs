//! Formats with one row per line. The columns are those that the tools publish; `docs/tax.md` lists the sources.

use super::format::{Format, Row, Settings, Table, line_cells, seconds};
use super::line::{Line, LineKind, plain};
use crate::ledger::{Entry, Kind};

/// Name of the account in the tools.
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
    unsupported: &[],
};

fn bittytax(_: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.kind {
        LineKind::Trade => "Trade",
        LineKind::Deposit | LineKind::FromSub => "Deposit",
        LineKind::Withdrawal | LineKind::ToSub => "Withdrawal",
        LineKind::Interest => "Interest",
        LineKind::Rebate => "Fee-Rebate",
        LineKind::Loan => "Loan",
        LineKind::LoanRepayment => "Loan-Repayment",
        LineKind::MarginInterest => "Loan-Interest",
        LineKind::Profit | LineKind::FundingIn => "Margin-Gain",
        LineKind::Loss => "Margin-Loss",
        LineKind::FundingOut | LineKind::FuturesFee => "Margin-Fee",
        LineKind::FuturesRebate => "Margin-Fee-Rebate",
        LineKind::Fee | LineKind::OtherOut => "Spend",
        LineKind::OtherIn => "Income",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, note] = line_cells(entry, line);
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
    unsupported: &[],
};

fn koinly(_: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    let label = match line.kind {
        LineKind::Trade
        | LineKind::Deposit
        | LineKind::Withdrawal
        | LineKind::FromSub
        | LineKind::ToSub => "",
        LineKind::Interest => "lending interest",
        LineKind::Rebate | LineKind::FuturesRebate => "fee refund",
        LineKind::Loan => "margin loan",
        LineKind::LoanRepayment => "margin repayment",
        LineKind::MarginInterest | LineKind::FundingOut | LineKind::FuturesFee => "margin fee",
        LineKind::Profit | LineKind::Loss | LineKind::FundingIn => "realized gain",
        LineKind::Fee | LineKind::OtherOut => "cost",
        LineKind::OtherIn => "other income",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = line_cells(entry, line);
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
    unsupported: &[],
};

/// Writes fees as separate rows: in the row of a trade, the tool would deduct them depending on their coin.
fn cointracking(_: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.kind {
        LineKind::Trade => "Trade",
        LineKind::Deposit | LineKind::FromSub => "Deposit",
        LineKind::Withdrawal | LineKind::ToSub => "Withdrawal",
        LineKind::Interest => "Interest Income",
        LineKind::Rebate | LineKind::FuturesRebate => "Reward / Bonus",
        LineKind::Loan => "Receive Loan",
        LineKind::LoanRepayment => "Repay Loan",
        LineKind::MarginInterest => "Borrowing Fee",
        LineKind::Profit | LineKind::FundingIn => "Derivatives / Futures Profit",
        LineKind::Loss => "Derivatives / Futures Loss",
        LineKind::FundingOut | LineKind::FuturesFee => "Margin Fee",
        LineKind::Fee => "Other Fee",
        LineKind::OtherIn => "Other Income",
        LineKind::OtherOut => "Other Expense",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = line_cells(entry, line);
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
    unsupported: &[],
};

fn rotki(_: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    // rotki does not know this exchange, and calls such locations external.
    let location = "external".to_owned();
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = line_cells(entry, line);
    let time = entry.time.as_millis().to_string();
    let kind = match line.kind {
        LineKind::Trade => {
            let row =
                [location, sent_coin, received_coin, received, sent, fee, fee_coin, text, time];
            return vec![(0, row.into())];
        }
        // A loan is no income, and its repayment no loss.
        LineKind::Deposit | LineKind::FromSub | LineKind::Loan => "Deposit",
        LineKind::Withdrawal | LineKind::ToSub | LineKind::LoanRepayment => "Withdrawal",
        LineKind::Interest
        | LineKind::Rebate
        | LineKind::FuturesRebate
        | LineKind::Profit
        | LineKind::FundingIn
        | LineKind::OtherIn => "Income",
        LineKind::Loss => "Loss",
        LineKind::MarginInterest
        | LineKind::FundingOut
        | LineKind::FuturesFee
        | LineKind::Fee
        | LineKind::OtherOut => "Spend",
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
    unsupported: &[],
};

fn coinledger(_: &Settings, entry: &Entry, line: &Line) -> Vec<Row> {
    let kind = match line.kind {
        LineKind::Trade => "Trade",
        LineKind::Deposit | LineKind::FromSub | LineKind::Loan => "Deposit",
        LineKind::Withdrawal | LineKind::ToSub | LineKind::LoanRepayment => "Withdrawal",
        LineKind::Interest => "Interest",
        LineKind::Rebate
        | LineKind::FuturesRebate
        | LineKind::Profit
        | LineKind::FundingIn
        | LineKind::OtherIn => "Income",
        LineKind::Loss => "Investment Loss",
        LineKind::MarginInterest
        | LineKind::FundingOut
        | LineKind::FuturesFee
        | LineKind::Fee
        | LineKind::OtherOut => "Merchant Payment",
    };
    let [sent, sent_coin, received, received_coin, fee, fee_coin, text] = line_cells(entry, line);
    // The tool reads dates as month/day/year.
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

/// Returns a row for each movement.
pub(super) fn generic(settings: &Settings, entry: &Entry) -> Vec<Row> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    // The account's own money, which only changes its place.
    let is_own = |kind| {
        use Kind::{Deposit, Loan, LoanRepayment, Transfer, Withdrawal};
        matches!(kind, Deposit | Loan | LoanRepayment | Transfer | Withdrawal)
    };
    let row = |movement: &crate::ledger::Movement| {
        let row = [
            entry.time.to_string(),
            settings.zone.local(entry.time),
            entry.id(),
            entry.kind.name().to_owned(),
            movement.kind.name().to_owned(),
            movement.wallet.to_string(),
            movement.coin.clone(),
            plain(movement.amount),
            if is_own(movement.kind) { "no" } else { "yes" }.to_owned(),
            text(&entry.symbol),
            entry.price.map(plain).unwrap_or_default(),
            text(&entry.order_id),
            text(&entry.trade_id),
            text(&entry.tx_hash),
            entry.dataset.clone(),
            entry.row.clone(),
            text(&entry.note),
        ];
        (0, row.into())
    };
    entry.movements.iter().map(row).collect()
}
