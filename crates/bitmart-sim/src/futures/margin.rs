//! Leverage brackets, margin, and what an account can pay from.
//!
//! Cross positions share the wallet: what they have won can pay for further cross orders, what they have
//! lost cannot be spent. Its free cash may therefore fall below zero while cross positions or orders are
//! open, backed by their profit; it is made good by insurance when nothing is left to back it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{FuturesMarket, FuturesRules, flows::FlowKind};
use crate::{
    AccountId, Exchange,
    account::Purse,
    futures_order::NewFuturesOrder,
    ledger::House,
    position::Position,
    reject::{Reject, Source},
};

/// Up to which value a position may have which leverage, and what it must keep as margin. Values are in
/// the quote currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    /// Highest leverage of a position of this value.
    pub leverage: u32,
    /// Values above this are in the bracket.
    pub floor: Decimal,
    /// Values up to this are in the bracket.
    pub cap: Decimal,
    /// Maintenance margin of the part above `floor`.
    pub ratio: Decimal,
    /// What `ratio` of the whole value is too much.
    pub cum: Decimal,
}

// Rule: Leverage brackets are those of the published sample; maintenance is half the margin of the leverage.
// Source: documented (one of two samples, endpoint futures_leverage_brackets, the other has 0.4 % at leverage 100)
/// The ladder of the published sample, for a highest leverage of 50: leverage, and cap in thousands. Its
/// ratio is half the margin of the leverage.
const LADDER: [(u32, u32); 10] = [
    (50, 10),
    (25, 100),
    (20, 200),
    (16, 400),
    (10, 700),
    (8, 1_100),
    (5, 1_600),
    (4, 2_200),
    (2, 2_900),
    (1, 3_700),
];
// Rule: The leverage before one is set is 10. Source: invented (no source states it)
/// What an account has before it sets one; no source states it.
const DEFAULT_LEVERAGE: u32 = 10;
/// Leverage of the first rung.
const TOP: u32 = 50;
// Rule: Caps are 50,000 times those of the sample ladder, so that the first bracket of BTCUSDT ends at 500,000.
// Source: simplified (the sample has one contract)
/// Caps here against those of the sample: the first one is then the 500,000 that BTCUSDT has.
const SCALE: u32 = 50 * 1_000;

/// The ladder of a contract with this highest leverage; rungs of equal leverage are one.
pub(super) fn brackets(max_leverage: u32) -> Vec<Bracket> {
    let mut rows: Vec<Bracket> = Vec::new();
    for (leverage, cap) in LADDER {
        let leverage = (u64::from(max_leverage) * u64::from(leverage) / u64::from(TOP)).max(1);
        let leverage = u32::try_from(leverage).unwrap_or(u32::MAX);
        let cap = Decimal::from(cap) * Decimal::from(SCALE);
        if let Some(last) = rows.last_mut().filter(|last| last.leverage == leverage) {
            last.cap = cap;
            continue;
        }
        let ratio = (Decimal::ONE / Decimal::from(u64::from(leverage) * 2)).round_dp(8);
        let (floor, cum) = rows.last().map_or_else(Default::default, |last| {
            (last.cap, last.cum + last.cap * (ratio - last.ratio))
        });
        rows.push(Bracket { leverage, floor, cap, ratio, cum });
    }
    rows
}

impl FuturesRules {
    /// The largest value of a position at this leverage.
    pub fn max_value(&self, leverage: u32) -> Decimal {
        let fitting = self.brackets.iter().rev().find(|row| row.leverage >= leverage);
        fitting.map_or(Decimal::ZERO, |row| row.cap)
    }

    fn bracket(&self, value: Decimal) -> Option<&Bracket> {
        self.brackets.iter().find(|row| value <= row.cap).or(self.brackets.last())
    }

    /// What a position of this value must keep.
    fn maintenance_of(&self, value: Decimal) -> Decimal {
        self.bracket(value).map_or(Decimal::ZERO, |row| value * row.ratio - row.cum)
    }
}

impl FuturesMarket {
    /// What contracts are worth at a price.
    pub fn value(&self, contracts: Decimal, price: Decimal) -> Decimal {
        (contracts * self.rules.contract_size).checked_mul(price).unwrap_or_default()
    }

    /// Profit of a position at the mark price.
    pub fn unrealised(&self, position: &Position, long: bool) -> Decimal {
        let gain = self.value(position.size, self.mark_price()) - position.cost;
        if long { gain } else { -gain }
    }

    /// Maintenance margin of a position at the mark price.
    pub fn maintenance(&self, position: &Position) -> Decimal {
        self.rules.maintenance_of(self.value(position.size, self.mark_price()))
    }
}

