//! Sums of ledger entries and futures trades by month and coin. Rows are read one at a time.

use std::collections::{BTreeMap, VecDeque};

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::plus;
use super::timeline::Timeline;
use crate::export::{Archive, Contracts};
use crate::failure::Failure;
use crate::ledger::{self, Entry, Kind, Ledger, Problems, Wallet};
use crate::timezone::Zone;

/// Number of newest rows that are shown unsummed.
pub(super) const NEWEST: usize = 20;

/// The market of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Market {
    Spot,
    Margin,
    Futures,
    CopyTrading,
}

impl Market {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Margin => "margin",
            Self::Futures => "futures",
            Self::CopyTrading => "copy trading",
        }
    }
}

/// Income and expenses other than trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Income {
    EarnInterest,
    Rebate,
    Funding,
    MarginInterest,
}

impl Income {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EarnInterest => "interest of savings",
            Self::Rebate => "rebates",
            Self::Funding => "funding of futures",
            Self::MarginInterest => "interest of margin loans",
        }
    }
}

/// Deposits and withdrawals.
#[derive(Debug, Default)]
pub(super) struct Funds {
    pub(super) deposits: u64,
    pub(super) deposited: Decimal,
    pub(super) withdrawals: u64,
    /// Without fees.
    pub(super) withdrawn: Decimal,
    pub(super) fees: Decimal,
}

/// Number of trades, and their amounts in the quote currency.
#[derive(Debug, Default)]
pub(super) struct Volume {
    pub(super) trades: u64,
    pub(super) bought: Decimal,
    pub(super) sold: Decimal,
}

/// Trades of a pair or contract.
#[derive(Debug, Default)]
pub(super) struct Pair {
    /// The quote currency.
    pub(super) quote: String,
    pub(super) volume: Volume,
    /// In the base currency.
    pub(super) bought: Decimal,
    pub(super) sold: Decimal,
    /// By coin.
    pub(super) fees: BTreeMap<String, Decimal>,
    /// Trades whose fee is not in `fees`, since it is not known.
    pub(super) unknown_fees: u64,
}

/// Results of a contract, in its settlement currency.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) profit: Decimal,
    pub(super) fees: Decimal,
    pub(super) rebates: Decimal,
    pub(super) funding: Decimal,
    pub(super) liquidation: Decimal,
    pub(super) other: Decimal,
}

impl Results {
    pub(super) fn net(&self) -> Result<Decimal, Failure> {
        let mut net = self.profit;
        for part in [self.fees, self.rebates, self.funding, self.liquidation, self.other] {
            plus(&mut net, part)?;
        }
        Ok(net)
    }

    pub(super) fn add(&mut self, other: &Self) -> Result<(), Failure> {
        plus(&mut self.profit, other.profit)?;
        plus(&mut self.fees, other.fees)?;
        plus(&mut self.rebates, other.rebates)?;
        plus(&mut self.funding, other.funding)?;
        plus(&mut self.liquidation, other.liquidation)?;
        plus(&mut self.other, other.other)
    }
}

/// The newest rows of a list, newest first.
pub(super) type Newest = VecDeque<Vec<String>>;

/// The sums of an archive. Months are written as `2026-06`.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Balances over time, by wallet and coin.
    pub(super) levels: Timeline<(Wallet, String)>,
    /// By month and coin.
    pub(super) funds: BTreeMap<(String, String), Funds>,
    /// By month, market and quote currency.
    pub(super) volume: BTreeMap<(String, Market, String), Volume>,
    /// Fees of trades, by month, market and coin.
    pub(super) fees: BTreeMap<(String, Market, String), Decimal>,
    /// Trades whose fee is not in `fees`, since it is not known, by month and market.
    pub(super) unknown_fees: BTreeMap<(String, Market), u64>,
    /// By market and pair or contract.
    pub(super) pairs: BTreeMap<(Market, String), Pair>,
    /// By month, contract and coin.
    pub(super) results: BTreeMap<(String, String, String), Results>,
    /// By month, kind and coin.
    pub(super) income: BTreeMap<(String, Income, String), Decimal>,
    pub(super) deposits: Newest,
    pub(super) withdrawals: Newest,
    pub(super) trades: Newest,
    /// Futures trades without volume, since the archive does not have their contract, or the row not their side.
    pub(super) without_volume: u64,
    /// The first and the last entry.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    pub(super) entries: u64,
}

