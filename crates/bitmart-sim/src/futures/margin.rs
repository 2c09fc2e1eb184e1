//! Leverage brackets, margin and collateral.
//!
//! Cross positions share the wallet: their unrealized profit can pay for further cross orders, their unrealized loss
//! reduces the available balance. The available cash may therefore be negative while cross positions or orders are
//! open. Insurance covers a deficit that remains without them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{FuturesMarket, FuturesRules, transactions::TransactionKind};
use crate::{
    AccountId, Exchange,
    account::WalletKind,
    futures_order::{MarginType, NewFuturesOrder},
    ledger::HouseBook,
    position::{Position, PositionSide},
    reject::{Reject, Source},
};

/// A leverage bracket: maximum leverage and maintenance margin by position value. Values are in the quote currency.
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
    /// Deduction: maintenance margin is `value * ratio - cum`.
    pub cum: Decimal,
}

// Rule: Leverage brackets are those of the published sample; maintenance is half the margin of the leverage.
// Source: documented (one of two samples, endpoint futures_leverage_brackets, the other has 0.4 % at leverage 100)
/// Brackets of the documented sample, for a highest leverage of 50: leverage, and cap in thousands.
const SAMPLE_BRACKETS: [(u32, u32); 10] = [
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
// Rule: The default leverage is 10. Source: invented (no source states it)
/// Leverage of an account that has set none.
const DEFAULT_LEVERAGE: u32 = 10;
/// Highest leverage of the sample brackets.
const SAMPLE_LEVERAGE: u32 = 50;
// Rule: Caps are 50,000 times those of the sample, so that the first bracket of BTCUSDT ends at 500,000.
// Source: simplified (the sample has one contract)
/// Factor for the caps of the sample, so that the first bracket ends at the 500,000 of BTCUSDT.
const CAP_SCALE: u32 = 50 * 1_000;

/// Returns the brackets for a highest leverage. Brackets of equal leverage are merged.
pub(super) fn brackets(max_leverage: u32) -> Vec<Bracket> {
    let mut rows: Vec<Bracket> = Vec::new();
    for (leverage, cap) in SAMPLE_BRACKETS {
        let leverage =
            (u64::from(max_leverage) * u64::from(leverage) / u64::from(SAMPLE_LEVERAGE)).max(1);
        let leverage = u32::try_from(leverage).unwrap_or(u32::MAX);
        let cap = Decimal::from(cap) * Decimal::from(CAP_SCALE);
        if let Some(last) = rows.last_mut().filter(|last| last.leverage == leverage) {
            last.cap = cap;
            continue;
        }
        let ratio = (Decimal::ONE / Decimal::from(u64::from(leverage) * 2)).round_dp(8);
        rows.push(Bracket::after(rows.last(), leverage, cap, ratio));
    }
    rows
}

impl Bracket {
    /// A bracket that follows another one, so that the maintenance margin has no jump.
    pub(crate) fn after(last: Option<&Self>, leverage: u32, cap: Decimal, ratio: Decimal) -> Self {
        let (floor, cum) = last.map_or_else(Default::default, |last| {
            (last.cap, last.cum + last.cap * (ratio - last.ratio))
        });
        Self { leverage, floor, cap, ratio, cum }
    }
}

impl FuturesRules {
    /// Returns the largest value of a position at a leverage.
    pub fn max_value(&self, leverage: u32) -> Decimal {
        let fitting = self.brackets.iter().rev().find(|row| row.leverage >= leverage);
        fitting.map_or(Decimal::ZERO, |row| row.cap)
    }

    /// Returns the bracket of a position value; the last one for a value above all.
    fn bracket(&self, value: Decimal) -> Option<&Bracket> {
        self.brackets.iter().find(|row| value <= row.cap).or(self.brackets.last())
    }

    /// Returns the maintenance margin of a position value.
    fn maintenance_of(&self, value: Decimal) -> Decimal {
        self.bracket(value).map_or(Decimal::ZERO, |row| value * row.ratio - row.cum)
    }
}

impl FuturesMarket {
    /// Returns the value of contracts at a price.
    pub fn value(&self, contracts: Decimal, price: Decimal) -> Decimal {
        (contracts * self.rules.contract_size).checked_mul(price).unwrap_or_default()
    }

    /// Returns the unrealized profit of a position at the mark price; negative for a loss.
    pub fn unrealized(&self, position: &Position, side: PositionSide) -> Decimal {
        let gain = self.value(position.size, self.mark_price()) - position.cost;
        if side.is_long() { gain } else { -gain }
    }

    /// Returns the maintenance margin of a position at the mark price.
    pub fn maintenance(&self, position: &Position) -> Decimal {
        self.rules.maintenance_of(self.value(position.size, self.mark_price()))
    }
}

/// Collateral of an account for futures in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collateral {
    /// Available balance of the wallet; negative when cross profit was spent.
    pub cash: Decimal,
    /// Frozen for open orders.
    pub frozen: Decimal,
    /// Margin of cross positions.
    cross: Decimal,
    /// Margin of isolated positions.
    isolated: Decimal,
    /// Unrealized profit of cross positions.
    cross_profit: Decimal,
    /// Unrealized profit of isolated positions.
    isolated_profit: Decimal,
    /// Maintenance margin of cross positions.
    pub(super) maintenance: Decimal,
    has_cross: bool,
}