/// The futures money of an account in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collateral {
    /// Free in the wallet.
    pub cash: Decimal,
    /// Held by open orders.
    pub frozen: Decimal,
    /// Margin of cross positions, and of isolated ones.
    cross: Decimal,
    isolated: Decimal,
    /// Unrealised profit of the same.
    cross_profit: Decimal,
    isolated_profit: Decimal,
    /// Maintenance margin of cross positions.
    pub(super) maintenance: Decimal,
    has_cross: bool,
}

impl Collateral {
    // Rule: The available balance counts what cross positions have won and lost, and is never below 0. Source:
    // simplified (the documents name the field only)
    /// What cross orders can be paid from.
    pub fn available(&self) -> Decimal {
        self.spendable().max(Decimal::ZERO)
    }

    fn spendable(&self) -> Decimal {
        self.cash + self.cross_profit
    }

    // Rule: Profit must be realised before it leaves the wallet or pays for isolated positions. Source:
    // simplified (no source says it)
    /// What may leave the wallet: profit must be realised first.
    pub fn withdrawable(&self) -> Decimal {
        self.spendable().min(self.cash).max(Decimal::ZERO)
    }

    /// Returns the margin of all positions, in the currency.
    pub fn margin(&self) -> Decimal {
        self.cross + self.isolated
    }

    /// Returns the profit of all positions at the mark price; below zero for a loss.
    pub fn unrealised(&self) -> Decimal {
        self.cross_profit + self.isolated_profit
    }

    /// Returns what the account would have if all positions were closed at the mark price, before fees.
    pub fn equity(&self) -> Decimal {
        self.cross_equity() + self.isolated + self.isolated_profit
    }

    pub(super) fn has_cross(&self) -> bool {
        self.has_cross
    }

    /// What stands behind the cross positions.
    pub(super) fn cross_equity(&self) -> Decimal {
        self.spendable() + self.frozen + self.cross
    }
}

impl Exchange {
    /// Returns what an account can pay futures orders from, in one currency; nothing without such a wallet.
    pub fn collateral(&self, account: AccountId, currency: &SmolStr) -> Collateral {
        let mut sum = Collateral::default();
        let Some(owner) = self.accounts.get(&account) else { return sum };
        if let Some(wallet) = owner.futures.get(currency) {
            let wallet = self.ledger.wallet(*wallet);
            (sum.cash, sum.frozen) = (wallet.available, wallet.frozen);
        }
        for (symbol, long, position) in owner.open_positions() {
            let market = self.futures.get(symbol);
            let Some(market) = market.filter(|one| one.rules.quote == *currency) else { continue };
            let profit = market.unrealised(position, long);
            if position.isolated {
                sum.isolated += position.margin(&self.ledger);
                sum.isolated_profit += profit;
            } else {
                sum.has_cross = true;
                sum.cross += position.margin(&self.ledger);
                sum.cross_profit += profit;
                sum.maintenance += market.maintenance(position);
            }
        }
        sum
    }

    /// The mark price at which a position is liquidated, as things stand: where what backs it is down to the
    /// maintenance margin. Cross positions of both directions of a contract meet that price together.
    pub fn liquidation_price(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        long: bool,
    ) -> Option<Decimal> {
        let market = self.futures.get(symbol)?;
        let owner = self.accounts.get(&account)?;
        let position = owner.position(symbol, long).filter(|one| one.is_open())?;
        let mark = market.mark_price();
        let (both, surplus) = if position.isolated {
            let equity = position.margin(&self.ledger) + market.unrealised(position, long);
            (vec![(long, position)], equity - market.maintenance(position))
        } else {
            let all = self.collateral(account, &market.rules.quote);
            let here = owner.open_positions().filter(|row| row.0 == symbol);
            (here.map(|(_, long, one)| (long, one)).collect(), all.cross_equity() - all.maintenance)
        };
        // A step of the price moves the equity by the net coins, and what must be kept by their ratio.
        let mut step = Decimal::ZERO;
        for (long, position) in both {
            let coins = position.size * market.rules.contract_size;
            let ratio = market.rules.bracket(coins.checked_mul(mark)?)?.ratio;
            step += if long { coins } else { -coins };
            step -= coins * ratio;
        }
        Some(mark - surplus.checked_div(step)?).filter(|price| *price > Decimal::ZERO)
    }

