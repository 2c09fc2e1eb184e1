//! Lines with a sent amount, a received amount and a fee, as most tools import them.

use bitmart::Decimal;

use crate::ledger::{Entry, Kind, Wallet};

/// A coin and a positive amount.
pub(super) type Amount = (String, Decimal);

/// The kind of a line. Incoming and outgoing amounts are separate kinds where tools distinguish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LineKind {
    Trade,
    Deposit,
    Withdrawal,
    /// A transfer from a sub-account.
    FromSub,
    /// A transfer to a sub-account.
    ToSub,
    Interest,
    Rebate,
    Loan,
    LoanRepayment,
    MarginInterest,
    /// Realized profit of futures.
    Profit,
    /// Realized loss of futures.
    Loss,
    FundingIn,
    FundingOut,
    FuturesFee,
    FuturesRebate,
    /// A fee without another line.
    Fee,
    OtherIn,
    OtherOut,
}

impl LineKind {
    pub(super) fn description(self) -> &'static str {
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

/// Amounts are as the account sees them: `None` if nothing left, or nothing arrived.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) kind: LineKind,
    pub(super) sent: Option<Amount>,
    pub(super) received: Option<Amount>,
    /// Paid in addition to the sent amount.
    pub(super) fee: Option<Amount>,
}

impl Line {
    /// Creates a line that only sends or only receives.
    fn one_sided(kind: LineKind, coin: &str, amount: Decimal) -> Self {
        let side = Some((coin.to_owned(), amount.abs()));
        let (sent, received) = if amount < Decimal::ZERO { (side, None) } else { (None, side) };
        Self { kind, sent, received, fee: None }
    }
}

/// Returns the lines of an entry. Transfers between wallets of the account have none: tools see one account.
pub(super) fn lines(entry: &Entry) -> Vec<Line> {
    match entry.kind {
        Kind::Transfer => sub_account_transfer(entry),
        Kind::Trade => trade(entry),
        Kind::Withdrawal => withdrawal(entry),
        _ => entry
            .movements
            .iter()
            .map(|movement| {
                let (wallet, amount) = (&movement.wallet, movement.amount);
                Line::one_sided(line_kind(movement.kind, wallet, amount), &movement.coin, amount)
            })
            .collect(),
    }
}

fn line_kind(kind: Kind, wallet: &Wallet, amount: Decimal) -> LineKind {
    let is_incoming = amount >= Decimal::ZERO;
    let of_futures = matches!(wallet, Wallet::Futures | Wallet::CopyTrading);
    match (kind, is_incoming) {
        (Kind::Deposit, _) => LineKind::Deposit,
        (Kind::EarnInterest, true) => LineKind::Interest,
        (Kind::Rebate, true) if of_futures => LineKind::FuturesRebate,
        (Kind::Rebate, true) => LineKind::Rebate,
        (Kind::Loan, true) => LineKind::Loan,
        (Kind::LoanRepayment, false) => LineKind::LoanRepayment,
        (Kind::MarginInterest, false) => LineKind::MarginInterest,
        (Kind::Funding, true) => LineKind::FundingIn,
        (Kind::Funding, false) => LineKind::FundingOut,
        (Kind::RealisedProfit | Kind::Liquidation, true) => LineKind::Profit,
        (Kind::RealisedProfit | Kind::Liquidation, false) => LineKind::Loss,
        (Kind::Fee, false) if of_futures => LineKind::FuturesFee,
        (Kind::Fee, false) => LineKind::Fee,
        (_, true) => LineKind::OtherIn,
        (_, false) => LineKind::OtherOut,
    }
}

/// The lines of a transfer with sub-accounts, by coin.
fn sub_account_transfer(entry: &Entry) -> Vec<Line> {
    let subs = entry.movements.iter().filter(|movement| !movement.wallet.is_inside());
    let mut lines: Vec<Line> = Vec::new();
    let mut moved = std::collections::BTreeMap::new();
    for movement in subs {
        // Seen from this account.
        let sum = moved.entry(&movement.coin).or_insert(Decimal::ZERO);
        *sum = sum.saturating_sub(movement.amount);
    }
    for (coin, amount) in moved.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        let kind = if amount > Decimal::ZERO { LineKind::FromSub } else { LineKind::ToSub };
        lines.push(Line::one_sided(kind, coin, amount));
    }
    lines
}

fn trade(entry: &Entry) -> Vec<Line> {
    let mut line = Line { kind: LineKind::Trade, sent: None, received: None, fee: None };
    let mut more = Vec::new();
    for movement in &entry.movements {
        let amount = Some((movement.coin.clone(), movement.amount.abs()));
        match movement.kind {
            // Nothing moved, and the other side must stay.
            Kind::Trade if movement.amount.is_zero() => {}
            Kind::Fee => line.fee = amount,
            Kind::Trade if movement.amount < Decimal::ZERO => line.sent = amount,
            Kind::Trade => line.received = amount,
            kind => {
                let kind = line_kind(kind, &movement.wallet, movement.amount);
                more.push(Line::one_sided(kind, &movement.coin, movement.amount));
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
    vec![Line { kind: LineKind::Withdrawal, sent, received: None, fee }]
}

/// Formats an amount without trailing zeros.
pub(super) fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// Formats amount and coin as cells; empty for `None`.
pub(super) fn cells(amount: Option<&Amount>) -> [String; 2] {
    amount.map(|(coin, amount)| [plain(*amount), coin.clone()]).unwrap_or_default()
}

/// Describes a line, with the id of its row. It begins with a letter, so that no spreadsheet reads a formula.
pub(super) fn description(entry: &Entry, line: &Line) -> String {
    let what = line.kind.description();
    let liquidated = if entry.kind == Kind::Liquidation { " (liquidation)" } else { "" };
    let symbol = entry.symbol.as_deref().map(|symbol| format!(" {symbol}")).unwrap_or_default();
    let order = entry.order_id.as_deref().map(|id| format!(", order {id}")).unwrap_or_default();
    let note = entry.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
    let text = format!("{what}{liquidated}{symbol}, row {}{order}{note}", entry.id());
    text.chars().filter(|letter| !letter.is_control()).collect()
}