/// Reads the archive and sums its entries and trades.
pub(super) fn collect(archive: &Archive, zone: &Zone) -> Result<(Totals, Problems), Failure> {
    let mut totals = Totals::default();
    let mut problems = Ledger::new(archive).each(|entry| totals.add(entry, zone))?;
    ledger::each_balance_snapshot(archive, &mut problems, |taken, balances| {
        let time: String = zone.local(taken).chars().take(16).collect();
        let mut balances = balances.into_iter();
        balances.try_for_each(|(key, balance)| totals.levels.observe(key, &time, balance))
    })?;
    let contracts = archive.contracts()?;
    archive.rows(&["futures-trades", "copy-trading-trades"], |dataset, key, row| {
        let market =
            if dataset == "futures-trades" { Market::Futures } else { Market::CopyTrading };
        key.time.map_or(Ok(()), |time| totals.futures_trade(market, time, row, &contracts, zone))
    })?;
    Ok((totals, problems))
}

/// Formats a day as `2026-06-01`, in the time zone.
fn day(zone: &Zone, time: Timestamp) -> String {
    zone.local(time).chars().take(10).collect()
}

/// Formats a time as `2026-06-01 12:00:03`, in the time zone.
pub(super) fn second(zone: &Zone, time: Timestamp) -> String {
    zone.local(time).chars().take(19).collect::<String>().replace('T', " ")
}

impl Totals {
    fn add(&mut self, entry: &Entry, zone: &Zone) -> Result<(), Failure> {
        let day = day(zone, entry.time);
        let month: String = day.chars().take(7).collect();
        self.entries += 1;
        self.span = match self.span {
            None => Some((entry.time, entry.time)),
            Some((first, last)) => Some((first.min(entry.time), last.max(entry.time))),
        };
        for movement in entry.movements.iter().filter(|movement| movement.wallet.is_inside()) {
            let key = (movement.wallet.clone(), movement.coin.clone());
            self.levels.change(key, &day, movement.amount)?;
            let income = match movement.kind {
                Kind::EarnInterest => Income::EarnInterest,
                Kind::Rebate => Income::Rebate,
                Kind::Funding => Income::Funding,
                Kind::MarginInterest => Income::MarginInterest,
                _ => continue,
            };
            let sum = self.income.entry((month.clone(), income, movement.coin.clone()));
            plus(sum.or_default(), movement.amount)?;
        }
        match entry.kind {
            Kind::Deposit | Kind::Withdrawal => self.funded(entry, month, zone),
            Kind::Trade => self.trade(entry, &month, zone),
            _ if entry.movements.iter().all(|movement| is_futures(&movement.wallet)) => {
                self.result(entry, &month)
            }
            _ => Ok(()),
        }
    }