    // Rule: A contract has one leverage and one margin mode at a time (40040, 40012). Source: documented (endpoint
    // futures_submit_order, endpoint futures_set_leverage); simplified (which of the two codes is for what)
    /// An order that opens must fit what is open in its contract (quirk of endpoint
    /// submit-order), and its position must fit the bracket of its leverage.
    pub(super) fn check_leverage(
        &self,
        account: AccountId,
        request: &NewFuturesOrder,
        value: Decimal,
    ) -> Result<(), Reject> {
        self.check_setting(account, &request.symbol, request.leverage, request.isolated)?;
        let market = self.futures.get(&request.symbol).ok_or(Reject::UnknownMarket)?;
        let owner = self.accounts.get(&account);
        // Rule: Only the position and the order count towards the largest value of a leverage (40029), not
        // other orders. Source: simplified (no source says what counts)
        let held = owner.and_then(|owner| owner.position(&request.symbol, request.side.long()));
        let held = held.map_or(Decimal::ZERO, |position| position.cost);
        if held + value > market.rules.max_value(request.leverage) {
            return Err(Reject::LeverageTooHigh);
        }
        Ok(())
    }

    /// Whether leverage and margin mode are those of the open positions and orders of a contract.
    pub(super) fn check_setting(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        leverage: u32,
        isolated: bool,
    ) -> Result<(), Reject> {
        let Some(owner) = self.accounts.get(&account) else { return Ok(()) };
        let positions = [true, false].into_iter().filter_map(|long| owner.position(symbol, long));
        let positions = positions.filter(|position| position.is_open());
        let positions = positions.map(|position| (position.leverage, position.isolated));
        let orders = owner.futures_orders.open.iter().filter_map(|id| self.futures_orders.get(id));
        let orders = orders
            .map(|order| &order.request)
            .filter(|request| request.symbol == *symbol && request.side.opens())
            .map(|request| (request.leverage, request.isolated));
        for (its_leverage, its_isolated) in positions.chain(orders) {
            if its_isolated != isolated {
                return Err(Reject::MarginModeDiffers);
            }
            if its_leverage != leverage {
                return Err(Reject::LeverageDiffers);
            }
        }
        Ok(())
    }

    /// The leverage of orders that name none: what was set, or 10 before that.
    pub fn leverage_of(&self, account: AccountId, rules: &FuturesRules, isolated: bool) -> u32 {
        let owner = self.accounts.get(&account);
        let set = owner.and_then(|owner| owner.leverages.get(&(rules.symbol.clone(), isolated)));
        set.copied().unwrap_or(rules.max_leverage.min(DEFAULT_LEVERAGE))
    }

    /// Sets the leverage that orders of a contract and margin mode have when they name none.
    pub(crate) fn set_leverage(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        leverage: u32,
        isolated: bool,
    ) -> Result<(), Reject> {
        self.check_setting(account, symbol, leverage, isolated)?;
        self.account_mut(account).leverages.insert((symbol.clone(), isolated), leverage);
        Ok(())
    }

    /// Holds money for an order. Profit that is not realised pays for cross orders only.
    pub(super) fn hold(
        &mut self,
        account: AccountId,
        currency: &SmolStr,
        amount: Decimal,
        isolated: bool,
    ) -> Result<(), Reject> {
        // Rule: An order that needs more than there is to spend is rejected whole. Source: documented (the table
        // of error codes)
        let money = self.collateral(account, currency);
        let most = if isolated { money.withdrawable() } else { money.spendable() };
        if amount > Decimal::ZERO && amount > most {
            return Err(Reject::insufficient(Source::Futures, currency, most, amount));
        }
        let wallet = self.open_wallet(account, Purse::Futures, currency);
        self.ledger.post(wallet.available(), wallet.frozen(), amount);
        Ok(())
    }

    // Rule: Insurance pays what an account owes when nothing is left that backs it. Source: simplified (there
    // is no auto-deleveraging)
    /// Insurance makes good what an account owes in the currency of a contract, once it has nothing left
    /// to pay it from.
    pub(super) fn make_good(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let markets = &self.futures;
        let Some(quote) = markets.get(symbol).map(|market| market.rules.quote.clone()) else {
            return;
        };
        let Some(owner) = self.accounts.get_mut(&account) else { return };
        let backed = owner.open_positions().any(|(symbol, _, position)| {
            let its_quote = markets.get(symbol).map(|market| &market.rules.quote);
            !position.isolated && its_quote == Some(&quote)
        });
        let id = owner.purse(&mut self.ledger, Purse::Futures, &quote);
        let wallet = self.ledger.wallet(id);
        if wallet.available < Decimal::ZERO && wallet.frozen.is_zero() && !backed {
            let owed = -wallet.available;
            self.ledger.draw(House::Insurance, id.available(), owed);
            let about = (symbol.clone(), quote);
            self.record_flow(account, FlowKind::Liquidation, about, owed, now_ms);
        }
    }
}