impl Collateral {
    // Rule: The available balance includes unrealized profit and loss of cross positions, and is never below 0.
    // Source: simplified (the documents name the field only)
    /// Returns the balance available for cross orders.
    pub fn available(&self) -> Decimal {
        self.spendable().max(Decimal::ZERO)
    }

    /// The money that is available for cross orders; negative when losses exceed the cash.
    fn spendable(&self) -> Decimal {
        self.cash + self.cross_profit
    }

    // Rule: Profit must be realized before it leaves the wallet or pays for isolated positions. Source:
    // simplified (no source says it)
    /// Returns the balance that may leave the wallet, which excludes unrealized profit.
    pub fn withdrawable(&self) -> Decimal {
        self.spendable().min(self.cash).max(Decimal::ZERO)
    }

    /// Returns the margin of all positions, in the currency.
    pub fn margin(&self) -> Decimal {
        self.cross + self.isolated
    }

    /// Returns the unrealized profit of all positions at the mark price; negative for a loss.
    pub fn unrealized(&self) -> Decimal {
        self.cross_profit + self.isolated_profit
    }

    /// Returns the equity: the balance if all positions were closed at the mark price, before fees.
    pub fn equity(&self) -> Decimal {
        self.cross_equity() + self.isolated + self.isolated_profit
    }

    pub(super) fn has_cross(&self) -> bool {
        self.has_cross
    }

    /// Returns the equity that backs the cross positions.
    pub(super) fn cross_equity(&self) -> Decimal {
        self.spendable() + self.frozen + self.cross
    }
}

