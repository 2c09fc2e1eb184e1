//! What most tools take: a line with what was sent, what was received, and the fee.

use bitmart::Decimal;

use crate::ledger::{Entry, Kind, Wallet};

/// A coin and a positive amount of it.
pub(super) type Amount = (String, Decimal);

/// What a line is. What comes and what goes are kinds of their own where tools tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Trade,
    Deposit,
    Withdrawal,
    /// From and to a sub-account.
    FromSub,
    ToSub,
    Interest,
    Rebate,
    Loan,
    LoanRepayment,
    MarginInterest,
    /// Of futures.
    Profit,
    Loss,
    FundingIn,
    FundingOut,
    FuturesFee,
    FuturesRebate,
    /// A fee that stands in no other line.
    Fee,
    OtherIn,
    OtherOut,
}

impl What {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::FromSub => "transfer from own sub-account",
            Self::ToSub => "transfer to own sub-account",
            Self::Interest => "interest of savings",
            Self::Rebate => "rebate",
            Self::Loan => "margin loan",
            Self::LoanRepayment => "repayment of a margin loan",
            Self::MarginInterest => "interest of a margin loan",
            Self::Profit => "realised profit of futures",
            Self::Loss => "realised loss of futures",
            Self::FundingIn => "funding received",
            Self::FundingOut => "funding paid",
            Self::FuturesFee => "fee of futures",
            Self::FuturesRebate => "rebate of a fee of futures",
            Self::Fee => "fee",
            Self::OtherIn | Self::OtherOut => "other movement",
        }
    }
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) sent: Option<Amount>,
    pub(super) received: Option<Amount>,
    pub(super) fee: Option<Amount>,
}

impl Line {
    /// A line of one side.
    fn of(what: What, coin: &str, amount: Decimal) -> Self {
        let side = Some((coin.to_owned(), amount.abs()));
        let (sent, received) = if amount < Decimal::ZERO { (side, None) } else { (None, side) };
        Self { what, sent, received, fee: None }
    }
}

/// The lines of an entry. Transfers between wallets of the account are none: a tool sees one account.
pub(super) fn lines(entry: &Entry) -> Vec<Line> {
    match entry.kind {
        Kind::Transfer => from_sub_accounts(entry),
        Kind::Trade => trade(entry),
        Kind::Withdrawal => withdrawal(entry),
        _ => entry
            .movements
            .iter()
            .map(|movement| {
                let (wallet, amount) = (&movement.wallet, movement.amount);
                Line::of(what(movement.kind, wallet, amount), &movement.coin, amount)
            })
            .collect(),
    }
}

fn what(kind: Kind, wallet: &Wallet, amount: Decimal) -> What {
    let comes = amount >= Decimal::ZERO;
    let of_futures = matches!(wallet, Wallet::Futures | Wallet::CopyTrading);
    match (kind, comes) {
        (Kind::Deposit, _) => What::Deposit,
        (Kind::EarnInterest, true) => What::Interest,
        (Kind::Rebate, true) if of_futures => What::FuturesRebate,
        (Kind::Rebate, true) => What::Rebate,
        (Kind::Loan, true) => What::Loan,
        (Kind::LoanRepayment, false) => What::LoanRepayment,
        (Kind::MarginInterest, false) => What::MarginInterest,
        (Kind::Funding, true) => What::FundingIn,
        (Kind::Funding, false) => What::FundingOut,
        (Kind::RealisedProfit | Kind::Liquidation, true) => What::Profit,
        (Kind::RealisedProfit | Kind::Liquidation, false) => What::Loss,
        (Kind::Fee, false) if of_futures => What::FuturesFee,
        (Kind::Fee, false) => What::Fee,
        (_, true) => What::OtherIn,
        (_, false) => What::OtherOut,
    }
}

fn from_sub_accounts(entry: &Entry) -> Vec<Line> {
    let subs = entry.movements.iter().filter(|movement| !movement.wallet.is_inside());
    let mut lines: Vec<Line> = Vec::new();
    let mut moved = std::collections::BTreeMap::new();
    for movement in subs {
        // What a sub-account got, this account gave.
        *moved.entry(&movement.coin).or_insert(Decimal::ZERO) -= movement.amount;
    }
    for (coin, amount) in moved.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        let what = if amount > Decimal::ZERO { What::FromSub } else { What::ToSub };
        lines.push(Line::of(what, coin, amount));
    }
    lines
}

fn trade(entry: &Entry) -> Vec<Line> {
    let mut line = Line { what: What::Trade, sent: None, received: None, fee: None };
    let mut more = Vec::new();
    for movement in &entry.movements {
        let amount = Some((movement.coin.clone(), movement.amount.abs()));
        match movement.kind {
            Kind::Fee => line.fee = amount,
            Kind::Trade if movement.amount < Decimal::ZERO => line.sent = amount,
            Kind::Trade => line.received = amount,
            kind => {
                let what = what(kind, &movement.wallet, movement.amount);
                more.push(Line::of(what, &movement.coin, movement.amount));
            }
        }
    }
    more.insert(0, line);
    more
}

fn withdrawal(entry: &Entry) -> Vec<Line> {
    let of = |kind| {
        let found = entry.movements.iter().find(|movement| movement.kind == kind);
        found.map(|movement| (movement.coin.clone(), movement.amount.abs()))
    };
    let (sent, fee) = (of(Kind::Withdrawal), of(Kind::Fee));
    vec![Line { what: What::Withdrawal, sent, received: None, fee }]
}

/// An amount with all its digits and no zeros behind them.
pub(super) fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// Coin and amount as cells; empty without.
pub(super) fn cells(amount: Option<&Amount>) -> [String; 2] {
    amount.map(|(coin, amount)| [plain(*amount), coin.clone()]).unwrap_or_default()
}

/// What a line is about, in words, with the row of the archive that says so. Never begins as a formula does.
pub(super) fn description(entry: &Entry, line: &Line) -> String {
    let what = line.what.words();
    let liquidated = if entry.kind == Kind::Liquidation { " (liquidation)" } else { "" };
    let symbol = entry.symbol.as_deref().map(|symbol| format!(" {symbol}")).unwrap_or_default();
    let order = entry.order_id.as_deref().map(|id| format!(", order {id}")).unwrap_or_default();
    let note = entry.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
    let text = format!("{what}{liquidated}{symbol}, row {}{order}{note}", entry.id());
    text.chars().filter(|letter| !letter.is_control()).collect()
}