    fn funded(&mut self, entry: &Entry, month: String, zone: &Zone) -> Result<(), Failure> {
        let Some(first) = entry.movements.first() else { return Ok(()) };
        let funds = self.funds.entry((month, first.coin.clone())).or_default();
        let mut fee = Decimal::ZERO;
        for movement in &entry.movements {
            match movement.kind {
                Kind::Deposit => {
                    funds.deposits += 1;
                    plus(&mut funds.deposited, movement.amount)?;
                }
                Kind::Withdrawal => {
                    funds.withdrawals += 1;
                    plus(&mut funds.withdrawn, -movement.amount)?;
                }
                _ => {
                    plus(&mut funds.fees, -movement.amount)?;
                    plus(&mut fee, -movement.amount)?;
                }
            }
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let row = vec![
            second(zone, entry.time),
            first.coin.clone(),
            text(&entry.note),
            first.amount.abs().normalize().to_string(),
            fee.normalize().to_string(),
            entry.row.clone(),
            text(&entry.tx_hash),
        ];
        let is_deposit = entry.kind == Kind::Deposit;
        push_newest(if is_deposit { &mut self.deposits } else { &mut self.withdrawals }, row);
        Ok(())
    }

    /// Adds a spot or margin trade.
    fn trade(&mut self, entry: &Entry, month: &str, zone: &Zone) -> Result<(), Failure> {
        let symbol = entry.symbol.clone().unwrap_or_default();
        let sides = entry.movements.iter().filter(|movement| movement.kind == Kind::Trade);
        let sides: Vec<_> = sides.collect();
        let [base, quote] = sides[..] else { return Ok(()) };
        let market =
            if matches!(base.wallet, Wallet::Margin(_)) { Market::Margin } else { Market::Spot };
        let is_buy = quote.amount.is_sign_negative();
        let pair = self.pairs.entry((market, symbol.clone())).or_default();
        pair.quote.clone_from(&quote.coin);
        plus(if is_buy { &mut pair.bought } else { &mut pair.sold }, base.amount.abs())?;
        let volume = self.volume.entry((month.to_owned(), market, quote.coin.clone())).or_default();
        for volume in [volume, &mut pair.volume] {
            volume.trades += 1;
            let side = if is_buy { &mut volume.bought } else { &mut volume.sold };
            plus(side, quote.amount.abs())?;
        }
        let mut fees = Vec::new();
        for fee in entry.movements.iter().filter(|movement| movement.kind == Kind::Fee) {
            plus(pair.fees.entry(fee.coin.clone()).or_default(), -fee.amount)?;
            let sum = self.fees.entry((month.to_owned(), market, fee.coin.clone()));
            plus(sum.or_default(), -fee.amount)?;
            fees.push(format!("{} {}", (-fee.amount).normalize(), fee.coin));
        }
        if entry.is_fee_unknown {
            pair.unknown_fees += 1;
            *self.unknown_fees.entry((month.to_owned(), market)).or_default() += 1;
            fees.push("unknown".to_owned());
        }
        let plain = |amount: Decimal| amount.normalize().to_string();
        let row = vec![
            second(zone, entry.time),
            market.name().to_owned(),
            symbol,
            if is_buy { "buy" } else { "sell" }.to_owned(),
            entry.price.map(plain).unwrap_or_default(),
            plain(base.amount.abs()),
            plain(quote.amount.abs()),
            fees.join(", "),
            entry.trade_id.clone().unwrap_or_default(),
        ];
        push_newest(&mut self.trades, row);
        Ok(())
    }

    /// Adds results of a futures position.
    fn result(&mut self, entry: &Entry, month: &str) -> Result<(), Failure> {
        for movement in &entry.movements {
            if movement.kind == Kind::Transfer {
                continue;
            }
            let symbol = entry.symbol.clone().unwrap_or_default();
            let coin = movement.coin.clone();
            let results = (month.to_owned(), symbol.clone(), coin.clone());
            let results = self.results.entry(results).or_default();
            let part = match movement.kind {
                Kind::RealisedProfit => &mut results.profit,
                Kind::Fee => &mut results.fees,
                Kind::Rebate => &mut results.rebates,
                Kind::Funding => &mut results.funding,
                Kind::Liquidation => &mut results.liquidation,
                _ => &mut results.other,
            };
            plus(part, movement.amount)?;
            if movement.kind == Kind::Fee {
                let market = match movement.wallet {
                    Wallet::CopyTrading => Market::CopyTrading,
                    _ => Market::Futures,
                };
                let fee = self.fees.entry((month.to_owned(), market, coin.clone()));
                plus(fee.or_default(), -movement.amount)?;
                let pair = self.pairs.entry((market, symbol)).or_default();
                plus(pair.fees.entry(coin).or_default(), -movement.amount)?;
            }
        }
        Ok(())
    }

    /// Adds a futures trade. It moves no coins, so its volume is computed from the row.
    fn futures_trade(
        &mut self,
        market: Market,
        time: Timestamp,
        row: &Value,
        contracts: &Contracts,
        zone: &Zone,
    ) -> Result<(), Failure> {
        let symbol = row["symbol"].as_str().unwrap_or_default().to_owned();
        // 1 and 2 buy, 3 and 4 sell, in both position modes.
        let is_buy = match row["side"].as_i64() {
            Some(1 | 2) => Some(true),
            Some(3 | 4) => Some(false),
            _ => None,
        };
        let pair = self.pairs.entry((market, symbol)).or_default();
        let Some((amounts, is_buy)) = contracts.trade_amounts(row).zip(is_buy) else {
            pair.volume.trades += 1;
            self.without_volume += 1;
            return Ok(());
        };
        pair.quote.clone_from(&amounts.quote_currency);
        plus(if is_buy { &mut pair.bought } else { &mut pair.sold }, amounts.base)?;
        let month: String = day(zone, time).chars().take(7).collect();
        let volume = self.volume.entry((month, market, amounts.quote_currency)).or_default();
        for volume in [volume, &mut pair.volume] {
            volume.trades += 1;
            plus(if is_buy { &mut volume.bought } else { &mut volume.sold }, amounts.quote)?;
        }
        Ok(())
    }
}

fn is_futures(wallet: &Wallet) -> bool {
    matches!(wallet, Wallet::Futures | Wallet::CopyTrading)
}

/// Adds a row that is newer than all before.
fn push_newest(rows: &mut Newest, row: Vec<String>) {
    rows.push_front(row);
    rows.truncate(NEWEST);
}

#[cfg(test)]
mod tests;