impl Exchange {
    /// Returns the collateral of an account in a currency; zero without a wallet.
    pub fn collateral(&self, account: AccountId, currency: &SmolStr) -> Collateral {
        let mut sum = Collateral::default();
        let Some(owner) = self.accounts.get(&account) else { return sum };
        if let Some(wallet) = owner.futures.get(currency) {
            let wallet = self.ledger.wallet(*wallet);
            (sum.cash, sum.frozen) = (wallet.available, wallet.frozen);
        }
        for (symbol, side, position) in owner.open_positions() {
            let market = self.futures.get(symbol);
            let Some(market) = market.filter(|one| one.rules.quote == *currency) else { continue };
            let profit = market.unrealized(position, side);
            if position.margin_type.is_isolated() {
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

    /// Returns the mark price at which a position is liquidated: its equity then equals its maintenance margin. Long
    /// and short cross positions of a contract have the same liquidation price.
    pub fn liquidation_price(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
    ) -> Option<Decimal> {
        let market = self.futures.get(symbol)?;
        let owner = self.accounts.get(&account)?;
        let position = owner.position(symbol, side).filter(|one| one.is_open())?;
        let mark = market.mark_price();
        let (positions, surplus) = if position.margin_type.is_isolated() {
            let equity = position.margin(&self.ledger) + market.unrealized(position, side);
            (vec![(side, position)], equity - market.maintenance(position))
        } else {
            let all = self.collateral(account, &market.rules.quote);
            let same_contract = owner.open_positions().filter(|row| row.0 == symbol);
            (
                same_contract.map(|(_, side, one)| (side, one)).collect(),
                all.cross_equity() - all.maintenance,
            )
        };
        // Per unit of price, the equity changes by the net base units, and the maintenance margin by their ratio.
        let mut change_per_price = Decimal::ZERO;
        for (side, position) in positions {
            let coins = position.size * market.rules.contract_size;
            let ratio = market.rules.bracket(coins.checked_mul(mark)?)?.ratio;
            change_per_price += if side.is_long() { coins } else { -coins };
            change_per_price -= coins * ratio;
        }
        mark.checked_sub(surplus.checked_div(change_per_price)?)
            .filter(|price| *price > Decimal::ZERO)
    }

    // Rule: A contract has one leverage and one margin type at a time (40040, 40012). Source: documented (endpoint
    // futures_submit_order, endpoint futures_set_leverage); simplified (which of the two codes is for what)
    /// Checks that an opening order has the leverage and margin type of the open positions and orders of its contract,
    /// and that the position stays in the bracket of its leverage. `value` is what the order adds to the position.
    pub(super) fn check_leverage(
        &self,
        account: AccountId,
        request: &NewFuturesOrder,
        value: Decimal,
    ) -> Result<(), Reject> {
        self.check_setting(account, &request.symbol, request.leverage, request.margin_type)?;
        let market = self.futures.get(&request.symbol).ok_or(Reject::UnknownMarket)?;
        let owner = self.accounts.get(&account);
        // Rule: Only the position and the order count towards the largest value of a leverage (40029), not
        // other orders. Source: simplified (no source says what counts)
        let held =
            owner.and_then(|owner| owner.position(&request.symbol, request.side.position_side()));
        let held = held.map_or(Decimal::ZERO, |position| position.cost);
        if held + value > market.rules.max_value(request.leverage) {
            return Err(Reject::LeverageTooHigh);
        }
        Ok(())
    }

    /// Checks leverage and margin type against the open positions and orders of a contract.
    pub(crate) fn check_setting(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        leverage: u32,
        margin_type: MarginType,
    ) -> Result<(), Reject> {
        let Some(owner) = self.accounts.get(&account) else { return Ok(()) };
        let positions =
            PositionSide::BOTH.into_iter().filter_map(|side| owner.position(symbol, side));
        let positions = positions.filter(|position| position.is_open());
        let positions = positions.map(|position| (position.leverage, position.margin_type));
        let orders =
            owner.futures_orders.open().iter().filter_map(|id| self.futures_orders.get(id));
        // Rule: An order that can only close has no leverage and margin type of its own, so that it does not count, in
        // one-way mode as in hedge mode. Source: simplified (no source says it for one-way mode)
        let orders = orders
            .filter(|order| order.left() > order.closes)
            .map(|order| &order.request)
            .filter(|request| request.symbol == *symbol && request.side.opens())
            .map(|request| (request.leverage, request.margin_type));
        for (its_leverage, its_margin_type) in positions.chain(orders) {
            if its_margin_type != margin_type {
                return Err(Reject::MarginTypeMismatch);
            }
            if its_leverage != leverage {
                return Err(Reject::LeverageMismatch);
            }
        }
        Ok(())
    }

    /// Returns the leverage of orders without an own one: the one that was set, else 10; at most the highest of the
    /// contract, which may have fallen since.
    pub fn leverage_of(
        &self,
        account: AccountId,
        rules: &FuturesRules,
        margin_type: MarginType,
    ) -> u32 {
        let owner = self.accounts.get(&account);
        let chosen =
            owner.and_then(|owner| owner.leverages.get(&(rules.symbol.clone(), margin_type)));
        chosen.copied().unwrap_or(DEFAULT_LEVERAGE).min(rules.max_leverage)
    }

    /// Sets the leverage of orders without an own one, for a contract and margin type.
    pub(crate) fn set_leverage(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        leverage: u32,
        margin_type: MarginType,
    ) -> Result<(), Reject> {
        self.check_setting(account, symbol, leverage, margin_type)?;
        self.account_mut(account).leverages.insert((symbol.clone(), margin_type), leverage);
        Ok(())
    }

    /// Freezes money for an order. Unrealized profit can pay for cross orders only.
    pub(super) fn freeze_margin(
        &mut self,
        account: AccountId,
        currency: &SmolStr,
        amount: Decimal,
        margin_type: MarginType,
    ) -> Result<(), Reject> {
        // Rule: An order that needs more than there is to spend is rejected whole. Source: documented (the table
        // of error codes)
        let money = self.collateral(account, currency);
        let available =
            if margin_type.is_isolated() { money.withdrawable() } else { money.spendable() };
        if amount < Decimal::ZERO || (amount > Decimal::ZERO && amount > available) {
            return Err(Reject::insufficient(Source::Futures, currency, available, amount));
        }
        let wallet = self.ensure_wallet(account, WalletKind::Futures, currency);
        self.ledger.post(wallet.available(), wallet.frozen(), amount);
        Ok(())
    }

    // Rule: Insurance pays a negative balance once no cross position or order is left. Source: simplified (there
    // is no auto-deleveraging)
    /// Lets insurance pay a negative balance in the currency of a contract, once no cross position or order is left.
    pub(super) fn cover_deficit(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let markets = &self.futures;
        let Some(quote) = markets.get(symbol).map(|market| market.rules.quote.clone()) else {
            return;
        };
        let Some(owner) = self.accounts.get_mut(&account) else { return };
        let is_backed = owner.open_positions().any(|(symbol, _, position)| {
            let its_quote = markets.get(symbol).map(|market| &market.rules.quote);
            !position.margin_type.is_isolated() && its_quote == Some(&quote)
        });
        let wallet_id = owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &quote);
        let wallet = self.ledger.wallet(wallet_id);
        if wallet.available < Decimal::ZERO && wallet.frozen.is_zero() && !is_backed {
            let deficit = -wallet.available;
            self.ledger.pay_from_house(HouseBook::Insurance, wallet_id.available(), deficit);
            let symbol_and_currency = (symbol.clone(), quote);
            self.record_transaction(
                account,
                TransactionKind::Liquidation,
                symbol_and_currency,
                deficit,
                now_ms,
            );
        }
    }
}
